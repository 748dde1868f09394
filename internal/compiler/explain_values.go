package compiler

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"cuelang.org/go/cue/ast"

	"pcconnect.ai/descope-mgmt/internal/model"
	src "pcconnect.ai/descope-mgmt/internal/source"
)

// listLengths explains lists of which none can become the other.
func (x *explainer) listLengths(g *group, where place, d *model.Diagnostic) bool {
	f := g.with(formatLengths)
	if f == nil {
		return false
	}
	if x.lists(g.path, d) {
		return true
	}
	d.Code = "conflicting-values"
	d.Summary = fmt.Sprintf("%s has lists of %v and %v elements", where, f.args[0], f.args[1])
	d.Detail = "CUE does not append: a list is written whole"
	d.Origin = x.written(g.path)
	if len(f.user) > 0 {
		d.Origin = x.pos(f.user[0])
	}
	return true
}

// lists explains two lists for one place.
func (x *explainer) lists(path []string, d *model.Diagnostic) bool {
	var lists []side
	for _, w := range x.index.find(path...) {
		if l, ok := w.value.(*ast.ListLit); ok {
			lists = append(lists, side{expr: l, at: x.module.origin(l.Pos()), level: w.level})
		}
	}
	if len(lists) < 2 {
		return false
	}
	x.twice(placeOf(path), lists[0], lists[len(lists)-1], d)
	return true
}

// unused explains imports and let clauses that nothing refers to, which CUE
// refuses.
func (x *explainer) unused(g *group, _ place, d *model.Diagnostic) bool {
	f, what := g.with(formatUnused), "import"
	if f == nil {
		f, what = g.with(formatUnusedLet), "let"
	}
	if f == nil {
		return false
	}
	d.Code = "unused-" + what
	d.Summary = fmt.Sprintf("%s %s is not used", what, short(fmt.Sprint(f.args[0])))
	d.Hint = "remove it"
	d.Origin = x.firstUser(f, g)
	return true
}

// reference explains a name that stands for nothing.
func (x *explainer) reference(g *group, where place, d *model.Diagnostic) bool {
	f := g.with(formatNotFound)
	if f == nil {
		f = g.with(formatUndefined)
	}
	if builtin := g.with(formatNoBuiltin); builtin != nil {
		d.Origin = x.firstUser(builtin, g)
		x.importError(d, fmt.Sprint(builtin.args[0]))
		return true
	}
	if f == nil {
		return false
	}
	missing := fmt.Sprint(f.args[0])
	d.Code = "undefined"
	d.Origin = x.firstUser(f, g)
	subject := orElse(where.String(), "the configuration")
	d.Summary = fmt.Sprintf("%s refers to %s, which is not there", subject, short(missing))
	if f.format == formatNotFound && len(f.user) > 0 && truth(missing) != "" {
		x.bare(g, where, f.user[0], d)
		return true
	}
	candidates := []string{schemaDir}
	for n := range x.index.top {
		candidates = append(candidates, n)
	}
	for n := range x.schema {
		if !strings.HasPrefix(n, "_") { // those are the schema's own
			candidates = append(candidates, n)
		}
	}
	candidates = append(candidates, x.schema["#Tenant"]...)
	candidates = append(candidates, builtinPackages()...)
	slices.Sort(candidates)
	if s := model.Suggest(missing, candidates); s != "" && s != missing {
		d.Detail = fmt.Sprintf("did you mean %s?", s)
		x.rename(d, missing, s)
	} else if f.format == formatNotFound && len(f.user) > 0 {
		x.bare(g, where, f.user[0], d)
	}
	return true
}

func (x *explainer) firstUser(f *finding, g *group) model.Origin {
	if len(f.user) > 0 {
		return x.pos(f.user[0])
	}
	return x.written(g.path)
}

// wrongValue explains a value that the schema refuses.
func (x *explainer) wrongValue(g *group, where place, d *model.Diagnostic) bool {
	expected := x.allowed(g, where)
	for i := range g.errors {
		f := &g.errors[i]
		switch f.format {
		case formatBound, formatValidator, formatConflict, formatMismatch, formatDisjunction:
		default:
			continue
		}
		if expected == "" && f.format == formatDisjunction {
			continue
		}
		pos := x.valuePos(g)
		value := x.valueOf(f, g, pos)
		d.Code = "wrong-value"
		d.Origin = x.pos(pos)
		d.Summary = fmt.Sprintf("%s cannot be %s", where, short(value))
		if where.definition == "#Tenant" && where.name == "id" {
			if len(x.index.find(g.path...)) > 0 || x.literalAt(pos) != nil {
				d.Summary = fmt.Sprintf("%s: id is %s, but the key is the id", where.subject, short(value))
				d.Hint = "remove id, or change the key"
				return true
			}
			d.Origin = x.resourceOrigin(g.path)
		}
		if d.Origin.IsZero() {
			d.Origin = x.written(g.path)
		}
		if expected == "" && len(f.args) > 1 {
			expected = fmt.Sprint(f.args[1])
			if expected == value {
				expected = fmt.Sprint(f.args[0])
			}
			expected = short(expected)
		}
		if expected != "" {
			d.Detail = "expected: " + expected
		}
		if s := corrected(where, value); s != "" {
			d.Hint = fmt.Sprintf("did you mean %s?", s)
			x.rewrite(d, value, s)
		}
		return true
	}
	return false
}

// allowed says what may stand in a place of the configuration, or of a helper
// that builds on a definition of the schema.
func (x *explainer) allowed(g *group, where place) string {
	if where.subject != "" {
		return allowed(where.definition, where.name)
	}
	stands := map[string][]string{"#Tenant": {"tenants", ""}, "#Flow": {"flows", ""}, "#Environment": {"environment"}}
	for _, d := range x.index.find(g.path[:min(1, len(g.path))]...) {
		for _, e := range operands(d.value) {
			s, ok := e.(*ast.SelectorExpr)
			if !ok {
				continue
			}
			name, _ := src.LabelName(s.Sel)
			if path := stands[name]; path != nil {
				p := placeOf(append(slices.Clip(path), g.path[1:]...))
				return allowed(p.definition, p.name)
			}
		}
	}
	return ""
}

// corrected is what was probably meant, where that is clear.
func corrected(where place, value string) string {
	s, err := unquoteCUE(value)
	if err != nil {
		return ""
	}
	switch where.definition + " " + where.name {
	case "#MFALoginConfig methods", "#SocialLoginConfig providers", "#SignUpOrInConfig providers":
		return "[" + quoted(s) + "]"
	case "#Flow template", "#MFALoginConfig methods[]", "#SocialLoginConfig providers[]", "#SignUpOrInConfig providers[]", "#SignUpOrInConfig email":
		if m := choice(s, allowed(where.definition, where.name)); m != "" && m != s {
			return quoted(m)
		}
	case "#Tenant domains", "#Tenant default_roles", "#Tenant enabled_in", "#Flow enabled_in", "#Lifecycle ignore":
		if where.name != "domains" || isDomain(s) {
			return "[" + quoted(s) + "]"
		}
	case "#Tenant id":
		if id := strings.Trim(regexp.MustCompile(`[^a-z0-9]+`).ReplaceAllString(strings.ToLower(s), "-"), "-"); id != s && model.IsHouseID(id) {
			return quoted(id)
		}
	case "#Tenant domains[]":
		domain := strings.ToLower(strings.TrimSpace(s))
		domain = strings.TrimPrefix(strings.TrimPrefix(domain, "http://"), "https://")
		domain = strings.Trim(strings.TrimPrefix(domain, "@"), "/.")
		if domain != s && isDomain(domain) {
			return quoted(domain)
		}
	case "#Tenant role_inheritance":
		if m := model.Suggest(s, []string{"none", "userOnly"}); m != "" {
			return quoted(m)
		}
	case "#Tenant self_provisioning", "#Tenant disabled", "#Environment protected", "#Flow enabled",
		"#MFALoginConfig remember_device", "#MagicLinkConfig sign_up", "#SignUpOrInConfig ask_name",
		"#Tenant custom_attributes_exclusive", "#Lifecycle prevent_destroy":
		return truth(s)
	case "#Tenant imported":
		if truth(s) == "true" {
			return "true"
		}
	}
	return ""
}

// domainPattern is the expression of #Domain.
const domainPattern = `^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`

func isDomain(s string) bool { return regexp.MustCompile(domainPattern).MatchString(s) }

// incomplete explains a value that is only known by its type.
func (x *explainer) incomplete(g *group, where place, d *model.Diagnostic) bool {
	if g.with(formatIncomplete) == nil {
		return false
	}
	var defaults []decl
	decls := x.index.find(g.path...)
	for _, w := range decls {
		if hasDefault(w.value) {
			defaults = append(defaults, w)
		}
	}
	d.Origin = x.written(g.path)
	if len(defaults) >= 2 {
		a, b := defaults[0], defaults[len(defaults)-1]
		at := x.module.origin(a.value.Pos())
		d.Code = "two-defaults"
		d.Origin, d.Also = x.module.origin(b.value.Pos()), []model.Origin{at}
		d.Summary = fmt.Sprintf("%s has two defaults: %s here and %s elsewhere", where, x.show(b.value), x.show(a.value))
		d.Detail = "defaults belong in the base only; an overlay writes the value itself"
		if v := defaultOf(b.value); v != nil {
			d.Hint = "write " + x.show(v) + " here"
		}
		return true
	}
	if len(defaults) == 1 && where.hasOwnDefault() {
		d.Code = "two-defaults"
		d.Origin = x.module.origin(defaults[0].value.Pos())
		d.Summary = fmt.Sprintf("%s has two defaults: %s here and that of the template", where, x.show(defaults[0].value))
		d.Detail = "what a template gives is a default already: any file can write another value, but only one"
		if v := defaultOf(defaults[0].value); v != nil {
			d.Hint = "write " + x.show(v) + " here"
		}
		return true
	}
	d.Code = "no-value"
	d.Summary = fmt.Sprintf("%s has no value", where)
	if len(decls) > 0 {
		d.Summary += ", only " + x.show(decls[len(decls)-1].value)
	}
	if a := allowed(where.definition, where.name); a != "" {
		d.Detail = "expected: " + a
	}
	d.Hint = "give it a value in " + x.module.rel(x.overlayDir()) + ", or a default here: *value | type"
	if n := len(decls); n > 0 && decls[n-1].indirect {
		d.Also = []model.Origin{d.Origin}
		d.Origin = x.resourceOrigin(g.path)
		d.Hint = "give it a value here; there it only says what it may be"
	}
	return true
}

func (x *explainer) cycle(g *group, where place, d *model.Diagnostic) bool {
	f := g.with(formatCycle)
	if f == nil {
		return false
	}
	d.Code = "endless"
	d.Summary = fmt.Sprintf("%s contains itself without end", where)
	d.Detail = "a definition may refer to itself only where the field is optional (name?: #Name)"
	d.Origin = x.firstUser(f, g)
	return true
}

// anything passes on what CUE says, in one line.
func (x *explainer) anything(g *group, where place, d *model.Diagnostic) {
	f := &g.errors[0]
	d.Code = "invalid"
	text := f.err.Error()
	if _, rest, ok := strings.Cut(text, ": "); ok && len(g.path) > 0 {
		text = rest
	}
	text = oneLine(strings.ReplaceAll(text, x.module.root+"/", ""))
	d.Summary = text
	if s := where.String(); s != "" {
		d.Summary = s + ": " + text
	}
	d.Origin = x.firstUser(f, g)
	if d.Origin.IsZero() {
		d.Origin = x.resourceOrigin(g.path)
	}
}
