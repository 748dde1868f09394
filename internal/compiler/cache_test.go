package compiler

import (
	"context"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// memory is a cache that counts.
type memory struct {
	mu            sync.Mutex
	kept          map[string][]byte
	loads, misses int
}

func (c *memory) Load(key string) ([]byte, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	data, ok := c.kept[key]
	if c.loads++; !ok {
		c.misses++
	}
	return data, ok
}

func (c *memory) Save(key string, data []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kept == nil {
		c.kept = map[string][]byte{}
	}
	c.kept[key] = data
}

// sameResult compares everything that two compilations say.
func sameResult(t *testing.T, what string, got *Result, gotDiags model.Diagnostics, want *Result, wantDiags model.Diagnostics) {
	t.Helper()
	if len(gotDiags)+len(wantDiags) > 0 && !reflect.DeepEqual(gotDiags, wantDiags) {
		t.Errorf("%s: the diagnostics are %v instead of %v", what, gotDiags, wantDiags)
	}
	if (got == nil) != (want == nil) {
		t.Fatalf("%s: a result: %v, wanted: %v", what, got != nil, want != nil)
	}
	if got == nil {
		return
	}
	a, b := *got, *want
	for i, r := range a.State.Resources() {
		if w := b.State.Resources()[i]; !reflect.DeepEqual(r, w) {
			t.Fatalf("%s: %s is\n%#v\ninstead of\n%#v", what, r.Key, r, w)
		}
	}
	a.State, b.State = model.State{}, model.State{}
	if !reflect.DeepEqual(a, b) {
		t.Errorf("%s:\n%#v\ninstead of\n%#v", what, a, b)
	}
}

// TestCacheUnderEveryEdit edits every file of a module in every way that a file can be
// edited, and adds and removes some. With a cache the answer is the one without, and
// asked twice, it is evaluated once.
func TestCacheUnderEveryEdit(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	remove := func(name string) {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	write("cue.mod/module.cue", "module: \"example.com/x@v0\"\nlanguage: version: \"v0.17.0\"\n")
	write("envs/base.cue", "package envs\nimport \"example.com/x/shared\"\ntenants: \"acme\": {name: shared.name, custom_attributes: {n: 1e3, l: [], s: \"\", t: [\"a\", \"b\"], plan: *\"gold\" | string | null}}\n")
	write("envs/flows.cue", "@extern(embed)\n\npackage envs\n\nflows: f: definition: _ @embed(file=flows/f.json)\n")
	write("envs/flows/f.json", `{"flowId": "f", "metadata": {"name": "F"}, "contents": {"tasks": {}}, "screens": []}`)
	write("envs/dev/dev.cue", "package envs\nenvironment: {name: \"dev\", project_id: \"P2devdevdevdevdevdevdevdevde\", connectors: {a: \"b\"}}\n")
	write("envs/prod/prod.cue", "package envs\nenvironment: {name: \"prod\", project_id: \"P2prodprodprodprodprodprodpr\", rate: \"200/60s\"}\ntenants: acme: custom_attributes: plan: null\ntenants: \"only-dev\": {name: \"D\"}\n")
	write("shared/s.cue", "package shared\nname: \"Acme\"\n")
	write(".git/HEAD", "ref: refs/heads/main\n")

	cache := &memory{}
	check := func(what string) {
		t.Helper()
		plain, err := Find(dir)
		if err != nil {
			return // no module, no answer
		}
		kept := plain.WithCache(cache, "test")
		for _, env := range []string{"dev", "prod"} {
			want, wantDiags := Compile(t.Context(), plain, env)
			for range 2 {
				got, gotDiags := Compile(t.Context(), kept, env)
				sameResult(t, what+" in "+env, got, gotDiags, want, wantDiags)
			}
			wantText, _ := Eval(t.Context(), plain, env, EvalOptions{})
			gotText, _ := Eval(t.Context(), kept, env, EvalOptions{})
			if string(gotText) != string(wantText) {
				t.Errorf("%s: eval of %s is\n%s\ninstead of\n%s", what, env, gotText, wantText)
			}
		}
	}
	check("at first")
	misses := cache.misses
	check("again")
	if cache.misses != misses || cache.loads == 0 {
		t.Errorf("of what did not change, %d evaluations", cache.misses-misses)
	}
	write(".git/HEAD", "ref: refs/heads/other\n")
	if check("another branch"); cache.misses != misses {
		t.Error("what git has changed is no edit")
	}
	for _, e := range []struct{ file, old, new string }{
		{"envs/base.cue", "1e3", "1e4"},
		{"envs/base.cue", "\"gold\"", "\"lead\""},
		{"envs/base.cue", "tenants:", "// moved by a line\ntenants:"},
		{"envs/flows/f.json", `"F"`, `"G"`},
		{"envs/flows/f.json", `"screens": []`, `"screens": [1`}, // broken
		{"envs/flows/f.json", `"screens": [1`, `"screens": []`},
		{"shared/s.cue", "Acme", "Acme Inc"},
		{"envs/dev/dev.cue", "\"b\"", "\"c\""},
		{"envs/prod/prod.cue", "only-dev", "dev-alone"},
		{"envs/prod/prod.cue", "P2prodprodprodprodprodprodpr", "P2devdevdevdevdevdevdevdevde"}, // twice
		{"envs/prod/prod.cue", "P2devdevdevdevdevdevdevdevde", "P2prodprodprodprodprodprodpq"},
		{"cue.mod/module.cue", "x@v0", "y@v0"},
		{"cue.mod/module.cue", "y@v0", "x@v0"},
	} {
		path := filepath.Join(dir, filepath.FromSlash(e.file))
		data, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(data), e.old) {
			t.Fatalf("%s has no %q: %v", e.file, e.old, err)
		}
		write(e.file, strings.Replace(string(data), e.old, e.new, 1))
		check(e.file + ": " + e.new)
	}
	write("envs/more.cue", "package envs\ntenants: \"more\": {name: \"More\"}\n")
	check("a new file")
	write("schema/old.cue", "package schema\n")
	check("a stale copy of the schema")
	write("envs/staging/staging.cue", "package envs\nenvironment: {name: \"staging\", project_id: \"P2devdevdevdevdevdevdevdevde\"}\n")
	check("another environment with the same project")
	remove("envs/staging")
	remove("envs/more.cue")
	check("a file that is gone")
	if err := os.Symlink(t.TempDir(), filepath.Join(dir, "link")); err == nil {
		before := len(cache.kept)
		if check("a link to a directory"); len(cache.kept) != before {
			t.Error("what is behind a link to a directory is not looked at, so nothing may be kept")
		}
	}
	t.Logf("counts: loads: %d, evaluations: %d", cache.loads, cache.misses)
}

// TestCacheKeepsNoErrors: an evaluation with an error is done again each time, and one
// that was interrupted is not kept.
func TestCacheKeepsNoErrors(t *testing.T) {
	cache := &memory{}
	m := moduleOf(t, `
-- cue.mod/module.cue --
module: "example.com/x@v0"
language: version: "v0.17.0"
-- envs/dev/dev.cue --
package envs
environment: {name: "dev", project_id: "P2devdevdevdevdevdevdevdevde"}
tenants: acme: title: "Acme"
`).WithCache(cache, "test")
	for range 2 {
		if r, d := Compile(t.Context(), m, "dev"); r != nil || len(d.Errors()) == 0 {
			t.Fatal("the mistake was not found")
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	Compile(ctx, m, "dev")
	if len(cache.kept) > 0 {
		t.Errorf("%d entries were kept", len(cache.kept))
	}
}

// FuzzUnpack reads anything, without a panic and without taking more memory than the
// text is worth; what can be read is written as it was.
func FuzzUnpack(f *testing.F) {
	r := &Result{Environment: Environment{Name: "dev"}}
	r.State, _ = model.NewState([]model.Resource{{
		Key:     model.Key{Kind: model.Tenant, ID: "acme"},
		Attrs:   map[string]any{"name": "Acme", "a": []any{true, false, nil, map[string]any{}}},
		Policy:  model.Policy{PreventDestroy: true},
		Origins: map[string]model.Origin{"name": {File: "a.cue", Line: 1, Column: 2}},
	}})
	f.Add(packResult(r, model.Diagnostics{{Summary: "x"}}))
	f.Add([]byte{0, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, data []byte) {
		r, d, err := unpackResult(data)
		if err != nil {
			return
		}
		again, d2, err := unpackResult(packResult(r, d))
		if err != nil || again.State.Digest() != r.State.Digest() || len(d) != len(d2) {
			t.Errorf("read, written and read again it is something else (%v)", err)
		}
	})
}
