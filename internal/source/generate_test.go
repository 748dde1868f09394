package source_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"pcconnect.ai/descope-mgmt/internal/compiler"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/source"
)

// module makes a module with some environments.
func module(t interface{ Fatal(...any) }, root string, envs ...string) *compiler.Module {
	files := map[string]string{"cue.mod/module.cue": "module: \"example.com/x@v0\"\nlanguage: version: \"v0.17.0\"\n"}
	for _, e := range envs {
		files["envs/"+e+"/"+e+".cue"] = "package envs\n\nenvironment: name: \"" + e + "\"\n"
	}
	for name, text := range files {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	m, err := compiler.Find(root)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestGeneratedComesBack writes random tenants of three of four environments, and expects
// of each what was put in, and nothing in the fourth.
func TestGeneratedComesBack(t *testing.T) {
	names := []string{"a", "b", "c", "rest"}
	m := module(t, t.TempDir(), names...)
	value := rapid.OneOf(
		rapid.Map(rapid.SampledFrom([]string{"x", "y", "z", `\(x)`, "\ufeff"}), func(s string) any { return s }),
		rapid.Map(rapid.IntRange(-2, 2), func(n int) any { return json.Number(fmt.Sprint(n)) }),
		rapid.Map(rapid.Bool(), func(b bool) any { return b }),
		rapid.Just[any](nil),
		rapid.Map(rapid.SliceOfN(rapid.SampledFrom([]string{"p", "q"}), 0, 2), func(l []string) any {
			out := []any{}
			for _, s := range l {
				out = append(out, s)
			}
			return out
		}),
	)
	key := rapid.SampledFrom([]string{"plan", "string", "e\u0301", "_x", "#d", ""})
	rapid.Check(t, func(r *rapid.T) {
		var all []source.Environment
		for i, env := range names[:3] {
			var resources []model.Resource
			for _, id := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"acme-corp", "T2made", "e\u0301", "widget-inc"}), 0, 4, rapid.ID[string]).Draw(r, env) {
				name := rapid.SampledFrom([]string{"same ", "other "}).Draw(r, "name") + id
				res := model.Resource{Key: model.Key{Kind: model.Tenant, ID: id}, Attrs: map[string]any{"name": name}, Policy: model.Policy{Imported: true}}
				if custom := rapid.MapOfN(key, value, 0, 3).Draw(r, "custom"); len(custom) > 0 {
					res.Attrs["custom_attributes"] = custom
				}
				if rapid.Bool().Draw(r, "domains") {
					res.Attrs["domains"], res.Attrs["self_provisioning"] = []any{fmt.Sprintf("%s%d.example", []string{"x", "y"}[i%2], len(resources))}, rapid.Bool().Draw(r, "on")
				}
				res.Policy.PreventDestroy = rapid.Bool().Draw(r, "destroy")
				if rapid.Bool().Draw(r, "ignore") {
					res.Policy.Ignore = []string{"custom_attributes.plan"}
				}
				if rapid.Bool().Draw(r, "exclusive") {
					res.Policy.Exclusive = []string{"custom_attributes"}
				}
				resources = append(resources, res)
			}
			s, err := model.NewState(resources)
			if err != nil {
				r.Fatal(err)
			}
			all = append(all, source.Environment{Name: env, From: "project " + env, State: s})
		}
		some := all[:rapid.IntRange(1, 3).Draw(r, "environments")]
		files, err := source.Generate(source.Module{Path: m.Path(), Environments: names}, some)
		if err != nil {
			r.Fatal(err)
		}
		with, text := m, ""
		for _, f := range files {
			with, text = with.With(f.Path, f.Text), text+"-- "+f.Path+" --\n"+string(f.Text)
			if len(some) == 1 && !strings.HasPrefix(f.Path, "envs/a/") {
				r.Fatalf("one environment is written into %s", f.Path)
			}
		}
		for i, env := range names {
			result, diagnostics := compiler.Compile(t.Context(), with, env)
			if result == nil {
				r.Fatalf("%s: %v\n%s", env, diagnostics.Errors(), text)
			}
			want := model.State{}
			if i < len(some) {
				want = some[i].State
			}
			if result.State.Digest() != want.Digest() {
				r.Fatalf("%s: %+v\nwant %+v\n%s", env, result.State.Resources(), want.Resources(), text)
			}
		}
	})
}

// TestFilesAreOfASize: 10 to 100 tenants in each.
func TestFilesAreOfASize(t *testing.T) {
	for n, want := range map[int]int{1: 1, 100: 1, 101: 2, 250: 3, 1000: 10} {
		var resources []model.Resource
		for i := range n {
			resources = append(resources, model.Resource{Key: model.Key{Kind: model.Tenant, ID: fmt.Sprintf("t-%04d", i)}, Attrs: map[string]any{"name": fmt.Sprint(i)}})
		}
		s, err := model.NewState(resources)
		if err != nil {
			t.Fatal(err)
		}
		files, err := source.Generate(source.Module{Path: "example.com/x", Environments: []string{"dev"}}, []source.Environment{{Name: "dev", State: s}})
		if err != nil || len(files) != want {
			t.Fatalf("%v: %d files, want %d", err, len(files), want)
		}
		for _, f := range files {
			if len(f.Declares) > 100 || n > 100 && len(f.Declares) < 50 {
				t.Errorf("%s has %d tenants of %d", f.Path, len(f.Declares), n)
			}
		}
	}
}

// TestFromLive: what is worth writing, and what is not or cannot be.
func TestFromLive(t *testing.T) {
	tenant := func(id string, attrs map[string]any) model.Resource {
		all := map[string]any{
			"name": id, "domains": []any{}, "self_provisioning": false, "custom_attributes": map[string]any{}, "parent": "", "disabled": false,
			"role_inheritance": "", "default_roles": []any{},
		}
		for k, v := range attrs {
			all[k] = v
		}
		return model.Resource{Key: model.Key{Kind: model.Tenant, ID: id}, Attrs: all}
	}
	state := func(resources ...model.Resource) model.State {
		s, err := model.NewState(resources)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	live := state(
		tenant("known", nil), tenant("excluded", nil),
		tenant("below", map[string]any{"parent": "excluded"}),
		tenant("attributes", map[string]any{"custom_attributes": map[string]any{
			"null": nil, "object": map[string]any{"a": "b"}, "numbers": []any{json.Number("1")}, "huge": json.Number("1e99999999"),
			"digits": json.Number("0.12345678901234567890123456789012345678901"), "lone": []any{"\ufffd"}, "\ufffd": "x", "good": "x",
		}}),
		tenant("roles", map[string]any{"role_inheritance": "newer", "default_roles": []any{"Admin"}, "disabled": true}),
		tenant("name-of-known", map[string]any{"name": "Known"}),
		tenant("twin-1", map[string]any{"name": "Twin"}), tenant("twin-2", map[string]any{"name": "Twin"}),
		tenant("lone-name", map[string]any{"name": "\ufffd"}),
		tenant("taken", map[string]any{"domains": []any{"known.example"}, "self_provisioning": true}),
		tenant("shared", map[string]any{"domains": []any{"old.example"}, "self_provisioning": true}),
	)
	config := state(
		model.Resource{Key: model.Key{Kind: model.Tenant, ID: "known"}, Attrs: map[string]any{"name": "Known", "domains": []any{"known.example"}}},
		model.Resource{Key: model.Key{Kind: model.Tenant, ID: "old"}, Attrs: map[string]any{"name": "Old", "domains": []any{"old.example"}}, Policy: model.Policy{Imported: true}},
	)
	got := source.FromLive(live, config, []model.Key{{Kind: model.Tenant, ID: "excluded"}})
	want := map[string]string{
		"below":      `{"name":"below"}`,
		"attributes": `{"custom_attributes":{"good":"x"},"name":"attributes"}`,
		"roles":      `{"default_roles":["Admin"],"disabled":true,"name":"roles"}`,
		"twin-1":     `{"name":"Twin"}`,
		"lone-name":  "{\"name\":\"\ufffd\"}",
		"taken":      `{"name":"taken"}`,
		"shared":     `{"domains":["old.example"],"name":"shared","self_provisioning":true}`,
	}
	for _, r := range got.State.Resources() {
		if text := string(model.CanonicalJSON(r.Attrs)); text != want[r.Key.ID] {
			t.Errorf("%s is %s, want %s", r.Key, text, want[r.Key.ID])
		}
		if r.Policy.Imported != (r.Key.ID == "shared") {
			t.Errorf("%s: imported is %v", r.Key, r.Policy.Imported)
		}
		delete(want, r.Key.ID)
	}
	if len(want) > 0 {
		t.Errorf("missing: %v", want)
	}
	codes := map[string]int{}
	for _, n := range got.Notes {
		codes[n.Code]++
		if n.Severity != model.Warning || n.Key == nil {
			t.Errorf("%+v", n)
		}
	}
	if codes["left-out"] != 3 || codes["unmanaged"] != 10 || codes["not-unicode"] != 1 {
		t.Errorf("%v: %v", codes, got.Notes)
	}
}

// TestDeclareUnknownKind: there is no CUE for it.
func TestDeclareUnknownKind(t *testing.T) {
	if _, err := source.Declare("example.com/x", model.Key{Kind: "nonsense", ID: "x"}, nil); err == nil {
		t.Error("an unknown kind passes")
	}
}
