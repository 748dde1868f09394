package schemadoc

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/cuecontext"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"
)

// values are, for each field, some that are right and some that are wrong.
type values map[string][]string

func tenantValues() values {
	text := []string{`""`, `"a"`, `"acme.com"`, `1`, `null`, `[]`, `{}`, `true`, `"` + strings.Repeat("é", 100) + `"`, `"` + strings.Repeat("é", 101) + `"`}
	lists := []string{`[]`, `["acme.com"]`, `["acme.com","b.example.org"]`, `["Acme.com"]`, `["acme"]`, `[1]`, `[null]`, `"acme.com"`, `null`, `{}`, `["acme.com","acme.com"]`, `["a-.com"]`, `["` + strings.Repeat("a", 64) + `.com"]`}
	bools := []string{`true`, `false`, `null`, `"true"`, `1`, `[]`}
	return values{
		"id":                          {`"acme-corp"`, `"abc"`, `"ab"`, `"Acme"`, `"a_b"`, `"` + strings.Repeat("a", 50) + `"`, `"` + strings.Repeat("a", 51) + `"`, `1`, `null`, `"acme\n"`},
		"name":                        text,
		"domains":                     lists,
		"self_provisioning":           bools,
		"custom_attributes":           {`{}`, `{"a":1}`, `{"a":"x","b":null,"c":["x"],"d":true,"e":1.5e300}`, `{"a":{}}`, `{"a":[1]}`, `{"a":[null]}`, `[]`, `null`, `"x"`, `{"":""}`},
		"custom_attributes_exclusive": bools,
		"parent":                      text,
		"disabled":                    bools,
		"role_inheritance":            {`""`, `"none"`, `"userOnly"`, `"all"`, `null`, `1`, `"None"`},
		"default_roles":               lists,
		"enabled_in":                  lists,
		"lifecycle":                   {`{}`, `{"prevent_destroy":true}`, `{"prevent_destroy":1}`, `{"ignore":["name"]}`, `{"ignore":[1]}`, `{"ignored":[]}`, `null`, `[]`, `true`},
		"imported":                    {`true`, `true`, `true`, `false`, `null`, `"true"`},
		"label":                       {`"x"`},
		"_hidden":                     {`1`},
		"#def":                        {`1`},
	}
}

func configValues() values {
	urls := []string{`""`, `"https://a.example.com/x"`, `"http://a"`, `"ftp://a"`, `"https://a b"`, `1`, `null`}
	providers := []string{`[]`, `["google"]`, `["google","apple"]`, `["google","google"]`, `["myspace"]`, `"google"`, `null`, `[1]`}
	bools := []string{`true`, `false`, `null`, `"x"`, `0`}
	return values{
		"methods":                {`["sms"]`, `["totp","sms","email"]`, `[]`, `["sms","sms"]`, `["pigeon"]`, `"sms"`, `null`},
		"remember_device":        bools,
		"remember_duration_days": {`1`, `365`, `30`, `0`, `366`, `1.5`, `"30"`, `null`, `-1`},
		"email":                  {`"magic-link"`, `"code"`, `"pigeon"`, `null`, `1`},
		"providers":              providers,
		"ask_name":               bools,
		"sign_up":                bools,
		"redirect_url":           urls,
		"nothing":                {`1`},
	}
}

// draw makes an object of some of the fields, mostly of right values.
func (v values) draw(t *rapid.T, label string, fields ...string) map[string]json.RawMessage {
	out := map[string]json.RawMessage{}
	if len(fields) == 0 {
		fields = slices.Sorted(maps.Keys(v))
	}
	for _, name := range fields {
		if rapid.IntRange(0, 2).Draw(t, label+name) == 0 {
			choices := v[name]
			if rapid.Bool().Draw(t, label+name+"first") {
				choices = choices[:min(2, len(choices))]
			}
			out[name] = json.RawMessage(rapid.SampledFrom(choices).Draw(t, label+name+"value"))
		}
	}
	return out
}

// agree demands that CUE and the JSON Schema say the same of a document; in CUE it
// stands in a map by ids.
func agree(t *rapid.T, in func(id, doc string) error, id string, s *jsonschema.Schema, doc map[string]json.RawMessage, counts map[bool]int) {
	text, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	inCUE := in(id, string(text))
	inJSON := s.Validate(v)
	counts[inCUE == nil]++
	if (inCUE == nil) != (inJSON == nil) {
		t.Fatalf("%s\nCUE says %v\nJSON Schema says %v", text, inCUE, inJSON)
	}
}

// mapIn says what CUE does of a tenant or a flow, with the exported text and nothing
// else. The document is written behind the definition: what Value.Unify adds to it from
// outside is not held to be closed.
func mapIn(t *testing.T, k Kind) func(id, doc string) error {
	t.Helper()
	hasDefinition(t, k)
	text, err := read(t).CUE(k)
	if err != nil {
		t.Fatal(err)
	}
	return func(id, doc string) error {
		v := cuecontext.New().CompileString(fmt.Sprintf("%s\nall: %ss\nall: %q: %s\n", text, k.definition(), id, doc))
		return v.LookupPath(cue.ParsePath("all")).Validate(cue.Concrete(true))
	}
}

// TestTenantsAgree: the JSON Schema accepts a tenant exactly if CUE does.
func TestTenantsAgree(t *testing.T) {
	def, s, all := mapIn(t, Tenant), validator(t, Tenant), tenantValues()
	counts := map[bool]int{}
	rapid.Check(t, func(t *rapid.T) {
		doc := all.draw(t, "tenant ")
		id := "acme-corp"
		if doc["id"] != nil && json.Unmarshal(doc["id"], &id) != nil {
			id = "acme-corp"
		}
		if rapid.IntRange(0, 9).Draw(t, "named") > 0 && doc["name"] == nil {
			doc["name"] = json.RawMessage(`"Acme"`)
		}
		agree(t, def, id, s, doc, counts)
	})
	if counts[true] < 3 || counts[false] < 3 {
		t.Errorf("%d right ones and %d wrong ones: too few of a kind", counts[true], counts[false])
	}
}

// TestTemplateConfigsAgree: the same for the options of templates, in the flow they
// belong to.
func TestTemplateConfigsAgree(t *testing.T) {
	s, all := validator(t, Flow), configValues()
	def := mapIn(t, Flow)
	names := map[string][]string{}
	for _, of := range read(t).templates() {
		for _, f := range read(t).Definition(of.config).Fields {
			names[of.name] = append(names[of.name], f.Name)
		}
		names[of.name] = append(names[of.name], "nothing")
	}
	counts := map[bool]int{}
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(slices.Sorted(maps.Keys(names))).Draw(t, "template")
		config := all.draw(t, "config ", names[name]...)
		text, err := json.Marshal(config)
		if err != nil {
			t.Fatal(err)
		}
		doc := map[string]json.RawMessage{"template": json.RawMessage(`"` + name + `"`)}
		if len(config) > 0 || rapid.Bool().Draw(t, "written") {
			doc["config"] = text
		}
		agree(t, def, "f", s, doc, counts)
	})
	if counts[true] < 3 || counts[false] < 3 {
		t.Errorf("%d right ones and %d wrong ones: too few of a kind", counts[true], counts[false])
	}
}
