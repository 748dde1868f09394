package ui

import (
	"io"
	"strings"
	"unicode/utf8"
)

// asciiWriter writes for a terminal whose locale is not UTF-8, such as LC_ALL=C: what
// is not ASCII becomes something of the same width. A text that is written in pieces is
// cut between characters, which those who write to a stream do.
type asciiWriter struct{ w io.Writer }

func (a asciiWriter) Write(p []byte) (int, error) {
	if _, err := io.WriteString(a.w, ascii(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// ascii replaces what is not ASCII: our own signs by similar ones, all else by question
// marks.
func ascii(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case r < utf8.RuneSelf:
			b.WriteRune(r)
		case r == '…':
			b.WriteByte('~')
		case r == '→':
			b.WriteByte('>')
		case r == '–' || r == '—' || r == '─' || r == '▄':
			b.WriteByte('-')
		case r == '▀' || r == '█':
			b.WriteByte('#')
		default:
			b.WriteString(strings.Repeat("?", runeCells(r)))
		}
	}
	return b.String()
}

// speaksUTF8 reports whether the locale that a program runs in is UTF-8. A locale that
// nobody chose counts as such: containers have none, and their terminals are.
func speaksUTF8(lookup func(string) (string, bool)) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v, _ := lookup(name); v != "" {
			v = strings.ToLower(v)
			return strings.Contains(v, "utf-8") || strings.Contains(v, "utf8")
		}
	}
	return true
}
