package ui

import (
	"fmt"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
)

// Compared is a comparison of two environments, ready to be shown.
type Compared struct {
	plan.Comparison
	// Names are those of the two sides.
	Names [2]string
	// Missing says in a word why a side does not have an object; nil if nobody knows.
	Missing func(side int, k model.Key) string
	// Facts are what differs about the environments themselves, and Counts whether
	// that is a difference.
	Facts  []plan.FieldDifference
	Counts bool
}

// ComparisonText renders a comparison, each field with both of its values below it, and
// with the lines where they are written. It begins with "No differences." or ends with
// the counts.
func ComparisonText(c Compared, s Style) string {
	var b strings.Builder
	if c.nothing() {
		fmt.Fprintf(&b, "%s %s compared.\n", s.paint(blue, "No differences."), Counted(c.Same, "object"))
	}
	for _, o := range c.Objects {
		name := s.paint(bold, Safe(o.Key.String()))
		if side := o.Only(); side >= 0 {
			fmt.Fprintf(&b, "%s  %s%s\n", name, s.paint(yellow, c.onlyIn(o, side)), written(o.Origins[side], s))
			continue
		}
		b.WriteString(name + "\n")
		c.writeFields(&b, o.Fields, s)
		if o.Flow != nil {
			fmt.Fprintf(&b, "%s%s%s → %s%s\n", indent, Safe(c.Names[0]), written(o.Origins[0], s), Safe(c.Names[1]), written(o.Origins[1], s))
			writeFlowReport(&b, *o.Flow, s.Verbose, indent, s)
		}
	}
	if len(c.Facts) > 0 {
		title := "The environments themselves"
		if !c.Counts {
			title += " (does not count as a difference)"
		}
		b.WriteString(s.paint(bold, title) + "\n")
		c.writeFields(&b, c.Facts, s)
	}
	if !c.nothing() {
		fmt.Fprintf(&b, "%s %s.\n", s.paint(bold, "Differences:"), c.summary())
	}
	return b.String()
}

// onlyIn says that one side alone has an object, and why the other has it not.
func (c Compared) onlyIn(o plan.ObjectDifference, side int) string {
	text := "only in " + Safe(c.Names[side])
	if c.Missing != nil {
		if why := c.Missing(1-side, o.Key); why != "" {
			text += " (" + Safe(why) + ")"
		}
	}
	return text
}

func (c Compared) nothing() bool { return c.Equal() && (!c.Counts || len(c.Facts) == 0) }

func (c Compared) summary() string {
	differ, only := 0, [2]int{}
	for _, o := range c.Objects {
		if side := o.Only(); side >= 0 {
			only[side]++
		} else {
			differ++
		}
	}
	verb := "differ"
	if differ == 1 {
		verb = "differs"
	}
	text := fmt.Sprintf("%s %s, %d only in %s, %d only in %s. %d the same",
		Counted(differ, "object"), verb, only[0], Safe(c.Names[0]), only[1], Safe(c.Names[1]), c.Same)
	if c.Counts && len(c.Facts) > 0 {
		text += ". " + Counted(len(c.Facts), "fact") + " of the environments"
	}
	return text
}

func (c Compared) writeFields(b *strings.Builder, fields []plan.FieldDifference, s Style) {
	names := max(cells(Safe(c.Names[0])), cells(Safe(c.Names[1])))
	for _, f := range fields {
		b.WriteString(indent + Safe(f.Path) + "\n")
		for i, color := range []string{red, blue} {
			place := written(f.Origins[i], s.plain())
			used := 2*len(indent) + names + 2
			value := masked
			if !f.Sensitive {
				value = Value(f.Values[i], s.valueWidth(used+cells(place), minValue))
			}
			fmt.Fprintf(b, "%s%s%s  %s%s\n", indent, indent, pad(Safe(c.Names[i]), names), s.paint(color, value), written(f.Origins[i], s))
		}
	}
}

// written is where something is written, behind it.
func written(o model.Origin, s Style) string {
	if o.IsZero() {
		return ""
	}
	return "  " + s.paint(dim, fmt.Sprintf("%s:%d", Safe(o.File), o.Line))
}

// ComparisonMarkdown renders a comparison for a pull request.
func ComparisonMarkdown(c Compared) string {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s and %s\n\n", mdCode(c.Names[0]), mdCode(c.Names[1]))
	if c.nothing() {
		fmt.Fprintf(&b, "No differences. %s compared.\n", Counted(c.Same, "object"))
	} else {
		fmt.Fprintf(&b, "%s.\n", cell(c.summary()))
	}
	var rows, flows strings.Builder
	for _, o := range c.Objects {
		if side := o.Only(); side >= 0 {
			sides := [2]string{}
			sides[side] = mdCode(c.onlyIn(o, side)) + markdownPlace(o.Origins[side])
			fmt.Fprintf(&rows, "| %s | | %s | %s |\n", mdCode(o.Key.String()), sides[0], sides[1])
		}
		c.markdownFields(&rows, o.Key.String(), o.Fields)
		if o.Flow != nil {
			fmt.Fprintf(&flows, "\n### %s\n\n%s", mdCode(o.Key.String()), FlowReportMarkdown(*o.Flow, false))
		}
	}
	b.WriteString(c.markdownTable("object | field", rows.String()) + flows.String())
	if len(c.Facts) > 0 {
		var facts strings.Builder
		c.markdownFields(&facts, "", c.Facts)
		title := "The environments themselves"
		if !c.Counts {
			title += " (does not count as a difference)"
		}
		b.WriteString("\n### " + title + "\n" + c.markdownTable("fact", facts.String()))
	}
	return b.String()
}

func (c Compared) markdownTable(first, rows string) string {
	if rows == "" {
		return ""
	}
	rule := strings.Repeat("| --- ", strings.Count(first, "|")+3)
	return fmt.Sprintf("\n| %s | %s | %s |\n%s|\n%s", first, mdCode(c.Names[0]), mdCode(c.Names[1]), rule, rows)
}

func (c Compared) markdownFields(b *strings.Builder, address string, fields []plan.FieldDifference) {
	for _, f := range fields {
		if address != "" {
			b.WriteString("| " + mdCode(address) + " ")
		}
		b.WriteString("| " + mdCode(f.Path))
		for i, v := range f.Values {
			value := cellValue(v)
			switch {
			case f.Sensitive:
				value = masked
			case v == nil:
				value = mdCode("null")
			}
			b.WriteString(" | " + value + markdownPlace(f.Origins[i]))
		}
		b.WriteString(" |\n")
	}
}

func markdownPlace(o model.Origin) string {
	if o.IsZero() {
		return ""
	}
	return " (" + mdCode(fmt.Sprintf("%s:%d", o.File, o.Line)) + ")"
}
