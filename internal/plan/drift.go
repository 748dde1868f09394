package plan

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"pcconnect.ai/descope-mgmt/internal/flow"
	"pcconnect.ai/descope-mgmt/internal/model"
)

// Drift is what differs between a configuration and its project, as a report that
// nobody will run.
type Drift struct {
	Environment string        `json:"environment"`
	Project     string        `json:"project_id"`
	Objects     []ObjectDrift `json:"objects"`
	// InSync are the managed objects that do not differ, and Unmanaged those that
	// were never applied by us, which is no drift.
	InSync    []model.Key `json:"in_sync"`
	Unmanaged []model.Key `json:"unmanaged"`
	// Accepted are differences on record as accepted, Ignored those that this report
	// was told to leave out.
	Accepted []FieldKey        `json:"accepted"`
	Ignored  []FieldKey        `json:"ignored"`
	Warnings model.Diagnostics `json:"warnings"`
}

// DriftKind says how an object differs.
type DriftKind string

// The kinds of drift.
const (
	// Changed objects are on both sides, with fields that differ.
	Changed DriftKind = "changed"
	// Missing objects are in the configuration and not in the project.
	Missing DriftKind = "missing"
	// Orphan objects were applied by us and are gone from the configuration.
	Orphan DriftKind = "orphan"
)

// ObjectDrift is one object that differs.
type ObjectDrift struct {
	Key  model.Key `json:"address"`
	Kind DriftKind `json:"kind"`
	// Moved is who moved the object since its last apply. An orphan was moved by the
	// configuration, and by both if it was changed live as well.
	Moved Side `json:"moved"`
	// Since is the last apply of the object: the drift is younger. nil where nothing
	// is on record.
	Since  *Since        `json:"since"`
	Origin *model.Origin `json:"origin"`
	// Fields are the differences of a changed object, sorted by path; else empty.
	Fields []FieldDrift `json:"fields"`
	// Flow is what differs between the documents of a flow: from the live one to
	// the configured one.
	Flow *flow.Report `json:"flow_changes,omitempty"`
}

// FieldDrift is one field that differs. A value that is absent is [Absent].
type FieldDrift struct {
	Path string
	// Desired is the value of the configuration, Live that of the project, and Last
	// the one that was applied last, [Absent] also where none is on record.
	Desired, Live, Last any
	Moved               Side
	Sensitive           bool
	Origin              model.Origin
}

// Since says when an object was applied last.
type Since struct {
	Run string    `json:"run"`
	At  time.Time `json:"at"`
}

// FieldDriftDoc is the JSON form of a [FieldDrift].
type FieldDriftDoc struct {
	Path      string          `json:"path"`
	Desired   json.RawMessage `json:"desired,omitempty"`
	Live      json.RawMessage `json:"live,omitempty"`
	Last      json.RawMessage `json:"last,omitempty"`
	Moved     Side            `json:"moved"`
	Sensitive bool            `json:"sensitive"`
	Origin    *model.Origin   `json:"origin"`
}

// MarshalJSON leaves out a value that is absent, as opposed to null.
func (f FieldDrift) MarshalJSON() ([]byte, error) {
	return json.Marshal(FieldDriftDoc{
		f.Path, valueToJSON(f.Desired), valueToJSON(f.Live), valueToJSON(f.Last), f.Moved, f.Sensitive, origin(f.Origin),
	})
}

// Clean reports that nothing differs that is not accepted or ignored.
func (d *Drift) Clean() bool { return len(d.Objects) == 0 }

// Counts are the numbers of objects by kind of drift.
func (d *Drift) Counts() map[DriftKind]int {
	n := map[DriftKind]int{}
	for _, o := range d.Objects {
		n[o.Kind]++
	}
	return n
}

// DriftOptions say what a report is about.
type DriftOptions struct {
	// Ignore leaves out addresses, or fields as ADDRESS.PATH; * stands for any text.
	Ignore []string
	// Since says when objects were applied last, as far as that is on record.
	Since map[model.Key]Since
}

// DriftOf reports the differences of a plan that was computed without pruning, given
// the state that it took for last applied.
func DriftOf(p *Plan, last model.State, o DriftOptions) *Drift {
	d := &Drift{
		Environment: p.Environment, Project: p.Project, Objects: []ObjectDrift{}, InSync: orEmpty(slices.Clone(p.Unchanged)),
		Unmanaged: orEmpty(slices.Clone(p.Unmanaged)), Accepted: orEmpty(slices.Clone(p.Accepted)), Ignored: []FieldKey{}, Warnings: orEmpty(p.Warnings),
	}
	for i := range p.Changes {
		d.change(&p.Changes[i], last, o)
	}
	for _, k := range p.Orphans {
		d.add(ObjectDrift{Key: k, Kind: Orphan, Moved: Config, Fields: []FieldDrift{}}, o)
	}
	slices.SortFunc(d.Objects, func(a, b ObjectDrift) int { return a.Key.Compare(b.Key) })
	slices.SortFunc(d.InSync, model.Key.Compare)
	return d
}

func (d *Drift) change(ch *Change, last model.State, o DriftOptions) {
	out := ObjectDrift{Key: ch.Key, Kind: Changed, Moved: ch.Moved, Origin: origin(ch.Origin), Fields: []FieldDrift{}}
	if ch.Action == Create {
		out.Kind = Missing
	}
	if ch.Action == Create || ignored(o.Ignore, ch.Key, "") {
		d.add(out, o)
		return
	}
	was, applied := last.Get(ch.Key)
	var fields []FieldChange
	for _, f := range ch.Fields {
		if ignored(o.Ignore, ch.Key, f.Path) {
			d.Ignored = append(d.Ignored, FieldKey{ch.Key, f.Path})
			continue
		}
		fields = append(fields, f)
		before := any(Absent{})
		if applied {
			if v, known := lastValue(&was, split(f.Path)); known {
				before = v
			}
		}
		out.Fields = append(out.Fields, FieldDrift{f.Path, f.After, f.Before, before, f.Moved, f.Sensitive, f.Origin})
	}
	if len(fields) == 0 {
		d.InSync = append(d.InSync, ch.Key)
		return
	}
	out.Moved = sumMoved(fields)
	if report, ok := ch.FlowReport(); ok && slices.ContainsFunc(fields, func(f FieldChange) bool { return f.Path == definition }) {
		out.Flow = &report
	}
	d.add(out, o)
}

// add adds an object, unless it is ignored as a whole.
func (d *Drift) add(object ObjectDrift, o DriftOptions) {
	if ignored(o.Ignore, object.Key, "") {
		d.Ignored = append(d.Ignored, FieldKey{object.Key, ""})
		return
	}
	if since, known := o.Since[object.Key]; known {
		object.Since = &since
	}
	d.Objects = append(d.Objects, object)
}

// ignored reports whether a pattern names an object or, where path is not "", its field.
func ignored(patterns []string, k model.Key, path string) bool {
	for _, p := range patterns {
		if Match(p, k.String()) || path != "" && Match(p, k.String()+"."+path) {
			return true
		}
	}
	return false
}

// Match matches a text with a pattern in which * stands for any text.
func Match(pattern, text string) bool {
	first, rest, star := strings.Cut(pattern, "*")
	text, ok := strings.CutPrefix(text, first)
	if !ok || !star {
		return ok && text == ""
	}
	for i := 0; i <= len(text); i++ {
		if Match(rest, text[i:]) {
			return true
		}
	}
	return false
}

// Cell is the state of one object in one environment of a [Matrix].
type Cell string

// The cells. Where an environment has no such object the cell is "".
const (
	CellInSync    Cell = "in_sync"
	CellChanged   Cell = "changed"
	CellMissing   Cell = "missing"
	CellOrphan    Cell = "orphan"
	CellUnmanaged Cell = "unmanaged"
	CellAccepted  Cell = "accepted"
	// CellUnknown: the environment could not be read.
	CellUnknown Cell = "unknown"
)

// Matrix is what several environments have of which objects.
type Matrix struct {
	Environments []string    `json:"environments"`
	Rows         []MatrixRow `json:"rows"`
}

// MatrixRow is one object; its cells are in the order of the environments.
type MatrixRow struct {
	Key   model.Key `json:"address"`
	Cells []Cell    `json:"cells"`
}

// MatrixOf puts reports side by side, in the order given. nil stands for an environment
// that could not be read, of which names has the name.
func MatrixOf(names []string, reports []*Drift) Matrix {
	cells := map[model.Key][]Cell{}
	set := func(i int, k model.Key, c Cell) {
		if cells[k] == nil {
			cells[k] = make([]Cell, len(names))
		}
		cells[k][i] = c
	}
	for i, d := range reports {
		if d == nil {
			continue
		}
		for _, k := range d.Unmanaged {
			set(i, k, CellUnmanaged)
		}
		for _, k := range d.InSync {
			set(i, k, CellInSync)
		}
		for _, f := range d.Accepted {
			set(i, f.Key, CellAccepted)
		}
		for _, o := range d.Objects {
			set(i, o.Key, Cell(o.Kind))
		}
	}
	m := Matrix{Environments: orEmpty(names), Rows: []MatrixRow{}}
	for k, row := range cells {
		for i, d := range reports {
			if d == nil {
				row[i] = CellUnknown
			}
		}
		m.Rows = append(m.Rows, MatrixRow{k, row})
	}
	slices.SortFunc(m.Rows, func(a, b MatrixRow) int { return a.Key.Compare(b.Key) })
	return m
}
