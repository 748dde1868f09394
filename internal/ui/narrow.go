package ui

import (
	"strings"

	"pcconnect.ai/descope-mgmt/internal/plan"
)

// narrow reports whether columns do not help any more: on a terminal narrower than
// the usual one, what does not fit behind its name stands below it.
func (s Style) narrow() bool { return s.Width > 0 && s.Width < defaultWidth }

// narrowRow is a row without columns; what does not fit goes on the next line.
func narrowRow(name, action, rest string, s Style) string {
	row := name + "  " + action
	switch {
	case rest == "":
		return row
	case visible(row)+2+visible(rest) <= s.Width:
		return row + "  " + rest
	default:
		return row + "\n" + wrap(indent+rest, s)
	}
}

// narrowField is a field with its value, or the value below it, the old one above
// the new one.
func narrowField(a plan.Action, f plan.FieldChange, note string, s Style) string {
	name := indent + Safe(f.Path)
	if note != "" {
		note = indent + s.paint(dim, note)
	}
	// A value that is not shortened at all fits behind its name, or not.
	if row := name + "  " + fieldValue(a, f, 0, Style{Color: s.Color, Verbose: true}) + note; visible(row) <= s.Width {
		return row
	}
	below := "\n" + indent + "  "
	text := name + note
	if visible(text) > s.Width {
		text = name + "\n" + wrap(indent+"  "+strings.TrimLeft(note, " "), s)
	}
	if a != plan.Update || f.Sensitive {
		return text + below + fieldValue(a, f, len(below)-1, s)
	}
	const marks = 2
	room := s.valueWidth(len(below)-1+marks, minValue)
	before, after := Value(f.Before, room), Value(f.After, room)
	if b, c := cells(compact(f.Before)), cells(compact(f.After)); room > 0 && b > room && c > room {
		before, after = valuePair(f.Before, f.After, 2*room) // shortened where the difference is seen
	}
	return text + below + s.paint(red, "- "+before) + below + s.paint(blue, "+ "+after)
}

// wrap breaks text between words, but not between a number and its unit, to keep to the
// width of a terminal. What goes on
// below is indented, at least as much as the text itself.
func wrap(text string, s Style) string {
	if s.Width <= 0 {
		return text
	}
	below := max(len(indent), len(text)-len(strings.TrimLeft(text, " ")))
	var b strings.Builder
	used := 0
	for i, word := range unbroken(text) {
		n := visible(word)
		switch {
		case i == 0:
		case used > below && used+1+n > s.Width:
			b.WriteString("\n" + strings.Repeat(" ", below))
			used = below
		default:
			b.WriteByte(' ')
			used++
		}
		b.WriteString(word)
		used += n
	}
	return b.String()
}

// unbroken are the words of a text, a number and its unit in one.
func unbroken(text string) []string {
	var words []string
	for _, word := range strings.Split(text, " ") {
		last := len(words) - 1
		switch strings.TrimRight(word, ".,;:)") {
		case "s", "min", "h", "%":
			if last >= 0 && words[last] != strings.TrimRight(words[last], "0123456789") {
				words[last] += " " + word
				continue
			}
		}
		words = append(words, word)
	}
	return words
}

// visible is how many columns a text takes that may have been painted.
func visible(s string) int {
	n := 0
	for {
		before, rest, painted := strings.Cut(s, "\x1b[")
		n += cells(before)
		if !painted {
			return n
		}
		_, s, _ = strings.Cut(rest, "m")
	}
}
