package compiler

import (
	"slices"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/format"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// tree is an evaluated environment.
type tree struct {
	context     *cue.Context
	value       cue.Value
	environment map[string]any
	objects     []*object
}

// object is an evaluated resource: all its fields, as JSON values.
type object struct {
	key      model.Key
	fields   map[string]any
	excluded bool // by enabled_in; fields holds enabled_in only then
	value    cue.Value
	// decls and where are filled in by assemble, unless where is known before.
	decls []decl
	where positions
}

// evaluate is the one place that knows how an environment is evaluated: the
// whole instance at once. A quicker strategy has to give the same tree and the
// same problems. The tree counts only if there are no problems.
func evaluate(l *loaded) (*tree, []errors.Error) {
	ctx := cuecontext.New()
	v := ctx.BuildInstance(l.instance)
	t := &tree{context: ctx, value: v}
	w := &walker{}
	w.problems = mistakes(v)
	t.environment = map[string]any{}
	if e := v.LookupPath(cue.ParsePath("environment")); e.Exists() {
		w.path = []string{"environment"}
		t.environment, _ = w.value(e).(map[string]any)
	}
	for _, spec := range model.Kinds() {
		t.objects = append(t.objects, w.objects(v, spec, l.env)...)
	}
	t.objects = append(t.objects, l.takenObjects()...)
	return t, w.problems
}

// objects are the resources of a kind, as an environment has them.
func (w *walker) objects(v cue.Value, spec model.KindSpec, env string) []*object {
	all := v.LookupPath(cue.ParsePath(spec.Field))
	if !all.Exists() {
		return nil
	}
	enabledIn := cue.MakePath(cue.Str("enabled_in")) // ParsePath parses: once is enough
	var objects []*object
	w.path = []string{spec.Field}
	w.each(all, func(id string, field cue.Value) {
		o := &object{key: model.Key{Kind: spec.Kind, ID: id}, value: field}
		if where := field.LookupPath(enabledIn); where.Exists() {
			w.path = append(w.path, "enabled_in")
			if list, ok := w.value(where).([]any); ok {
				o.leaveOut(list, env)
			}
			w.path = w.path[:len(w.path)-1]
		}
		if !o.excluded {
			o.fields, _ = w.value(field).(map[string]any)
		}
		objects = append(objects, o)
	})
	return objects
}

// leaveOut leaves nothing of the object but enabled_in, in an environment that is not
// in the list.
func (o *object) leaveOut(enabledIn []any, env string) {
	if o.excluded = !slices.Contains(enabledIn, any(env)); o.excluded {
		o.fields = map[string]any{"enabled_in": enabledIn}
	}
}

// mistakes are what is wrong with an evaluated configuration, apart from values
// that are not there yet. An error in a field makes its struct one, so that only
// helpers have to be looked into where the whole is none.
func mistakes(v cue.Value) []errors.Error {
	if v.Err() != nil {
		return errors.Errors(v.Validate())
	}
	iter, err := v.Fields(cue.Hidden(true), cue.Definitions(true))
	if err != nil {
		return errors.Errors(err)
	}
	var problems []errors.Error
	for iter.Next() {
		if iter.Selector().LabelType() != cue.StringLabel {
			problems = append(problems, errors.Errors(iter.Value().Validate())...)
		}
	}
	return problems
}

// unknownFields are the fields at the top of the configuration that mean
// nothing; CUE lets them pass. They are looked for on the value, so that those
// made by a comprehension count.
func (l *loaded) unknownFields(v cue.Value) model.Diagnostics {
	iter, err := v.Fields(cue.Optional(true))
	if err != nil {
		return nil // v itself is wrong, and explained
	}
	known := []string{"environment"}
	for _, spec := range model.Kinds() {
		known = append(known, spec.Field)
	}
	var diags model.Diagnostics
	for iter.Next() {
		name := iter.Selector().Unquoted()
		if slices.Contains(known, name) {
			continue
		}
		d := unknownField(place{subject: "", field: ""}, name, known)
		d.Origin = l.userOriginOf(iter.Value())
		if decls := l.index.find(name); len(decls) > 0 {
			d.Origin = l.pos(decls[0].label.Pos())
		}
		if embed := l.embedded(); d.Origin.IsZero() && embed != nil {
			return model.Diagnostics{l.embeddedAtTop(embed)} // all of its fields are unknown here
		}
		l.rename(&d, name, model.Suggest(name, known))
		diags = append(diags, d)
	}
	return diags
}

// embedded finds an expression that stands at the top of a file of the user.
func (l *loaded) embedded() ast.Expr {
	for _, f := range l.instance.Files {
		if !l.module.isUserFile(f.Filename) {
			continue
		}
		for _, d := range f.Decls {
			if e, ok := d.(*ast.EmbedDecl); ok {
				if _, isStruct := e.Expr.(*ast.StructLit); !isStruct {
					return e.Expr
				}
			}
		}
	}
	return nil
}

func (l *loaded) embeddedAtTop(e ast.Expr) model.Diagnostic {
	text, err := format.Node(e)
	if err != nil {
		text = []byte("an expression")
	}
	return model.Diagnostic{
		Severity: model.Error,
		Code:     "embedded",
		Summary:  short(string(text)) + " stands at the top of a file",
		Detail:   "its fields become fields of the configuration itself",
		Hint:     "write it where its fields belong: tenants: \"some-id\": schema.#Tenant & {...}",
		Origin:   l.pos(e.Pos()),
	}
}

// userOriginOf finds where the user wrote a value that has no place in the
// index: the first of its conjuncts that is in a file of the user.
func (l *loaded) userOriginOf(v cue.Value) model.Origin {
	if o := l.pos(v.Pos()); !o.IsZero() {
		return o
	}
	_, parts := v.Expr()
	for _, p := range parts {
		if o := l.pos(p.Pos()); !o.IsZero() {
			return o
		}
	}
	return model.Origin{}
}
