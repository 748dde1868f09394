package ui

import (
	"fmt"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// DiagnosticsText renders diagnostics in their order of position, each in at
// most three lines (plus the raw error if verbose), and counts them at the end:
// "3 errors, 1 warning". Nothing yields "".
func DiagnosticsText(d model.Diagnostics, s Style) string {
	var b strings.Builder
	sorted := d.Sort()
	for _, x := range sorted {
		writeDiagnostic(&b, x, s)
	}
	if len(sorted) > 0 {
		b.WriteString(DiagnosticsCount(sorted) + "\n")
	}
	return b.String()
}

// DiagnosticText renders a single diagnostic.
func DiagnosticText(d model.Diagnostic, s Style) string {
	var b strings.Builder
	writeDiagnostic(&b, d, s)
	return b.String()
}

// DiagnosticsCount is the line "3 errors, 1 warning"; a severity that does not
// occur is left out.
func DiagnosticsCount(d model.Diagnostics) string {
	errors := len(d.Errors())
	var parts []string
	if errors > 0 {
		parts = append(parts, Counted(errors, "error"))
	}
	if warnings := len(d) - errors; warnings > 0 {
		parts = append(parts, Counted(warnings, "warning"))
	}
	return strings.Join(parts, ", ")
}

// writeDiagnostic writes where and what, then what is allowed with the other
// positions, then what to do.
func writeDiagnostic(b *strings.Builder, d model.Diagnostic, s Style) {
	place := Safe(d.Origin.String())
	if place == "" && d.Key != nil {
		place = Safe(d.Key.String())
	}
	label, color := "", red
	switch d.Severity {
	case model.Error:
		if place == "" {
			label = "error: "
		}
	case model.Warning:
		label, color = "warning: ", yellow
	}
	text := s.paint(color, label) + Safe(d.Summary)
	if place != "" {
		text = s.paint(bold, place+":") + " " + text
	}
	b.WriteString(wrap(text, s) + "\n")
	if detail := detailLine(d); detail != "" {
		b.WriteString(wrap(indent+detail, s) + "\n")
	}
	if d.Hint != "" {
		b.WriteString(indent + s.paint(cyan, Safe(d.Hint)) + "\n")
	}
	if s.Verbose && d.Raw != "" {
		for line := range strings.Lines(strings.TrimRight(SafeLines(d.Raw), "\n")) {
			b.WriteString(indent + s.paint(dim, "| "+strings.TrimSuffix(line, "\n")) + "\n")
		}
	}
}

func detailLine(d model.Diagnostic) string {
	detail := Safe(d.Detail)
	if len(d.Also) == 0 {
		return detail
	}
	places := make([]string, len(d.Also))
	for i, o := range d.Also {
		places[i] = Safe(o.String())
	}
	also := "see " + strings.Join(places, ", ")
	if detail == "" {
		return also
	}
	return fmt.Sprintf("%s (%s)", detail, also)
}

// DiagnosticsDoc is the JSON form of diagnostics.
type DiagnosticsDoc struct {
	FormatVersion string            `json:"format_version"`
	Errors        int               `json:"errors"`
	Warnings      int               `json:"warnings"`
	Diagnostics   model.Diagnostics `json:"diagnostics"`
}

// DiagnosticsJSON is the document of diagnostics, in their order of position;
// raw errors are kept if verbose.
func DiagnosticsJSON(d model.Diagnostics, verbose bool) DiagnosticsDoc {
	sorted := d.Sort()
	if !verbose {
		for i := range sorted {
			sorted[i].Raw = ""
		}
	}
	errors := len(sorted.Errors())
	return DiagnosticsDoc{FormatVersion: docVersion, Errors: errors, Warnings: len(sorted) - errors, Diagnostics: sorted}
}
