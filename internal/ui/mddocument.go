package ui

import (
	"crypto/sha256"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// MarkdownLimit is how many bytes a document has at most. GitHub takes comments of
// 65 536 characters.
const MarkdownLimit = 65_000

// mdMarker bounds the environments in a marker; more of them are a hash.
const mdMarker = 400

// mdSectionLeast is the room that a section may always take, if there is any.
const mdSectionLeast = 4_000

// MarkdownPart is what a document says of one environment, or of what else it is about:
// a head that is always there, and groups of items, of which the document shows as much
// as there is room for. Immutable.
type MarkdownPart struct {
	head   string
	groups []mdGroup
	// whole is the command that shows everything.
	whole string
}

// mdGroup are items of one sort.
type mdGroup struct {
	// rank orders the groups of all parts: the lowest gets its room first, and stands
	// first in its part.
	rank int
	// noun is what one item is, for the count of what is not shown.
	noun  string
	items []mdItem
	// most is how many items are listed whatever the room, or 0 for no such limit.
	most int
	// open and end stand around the lines; open is told how many items are listed, and
	// whether those are all of the group.
	open func(n int, all bool) string
	end  string
}

// mdItem is one thing that a document shows: as a line in a list, or as a whole section.
type mdItem struct {
	line string
	// section is nil if there is nothing but the line. It keeps to the limit if that is
	// mdSectionLeast or more.
	section func(limit int) string
}

// mdList is a group whose lines stand in a block.
func mdList(rank int, noun, lang, title string, collapsed bool, items []mdItem) mdGroup {
	lines := make([]string, len(items))
	for i := range items {
		lines[i] = items[i].line
		items[i].line += "\n"
	}
	fence := mdFence(lines...)
	g := mdGroup{rank: rank, noun: noun, items: items, end: fence + "\n\n"}
	if collapsed {
		g.end += "</details>\n\n"
	}
	g.open = func(n int, all bool) string {
		text := title
		if text == "" {
			text = Counted(n, noun)
			if !all {
				text = Counted(n, "more "+noun) + ", in short"
			}
		}
		if collapsed {
			return "<details><summary>" + text + "</summary>\n\n" + fence + lang + "\n"
		}
		return text + "\n\n" + fence + lang + "\n"
	}
	return g
}

// around is the most that the group takes around its lines.
func (g mdGroup) around() int {
	return len(g.open(len(g.items), false)) + len(g.open(len(g.items), true)) + len(g.end)
}

// shown is how much of a group a document has: the first items as sections, the next ones
// as lines.
type shown struct {
	sections []string
	lines    int
}

// MarkdownMarker is the comment by which a document is found again where it was posted.
// It is the same for the same command and environments.
func MarkdownMarker(command string, environments []string) string {
	parts := []string{"descope-mgmt", command}
	if len(environments) > 0 {
		escaped := make([]string, len(environments))
		for i, e := range environments {
			escaped[i] = url.PathEscape(e) // no ">", no space, no comma
		}
		names := strings.Join(escaped, ",")
		if len(names) > mdMarker {
			names = fmt.Sprintf("sha256-%x", sha256.Sum256([]byte(names)))
		}
		parts = append(parts, names)
	}
	return "<!-- " + strings.ReplaceAll(strings.Join(parts, ":"), "--", "-%2D") + " -->"
}

// MarkdownDocument lays parts out in at most [MarkdownLimit] bytes, the marker first. All
// parts share the room: what has the lowest rank gets it first, in every part in turn.
// Counts in the heads are never cut; what is not shown is counted.
func MarkdownDocument(marker string, parts ...MarkdownPart) string {
	left := MarkdownLimit - len(marker) - 1
	kept, rest := parts, ""
	for need(kept) > left-len(rest) {
		kept = kept[:len(kept)-1]
		rest = unseen(parts[len(kept):])
	}
	left -= need(kept) + len(rest)
	shows := layOut(kept, left)
	var b strings.Builder
	b.WriteString(marker + "\n")
	for i, p := range kept {
		p.write(&b, shows[i])
	}
	return strings.TrimRight(b.String()+rest, "\n") + "\n"
}

// need is the room of what is shown of parts in any case.
func need(parts []MarkdownPart) int {
	n := 0
	for _, p := range parts {
		none := make([]shown, len(p.groups))
		n += len(p.head) + len(p.missing(none))
		for _, g := range p.groups {
			n += g.around()
		}
	}
	return n
}

// unseen counts parts for which there is no room at all.
func unseen(parts []MarkdownPart) string {
	var nouns []string
	counts := map[string]int{}
	for _, p := range parts {
		for _, g := range p.groups {
			if counts[g.noun] == 0 {
				nouns = append(nouns, g.noun)
			}
			counts[g.noun] += len(g.items)
		}
	}
	var texts []string
	for _, noun := range nouns {
		texts = append(texts, Counted(counts[noun], noun))
	}
	text := strings.Join(texts, ", ")
	if text == "" {
		text = "nothing to show"
	}
	return fmt.Sprintf("**%s** not shown, since there is no room in %d bytes: %s.\n", Counted(len(parts), "more environment"), MarkdownLimit, text)
}

// missing counts what a document does not show of a part, or is "".
func (p MarkdownPart) missing(shows []shown) string {
	var texts []string
	for i, g := range p.groups {
		if n := len(g.items) - len(shows[i].sections) - shows[i].lines; n > 0 {
			texts = append(texts, Counted(n, g.noun))
		}
	}
	if len(texts) == 0 {
		return ""
	}
	return fmt.Sprintf("**Not shown** here, to stay below %d bytes: %s. All of it: %s\n\n", MarkdownLimit, strings.Join(texts, ", "), mdShort(p.whole))
}

func (p MarkdownPart) write(b *strings.Builder, shows []shown) {
	b.WriteString(p.head)
	for i, g := range p.groups {
		s := shows[i]
		for _, section := range s.sections {
			b.WriteString(section)
		}
		if s.lines == 0 {
			continue
		}
		b.WriteString(g.open(s.lines, len(s.sections) == 0 && s.lines == len(g.items)))
		for _, item := range g.items[len(s.sections) : len(s.sections)+s.lines] {
			b.WriteString(item.line)
		}
		b.WriteString(g.end)
	}
	b.WriteString(p.missing(shows))
}

// turn names one item of the parts.
type turn struct{ part, group, item int }

// turns are all items in the order in which they get room.
func turns(parts []MarkdownPart) []turn {
	var all []turn
	for i, p := range parts {
		for j, g := range p.groups {
			n := len(g.items)
			if g.most > 0 {
				n = min(n, g.most)
			}
			for k := range n {
				all = append(all, turn{i, j, k})
			}
		}
	}
	rank := func(t turn) int { return parts[t.part].groups[t.group].rank }
	slices.SortStableFunc(all, func(a, b turn) int {
		if d := rank(a) - rank(b); d != 0 {
			return d
		}
		return a.item - b.item
	})
	return all
}

// layOut decides what is shown in a number of bytes: lines first, in half of the room, so
// that as much as possible is at least named; then sections instead of lines; then lines
// again in what is left. At each step the first that does not fit ends it.
func layOut(parts []MarkdownPart, left int) [][]shown {
	shows := make([][]shown, len(parts))
	for i, p := range parts {
		shows[i] = make([]shown, len(p.groups))
	}
	order := turns(parts)
	item := func(t turn) mdItem { return parts[t.part].groups[t.group].items[t.item] }
	named := 0
	list := func(room int) {
		for ; named < len(order); named++ {
			t := order[named]
			n := len(item(t).line)
			if n > room {
				return
			}
			room, left = room-n, left-n
			shows[t.part][t.group].lines++
		}
	}
	list(left / 2)
	sections := 0
	for _, t := range order {
		if item(t).section != nil {
			sections++
		}
	}
	for _, t := range order[:named] {
		it := item(t)
		if it.section == nil {
			continue
		}
		text := it.section(max(mdSectionLeast, left/sections))
		sections--
		n := len(text) - len(it.line)
		if n > left {
			break
		}
		left -= n
		s := &shows[t.part][t.group]
		s.sections, s.lines = append(s.sections, text), s.lines-1
	}
	list(left)
	return shows
}
