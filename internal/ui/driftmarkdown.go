package ui

import (
	"fmt"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/plan"
)

// DriftMarkdown renders a report of drift for a pull request or an issue.
func DriftMarkdown(d *plan.Drift) MarkdownPart {
	out := MarkdownPart{whole: "descope-mgmt drift --env " + d.Environment}
	out.head = mdHeading("Drift of", d.Environment, d.Project)
	n := d.Counts()
	counts := fmt.Sprintf("%d changed, %d missing, %d orphaned", n[plan.Changed], n[plan.Missing], n[plan.Orphan])
	if d.Clean() {
		out.head += fmt.Sprintf("**No drift.** %d in sync, %d accepted.\n\n", len(d.InSync), len(d.Accepted))
	} else {
		out.head += fmt.Sprintf("**%s.** %d in sync, %d accepted.\n\n", counts, len(d.InSync), len(d.Accepted))
	}
	for _, kind := range []struct {
		kind plan.DriftKind
		noun string
		rank int
	}{{plan.Missing, "missing object", rankDeletes}, {plan.Changed, "changed object", rankUpdates}, {plan.Orphan, "orphan", rankCreates}} {
		var items []mdItem
		for _, o := range d.Objects {
			if o.Kind == kind.kind {
				items = append(items, mdObjectDrift(o))
			}
		}
		out.add(mdList(kind.rank, kind.noun, "diff", "", true, items))
	}
	out.add(mdWarnings(d.Warnings.Sort()))
	out.add(mdFieldKeys("accepted difference", "Accepted as they are: "+Counted(len(d.Accepted), "difference"), d.Accepted))
	out.add(mdFieldKeys("ignored difference", "Ignored: "+Counted(len(d.Ignored), "difference"), d.Ignored))
	if len(d.Unmanaged) > 0 {
		out.head += "Unmanaged, left alone: " + countKinds(d.Unmanaged) + ".\n\n"
	}
	return out
}

func mdObjectDrift(o plan.ObjectDrift) mdItem {
	words := driftWords(o)
	if o.Since != nil {
		words += ", since its apply of " + o.Since.At.UTC().Format("2006-01-02 15:04 UTC") + " (run " + mdClip(o.Since.Run, mdName) + ")"
	}
	return mdItem{
		line: mdSign(driftMark(o.Kind)) + " " + mdClip(o.Key.String(), mdName) + indent + words,
		section: func(limit int) string {
			summary := "<b>" + string(o.Kind) + "</b> " + mdShort(o.Key.String())
			if o.Origin != nil {
				summary += " (" + mdShort(fmt.Sprintf("%s:%d", o.Origin.File, o.Origin.Line)) + ")"
			}
			lines := []string{"  " + words}
			if o.Flow != nil {
				lines = append(lines, flowLines(*o.Flow)...)
			}
			for _, f := range o.Fields {
				if o.Flow != nil && f.Path == "definition" {
					continue
				}
				who := ""
				if f.Moved != o.Moved {
					who = ", " + movedWords(f.Moved)
				}
				lines = append(lines, diffLines(f.Path, f.Live, f.Desired, f.Sensitive, "    (live"+who+")", "    (configured"+who+")")...)
			}
			return mdSection(summary, lines, limit)
		},
	}
}

// MatrixMarkdown renders what several environments have of which objects as a table,
// without the rows in which all is in sync.
func MatrixMarkdown(m plan.Matrix) MarkdownPart {
	out := MarkdownPart{head: "## All environments\n\n", whole: "descope-mgmt drift --all"}
	var items []mdItem
	quiet := 0
	for _, row := range m.Rows {
		if settledRow(row) {
			quiet++
			continue
		}
		line := "| " + mdShort(row.Key.String()) + " |"
		for _, c := range row.Cells {
			line += " " + cellWords(c) + " |"
		}
		items = append(items, mdItem{line: line + "\n"})
	}
	if quiet > 0 {
		out.head += Counted(quiet, "object") + " in sync wherever configured.\n\n"
	}
	header := "| object |"
	for _, name := range m.Environments {
		header += " " + mdShort(name) + " |"
	}
	header += "\n| --- |" + strings.Repeat(" --- |", len(m.Environments)) + "\n"
	out.add(mdGroup{rank: rankMatrix, noun: "object", items: items, open: func(int, bool) string { return header }, end: "\n"})
	return out
}
