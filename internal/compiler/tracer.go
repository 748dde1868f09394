package compiler

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/token"

	"pcconnect.ai/descope-mgmt/internal/model"
	src "pcconnect.ai/descope-mgmt/internal/source"
)

// tracer follows values back to where they were written.
type tracer struct {
	*loaded
	root cue.Value
	// around is what stands around the fields of all files, by their position.
	around map[token.Pos]surroundings
}

// surroundings are what a field stands in.
type surroundings struct {
	// helper is the definition or hidden field, "" for none.
	helper string
	// pattern: the label, or one above, stands for many.
	pattern bool
	clauses []ast.Clause
}

// contributions are the places that a value is made of, the base before the overlay.
//
// They are the conjuncts of the value. CUE gives them as fields of the source, also
// where a definition, a comprehension or a pattern brings them; the position of the
// value itself would be that of the schema for a default or a list.
func (t *tracer) contributions(v cue.Value) []Contribution {
	all := []Contribution{}
	for _, p := range conjuncts(v) {
		f, ok := p.Source().(*ast.Field)
		if !ok || filepath.Base(f.Pos().Filename()) == generatedFile {
			continue
		}
		all = append(all, t.contribution(p, f))
	}
	markWinners(all, t.plain(v))
	all = slices.DeleteFunc(all, func(c Contribution) bool {
		return c.Layer == LayerSchema && (!c.Wins || c.Role == RoleConstraint)
	})
	slices.SortStableFunc(all, func(a, b Contribution) int {
		return cmp.Or(cmp.Compare(rank(a.Layer), rank(b.Layer)), strings.Compare(a.Origin.File, b.Origin.File),
			cmp.Compare(a.Origin.Line, b.Origin.Line), cmp.Compare(a.Origin.Column, b.Origin.Column))
	})
	return slices.CompactFunc(all, func(a, b Contribution) bool { return a.Origin == b.Origin })
}

// conjuncts are what a value is unified from, each as a field of the source.
func conjuncts(v cue.Value) []cue.Value {
	if _, alone := v.Source().(*ast.Field); !alone {
		if op, parts := v.Expr(); op == cue.AndOp {
			return parts
		}
	}
	return []cue.Value{v}
}

func rank(l Layer) int {
	return slices.Index([]Layer{LayerSchema, LayerPackage, LayerBase, LayerOverlay}, l)
}

// plain is a value as it counts, nil where it is not concrete.
func (t *tracer) plain(v cue.Value) any {
	w := &walker{}
	value := w.value(v)
	if len(w.problems) > 0 {
		return nil
	}
	return value
}

// contribution is one conjunct.
func (t *tracer) contribution(p cue.Value, f *ast.Field) Contribution {
	at := t.surroundings(f.Pos())
	c := Contribution{Origin: t.module.origin(f.Pos()), Text: t.text(f.Value), Role: RoleConstraint, Layer: t.layer(f.Pos()), Via: at.via()}
	if v, isDefault := p.Default(); !isOpenList(p) && v.Kind() != cue.BottomKind {
		c.Role = RoleValue
		if isDefault && p.Kind() == cue.BottomKind {
			c.Role = RoleDefault
		}
	}
	if c.Role != RoleConstraint {
		c.Value = t.plain(p)
	}
	s := &sources{tracer: t, found: []Source{}}
	s.expr(f.Value, 0)
	if root, path := p.ReferencePath(); root.Exists() { // also into another package
		s.target(root.LookupPath(path), 1)
	}
	for _, clause := range at.clauses {
		s.clause(clause, 0)
	}
	c.Sources = s.found
	return c
}

// isOpenList tells a list that may have more elements, which CUE closes where a
// value is needed.
func isOpenList(v cue.Value) bool {
	return v.Kind() == cue.ListKind && v.Allows(cue.AnyIndex)
}

// markWinners says which places decide: those that state the value, else the
// defaults that came out, else all that narrow it down to one.
func markWinners(all []Contribution, value any) {
	wins := func(Contribution) bool { return true }
	has := func(f func(Contribution) bool) bool { return slices.ContainsFunc(all, f) }
	states := func(c Contribution) bool { return c.Role == RoleValue }
	isDefault := func(c Contribution) bool { return c.Role == RoleDefault && model.Equal(c.Value, value) }
	switch {
	case has(states):
		wins = states
	case has(isDefault):
		wins = isDefault
	}
	for i := range all {
		all[i].Wins = wins(all[i])
	}
}

func (t *tracer) layer(pos token.Pos) Layer {
	file := pos.Filename()
	switch dir := filepath.Dir(file); {
	case !t.module.isUserFile(file):
		return LayerSchema
	case t.module.yaml != nil && file == t.module.yaml.File():
		return LayerBase
	case dir == t.overlayDir() || t.module.yaml != nil:
		return LayerOverlay
	case dir == filepath.Join(t.module.root, envsDir):
		return LayerBase
	default:
		return LayerPackage
	}
}

// text is an expression as it is written, on one line.
func (t *tracer) text(n ast.Node) string {
	content, from, to := t.contents[n.Pos().Filename()], n.Pos().Offset(), n.End().Offset()
	if from < 0 || to > len(content) || from >= to {
		return text(n)
	}
	return oneLine(string(content[from:to]))
}

func (s surroundings) via() string {
	switch {
	case len(s.clauses) > 0:
		if _, ok := s.clauses[0].(*ast.ForClause); ok {
			return "for"
		}
		return "if"
	case s.helper != "":
		return s.helper
	case s.pattern:
		return "[...]"
	}
	return ""
}

// surroundings finds what stands around a field.
func (t *tracer) surroundings(pos token.Pos) surroundings {
	if t.around == nil {
		t.around = map[token.Pos]surroundings{}
		seen := map[*build.Instance]bool{}
		t.survey(t.instance, seen)
	}
	return t.around[pos.WithRel(0)]
}

// survey notes the fields of a package and of those that it imports.
func (t *tracer) survey(i *build.Instance, seen map[*build.Instance]bool) {
	if seen[i] {
		return
	}
	seen[i] = true
	for _, f := range i.Files {
		stack := []surroundings{{}}
		ast.Walk(f, func(n ast.Node) bool {
			s := stack[len(stack)-1]
			switch n := n.(type) {
			case *ast.Field:
				if name, ok := src.LabelName(n.Label); ok && s.helper == "" && (strings.HasPrefix(name, "#") || strings.HasPrefix(name, "_")) && isIdent(n.Label) {
					s.helper = name
				}
				s.pattern = s.pattern || isPattern(n.Label)
				t.around[n.Pos().WithRel(0)] = s
			case *ast.Comprehension:
				s.clauses = slices.Concat(n.Clauses, s.clauses)
			}
			stack = append(stack, s)
			return true
		}, func(ast.Node) { stack = stack[:len(stack)-1] })
	}
	for _, other := range i.Imports {
		t.survey(other, seen)
	}
}

func isPattern(l ast.Label) bool {
	if a, ok := l.(*ast.Alias); ok {
		l, ok = a.Expr.(ast.Label)
		if !ok {
			return false
		}
	}
	_, ok := l.(*ast.ListLit)
	return ok
}
