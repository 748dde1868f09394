package ui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
)

// Forecast is what a plan will cost: the calls that write, the reads that single
// objects need before, and how long all will take under the rate limit.
type Forecast struct {
	Calls, Reads int
	Took         time.Duration
}

func (f Forecast) String() string {
	calls := Counted(f.Calls, "call")
	if f.Reads > 0 {
		calls += " and " + Counted(f.Reads, "read")
	}
	return calls + ", about " + estimate(f.Took)
}

// The columns of a plan, wide enough for most; longer contents widen the first
// and the field column up to a bound.
const (
	minAddress, maxAddress = 22, 52
	minField, maxField     = 19, 44
	actionWidth            = 15
	indent                 = "    "
	// maxListed is how many keys of one list are shown unless verbose.
	maxListed = 20
)

// PlanText renders a plan for people, with what they have allowed it already. A
// plan without changes begins with "No changes."; any other ends with the line
// "Plan: …".
func PlanText(p *plan.Plan, allowed plan.Allowed, f Forecast, s Style) string {
	var b strings.Builder
	if len(p.Changes) == 0 {
		b.WriteString(s.paint(blue, "No changes.") + fmt.Sprintf(" %d unchanged.\n", len(p.Unchanged)))
	}
	address := minAddress
	for _, c := range p.Changes {
		address = max(address, min(cells(Safe(c.Key.String()))+2, maxAddress))
	}
	for _, c := range p.Changes {
		writeChange(&b, c, address, s)
	}
	warnings := p.Warnings.Sort()
	for i, d := range warnings {
		if i == maxListed && !s.Verbose {
			fmt.Fprintf(&b, "%s and %d more (--verbose shows them)\n", s.paint(yellow, "warning:"), len(warnings)-i)
			break
		}
		writeDiagnostic(&b, d, s)
	}
	if len(p.Orphans) > 0 {
		b.WriteString(wrap("Orphans, applied earlier and gone from the configuration (--prune deletes them): "+countKinds(p.Orphans), s) + "\n")
		writeKeys(&b, p.Orphans, s)
	}
	if len(p.Unmanaged) > 0 {
		fmt.Fprintf(&b, "Unmanaged, left alone: %s\n", countKinds(p.Unmanaged))
		if s.Verbose {
			writeKeys(&b, p.Unmanaged, s)
		}
	}
	writeFieldKeys(&b, "Accepted drift, left as it is", p.Accepted, s)
	for _, g := range p.Guards {
		one := plan.Plan{Project: p.Project, Guards: []plan.Guard{g}}
		writeGuard(&b, g, len(one.Gate(allowed)) == 0, s)
	}
	if len(p.Changes) > 0 {
		b.WriteString(wrap(planSummary(p, f, s), s) + "\n")
	}
	return b.String()
}

func planSummary(p *plan.Plan, f Forecast, s Style) string {
	n := map[plan.Action]int{}
	for _, c := range p.Changes {
		n[c.Action]++
	}
	return fmt.Sprintf("%s %d to create, %d to update, %d to delete. %d unchanged. %s.",
		s.paint(bold, "Plan:"), n[plan.Create], n[plan.Update], n[plan.Delete],
		len(p.Unchanged), f)
}

func writeChange(b *strings.Builder, c plan.Change, address int, s Style) {
	place := ""
	if !c.Origin.IsZero() {
		place = fmt.Sprintf("%s:%d", Safe(c.Origin.File), c.Origin.Line)
	}
	var notes []string
	if c.Adopts {
		notes = append(notes, "adopts existing")
	}
	if s.Verbose && len(c.DependsOn) > 0 {
		notes = append(notes, "after "+joinKeys(c.DependsOn))
	}
	writeRow(b, c.Key, c.Action, address, s.paint(dim, place)+noted(s, place, notes), s)
	if report, ok := c.FlowReport(); ok {
		writeFlowReport(b, report, s.Verbose, indent, s)
		c.Fields = slices.DeleteFunc(slices.Clone(c.Fields), func(f plan.FieldChange) bool { return f.Path == "definition" && fieldNote(f) == "" })
	} else if f, ok := c.FlowDocument(); ok {
		fmt.Fprintf(b, "%s%s, %s\n", indent, Counted(len(f.Tasks()), "task"), Counted(len(f.Screens()), "screen"))
		c.Fields = nil
	}
	field, limit := minField, maxField
	if s.Width > 0 {
		limit = max(minField, min(maxField, s.Width*2/5)) // leave room for the values
	}
	for _, f := range c.Fields {
		field = max(field, min(cells(Safe(f.Path))+2, limit))
	}
	for _, f := range c.Fields {
		writeField(b, c.Action, f, field, s)
	}
}

// writeRow writes an address, an action and what follows in its column.
func writeRow(b *strings.Builder, k model.Key, a plan.Action, address int, rest string, s Style) {
	mark, color := sign(a)
	action := mark + " " + string(a)
	if rest != "" {
		action = pad(action, actionWidth)
	}
	if s.narrow() {
		b.WriteString(narrowRow(s.paint(bold, Safe(k.String())), s.paint(color, mark+" "+string(a)), rest, s) + "\n")
		return
	}
	name := pad(Safe(k.String()), address)
	if !strings.HasSuffix(name, " ") {
		name += "  "
	}
	b.WriteString(s.paint(bold, name) + s.paint(color, action) + rest + "\n")
}

func writeField(b *strings.Builder, a plan.Action, f plan.FieldChange, width int, s Style) {
	note := fieldNote(f)
	if s.narrow() {
		b.WriteString(narrowField(a, f, note, s) + "\n")
		return
	}
	name := pad(Safe(f.Path), width)
	if !strings.HasSuffix(name, " ") {
		name += "  "
	}
	used := len(indent) + cells(name)
	b.WriteString(indent + name + fieldValue(a, f, used, s))
	if note != "" {
		gap := indent
		if s.Width > 0 && used+cells(fieldValue(a, f, used, s.plain()))+len(gap)+cells(note) > s.Width {
			gap = "\n" + strings.Repeat(" ", used) // rather below than at the cost of the value
		}
		b.WriteString(gap + s.paint(dim, note))
	}
	b.WriteByte('\n')
}

// fieldNote says in brackets what a value alone does not, or "".
func fieldNote(f plan.FieldChange) string {
	var notes []string
	if f.Note != "" {
		notes = append(notes, Safe(f.Note))
	}
	switch f.Moved {
	case plan.Live:
		notes = append(notes, "moved live")
	case plan.Both:
		notes = append(notes, "moved live and in the configuration")
	case plan.Config, plan.Unknown:
	}
	if len(notes) == 0 {
		return ""
	}
	return "(" + strings.Join(notes, ", ") + ")"
}

// fieldValue is the new value of a create, the old one of a delete, and both of
// an update.
func fieldValue(a plan.Action, f plan.FieldChange, used int, s Style) string {
	const arrow = " → "
	switch {
	case f.Sensitive && a == plan.Update:
		return masked + arrow + masked
	case f.Sensitive:
		return masked
	case a == plan.Create:
		return s.paint(blue, Value(f.After, s.valueWidth(used, minValue)))
	case a == plan.Delete:
		return s.paint(red, Value(f.Before, s.valueWidth(used, minValue)))
	}
	before, after := valuePair(f.Before, f.After, s.valueWidth(used+cells(arrow), 2*minValue))
	return s.paint(red, before) + arrow + s.paint(blue, after)
}

func writeGuard(b *strings.Builder, g plan.Guard, allowed bool, s Style) {
	verdict := s.paint(red, "Blocked ("+string(g.Rule)+"):")
	if allowed {
		verdict = s.paint(yellow, "Allowed ("+string(g.Rule)+"):")
	}
	b.WriteString(wrap(verdict+" "+Safe(g.Detail), s) + "\n")
	if allowed {
		return
	}
	if len(g.Keys) > 0 {
		writeKeys(b, g.Keys, s)
	}
	if g.Allow != "" {
		b.WriteString(indent + "to allow it: " + s.paint(cyan, Safe(g.Allow)) + "\n")
	} else {
		b.WriteString(indent + "no flag allows it\n")
	}
}

// writeKeys lists addresses, one a line; a long list is cut unless verbose.
func writeKeys(b *strings.Builder, keys []model.Key, s Style) {
	shown := keys
	if !s.Verbose && len(keys) > maxListed {
		shown = keys[:maxListed]
	}
	for _, k := range shown {
		b.WriteString(indent + Safe(k.String()) + "\n")
	}
	if n := len(keys) - len(shown); n > 0 {
		fmt.Fprintf(b, "%s%s and %d more (-v lists all)\n", indent, ellipsis, n)
	}
}

func joinKeys(keys []model.Key) string {
	parts := make([]string, len(keys))
	for i, k := range keys {
		parts[i] = Safe(k.String())
	}
	return strings.Join(parts, ", ")
}

// noted puts remarks in parentheses behind what is before them.
func noted(s Style, before string, notes []string) string {
	if len(notes) == 0 {
		return ""
	}
	gap := indent
	if before == "" {
		gap = ""
	}
	return gap + s.paint(yellow, "("+strings.Join(notes, ", ")+")")
}
