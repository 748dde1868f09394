package ui

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Safe makes text from outside fit to print on one line: control characters,
// terminal escapes, direction overrides, invisible characters and invalid UTF-8
// are spelled out (\n, \x1b, \u202e) instead of taking effect. What is harmless
// stays as it is, so Safe applied twice changes nothing more.
func Safe(s string) string {
	if clean(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case harmless(r):
			b.WriteRune(r)
		default:
			b.WriteString(spelled(r))
		}
		i += n
	}
	return b.String()
}

// SafeLines is [Safe] for text of several lines: line ends and tabs stay.
func SafeLines(s string) string {
	if clean(s) {
		return s
	}
	lines := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	for i, line := range lines {
		cells := strings.Split(line, "\t")
		for j := range cells {
			cells[j] = Safe(cells[j])
		}
		lines[i] = strings.Join(cells, "\t")
	}
	return strings.Join(lines, "\n")
}

// quoted is a string as JSON writes it, in quotes, with everything that Safe
// spells out escaped too.
func quoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s { // invalid bytes come as U+FFFD
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case harmless(r):
			b.WriteRune(r)
		case r < ' ' && strings.ContainsRune("\n\r\t", r):
			b.WriteString(spelled(r))
		default:
			b.WriteString(jsonEscape(r))
		}
	}
	b.WriteByte('"')
	return b.String()
}

// harmless reports whether a rune shows as itself and moves nothing else.
func harmless(r rune) bool { return unicode.IsPrint(r) }

func clean(s string) bool {
	for i, r := range s {
		if r == utf8.RuneError {
			if _, n := utf8.DecodeRuneInString(s[i:]); n == 1 {
				return false
			}
		}
		if !harmless(r) {
			return false
		}
	}
	return true
}

// spelled is the name of a rune that must not take effect.
func spelled(r rune) string {
	switch {
	case r == '\n':
		return `\n`
	case r == '\r':
		return `\r`
	case r == '\t':
		return `\t`
	case r < 0x80:
		return fmt.Sprintf(`\x%02x`, r)
	case r <= 0xffff:
		return fmt.Sprintf(`\u%04x`, r)
	default:
		return fmt.Sprintf(`\U%08x`, r)
	}
}
