package ui

import (
	"strings"
	"unicode"
)

// ellipsis stands for what was left out.
const ellipsis = "…"

// cells is how many columns a text takes on a terminal. It must hold no
// control sequences.
func cells(s string) int {
	n := 0
	for _, r := range s {
		n += runeCells(r)
	}
	return n
}

// runeCells knows the two exceptions that matter: marks that combine with the
// rune before, and the wide scripts and pictures (Unicode Annex 11, W and F,
// rounded to whole blocks).
func runeCells(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	case r >= 0x1100 && r <= 0x115f, // Hangul letters
		r >= 0x2e80 && r <= 0xa4cf && r != 0x303f, // CJK, kana, Yi
		r >= 0xac00 && r <= 0xd7a3,                // Hangul syllables
		r >= 0xf900 && r <= 0xfaff, r >= 0xfe30 && r <= 0xfe6f,
		r >= 0xff00 && r <= 0xff60, r >= 0xffe0 && r <= 0xffe6,
		r >= 0x1f300 && r <= 0x1f64f, r >= 0x1f900 && r <= 0x1f9ff,
		r >= 0x20000 && r <= 0x3fffd:
		return 2
	default:
		return 1
	}
}

// pad fills a text up with spaces to a width.
func pad(s string, width int) string {
	if n := width - cells(s); n > 0 {
		return s + strings.Repeat(" ", n)
	}
	return s
}

// headOf and tailOf are the longest ends of a text that fit a width.
func headOf(s string, width int) string {
	for i, r := range s {
		if width -= runeCells(r); width < 0 {
			return s[:i]
		}
	}
	return s
}

func tailOf(s string, width int) string {
	runes := []rune(s)
	i := len(runes)
	for ; i > 0; i-- {
		if width -= runeCells(runes[i-1]); width < 0 {
			break
		}
	}
	return string(runes[i:])
}

// elide shortens a text to a width by leaving out its middle. A width of 0 or
// less means no limit.
func elide(s string, width int) string {
	if width <= 0 || cells(s) <= width {
		return s
	}
	tail := (width - 1) / 2
	return headOf(s, width-1-tail) + ellipsis + tailOf(s, tail)
}
