package ui

import "pcconnect.ai/descope-mgmt/internal/plan"

// Style is how text should look. The zero value is plain text for a pipe.
type Style struct {
	// Width is the columns to keep to, 0 where there is no terminal.
	Width int
	// TTY asks for the form that people read where scripts get another one.
	TTY     bool
	Color   bool
	Verbose bool
}

// pipeValueWidth bounds values where no terminal does: a log can take a long
// line, but not a whole document.
const pipeValueWidth = 400

// minValue is the room that a value gets even where there is none, twice that
// for two.
const minValue = 12

// valueWidth is the room for values in a line of which used columns are taken,
// but never less than least; 0 means no limit.
func (s Style) valueWidth(used, least int) int {
	switch {
	case s.Verbose:
		return 0
	case s.Width <= 0:
		return pipeValueWidth
	default:
		return max(s.Width-used, least)
	}
}

// The colours, as the parameters of the escape sequence that selects them. Blue and red
// are told apart by those who cannot tell green from red; no colour says anything that a
// sign or a word beside it does not say.
const (
	bold   = "1"
	dim    = "2"
	red    = "31"
	blue   = "94"
	yellow = "33"
	cyan   = "36"
)

// paint colours a text; it must be measured before.
func (s Style) paint(color, text string) string {
	if !s.Color || text == "" {
		return text
	}
	return "\x1b[" + color + "m" + text + "\x1b[0m"
}

// plain is the style without colours, in which text can be measured.
func (s Style) plain() Style {
	s.Color = false
	return s
}

// sign is the mark and the colour of an action.
func sign(a plan.Action) (mark, color string) {
	switch a {
	case plan.Create:
		return "+", blue
	case plan.Update:
		return "~", yellow
	case plan.Delete:
		return "-", red
	}
	return "?", bold
}
