package compiler

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pcconnect.ai/descope-mgmt/internal/model"
)

func TestDeclareComesBack(t *testing.T) {
	root := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("cue.mod/module.cue", "module: \"example.com/x@v0\"\nlanguage: version: \"v0.17.0\"\n")
	write("envs/dev/dev.cue", "package envs\n\nenvironment: name: \"dev\"\n")
	m, err := Find(root)
	if err != nil {
		t.Fatal(err)
	}
	key := model.Key{Kind: model.Tenant, ID: "try-out"}
	attrs := map[string]any{
		"name": "Quote \" \\(x) \u202e é", "domains": []any{"a.example", "b.example"}, "self_provisioning": true, "disabled": false,
		"custom_attributes": map[string]any{"if": "x", "a.b": true, "_hidden": nil, "#def": []any{"1"}, "": "empty", "e\u0301": "decomposed", "\u00e9": "composed", "\u212b": json.Number("1")}, "default_roles": []any{},
	}
	text, err := m.Declare(key, attrs)
	if err != nil {
		t.Fatal(err)
	}
	r, diagnostics := Compile(t.Context(), m.With("envs/dev/try-out.cue", text), "dev")
	if len(diagnostics) > 0 {
		t.Fatalf("%s\n%v", text, diagnostics)
	}
	got, _ := r.State.Get(key)
	if diff := cmp.Diff(attrs, got.Attrs); diff != "" {
		t.Errorf("%s\n%s", text, diff)
	}
	if r, _ := Compile(t.Context(), m, "dev"); r == nil || r.State.Len() != 0 {
		t.Error("a file that was not written stays")
	}
	write("envs/dev/try-out.cue", string(text))
	if changed, diagnostics := Format([]string{filepath.Join(root, "envs")}, true); len(changed)+len(diagnostics) > 0 {
		t.Errorf("not formatted: %v %v\n%s", changed, diagnostics, text)
	}
	if _, err := m.Declare(model.Key{Kind: "nonsense", ID: "x"}, nil); err == nil {
		t.Error("an unknown kind passes")
	}
}
