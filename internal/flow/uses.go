package flow

import (
	"cmp"
	"slices"
	"strings"
)

// UseKind is what a flow may refer to outside of itself. The texts are stable.
type UseKind string

// The kinds. Connectors have an id, which differs in every project, and roles
// an id or a name; everything else goes by its name.
const (
	UseConnector UseKind = "connector"
	UseRole      UseKind = "role"
	// UseFlow is a flow that runs inside this one.
	UseFlow UseKind = "flow"
	// UseInteraction is an exit of such a flow: one of its shared interactions.
	UseInteraction UseKind = "interaction"
	// UseAttribute is a custom attribute of users.
	UseAttribute UseKind = "attribute"
	// UseTenantAttribute is a custom attribute of tenants.
	UseTenantAttribute UseKind = "tenant-attribute"
	UseList            UseKind = "list"
	// UseTemplate is a text of an e-mail or message, by its id, which nothing names.
	// Descope: the default of the project is used where there is none.
	UseTemplate UseKind = "template"
	// UseAsset is a file of a project snapshot. Descope: there, "asset:" and a
	// digest stands for a script, a picture or a long text.
	UseAsset UseKind = "asset"
)

// Use is one place at which a flow refers to something outside of itself.
type Use struct {
	Kind UseKind `json:"kind"`
	// ID is the id, or the name, as it is written there.
	ID string `json:"id"`
	// Name is the name of what ID stands for: the references of the document
	// have it, or ID is the name of a role. It is "" for an id that nothing
	// names, and for what has no id.
	Name string `json:"name,omitempty"`
	// Flow is the flow that an interaction is an exit of.
	Flow string `json:"flow,omitempty"`
	Task string `json:"task,omitempty"`
	// Path is the place in the exported spelling, such as
	// contents.tasks["1.end"].arguments.connectorId.value.
	Path string `json:"path"`
}

func (u Use) compare(o Use) int {
	return cmp.Or(strings.Compare(string(u.Kind), string(o.Kind)), strings.Compare(u.ID, o.ID), CompareIDs(u.Path, o.Path))
}

// byID reports whether ID is an id that a project gave out.
func (u Use) byID() bool {
	return u.Kind == UseConnector || u.Kind == UseTemplate || u.Kind == UseRole && u.ID != u.Name
}

// Uses are all things outside of the document that it refers to, sorted by kind,
// id and place. What is known only when the flow runs, such as {{form.role}}, is
// not among them, nor are the copies of screens that tasks hold. Descope: nothing
// in a flow lists what it needs; this is what was seen in exports.
func (f Flow) Uses() []Use {
	c := &collector{flow: f, names: f.idNames()}
	eachText(f.withoutDerived(), nil, c.text)
	for _, t := range f.Tasks() {
		c.exits(t)
		c.lists(t)
	}
	references := object(f.doc["references"])
	c.named(references, "userAttributes", UseAttribute)
	c.named(references, "tenantAttributes", UseTenantAttribute)
	slices.SortFunc(c.out, Use.compare)
	return slices.CompactFunc(c.out, func(a, b Use) bool { return a.compare(b) == 0 })
}

// usesByPlace are the uses in the order of their places.
func (f Flow) usesByPlace() []Use {
	uses := f.Uses()
	slices.SortStableFunc(uses, func(a, b Use) int { return CompareIDs(a.Path, b.Path) })
	return uses
}

// collector is one run of Uses.
type collector struct {
	flow  Flow
	names map[UseKind]map[string]string
	out   []Use
}

func (c *collector) add(kind UseKind, id string, path []any) {
	c.addOf("", kind, id, path)
}

func (c *collector) addOf(flow string, kind UseKind, id string, path []any) {
	if id == "" || strings.Contains(id, "{{") {
		return
	}
	u := Use{Kind: kind, ID: id, Name: c.names[kind][id], Flow: flow, Path: jsonPath(path...)}
	if len(path) > 2 && path[0] == "contents" {
		u.Task, _ = path[2].(string)
	}
	if kind == UseRole && u.Name == "" && !looksLikeID(id) {
		u.Name = id
	}
	c.out = append(c.out, u)
}

// text looks at one text of the document.
func (c *collector) text(path []any, s string) {
	if path[0] == "references" {
		return
	}
	if strings.HasPrefix(s, assetPrefix) {
		c.add(UseAsset, s, path)
		return
	}
	argument := c.argument(path)
	switch {
	case argument == "connectorId" || translationConnector(path) && s != "manual":
		c.add(UseConnector, s, path)
		return
	case argument == "templateId" && endsRandomly(s):
		c.add(UseTemplate, s, path)
		return
	case argument == "flowId":
		c.add(UseFlow, s, path)
		return
	case rolesArgument(argument):
		for _, name := range strings.Split(s, ",") {
			c.add(UseRole, strings.TrimSpace(name), path)
		}
		return
	}
	for _, kind := range []UseKind{UseConnector, UseRole} {
		if strings.HasPrefix(s, idPrefix(kind)) && looksLikeID(s) || argument != "" && c.names[kind][s] != "" {
			c.add(kind, s, path)
			return
		}
	}
	if path[0] == "contents" || path[0] == "screens" {
		c.attributes(path, s)
	}
}

// argument is the name of the argument whose value is at a place, or "" if it is
// somewhere else, or known only when the flow runs.
func (c *collector) argument(path []any) string {
	if !inArgument(path) {
		return ""
	}
	task, _ := path[2].(string)
	name, _ := path[4].(string)
	if t, _ := c.flow.Task(task); text(object(object(t.doc["arguments"])[name])["type"]) == "context" {
		return ""
	}
	return name
}

// rolesArgument reports whether an argument holds names of roles. Descope:
// tenantRoles is a list of names with commas.
func rolesArgument(name string) bool {
	return name == "roles" || strings.HasSuffix(name, "Roles") || strings.HasSuffix(name, "RoleNames") || name == "roleNames"
}

// attributes finds customAttributes.<name> in a text. Descope: user properties,
// targets of conditions and templates such as {{user.customAttributes.plan}}.
func (c *collector) attributes(path []any, s string) {
	const marker = "customAttributes."
	for {
		before, after, found := strings.Cut(s, marker)
		if !found {
			return
		}
		end := strings.IndexFunc(after, func(r rune) bool { return r != '_' && r != '-' && !letterOrDigit(r) })
		if end < 0 {
			end = len(after)
		}
		kind := UseAttribute
		if strings.HasSuffix(before, "tenant.") {
			kind = UseTenantAttribute
		}
		c.add(kind, after[:end], path)
		s = after[end:]
	}
}

// named are the things that the references list by name alone. Descope: its API
// documents lists of attributes there; none was seen in an export.
func (c *collector) named(references map[string]any, field string, kind UseKind) {
	for i, v := range list(references[field]) {
		c.add(kind, cmp.Or(text(v), text(object(v)["name"])), []any{"references", field, i})
	}
}
