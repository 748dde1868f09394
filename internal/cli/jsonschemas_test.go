package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// schemasDir has the schemas of what -o json prints.
const schemasDir = "../../docs/schemas"

// compiledSchemas are the schemas of [schemasDir] by name, compiled once.
var compiledSchemas = sync.OnceValues(func() (map[string]*jsonschema.Schema, error) {
	files, err := filepath.Glob(filepath.Join(schemasDir, "*.json"))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	ids := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		id, _ := doc.(map[string]any)["$id"].(string)
		if err := c.AddResource(id, doc); err != nil {
			return nil, err
		}
		ids[strings.TrimSuffix(filepath.Base(file), ".json")] = id
	}
	out := map[string]*jsonschema.Schema{}
	for name, id := range ids {
		if out[name], err = c.Compile(id); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return out, nil
})

// cmdFits validates what the last command printed, or a file, against a schema of
// docs/schemas: "fits plan", "fits error stderr". Then it spoils the document in every
// place: what the schema would not notice is an error, too.
func cmdFits(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) == 0 || len(args) > 2 {
		ts.Fatalf("usage: fits SCHEMA [stderr|FILE]")
	}
	file := "stdout"
	if len(args) == 2 {
		file = args[1]
	}
	all, err := compiledSchemas()
	ts.Check(err)
	schema := all[args[0]]
	if schema == nil {
		ts.Fatalf("there is no schema %s in docs/schemas", args[0])
	}
	text := ts.ReadFile(file)
	if err := validates(schema, text); err != nil {
		ts.Fatalf("%v\n%s", err, text)
	}
	accepted, n, err := spoil(schema, text)
	ts.Check(err)
	if n == 0 || len(accepted) > 0 {
		ts.Fatalf("of %d spoilt documents the schema %s takes these:\n%s", n, args[0], strings.Join(accepted, "\n"))
	}
}

func validates(schema *jsonschema.Schema, text string) error {
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return err
	}
	return schema.Validate(doc)
}

// spoil makes a document wrong in each of its objects, by an unknown field, by taking a
// field away and by a value of another type, and returns where the schema takes it all
// the same, and how many it was given. Objects of a user, or of Descope, are free.
func spoil(schema *jsonschema.Schema, text string) (accepted []string, n int, err error) {
	var root any
	if err := json.Unmarshal([]byte(text), &root); err != nil {
		return nil, 0, err
	}
	try := func(what string) {
		n++
		b, err := json.Marshal(root)
		if err != nil || validates(schema, string(b)) == nil {
			accepted = append(accepted, what)
		}
	}
	var walk func(at string, v any)
	walk = func(at string, v any) {
		switch v := v.(type) {
		case []any:
			for i := range v {
				walk(fmt.Sprintf("%s[%d]", at, i), v[i])
			}
		case map[string]any:
			v["unknown-to-the-schema"] = true
			try(at + ": an unknown field")
			delete(v, "unknown-to-the-schema")
			for name, value := range v {
				if slices.Contains(optionalFields(), name) {
					continue
				}
				delete(v, name)
				try(at + "." + name + " taken away")
				v[name] = value
			}
			for name, value := range v {
				if slices.Contains(freeFields(), name) {
					continue
				}
				v[name] = map[string]any{"another": "type"}
				if name != "origin" || value != nil {
					try(at + "." + name + " of another type")
				}
				v[name] = value
				walk(at+"."+name, value)
			}
		}
	}
	walk("", root)
	return accepted, n, nil
}

// optionalFields are the fields that the pages say are left out where there is nothing.
func optionalFields() []string {
	return []string{
		"seal", "flow_changes", "before", "after", "desired", "live", "last", "error", "hint", "diagnostics",
		"detail", "key", "path", "origin", "also", "fix", "raw", "run", "next", "undo", "git_commit", "of", "backup",
		"audit_head", "finished", "damaged", "notes", "id", "name", "components_version", "reason", "task",
		"task_name", "screen", "node", "component", "field", "prevent_destroy", "ignore", "exclusive", "imported", "update_only",
	}
}

// freeFields hold objects whose fields are those of a user or of Descope.
func freeFields() []string {
	return []string{"before", "after", "before_sensitive", "after_sensitive", "pre_image", "body", "desired", "live", "last"}
}

// TestSchemas: each schema of docs/schemas compiles, is used by a script, is named on a
// page, and has no object that takes fields that it does not know.
func TestSchemas(t *testing.T) {
	all, err := compiledSchemas()
	if err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile("testdata/script/json_schemas.txtar")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/json.md")
	if err != nil {
		t.Fatal(err)
	}
	for name := range all {
		if name != "common" && !strings.Contains(string(script), "\nfits "+name) {
			t.Errorf("no command is held to the schema %s", name)
		}
		if !strings.Contains(string(page), "(schemas/"+name+".json)") {
			t.Errorf("docs/json.md does not name the schema %s", name)
		}
		text, err := os.ReadFile(filepath.Join(schemasDir, name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		if open, closed := bytes.Count(text, []byte(`"properties": {`)), bytes.Count(text, []byte(`"additionalProperties": false`)); open != closed {
			t.Errorf("%s: %d objects have fields, and %d take no others", name, open, closed)
		}
	}
}

// TestSchemasTakeTheExample: the example of a plan in the documentation is a plan.
func TestSchemasTakeTheExample(t *testing.T) {
	all, err := compiledSchemas()
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/json-plan.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range fences(string(page)) {
		if block.info == "json" {
			if err := validates(all["plan"], block.text); err != nil {
				t.Error(err)
			}
		}
	}
}
