package source

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/token"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// said is a value of a resource with its path: what is managed as one.
type said struct {
	path  []string
	value any
	// open: an overlay may say something else.
	open []any
}

func (l said) name() string { return model.JoinPath(l.path...) }

// leavesOf are the attributes and the policy of a resource as it is written, in order.
func leavesOf(r model.Resource) []said {
	var out []said
	for name, v := range r.Attrs {
		m, isMap := v.(map[string]any)
		if !isMap || !slices.Contains(model.Spec(r.Key.Kind).Maps, name) {
			out = append(out, said{path: []string{name}, value: v})
			continue
		}
		for k, v := range m {
			out = append(out, said{path: []string{name, k}, value: v})
		}
	}
	p := r.Policy
	if p.Imported {
		out = append(out, said{path: []string{"imported"}, value: true})
	}
	for _, name := range p.Exclusive {
		out = append(out, said{path: []string{name + "_exclusive"}, value: true})
	}
	if p.PreventDestroy {
		out = append(out, said{path: []string{"lifecycle", "prevent_destroy"}, value: true})
	}
	if len(p.Ignore) > 0 {
		list := make([]any, len(p.Ignore))
		for i, s := range p.Ignore {
			list[i] = s
		}
		out = append(out, said{path: []string{"lifecycle", "ignore"}, value: list})
	}
	slices.SortFunc(out, func(a, b said) int { return slices.Compare(a.path, b.path) })
	return out
}

// hoist splits what several environments say of a resource into what the shared
// definition says and, for each of them, what its overlay does.
func hoist(owners []owner) (base []said, overlays [][]said) {
	overlays = make([][]said, len(owners))
	byPath := map[string][]*said{}
	for i, o := range owners {
		for _, l := range leavesOf(o.resource) {
			at := l.name()
			if byPath[at] == nil {
				byPath[at] = make([]*said, len(owners))
			}
			byPath[at][i] = &l
		}
	}
	for _, at := range slices.Sorted(maps.Keys(byPath)) {
		leaves := byPath[at]
		common, same, everywhere := mostCommon(leaves)
		switch {
		case same && everywhere, at == "imported":
			base = append(base, *common)
			continue
		case everywhere && !isStruct(leaves):
			shared := *common
			for _, l := range leaves {
				shared.open = append(shared.open, l.value)
			}
			base = append(base, shared)
		default:
			common = nil
		}
		for i, l := range leaves {
			if l != nil && (common == nil || !model.Equal(l.value, common.value)) {
				overlays[i] = append(overlays[i], *l)
			}
		}
	}
	return base, overlays
}

// mostCommon is the value that most environments have, the first of them where that is
// undecided; whether all that have one have the same, and whether all have one.
func mostCommon(leaves []*said) (common *said, same, everywhere bool) {
	best, have := 0, 0
	for i, l := range leaves {
		if l == nil {
			continue
		}
		have++
		n := 0
		for _, other := range leaves[i:] {
			if other != nil && model.Equal(other.value, l.value) {
				n++
			}
		}
		if n > best {
			common, best = l, n
		}
	}
	return common, best == have, have == len(leaves)
}

// isStruct: CUE unifies a struct with its default, where it replaces other values.
func isStruct(leaves []*said) bool {
	return slices.ContainsFunc(leaves, func(l *said) bool {
		_, is := l.value.(map[string]any)
		return is
	})
}

// expr is the value, with a default where an overlay may say otherwise.
func (l said) expr() ast.Expr {
	if l.open == nil {
		return Literal(l.value)
	}
	var out ast.Expr = &ast.UnaryExpr{Op: token.MUL, X: Literal(l.value)}
	for _, t := range typesOf(l.open) {
		out = ast.NewBinExpr(token.OR, out, t)
	}
	return out
}

// typesOf are the types that some values have, each once.
func typesOf(values []any) []ast.Expr {
	known := []struct {
		is   func(any) bool
		expr ast.Expr
	}{
		{func(v any) bool { _, ok := v.(string); return ok }, ast.NewIdent("string")},
		{func(v any) bool { _, ok := v.(json.Number); return ok }, ast.NewIdent("number")},
		{func(v any) bool { _, ok := v.(bool); return ok }, ast.NewIdent("bool")},
		{func(v any) bool { _, ok := v.([]any); return ok }, &ast.ListLit{Elts: []ast.Expr{&ast.Ellipsis{Type: ast.NewIdent("string")}}}},
		{func(v any) bool { return v == nil }, ast.NewNull()},
	}
	var out []ast.Expr
	for _, k := range known {
		if slices.ContainsFunc(values, k.is) {
			out = append(out, k.expr)
		}
	}
	return out
}

// tree writes values as a struct.
func tree(leaves []said) *ast.StructLit {
	s := braces()
	below := map[string][]said{}
	top := map[string]said{}
	for _, l := range leaves {
		if len(l.path) == 1 {
			top[l.path[0]] = l
		} else {
			below[l.path[0]] = append(below[l.path[0]], said{path: l.path[1:], value: l.value, open: l.open})
		}
	}
	for _, name := range inOrder(slices.Concat(slices.Collect(maps.Keys(top)), slices.Collect(maps.Keys(below)))) {
		l, ok := top[name]
		if ok {
			s.Elts = append(s.Elts, Field(name, l.expr()))
			continue
		}
		inner := below[name]
		slices.SortFunc(inner, func(a, b said) int { return strings.Compare(a.path[0], b.path[0]) })
		value := &ast.StructLit{} // one field needs no braces
		if len(inner) > 1 {
			value = braces()
		}
		for _, l := range inner {
			f := &ast.Field{Label: Label(l.path[0]), Value: l.expr()}
			if len(inner) > 1 {
				ast.SetRelPos(f, token.Newline)
			}
			value.Elts = append(value.Elts, f)
		}
		s.Elts = append(s.Elts, Field(name, value))
	}
	return s
}
