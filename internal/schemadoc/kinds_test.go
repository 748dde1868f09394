package schemadoc

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cuelang.org/go/cue/parser"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"pcconnect.ai/descope-mgmt/internal/compiler"
)

// TestKinds: every kind has a JSON Schema that is one, all fields of which are
// explained, and CUE that stands alone where there is any.
func TestKinds(t *testing.T) {
	for _, k := range Kinds() {
		validator(t, k)
		s, err := read(t).JSONSchema(k)
		if err != nil {
			t.Fatal(err)
		}
		if s.Title == "" || s.Description == "" {
			t.Errorf("%s is not explained", k)
		}
		for _, p := range append(Properties{{"", s}}, s.Defs...) {
			for _, field := range p.Schema.Properties {
				if field.Schema.Description == "" && !field.Schema.never {
					t.Errorf("%s: %s.%s is not explained", k, p.Name, field.Name)
				}
			}
		}
		text, err := s.Text()
		if err != nil || bytes.Contains(text, []byte(`"const": {}`)) || bytes.Contains(text, []byte(`\u003c`)) {
			t.Errorf("%s: %v\n%s", k, err, text)
		}
		if again, err := read(t).JSONSchema(k); err != nil {
			t.Error(err)
		} else if more, _ := again.Text(); !bytes.Equal(text, more) {
			t.Errorf("%s is another one the second time", k)
		}
		if k.InCUE() {
			hasDefinition(t, k)
		} else if _, err := read(t).CUE(k); err == nil {
			t.Errorf("%s has a definition in CUE", k)
		}
	}
	if _, err := read(t).JSONSchema("user"); err == nil {
		t.Error("there is a schema of users")
	}
}

// TestRepository holds the evaluated environments of this repository, and those with
// flows of every template, to the schemas of their kinds.
func TestRepository(t *testing.T) {
	m, err := compiler.Find("../..")
	if err != nil {
		t.Fatal(err)
	}
	m = m.With("envs/dev/flows.cue", []byte(`package envs
import "pcconnect.ai/descope-mgmt/schema"
flows: "a": schema.#SignUpOrIn & {config: providers: ["google"]}
flows: "b": schema.#MFALogin & {config: methods: ["totp", "sms"]}
flows: "c": schema.#MagicLink & {steps: signIn: nodes: title: text: "Welcome"}
flows: "d": schema.#SocialLogin & {config: providers: ["apple"]}
flows: "e": {definition: {flowId: "e"}, screens: Welcome: title: children: "Hello"}
tenants: "T2abC": schema.#Tenant & {name: "Made by hand", imported: true}
`))
	names, err := m.Environments()
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	whole, tenant, environment, flow := validator(t, Config), validator(t, Tenant), validator(t, Environment), validator(t, Flow)
	for _, name := range names {
		text, diags := compiler.Eval(context.Background(), m, name, compiler.EvalOptions{Format: compiler.FormatJSON})
		if text == nil {
			t.Fatal(diags)
		}
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		all := v.(map[string]any)
		// What is evaluated has the definition that a template makes beside the template.
		flows, _ := all["flows"].(map[string]any)
		for _, f := range flows {
			if f := f.(map[string]any); f["template"] != nil {
				delete(f, "definition")
			}
			check(t, flow, f)
		}
		check(t, whole, all)
		check(t, environment, all["environment"])
		for _, one := range all["tenants"].(map[string]any) {
			check(t, tenant, one)
		}
		if name == "dev" && len(flows) != 5 {
			t.Errorf("%d flows", len(flows))
		}
	}
}

func check(t *testing.T, s *jsonschema.Schema, v any) {
	t.Helper()
	if err := s.Validate(v); err != nil {
		text, _ := json.Marshal(v)
		t.Errorf("%v\n%.500s", err, text)
	}
}

// TestYAMLFiles: the configurations in YAML that the documents show and the scripts
// work on are accepted, those of the corpus too, unless the program refuses them.
func TestYAMLFiles(t *testing.T) {
	texts := map[string]string{}
	page, err := os.ReadFile("../../docs/yaml.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range strings.Split(string(page), "```yaml\n")[1:] {
		block, _, _ = strings.Cut(block, "```")
		name, _, _ := strings.Cut(block, "\n")
		texts[strings.TrimPrefix(name, "# ")] = block
	}
	for _, script := range []string{"yaml", "yaml_environments", "import_yaml"} {
		text, err := os.ReadFile("../cli/testdata/script/" + script + ".txtar")
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range strings.Split(string(text), "\n-- ")[1:] {
			name, content, _ := strings.Cut(file, " --\n")
			if ext := filepath.Ext(name); ext == ".yaml" || ext == ".json" && strings.Contains(name, "descope") {
				texts[script+"/"+name] = content
			}
		}
	}
	corpus, _ := filepath.Glob(filepath.Join(os.Getenv("DESCOPE_MGMT_CORPUS"), "yaml", "*.yaml"))
	for _, name := range corpus {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if loads(string(text)) == nil {
			texts[name] = string(text)
		}
	}
	base, overlay := validator(t, YAML), validator(t, YAMLOverlay)
	overlays := 0
	for name, text := range texts {
		s := base
		if file := filepath.Base(name); strings.Contains(name, ".descope/") && file != "config.yaml" {
			s = overlay
			overlays++
		}
		if err := s.Validate(ofYAML(t, text)); err != nil {
			t.Errorf("%s: %v\n%s", name, err, text)
		}
	}
	if len(texts) < 9 || overlays < 3 {
		t.Errorf("found only %d files, %d of them of environments", len(texts), overlays)
	}
}

// TestUnknownConstruct: a rule that cannot be said in JSON Schema stops the export.
func TestUnknownConstruct(t *testing.T) {
	for _, text := range []string{
		`!=""`, `string & !~"x"`, `strings.HasPrefix("x")`, `list.MaxItems(3)`, `[string, int]`, `len(x)`, `"\(x)"`, `1.5 | 2`, `x`, `_hidden`, `*x | string`,
		`{if a != _|_ {b: 1}}`, `{for x in y {x}}`, `{[=~"a"]: int}`, `{"\(x)": int}`, `{#Other}`, `>5`, `'bytes'`, `>=x`, `strings.MinRunes("x")`, `{if a == _|_ if b == _|_ {c: 1}}`, `{if a == 1 {b: 1}}`,
	} {
		e, err := parser.ParseExpr("test", text)
		if err != nil {
			t.Fatal(text, err)
		}
		if s, err := (&translator{document: read(t)}).expr(e); err == nil || !strings.Contains(err.Error(), "test:1:") {
			t.Errorf("%s is %+v, %v", text, s, err)
		}
	}
	if _, err := parse(map[string][]byte{"a.cue": []byte("package")}); err == nil {
		t.Error("a syntax error is none")
	}
	for _, text := range []string{"#Tenant: {name: string}\n#Flow: {definition?: {...}, template?: string}", "#Tenant: {name: >1}\n#Flow: {definition?: {...}}"} {
		d, err := parse(map[string][]byte{"a.cue": []byte("package schema\n" + text)})
		if err != nil {
			t.Fatal(err)
		}
		if s, err := d.JSONSchema(Config); err == nil {
			t.Errorf("%s has a schema: %+v", text, s)
		}
	}
}

// TestConjunctions: what two rules say of one keyword is not lost.
func TestConjunctions(t *testing.T) {
	for text, want := range map[string]string{
		`=~"a" & =~"b"`:       `{"allOf":[{"type":"string","pattern":"a"},{"type":"string","pattern":"b"}]}`,
		`string & =~"b"`:      `{"type":"string","pattern":"b"}`,
		`>=1 & >=2`:           `{"allOf":[{"type":"number","minimum":1},{"type":"number","minimum":2}]}`,
		`int & >=1 & <=365`:   `{"type":"integer","minimum":1,"maximum":365}`,
		`string & int`:        `{"allOf":[{"type":"string"},{"type":"integer"}]}`,
		`*true | bool`:        `{"type":"boolean","default":true}`,
		`*"a" | "b"`:          `{"enum":["a","b"],"default":"a"}`,
		`*"a" | string`:       `{"type":"string","default":"a"}`,
		`*1 | string`:         `{"default":1,"anyOf":[{"const":1},{"type":"string"}]}`,
		`*"" | #RedirectURL`:  `{"default":"","anyOf":[{"const":""},{"$ref":"#/$defs/RedirectURL"}]}`,
		`#Domain & =~"x"`:     `{"allOf":[{"$ref":"#/$defs/Domain"},{"type":"string","pattern":"x"}]}`,
		`{...}`:               `{"type":"object"}`,
		`{a!: int, b?: true}`: `{"type":"object","required":["a"],"properties":{"a":{"type":"integer"},"b":{"const":true}},"additionalProperties":false}`,
		`("a" | null)`:        `{"anyOf":[{"const":"a"},{"type":"null"}]}`,
	} {
		e, err := parser.ParseExpr("test", text)
		if err != nil {
			t.Fatal(text, err)
		}
		s, err := (&translator{document: read(t)}).expr(e)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, _ := marshal(s); string(got) != want {
			t.Errorf("%s:\ngot  %s\nwant %s", text, got, want)
		}
	}
}
