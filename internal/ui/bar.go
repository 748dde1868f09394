package ui

import (
	"bytes"
	"strings"

	"github.com/pterm/pterm"
)

// barRoom is how many columns a bar needs to be worth drawing.
const barRoom = 18

// renderBar draws a title, a bar and a percentage in one line of at most width
// columns, or just the title where there is no room.
//
// Only pterm's drawing is used, never its Start and Stop: those hide the cursor
// on standard output (which breaks JSON in a pipe), clear lines in the width of
// another stream, and register the bar in a global that all printing consults.
func renderBar(title string, current, total, width int, color bool) string {
	if total <= 0 || cells(title)+barRoom > width {
		return elide(title, width)
	}
	var b bytes.Buffer
	bar := pterm.DefaultProgressbar.WithWriter(&b).WithTotal(total).WithCurrent(min(current, total)).
		WithMaxWidth(width).WithShowCount(false).WithShowElapsedTime(false)
	bar.IsActive = true
	bar.UpdateTitle(title)
	drawn := strings.TrimSpace(b.String())
	if !color {
		drawn = strings.TrimSpace(pterm.RemoveColorFromString(drawn))
	}
	return drawn
}

// spinnerFrames are the pictures of a spinner, in turn.
func spinnerFrames() []string { return pterm.DefaultSpinner.Sequence }
