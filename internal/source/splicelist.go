package source

import (
	"slices"
	"strings"

	"cuelang.org/go/cue/ast"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// inOrderOf orders the elements of a set as they were, with new ones behind.
func inOrderOf(old, want []any) []any {
	has := func(list []any, v any) bool {
		return slices.ContainsFunc(list, func(w any) bool { return model.Equal(v, w) })
	}
	var out []any
	for _, v := range old {
		if has(want, v) && !has(out, v) {
			out = append(out, v)
		}
	}
	for _, v := range want {
		if !has(out, v) {
			out = append(out, v)
		}
	}
	return out
}

// putElements edits a list that has a line for each element, line by line, so that
// the comments in it stay. It reports false for another list, which has to be
// replaced whole.
func (e *editor) putElements(edit Edit, f *editedFile, list *ast.ListLit, want []any) bool {
	lines, ok := f.elementLines(list)
	if !ok {
		return false
	}
	old := make([]any, len(list.Elts))
	for i, x := range list.Elts {
		old[i], _ = valueOf(x)
	}
	indent := f.indent(start(list)) + "\t"
	if len(lines) > 0 {
		indent = f.indent(lines[0].start)
	}
	at := f.lineEnd(offset(list.Lbrack)) // where the next new line goes
	var gone []int
	// stays is the last element that is still there: what follows it needs a comma.
	stays := -1
	settle := func(added []any) {
		for len(gone) > 0 && len(added) > 0 && !lines[gone[0]].comment { // one in the place of another
			l := lines[gone[0]]
			f.splice(l.start, l.end, text(added[0], indent))
			stays, gone, added = gone[0], gone[1:], added[1:]
		}
		for _, i := range gone {
			e.dropLine(edit, f, lines[i])
		}
		gone = nil
		for _, v := range added {
			if stays >= 0 && !lines[stays].comma {
				f.splice(lines[stays].end, lines[stays].end, ",")
			}
			// Not f.splice: two elements may be equal.
			f.splices = append(f.splices, splice{at, at, indent + text(v, indent) + "," + f.eol})
		}
	}
	var added []any
	for _, op := range align(old, want) {
		switch {
		case op.old < 0:
			added = append(added, want[op.new])
		case op.new < 0:
			gone = append(gone, op.old)
			at = lines[op.old].next
		default:
			settle(added)
			added = nil
			at, stays = lines[op.old].next, op.old
		}
	}
	settle(added)
	return true
}

// elementLine is a line that holds one element of a list.
type elementLine struct {
	start, end, next int
	comma, comment   bool
}

// elementLines are the lines of a list that has one for each element and brackets on
// lines of their own.
func (f *editedFile) elementLines(list *ast.ListLit) ([]elementLine, bool) {
	open, closing := offset(list.Lbrack), offset(list.Rbrack)
	if !strings.Contains(string(f.src[open:closing]), "\n") || strings.TrimSpace(string(f.src[f.lineStart(closing):closing])) != "" {
		return nil, false
	}
	before := f.lineEnd(open)
	var out []elementLine
	for _, x := range list.Elts {
		l := elementLine{start: start(x), end: f.end(x)}
		l.next = f.lineEnd(l.end)
		rest := strings.TrimSpace(string(f.src[l.end:l.next]))
		rest, l.comma = strings.CutPrefix(rest, ",")
		rest = strings.TrimSpace(rest)
		l.comment = strings.HasPrefix(rest, "//")
		if l.start < before || strings.TrimSpace(string(f.src[f.lineStart(l.start):l.start])) != "" || rest != "" && !l.comment {
			return nil, false
		}
		before = l.next
		out = append(out, l)
	}
	return out, closing >= before
}

// dropLine takes an element away, and leaves the comment beside it.
func (e *editor) dropLine(edit Edit, f *editedFile, l elementLine) {
	from, to := f.lineStart(l.start), l.next
	if l.comment {
		from = l.start
		to = from + strings.Index(string(f.src[from:l.next]), "//")
		p := place{file: f}
		d := diagnostic(edit, p, model.Warning, "kept-comment", "the comment of an element that is gone was kept")
		d.Origin = model.Origin{File: f.path, Line: strings.Count(string(f.src[:from]), "\n") + 1, Column: 1}
		e.out.Notes = append(e.out.Notes, d)
	}
	f.splice(from, to, "")
}

// step is one step from one list to another: an element that stays, or one side only
// (the other index is -1).
type step struct{ old, new int }

// maxAligned bounds the lists that are compared element by element.
const maxAligned = 2000

// align finds the shortest way from one list to another.
func align(old, want []any) []step {
	n, m := len(old), len(want)
	var out []step
	if n > maxAligned || m > maxAligned {
		for i := range old {
			out = append(out, step{i, -1})
		}
		for i := range want {
			out = append(out, step{-1, i})
		}
		return out
	}
	common := make([][]int, n+1)
	for i := range common {
		common[i] = make([]int, m+1)
	}
	for i := n - 1; i >= 0; i-- {
		for j := m - 1; j >= 0; j-- {
			if model.Equal(old[i], want[j]) {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	i, j := 0, 0
	for i < n && j < m {
		switch {
		case model.Equal(old[i], want[j]):
			out = append(out, step{i, j})
			i, j = i+1, j+1
		case common[i+1][j] >= common[i][j+1]:
			out = append(out, step{i, -1})
			i++
		default:
			out = append(out, step{-1, j})
			j++
		}
	}
	for ; i < n; i++ {
		out = append(out, step{i, -1})
	}
	for ; j < m; j++ {
		out = append(out, step{-1, j})
	}
	return out
}
