package compiler

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"cuelang.org/go/cue"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// Role says what a place does to a value.
type Role string

// The roles.
const (
	// RoleValue states the value.
	RoleValue Role = "value"
	// RoleDefault states what counts where nobody states a value: *x | T.
	RoleDefault Role = "default"
	// RoleConstraint narrows what is allowed.
	RoleConstraint Role = "constraint"
)

// Layer says where in the configuration a place is.
type Layer string

// The layers.
const (
	// LayerBase are the shared files, envs/*.cue.
	LayerBase Layer = "base"
	// LayerOverlay are the files of the environment.
	LayerOverlay Layer = "overlay"
	// LayerPackage is another package of the module.
	LayerPackage Layer = "package"
	// LayerSchema is the schema of the tool.
	LayerSchema Layer = "schema"
)

// Contribution is one place that has a part in a value.
type Contribution struct {
	Origin model.Origin `json:"origin"`
	// Text is what stands there, on one line.
	Text  string `json:"text"`
	Role  Role   `json:"role"`
	Layer Layer  `json:"layer"`
	// Via is what brings the place to the value, where it does not stand at the
	// value itself: a definition or helper by name ("#Standard"), "for" or "if"
	// for a comprehension, "[...]" for a pattern.
	Via string `json:"via,omitempty"`
	// Value is what the place states by itself; nil for a constraint.
	Value any `json:"value"`
	// Wins: the value is what this place says. Several may say it.
	Wins bool `json:"wins"`
	// Sources are the places that the text takes its value from: what it refers to,
	// and the conditions and loops around it.
	Sources []Source `json:"sources"`
}

// Source is a place that a contribution refers to.
type Source struct {
	Origin model.Origin `json:"origin"`
	Text   string       `json:"text"`
}

// FieldExplanation is one field of an object with all places that contribute to it.
type FieldExplanation struct {
	// Path is the field as [model.JoinPath] writes it.
	Path  string
	Value any
	// Attribute: Descope has the field, too. Others say how the tool is to treat the
	// object, or what a template makes of it.
	Attribute bool
	// Contributions are those of the user's files, the base before the overlay. One of
	// the schema is among them only where the schema decides.
	Contributions []Contribution
}

// Explanation is where the fields of an object come from.
type Explanation struct {
	Environment Environment
	Key         model.Key
	// Path is the field that was asked for, "" for the whole object.
	Path string
	// Origin is where the object was written.
	Origin model.Origin
	// Fields are sorted by path.
	Fields []FieldExplanation
	// Excluded: enabled_in keeps the object out of the environment.
	Excluded bool
}

// Contributions explains an object of an environment: every field, or with a path
// the fields at and below it. A field that the schema knows and nobody wrote has no
// contributions and no value. The explanation is nil exactly if there is an error
// among the diagnostics, which are those of [Compile], or say that there is no such
// object or field, and what was probably meant.
func Contributions(ctx context.Context, m *Module, env string, key model.Key, path ...string) (*Explanation, model.Diagnostics) {
	return explained(ctx, m, env, func(c *compiled) (*Explanation, model.Diagnostics) { return c.contributions(key, path) })
}

// Explain is [Contributions] of what an address names: KIND/ID, or KIND/ID.FIELD with
// a field as [model.JoinPath] writes it. An id that holds a dot is found as it is; in
// quotes it is never mistaken for the field of another object.
func Explain(ctx context.Context, m *Module, env, address string) (*Explanation, model.Diagnostics) {
	return explained(ctx, m, env, func(c *compiled) (*Explanation, model.Diagnostics) {
		key, path, d := c.parseAddress(address)
		if d != nil {
			return nil, model.Diagnostics{*d}
		}
		return c.contributions(key, path)
	})
}

func explained(ctx context.Context, m *Module, env string, explain func(*compiled) (*Explanation, model.Diagnostics)) (*Explanation, model.Diagnostics) {
	c, diags := compile(ctx, m, env, true, true)
	if c == nil {
		return nil, diags
	}
	var e *Explanation
	more, problem := guarded(ctx, func() (d model.Diagnostics) {
		e, d = explain(c)
		return d
	})
	if problem != nil {
		more = model.Diagnostics{*problem}
	}
	if len(more) > 0 {
		return nil, append(diags, more...).Sort()
	}
	return e, diags
}

func (c *compiled) contributions(key model.Key, path []string) (*Explanation, model.Diagnostics) {
	i := slices.IndexFunc(c.tree.objects, func(o *object) bool { return o.key == key })
	if i < 0 {
		return nil, c.unknownObject(key)
	}
	o := c.tree.objects[i]
	t := &tracer{loaded: c.loaded, root: c.tree.value}
	e := &Explanation{
		Environment: c.result.Environment, Key: key, Path: model.JoinPath(path...),
		Origin: o.where.origin, Excluded: o.excluded, Fields: []FieldExplanation{},
	}
	t.leaves(e, nil, o.fields, o.value, o.isAttribute, o.shown(path))
	if len(path) == 0 {
		return e, nil
	}
	below := func(f FieldExplanation) bool {
		at, _ := model.SplitPath(f.Path)
		return len(at) >= len(path) && slices.Equal(at[:len(path)], path)
	}
	all := e.Fields
	e.Fields = slices.DeleteFunc(slices.Clone(all), func(f FieldExplanation) bool { return !below(f) })
	if len(e.Fields) > 0 {
		return e, nil
	}
	if !o.excluded && len(path) == 1 && slices.Contains(schemaFields()["#"+title(key.Kind)], path[0]) && path[0] != "id" {
		e.Fields = []FieldExplanation{{Path: model.JoinPath(path...), Attribute: o.isAttribute(path[0]), Contributions: []Contribution{}}}
		return e, nil
	}
	return nil, c.unknownPath(o, path, all)
}

// title is the definition of a kind: #Tenant, #Flow.
func title(k model.Kind) string {
	if k == model.Flow {
		return "Flow"
	}
	return "Tenant"
}

// shown decides which leaves of an object are listed. Of the many texts of a
// template only those that somebody wrote are, unless they are asked for.
func (o *object) shown(path []string) func(at []string, c []Contribution) bool {
	return func(at []string, c []Contribution) bool {
		byUser := slices.ContainsFunc(c, func(c Contribution) bool { return c.Layer != LayerSchema })
		return byUser || at[0] != "steps" || len(path) > 0 && path[0] == "steps"
	}
}

// leaves explains what is below a place of an object, in the order of the paths.
func (t *tracer) leaves(e *Explanation, at []string, fields map[string]any, v cue.Value, attribute func(string) bool, shown func([]string, []Contribution) bool) {
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if len(at) == 0 && name == "id" {
			continue
		}
		path := append(slices.Clip(at), name)
		value := v.LookupPath(cue.MakePath(cue.Str(name)))
		if below, ok := fields[name].(map[string]any); ok && len(below) > 0 && path[0] != "definition" {
			t.leaves(e, path, below, value, attribute, shown)
			continue
		}
		f := FieldExplanation{Path: model.JoinPath(path...), Value: fields[name], Attribute: attribute(path[0]), Contributions: t.contributions(value)}
		if shown(path, f.Contributions) {
			e.Fields = append(e.Fields, f)
		}
	}
}

func (c *compiled) unknownObject(key model.Key) model.Diagnostics {
	var known []string
	for _, o := range c.tree.objects {
		known = append(known, o.key.String())
	}
	return model.Diagnostics{{
		Severity: model.Error,
		Code:     "unknown-address",
		Summary:  fmt.Sprintf("there is no %s in environment %s", oneLine(name(key)), c.loaded.env),
		Detail:   didYouMean(key.String(), known, "eval shows what there is"),
		Hint:     c.explainCommand(model.Suggest(key.String(), known)),
		Key:      &key,
	}}
}

func (c *compiled) unknownPath(o *object, path []string, fields []FieldExplanation) model.Diagnostics {
	asked := model.JoinPath(path...)
	d := model.Diagnostic{
		Severity: model.Error,
		Code:     "unknown-field",
		Summary:  fmt.Sprintf("%s has no field %s", oneLine(name(o.key)), short(asked)),
		Key:      &o.key,
		Path:     asked,
		Origin:   o.where.origin,
	}
	var known []string
	for _, f := range fields {
		known = append(known, f.Path)
		if at, _ := model.SplitPath(f.Path); len(at) < len(path) && slices.Equal(at, path[:len(at)]) {
			d.Detail = "it ends at " + short(f.Path) + ", which is one value"
		}
	}
	if o.excluded {
		d.Summary = fmt.Sprintf("%s is not in environment %s, so it has no field %s there", oneLine(name(o.key)), c.loaded.env, short(asked))
		d.Detail = "enabled_in leaves it out"
	}
	written := slices.Clip(known)
	for _, field := range schemaFields()["#"+title(o.key.Kind)] {
		if field != "id" {
			known = append(known, field)
		}
	}
	address := o.key.String()
	if d.Detail == "" {
		d.Detail = didYouMean(asked, known, "without a field, explain shows all that it has")
		if meant := model.Suggest(asked, written); meant != "" {
			address += "." + meant
		}
	}
	d.Hint = c.explainCommand(address)
	return model.Diagnostics{d}
}
