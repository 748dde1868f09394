package source

import (
	"path"
	"slices"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/token"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// layer is whose file it is.
type layer int

const (
	other   layer = iota // another environment's
	base                 // all environments'
	overlay              // the edited environment's
)

func layerOf(name, env string) layer {
	switch path.Dir(name) {
	case envsDir:
		return base
	case envsDir + "/" + env:
		return overlay
	}
	return other
}

// place is where a field is written.
type place struct {
	file *editedFile
	// chain are the fields around it, outermost first, and itself last.
	chain []link
	value ast.Expr
	// via says how it is reached, if not by names alone.
	via via
	// inAnd: the value is an operand of &.
}

// link is one field on the way to a place.
type link struct {
	field *ast.Field
	// struct that it stands in; nil at the top of a file.
	in *ast.StructLit
}

// via is what stands between a name and the place that gives it a value.
type via struct {
	kind string // "a comprehension"
	at   token.Pos
	node ast.Node // a comprehension, if that is all that stands between
	// maybe: a key on the way is computed, so that it may be another one.
	maybe bool
}

func (v via) or(kind string, at token.Pos) via {
	v.node = nil
	if v.kind != "" {
		return v
	}
	return via{kind: kind, at: at, maybe: v.maybe}
}

func (p place) field() *ast.Field { return p.chain[len(p.chain)-1].field }

// origin is where the place is, for people: what leads to it, where something does.
func (p place) origin() model.Origin {
	if p.file == nil {
		return model.Origin{}
	}
	pos := p.via.at
	if p.via.kind == "" && len(p.chain) > 0 {
		pos = p.field().Label.Pos()
	}
	return originOf(p.file.path, pos)
}

func originOf(file string, pos token.Pos) model.Origin {
	if !pos.IsValid() {
		return model.Origin{}
	}
	at := pos.Position()
	if at.Filename != "" {
		file = at.Filename
	}
	return model.Origin{File: file, Line: at.Line, Column: at.Column}
}

// maxReferences bounds how many references in a row are followed.
const maxReferences = 8

// finder collects the places of one path.
type finder struct {
	e        *editor
	file     *editedFile
	places   []place
	suspects []place
	depth    int
}

// find returns the places where a path is written, and those that may lead to it in
// a way that only the evaluation can tell.
func (e *editor) find(path []string) (places, suspects []place) {
	f := &finder{e: e}
	for _, file := range e.files {
		f.file = file
		f.decls(file.ast.Decls, nil, path, nil, via{})
	}
	return f.places, f.suspects
}

// decls looks at the declarations of a file or a struct.
func (f *finder) decls(decls []ast.Decl, in *ast.StructLit, path []string, chain []link, v via) {
	for _, d := range decls {
		switch d := d.(type) {
		case *ast.Field:
			f.member(d, in, path, chain, v)
		case *ast.EmbedDecl:
			f.expr(d.Expr, path, chain, v)
		case *ast.Comprehension:
			if s, ok := d.Value.(*ast.StructLit); ok {
				through := v.or("a comprehension", d.Pos())
				if v.kind == "" {
					through.node = d
				}
				f.decls(s.Elts, s, path, chain, through)
			}
		}
	}
}

func (f *finder) member(d *ast.Field, in *ast.StructLit, path []string, chain []link, v via) {
	if d.Constraint != token.ILLEGAL { // name?: and name!: give no value
		return
	}
	name, ok := labelName(d.Label)
	switch {
	case !ok:
		kind := "a computed key"
		if _, pattern := d.Label.(*ast.ListLit); pattern {
			kind = "a pattern"
		}
		v = v.or(kind, d.Label.Pos())
		v.maybe = true
	case name != path[0]:
		return
	}
	chain = append(slices.Clip(chain), link{d, in})
	if len(path) == 1 {
		f.places = append(f.places, place{file: f.file, chain: chain, value: d.Value, via: v})
		return
	}
	f.expr(d.Value, path[1:], chain, v)
}

// expr looks for the rest of a path in a value.
func (f *finder) expr(x ast.Expr, path []string, chain []link, v via) {
	for _, x := range operands(x) {
		switch x := x.(type) {
		case *ast.StructLit:
			f.decls(x.Elts, x, path, chain, v)
		case *ast.Ident:
			f.reference(x, path, chain, v)
		case *ast.SelectorExpr:
			if id, ok := x.X.(*ast.Ident); ok && f.file.imports[id.Name] != "" && path[0] != "" && isSchema(f.file.imports[id.Name]) {
				continue // a definition of the schema gives no value of the user
			}
			f.suspect(chain, x, v.or("a reference", x.Pos()))
		default:
			f.suspect(chain, x, v.or("an expression", x.Pos()))
		}
	}
}

func (f *finder) suspect(chain []link, x ast.Expr, v via) {
	f.suspects = append(f.suspects, place{file: f.file, chain: chain, value: x, via: v})
}

// reference follows a name to the top of the package, or to a let of the file.
func (f *finder) reference(id *ast.Ident, path []string, chain []link, v via) {
	if predeclared(id.Name) || id.Name == "_" {
		return
	}
	kind := "a reference"
	if isDefinitionName(id.Name) {
		kind = "a definition"
	}
	v = v.or(kind, id.Pos())
	targets := f.e.named(id.Name, f.file)
	if len(targets) == 0 || f.depth == maxReferences {
		f.suspect(chain, id, v)
		return
	}
	f.depth++
	at := f.file
	for _, t := range targets {
		f.file = t.file
		f.expr(t.value, path, t.chain, v)
	}
	f.file = at
	f.depth--
}

// named are the fields at the top of the package, and the let clauses at the top of
// a file, that an identifier can mean. Those of other environments are not seen.
func (e *editor) named(name string, from *editedFile) []place {
	var out []place
	for _, file := range e.files {
		if file.layer == other {
			continue
		}
		for _, d := range file.ast.Decls {
			switch d := d.(type) {
			case *ast.Field:
				if n, ok := labelName(d.Label); ok && n == name {
					out = append(out, place{file: file, chain: []link{{d, nil}}, value: d.Value})
				}
			case *ast.LetClause:
				if file == from && d.Ident.Name == name {
					out = append(out, place{file: file, value: d.Expr, chain: []link{{&ast.Field{Label: d.Ident, Value: d.Expr}, nil}}})
				}
			}
		}
	}
	return out
}

func isSchema(importPath string) bool { return path.Base(importPath) == schemaDir }

func isDefinitionName(name string) bool {
	return len(name) > 0 && name[0] == '#' || len(name) > 1 && name[:2] == "_#"
}

// operands takes a & b & c apart.
func operands(e ast.Expr) []ast.Expr {
	switch x := e.(type) {
	case *ast.ParenExpr:
		return operands(x.X)
	case *ast.BinaryExpr:
		if x.Op == token.AND {
			return append(operands(x.X), operands(x.Y)...)
		}
	}
	return []ast.Expr{e}
}

// labelName is the key that a label states, if it states one: as [LabelName] has it, or
// a literal in parentheses.
func labelName(l ast.Label) (string, bool) {
	switch x := l.(type) {
	case *ast.ParenExpr:
		if lit, ok := x.X.(*ast.BasicLit); ok {
			return LabelName(lit)
		}
	case *ast.Alias:
		if inner, ok := x.Expr.(ast.Label); ok {
			return labelName(inner)
		}
	}
	return LabelName(l)
}

// declared are the places where a resource is declared in the environment's own
// files and in others, and those that may declare it.
func (e *editor) declared(key model.Key) (own, away, suspects []place) {
	places, suspects := e.find([]string{model.Spec(key.Kind).Field, key.ID})
	for _, p := range places {
		switch {
		case p.via.kind == "a pattern":
			continue // applies to what is declared, and declares nothing
		case p.via.kind != "":
			suspects = append(suspects, p)
		case p.file.layer == overlay:
			own = append(own, p)
		default:
			away = append(away, p)
		}
	}
	return own, away, slices.DeleteFunc(suspects, func(p place) bool { return p.file.layer == other })
}
