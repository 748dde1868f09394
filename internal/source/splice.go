package source

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// editedFile is a file with the edits to be made to its bytes.
type editedFile struct {
	path    string
	src     []byte
	ast     *ast.File
	layer   layer
	imports map[string]string // path by name
	eol     string
	splices []splice
	created bool
}

// splice replaces the bytes from start up to end.
type splice struct {
	start, end int
	text       string
}

func parseFile(path string, src []byte, env string) (*editedFile, error) {
	file, err := parser.ParseFile(path, src, parser.ParseComments)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	f := &editedFile{path: path, src: src, ast: file, layer: layerOf(path, env), imports: map[string]string{}, eol: "\n"}
	for spec := range file.ImportSpecs() {
		p, err := literal.Unquote(spec.Path.Value)
		if err != nil {
			continue
		}
		p, qualifier, found := strings.Cut(p, ":")
		name := p[strings.LastIndexByte(p, '/')+1:]
		if found {
			name = qualifier
		}
		name, _, _ = strings.Cut(name, "@")
		if spec.Name != nil {
			name = spec.Name.Name
		}
		f.imports[name] = p
	}
	if i := bytes.IndexByte(src, '\n'); i > 0 && src[i-1] == '\r' {
		f.eol = "\r\n"
	}
	return f, nil
}

func (f *editedFile) splice(start, end int, text string) {
	s := splice{start, end, strings.ReplaceAll(text, "\n", f.eol)}
	if !slices.Contains(f.splices, s) {
		f.splices = append(f.splices, s)
	}
}

// spliced is the text with its splices.
func (f *editedFile) spliced() ([]byte, error) { return applySplices(f.src, 0, f.splices, f.path) }

// applySplices applies splices, whose offsets count from start, to a text.
func applySplices(text []byte, start int, splices []splice, path string) ([]byte, error) {
	sorted := slices.Clone(splices)
	slices.SortStableFunc(sorted, func(a, b splice) int { return a.start - b.start })
	var out bytes.Buffer
	at := start
	for _, s := range sorted {
		if s.start < at {
			return nil, fmt.Errorf("two edits of %s meet at byte %d; make them one after the other", path, s.start)
		}
		out.Write(text[at-start : s.start-start])
		out.WriteString(s.text)
		at = s.end
	}
	out.Write(text[at-start:])
	return out.Bytes(), nil
}

func offset(pos token.Pos) int { return pos.Offset() }

// start is the offset of the first byte of a node.
func start(n ast.Node) int { return offset(n.Pos()) }

// end is the offset behind a node. CUE counts a text over several lines without the
// carriage returns in it.
func (f *editedFile) end(n ast.Node) int {
	switch n := n.(type) {
	case *ast.BasicLit:
		at := start(n)
		for left := len(n.Value); left > 0 && at < len(f.src); at++ {
			if f.src[at] != '\r' {
				left--
			}
		}
		return at
	case *ast.Interpolation:
		return f.end(n.Elts[len(n.Elts)-1])
	case *ast.UnaryExpr:
		return f.end(n.X)
	case *ast.BinaryExpr:
		return f.end(n.Y)
	case *ast.Field:
		if len(n.Attrs) > 0 {
			return offset(n.Attrs[len(n.Attrs)-1].End())
		}
		return f.end(n.Value)
	case *ast.StructLit:
		if !n.Rbrace.IsValid() && len(n.Elts) > 0 {
			return f.end(n.Elts[len(n.Elts)-1])
		}
	case *ast.EmbedDecl:
		return f.end(n.Expr)
	}
	return offset(n.End())
}

// lineStart and lineEnd bound the line that an offset is in; the end is behind its
// line feed.
func (f *editedFile) lineStart(at int) int { return bytes.LastIndexByte(f.src[:at], '\n') + 1 }

func (f *editedFile) lineEnd(at int) int {
	if i := bytes.IndexByte(f.src[at:], '\n'); i >= 0 {
		return at + i + 1
	}
	return len(f.src)
}

// indent is the white space that a line begins with.
func (f *editedFile) indent(at int) string {
	line := f.src[f.lineStart(at):]
	if bytes.HasPrefix(line, []byte("\ufeff")) {
		line = line[len("\ufeff"):]
	}
	return string(line[:len(line)-len(bytes.TrimLeft(line, " \t"))])
}

// ownLines reports whether nothing but a comma shares the lines of a range, and the
// range with those lines.
func (f *editedFile) ownLines(from, to int) (int, int, bool) {
	first, last := f.lineStart(from), f.lineEnd(to)
	rest := strings.TrimSpace(string(f.src[to:last]))
	return first, last, len(bytes.TrimSpace(f.src[first:from])) == 0 && (rest == "" || rest == ",")
}

// comment is a line of a comment.
type comment struct {
	text  string
	at    model.Origin
	start int
}

func (f *editedFile) comments() []comment {
	var out []comment
	seen := map[int]bool{}
	ast.Walk(f.ast, func(n ast.Node) bool {
		for _, g := range ast.Comments(n) {
			for _, c := range g.List {
				if at := start(c); !seen[at] {
					seen[at] = true
					out = append(out, comment{strings.TrimSpace(c.Text), originOf(f.path, c.Pos()), at})
				}
			}
		}
		return true
	}, nil)
	return out
}

// commented reports whether a comment stands in a range, or beside it, or right
// above it.
func (f *editedFile) commented(from, to int) bool {
	first, last := f.lineStart(from), f.lineEnd(to)
	above := f.lineStart(max(0, first-1))
	for _, c := range f.comments() {
		if c.start >= first && c.start < last {
			return true
		}
		if c.start >= above && c.start < first && len(bytes.TrimSpace(f.src[above:c.start])) == 0 {
			return true
		}
	}
	return false
}

// lostComments are the comments that are in one file and not in the other.
func lostComments(before, after *editedFile) []comment {
	left := map[string]int{}
	for _, c := range after.comments() {
		left[c.text]++
	}
	var out []comment
	for _, c := range before.comments() {
		if left[c.text]--; left[c.text] < 0 {
			out = append(out, c)
		}
	}
	return out
}

// indented gives the lines of a text after the first an indentation.
func indented(text, indent string) string { return strings.ReplaceAll(text, "\n", "\n"+indent) }

// tidied takes away what an edit has left without use: an import that nothing needs
// any more would be an error. It returns nil if nothing is left of the file.
func (f *editedFile) tidied(before *editedFile) (*editedFile, error) {
	used, was := f.used(), before.used()
	for spec := range f.ast.ImportSpecs() {
		for name, p := range f.imports {
			if path, _ := literal.Unquote(spec.Path.Value); !strings.HasPrefix(path, p) || used[name] || !was[name] {
				continue
			}
			var decl ast.Node = spec
			for _, d := range f.ast.Decls {
				if d, ok := d.(*ast.ImportDecl); ok && len(d.Specs) == 1 && d.Specs[0] == spec {
					decl = d
				}
			}
			first, last, own := f.ownLines(start(decl), offset(decl.End()))
			if !own {
				first, last = start(decl), offset(decl.End())
			}
			if next := f.lineEnd(last); own && len(bytes.TrimSpace(f.src[last:next])) == 0 {
				last = next // with the empty line below
			}
			f.splice(first, last, "")
		}
	}
	if len(f.splices) > 0 {
		text, err := f.spliced()
		if err != nil {
			return nil, err
		}
		out, err := parseFile(f.path, text, "")
		if err != nil {
			return nil, fmt.Errorf("the edit of %s would not parse, so it is not made: %w", f.path, err)
		}
		out.layer, f = f.layer, out
	}
	if f.empty() && !before.empty() && !before.created {
		return nil, nil
	}
	return f, nil
}

// used are the names of imports that something refers to.
func (f *editedFile) used() map[string]bool {
	out := map[string]bool{}
	ast.Walk(f.ast, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if id, ok := s.X.(*ast.Ident); ok {
				out[id.Name] = true
			}
		}
		return true
	}, nil)
	return out
}

// empty reports whether a file says nothing.
func (f *editedFile) empty() bool {
	if len(f.comments()) > 0 {
		return false
	}
	return !slices.ContainsFunc(f.ast.Decls, func(d ast.Decl) bool {
		switch d.(type) {
		case *ast.Package, *ast.ImportDecl:
			return false
		}
		return true
	})
}
