package compiler

import (
	"fmt"
	"path/filepath"
	"slices"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/token"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// positions say where a resource and its fields were written. The position of
// a field is its label; where several places write it, that of the overlay.
type positions struct {
	origin  model.Origin
	origins map[string]model.Origin
	twice   []repeated
}

// repeated is a field that one directory gives a value twice.
type repeated struct {
	path          string
	first, second model.Origin
}

// children are the fields of a field at the top, by name.
func (x *index) children(top string) map[string][]decl {
	out := map[string][]decl{}
	for _, d := range x.resolve(x.top[top], 0) {
		d.members(func(name string, m decl) { out[name] = append(out[name], m) })
	}
	return out
}

// positions collects where the fields below some declarations were written.
func (x *index) positions(decls []decl) positions {
	p := positions{origins: map[string]model.Origin{}}
	decls = indirectFirst(decls)
	for _, d := range decls {
		if !d.indirect {
			p.origin = x.module.origin(d.label.Pos())
			break
		}
	}
	if p.origin.IsZero() && len(decls) > 0 {
		p.origin = x.module.origin(decls[0].label.Pos())
	}
	x.collect(&p, map[string]decl{}, nil, decls)
	return p
}

func (x *index) collect(p *positions, written map[string]decl, path []string, decls []decl) {
	for _, d := range indirectFirst(x.resolve(decls, 0)) {
		d.members(func(name string, m decl) {
			at := append(slices.Clip(path), name)
			key := model.JoinPath(at...)
			before, again := written[key]
			if again && isValue(before.value) && !isValue(m.value) {
				return // a mere type beside a value
			}
			if again && isValue(m.value) && isValue(before.value) && m.dir == before.dir && !m.indirect && !before.indirect {
				p.twice = append(p.twice, repeated{key, x.module.origin(before.label.Pos()), x.module.origin(m.label.Pos())})
			}
			written[key] = m
			p.origins[key] = x.module.origin(m.label.Pos())
			if len(at) < maxNesting && hasFields(m.value) {
				x.collect(p, written, at, []decl{m})
			}
		})
	}
}

// isValue tells a value, or a default, from a mere constraint.
func isValue(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.BasicLit, *ast.ListLit, *ast.Interpolation:
		return true
	case *ast.ParenExpr:
		return isValue(e.X)
	case *ast.UnaryExpr:
		return (e.Op == token.SUB || e.Op == token.MUL) && isValue(e.X)
	case *ast.BinaryExpr:
		return e.Op == token.OR && hasDefault(e)
	default:
		return false
	}
}

// hasDefault reports whether an expression is a disjunction with a default.
func hasDefault(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return hasDefault(e.X)
	case *ast.UnaryExpr:
		return e.Op == token.MUL
	case *ast.BinaryExpr:
		return e.Op == token.OR && (hasDefault(e.X) || hasDefault(e.Y))
	default:
		return false
	}
}

// hasFields reports whether a value may have fields that are worth a visit.
func hasFields(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.StructLit, *ast.Ident:
		return true
	case *ast.ParenExpr:
		return hasFields(e.X)
	case *ast.BinaryExpr:
		return e.Op == token.AND
	default:
		return false
	}
}

func (p positions) duplicates(where place) model.Diagnostics {
	var diags model.Diagnostics
	for _, r := range p.twice {
		where.field = short(r.path)
		diags = append(diags, model.Diagnostic{
			Severity: model.Warning,
			Code:     "written-twice",
			Summary:  fmt.Sprintf("%s is written twice, here and in %s", where, r.first),
			Detail:   "CUE unifies the two: this says the same thing again",
			Hint:     "remove one of them",
			Key:      where.key,
			Path:     r.path,
			Origin:   r.second,
			Also:     []model.Origin{r.first},
		})
	}
	return diags
}

// generatedPositions are those of a resource that no label states, because a
// comprehension makes it. What one comprehension makes is written in one place.
func (l *loaded) generatedPositions(v cue.Value) positions {
	at := l.userOriginOf(v)
	if p, ok := l.generated[at]; ok {
		return p
	}
	p := positions{origin: at, origins: map[string]model.Origin{}}
	if d, ok := l.fieldAt(at); ok {
		p = l.index.positions([]decl{d})
	}
	if !at.IsZero() {
		l.generated[at] = p
	}
	return p
}

// fieldAt finds the field whose label is at a position, wherever it stands.
func (l *loaded) fieldAt(at model.Origin) (found decl, ok bool) {
	for _, f := range l.instance.Files {
		if l.module.rel(f.Filename) != at.File {
			continue
		}
		ast.Walk(f, func(n ast.Node) bool {
			if field, isField := n.(*ast.Field); isField && l.pos(field.Label.Pos()) == at {
				found, ok = decl{label: field.Label, value: field.Value, dir: filepath.Dir(f.Filename), level: levelOf(f.Filename)}, true
			}
			return !ok
		}, nil)
	}
	return found, ok
}
