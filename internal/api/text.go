package api

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxText bounds how much of a remote text enters an error, in characters.
const maxText = 300

// clean makes text from outside safe to print: control and invisible characters
// are escaped, so that none reaches a terminal, and the length is bounded.
func clean(s string) string {
	var b strings.Builder
	n := 0
	for i, r := range s {
		if n++; n > maxText {
			b.WriteString("…")
			break
		}
		switch {
		case r == utf8.RuneError && s[i] != "\uFFFD"[0]:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// quoted is clean text between quotes.
func quoted(s string) string { return `"` + clean(s) + `"` }
