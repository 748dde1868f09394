package schemadoc

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/cuecontext"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"pcconnect.ai/descope-mgmt/internal/compiler"
	"pcconnect.ai/descope-mgmt/internal/yamlconfig"
)

func read(t testing.TB) *Document {
	t.Helper()
	d, err := Read()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// validator is the JSON Schema of a kind in a validator that is not ours, which also
// holds the schema to that of its dialect.
func validator(t testing.TB, k Kind) *jsonschema.Schema {
	t.Helper()
	s, err := read(t).JSONSchema(k)
	if err != nil {
		t.Fatal(err)
	}
	text, err := s.Text()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft7) // the schema has to name its dialect itself
	if err := c.AddResource(string(k)+".json", doc); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile(string(k) + ".json")
	if err != nil {
		t.Fatal(err)
	}
	if compiled.DraftVersion != 2020 {
		t.Fatalf("%s is of the draft %d", k, compiled.DraftVersion)
	}
	return compiled
}

// ofYAML is a text as what a validator takes.
func ofYAML(t testing.TB, text string) any {
	t.Helper()
	var v any
	if strings.HasPrefix(text, "{") { // JSON has escapes that YAML has not
		if v, err := jsonschema.UnmarshalJSON(strings.NewReader(text)); err == nil {
			return v
		}
	}
	if err := yaml.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return datesAreText(v)
}

// datesAreText undoes what YAML 1.1 makes of dates.
func datesAreText(v any) any {
	switch v := v.(type) {
	case time.Time:
		return v.Format(time.DateOnly)
	case map[string]any:
		for key, below := range v {
			v[key] = datesAreText(below)
		}
	case []any:
		for i, below := range v {
			v[i] = datesAreText(below)
		}
	}
	return v
}

// hasDefinition compiles the exported CUE of a kind, alone, and looks for its definition.
func hasDefinition(t testing.TB, k Kind) {
	t.Helper()
	text, err := read(t).CUE(k)
	if err != nil {
		t.Fatal(err)
	}
	v := cuecontext.New().CompileBytes(text)
	def := v.LookupPath(cue.ParsePath(k.definition()))
	if err := def.Err(); err != nil {
		t.Fatal(err)
	}
}

// loads reports what the program itself says of a configuration in YAML: nil if every
// environment of it compiles.
func loads(text string) error {
	c, diags := yamlconfig.LoadBytes("descope.yaml", []byte(text), func(string) (string, bool) { return "set.example.com", true })
	if c == nil {
		return fmt.Errorf("%v", diags)
	}
	m, err := compiler.OfYAML(c)
	if err != nil {
		return err
	}
	if _, diags = compiler.CompileAll(context.Background(), m); len(diags.Errors()) > 0 {
		return fmt.Errorf("%v", diags.Errors())
	}
	return nil
}

// yamlSchema is made once for all tests.
var yamlSchema = sync.OnceValue(func() func(testing.TB) *jsonschema.Schema {
	var made *jsonschema.Schema
	return func(t testing.TB) *jsonschema.Schema {
		if made == nil {
			made = validator(t, YAML)
		}
		return made
	}
})
