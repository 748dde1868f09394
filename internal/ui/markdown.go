package ui

import (
	"fmt"
	"strings"
)

// What comes from outside stands in a document of Markdown as code and nowhere else:
// inside <code>, with every sign that Markdown, HTML or a forge could read spelled as an
// entity, or in a fenced block whose fence is longer than any run of backticks in it.
// Forges look for mentions, references and addresses in neither.

// mdCode sets a text as code on one line, anywhere: in a paragraph, a heading, a table or
// the summary of a section. Control characters and the like are spelled out first.
func mdCode(s string) string {
	var b strings.Builder
	b.WriteString("<code>")
	last := rune(0)
	for _, r := range Safe(s) {
		if mdPlain(r, last) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "&#%d;", r)
		}
		last = r
	}
	b.WriteString("</code>")
	return b.String()
}

// MarkdownCode sets a text from outside as code on one line, whatever it holds.
func MarkdownCode(s string) string { return mdCode(s) }

// mdPlain reports that a rune stands for itself. A full stop does unless it could be the
// one of "www.", which is enough for a forge to make a link of what follows.
func mdPlain(r, last rune) bool {
	switch {
	case r == '.':
		return last != 'w' && last != 'W'
	case r > 0x7f, r >= '0' && r <= '9', r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z':
		return true
	default:
		return strings.ContainsRune(" -/,", r)
	}
}

// mdShort is mdCode for a text that may be long and need not be copied.
func mdShort(s string) string { return mdCode(mdClip(s, mdName)) }

// mdClip is a text with everything spelled out that [Safe] spells out, without its middle
// if it is longer than a number of characters: marks without a width count, too, since a
// document has no columns but bytes.
func mdClip(s string, most int) string {
	s = Safe(s)
	if len(s) <= most {
		return s
	}
	runes := []rune(s)
	if len(runes) <= most {
		return s
	}
	tail := (most - 1) / 2
	return string(runes[:most-1-tail]) + ellipsis + string(runes[len(runes)-tail:])
}

// mdName bounds names and places, mdValue each of two values, mdText sentences, in
// characters.
const (
	mdName  = 120
	mdValue = 200
	mdText  = 800
)

// mdFence is the fence of a block that holds these lines.
func mdFence(lines ...string) string {
	longest := 2
	for _, line := range lines {
		run := 0
		for _, r := range line {
			if r != '`' {
				run = 0
				continue
			}
			run++
			longest = max(longest, run)
		}
	}
	return strings.Repeat("`", longest+1)
}

// mdBlock is a fenced block. The lines must be free of line ends and of what Safe spells
// out.
func mdBlock(lang string, lines ...string) string {
	fence := mdFence(lines...)
	return fence + lang + "\n" + strings.Join(lines, "\n") + "\n" + fence + "\n"
}

// mdSection is a collapsed section with lines in a block of the language diff, in at most
// limit bytes as long as the summary leaves that room; what does not fit is counted. The
// lines are as in mdBlock, the summary is Markdown that is safe already.
func mdSection(summary string, lines []string, limit int) string {
	fence := mdFence(lines...)
	open, end := "<details><summary>"+summary+"</summary>\n\n"+fence+"diff\n", fence+"\n\n</details>\n\n"
	if len(lines) == 0 {
		return "<details><summary>" + summary + "</summary></details>\n\n"
	}
	more := func(n int) string { return fmt.Sprintf("  %s and %s\n", ellipsis, Counted(n, "more line")) }
	left := limit - len(open) - len(end)
	total := 0
	for _, line := range lines {
		total += len(line) + 1
	}
	var b strings.Builder
	b.WriteString(open)
	if total > left {
		left -= len(more(len(lines)))
	}
	for i, line := range lines {
		if left -= len(line) + 1; left < 0 && total > limit-len(open)-len(end) {
			b.WriteString(more(len(lines) - i))
			break
		}
		b.WriteString(line + "\n")
	}
	b.WriteString(end)
	return b.String()
}
