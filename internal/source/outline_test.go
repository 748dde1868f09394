package source

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pcconnect.ai/descope-mgmt/internal/model"
)

func TestOutline(t *testing.T) {
	const text = `package envs

import "example.com/x/schema"

environment: name: "dev"
tenants: "acme-corp": schema.#Tenant & {name: "Acme"}
tenants: {
	"widget": name: "W"
	other:    schema.#Tenant
	for k in ["x"] {(k): name: k}
	[string]: {}
}
flows: login: template: "sign-up-or-in"
_helper: tenants: "not": {}
`
	got, err := Outline("envs/dev/dev.cue", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	at := func(line, column int) model.Origin {
		return model.Origin{File: "envs/dev/dev.cue", Line: line, Column: column}
	}
	tenant := func(id string) model.Key { return model.Key{Kind: model.Tenant, ID: id} }
	want := []Declared{
		{model.Key{}, at(5, 1), "environment"},
		{tenant("acme-corp"), at(6, 10), `"acme-corp"`},
		{tenant("widget"), at(8, 2), `"widget"`},
		{tenant("other"), at(9, 2), "other"},
		{model.Key{Kind: model.Flow, ID: "login"}, at(13, 8), "login"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := Outline("envs/dev/dev.cue", []byte("package {")); err == nil {
		t.Error("no error")
	}
}

func TestMakeDefault(t *testing.T) {
	acme := model.Key{Kind: model.Tenant, ID: "acme"}
	for _, c := range []struct {
		name, base, overlay string
		key                 model.Key
		path                string
		want                string // of the base; "" is nothing
	}{
		{"a text", `tenants: acme: name: "A"`, `tenants: acme: name: "B"`, acme, "name", `tenants: acme: name: *"A" | string`},
		{"a list", `tenants: acme: domains: ["a.com"]`, `tenants: acme: domains: ["b.com"]`, acme, "domains", `tenants: acme: domains: *["a.com"] | [...string]`},
		{"another type", `tenants: acme: custom_attributes: {n: 1, m: 2}`, `tenants: acme: custom_attributes: n: "one"`, acme, "custom_attributes.n", `tenants: acme: custom_attributes: {n: *1 | _, m: 2}`},
		{"beside a constraint", `tenants: acme: name: string & "A"`, `tenants: acme: name: "B"`, acme, "name", `tenants: acme: name: string & (*"A" | string)`},
		{"a default that leaves no choice", `tenants: acme: name: *"A" | "C"`, `tenants: acme: name: "B"`, acme, "name", `tenants: acme: name: *"A" | "C" | string`},
		{"of the environment", `environment: protected: false`, `environment: protected: true`, model.Key{}, "protected", `environment: protected: *false | bool`},
		{"not written in the overlay", `tenants: acme: name: "A"`, `environment: name: "dev"`, acme, "name", ""},
		{"computed", `tenants: acme: name: "A"`, `tenants: acme: name: _x, _x: "B"`, acme, "name", ""},
		{"no path", `tenants: acme: name: "A"`, `tenants: acme: name: "B"`, acme, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			overlay := strings.ReplaceAll(c.overlay, ", _x", "\n_x")
			got, err := MakeDefault(map[string][]byte{
				"envs/base.cue":      []byte("package envs\n\n" + c.base + "\n"),
				"envs/dev/dev.cue":   []byte("package envs\n\n" + overlay + "\n"),
				"envs/prod/prod.cue": []byte("package envs\n\n" + `tenants: acme: name: "P"` + "\n"),
			}, "dev", c.key, c.path)
			if err != nil {
				t.Fatal(err)
			}
			if c.want == "" {
				if len(got) > 0 {
					t.Errorf("changed: %q", got)
				}
				return
			}
			if files := slices.Collect(maps.Keys(got)); !slices.Equal(files, []string{"envs/base.cue"}) || string(got["envs/base.cue"]) != "package envs\n\n"+c.want+"\n" {
				t.Errorf("%q", got)
			}
		})
	}
	if _, err := MakeDefault(map[string][]byte{"envs/x.cue": []byte("{")}, "dev", acme, "name"); err == nil {
		t.Error("no error")
	}
}
