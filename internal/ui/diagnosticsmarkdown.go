package ui

import (
	"fmt"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/flow"
	"pcconnect.ai/descope-mgmt/internal/model"
)

// mdDiagnostic is a diagnostic in at most three lines for a block.
func mdDiagnostic(d model.Diagnostic) []string {
	place := Safe(d.Origin.String())
	if place == "" && d.Key != nil {
		place = Safe(d.Key.String())
	}
	text := mdClip(d.Summary, mdText)
	if place != "" {
		text = mdClip(place, mdName) + ": " + text
	}
	lines := []string{text}
	for _, more := range []string{detailLine(d), Safe(d.Hint)} {
		if more != "" {
			lines = append(lines, indent+mdClip(more, mdText))
		}
	}
	return lines
}

// DiagnosticsMarkdown renders what is wrong with a configuration for a pull request, errors
// first. environments is how many were checked.
func DiagnosticsMarkdown(d model.Diagnostics, environments int) MarkdownPart {
	out := MarkdownPart{whole: "descope-mgmt validate"}
	sorted := d.Sort()
	errors := sorted.Errors()
	out.head = "## Configuration\n\n**" + mdVerdict(len(errors), len(sorted)-len(errors), "Valid.") + "**"
	if len(errors) == 0 {
		out.head += " " + Counted(environments, "environment") + " checked."
	}
	out.head += "\n\n"
	var items [2][]mdItem
	for _, x := range sorted {
		i := 0
		if x.Severity != model.Error {
			i = 1
		}
		items[i] = append(items[i], mdItem{line: strings.Join(mdDiagnostic(x), "\n")})
	}
	out.add(mdList(rankGuards, "error", "text", "Errors:", false, items[0]))
	out.add(mdList(rankWarnings, "warning", "text", "", true, items[1]))
	return out
}

// mdVerdict says how many errors and warnings there are, after fine where there are no
// errors.
func mdVerdict(errors, warnings int, fine string) string {
	counts := fmt.Sprintf("%s, %s.", Counted(errors, "error"), Counted(warnings, "warning"))
	if errors == 0 {
		return fine + " " + counts
	}
	return counts
}

// FlowProblem is a problem with the file and the flow that it was found in.
type FlowProblem struct {
	File string `json:"file"`
	Flow string `json:"flow"`
	flow.Problem
}

// FlowProblemsMarkdown renders what is wrong with flows for a pull request, errors first.
func FlowProblemsMarkdown(flows int, problems []FlowProblem) MarkdownPart {
	out := MarkdownPart{whole: "descope-mgmt flow lint"}
	var items [2][]mdItem
	for _, p := range problems {
		i := 0
		if p.Severity != model.Error {
			i = 1
		}
		line := mdClip(p.File, mdName) + ": " + mdClip(p.Path, mdName) + ": " + mdClip(p.Message, mdText) + " [" + Safe(string(p.Rule)) + "]"
		if len(p.Candidates) > 0 {
			line += "\n" + indent + "there are: " + mdClip(strings.Join(p.Candidates, ", "), mdText)
		}
		items[i] = append(items[i], mdItem{line: line})
	}
	out.head = fmt.Sprintf("## Flows\n\n**%s** %s read.\n\n", mdVerdict(len(items[0]), len(items[1]), "No errors."), Counted(flows, "flow"))
	out.add(mdList(rankGuards, "error", "text", "Errors:", false, items[0]))
	out.add(mdList(rankWarnings, "warning", "text", "", true, items[1]))
	return out
}
