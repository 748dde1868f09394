package ui

import (
	"fmt"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/plan"
)

// DriftText renders a report of drift. A report without any begins with "No drift.";
// any other ends with the line "Drift: …". next is the command that resolves it.
func DriftText(d *plan.Drift, next string, s Style) string {
	var b strings.Builder
	if d.Clean() {
		fmt.Fprintf(&b, "%s %d in sync.\n", s.paint(blue, "No drift."), len(d.InSync))
	}
	address := minAddress
	for _, o := range d.Objects {
		address = max(address, min(cells(Safe(o.Key.String()))+2, maxAddress))
	}
	for _, o := range d.Objects {
		writeObjectDrift(&b, o, address, s)
	}
	for _, w := range d.Warnings.Sort() {
		writeDiagnostic(&b, w, s)
	}
	writeFieldKeys(&b, "Accepted as they are", d.Accepted, s)
	writeFieldKeys(&b, "Ignored", d.Ignored, s)
	if len(d.Unmanaged) > 0 {
		fmt.Fprintf(&b, "Unmanaged, left alone: %s\n", countKinds(d.Unmanaged))
		if s.Verbose {
			writeKeys(&b, d.Unmanaged, s)
		}
	}
	if !d.Clean() {
		n := d.Counts()
		text := fmt.Sprintf("%s %d changed, %d missing, %d orphaned. %d in sync.", s.paint(bold, "Drift:"), n[plan.Changed], n[plan.Missing], n[plan.Orphan], len(d.InSync))
		if next != "" {
			text += " To resolve it: " + next
		}
		b.WriteString(wrap(text, s) + "\n")
	}
	return b.String()
}

// driftWords are a kind of drift and who brought it about, in words.
func driftWords(o plan.ObjectDrift) string {
	words := string(o.Kind)
	switch o.Kind {
	case plan.Missing:
		words = "missing in the project"
		switch o.Moved {
		case plan.Live, plan.Both:
			words = "deleted in the project"
		case plan.Config, plan.Unknown:
		}
	case plan.Orphan:
		words = "gone from the configuration"
	case plan.Changed:
		words = movedWords(o.Moved)
	}
	return words
}

// movedWords say who moved a value.
func movedWords(m plan.Side) string {
	switch m {
	case plan.Config:
		return "moved in the configuration"
	case plan.Live:
		return "moved live"
	case plan.Both:
		return "moved live and in the configuration"
	case plan.Unknown:
	}
	return "never applied, so who moved it is unknown"
}

func driftMark(k plan.DriftKind) plan.Action {
	switch k {
	case plan.Missing:
		return plan.Create
	case plan.Orphan:
		return plan.Delete
	case plan.Changed:
	}
	return plan.Update
}

func writeObjectDrift(b *strings.Builder, o plan.ObjectDrift, address int, s Style) {
	mark, color := sign(driftMark(o.Kind))
	place := ""
	if o.Origin != nil {
		place = fmt.Sprintf("%s:%d", Safe(o.Origin.File), o.Origin.Line)
	}
	words := driftWords(o)
	if o.Since != nil {
		words += ", since its apply of " + o.Since.At.UTC().Format("2006-01-02 15:04 UTC") + " (run " + Safe(o.Since.Run) + ")"
	}
	if s.narrow() {
		b.WriteString(narrowRow(s.paint(bold, Safe(o.Key.String())), s.paint(color, mark+" "+string(o.Kind)), s.paint(dim, words+"  "+place), s) + "\n")
	} else {
		name := pad(Safe(o.Key.String()), address)
		if !strings.HasSuffix(name, " ") {
			name += "  "
		}
		line := s.paint(bold, name) + s.paint(color, pad(mark+" "+string(o.Kind), actionWidth)) + s.paint(dim, words)
		if place != "" {
			line += indent + s.paint(dim, place)
		}
		b.WriteString(line + "\n")
	}
	if o.Flow != nil {
		writeFlowReport(b, *o.Flow, s.Verbose, indent, s)
	}
	field := minField
	for _, f := range o.Fields {
		field = max(field, min(cells(Safe(f.Path))+2, maxField))
	}
	for _, f := range o.Fields {
		if o.Flow != nil && f.Path == "definition" {
			continue
		}
		name := pad(Safe(f.Path), field)
		if !strings.HasSuffix(name, " ") {
			name += "  "
		}
		live, desired := masked, masked
		if !f.Sensitive {
			live, desired = valuePair(f.Live, f.Desired, s.valueWidth(len(indent)+cells(name)+20, 2*minValue))
		}
		line := indent + name + s.paint(red, live) + " live, " + s.paint(blue, desired) + " configured"
		if f.Moved != o.Moved {
			line += indent + s.paint(dim, "("+movedWords(f.Moved)+")")
		}
		b.WriteString(wrap(line, s) + "\n")
	}
}

// writeFieldKeys writes a list of fields under a title, if there are any.
func writeFieldKeys(b *strings.Builder, title string, fields []plan.FieldKey, s Style) {
	if len(fields) == 0 {
		return
	}
	fmt.Fprintf(b, "%s: %s\n", title, Counted(len(fields), "difference"))
	shown := fields
	if !s.Verbose && len(fields) > maxListed {
		shown = fields[:maxListed]
	}
	for _, f := range shown {
		b.WriteString(indent + strings.TrimSpace(Safe(f.Key.String())+" "+Safe(f.Path)) + "\n")
	}
	if n := len(fields) - len(shown); n > 0 {
		fmt.Fprintf(b, "%s%s and %d more (-v lists all)\n", indent, ellipsis, n)
	}
}

// cellWords is a cell of a matrix for people.
func cellWords(c plan.Cell) string {
	if c == plan.CellInSync {
		return "in sync"
	}
	return string(c)
}

// MatrixText renders what several environments have of which objects. On a terminal the
// rows in which all is in sync are only counted, unless verbose.
func MatrixText(m plan.Matrix, s Style) string {
	t := NewTable(append([]string{"object"}, m.Environments...)...)
	quiet := 0
	for _, row := range m.Rows {
		if s.TTY && !s.Verbose && settledRow(row) {
			quiet++
			continue
		}
		words := []string{row.Key.String()}
		for _, c := range row.Cells {
			words = append(words, cellWords(c))
		}
		t.Add(words...)
	}
	text := t.Text(s)
	if quiet > 0 {
		text += s.paint(dim, fmt.Sprintf("(not shown: %s in sync wherever configured; -v shows them)", Counted(quiet, "object"))) + "\n"
	}
	return text
}

// settledRow reports that there is nothing to see in a row.
func settledRow(row plan.MatrixRow) bool {
	for _, c := range row.Cells {
		if c != plan.CellInSync && c != plan.CellUnmanaged && c != "" {
			return false
		}
	}
	return true
}
