package ui

import (
	"fmt"
	"slices"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/flow"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
)

// The ranks of what a document shows: what stops a plan, then what cannot be taken back.
const (
	rankGuards = iota
	rankDeletes
	rankWarnings
	rankUpdates
	rankCreates
	rankKeys
	rankMatrix
)

// mdRemarks bounds how many guards or warnings are shown.
const mdRemarks = 20

// PlanMarkdown renders a plan for a pull request, with what has been allowed already. The
// counts are those of the plan, whatever there is room for.
func PlanMarkdown(p *plan.Plan, allowed plan.Allowed, f Forecast) MarkdownPart {
	out := MarkdownPart{whole: "descope-mgmt plan --env " + p.Environment}
	out.head = mdHeading("Plan for", p.Environment, p.Project)
	n := p.Counts()
	if p.Empty() {
		out.head += fmt.Sprintf("**No changes.** %d unchanged.\n\n", n.Unchanged)
	} else {
		out.head += fmt.Sprintf("**%d to create, %d to update, %d to delete.** %d unchanged. %s.\n\n",
			n.Create, n.Update, n.Delete, n.Unchanged, f)
	}
	out.add(mdGuards(p, allowed))
	for _, a := range []struct {
		action plan.Action
		rank   int
	}{{plan.Delete, rankDeletes}, {plan.Update, rankUpdates}, {plan.Create, rankCreates}} {
		var items []mdItem
		for _, c := range p.Changes {
			if c.Action == a.action {
				items = append(items, mdChange(c))
			}
		}
		out.add(mdList(a.rank, string(a.action), "diff", "", true, items))
	}
	out.add(mdWarnings(p.Warnings.Sort()))
	out.add(mdKeys("orphan", "Orphans, applied earlier and gone from the configuration (<code>--prune</code> deletes them): "+countKinds(p.Orphans), p.Orphans))
	out.add(mdFieldKeys("accepted difference", "Accepted drift, left as it is: "+Counted(len(p.Accepted), "difference"), p.Accepted))
	if len(p.Unmanaged) > 0 {
		out.head += "Unmanaged, left alone: " + countKinds(p.Unmanaged) + ".\n\n"
	}
	return out
}

// FailedMarkdown stands for an environment of which nothing could be told.
func FailedMarkdown(title, env, message string) MarkdownPart {
	head := mdHeading(title, env, "") + "**It could not be told.** Nothing is known of what would change.\n\n"
	return MarkdownPart{head: head + mdBlock("text", mdClip(message, 2*mdValue)) + "\n"}
}

func mdHeading(title, env, project string) string {
	h := "## " + title + " " + mdShort(env)
	if project != "" {
		h += ", project " + mdShort(project)
	}
	return h + "\n\n"
}

// add appends a group, unless it is empty; the order is that of the ranks.
func (p *MarkdownPart) add(g mdGroup) {
	if len(g.items) == 0 {
		return
	}
	at, _ := slices.BinarySearchFunc(p.groups, g.rank+1, func(o mdGroup, rank int) int { return o.rank - rank })
	p.groups = slices.Insert(p.groups, at, g)
}

func mdGuards(p *plan.Plan, allowed plan.Allowed) mdGroup {
	var items []mdItem
	blocked := 0
	for _, g := range p.Guards {
		one := plan.Plan{Project: p.Project, Guards: []plan.Guard{g}}
		verdict := "allowed"
		if len(one.Gate(allowed)) > 0 {
			verdict = "blocked"
			blocked++
		}
		lines := []string{verdict + " (" + Safe(string(g.Rule)) + "): " + mdClip(g.Detail, mdText)}
		if len(g.Keys) > 0 {
			names := make([]string, min(len(g.Keys), mdRemarks))
			for i := range names {
				names[i] = mdClip(g.Keys[i].String(), mdName)
			}
			if more := len(g.Keys) - len(names); more > 0 {
				names = append(names, fmt.Sprintf("%s and %d more", ellipsis, more))
			}
			lines = append(lines, indent+strings.Join(names, ", "))
		}
		switch {
		case verdict == "allowed":
		case g.Allow != "":
			lines = append(lines, indent+"to allow it: "+mdClip(g.Allow, mdValue))
		default:
			lines = append(lines, indent+"no flag allows it")
		}
		items = append(items, mdItem{line: strings.Join(lines, "\n")})
	}
	title := "**Blocked:** " + Counted(blocked, "guard") + " would stop it."
	if blocked == 0 {
		title = "Guards, all of them allowed:"
	}
	g := mdList(rankGuards, "guard", "text", title, false, items)
	g.most = mdRemarks
	return g
}

func mdWarnings(warnings model.Diagnostics) mdGroup {
	var items []mdItem
	for _, d := range warnings {
		items = append(items, mdItem{line: strings.Join(mdDiagnostic(d), "\n")})
	}
	g := mdList(rankWarnings, "warning", "text", "", true, items)
	g.most = mdRemarks
	return g
}

func mdKeys(noun, title string, keys []model.Key) mdGroup {
	var items []mdItem
	for _, k := range keys {
		items = append(items, mdItem{line: mdClip(k.String(), mdName)})
	}
	return mdList(rankKeys, noun, "text", title, true, items)
}

func mdFieldKeys(noun, title string, fields []plan.FieldKey) mdGroup {
	var items []mdItem
	for _, f := range fields {
		items = append(items, mdItem{line: strings.TrimSpace(mdClip(f.Key.String(), mdName) + " " + mdClip(f.Path, mdName))})
	}
	return mdList(rankKeys, noun, "text", title, true, items)
}

// mdSign is the mark of an action at the start of a line of a diff: forges colour it.
func mdSign(a plan.Action) string {
	if a == plan.Update {
		return "!"
	}
	mark, _ := sign(a)
	return mark
}

func mdChange(c plan.Change) mdItem {
	return mdItem{
		line: mdSign(c.Action) + " " + mdClip(c.Key.String(), mdName),
		section: func(limit int) string {
			summary := "<b>" + string(c.Action) + "</b> " + mdShort(c.Key.String())
			var notes []string
			if !c.Origin.IsZero() {
				notes = append(notes, mdShort(fmt.Sprintf("%s:%d", c.Origin.File, c.Origin.Line)))
			}
			if c.Adopts {
				notes = append(notes, "adopts existing")
			}
			if len(notes) > 0 {
				summary += " (" + strings.Join(notes, ", ") + ")"
			}
			return mdSection(summary, changeLines(c), limit)
		},
	}
}

// changeLines are the fields of a change as lines of a diff.
func changeLines(c plan.Change) []string {
	var lines []string
	fields := c.Fields
	if report, ok := c.FlowReport(); ok {
		lines = flowLines(report)
		fields = slices.DeleteFunc(slices.Clone(fields), func(f plan.FieldChange) bool { return f.Path == "definition" && fieldNote(f) == "" })
	} else if f, ok := c.FlowDocument(); ok {
		return []string{fmt.Sprintf("%s %s, %s", mdSign(c.Action), Counted(len(f.Tasks()), "task"), Counted(len(f.Screens()), "screen"))}
	}
	for _, f := range fields {
		note := fieldNote(f)
		if note != "" {
			note = indent + mdClip(note, mdValue)
		}
		before, after := f.Before, f.After
		switch c.Action {
		case plan.Create:
			before = plan.Absent{}
		case plan.Delete:
			after = plan.Absent{}
		case plan.Update:
		}
		lines = append(lines, diffLines(f.Path, before, after, f.Sensitive, "", note)...)
	}
	return lines
}

// diffLines are a value that goes and the one that comes instead; an absent one has no
// line.
func diffLines(path string, before, after any, sensitive bool, beforeNote, afterNote string) []string {
	b, a := masked, masked
	if !sensitive {
		b, a = mdPair(before, after)
	}
	name := mdClip(path, mdName)
	_, noBefore := before.(plan.Absent)
	_, noAfter := after.(plan.Absent)
	var lines []string
	if !noBefore {
		if noAfter {
			beforeNote += afterNote
		}
		lines = append(lines, "- "+name+": "+b+beforeNote)
	}
	if !noAfter {
		lines = append(lines, "+ "+name+": "+a+afterNote)
	}
	return lines
}

// flowLines are the changes of a flow as lines of a diff, step by step.
func flowLines(r flow.Report) []string {
	var lines []string
	for _, group := range byTask(r.Changes) {
		lines = append(lines, "  "+mdClip(group.name, mdName))
		for _, c := range group.changes {
			name := mdClip(flowSubject(c), mdValue)
			before, after := mdPair(orAbsent(c.Before), orAbsent(c.After))
			switch {
			case c.Before != nil && c.After != nil:
				lines = append(lines, "- "+name+": "+before, "+ "+name+": "+after)
			case c.After != nil:
				lines = append(lines, "+ "+name+": "+after)
			case c.Before != nil:
				lines = append(lines, "- "+name+": "+before)
			default:
				mark, _ := changeSign(c)
				lines = append(lines, strings.Replace(mark, "~", "!", 1)+" "+name)
			}
		}
	}
	if hidden := hiddenNoise(r); hidden != "" {
		lines = append(lines, "  "+hidden)
	}
	return lines
}

// mdPair writes two values that differ, each of them bounded.
func mdPair(before, after any) (string, string) {
	b, a := valuePair(before, after, 2*mdValue)
	return mdClip(b, 2*mdValue), mdClip(a, 2*mdValue)
}

func orAbsent(v any) any {
	if v == nil {
		return plan.Absent{}
	}
	return v
}
