package yamlconfig

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// Tree is what a configuration says of one environment, in the form of the schema:
// three mappings, with all variables replaced and the file of the environment merged
// over the base.
type Tree struct {
	Environment *Node
	Tenants     *Node
	Flows       *Node
	// Variables are those that have gone into it, by name, with a place of each.
	Variables map[string]model.Origin
}

// minProjectID is what a project id has at least. What is shorter, or ends in "...", is
// a placeholder of an example: real ones have 28 or 32 characters.
const minProjectID = 16

// Environment builds the tree of an environment. It is nil exactly if there is an error
// among the diagnostics.
func (c *Config) Environment(name string) (*Tree, model.Diagnostics) {
	if !slices.Contains(c.names, name) {
		return nil, model.Diagnostics{mistake(model.Origin{}, "unknown-environment", "there is no environment "+quoted(name))}
	}
	b := &builder{config: c, env: name, expander: expander{lookup: c.lookup, files: c.files, used: map[string]model.Origin{}}}
	t := &Tree{Variables: b.used}
	own := c.own[name]
	t.Environment = b.environment(own)
	if own == nil {
		own = &document{}
	}
	b.warnings = slices.Concat(b.warnings, c.base.warnings, own.warnings)
	t.Tenants = b.resources(model.Tenant, c.base.tenants, own.tenants)
	t.Flows = b.resources(model.Flow, c.base.flows, own.flows)
	diags := append(b.warnings, b.diags...).Sort()
	if len(b.diags) > 0 {
		return nil, diags
	}
	return t, diags
}

// KeyVariable is the name of the variable that the configuration names for the
// management key of an environment, or "".
func (c *Config) KeyVariable(env string) string {
	for _, doc := range []*document{c.own[env], c.base} {
		if doc == nil {
			continue
		}
		for _, section := range []*Node{doc.environment.Get(env), doc.auth} {
			if key := section.Get("management_key"); key != nil && key.Kind == Text {
				return onlyVariable(key.Text)
			}
		}
	}
	return ""
}

// builder makes the tree of one environment.
type builder struct {
	expander
	config   *Config
	env      string
	warnings model.Diagnostics
}

// environment merges what the files say of the environment itself. What auth says of
// the project counts where the environment itself does not name one.
func (b *builder) environment(own *document) *Node {
	base := b.config.base
	at := base.environmentAt(b.env)
	out := &Node{Kind: Map, At: at, Fields: []Field{{"name", at, &Node{Kind: Text, Text: b.env, At: at}}}}
	docs := []*document{base}
	if own != nil {
		docs = append(docs, own)
	}
	var project *Field
	for _, doc := range docs {
		if auth := fieldOf(doc.auth, "project_id"); auth != nil && auth.Value.Kind != Null {
			project = auth
		}
	}
	for _, doc := range docs {
		if section := doc.environment.Get(b.env); section != nil && section.Kind == Map {
			out = mergeFields(out, section.without("management_key"), false)
		}
	}
	if out.Get("project_id") == nil && project != nil {
		out = out.with(*project)
	}
	out = b.expand(out)
	return b.withoutPlaceholder(out)
}

func fieldOf(n *Node, name string) *Field {
	if n == nil {
		return nil
	}
	for i := range n.Fields {
		if n.Fields[i].Name == name {
			return &n.Fields[i]
		}
	}
	return nil
}

// withoutPlaceholder takes a project id away that is that of an example. Nothing can be
// planned without one, so it is a warning. A variable without a value is reported already.
func (b *builder) withoutPlaceholder(env *Node) *Node {
	id := env.Get("project_id")
	if id == nil || id.Kind != Text || strings.Contains(id.Text, "${") || len(id.Text) >= minProjectID && !strings.HasSuffix(id.Text, "...") {
		return env
	}
	d := warning(id.At, "placeholder", fmt.Sprintf("environment %s: project_id %s is a placeholder, so it has no project yet", b.env, quoted(id.Text)))
	d.Detail = "expected: P and 27 letters or digits, or with a region P, its 4 characters and 27 more"
	d.Path = "project_id"
	b.warnings = append(b.warnings, d)
	return env.without("project_id")
}

// resources merges the resources of one kind: those of the base, and over them those of
// the environment's own file, by id.
func (b *builder) resources(kind model.Kind, base, own *Node) *Node {
	out := &Node{Kind: Map}
	index := map[string]int{}
	if base != nil {
		out.At = base.At
	} else if own != nil {
		out.At = own.At
	}
	for _, e := range b.entries(kind, base) {
		index[e.Name] = len(out.Fields)
		out.Fields = append(out.Fields, e)
	}
	for _, e := range b.entries(kind, own) {
		if enabled := fieldOf(e.Value, "enabled_in"); enabled != nil {
			d := mistake(enabled.At, "enabled-in-overlay", fmt.Sprintf("%s/%s: enabled_in is written in the file of an environment", kind, shortText(e.Name)))
			d.Detail = "only " + b.config.File() + " says which environments have a resource"
			d.Hint = "move it there"
			b.diags = append(b.diags, d)
		}
		if i, known := index[e.Name]; known {
			out.Fields[i].Value = mergeFields(out.Fields[i].Value, e.Value, false)
			continue
		}
		out.Fields = append(out.Fields, e)
	}
	for i := range out.Fields {
		out.Fields[i].Value = withoutNulls(out.Fields[i].Value, own)
	}
	if kind == model.Flow {
		out.Fields = slices.DeleteFunc(out.Fields, b.onlyMentioned)
	}
	for i := range out.Fields {
		out.Fields[i].Value = out.Fields[i].Value.without("flow_type", "flow_ids")
	}
	return out
}

// onlyMentioned reports whether a flow is there for others to refer to: it has the
// flow_type of an older spelling and says nothing of what the flow does.
func (b *builder) onlyMentioned(f Field) bool {
	if f.Value.Get("flow_type") == nil || f.Value.Get("template") != nil || f.Value.Get("definition") != nil {
		return false
	}
	d := warning(f.At, "not-managed", fmt.Sprintf("flow/%s has neither template nor definition, so it is not managed", shortText(f.Name)))
	d.Detail = "with one of the two, it would be"
	b.warnings = append(b.warnings, d)
	return true
}

// entries are the resources of a section by id, with their variables replaced.
func (b *builder) entries(kind model.Kind, section *Node) []Field {
	if section == nil {
		return nil
	}
	name := model.Spec(kind).Field
	first := map[string]model.Origin{}
	var out []Field
	for i, item := range section.Items {
		where := fmt.Sprintf("%s[%d]", name, i)
		if item.Kind != Map {
			d := mistake(item.At, "wrong-value", fmt.Sprintf("%s is %s", where, item.Kind))
			d.Detail = "expected: a mapping with an id"
			b.diags = append(b.diags, d)
			continue
		}
		item = b.expand(item)
		id := fieldOf(item, "id")
		if id == nil && kind == model.Flow {
			id = fieldOf(item, "template")
		}
		if id == nil || id.Value.Kind != Text {
			b.noID(kind, where, item, id)
			continue
		}
		key := id.Value.Text
		if before, again := first[key]; again {
			d := mistake(id.Value.At, "duplicate-id", fmt.Sprintf("%s/%s is written twice", kind, shortText(key)))
			d.Detail = "an id is that of one " + string(kind)
			d.Hint = "give one of them another id, or remove it"
			d.Also = []model.Origin{before}
			d.Key = &model.Key{Kind: kind, ID: key}
			b.diags = append(b.diags, d)
			continue
		}
		first[key] = id.Value.At
		value := b.spelling(kind, key, item.without("id"))
		if id.Value.Comment != "" && id.Name == "id" {
			value = withComment(value.withoutComment(), strings.TrimSpace(item.Comment+"\n"+id.Value.Comment))
		}
		out = append(out, Field{Name: key, At: id.Value.At, Value: value})
	}
	return out
}

func (b *builder) noID(kind model.Kind, where string, item *Node, id *Field) {
	d := mistake(item.At, "missing-field", where+" has no id")
	d.Detail = "required: the id of the " + string(kind) + ", such as id: acme-corp"
	if kind == model.Flow {
		d.Detail = "required: id, or template, which is the id then"
	}
	if id != nil {
		d = mistake(id.Value.At, "wrong-value", fmt.Sprintf("%s: id is %s", where, id.Value.Kind))
		d.Detail = "expected: text"
		if id.Value.Kind == Number || id.Value.Kind == Bool {
			d.Hint = fmt.Sprintf("write id: %q", id.Value.Text)
		}
	} else {
		for _, f := range item.Fields {
			if model.Suggest(f.Name, []string{"id"}) != "" {
				d.Hint = fmt.Sprintf("did you mean id instead of %s?", shortText(f.Name))
			}
		}
	}
	b.diags = append(b.diags, d)
}

// spelling brings the older names of fields into those of the schema, and warns of what
// means nothing any more.
func (b *builder) spelling(kind model.Kind, id string, item *Node) *Node {
	subject := string(kind) + "/" + shortText(id)
	meaningless := map[model.Kind]string{model.Tenant: "flow_ids", model.Flow: "flow_type"}[kind]
	if f := fieldOf(item, meaningless); f != nil {
		d := warning(f.At, "ignored-key", fmt.Sprintf("%s: %s means nothing here and is left out", subject, meaningless))
		d.Detail = "which flows users meet is not a property of a tenant"
		if kind == model.Flow {
			d.Detail = "what a flow is for follows from its template or definition"
		}
		b.warnings = append(b.warnings, d)
	}
	alias := fieldOf(item, aliasDomains)
	if kind != model.Tenant || alias == nil {
		return item
	}
	for _, other := range []string{"domains", "self_provisioning"} {
		if f := fieldOf(item, other); f != nil {
			d := mistake(f.At, "alias", fmt.Sprintf("%s has both %s and %s", subject, aliasDomains, other))
			d.Detail = aliasDomains + " stands for domains together with self_provisioning"
			d.Hint, d.Also = "remove "+aliasDomains, []model.Origin{alias.At}
			b.diags = append(b.diags, d)
			return item.without(aliasDomains)
		}
	}
	on := &Node{Kind: Bool, Text: fmt.Sprint(len(alias.Value.Items) > 0), At: alias.Value.At}
	return item.without(aliasDomains).with(Field{"domains", alias.At, alias.Value}, Field{"self_provisioning", alias.At, on})
}

// aliasDomains is the name on the wire for what are two fields here: the domains whose
// users may join.
const aliasDomains = "selfProvisioningDomains"

// mergeFields is a mapping with another one over it: mappings are merged, all else is
// replaced. null takes away what the base has, but for attributes, where it is a value.
func mergeFields(base, over *Node, nullIsValue bool) *Node {
	out := *base
	out.Fields = slices.Clone(base.Fields)
	for _, f := range over.Fields {
		i := slices.IndexFunc(out.Fields, func(have Field) bool { return have.Name == f.Name })
		switch {
		case i < 0:
			out.Fields = append(out.Fields, f)
		case f.Value.Kind == Null && !nullIsValue:
			out.Fields = slices.Delete(out.Fields, i, i+1)
		case f.Value.Kind == Map && out.Fields[i].Value.Kind == Map && f.Name != "definition":
			out.Fields[i].Value = mergeFields(out.Fields[i].Value, f.Value, nullIsValue || f.Name == "custom_attributes")
		default:
			out.Fields[i] = f
		}
	}
	return &out
}

// withoutNulls takes nulls of the environment's own file away that had nothing to take
// away.
func withoutNulls(n, own *Node) *Node {
	if own == nil {
		return n
	}
	out := *n
	out.Fields = slices.DeleteFunc(slices.Clone(n.Fields), func(f Field) bool {
		return f.Value.Kind == Null && f.Value.At.File == own.At.File
	})
	return &out
}

// Files are the names of the files that have been read, sorted.
func (c *Config) Files() []string { return slices.Sorted(maps.Keys(c.files)) }
