package compiler

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/token"

	"pcconnect.ai/descope-mgmt/internal/model"
	src "pcconnect.ai/descope-mgmt/internal/source"
)

// index finds what the user wrote by its path. It follows labels, structs, &,
// embedded structs and references to fields at the top of the package; what a
// comprehension makes is not in it.
type index struct {
	module *Module
	top    map[string][]decl
	// below holds the children of fields at the top, made when first needed.
	below map[string]map[string][]decl
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
	x := &index{module: m, top: map[string][]decl{}, below: map[string]map[string][]decl{}}
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
	if m.yaml != nil && !filepath.IsAbs(path) {
		return path != "" // where a value of the YAML stands
	}
	return filepath.IsAbs(path) &&
		filepath.Dir(path) != filepath.Join(m.root, schemaDir) &&
		filepath.Base(path) != generatedFile
}

// visit calls f for the fields that a declaration states by name.
func (d decl) visit(node ast.Decl, f func(name string, member decl)) {
	switch n := node.(type) {
	case *ast.Field:
		if name, ok := src.LabelName(n.Label); ok {
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

// find returns the places where a path was written, those of the base first;
// places behind a reference come before the others.
func (x *index) find(path ...string) []decl {
	if len(path) == 0 {
		return nil
	}
	if len(path) == 1 {
		return indirectFirst(x.top[path[0]])
	}
	found := x.children(path[0])[path[1]]
	for _, name := range path[2:] {
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

// children are the fields of a field at the top, by name.
func (x *index) children(top string) map[string][]decl {
	if out, ok := x.below[top]; ok {
		return out
	}
	out := map[string][]decl{}
	for _, d := range x.resolve(x.top[top], 0) {
		d.members(func(name string, m decl) { out[name] = append(out[name], m) })
	}
	x.below[top] = out
	return out
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
