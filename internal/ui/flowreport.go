package ui

import (
	"fmt"
	"slices"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/flow"
	"pcconnect.ai/descope-mgmt/internal/model"
)

// FlowReportText renders what differs between two flows, task by task. What is only
// layout or noise is counted, and shown if noise is true. It begins with
// "No differences." where there is nothing that anybody has to know.
func FlowReportText(r flow.Report, noise bool, s Style) string {
	var b strings.Builder
	if r.Equal() {
		b.WriteString(s.paint(blue, "No differences.") + "\n")
	}
	writeFlowReport(&b, r, noise, "", s)
	if !r.Equal() {
		fmt.Fprintf(&b, "%s %s.\n", s.paint(bold, "Differences:"), Counted(len(r.Changes), "change"))
	}
	return b.String()
}

// writeFlowReport writes the lines of a report below whatever it belongs to.
func writeFlowReport(b *strings.Builder, r flow.Report, noise bool, margin string, s Style) {
	changes := slices.Clone(r.Changes)
	if noise {
		changes = append(append(changes, r.Moved...), r.Noise...)
	}
	for _, group := range byTask(changes) {
		b.WriteString(margin + s.paint(bold, Safe(group.name)) + "\n")
		for _, c := range group.changes {
			writeFlowChange(b, c, margin+indent, s)
		}
	}
	if hidden := hiddenNoise(r); hidden != "" && !noise {
		b.WriteString(margin + s.paint(dim, hidden) + "\n")
	}
}

// hiddenNoise counts what is not shown, or is "".
func hiddenNoise(r flow.Report) string {
	if len(r.Moved)+len(r.Noise) == 0 {
		return ""
	}
	return fmt.Sprintf("(not shown: %s moved on the canvas, %d of no meaning)", Counted(len(r.Moved), "task"), len(r.Noise))
}

// flowGroup are the changes of one task, or of the flow as a whole.
type flowGroup struct {
	name    string
	changes []flow.Change
}

func byTask(changes []flow.Change) []flowGroup {
	var groups []flowGroup
	index := map[string]int{}
	for _, c := range changes {
		step := c.Step()
		i, ok := index[step]
		if !ok {
			i = len(groups)
			index[step] = i
			groups = append(groups, flowGroup{name: groupName(c)})
		}
		groups[i].changes = append(groups[i].changes, c)
	}
	return groups
}

func groupName(c flow.Change) string {
	switch {
	case c.Task != "" && c.TaskName != "":
		return fmt.Sprintf("task %s %q", c.Step(), c.TaskName)
	case c.Task != "":
		return "task " + c.Step()
	case c.Screen != "":
		return "screen " + c.Screen
	default:
		return "the flow"
	}
}

func writeFlowChange(b *strings.Builder, c flow.Change, margin string, s Style) {
	mark, color := changeSign(c)
	name := flowSubject(c)
	line := margin + s.paint(color, mark) + " " + Safe(name)
	used := cells(margin) + 2 + cells(name) + 2
	switch {
	case c.Before != nil && c.After != nil:
		const arrow = " → "
		before, after := valuePair(c.Before, c.After, s.valueWidth(used+cells(arrow), 2*minValue))
		line += "  " + s.paint(red, before) + arrow + s.paint(blue, after)
	case c.After != nil:
		line += "  " + s.paint(blue, Value(c.After, s.valueWidth(used, minValue)))
	case c.Before != nil:
		line += "  " + s.paint(red, Value(c.Before, s.valueWidth(used, minValue)))
	}
	if c.Reason != "" {
		line += s.paint(dim, "  ("+string(c.Reason)+")")
	}
	b.WriteString(line + "\n")
}

func changeSign(c flow.Change) (mark, color string) {
	switch {
	case strings.HasSuffix(string(c.Kind), "-added"):
		return "+", blue
	case strings.HasSuffix(string(c.Kind), "-removed"):
		return "-", red
	default:
		return "~", yellow
	}
}

// flowSubject is what a change is about, in words: "edge success rewired",
// "component Text title: props.children".
func flowSubject(c flow.Change) string {
	what := string(c.Kind)
	for _, verb := range []string{"-added", "-removed", "-changed"} {
		what = strings.TrimSuffix(what, verb)
	}
	what = strings.ReplaceAll(what, "-", " ")
	words := []string{what}
	if c.Node != "" {
		words = append(words, c.Component, c.Node)
	}
	if c.Task == "" && c.Screen != "" {
		words = append(words, c.Screen)
	}
	if c.Field != "" {
		words = append(words, c.Field)
	}
	if len(c.Also) > 0 {
		words = append(words, "(also task "+strings.Join(c.Also, ", ")+")")
	}
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), " ")
}

// FlowReportMarkdown renders a report for a pull request: a table of all changes.
func FlowReportMarkdown(r flow.Report, noise bool) string {
	var b strings.Builder
	changes := slices.Clone(r.Changes)
	if noise {
		changes = append(append(changes, r.Moved...), r.Noise...)
	}
	if r.Equal() {
		b.WriteString("No differences.\n")
	}
	if len(changes) > 0 {
		b.WriteString("| | where | what | before | after |\n| --- | --- | --- | --- | --- |\n")
	}
	for _, group := range byTask(changes) {
		for _, c := range group.changes {
			mark, _ := changeSign(c)
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", mark, mdCode(group.name), mdCode(flowSubject(c)), cellValue(c.Before), cellValue(c.After))
		}
	}
	if hidden := hiddenNoise(r); hidden != "" && !noise {
		b.WriteString("\n" + hidden + "\n")
	}
	return b.String()
}

// maxCell bounds a value in a table: whole trees of components help nobody there.
const maxCell = 160

func cellValue(v any) string {
	if v == nil {
		return ""
	}
	return mdCode(Value(v, maxCell))
}

// cell makes our own text, with names in it, safe in a line of Markdown.
func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "\r", " ", "<", "&lt;").Replace(Safe(s))
}

// FlowProblemText is one problem of a flow: place, rule and sentence.
func FlowProblemText(file string, p flow.Problem, s Style) string {
	label, color := "error", red
	if p.Severity != model.Error {
		label, color = "warning", yellow
	}
	text := s.paint(bold, Safe(file)+":") + " " + Safe(p.Path) + ": " + s.paint(color, label+":") + " " + Safe(p.Message) + s.paint(dim, " ["+string(p.Rule)+"]")
	if len(p.Candidates) > 0 {
		text += "\n" + indent + "there are: " + Safe(strings.Join(p.Candidates, ", "))
	}
	return wrap(text, s) + "\n"
}
