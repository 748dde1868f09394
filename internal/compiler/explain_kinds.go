package compiler

import (
	"fmt"
	"slices"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/token"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// The formats of CUE's errors that are told apart here. The goldens of
// testdata/mistakes notice when a new version of CUE words them differently.
const (
	formatNotAllowed  = "field not allowed"
	formatRequired    = "field is required but not present"
	formatConflict    = "conflicting values %s and %s"
	formatMismatch    = "conflicting values %s and %s (mismatched types %s and %s)"
	formatLengths     = "incompatible list lengths (%d and %d)"
	formatBound       = "invalid value %v (out of bound %s)"
	formatValidator   = "invalid value %s (does not satisfy %s)"
	formatIncomplete  = "incomplete value %v"
	formatNotFound    = "reference %q not found"
	formatUndefined   = "undefined field: %s"
	formatUnused      = "imported and not used: %s"
	formatDisjunction = "%d errors in empty disjunction:"
	formatUnresolved  = "unresolved disjunction %v (type %s)"
	formatCycle       = "structural cycle"
	formatUnusedLet   = "unreferenced alias or let clause %s"
	formatNoBuiltin   = "builtin package %q undefined"

	// formatNotConcrete is our own: CUE has no reason to give.
	formatNotConcrete = "the value is not concrete"
)

func (g *group) with(format string) *finding {
	for i := range g.errors {
		if g.errors[i].format == format {
			return &g.errors[i]
		}
	}
	return nil
}

// unknown explains a field that does not exist. A field that does exist and is
// refused all the same stands in a closed definition of the user's own.
func (x *explainer) unknown(g *group, where place, d *model.Diagnostic) bool {
	f := g.with(formatNotAllowed)
	if f == nil || x.unknownInSteps(g, f, d) {
		return f != nil
	}
	fields := x.schema[where.definition]
	if slices.Contains(fields, last(g.path)) {
		x.closedDefinition(g, where, d)
		return true
	}
	container := x.place(g.path[:len(g.path)-1])
	u := unknownField(container, last(g.path), fields)
	u.Key, u.Path, u.Raw = d.Key, d.Path, d.Raw
	u.Origin = x.written(g.path)
	if len(f.user) > 0 {
		u.Origin = x.pos(f.user[0])
	}
	x.rename(&u, last(g.path), model.Suggest(last(g.path), fields))
	*d = u
	return true
}

func unknownField(container place, field string, known []string) model.Diagnostic {
	in := container.String()
	if in != "" {
		in += ": "
	}
	d := model.Diagnostic{Severity: model.Error, Code: "unknown-field", Summary: in + "unknown field " + quoted(field), Path: field}
	d.Detail = didYouMean(field, known, "")
	if d.Detail == "" && len(known) > 0 {
		d.Detail = "fields: " + strings.Join(known, ", ")
	}
	if in == "" {
		d.Hint = "helpers of your own are hidden fields (_name), definitions (#Name) or let"
	}
	return d
}

// closedDefinition explains a definition of the user that is not built on the
// schema's: it closes the tenant to the fields of the schema.
func (x *explainer) closedDefinition(g *group, where place, d *model.Diagnostic) {
	d.Code = "closed-definition"
	d.Origin = x.resourceOrigin(g.path)
	d.Path = ""
	name := ""
	for _, c := range x.index.find(g.path[:min(2, len(g.path))]...) {
		for _, ref := range references(c.value) {
			if strings.HasPrefix(ref, "#") && !strings.HasPrefix(ref, "#_") {
				name = ref
			}
		}
	}
	subject := where.subject
	if name == "" {
		d.Summary = fmt.Sprintf("%s is made of a closed definition that does not build on schema.%s", subject, where.definition)
		d.Detail = fmt.Sprintf("the definition has no field %s", quoted(last(g.path)))
		d.Hint = fmt.Sprintf("start the definition with schema.%s & {...}", where.definition)
		return
	}
	d.Summary = fmt.Sprintf("%s is made of %s, which does not build on schema.%s", subject, name, where.definition)
	d.Detail = fmt.Sprintf("a definition is closed: %s has no field %s", name, quoted(last(g.path)))
	d.Hint = fmt.Sprintf("write %s: schema.%s & {...}", name, where.definition)
	if decls := x.index.find(name); len(decls) > 0 {
		d.Also = []model.Origin{x.module.origin(decls[0].label.Pos())}
	}
}

func (x *explainer) missing(g *group, where place, d *model.Diagnostic) bool {
	if g.with(formatRequired) == nil {
		return false
	}
	d.Code = "missing-field"
	d.Origin = x.resourceOrigin(g.path)
	d.Summary = fmt.Sprintf("%s has no %s", orElse(where.subject, "the configuration"), orElse(where.field, last(g.path)))
	if a := allowed(where.definition, where.name); a != "" {
		d.Detail = "required: " + a
	}
	if where.definition == "#Environment" && where.name == "name" {
		d.Hint = fmt.Sprintf("write environment: name: %q in %s", x.env, x.module.rel(x.overlayDir()))
	}
	return true
}

// conflict explains two values of the user for one place.
func (x *explainer) conflict(g *group, where place, d *model.Diagnostic) bool {
	if where.name == "enabled_in" && x.enabledInOverlay(g, where, d) {
		return true
	}
	if isElement(g.path) && x.lists(g.path[:len(g.path)-1], d) {
		return true
	}
	var both []*finding
	for i := range g.errors {
		f := &g.errors[i]
		if (f.format == formatConflict || f.format == formatMismatch) && f.others == 0 && len(f.user) >= 2 {
			both = append(both, f)
		}
	}
	if len(both) == 0 {
		return false
	}
	if a, b, ok := x.twoValues(both, g); ok {
		x.twice(where, a, b, d)
		return true
	}
	return x.constrained(both, where, d)
}

// enabledInOverlay explains an overlay that changes enabled_in.
func (x *explainer) enabledInOverlay(g *group, where place, d *model.Diagnostic) bool {
	for _, w := range x.index.find(g.path...) {
		if w.dir == x.overlayDir() {
			d.Origin = x.module.origin(w.label.Pos())
			enabledInOverlay(d, where.subject)
			return true
		}
	}
	return false
}

// side is a value of the user that takes part in a conflict.
type side struct {
	expr  ast.Expr
	at    model.Origin
	level int
}

// twoValues finds the two plain values of a conflict, the base first.
func (x *explainer) twoValues(both []*finding, g *group) (a, b side, ok bool) {
	var sides []side
	for _, f := range both {
		for _, pos := range f.user {
			s := side{expr: x.exprAt(pos), at: x.pos(pos), level: levelOf(pos.Filename())}
			if s.expr != nil && isPlain(s.expr) && !slices.ContainsFunc(sides, func(o side) bool { return o.at == s.at }) {
				sides = append(sides, s)
			}
		}
	}
	if len(sides) != 2 || g.with(formatDisjunction) != nil && x.inDisjunction(g.path) {
		return a, b, false
	}
	slices.SortStableFunc(sides, func(a, b side) int { return a.level - b.level })
	return sides[0], sides[1], true
}

// inDisjunction reports whether the user gave a place a choice of values.
func (x *explainer) inDisjunction(path []string) bool {
	return slices.ContainsFunc(x.index.find(path...), func(d decl) bool {
		b, ok := d.value.(*ast.BinaryExpr)
		return ok && b.Op == token.OR
	})
}

// twice explains two values for one field. Between a base and its overlay the
// remedy is a default in the base.
func (x *explainer) twice(where place, a, b side, d *model.Diagnostic) {
	d.Origin, d.Also = b.at, []model.Origin{a.at}
	d.Summary = fmt.Sprintf("%s is %s here, but %s in the base", where, x.show(b.expr), x.show(a.expr))
	if a.level == b.level {
		d.Code = "conflicting-values"
		d.Summary = fmt.Sprintf("%s is %s here, but %s elsewhere", where, x.show(b.expr), x.show(a.expr))
		d.Detail = "a field has one value"
		d.Hint = "remove one of the two"
		return
	}
	d.Code = "needs-default"
	d.Detail = "an overlay can change only what the base gives as a default"
	d.Hint = fmt.Sprintf("write *%s | %s there", x.show(a.expr), typeFor(a.expr, b.expr))
	if where.hasOwnDefault() {
		d.Hint = "remove it there and write it in overlays: the template has a default already"
	}
}

// typeFor is the type that a default of a base needs so that both values fit.
func typeFor(a, b ast.Expr) string {
	one := func(e ast.Expr) string {
		switch e := e.(type) {
		case *ast.ListLit:
			return "[...string]"
		case *ast.BasicLit:
			switch e.Kind {
			case token.STRING:
				return "string"
			case token.INT, token.FLOAT:
				return "number"
			case token.TRUE, token.FALSE:
				return "bool"
			default:
			}
		case *ast.UnaryExpr:
			return "number"
		}
		return "_"
	}
	switch {
	case isNull(a) || one(a) == one(b):
		return one(b)
	case isNull(b):
		return one(a) + " | null"
	}
	return "_"
}

// constrained explains a value that a constraint of the user refuses.
func (x *explainer) constrained(both []*finding, where place, d *model.Diagnostic) bool {
	value, choices := splitArguments(both)
	if value == "" {
		return false
	}
	d.Code = "not-allowed"
	var at []model.Origin
	for _, f := range both {
		for _, pos := range f.user {
			o := x.pos(pos)
			if e := x.exprAt(pos); e != nil && short(x.source(e)) == short(value) {
				d.Origin = o
			} else if !slices.Contains(at, o) {
				at = append(at, o)
			}
		}
	}
	if d.Origin.IsZero() {
		d.Origin, at = at[len(at)-1], at[:len(at)-1]
	}
	d.Also = at[:min(1, len(at))] // the rest only leads there
	d.Summary = fmt.Sprintf("%s cannot be %s", where, short(value))
	d.Detail = "allowed: " + short(strings.Join(choices, " or "))
	if word, err := unquoteCUE(value); err == nil {
		var words []string
		for _, c := range choices {
			if s, err := unquoteCUE(c); err == nil {
				words = append(words, s)
			}
		}
		d.Hint = didYouMean(word, words, "")
		x.rename(d, word, model.Suggest(word, words))
	}
	return true
}

// splitArguments finds the value that all the conflicts of a disjunction
// share, and the arms that refuse it.
func splitArguments(findings []*finding) (value string, choices []string) {
	count := map[string]int{}
	for _, f := range findings {
		for _, a := range f.args[:2] {
			count[fmt.Sprint(a)]++
		}
	}
	for _, a := range findings[0].args[:2] {
		text := fmt.Sprint(a)
		if count[text] == len(findings) && (len(findings) > 1 || isLiteral(text)) {
			value = text
		}
	}
	for _, f := range findings {
		for _, a := range f.args[:2] {
			if text := fmt.Sprint(a); text != value {
				choices = append(choices, text)
			}
		}
	}
	slices.Sort(choices)
	return value, slices.Compact(choices)
}
