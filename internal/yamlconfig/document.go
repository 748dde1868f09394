package yamlconfig

import (
	"fmt"
	"slices"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// document is one file, taken apart.
type document struct {
	file string
	// environments are the names under environments, in the order of the file.
	environments []string
	environment  *Node // mapping of mappings, or nil
	auth         *Node // mapping, or nil
	tenants      *Node // list, or nil
	flows        *Node // list, or nil
	warnings     model.Diagnostics
}

// topFields are what may stand at the top of a file; project is what an even older
// spelling had there.
func topFields() []string {
	return []string{"version", "auth", "environments", "tenants", "flows"}
}

func authFields() []string { return []string{"project_id", "management_key"} }

// document parses one file and checks its form. The document is nil exactly if there
// are errors.
func (c *Config) document(name string, data []byte, env string) (*document, model.Diagnostics) {
	f := newFile(name, data)
	c.files[name] = f
	root, diags := f.parse(strings.HasSuffix(name, ".json"))
	if root == nil {
		return nil, diags
	}
	if root.Kind != Map {
		d := mistake(root.At, "wrong-document", fmt.Sprintf("%s is %s", name, root.Kind))
		d.Detail = "expected: a mapping with " + strings.Join(topFields(), ", ")
		if root.Kind == Null {
			d = mistake(root.At, "empty", name+" is empty")
			d.Hint = "write at least: tenants: []"
		}
		return nil, model.Diagnostics{d}
	}
	doc := &document{file: name}
	for _, field := range root.Fields {
		diags = append(diags, doc.section(field, env)...)
	}
	if len(diags) > 0 {
		return nil, diags
	}
	return doc, nil
}

// section takes one field of the top. An empty one is as good as none.
func (doc *document) section(f Field, env string) model.Diagnostics {
	var diags model.Diagnostics
	want := func(kind Kind, into **Node) {
		if f.Value.Kind == Null {
			return
		}
		if f.Value.Kind != kind {
			d := mistake(f.Value.At, "wrong-value", fmt.Sprintf("%s is %s", f.Name, f.Value.Kind))
			d.Detail = "expected: " + kind.String()
			if f.Name == "tenants" || f.Name == "flows" {
				d.Detail += ", each item with its id: - id: acme-corp"
			}
			diags = append(diags, d)
			return
		}
		*into = f.Value
	}
	switch f.Name {
	case "version":
		if v := f.Value; v.Kind == List || v.Kind == Map || v.Text != "1" && v.Text != "1.0" {
			d := mistake(v.At, "unknown-version", fmt.Sprintf("version %s is not known", quoted(v.Text)))
			d.Detail = `expected: "1.0"`
			diags = append(diags, d)
		}
	case "auth":
		want(Map, &doc.auth)
		if doc.auth != nil {
			diags = append(diags, authMistakes(doc.auth)...)
		}
	case "environments":
		want(Map, &doc.environment)
		if doc.environment != nil {
			diags = append(diags, doc.environmentMistakes(env)...)
		}
	case "tenants":
		want(List, &doc.tenants)
	case "flows":
		want(List, &doc.flows)
	case "project":
		d := warning(f.At, "ignored-key", "project means nothing here and is left out")
		d.Detail = "the project of an environment is its project_id, under environments; the key is auth: management_key"
		doc.warnings = append(doc.warnings, d)
	default:
		d := mistake(f.At, "unknown-field", "unknown field "+quoted(f.Name))
		d.Detail, d.Path = didYouMean(f.Name, topFields()), f.Name
		diags = append(diags, d)
	}
	return diags
}

func authMistakes(auth *Node) model.Diagnostics {
	var diags model.Diagnostics
	for _, f := range auth.Fields {
		if !slices.Contains(authFields(), f.Name) {
			d := mistake(f.At, "unknown-field", "auth: unknown field "+quoted(f.Name))
			d.Detail = didYouMean(f.Name, authFields())
			diags = append(diags, d)
		}
	}
	return append(diags, keyMistakes("auth", auth.Get("management_key"))...)
}

// keyMistakes demands that a management key is a reference, and one to a variable that
// is meant for a key: a file that travels with a repository must neither hold a key nor
// choose which secret of the shell is sent. The value is never shown.
func keyMistakes(where string, key *Node) model.Diagnostics {
	if key == nil || key.Kind == Null {
		return nil
	}
	name := ""
	if key.Kind == Text {
		name = onlyVariable(key.Text)
	}
	if name == "" {
		d := mistake(key.At, "literal-key", where+": management_key holds something else than the name of a variable")
		d.Detail = `expected: "${DESCOPE_MANAGEMENT_KEY}", and nothing before or behind it`
		d.Hint = "take the key out of the file, and make a new one if anybody else could read it"
		return model.Diagnostics{d}
	}
	if !strings.HasSuffix(name, keySuffix) {
		d := mistake(key.At, "foreign-key", fmt.Sprintf("%s: management_key names the variable %s", where, shortText(name)))
		d.Detail = "expected: a variable whose name ends in " + keySuffix + ", so that no file can have another secret sent"
		return model.Diagnostics{d}
	}
	return nil
}

// environmentMistakes checks the form of the section. The file of an environment speaks
// of that one only.
func (doc *document) environmentMistakes(env string) model.Diagnostics {
	var diags model.Diagnostics
	for _, f := range doc.environment.Fields {
		doc.environments = append(doc.environments, f.Name)
		where := "environments." + shortText(f.Name)
		switch {
		case env != "" && f.Name != env:
			d := mistake(f.At, "unknown-environment", fmt.Sprintf("%s is the file of the environment %s, but says something of %s", doc.file, env, quoted(f.Name)))
			d.Hint = "move it to the file of that environment"
			diags = append(diags, d)
		case f.Value.Kind != Map && f.Value.Kind != Null:
			d := mistake(f.Value.At, "wrong-value", fmt.Sprintf("%s is %s", where, f.Value.Kind))
			d.Detail = "expected: a mapping, such as {project_id: P2…}"
			diags = append(diags, d)
		default:
			if name := f.Value.Get("name"); name != nil {
				d := mistake(name.At, "unknown-field", where+`: unknown field "name"`)
				d.Detail = "the name of an environment is its key"
				diags = append(diags, d)
			}
			diags = append(diags, keyMistakes(where, f.Value.Get("management_key"))...)
		}
	}
	return diags
}

// environmentAt is where an environment was written.
func (doc *document) environmentAt(name string) model.Origin {
	if doc.environment != nil {
		for _, f := range doc.environment.Fields {
			if f.Name == name {
				return f.At
			}
		}
	}
	return model.Origin{File: doc.file, Line: 1, Column: 1}
}
