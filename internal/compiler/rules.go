package compiler

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// check applies the rules that CUE cannot express, or only slowly and with the
// wrong positions: those across resources and across environments.
func (c *compiled) check() model.Diagnostics {
	r := rules{compiled: c}
	r.environment()
	for _, o := range c.tree.objects {
		r.enabledIn(o)
		if o.key.Kind == model.Flow {
			r.flow(o)
		}
	}
	for _, res := range c.result.State.Resources() {
		r.ignored(res)
		if res.Key.Kind == model.Tenant {
			r.tenant(res)
		}
	}
	for _, spec := range model.Kinds() {
		for _, field := range spec.Unique {
			r.unique(spec.Kind, field)
		}
	}
	r.hierarchy()
	return r.diags
}

type rules struct {
	*compiled
	schema map[string][]string
	diags  model.Diagnostics
	// defaults are the paths of each resource that are given as a default.
	defaults map[model.Key][]string
}

// about starts a diagnostic about a field of a resource, or about the resource
// itself for the field "".
func about(res model.Resource, field string) model.Diagnostic {
	d := model.Diagnostic{Severity: model.Error, Key: &res.Key, Path: field, Origin: res.Origin}
	if field != "" {
		d.Origin = res.FieldOrigin(field)
	}
	return d
}

func (r *rules) add(d model.Diagnostic, code, format string, args ...any) *model.Diagnostic {
	d.Code, d.Summary = code, fmt.Sprintf(format, args...)
	r.diags = append(r.diags, d)
	return &r.diags[len(r.diags)-1]
}

// houseRule makes a diagnostic a warning for resources that were imported.
func houseRule(d model.Diagnostic, imported bool) model.Diagnostic {
	if imported {
		d.Severity = model.Warning
	}
	return d
}

// OfImported reports whether a diagnostic is a rule of the house that an imported tenant
// breaks. Nothing can be done about most of them, and there may be many.
func OfImported(d model.Diagnostic) bool {
	switch d.Code {
	case "imported-id", "imported-name", "taken-domain", "too-many-levels":
		return d.Severity == model.Warning && d.Key != nil
	}
	return false
}

func name(k model.Key) string { return string(k.Kind) + "/" + shownID(k.ID) }

// maxIDCharacters is where Descope's own console stops; ids of the API may be
// longer, so it is only a warning.
const maxIDCharacters = 30

func (r *rules) tenant(res model.Resource) {
	if n := utf8.RuneCountInString(res.Key.ID); n > maxIDCharacters {
		d := about(res, "")
		d.Severity = model.Warning
		w := r.add(d, "long-id", "%s: the id has %d characters", name(res.Key), n)
		w.Detail = fmt.Sprintf("Descope's own limit is %d", maxIDCharacters)
		w.Hint = "choose a shorter id now: it cannot be changed later"
	}
	if res.Policy.Imported {
		r.imported(res)
	}
	on, _ := res.Attrs["self_provisioning"].(bool)
	domains, written := res.Attrs["domains"].([]any)
	if on && len(domains) == 0 {
		d := about(res, "self_provisioning")
		d.Severity = model.Warning
		w := r.add(d, "no-domains", "%s: self_provisioning is true without domains", name(res.Key))
		w.Detail = "nobody can join by e-mail address until there is a domain"
		if !written {
			w.Detail = "domains that are live stay; a new tenant has none, and nobody can join"
		}
		w.Hint = `write domains: ["example.com"]`
	}
	if off := res.Attrs["self_provisioning"] == false; off && len(domains) > 0 && !r.chooses(res, "self_provisioning", "domains") {
		d := about(res, "domains")
		d.Severity = model.Warning
		d.Also = []model.Origin{res.FieldOrigin("self_provisioning")}
		w := r.add(d, "idle-domains", "%s: domains have no effect, since self_provisioning is false", name(res.Key))
		w.Detail = "they only say whose users may join by themselves, and none are sent"
		w.Hint = "take them out, or write self_provisioning: true"
	}
}

// chooses reports whether environments may differ in a field: it is given as a default,
// or written nearer to the environment than another field is.
func (r *rules) chooses(res model.Resource, field, than string) bool {
	if levelOf(res.FieldOrigin(field).File) > levelOf(res.FieldOrigin(than).File) {
		return true
	}
	if r.defaults == nil { // hardly anybody asks
		r.defaults = map[model.Key][]string{}
		for _, o := range r.tree.objects {
			r.defaults[o.key] = o.where.defaults
		}
	}
	return slices.Contains(r.defaults[res.Key], field)
}

// imported are the house rules of the schema as warnings: the schema does not
// apply them to tenants that were made outside.
func (r *rules) imported(res model.Resource) {
	d := about(res, "")
	d.Severity = model.Warning
	if !model.IsHouseID(res.Key.ID) {
		r.add(d, "imported-id", "%s: the id does not follow the rule of the house", name(res.Key)).Detail = "the rule: " + allowed("#Tenant", "id")
	}
	title, _ := res.Attrs["name"].(string)
	if n := utf8.RuneCountInString(title); n < 1 || n > model.MaxTenantName {
		d := about(res, "name")
		d.Severity = model.Warning
		r.add(d, "imported-name", "%s: the name has %d characters", name(res.Key), n).Detail = "the rule: " + allowed("#Tenant", "name")
	}
}

// unique checks a field whose values belong to one resource each; lists count
// element by element. Domains are compared without regard to case.
func (r *rules) unique(kind model.Kind, field string) {
	resources := r.result.State.Of(kind)
	if !anyTaken(resources, field) {
		return // hardly ever otherwise, so that the order is worth nothing before
	}
	type holder struct {
		res   *model.Resource
		value string
	}
	held := map[string]holder{}
	resources = slices.Clone(resources)
	slices.SortStableFunc(resources, func(a, b model.Resource) int { return compareOrigins(a.FieldOrigin(field), b.FieldOrigin(field)) })
	for i := range resources {
		res := &resources[i]
		_, isList := res.Attrs[field].([]any)
		eachValue(res, field, func(s, fold string) {
			other, taken := held[fold]
			if !taken {
				held[fold] = holder{res, s}
				return
			}
			if other.res.Key == res.Key {
				return // one domain in two spellings of one tenant
			}
			d := houseRule(about(*res, field), isList && res.Policy.Imported && other.res.Policy.Imported)
			d.Also = []model.Origin{other.res.FieldOrigin(field)}
			d.Detail = name(other.res.Key) + " has it"
			what := strings.TrimSuffix(field, "s")
			r.add(d, "taken-"+what, "%s: the %s %s is taken", name(res.Key), what, quoted(s))
		})
	}
}

// anyTaken reports whether two resources hold one value of a field.
func anyTaken(resources []model.Resource, field string) bool {
	held := make(map[string]string, len(resources))
	taken := false
	for i := range resources {
		id := resources[i].Key.ID
		eachValue(&resources[i], field, func(_, fold string) {
			if other, ok := held[fold]; ok && other != id {
				taken = true
			}
			held[fold] = id
		})
	}
	return taken
}

// eachValue calls f for the texts of a field, as written and as compared.
func eachValue(res *model.Resource, field string, f func(s, fold string)) {
	switch v := res.Attrs[field].(type) {
	case string:
		f(v, v)
	case []any:
		for _, e := range v {
			if s, ok := e.(string); ok {
				f(s, strings.ToLower(s))
			}
		}
	}
}

func compareOrigins(a, b model.Origin) int {
	return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
}

// enabledIn checks the names of environments, and that only the shared
// definitions have them: an overlay could not extend the list.
func (r *rules) enabledIn(o *object) {
	d := model.Diagnostic{Severity: model.Error, Key: &o.key, Path: "enabled_in", Origin: cmp.Or(o.where.origins["enabled_in"], o.where.origin)}
	for _, env := range model.Texts(o.fields["enabled_in"]) {
		if !slices.Contains(r.loaded.environments, env) {
			d := r.add(d, "enabled-in", "%s: enabled_in names %s, which is no environment", name(o.key), quoted(env))
			d.Detail = didYouMean(env, r.loaded.environments, "there are: "+strings.Join(r.loaded.environments, ", "))
			r.loaded.rename(d, env, model.Suggest(env, r.loaded.environments))
		}
	}
	for _, part := range o.decls {
		part.members(func(field string, at decl) {
			if field != "enabled_in" || at.dir != r.loaded.overlayDir() {
				return
			}
			d.Origin = r.loaded.module.origin(at.label.Pos())
			enabledInOverlay(&d, name(o.key))
			r.diags = append(r.diags, d)
		})
	}
}

func enabledInOverlay(d *model.Diagnostic, subject string) {
	d.Code = "enabled-in-overlay"
	d.Summary = subject + ": enabled_in is written in an overlay"
	d.Detail = "only the shared definitions in envs/ say which environments have a resource"
	d.Hint = "move it to envs/"
}

// ignored checks the fields that lifecycle.ignore names: a misspelt one would
// protect nothing.
func (r *rules) ignored(res model.Resource) {
	if len(res.Policy.Ignore) == 0 {
		return
	}
	definition := "#Tenant"
	if res.Key.Kind == model.Flow {
		definition = "#Flow"
	}
	var fields []string
	if r.schema == nil {
		r.schema = schemaFields() // parses the schema: only where it is needed
	}
	for _, f := range r.schema[definition] {
		if !isPolicy(f) {
			fields = append(fields, f)
		}
	}
	for _, path := range res.Policy.Ignore {
		elements, ok := model.SplitPath(path)
		if ok && slices.Contains(fields, elements[0]) {
			continue
		}
		d := r.add(about(res, "lifecycle.ignore"), "ignore", "%s: lifecycle.ignore names %s, which is no field", name(res.Key), quoted(path))
		d.Detail = didYouMean(path, fields, "fields: "+strings.Join(fields, ", "))
		r.loaded.rename(d, path, model.Suggest(path, fields))
	}
}
