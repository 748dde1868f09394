package compiler

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"

	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/yamlconfig"
)

// ofYAML is the module of a YAML text; its mistakes of form end the test.
func ofYAML(t interface {
	Helper()
	Fatalf(string, ...any)
}, text string, variables map[string]string,
) *Module {
	t.Helper()
	c, diags := yamlconfig.LoadBytes("descope.yaml", []byte(text), func(name string) (string, bool) {
		v, ok := variables[name]
		return v, ok
	})
	if c == nil {
		t.Fatalf("%v\n%s", diags, text)
	}
	m, err := OfYAML(c)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return m
}

// TestYAMLCorpus holds each of the real configurations to what its content says: those
// that are meant to be right load, the two that are meant to be wrong do not.
func TestYAMLCorpus(t *testing.T) {
	dir := os.Getenv("DESCOPE_MGMT_CORPUS")
	if dir == "" {
		t.Skip("DESCOPE_MGMT_CORPUS does not name a directory of real configurations")
	}
	const placeholder, manual, idle = "placeholder", "manual-step", "idle-domains"
	want := map[string][]string{ // codes; an error has the line behind it
		"01-d4a44160.yaml": {placeholder},
		"02-d8563fb7.yaml": {placeholder},
		"03-a8fd8772.yaml": nil,
		"04-726a6b51.yaml": {placeholder},
		"05-31acd5ab.yaml": {idle, manual, placeholder},
		"06-beef76aa.yaml": {idle},
		"07-df6accbb.yaml": {placeholder},
		"08-71001bda.yaml": nil,
		"09-9f45bc4e.yaml": nil,
		"10-26f42057.yaml": {idle, "no-domains"},
		"11-a3d0f764.yaml": {idle, manual, placeholder},
		"12-50b15bdd.yaml": nil,
		"13-ce790876.yaml": nil,
		"14-1498435f.yaml": {"unset-variable:17"},
		"15-91c39c7d.yaml": nil,
		"16-3e4ba6bb.yaml": {"unset-variable:5"},
		"17-c417b1de.yaml": nil,
		"18-47dc159d.yaml": nil,
		"19-d1342ca3.yaml": {"duplicate-id:5"},
		"20-e09a8ea6.yaml": {"taken-domain:7"},
		"21-0b1e1094.yaml": {"ignored-key", "not-managed"},
	}
	files, err := filepath.Glob(filepath.Join(dir, "yaml", "*.yaml"))
	if err != nil || len(files) != len(want) {
		t.Fatalf("%d files, want %d (%v)", len(files), len(want), err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		for _, set := range []bool{false, true} {
			c, diags := yamlconfig.Load(file, func(string) (string, bool) { return "set.example.com", set })
			if c == nil {
				t.Errorf("%s: %v", name, diags)
				continue
			}
			m, err := OfYAML(c)
			if err != nil {
				t.Fatal(err)
			}
			results, diags := CompileAll(context.Background(), m)
			got := codes(diags)
			expected := want[name]
			if set {
				expected = slices.DeleteFunc(slices.Clone(expected), func(s string) bool { return strings.HasPrefix(s, "unset") })
			}
			if !slices.Equal(got, expected) {
				t.Errorf("%s (variables set: %v): %v, want %v", name, set, got, expected)
			}
			if names, _ := m.Environments(); len(diags.Errors()) == 0 && len(results) != len(names) {
				t.Errorf("%s: %d of %d environments", name, len(results), len(names))
			}
			for _, d := range diags {
				if d.Origin.File != name || d.Origin.Line < 1 {
					t.Errorf("%s: not at a place of the file: %s", name, printed(d))
				}
			}
		}
	}
}

// codes are the codes of diagnostics, each once, with the line if it is an error.
func codes(diags model.Diagnostics) []string {
	var out []string
	for _, d := range diags {
		code := d.Code
		if d.Severity == model.Error {
			code += fmt.Sprintf(":%d", d.Origin.Line)
		}
		out = append(out, code)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// TestYAMLMistakes are mistakes that the schema and the rules find: at the place in the
// YAML, and in the words of YAML.
func TestYAMLMistakes(t *testing.T) {
	const head = "environments:\n  dev: {project_id: P2J0RlgLKOmxgJTeKdNnFRIBXuDL}\n"
	tests := map[string]struct{ text, want string }{
		"unknown field":      {head + "tenants:\n  - id: acme\n    name: Acme\n    domans: [acme.com]\n", `descope.yaml:6:5: error: tenant/acme: unknown field "domans" [unknown-field]` + "\n" + `did you mean "domains"?`},
		"wrong type":         {head + "tenants:\n  - id: acme\n    name: 12\n", `descope.yaml:5:11: error: tenant/acme: name cannot be 12 [wrong-value]`},
		"yes":                {head + "tenants:\n  - id: acme\n    name: A\n    disabled: yes\n", `descope.yaml:6:15: error: tenant/acme: disabled cannot be "yes" [wrong-value]`},
		"element":            {head + "tenants:\n  - id: acme\n    name: ü\n    domains:\n      - a.com\n      - B.com\n", `descope.yaml:8:9: error: tenant/acme: domains[1] cannot be "B.com" [wrong-value]`},
		"bytes":              {head + "tenants:\n  - {id: acme, name: üü, domains: [B.com]}\n", `descope.yaml:4:38: error: tenant/acme: domains[0] cannot be "B.com" [wrong-value]`},
		"no name":            {head + "tenants:\n  - id: acme\n", `descope.yaml:4:9: error: tenant/acme has no name [missing-field]`},
		"id":                 {head + "tenants:\n  - id: Acme Corp\n    name: A\n", `descope.yaml:4:9: error: tenant/"Acme Corp": id cannot be "Acme Corp"`},
		"taken name":         {head + "tenants:\n  - {id: aaa, name: A}\n  - {id: bbb, name: A}\n", `descope.yaml:5:15: error: tenant/bbb: the name "A" is taken [taken-name]`},
		"parent":             {head + "tenants:\n  - {id: aaa, name: A, parent: bbb}\n", `descope.yaml:4:24: error: tenant/aaa: there is no tenant "bbb"`},
		"enabled_in":         {head + "tenants:\n  - {id: aaa, name: A, enabled_in: [prod]}\n", `descope.yaml:4:24: error: tenant/aaa: enabled_in names "prod", which is no environment`},
		"ignore":             {head + "tenants:\n  - {id: aaa, name: A, lifecycle: {ignore: [domans]}}\n", `error: tenant/aaa: lifecycle.ignore names "domans"`},
		"flow":               {head + "flows:\n  - {id: aaa, name: A}\n", `descope.yaml:4:10: error: flow/aaa has neither template nor definition`},
		"flow config":        {head + "flows:\n  - template: mfa-login\n    config:\n      methods: [smss]\n", `descope.yaml:6:17: error: flow/mfa-login: config.methods[0] cannot be "smss" [wrong-value]`},
		"template":           {head + "flows:\n  - template: mfa-logn\n", `descope.yaml:4:15: error: flow/mfa-logn: template cannot be "mfa-logn"`},
		"project":            {"environments:\n  dev: {project_id: P2J0RlgLKOmxgJTeKdNnFRIBXu-L}\n", `descope.yaml:2:21: error: environment: project_id cannot be "P2J0RlgLKOmxgJTeKdNnFRIBXu-L" [wrong-value]`},
		"shared project":     {"environments:\n  dev: {project_id: P2J0RlgLKOmxgJTeKdNnFRIBXuDL}\n  prod: {project_id: P2J0RlgLKOmxgJTeKdNnFRIBXuDL}\n", `descope.yaml:2:9: error: environment: project_id "P2J0RlgLKOmxgJTeKdNnFRIBXuDL" is that of "prod" too`},
		"project of auth":    {"auth: {project_id: P2J0RlgLKOmxgJTeKdNnFRIBXuDL}\nenvironments: {dev: , prod: }\n", "give each of the environments its own project_id"},
		"environment":        {"environments:\n  dev:\n    protcted: true\n", `descope.yaml:3:5: error: environment: unknown field "protcted"`},
		"base_url":           {"environments:\n  dev:\n    base_url: https://evil.example\n", `descope.yaml:3:5: error: environment: base_url cannot be "https://evil.example" [base-url]`},
		"anchor":             {head + "x-unused: 1\n", `unknown field "x-unused"`},
		"key that CUE keeps": {head + "tenants:\n  - {id: aaa, name: A, custom_attributes: {\"e\u0301\": [1]}}\n", `cannot be`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var all strings.Builder
			c, diags := yamlconfig.LoadBytes("descope.yaml", []byte(tt.text), nil)
			if c != nil {
				m, err := OfYAML(c)
				if err != nil {
					t.Fatal(err)
				}
				_, diags = Compile(context.Background(), m, "dev")
			}
			if len(diags.Errors()) == 0 {
				t.Fatal("no mistake")
			}
			for _, d := range diags {
				for line := range strings.Lines(printed(d)) {
					all.WriteString(strings.TrimSpace(line) + "\n")
				}
				if d.Origin.File != "descope.yaml" {
					t.Errorf("at %q: %s", d.Origin, printed(d))
				}
				if s := printed(d); strings.Contains(s, ".cue") || strings.Contains(s, "envs/") || strings.Contains(s, yamlRoot) {
					t.Errorf("speaks of CUE: %s", s)
				}
			}
			if !strings.Contains(all.String(), tt.want) {
				t.Errorf("got\n%swant\n%s", all.String(), tt.want)
			}
		})
	}
}

// TestYAMLEqualsCUE writes random configurations both in YAML and in CUE, and expects
// equal states.
func TestYAMLEqualsCUE(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{
		"cue.mod/module.cue": "module: \"example.com/acme@v0\"\nlanguage: version: \"v0.17.0\"\n",
		"envs/dev/dev.cue":   "package envs\n\nenvironment: {name: \"dev\", project_id: \"P2J0RlgLKOmxgJTeKdNnFRIBXuDL\"}\n",
	} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	module, err := Find(root)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		tenants := randomTenants(t)
		cue := module
		var list []any
		for _, tenant := range tenants {
			id := tenant["id"].(string)
			list = append(list, tenant)
			fields := map[string]any{}
			for k, v := range tenant {
				if k != "id" {
					fields[k] = v
				}
			}
			text, err := module.Declare(model.Key{Kind: model.Tenant, ID: id}, fields)
			if err != nil {
				t.Fatal(err)
			}
			cue = cue.With("envs/"+id+".cue", text)
		}
		document := map[string]any{"version": "1.0", "environments": map[string]any{"dev": map[string]any{"project_id": "P2J0RlgLKOmxgJTeKdNnFRIBXuDL"}}, "tenants": list}
		text, err := yaml.Marshal(plain(document))
		if err != nil {
			t.Fatal(err)
		}
		fromCUE, diags := Compile(context.Background(), cue, "dev")
		fromYAML, found := Compile(context.Background(), ofYAML(t, string(text), nil), "dev")
		if fromCUE == nil || fromYAML == nil {
			t.Fatalf("CUE: %v\nYAML: %v\n%s", diags, found, text)
		}
		if fromCUE.State.Digest() != fromYAML.State.Digest() {
			t.Fatalf("YAML says another thing than CUE:\n%v\n%v\n%s", fromCUE.State.Resources(), fromYAML.State.Resources(), text)
		}
		if a, b := codes(diags), codes(found); !slices.Equal(a, b) {
			t.Fatalf("warnings of CUE %v, of YAML %v\n%s", a, b, text)
		}
		for _, r := range fromYAML.State.Resources() {
			if line := strings.Split(string(text), "\n")[r.Origin.Line-1]; !strings.Contains(line, r.Key.ID) {
				t.Fatalf("%s is said to stand at %s: %s", r.Key, r.Origin, line)
			}
		}
	})
}

// plain takes json.Number out of a value, which the YAML of the test would write as text,
// and what looks like a variable.
func plain(v any) any {
	switch v := v.(type) {
	case json.Number:
		return &yaml.Node{Kind: yaml.ScalarNode, Value: string(v)}
	case map[string]any:
		out := map[string]any{}
		for k, e := range v {
			out[k] = plain(e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = plain(e)
		}
		return out
	case string:
		v = strings.ReplaceAll(v, "${", "$${")
		if strings.ContainsAny(v, "\t\n") { // as a block, the writer's own reader refuses some
			return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Style: yaml.DoubleQuotedStyle, Value: v}
		}
		return v
	default:
		return v
	}
}

func randomTenants(t *rapid.T) []map[string]any {
	var out []map[string]any
	for i := range rapid.IntRange(1, 5).Draw(t, "tenants") {
		text := rapid.StringOfN(rapid.SampledFrom([]rune("aZ 0:-#'\"\\{}[]&*!|>%@`,?~\t\nüé日𝒳$\u0000\u2028")), 1, 12, -1)
		tenant := map[string]any{
			"id":   fmt.Sprintf("tenant-%d", i),
			"name": fmt.Sprintf("%d", i) + text.Draw(t, "name"),
		}
		if rapid.Bool().Draw(t, "has domains") {
			tenant["domains"] = []any{fmt.Sprintf("d%d.example.com", i)}
			tenant["self_provisioning"] = rapid.Bool().Draw(t, "self")
		}
		attributes := map[string]any{}
		for range rapid.IntRange(0, 4).Draw(t, "attributes") {
			number := rapid.SampledFrom([]json.Number{"0", "-7", "1.5", "12345678901234567890123", "0.001", "1e50"})
			attributes[strings.NewReplacer("$", "S", "\t", "t", "\n", "n").Replace(text.Draw(t, "key"))] = rapid.OneOf(
				rapid.Map(text, func(s string) any { return s }),
				rapid.Map(rapid.Bool(), func(b bool) any { return b }),
				rapid.Map(number, func(n json.Number) any { return n }),
				rapid.Just[any](nil),
				rapid.Map(rapid.SliceOfN(text, 0, 3), func(l []string) any {
					list := make([]any, len(l))
					for i, s := range l {
						list[i] = s
					}
					return list
				}),
			).Draw(t, "value")
		}
		if len(attributes) > 0 {
			tenant["custom_attributes"] = attributes
		}
		out = append(out, tenant)
	}
	return out
}

// FuzzCompileYAML takes random texts through the whole compiler: no panic, a result
// exactly if there are no errors, and every mistake at a place of the YAML.
func FuzzCompileYAML(f *testing.F) {
	for _, seed := range []string{
		"tenants: []\n",
		"environments:\n  dev: {project_id: P2J0RlgLKOmxgJTeKdNnFRIBXuDL, protected: yes}\ntenants:\n- id: acme\n  name: Acme\n  domains: [acme.com, B.com]\n  custom_attributes: {a: 1e3, b: [x], c: null, \"e\u0301\": {}}\n  lifecycle: {ignore: [nam]}\n  parent: acme\n- {id: a, nam: x}\n",
		"flows:\n- template: mfa-login\n  config: {methods: [sms, smss]}\n- id: b\n  definition: {}\n  screens: {a: {b: {c: d}}}\n- id: c\n  steps: 3\n  template: magic-link\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, _ := yamlconfig.LoadBytes("descope.yaml", []byte(text), nil)
		if c == nil {
			return
		}
		m, err := OfYAML(c)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		r, diags := Compile(ctx, m, c.Environments()[0])
		if (r == nil) != (len(diags.Errors()) > 0) {
			t.Errorf("result %v with %v", r, diags)
		}
		for _, d := range diags {
			text := printed(d)
			if d.Code == "internal" || strings.Count(text, "\n") > 3 || strings.Contains(text, yamlRoot) || d.Origin.File != "descope.yaml" {
				t.Errorf("%s\n%s", text, d.Raw)
			}
		}
	})
}
