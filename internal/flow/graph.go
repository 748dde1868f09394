package flow

import (
	"fmt"
	"strings"
	"unicode"
)

// shapeOf is what a step is in a drawing.
type shapeOf int

const (
	actionShape shapeOf = iota
	startShape
	screenShape
	conditionShape
	subflowShape
	endShape
	missingShape
)

// step is one node of a drawing: a task, or both halves of a pair.
type step struct {
	id, label string
	shape     shapeOf
}

// arrow leads from one step to another, by index.
type arrow struct {
	from, to int
	label    string
}

// graph are the steps and the edges as people see them: a pair is one step, the
// edge between its halves none, and an edge to a task that is not there leads to
// a step that says so. Both are in the order of [CompareIDs].
func (f Flow) graph() (steps []step, arrows []arrow) {
	index := map[string]int{}
	tasks := f.byTask()
	for _, t := range f.Tasks() {
		first := t.ID
		if twin, ok := t.TwinOf(); ok && tasks[twin] != nil {
			first = twin
		}
		if i, ok := index[first]; ok {
			index[t.ID] = i
			if len(t.Rules) > 0 && steps[i].shape == endShape {
				steps[i].shape = actionShape
			}
			continue
		}
		index[first], index[t.ID] = len(steps), len(steps)
		steps = append(steps, step{id: t.ID, label: t.Name, shape: f.shape(t)})
	}
	shown := f.shown()
	for _, t := range f.Tasks() {
		for _, r := range t.Rules {
			to, ok := index[r.To]
			if !ok {
				to = len(steps)
				index[r.To] = to
				steps = append(steps, step{id: r.To, label: "missing: " + r.To, shape: missingShape})
			}
			if r.To == t.ID+".end" && index[t.ID] == to {
				continue
			}
			arrows = append(arrows, arrow{index[t.ID], to, t.outcome(r.Interaction, shown[t.ID])})
		}
	}
	return steps, arrows
}

func (f Flow) shape(t Task) shapeOf {
	switch {
	case t.ID == f.StartTask() || t.Type == "":
		return startShape
	case t.Type == TypeScreen:
		return screenShape
	case t.Type == TypeCondition:
		return conditionShape
	case t.Type == TypeSubflow:
		return subflowShape
	case len(t.Rules) == 0:
		return endShape
	default:
		return actionShape
	}
}

// outcome is what people call an interaction of a task.
func (t Task) outcome(interaction string, screen *Screen) string {
	if screen != nil {
		for _, i := range screen.Interactions() {
			if i.ID == interaction && i.Label != "" {
				return i.Label
			}
		}
	}
	for _, c := range t.Conditions {
		if c.Interaction == interaction && c.Name != "" {
			return c.Name
		}
	}
	return interaction
}

// Mermaid draws the graph of the flow as a flowchart for Mermaid, which Markdown
// renderers show: screens are boxes, actions are rounded, conditions rhombi,
// subflows have double sides, start and ends are stadiums. The two halves of a
// pair are one step. Equal graphs give equal bytes, and no name can be more than
// text in it.
func (f Flow) Mermaid() string {
	var b strings.Builder
	steps, arrows := f.graph()
	b.WriteString("flowchart TD\n")
	for i, s := range steps {
		left, right := "(", ")"
		switch s.shape {
		case startShape, endShape:
			left, right = "([", "])"
		case screenShape:
			left, right = "[", "]"
		case conditionShape:
			left, right = "{", "}"
		case subflowShape:
			left, right = "[[", "]]"
		case missingShape:
			left, right = "{{", "}}"
		default:
		}
		fmt.Fprintf(&b, "    n%d%s\"%s\"%s\n", i, left, mermaidText(s.name()), right)
	}
	for _, a := range arrows {
		if label := mermaidText(printable(a.label)); label != "" {
			fmt.Fprintf(&b, "    n%d -->|\"%s\"| n%d\n", a.from, label, a.to)
		} else {
			fmt.Fprintf(&b, "    n%d --> n%d\n", a.from, a.to)
		}
	}
	return b.String()
}

// DOT draws the same graph for Graphviz.
func (f Flow) DOT() string {
	var b strings.Builder
	steps, arrows := f.graph()
	fmt.Fprintf(&b, "digraph \"%s\" {\n", dotText(printable(f.Name())))
	for i, s := range steps {
		shape := "box, style=rounded"
		switch s.shape {
		case startShape:
			shape = "circle"
		case endShape:
			shape = "doublecircle"
		case screenShape:
			shape = "box"
		case conditionShape:
			shape = "diamond"
		case subflowShape:
			shape = "component"
		case missingShape:
			shape = "box, style=dashed"
		default:
		}
		fmt.Fprintf(&b, "    n%d [label=\"%s\", shape=%s];\n", i, dotText(s.name()), shape)
	}
	for _, a := range arrows {
		if label := dotText(printable(a.label)); label != "" {
			fmt.Fprintf(&b, "    n%d -> n%d [label=\"%s\"];\n", a.from, a.to, label)
		} else {
			fmt.Fprintf(&b, "    n%d -> n%d;\n", a.from, a.to)
		}
	}
	b.WriteString("}\n")
	return b.String()
}

// name is what a step is labelled with.
func (s step) name() string {
	if label := printable(s.label); label != "" {
		return label
	}
	return printable(s.id)
}

// printable is text on one line, without what cannot be seen.
func printable(s string) string {
	return strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)), " ")
}

// mermaidText is text between double quotes in Mermaid, where everything that
// could be syntax, Markdown or HTML is a code.
func mermaidText(s string) string {
	var b strings.Builder
	for i, r := range s {
		safe := r > unicode.MaxASCII || unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune(" ,.:?!'/()-", r)
		// "- x" and "1. x" would be lists.
		if !safe || i == 0 && r == '-' || r == '.' && strings.HasPrefix(s[i+1:]+" ", " ") {
			fmt.Fprintf(&b, "#%d;", r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// dotText is text between double quotes in DOT.
func dotText(s string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s)
}
