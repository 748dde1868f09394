package schemadoc

import (
	"fmt"
	"slices"
	"strings"
)

// What the older spelling adds to the schema, as JSON Schema. Its words and rules are
// those of docs/yaml.md; internal/yamlconfig is what reads it.

// variable is what a text may hold instead of what a rule demands: its value is known
// when it is read.
const variable = `\$\{`

// keyReference is all that may stand for a management key.
const keyReference = `^\$\{([A-Za-z_][A-Za-z0-9_]*)?MANAGEMENT_KEY\}$`

// yamlDocument is a file: the configuration, or what an environment puts over it. The
// definitions that are given are changed into those of YAML.
func yamlDocument(t *translator, given Properties, overlay bool) (*Schema, Properties, error) {
	environment, err := t.definition("#Environment")
	if err != nil {
		return nil, nil, err
	}
	key := func() *Schema {
		return &Schema{Type: "string", Pattern: keyReference, Description: `the name of the variable that holds the management key, as "${DESCOPE_MANAGEMENT_KEY}"; never a key`}
	}
	environment.Properties = slices.DeleteFunc(environment.Properties, func(p Property) bool { return p.Name == "name" })
	environment.Properties = append(environment.Properties, Property{"management_key", key()})
	environment.Required = nil
	project := environment.Properties.get("project_id")
	// A placeholder of an example warns.
	*project = Schema{Description: project.Description, AnyOf: []*Schema{{Type: "string", Pattern: project.Pattern}, {Type: "string", Pattern: `\.\.\.$|^.{0,15}$`}}}
	given = append(given, Property{"Environment", environment})
	yamlTenant(given.get("Tenant"))
	yamlFlow(given.get("Flow"), overlay)
	section := func(text string, s *Schema) *Schema {
		return &Schema{Description: text, AnyOf: []*Schema{s, {Type: "null"}}}
	}
	root := &Schema{
		Type: "object",
		Properties: Properties{
			{"version", &Schema{Description: "of the spelling", Enum: raw(`"1.0"`, `"1"`, `1`)}},
			{"auth", section("what counts where an environment says nothing of it", &Schema{
				Type: "object", Additional: nothing(),
				Properties: Properties{
					{"project_id", &Schema{Type: "string", Description: "the project of environments that name none"}},
					{"management_key", key()},
				},
			})},
			{"environments", section("the environments by name", &Schema{
				Type: "object", Names: &Schema{Pattern: `^[A-Za-z0-9_-]+$`},
				Additional: &Schema{AnyOf: []*Schema{t.ref("#Environment"), {Type: "null"}}},
			})},
			{"tenants", section("the tenants of the project", &Schema{Type: "array", Items: t.ref("#Tenant")})},
			{"flows", section("the flows of the project", &Schema{Type: "array", Items: t.ref("#Flow")})},
			{"project", &Schema{Deprecated: true, Description: "means nothing here"}},
		},
		Additional: nothing(),
	}
	root.Description = "The older spelling, in YAML or JSON: tenants and flows are lists."
	if overlay {
		root.Description = "What is put over the configuration for one environment: .descope/NAME.yaml. null takes a field away."
	}
	return root, given, nil
}

func raw(values ...string) []rawMessage {
	out := make([]rawMessage, len(values))
	for i, v := range values {
		out[i] = rawMessage(v)
	}
	return out
}

// yamlTenant is an item of the list of tenants.
func yamlTenant(s *Schema) {
	s.Required = append([]string{"id"}, s.Required...)
	id := s.Properties.get("id")
	id.Description = "id of the tenant: 3 to 50 lower-case letters, digits and hyphens (over 30 warns: Descope's own limit)."
	domains := *s.Properties.get("domains")
	domains.Description = "stands for domains together with self_provisioning"
	s.Properties = append(s.Properties,
		Property{"selfProvisioningDomains", &domains},
		Property{"flow_ids", &Schema{Deprecated: true, Description: "means nothing here"}})
	s.AllOf = append(s.AllOf, &Schema{
		If:   &Schema{Required: []string{"selfProvisioningDomains"}},
		Then: &Schema{Properties: Properties{{"domains", nothing()}, {"self_provisioning", nothing()}}},
	})
}

// yamlFlow is an item of the list of flows. One with a flow_type and nothing else is
// only mentioned. Over another file, it need not say what that one does.
func yamlFlow(s *Schema, overlay bool) {
	s.Properties = append(Properties{{"id", &Schema{Type: "string", Description: "id of the flow; left out, the template is the id"}}}, s.Properties...)
	s.Properties = append(s.Properties, Property{"flow_type", &Schema{Deprecated: true, Description: "means nothing here"}})
	for _, rule := range s.AllOf {
		if rule.AnyOf != nil {
			rule.AnyOf = append(rule.AnyOf, &Schema{Required: []string{"flow_type"}})
		}
	}
	if overlay {
		s.AllOf = nil
	}
	s.AllOf = append(s.AllOf, &Schema{AnyOf: []*Schema{{Required: []string{"id"}}, {Required: []string{"template"}}}})
}

// yamlDefinitions changes what is true of all definitions in YAML: a text with rules may
// be a variable, and over another file nothing is required and null takes away.
func yamlDefinitions(defs Properties, overlay bool) {
	for i, p := range defs {
		ids := slices.Contains([]string{"Tenant", "Flow"}, p.Name)
		if overlay && p.Schema.Properties != nil {
			p.Schema.Required = slices.DeleteFunc(p.Schema.Required, func(name string) bool { return !ids || name != "id" })
			for j, field := range p.Schema.Properties {
				switch field.Name {
				case "id":
				case "enabled_in":
					p.Schema.Properties[j].Schema = nothing()
				default:
					p.Schema.Properties[j].Schema = orNull(field.Schema)
				}
			}
		}
		defs[i].Schema = orVariable(p.Schema)
	}
}

// orNull accepts null besides.
func orNull(s *Schema) *Schema {
	out := *s
	out.Description = ""
	return &Schema{Description: s.Description, Deprecated: s.Deprecated, AnyOf: []*Schema{&out, {Type: "null"}}}
}

// orVariable accepts a variable in the place of every text that has a rule.
func orVariable(s *Schema) *Schema {
	out := *s
	list := func(in []*Schema) []*Schema {
		copied := slices.Clone(in)
		for i, one := range copied {
			copied[i] = orVariable(one)
		}
		return copied
	}
	named := func(in Properties) Properties {
		copied := slices.Clone(in)
		for i, p := range copied {
			copied[i].Schema = orVariable(p.Schema)
		}
		return copied
	}
	for _, below := range []**Schema{&out.Items, &out.Additional, &out.Then, &out.Else} {
		if *below != nil {
			*below = orVariable(*below)
		}
	}
	out.AllOf, out.AnyOf, out.OneOf = list(s.AllOf), list(s.AnyOf), list(s.OneOf)
	out.Properties, out.Patterns = named(s.Properties), named(s.Patterns)
	texts := s.Pattern != "" || s.MinLength != "" || s.MaxLength != "" || isText(s.Const) || slices.ContainsFunc(s.Enum, isText)
	if !texts || s.Pattern == keyReference {
		return &out
	}
	description, value := out.Description, out.Default
	out.Description, out.Default = "", nil
	return &Schema{Description: description, Default: value, AnyOf: []*Schema{&out, {Type: "string", Pattern: variable}}}
}

func isText(value rawMessage) bool { return strings.HasPrefix(string(value), `"`) }

// Modeline is the first line of a YAML file that names its schema to editors.
func Modeline(path string) string { return fmt.Sprintf("# yaml-language-server: $schema=%s", path) }
