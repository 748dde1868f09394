package compiler

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/token"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// index finds what the user wrote by its path. It follows labels, structs, &,
// embedded structs and references to fields at the top of the package; what a
// comprehension makes is not in it.
type index struct {
	module *Module
	top    map[string][]decl
}

// decl is one place where a field was written.
type decl struct {
	label ast.Node
	value ast.Expr
	level int    // how far from the module's root: an overlay is above its base
	dir   string // directory of the file
	// indirect marks what was found through a reference.
	indirect bool
}

// maxReferences bounds how many references in a row the index follows.
const maxReferences = 8

func newIndex(m *Module, files []*ast.File) *index {
	x := &index{module: m, top: map[string][]decl{}}
	files = slices.Clone(files)
	slices.SortFunc(files, func(a, b *ast.File) int {
		return cmp.Or(cmp.Compare(levelOf(a.Filename), levelOf(b.Filename)), strings.Compare(a.Filename, b.Filename))
	})
	for _, f := range files {
		if !m.isUserFile(f.Filename) {
			continue
		}
		at := decl{level: levelOf(f.Filename), dir: filepath.Dir(f.Filename)}
		for _, d := range f.Decls {
			at.visit(d, func(name string, d decl) { x.top[name] = append(x.top[name], d) })
		}
	}
	return x
}

func levelOf(path string) int { return strings.Count(filepath.ToSlash(path), "/") }

// isUserFile tells the files of the user from the schema and from what the
// loader added.
func (m *Module) isUserFile(path string) bool {
	return filepath.IsAbs(path) &&
		filepath.Dir(path) != filepath.Join(m.root, schemaDir) &&
		filepath.Base(path) != generatedFile
}

// visit calls f for the fields that a declaration states by name.
func (d decl) visit(node ast.Decl, f func(name string, member decl)) {
	switch n := node.(type) {
	case *ast.Field:
		if name, ok := labelName(n.Label); ok {
			m := d
			m.label, m.value = n.Label, n.Value
			f(name, m)
		}
	case *ast.EmbedDecl:
		e := d
		e.value = n.Expr
		e.members(f)
	}
}

// members calls f for the fields of a declared value, in the order in which
// they are written.
func (d decl) members(f func(name string, member decl)) {
	for _, e := range operands(d.value) {
		if s, ok := e.(*ast.StructLit); ok {
			for _, node := range s.Elts {
				d.visit(node, f)
			}
		}
	}
}

// operands takes a & b & c apart.
func operands(e ast.Expr) []ast.Expr {
	var out []ast.Expr
	for {
		switch x := e.(type) {
		case *ast.ParenExpr:
			e = x.X
			continue
		case *ast.BinaryExpr:
			if x.Op == token.AND {
				out = append(out, operands(x.Y)...) // chains lean left
				e = x.X
				continue
			}
		}
		out = append(out, e)
		slices.Reverse(out)
		return out
	}
}

// labelName is the name of a field, as written for a definition or a hidden
// field and unquoted otherwise. A computed label has none.
func labelName(l ast.Label) (string, bool) {
	switch l := l.(type) {
	case *ast.Ident:
		return l.Name, true
	case *ast.BasicLit:
		if l.Kind == token.STRING {
			s, err := literal.Unquote(l.Value)
			return s, err == nil
		}
	case *ast.Alias:
		if inner, ok := l.Expr.(ast.Label); ok {
			return labelName(inner)
		}
	}
	return "", false
}

// find returns the places where a path was written, those of the base first;
// places behind a reference come before the others.
func (x *index) find(path ...string) []decl {
	if len(path) == 0 {
		return nil
	}
	found := x.top[path[0]]
	for _, name := range path[1:] {
		var next []decl
		for _, d := range x.resolve(found, 0) {
			d.members(func(n string, m decl) {
				if n == name {
					next = append(next, m)
				}
			})
		}
		found = next
	}
	return indirectFirst(found)
}

// resolve adds what the references among the values stand for.
func (x *index) resolve(decls []decl, depth int) []decl {
	if depth > maxReferences {
		return decls
	}
	out := decls
	for _, d := range decls {
		for _, name := range references(d.value) {
			target := x.top[name]
			if len(target) == 0 {
				continue
			}
			target = slices.Clone(target)
			for i := range target {
				target[i].indirect = true
			}
			out = append(slices.Clip(out), x.resolve(target, depth+1)...)
		}
	}
	return out
}

// references names the fields of the package that a value is unified with.
func references(value ast.Expr) []string {
	var names []string
	for _, e := range operands(value) {
		switch e := e.(type) {
		case *ast.Ident:
			names = append(names, e.Name)
		case *ast.StructLit:
			for _, d := range e.Elts {
				if embed, ok := d.(*ast.EmbedDecl); ok {
					names = append(names, references(embed.Expr)...)
				}
			}
		}
	}
	return names
}

func indirectFirst(decls []decl) []decl {
	if !slices.ContainsFunc(decls, func(d decl) bool { return d.indirect }) {
		return decls
	}
	out := slices.Clone(decls)
	slices.SortStableFunc(out, func(a, b decl) int {
		switch {
		case a.indirect == b.indirect:
			return 0
		case a.indirect:
			return -1
		default:
			return 1
		}
	})
	return out
}

// origin is a position as it is shown.
func (m *Module) origin(pos token.Pos) model.Origin {
	if !pos.IsValid() {
		return model.Origin{}
	}
	p := pos.Position()
	return model.Origin{File: m.rel(p.Filename), Line: p.Line, Column: p.Column}
}

// userOrigin is a position in a file of the user, or nothing.
func (m *Module) userOrigin(pos token.Pos) model.Origin {
	if !pos.IsValid() || !m.isUserFile(pos.Filename()) {
		return model.Origin{}
	}
	return m.origin(pos)
}
