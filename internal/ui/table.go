package ui

import "strings"

// Table is rows of text under a header. The zero value is not useful: see [NewTable].
type Table struct {
	header []string
	rows   [][]string
}

// NewTable starts a table with the names of its columns.
func NewTable(header ...string) *Table { return &Table{header: header} }

// Add adds a row. Missing cells are empty; surplus ones are dropped.
func (t *Table) Add(row ...string) {
	full := make([]string, len(t.header))
	for i := range full {
		if i < len(row) {
			full[i] = Safe(row[i])
		}
	}
	t.rows = append(t.rows, full)
}

// Len is the number of rows.
func (t *Table) Len() int { return len(t.rows) }

// Text renders the table: aligned under its header on a terminal, the last
// column shortened to its width; rows of tab-separated cells without a header
// elsewhere. No rows yield "".
func (t *Table) Text(s Style) string {
	if len(t.rows) == 0 {
		return ""
	}
	var b strings.Builder
	if !s.TTY {
		for _, row := range t.rows {
			b.WriteString(strings.Join(row, "\t") + "\n")
		}
		return b.String()
	}
	header := make([]string, len(t.header))
	for i, h := range t.header {
		header[i] = strings.ToUpper(h)
	}
	widths := make([]int, len(t.header))
	for _, row := range append([][]string{header}, t.rows...) {
		for i, c := range row {
			widths[i] = max(widths[i], cells(c))
		}
	}
	b.WriteString(s.paint(dim, line(header, widths, s)) + "\n")
	for _, row := range t.rows {
		b.WriteString(line(row, widths, s) + "\n")
	}
	return b.String()
}

func line(row []string, widths []int, s Style) string {
	var b strings.Builder
	used, last := 0, len(row)-1
	for i, c := range row[:last] {
		b.WriteString(pad(c, widths[i]+2))
		used += widths[i] + 2
	}
	c := row[last]
	if room := s.Width - used; s.Width > 0 && !s.Verbose && cells(c) > room {
		c = headOf(c, max(room, 9)-1) + ellipsis
	}
	return strings.TrimRight(b.String()+c, " ")
}
