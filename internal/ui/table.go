package ui

import (
	"slices"
	"strings"
)

// Table is rows of text under a header. The zero value is not useful: see [NewTable].
type Table struct {
	header []string
	rows   [][]string
	kept   []string
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

// Keep names the columns that stay where there is no room for all, beside the first one.
func (t *Table) Keep(names ...string) { t.kept = append(t.kept, names...) }

// Len is the number of rows.
func (t *Table) Len() int { return len(t.rows) }

// Text renders the table. On a terminal it is aligned under its header and keeps
// to the width, unless verbose: long cells are shortened and, where that is not
// enough, columns left out, which the last line says. Elsewhere it is rows of
// tab-separated cells without a header. No rows yield "".
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
	width := s.Width
	if s.Verbose {
		width = 0
	}
	columns := t.columns(width)
	b.WriteString(s.paint(dim, line(header, columns)) + "\n")
	for _, row := range t.rows {
		b.WriteString(line(row, columns) + "\n")
	}
	if missing := t.missing(columns); len(missing) > 0 {
		noun := "the column "
		if len(missing) > 1 {
			noun = "the columns "
		}
		b.WriteString(s.paint(dim, wrap("(narrow: -v shows "+noun+strings.ToUpper(strings.Join(missing, ", "))+")", s)) + "\n")
	}
	return b.String()
}

// gap is the room between two columns, and minColumn what a column keeps before
// another is left out; the first one, by which rows are told apart, keeps more.
const (
	gap            = 2
	minColumn      = 10
	minFirstColumn = 24
)

// column is a column that is shown: which one, how wide, and its least width.
type column struct{ index, width, least int }

// columns are the columns as wide as their contents or, to fit a width, without
// those that are empty, then without the last ones, those to be kept at last, and the
// widest shortened. A
// width of 0 is no limit.
func (t *Table) columns(width int) []column {
	columns := make([]column, len(t.header))
	for i, h := range t.header {
		w := cells(h)
		for _, row := range t.rows {
			w = max(w, cells(row[i]))
		}
		columns[i] = column{i, w, min(w, minColumn)}
	}
	columns[0].least = min(columns[0].width, minFirstColumn)
	excess := func(of func(column) int) int {
		n := -gap - width
		for _, c := range columns {
			n += of(c) + gap
		}
		return n
	}
	widths := func(c column) int { return c.width }
	if width <= 0 || excess(widths) <= 0 {
		return columns
	}
	columns = slices.DeleteFunc(columns, func(c column) bool { return c.index > 0 && t.empty(c.index) })
	for len(columns) > 1 && excess(func(c column) int { return c.least }) > 0 {
		last := len(columns) - 1
		for i := last; i > 0; i-- {
			if !slices.Contains(t.kept, t.header[columns[i].index]) {
				last = i
				break
			}
		}
		columns = slices.Delete(columns, last, last+1)
	}
	for n := excess(widths); n > 0; n-- {
		widest := 0 // shortened in any case if it stands alone
		for i, c := range columns {
			if w := columns[widest]; c.width > c.least && (w.width <= w.least || c.width > w.width) {
				widest = i
			}
		}
		columns[widest].width--
	}
	return columns
}

// empty reports whether no row has anything in a column.
func (t *Table) empty(column int) bool {
	return !slices.ContainsFunc(t.rows, func(row []string) bool { return row[column] != "" })
}

// missing are the names of the columns that have something and are not shown.
func (t *Table) missing(shown []column) []string {
	var names []string
	for i, h := range t.header {
		if !t.empty(i) && !slices.ContainsFunc(shown, func(c column) bool { return c.index == i }) {
			names = append(names, h)
		}
	}
	return names
}

func line(row []string, columns []column) string {
	var b strings.Builder
	for _, c := range columns {
		cell := row[c.index]
		if cells(cell) > c.width {
			cell = headOf(cell, c.width-1) + ellipsis
		}
		b.WriteString(pad(cell, c.width+gap))
	}
	return strings.TrimRight(b.String(), " ")
}
