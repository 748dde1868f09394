package report

import (
	"slices"
	"strconv"

	"pcconnect.ai/descope-mgmt/internal/flow"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
)

// The status of an object in an environment.
const (
	statusConfigured = "configured" // and nobody looked whether it is live
	statusSame       = "same"
	statusCreate     = "create"
	statusUpdate     = "update"
	statusDelete     = "delete"
	statusOrphan     = "orphan"
	statusUnmanaged  = "unmanaged"
	statusAccepted   = "accepted"
	statusLeftOut    = "left-out"
	statusNone       = "none"
	statusUnknown    = "unknown"
)

// data is what the script of the page reads.
type data struct {
	Environments []environmentData `json:"environments"`
	Objects      []objectData      `json:"objects"`
	Graphs       []graphData       `json:"graphs"`
	Runs         []Run             `json:"runs"`
}

type environmentData struct {
	Name string `json:"name"`
	Live bool   `json:"live"`
}

// objectData is a row of the matrix.
type objectData struct {
	Kind model.Kind `json:"kind"`
	ID   string     `json:"id"`
	Name string     `json:"name,omitempty"`
	// Differs: the environments that have it do not all have the same.
	Differs bool       `json:"differs,omitempty"`
	Cells   []cellData `json:"cells"`
}

type cellData struct {
	Status string `json:"status"`
	// Variant is a letter, the same for environments that have the same; left out
	// where all have.
	Variant string      `json:"variant,omitempty"`
	Line    string      `json:"line,omitempty"`
	Change  *changeData `json:"change,omitempty"`
	// Graph is the drawing of a flow, counted from 1.
	Graph int `json:"graph,omitempty"`
}

type changeData struct {
	Moved  plan.Side   `json:"moved"`
	Adopts bool        `json:"adopts,omitempty"`
	Since  string      `json:"since,omitempty"`
	Fields []fieldData `json:"fields,omitempty"`
	Flow   []flowData  `json:"flow,omitempty"`
}

type fieldData struct {
	Path   string    `json:"path"`
	Before string    `json:"before"`
	After  string    `json:"after"`
	Moved  plan.Side `json:"moved"`
	Note   string    `json:"note,omitempty"`
	Line   string    `json:"line,omitempty"`
}

type flowData struct {
	Kind   flow.Kind `json:"kind"`
	Task   string    `json:"task,omitempty"`
	What   string    `json:"what,omitempty"`
	Before string    `json:"before"`
	After  string    `json:"after"`
}

// maxValue bounds a value on the page: nobody reads a whole document there.
const maxValue = 2000

func dataOf(r Report) data {
	d := data{Environments: []environmentData{}, Objects: []objectData{}, Graphs: []graphData{}, Runs: append([]Run{}, r.Runs...)}
	b := &builder{data: &d, rows: map[model.Key]*objectData{}, variants: map[model.Key][]string{}, graphs: map[string]int{}}
	for i, e := range r.Environments {
		d.Environments = append(d.Environments, environmentData{e.Name, e.Plan != nil})
		b.environment(i, len(r.Environments), e)
	}
	b.finish(r.Environments)
	return d
}

// builder collects the rows of the matrix.
type builder struct {
	*data
	rows map[model.Key]*objectData
	// variants are the digests of an object, one for each environment.
	variants map[model.Key][]string
	graphs   map[string]int
}

func (b *builder) cell(k model.Key, i, n int) *cellData {
	row := b.rows[k]
	if row == nil {
		row = &objectData{Kind: k.Kind, ID: k.ID, Cells: make([]cellData, n)}
		b.rows[k], b.variants[k] = row, make([]string, n)
	}
	return &row.Cells[i]
}

func (b *builder) environment(i, n int, e Environment) {
	for _, r := range e.State.Resources() {
		c := b.cell(r.Key, i, n)
		c.Status, c.Line = statusConfigured, line(r.Origin)
		if e.Plan != nil {
			c.Status = statusSame
		}
		b.variants[r.Key][i] = model.Resource{Key: r.Key, Attrs: r.Attrs, Policy: r.Policy}.Digest()
		if name := b.describe(r, c); b.rows[r.Key].Name == "" {
			b.rows[r.Key].Name = name
		}
	}
	for _, k := range e.Excluded {
		b.cell(k, i, n).Status = statusLeftOut
	}
	if e.Plan == nil {
		return
	}
	for _, k := range e.Plan.Orphans {
		b.cell(k, i, n).Status = statusOrphan
	}
	for _, k := range e.Plan.Unmanaged {
		if c := b.cell(k, i, n); c.Status == "" {
			c.Status = statusUnmanaged
		}
	}
	for _, f := range e.Plan.Accepted {
		b.cell(f.Key, i, n).Status = statusAccepted
	}
	for j := range e.Plan.Changes {
		ch := &e.Plan.Changes[j]
		c := b.cell(ch.Key, i, n)
		c.Status, c.Change = string(ch.Action), changeOf(ch)
		if since, known := e.Since[ch.Key]; known {
			c.Change.Since = since.At.UTC().Format("2006-01-02 15:04 UTC") + " (run " + since.Run + ")"
		}
	}
}

// describe draws a flow, and says what an object is called.
func (b *builder) describe(r model.Resource, c *cellData) string {
	if r.Key.Kind != model.Flow {
		name, _ := r.Attrs["name"].(string)
		return name
	}
	f, _, err := flow.FromValue(r.Attrs["definition"])
	if err != nil {
		return ""
	}
	g := draw(f)
	key := g.key()
	if b.graphs[key] == 0 {
		b.Graphs = append(b.Graphs, g)
		b.graphs[key] = len(b.Graphs)
	}
	c.Graph = b.graphs[key]
	return f.Name()
}

// finish sorts the rows, fills what nobody said, and tells variants apart.
func (b *builder) finish(environments []Environment) {
	keys := make([]model.Key, 0, len(b.rows))
	for k := range b.rows {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, model.Key.Compare)
	for _, k := range keys {
		row := b.rows[k]
		for i := range row.Cells {
			switch {
			case row.Cells[i].Status != "":
			case environments[i].Problem != "" && environments[i].State.Len() == 0:
				row.Cells[i].Status = statusUnknown
			default:
				row.Cells[i].Status = statusNone
			}
		}
		b.tell(row, b.variants[k])
		b.Objects = append(b.Objects, *row)
	}
}

// tell names the variants of an object a, b, c where there are several.
func (b *builder) tell(row *objectData, digests []string) {
	var seen []string
	for _, d := range digests {
		if d != "" && !slices.Contains(seen, d) {
			seen = append(seen, d)
		}
	}
	if row.Differs = len(seen) > 1; !row.Differs {
		return
	}
	for i, d := range digests {
		if d == "" {
			continue
		}
		const letters = "abcdefghijklmnopqrstuvwxyz"
		if n := slices.Index(seen, d); n < len(letters) {
			row.Cells[i].Variant = letters[n : n+1]
		} else {
			row.Cells[i].Variant = strconv.Itoa(n + 1)
		}
	}
}

func changeOf(ch *plan.Change) *changeData {
	c := &changeData{Moved: ch.Moved, Adopts: ch.Adopts}
	report, isFlow := ch.FlowReport()
	for _, f := range ch.Fields {
		if isFlow && f.Path == "definition" {
			continue
		}
		field := fieldData{Path: f.Path, Before: show(f.Before), After: show(f.After), Moved: f.Moved, Note: f.Note, Line: line(f.Origin)}
		if f.Sensitive {
			field.Before, field.After = "(sensitive)", "(sensitive)"
		}
		c.Fields = append(c.Fields, field)
	}
	for _, f := range report.Changes {
		c.Flow = append(c.Flow, flowData{Kind: f.Kind, Task: taskName(f), What: what(f), Before: show(f.Before), After: show(f.After)})
	}
	return c
}

func taskName(c flow.Change) string {
	if c.TaskName != "" {
		return c.TaskName
	}
	return c.Task
}

// what is the part of a task or screen that a change is about.
func what(c flow.Change) string {
	text := ""
	for _, word := range []string{c.Component, c.Node, c.Field} {
		if word != "" && text != "" {
			text += " "
		}
		text += word
	}
	return text
}

// show writes a value as text.
func show(v any) string {
	if _, absent := v.(plan.Absent); absent {
		return "(none)"
	}
	text := []rune(string(model.CanonicalJSON(v)))
	if len(text) > maxValue {
		return string(text[:maxValue]) + "…"
	}
	return string(text)
}

func line(o model.Origin) string {
	if o.IsZero() {
		return ""
	}
	return o.File + ":" + strconv.Itoa(o.Line)
}
