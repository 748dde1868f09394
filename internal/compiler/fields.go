package compiler

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/parser"

	"pcconnect.ai/descope-mgmt/internal/model"
	src "pcconnect.ai/descope-mgmt/internal/source"
)

// place is where in the configuration a value stands, in the words of the user.
type place struct {
	key     *model.Key // the resource, if it is in one
	subject string     // "tenant/acme-corp", "environment", or ""
	field   string     // the rest of the path as it is shown, "" for the subject itself
	path    string     // the rest of the path, without the elements of lists
	// definition is the definition of the schema that holds the field.
	definition string
	// name is the field within the definition; list elements and map entries
	// are "domains[]" and "custom_attributes[]".
	name string
}

// placeOf tells a path of the evaluated configuration.
func placeOf(path []string) place {
	if len(path) == 0 {
		return place{definition: "#Config"}
	}
	p := place{subject: path[0], definition: "#Config", name: path[0]}
	rest := path[1:]
	switch path[0] {
	case "environment":
		p.definition, p.name = "#Environment", ""
	case "tenants", "flows":
		p.name += "[]"
		if len(rest) == 0 {
			p.name = path[0]
			break
		}
		kind := model.Tenant
		p.definition = "#Tenant"
		if path[0] == "flows" {
			kind, p.definition = model.Flow, "#Flow"
		}
		key := model.Key{Kind: kind, ID: rest[0]}
		p.key, p.subject, p.name = &key, string(kind)+"/"+shownID(rest[0]), ""
		rest = rest[1:]
	default:
		if strings.HasSuffix(path[0], "[]") { // "for[]"
			return place{field: "a comprehension"}
		}
		return place{field: short(strings.Join(path, "."))}
	}
	if len(rest) == 0 {
		return p
	}
	p.path = model.JoinPath(rest...)
	if n := len(rest) - 1; isElement(path) {
		p.path = model.JoinPath(rest[:n]...)
		p.field = fmt.Sprintf("%s[%s]", short(p.path), rest[n])
	} else {
		p.field = short(p.path)
	}
	if rest[0] == "lifecycle" && len(rest) > 1 {
		p.definition, rest = "#Lifecycle", rest[1:]
	}
	p.name = rest[0] + strings.Repeat("[]", len(rest)-1)
	return p
}

// isElement tells an element of a list from a field whose name is a number.
func isElement(path []string) bool {
	n := len(path) - 1
	if n < 2 {
		return false
	}
	if _, err := strconv.Atoi(path[n]); err != nil {
		return false
	}
	switch path[n-1] {
	case "domains", "default_roles", "enabled_in", "ignore":
		return n > 2
	case "urls":
		return path[0] == "environment"
	}
	return n == 4 && (path[2] == "custom_attributes" || path[0] == "flows" && path[2] == "config")
}

// shownID is an id in a message: as it is where it is plain.
func shownID(id string) string {
	if q := quoted(id); q != `"`+id+`"` || strings.ContainsAny(id, " /") || id == "" {
		return q
	}
	return id
}

// String is the place at the start of a sentence.
func (p place) String() string {
	switch {
	case p.subject == "":
		return p.field
	case p.field == "":
		return p.subject
	default:
		return p.subject + ": " + p.field
	}
}

// onOff is what is allowed in a field that is a bool.
const onOff = "true or false"

// allowed says in words what may stand in a field of the schema.
func allowed(definition, name string) string { return allowedValues()[definition+" "+name] }

func allowedValues() map[string]string {
	const (
		text      = "a string"
		lifecycle = "{prevent_destroy: true} or {ignore: [a list of fields]}"
		url       = `an http or https URL without spaces, or "" for the one of the project`
		provider  = `"google", "github", "apple" or "facebook"`
		where     = `a list of environments, such as ["dev", "staging"]`
	)
	return map[string]string{
		"#Config environment": "{name: ..., project_id: ...}",
		"#Config tenants":     `tenants by id, such as {"acme-corp": {name: "Acme"}}`,
		"#Config flows":       `flows by id, such as {"sign-in": {template: "magic-link"}}`,

		"#Environment ":             "{name: ..., project_id: ...}",
		"#Environment name":         "the name of the directory under envs/",
		"#Environment project_id":   "P and 27 letters or digits, or with a region P, its 4 characters and 27 more",
		"#Environment protected":    onOff,
		"#Environment base_url":     "an https URL under descope.com, or one of this machine",
		"#Environment rate":         `calls and seconds, such as "200/60s"`,
		"#Environment connectors":   `ids of connectors by name, such as {mail: "CI2..."}`,
		"#Environment connectors[]": "the id of a connector, a string",

		"#Environment urls":   `a list of addresses, such as ["https://app.example.com"]`,
		"#Environment urls[]": "an address that begins with https:// or http://",

		"#Tenant ":                            `a tenant, such as {name: "Acme"}`,
		"#Tenant id":                          "3 to 50 lower-case letters, digits and hyphens",
		"#Tenant name":                        "a string of 1 to 100 characters",
		"#Tenant domains":                     `a list of DNS names, such as ["acme.com"]`,
		"#Tenant domains[]":                   `a DNS name in lower case, such as "acme.com"`,
		"#Tenant self_provisioning":           onOff,
		"#Tenant custom_attributes":           `attributes by name, such as {plan: "standard"}`,
		"#Tenant custom_attributes[]":         "string, number, bool, list of strings, or null",
		"#Tenant custom_attributes[][]":       text,
		"#Tenant custom_attributes_exclusive": onOff,
		"#Tenant parent":                      "the id of another tenant",
		"#Tenant disabled":                    onOff,
		"#Tenant role_inheritance":            `"", "none" or "userOnly"`,
		"#Tenant default_roles":               `a list of names of roles, such as ["Member"]`,
		"#Tenant default_roles[]":             "the name of a role, a string",
		"#Tenant enabled_in":                  where,
		"#Tenant enabled_in[]":                "the name of an environment",
		"#Tenant lifecycle":                   lifecycle,
		"#Tenant imported":                    "true, or no such field at all",

		"#Lifecycle prevent_destroy": onOff,
		"#Lifecycle ignore":          `a list of fields, such as ["domains", "custom_attributes.plan"]`,
		"#Lifecycle ignore[]":        "the name of a field",

		"#Flow ":             `a flow, such as {template: "magic-link"}`,
		"#Flow enabled":      onOff,
		"#Flow name":         text,
		"#Flow description":  text,
		"#Flow enabled_in":   where,
		"#Flow enabled_in[]": "the name of an environment",
		"#Flow lifecycle":    lifecycle,
		"#Flow template":     `"sign-up-or-in", "mfa-login", "magic-link" or "social-login"`,
		"#Flow config":       "the options of the template, such as {sign_up: true}",
		"#Flow steps":        "changes to the steps of the template, by step",
		"#Flow definition":   "an exported flow, usually _ @embed(file=flows/NAME.json)",
		"#Flow screens":      "changes to screens: {SCREEN: {NODE: {PROPERTY: value}}}",
		"#Flow screens[]":    "changes to a screen: {NODE: {PROPERTY: value}}",
		"#Flow screens[][]":  "changes to a node: {PROPERTY: value}",

		"#Flow steps[]":       `changes to a step: {nodes: {NODE: {text: "..."}}}`,
		"#Flow steps[][][]":   `changes to a node: {text: "..."}`,
		"#Flow steps[][][][]": text,

		"#MFALoginConfig methods":                `a list of "sms", "totp" and "email": at least one, none twice`,
		"#MFALoginConfig methods[]":              `"sms", "totp" or "email"`,
		"#MFALoginConfig remember_device":        onOff,
		"#MFALoginConfig remember_duration_days": "a number of days from 1 to 365",
		"#MagicLinkConfig sign_up":               onOff,
		"#MagicLinkConfig redirect_url":          url,
		"#SocialLoginConfig providers":           `a list of "google", "github", "apple" and "facebook": at least one, none twice`,
		"#SocialLoginConfig providers[]":         provider,
		"#SocialLoginConfig redirect_url":        url,
		"#SignUpOrInConfig email":                `"magic-link" or "code"`,
		"#SignUpOrInConfig providers":            `a list of "google", "github", "apple" and "facebook", none twice`,
		"#SignUpOrInConfig providers[]":          provider,
		"#SignUpOrInConfig ask_name":             onOff,
		"#SignUpOrInConfig redirect_url":         url,
	}
}

// schemaFields are the fields of each definition of the schema, in the order
// of the schema, and the definitions themselves.
func schemaFields() map[string][]string {
	fields := map[string][]string{}
	files := schemaFiles()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		data := files[name]
		file, err := parser.ParseFile(name, data)
		if err != nil {
			continue // a test parses the schema
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.Field)
			if !ok {
				continue
			}
			definition, _ := src.LabelName(f.Label)
			if fields[definition] == nil { // a definition may have several parts
				fields[definition] = []string{}
			}
			decl{value: f.Value}.members(func(field string, _ decl) {
				if !slices.Contains(fields[definition], field) && !strings.HasPrefix(field, "_") {
					fields[definition] = append(fields[definition], field)
				}
			})
		}
	}
	return fields
}

// builtinPackages are packages of CUE that a configuration may import.
func builtinPackages() []string {
	return []string{
		"crypto/sha256", "encoding/base64", "encoding/csv", "encoding/hex", "encoding/json", "encoding/yaml",
		"list", "math", "net", "path", "regexp", "strconv", "strings", "struct", "text/template", "time", "uuid",
	}
}
