package compiler

import (
	"regexp"
	"slices"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/build"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// templateOf is the template of the flow that a path leads into.
func (x *explainer) templateOf(path []string) (Template, bool) {
	if len(path) < 2 || path[0] != "flows" {
		return Template{}, false
	}
	v := x.tree.value.LookupPath(cue.MakePath(cue.Str("flows"), cue.Str(path[1]), cue.Str("template")))
	s, err := v.String()
	if err != nil {
		return Template{}, false
	}
	return templateNamed(s)
}

// place is placeOf, with the options of a template told by its own definition.
func (x *explainer) place(path []string) place {
	p := placeOf(path)
	if len(path) > 3 && path[0] == "flows" && path[2] == "config" {
		if t, ok := x.templateOf(path); ok {
			p.definition = t.config
			p.name = path[3] + strings.Repeat("[]", len(path)-4)
		}
	}
	return p
}

// madeByTemplate reports whether an error is about what a template makes of its
// options: it cannot be right where they are wrong, and says nothing new.
func (x *explainer) madeByTemplate(g *group) bool {
	if len(g.path) < 3 || g.path[0] != "flows" || g.with(formatNotAllowed) != nil {
		return false
	}
	if _, ok := x.templateOf(g.path); !ok {
		return false
	}
	return g.path[2] != "template" && g.path[2] != "config" && len(x.index.find(g.path...)) == 0
}

// both explains a definition beside a template: the two are hardly ever equal.
func (x *explainer) both(g *group, where place, d *model.Diagnostic) bool {
	if len(g.path) < 3 || g.path[0] != "flows" || g.path[2] != "definition" {
		return false
	}
	if _, ok := x.templateOf(g.path); !ok || len(x.index.find(g.path[:3]...)) == 0 {
		return false
	}
	d.Code, d.Path = "template-or-definition", ""
	d.Summary = where.subject + " has both template and definition"
	d.Detail = oneOfTheTwo
	d.Origin = x.resourceOrigin(g.path)
	return true
}

// otherTemplate explains a template that is not the one of the definition that
// the flow is made of.
func (x *explainer) otherTemplate(g *group, where place, d *model.Diagnostic) bool {
	f := g.with(formatConflict)
	if where.definition != "#Flow" || where.name != "template" || f == nil || len(f.user) == 0 {
		return false
	}
	pos := x.valuePos(g)
	written, err := unquoteCUE(x.valueOf(f, g, pos))
	if _, known := templateNamed(written); err != nil || !known {
		return false
	}
	d.Code, d.Origin = "conflicting-values", x.pos(pos)
	d.Summary = where.subject + ": template is " + quoted(written) + " here, but another one in the definition that the flow is made of"
	d.Detail = "a flow has one template"
	d.Hint = "remove it here"
	return true
}

// undecided explains a template that is only known by its type, so that nobody
// can say what the flow is made of.
func (x *explainer) undecided(g *group, _ place, d *model.Diagnostic) bool {
	f := g.with(formatUnresolved)
	if f == nil || len(g.path) < 2 || g.path[0] != "flows" {
		return false
	}
	path := append(slices.Clone(g.path[:2]), "template")
	decls := x.index.find(path...)
	if len(decls) == 0 {
		return false
	}
	d.Code, d.Path = "no-value", "template"
	d.Summary = placeOf(path).String() + " has no value, only " + x.show(decls[len(decls)-1].value)
	d.Detail = "expected: " + allowed("#Flow", "template")
	d.Hint = "give it a value in " + x.module.rel(x.overlayDir()) + ", or a default here: *value | type"
	d.Origin = x.written(path)
	return true
}

// hasOwnDefault tells what a template gives a default, so that the user cannot
// give it another.
func (p place) hasOwnDefault() bool {
	if p.definition == "#Flow" {
		return strings.HasPrefix(p.name, "steps[")
	}
	for _, t := range templates() {
		if t.config == p.definition {
			i := slices.IndexFunc(t.Fields, func(f TemplateField) bool { return f.Name == p.name })
			return i >= 0 && t.Fields[i].Default != ""
		}
	}
	return false
}

// unknownInSteps explains a step, node or text that the template does not have.
// CUE may name a field below it.
func (x *explainer) unknownInSteps(g *group, f *finding, d *model.Diagnostic) bool {
	for n := 3; n < len(g.path); n++ {
		fields := x.templateFields(g.path[:n])
		if fields == nil || slices.Contains(fields, g.path[n]) {
			continue
		}
		u := unknownField(placeOf(g.path[:n]), g.path[n], fields)
		u.Key, u.Path, u.Raw = d.Key, model.JoinPath(g.path[2:n+1]...), d.Raw
		u.Origin = x.written(g.path[:n+1])
		if n == len(g.path)-1 && len(f.user) > 0 {
			u.Origin = x.pos(f.user[0])
		}
		x.rename(&u, g.path[n], model.Suggest(g.path[n], fields))
		*d = u
		return true
	}
	return false
}

// templateFields are the fields that a template has in a place of its steps: the
// steps, their nodes, and the texts of those.
func (x *explainer) templateFields(path []string) []string {
	t, ok := x.templateOf(path)
	if !ok || len(path) < 3 || path[2] != "steps" {
		return nil
	}
	i := slices.IndexFunc(x.instance.Imports, func(i *build.Instance) bool { return i.ImportPath == x.module.path+"/"+schemaDir })
	if i < 0 {
		return nil
	}
	v := x.tree.context.BuildInstance(x.instance.Imports[i]).LookupPath(cue.ParsePath(t.Definition))
	config := x.tree.value.LookupPath(cue.MakePath(cue.Str("flows"), cue.Str(path[1]), cue.Str("config")))
	if config.Exists() && config.Validate(cue.Concrete(true)) == nil {
		v = v.FillPath(cue.ParsePath("config"), config)
	}
	for _, name := range path[2:] {
		v = v.LookupPath(cue.MakePath(cue.Str(name)))
	}
	iter, err := v.Fields()
	if err != nil {
		return nil
	}
	var names []string
	for iter.Next() {
		names = append(names, iter.Selector().Unquoted())
	}
	slices.Sort(names)
	return names
}

// choice is the one of the words in a description that was probably meant.
func choice(word, description string) string {
	var words []string
	for _, m := range regexp.MustCompile(`"([^"]+)"`).FindAllStringSubmatch(description, -1) {
		words = append(words, m[1])
	}
	return model.Suggest(word, words)
}
