package yamlconfig

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// vars looks variables up in a map.
func vars(m map[string]string) Lookup {
	return func(name string) (string, bool) {
		v, ok := m[name]
		return v, ok
	}
}

// build reads a text as the configuration of one environment.
func build(t *testing.T, text string, m map[string]string) (*Tree, model.Diagnostics) {
	t.Helper()
	c, diags := LoadBytes("descope.yaml", []byte(text), vars(m))
	if c == nil {
		return nil, diags
	}
	return c.Environment(c.Environments()[0])
}

// attributes are the custom attributes of the only tenant.
func attributes(t *testing.T, text string, m map[string]string) map[string]any {
	t.Helper()
	tree, diags := build(t, "tenants:\n- id: acme\n  custom_attributes:\n"+text, m)
	if tree == nil {
		t.Fatalf("%v", diags)
	}
	return tree.Tenants.Get("acme").Get("custom_attributes").Value().(map[string]any)
}

func TestScalars(t *testing.T) {
	n := func(s string) any { return jsonNumber(s) }
	tests := map[string]any{
		"1e3": n("1000"), "1E+3": n("1000"), "0x10": n("16"), "-0x10": n("-16"), "0o17": n("15"), "0b101": n("5"), "1_000": n("1000"), "1_000.5": n("1000.5"), "+5": n("5"), ".5": n("0.5"), "5.": n("5"), "-.5": n("-0.5"),
		"12345678901234567890": n("12345678901234567890"), "0": n("0"), "-0": n("0"), "01.5": n("1.5"),
		"yes": "yes", "no": "no", "on": "on", "off": "off", "y": "y", "Yes": "Yes",
		"true": true, "True": true, "FALSE": false,
		"~": nil, "null": nil, "": nil, "Null": nil, "nULL": "nULL",
		"2025-11-10": "2025-11-10", "2001-12-14t21:59:43.10-05:00": "2001-12-14t21:59:43.10-05:00", "12:30:45": "12:30:45",
		"-": nil, "1.2.3": "1.2.3", "1e": "1e", "e3": "e3", "0x": "0x", "0xZZ": "0xZZ", "_1": "_1", "1-2": "1-2", "+": "+",
		`"yes"`: "yes", `"1e3"`: "1e3", `'007'`: "007", `"null"`: "null", `'it''s'`: "it's", `"\u00e9\n"`: "é\n",
		"!!str 12": "12", "!!int 12": n("12"), "!!str": "", "!!str true": "true", "!!float 1e1": n("10"), "!!timestamp 2001-12-14": "2001-12-14",
	}
	for text, want := range tests {
		if text == "-" {
			continue // a list
		}
		if got := attributes(t, "    a: "+text+"\n", nil)["a"]; !cmp.Equal(got, want) {
			t.Errorf("%s is %#v, want %#v", text, got, want)
		}
	}
	block := attributes(t, "    a: |\n      one\n      two\n    b: >-\n      one\n      two\n    c: [x, \"y\", 3]\n", nil)
	if want := (map[string]any{"a": "one\ntwo\n", "b": "one two", "c": []any{"x", "y", n("3")}}); !cmp.Equal(block, want) {
		t.Error(cmp.Diff(want, block))
	}
}

func TestVariables(t *testing.T) {
	m := map[string]string{"A": "value", "EMPTY": "", "YAML": "x: [1, *a, &b] # ${A}\n- yes", "N": "12", "REF": "${A}"}
	tests := map[string]string{
		"${A}": "value", "a-${A}-${A}": "a-value-value", "${EMPTY}": "", "${YAML}": m["YAML"], "${N}": "12", "${REF}": "${A}",
		"${NONE:-other}": "other", "${EMPTY:-other}": "other", "${A:-other}": "value", "${NONE:-}": "", "${NONE:-a b$}": "a b$",
		"$${A}": "${A}", "$A": "$A", "$$": "$$", "US$": "US$", "$${A}${A}": "${A}value", "$$${A}": "$${A}",
	}
	for text, want := range tests {
		if got := attributes(t, fmt.Sprintf("    a: %q\n", text), m)["a"]; got != want {
			t.Errorf("%s is %#v, want %q", text, got, want)
		}
	}
	tree, diags := build(t, "flows:\n- id: ${A}\n  definition: {script: '${x} ${'}\n  name: ${N}\n", m)
	if tree == nil {
		t.Fatal(diags)
	}
	want := map[string]any{"value": map[string]any{"definition": map[string]any{"script": "${x} ${"}, "name": "12"}}
	if got := tree.Flows.Value(); !cmp.Equal(got, any(want)) {
		t.Error(cmp.Diff(want, got))
	}
	if len(tree.Variables) != 2 || tree.Variables["N"].String() != "descope.yaml:4:9" {
		t.Errorf("variables %v", tree.Variables)
	}
}

// TestUnsetProject: a variable without a value is no placeholder besides.
func TestUnsetProject(t *testing.T) {
	for _, text := range []string{"auth: {project_id: \"${NONE}\"}\n", "environments: {dev: {project_id: \"${NONE}\"}}\n"} {
		_, diags := build(t, text, nil)
		if len(diags) != 1 || diags[0].Code != "unset-variable" {
			t.Errorf("%q: %v, want one unset-variable", text, diags)
		}
	}
}

func TestAnchors(t *testing.T) {
	tree, diags := build(t, `tenants:
- &acme
  id: acme
  name: Acme
  domains: &d [acme.com]
  custom_attributes: &a {plan: pro, seats: 3}
- <<: *acme
  id: other
  domains: *d
  custom_attributes: {<<: [{seats: 4}, *a], plan: basic}
`, nil)
	if tree == nil {
		t.Fatal(diags)
	}
	want := map[string]any{
		"acme":  map[string]any{"name": "Acme", "domains": []any{"acme.com"}, "custom_attributes": map[string]any{"plan": "pro", "seats": jsonNumber("3")}},
		"other": map[string]any{"name": "Acme", "domains": []any{"acme.com"}, "custom_attributes": map[string]any{"plan": "basic", "seats": jsonNumber("4")}},
	}
	if got := tree.Tenants.Value(); !cmp.Equal(got, any(want)) {
		t.Error(cmp.Diff(want, got))
	}
}

// TestMistakes are those of form: each with the place that it must name.
func TestMistakes(t *testing.T) {
	deep := strings.Repeat("[", 400) + strings.Repeat("]", 400)
	laughs := "tenants:\n- &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := range 12 {
		laughs += fmt.Sprintf("- &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", i+1, i, i, i, i, i, i, i, i)
	}
	tests := map[string]struct{ text, at, code string }{
		"empty":               {"", "1:1", "empty"},
		"comments":            {"# nothing\n", "1:1", "empty"},
		"null":                {"~\n", "1:1", "empty"},
		"list":                {"- a\n", "1:1", "wrong-document"},
		"text":                {"hello\n", "1:1", "wrong-document"},
		"two documents":       {"tenants: []\n---\ntenants: []\n", "2:1", "many-documents"},
		"bytes":               {"tenants: []\nversion: \"\xff\"\n", "2:11", "not-utf8"},
		"UTF-16":              {"\xff\xfet\x00", "1:1", "not-utf8"},
		"tab":                 {"tenants:\n\t- id: a\n", "2:2", "syntax"},
		"unclosed":            {"tenants: [\n", "", "syntax"},
		"brace":               {"tenants: [{id: ${A}}]\n", "", "syntax"},
		"duplicate key":       {"tenants: []\nflows: []\ntenants: []\n", "3:1", "duplicate-key"},
		"duplicate deep":      {"tenants:\n- id: a\n  name: x\n  name: y\n", "4:3", "duplicate-key"},
		"duplicate merge":     {"tenants:\n- <<: {a: b}\n  <<: {c: d}\n", "3:3", "duplicate-key"},
		"key":                 {"tenants:\n- ? [a]\n  : b\n", "", "wrong-key"},
		"anchor":              {"tenants: *none\n", "", "syntax"},
		"itself":              {"tenants: &a [*a]\n", "1:14", "endless"},
		"laughs":              {laughs, "", "beyond-limits"},
		"deep":                {"tenants: " + deep, "", "beyond-limits"},
		"merge":               {"tenants:\n- <<: 3\n", "2:7", "wrong-merge"},
		"tag":                 {"tenants: !!set {a}\n", "1:10", "unknown-tag"},
		"own tag":             {"tenants: !env A\n", "1:10", "unknown-tag"},
		"binary":              {"tenants: [{id: !!binary aGk=}]\n", "1:16", "unknown-tag"},
		"lie":                 {"tenants: [{id: !!int x}]\n", "1:16", "unknown-tag"},
		"octal":               {"tenants: [{id: a, custom_attributes: {zip: 01234}}]\n", "1:44", "wrong-number"},
		"infinite":            {"tenants: [{id: .inf}]\n", "1:16", "wrong-number"},
		"huge number":         {"tenants: [{id: 1e999999}]\n", "1:16", "wrong-number"},
		"unknown":             {"tenants: []\ntenant: []\n", "2:1", "unknown-field"},
		"version":             {"version: 2\n", "1:10", "unknown-version"},
		"versions":            {"version: [1]\n", "1:10", "unknown-version"},
		"tenants":             {"tenants: {acme: {}}\n", "1:10", "wrong-value"},
		"tenant":              {"tenants: [acme]\n", "1:11", "wrong-value"},
		"no id":               {"tenants:\n- name: A\n", "2:3", "missing-field"},
		"number":              {"tenants:\n- id: 12\n", "2:7", "wrong-value"},
		"twice":               {"tenants:\n- id: a\n- id: a\n", "3:7", "duplicate-id"},
		"flow twice":          {"flows:\n- template: a\n- id: a\n", "3:7", "duplicate-id"},
		"flow without":        {"flows:\n- name: a\n", "2:3", "missing-field"},
		"environment":         {"environments: [dev]\n", "1:15", "wrong-value"},
		"environment's":       {"environments:\n  dev: P2x\n", "2:8", "wrong-value"},
		"environment name":    {"environments:\n  ../dev: {}\n", "2:3", "environment-name"},
		"named environment":   {"environments:\n  dev: {name: x}\n", "2:15", "unknown-field"},
		"auth":                {"auth: {projectid: x}\n", "1:8", "unknown-field"},
		"alias":               {"tenants:\n- id: a\n  domains: []\n  selfProvisioningDomains: []\n", "3:3", "alias"},
		"unset":               {"tenants:\n- id: a\n  name: \"x ${NONE} ${A}\"\n", "3:12", "unset-variable"},
		"unset, bytes":        {"tenants:\n- {id: a, name: \"ü ${NONE}\"}\n", "2:21", "unset-variable"},
		"unset id":            {"tenants:\n- id: ${NONE}\n", "2:7", "unset-variable"},
		"syntax of variables": {"tenants:\n- id: ${A-b}\n", "2:7", "variable-syntax"},
		"open variable":       {"tenants:\n- id: a\n  name: a ${\n", "3:11", "variable-syntax"},
		"key with variable":   {"tenants:\n- id: a\n  custom_attributes: {\"${A}\": 1}\n", "3:23", "variable-in-key"},
		"secret":              {"tenants:\n- id: a\n  name: ${DESCOPE_MANAGEMENT_KEY}\n", "3:9", "secret-variable"},
		"variable as default": {"tenants:\n- id: a\n  name: \"x ${NONE:-${A}}\"\n", "3:12", "variable-syntax"},
		"secret default":      {"tenants:\n- id: a\n  name: ${DESCOPE_DEV_MANAGEMENT_KEY:-x}\n", "3:9", "secret-variable"},
		"literal key":         {"auth:\n  management_key: K2secretsecretsecret\n", "2:19", "literal-key"},
		"half a key":          {"auth:\n  management_key: K2secret${A_MANAGEMENT_KEY}\n", "2:19", "literal-key"},
		"default key":         {"auth:\n  management_key: ${A_MANAGEMENT_KEY:-K2secret}\n", "2:19", "literal-key"},
		"number for a key":    {"auth: {management_key: 12}\n", "1:24", "literal-key"},
		"foreign key":         {"auth: {management_key: \"${GITHUB_TOKEN}\"}\n", "1:24", "foreign-key"},
		"environment's key":   {"environments: {dev: {management_key: K2secret}}\n", "1:38", "literal-key"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tree, diags := build(t, tt.text, map[string]string{"A": "a", "A_MANAGEMENT_KEY": "K2secret", "DESCOPE_MANAGEMENT_KEY": "K2secret", "GITHUB_TOKEN": "K2secret"})
			if tree != nil || len(diags.Errors()) == 0 {
				t.Fatal("no mistake")
			}
			d := diags.Errors()[0]
			if d.Code != tt.code || tt.at != "" && d.Origin.String() != "descope.yaml:"+tt.at {
				t.Errorf("%s [%s] at %s, want [%s] at %s", d.Summary, d.Code, d.Origin, tt.code, tt.at)
			}
			if all := fmt.Sprint(diags); strings.Contains(all, "K2secret") {
				t.Errorf("shows a key: %s", all)
			}
			for _, d := range diags {
				if strings.Contains(d.Summary+d.Detail+d.Hint, "\n") || d.Origin.File != "descope.yaml" {
					t.Errorf("%+v", d)
				}
			}
		})
	}
}

func TestDuplicatesNameBothPlaces(t *testing.T) {
	for text, also := range map[string]string{"tenants: []\ntenants: []\n": "descope.yaml:1:1", "tenants:\n- id: a\n- id: a\n": "descope.yaml:2:7"} {
		_, diags := build(t, text, nil)
		if len(diags) != 1 || len(diags[0].Also) != 1 || diags[0].Also[0].String() != also {
			t.Errorf("%v, want one with %s", diags, also)
		}
	}
}

// TestHostileSizes: what is huge is read, or refused, in a moment.
func TestHostileSizes(t *testing.T) {
	start := time.Now()
	long := "tenants: [" + strings.Repeat("{id: ü}, ", 100_000) + "]\n"
	if _, diags := build(t, long, nil); len(diags) == 0 {
		t.Error("no mistake in a hundred thousand equal tenants")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "descope.yaml")
	if err := os.WriteFile(path, []byte("tenants: []\n#"+strings.Repeat("x", maxFileBytes)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, diags := Load(path, vars(nil)); len(diags) != 1 || !strings.Contains(diags[0].Summary, "larger than") {
		t.Errorf("%v", diags)
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("took %s", took)
	}
}

func TestJSON(t *testing.T) {
	read := func(text string) (*Config, model.Diagnostics) {
		return LoadBytes("descope.json", []byte(text), vars(map[string]string{"A": "\U0001F600"}))
	}
	c, diags := read("{\n\t\"tenants\": [\n\t\t{\"id\": \"acme\", \"name\": \"\\ud83d\\ude00\\/ ${A}\", \"custom_attributes\": {\"n\": 1e3, \"t\": true, \"z\": null, \"l\": []}}\n\t]\n}\n")
	if c == nil {
		t.Fatal(diags)
	}
	tree, _ := c.Environment(DefaultEnvironment)
	acme := tree.Tenants.Get("acme")
	want := map[string]any{"name": "\U0001F600/ \U0001F600", "custom_attributes": map[string]any{"n": jsonNumber("1000"), "t": true, "z": nil, "l": []any{}}}
	if got := acme.Value(); !cmp.Equal(got, any(want)) {
		t.Error(cmp.Diff(want, got))
	}
	if at := acme.Get("name").At.String(); at != "descope.json:3:26" {
		t.Errorf("name is at %s", at)
	}
	for text, at := range map[string]string{
		"":                       "1:1",
		"{":                      "1:2",
		"{\"a\": tru}":           "1:7",
		"{} {}":                  "1:4",
		"{\"tenants\": [01]}":    "1:15",
		"{\"a\":1,\n\"a\":2}":    "2:1",
		"{\"tenants\": [],}":     "1:16",
		"// comment\n{}":         "1:1",
		strings.Repeat("[", 300): "1:258",
	} {
		if _, diags := read(text); len(diags) != 1 || diags[0].Origin.String() != "descope.json:"+at {
			t.Errorf("%s: %v, want one at %s", text, diags, at)
		}
	}
}
