package compiler

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/token"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// group is what CUE says about one place of the configuration. One mistake
// usually makes several errors there: one per arm of a disjunction, say.
type group struct {
	path   []string
	rank   int // 0 for the configuration itself, 1 for helpers of the user, 2 for what a template makes
	errors []finding
}

// finding is one error of CUE, with its positions sorted into those of the
// user and the rest.
type finding struct {
	err    errors.Error
	format string
	args   []any
	user   []token.Pos
	others int // positions in the schema
}

// explainer turns the errors of an evaluation into diagnostics.
type explainer struct {
	*loaded
	tree   *tree
	schema map[string][]string // fields of the definitions
	// expressions are those of the user by position; made when first needed.
	expressions map[token.Pos]ast.Expr
}

// explain says in the words of the user what is wrong: one diagnostic for each
// mistake, at the user's position.
func (l *loaded) explain(t *tree, problems []errors.Error) model.Diagnostics {
	x := &explainer{loaded: l, tree: t}
	diags := l.unknownFields(t.value)
	if len(problems) == 0 && len(diags) == 0 {
		return nil
	}
	x.schema = schemaFields()
	imports, problems := x.missingImports(problems)
	diags = append(diags, imports...)
	groups := x.group(problems)
	explained := map[string]bool{}
	seen := map[string]bool{}
	wrong := map[string]bool{} // flows of which something is explained
	for _, g := range groups {
		if x.follows(g, explained) || g.rank == 2 && wrong[g.path[1]] {
			continue
		}
		d := x.one(g)
		if len(g.path) > 1 && g.path[0] == "flows" {
			wrong[g.path[1]] = true
		}
		explained[strings.Join(g.path, "\x00")] = true
		if len(problems) > 1 && g.errors[0].format == formatNotConcrete {
			continue // a consequence of the others
		}
		// A comprehension, or a value that others refer to, makes the same
		// mistake in many places.
		fold := d.Code + "\x00" + d.Origin.String()
		if d.Code != "undefined" { // which is the same whatever refers to it
			fold += "\x00" + fieldOf(d, g)
		}
		if !d.Origin.IsZero() && seen[fold] {
			continue
		}
		if d.Origin.IsZero() && len(diags) > 0 {
			continue // it has no place of its own: a consequence of the others
		}
		seen[fold] = true
		diags = append(diags, d)
	}
	return append(diags, x.misspelt(diags)...)
}

// fieldOf is the last name in the path of a diagnostic.
func fieldOf(d model.Diagnostic, g *group) string {
	if elements, ok := model.SplitPath(d.Path); ok {
		return last(elements)
	}
	path := g.path
	for len(path) > 1 && strings.Trim(last(path), "0123456789") == "" {
		path = path[:len(path)-1] // an element of a list
	}
	return last(path)
}

// group collects the errors by place: those of the configuration before those
// of the user's helpers and of templates, and shortest paths first.
func (x *explainer) group(problems []errors.Error) []*group {
	byPath := map[string]*group{}
	known := map[string]bool{}
	for _, e := range problems {
		path := unquotePath(e.Path())
		key := strings.Join(path, "\x00")
		format, args := e.Msg()
		id := key + "\x00" + e.Error()
		if known[id] {
			continue // found by the validation and by the walk
		}
		known[id] = true
		f := finding{err: e, format: format, args: args}
		for _, pos := range errors.Positions(e) {
			if x.pos(pos).IsZero() {
				f.others++
			} else {
				f.user = append(f.user, pos)
			}
		}
		g := byPath[key]
		if g == nil {
			g = &group{path: path}
			if placeOf(path).subject == "" {
				g.rank = 1
			}
			byPath[key] = g
		}
		g.errors = append(g.errors, f)
	}
	groups := slices.Collect(maps.Values(byPath))
	for _, g := range groups {
		if x.madeByTemplate(g) {
			g.rank = 2
		}
	}
	slices.SortFunc(groups, func(a, b *group) int {
		return cmp.Or(a.rank-b.rank, len(a.path)-len(b.path), slices.Compare(a.path, b.path))
	})
	return groups
}

// follows reports whether a group is a consequence of a mistake further up
// that is already explained.
func (x *explainer) follows(g *group, explained map[string]bool) bool {
	for n := 1; n < len(g.path); n++ {
		if explained[strings.Join(g.path[:n], "\x00")] {
			return true
		}
	}
	return false
}

// unquotePath turns CUE's selectors into names.
func unquotePath(selectors []string) []string {
	out := make([]string, len(selectors))
	for i, s := range selectors {
		out[i] = s
		if strings.HasPrefix(s, `"`) {
			if u, err := literal.Unquote(s); err == nil {
				out[i] = u
			}
		}
	}
	return out
}

func last(path []string) string {
	if len(path) == 0 {
		return ""
	}
	return path[len(path)-1]
}

// one explains a group, by the first explanation that fits.
func (x *explainer) one(g *group) model.Diagnostic {
	where := x.place(g.path)
	d := model.Diagnostic{Severity: model.Error, Key: where.key, Path: where.path, Raw: x.raw(g)}
	for _, f := range []func(*group, place, *model.Diagnostic) bool{
		x.both, x.otherTemplate, x.undecided, x.unknown, x.unused, x.missing, x.null, x.conflict, x.listLengths, x.reference, x.wrongValue, x.incomplete, x.cycle,
	} {
		if f(g, where, &d) {
			return d
		}
	}
	x.anything(g, where, &d)
	return d
}

func (x *explainer) raw(g *group) string {
	var b strings.Builder
	for _, f := range g.errors {
		b.WriteString(details(x.module, f.err))
		b.WriteByte('\n')
	}
	return strings.TrimSpace(b.String())
}

// written is where the user wrote a path: the label of its last declaration,
// or that of the nearest one above.
func (x *explainer) written(path []string) model.Origin {
	for n := len(path); n > 0; n-- {
		if n == 1 && len(path) > 2 {
			if o := x.madeAt(path[0], path[1], model.JoinPath(path[2:]...)); !o.IsZero() {
				return o
			}
		}
		if decls := x.index.find(path[:n]...); len(decls) > 0 {
			return x.module.origin(decls[len(decls)-1].label.Pos())
		}
	}
	return model.Origin{}
}

// madeAt is where a field of a resource that a comprehension makes was
// written.
func (x *explainer) madeAt(field, id, path string) model.Origin {
	for _, o := range x.tree.objects {
		if o.key.ID == id && model.Spec(o.key.Kind).Field == field {
			p := x.generatedPositions(o.value)
			return model.Resource{Origin: p.origin, Origins: p.origins}.FieldOrigin(path)
		}
	}
	return model.Origin{}
}

// resourceOrigin is where the resource of a path was written first.
func (x *explainer) resourceOrigin(path []string) model.Origin {
	if len(path) == 0 {
		return model.Origin{}
	}
	if path[0] == "environment" {
		return cmp.Or(x.firstLabel(path[:1]), x.sources[len(x.sources)-1].pkgAt)
	}
	if len(path) == 1 {
		return x.firstLabel(path)
	}
	if o := x.firstLabel(path[:2]); !o.IsZero() {
		return o
	}
	return cmp.Or(x.madeAt(path[0], path[1], ""), x.firstLabel(path[:1]))
}

func (x *explainer) firstLabel(path []string) model.Origin {
	decls := x.index.find(path...)
	for _, d := range decls {
		if !d.indirect {
			return x.module.origin(d.label.Pos())
		}
	}
	if len(decls) > 0 {
		return x.module.origin(decls[0].label.Pos())
	}
	return model.Origin{}
}
