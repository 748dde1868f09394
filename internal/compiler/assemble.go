package compiler

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// isPolicy reports whether a field says how a resource may be treated, or which
// one it is, and is no attribute.
func isPolicy(field string) bool {
	switch field {
	case "id", "enabled_in", "lifecycle", "imported", "custom_attributes_exclusive":
		return true
	}
	return false
}

// assemble makes the result out of the evaluated tree.
func (c *compiled) assemble() model.Diagnostics {
	l := c.loaded
	env := environmentOf(c.tree.environment)
	where := l.index.positions(l.index.find("environment"))
	env.Origin, env.Origins = where.origin, where.origins
	c.result.Environment = env
	diags := where.duplicates(place{subject: "environment"})
	resources := make([]model.Resource, 0, len(c.tree.objects))
	written := map[model.Kind]map[string][]decl{}
	for _, spec := range model.Kinds() {
		written[spec.Kind] = l.index.children(spec.Field)
	}
	for _, o := range c.tree.objects {
		where := o.where
		if where.origin.IsZero() {
			o.decls = written[o.key.Kind][o.key.ID]
			where = l.index.positions(o.decls)
		}
		if where.origin.IsZero() {
			where = l.generatedPositions(o.value)
		}
		o.where = where
		if len(where.twice) > 0 {
			diags = append(diags, where.duplicates(placeOf([]string{model.Spec(o.key.Kind).Field, o.key.ID}))...)
		}
		if o.excluded {
			c.result.Excluded = append(c.result.Excluded, o.key)
			continue
		}
		resources = append(resources, o.resource(where))
	}
	slices.SortFunc(c.result.Excluded, model.Key.Compare)
	state, err := model.NewState(resources)
	if err != nil {
		diags = append(diags, model.Diagnostic{Severity: model.Error, Code: "internal", Summary: err.Error()})
	}
	c.result.State = state
	return diags
}

// isAttribute tells the fields of an object that Descope has, too.
func (o *object) isAttribute(field string) bool {
	return !isPolicy(field) && (o.template() == "" || !isTemplateField(field))
}

func (o *object) resource(where positions) model.Resource {
	attrs := make(map[string]any, len(o.fields))
	for name, v := range o.fields {
		if o.isAttribute(name) {
			attrs[name] = v
		}
	}
	r := model.Resource{Key: o.key, Attrs: model.Sorted(o.key.Kind, attrs), Origin: where.origin, Origins: o.flowOrigins(where)}
	lifecycle, _ := o.fields["lifecycle"].(map[string]any)
	r.Policy.PreventDestroy, _ = lifecycle["prevent_destroy"].(bool)
	r.Policy.Ignore = model.Texts(lifecycle["ignore"])
	r.Policy.Imported, _ = o.fields["imported"].(bool)
	if exclusive, _ := o.fields["custom_attributes_exclusive"].(bool); exclusive {
		r.Policy.Exclusive = []string{"custom_attributes"}
	}
	return r
}

func environmentOf(fields map[string]any) Environment {
	var e Environment
	e.Name, _ = fields["name"].(string)
	e.ProjectID, _ = fields["project_id"].(string)
	e.Protected, _ = fields["protected"].(bool)
	e.BaseURL, _ = fields["base_url"].(string)
	if s, ok := fields["rate"].(string); ok {
		calls, seconds, _ := strings.Cut(strings.TrimSuffix(s, "s"), "/")
		e.Rate.Calls, _ = strconv.Atoi(calls) // the schema has checked the form
		n, _ := strconv.Atoi(seconds)
		e.Rate.Per = time.Duration(n) * time.Second
	}
	if connectors, ok := fields["connectors"].(map[string]any); ok {
		e.Connectors = make(map[string]string, len(connectors))
		for name, id := range connectors {
			e.Connectors[name], _ = id.(string)
		}
	}
	e.URLs = model.Texts(fields["urls"])
	return e
}

func (e Environment) fieldOrigin(name string) model.Origin {
	if o, ok := e.Origins[name]; ok {
		return o
	}
	return e.Origin
}
