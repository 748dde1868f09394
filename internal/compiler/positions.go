package compiler

import (
	"fmt"
	"path/filepath"
	"slices"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// positions say where a resource and its fields were written. The position of
// a field is its label; where several places write it, that of the overlay.
type positions struct {
	origin  model.Origin
	origins map[string]model.Origin
	twice   []repeated
	// defaults are the paths that some place gives as a default.
	defaults []string
}

// repeated is a field that one directory gives a value twice.
type repeated struct {
	path          string
	first, second model.Origin
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
			if hasDefault(m.value) {
				p.defaults = append(p.defaults, key)
			}
			if len(at) < maxNesting && hasFields(m.value) {
				x.collect(p, written, at, []decl{m})
			}
		})
	}
}

func (p positions) duplicates(where place) model.Diagnostics {
	var diags model.Diagnostics
	for _, r := range p.twice {
		where.field = short(r.path)
		diags = append(diags, model.Diagnostic{
			Severity: model.Warning,
			Code:     "written-twice",
			Summary:  fmt.Sprintf("%s is written twice", where),
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
