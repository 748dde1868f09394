package compiler

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"cuelang.org/go/cue/literal"
	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"pgregory.net/rapid"

	"pcconnect.ai/descope-mgmt/internal/model"
	src "pcconnect.ai/descope-mgmt/internal/source"
)

// repository is the module of this repository, which holds the real model.
func repository(t *testing.T) *Module {
	t.Helper()
	m, err := Find("testdata")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// moduleOf writes files out and finds the module that they make.
func moduleOf(t *testing.T, archive string) *Module {
	t.Helper()
	root, _ := unpack(t, txtar.Parse([]byte(archive)))
	m, err := Find(root)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func compileWell(t *testing.T, m *Module, env string) *Result {
	t.Helper()
	r, diags := Compile(context.Background(), m, env)
	for _, d := range diags {
		t.Errorf("%s", printed(d))
	}
	if r == nil {
		t.Fatal("no result")
	}
	return r
}

func TestTheRealModel(t *testing.T) {
	m := repository(t)
	environments, err := m.Environments()
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"dev", "devtest", "prod", "staging", "test"}; !cmp.Equal(environments, want) {
		t.Errorf("environments %q, want %q", environments, want)
	}
	results, diags := CompileAll(context.Background(), m)
	if len(diags) > 0 || len(results) != len(environments) {
		t.Fatalf("%d results, %v", len(results), diags)
	}
	type facts struct {
		Protected    bool
		Plan         any
		Domains      any
		Tenants      int
		Excluded     []model.Key
		KeepCustomer bool
	}
	sandbox := []model.Key{{Kind: model.Tenant, ID: "sandbox"}}
	acme, both := []any{"acme.com"}, []any{"acme.com", "acme.net"}
	want := map[string]facts{
		"dev":     {Plan: "standard", Domains: acme, Tenants: 4},
		"devtest": {Plan: "standard", Domains: acme, Tenants: 3, Excluded: sandbox},
		"prod":    {Protected: true, Plan: "standard", Domains: both, Tenants: 3, Excluded: sandbox, KeepCustomer: true},
		"staging": {Plan: "enterprise", Domains: acme, Tenants: 3, Excluded: sandbox},
		"test":    {Plan: "standard", Domains: acme, Tenants: 4},
	}
	got := map[string]facts{}
	projects := map[string]bool{}
	for _, r := range results {
		widget, _ := r.State.Get(model.Key{Kind: model.Tenant, ID: "widget-inc"})
		customer, _ := r.State.Get(model.Key{Kind: model.Tenant, ID: "acme-corp"})
		attributes, _ := widget.Attrs["custom_attributes"].(map[string]any)
		got[r.Environment.Name] = facts{
			Protected: r.Environment.Protected, Plan: attributes["plan"], Domains: customer.Attrs["domains"],
			Tenants: r.State.Len(), Excluded: r.Excluded, KeepCustomer: customer.Policy.PreventDestroy,
		}
		projects[r.Environment.ProjectID] = true
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(projects) != len(environments) || projects[""] {
		t.Errorf("project ids %v", projects)
	}
}

func TestResult(t *testing.T) {
	m := moduleOf(t, `
-- envs/base.cue --
package envs

tenants: "acme-corp": {
	name: "Acme"
	domains: *["b.com"] | [...string]
	custom_attributes: {
		plan:  *"gold" | string
		seats: 40.0
		tags: ["y", "x"]
		"odd key": null
	}
	custom_attributes_exclusive: true
	default_roles: ["b", "a", "b"]
	lifecycle: {prevent_destroy: true, ignore: ["domains"]}
	enabled_in: ["dev"]
}
_common: custom_attributes: team: "core"
tenants: "made-here": _common & {name: "Made"}
for k in ["one"] {
	tenants: "\(k)-corp": {name: k, custom_attributes: n: 1}
}
flows: "sign-in": {definition: {n: 1}, enabled: true, lifecycle: prevent_destroy: true}
flows: "hidden-one": {enabled_in: [], name: string}
-- envs/dev/dev.cue --
package envs

environment: {
	name:       "dev"
	base_url:   "http://127.0.0.1:8080"
	rate:       "200/60s"
	connectors: mail: "CI2x"
}
tenants: "acme-corp": {
	domains: ["z.com", "a.com"]
	custom_attributes: plan: "silver"
	imported: true
}
`)
	r := compileWell(t, m, "dev")
	at := func(file string, line, column int) model.Origin {
		return model.Origin{File: file, Line: line, Column: column}
	}
	base, dev := "envs/base.cue", "envs/dev/dev.cue"
	wantEnvironment := Environment{
		Name: "dev", BaseURL: "http://127.0.0.1:8080", Rate: Rate{200, time.Minute}, Connectors: map[string]string{"mail": "CI2x"},
		Origin: at(dev, 3, 1),
		Origins: map[string]model.Origin{
			"name": at(dev, 4, 2), "base_url": at(dev, 5, 2), "rate": at(dev, 6, 2), "connectors": at(dev, 7, 2), "connectors.mail": at(dev, 7, 14),
		},
	}
	if diff := cmp.Diff(wantEnvironment, r.Environment); diff != "" {
		t.Error(diff)
	}
	want := []model.Resource{
		{
			Key: model.Key{Kind: model.Tenant, ID: "acme-corp"},
			Attrs: map[string]any{
				"name":              "Acme",
				"domains":           []any{"a.com", "z.com"},
				"default_roles":     []any{"a", "b"},
				"custom_attributes": map[string]any{"plan": "silver", "seats": json.Number("40"), "tags": []any{"y", "x"}, "odd key": nil},
			},
			Policy: model.Policy{PreventDestroy: true, Ignore: []string{"domains"}, Exclusive: []string{"custom_attributes"}, Imported: true},
			Origin: at(base, 3, 10),
			Origins: map[string]model.Origin{
				"name": at(base, 4, 2), "domains": at(dev, 10, 2), "custom_attributes": at(dev, 11, 2), "custom_attributes.plan": at(dev, 11, 21),
				"custom_attributes.seats": at(base, 8, 3), "custom_attributes.tags": at(base, 9, 3), `custom_attributes."odd key"`: at(base, 10, 3),
				"custom_attributes_exclusive": at(base, 12, 2), "default_roles": at(base, 13, 2), "imported": at(dev, 12, 2),
				"lifecycle": at(base, 14, 2), "lifecycle.prevent_destroy": at(base, 14, 14), "lifecycle.ignore": at(base, 14, 37), "enabled_in": at(base, 15, 2),
			},
		},
		{
			Key:    model.Key{Kind: model.Tenant, ID: "made-here"},
			Attrs:  map[string]any{"name": "Made", "custom_attributes": map[string]any{"team": "core"}},
			Origin: at(base, 18, 10),
			Origins: map[string]model.Origin{
				"name": at(base, 18, 34), "custom_attributes": at(base, 17, 10), "custom_attributes.team": at(base, 17, 29),
			},
		},
		{
			Key:    model.Key{Kind: model.Tenant, ID: "one-corp"},
			Attrs:  map[string]any{"name": "one", "custom_attributes": map[string]any{"n": json.Number("1")}},
			Origin: at(base, 20, 11),
			Origins: map[string]model.Origin{
				"name": at(base, 20, 25), "custom_attributes": at(base, 20, 34), "custom_attributes.n": at(base, 20, 53),
			},
		},
		{
			Key:    model.Key{Kind: model.Flow, ID: "sign-in"},
			Attrs:  map[string]any{"definition": map[string]any{"n": json.Number("1")}, "enabled": true},
			Policy: model.Policy{PreventDestroy: true},
			Origin: at(base, 22, 8),
			Origins: map[string]model.Origin{
				"definition": at(base, 22, 20), "definition.n": at(base, 22, 33), "enabled": at(base, 22, 40), "lifecycle": at(base, 22, 55), "lifecycle.prevent_destroy": at(base, 22, 66),
			},
		},
	}
	if diff := cmp.Diff(want, r.State.Resources()); diff != "" {
		t.Error(diff)
	}
	if want := []model.Key{{Kind: model.Flow, ID: "hidden-one"}}; !cmp.Equal(r.Excluded, want) {
		t.Errorf("excluded %v", r.Excluded)
	}
}

// TestNothingIsManagedByDefault holds the first rule of the schema: what the
// user did not write is not there.
func TestNothingIsManagedByDefault(t *testing.T) {
	m := moduleOf(t, "-- envs/a.cue --\npackage envs\n\ntenants: \"acme-corp\": name: \"Acme\"\nflows: one: definition: x: 1\n")
	for _, res := range compileWell(t, m, "dev").State.Resources() {
		if len(res.Attrs) != 1 || !cmp.Equal(res.Policy, model.Policy{}) {
			t.Errorf("%s has %v, %v", res.Key, res.Attrs, res.Policy)
		}
	}
}

// TestRoundTrip writes random tenants as CUE and expects them back, whatever
// characters and numbers are in them.
func TestRoundTrip(t *testing.T) {
	number := rapid.StringMatching(`-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,12})?([eE][+-]?[0-9]{1,2})?`)
	text := rapid.String().Filter(func(s string) bool { return strings.ToValidUTF8(s, "") == s })
	key := rapid.StringOf(rapid.RuneFrom([]rune("ab_#$.-[]?!\"'\\\n\x00\x1b \u2028ж日😀e\u0301\u00e9\u212b")))
	attribute := rapid.OneOf(
		rapid.Map(text, func(s string) any { return s }),
		rapid.Map(rapid.SliceOfN(text, 0, 3), func(l []string) any { return l }),
		rapid.Map(rapid.Bool(), func(b bool) any { return b }),
		rapid.Just[any](nil),
		rapid.Map(number, func(s string) any { return json.Number(s) }),
	)
	rapid.Check(t, func(rt *rapid.T) {
		attributes := rapid.SliceOfN(rapid.MapOfN(key, attribute, 0, 5), 1, 20).Draw(rt, "tenants")
		var b strings.Builder
		b.WriteString("package envs\n")
		for i, a := range attributes {
			fmt.Fprintf(&b, "tenants: \"tenant-%d\": {name: \"T%d\", custom_attributes: {\n", i, i)
			for k, v := range a {
				label := literal.String.Quote(k)
				if src.KeptLabel(k) != k {
					label = "(" + label + ")"
				}
				fmt.Fprintf(&b, "%s: %s\n", label, written(v))
			}
			b.WriteString("}}\n")
		}
		m := moduleOf(t, "-- envs/a.cue --\n"+b.String())
		r, diags := Compile(context.Background(), m, "dev")
		if len(diags) > 0 || r.State.Len() != len(attributes) {
			rt.Fatalf("%v\n%s", diags, b.String())
		}
		for i, a := range attributes {
			res, _ := r.State.Get(model.Key{Kind: model.Tenant, ID: fmt.Sprintf("tenant-%d", i)})
			want, err := model.Normalize(a)
			if err != nil {
				rt.Fatal(err)
			}
			if !model.Equal(want, res.Attrs["custom_attributes"]) {
				rt.Fatalf("%s became %s", model.CanonicalJSON(want), model.CanonicalJSON(res.Attrs["custom_attributes"]))
			}
		}
	})
}

func written(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return literal.String.Quote(v)
	case []string:
		quoted := make([]string, len(v))
		for i, s := range v {
			quoted[i] = literal.String.Quote(s)
		}
		return "[" + strings.Join(quoted, ", ") + "]"
	default:
		return fmt.Sprint(v)
	}
}

func TestCompileIsDeterministicAndConcurrent(t *testing.T) {
	m := repository(t)
	want := compileWell(t, m, "prod")
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			got, _ := Compile(context.Background(), m, "prod")
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(model.State{})); diff != "" {
				t.Error(diff)
			}
		})
	}
	wg.Wait()
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r, diags := Compile(ctx, repository(t), "dev")
	if r != nil || len(diags) != 1 || diags[0].Code != "interrupted" {
		t.Errorf("%v, %v", r, diags)
	}
	ctx, cancel = context.WithCancel(context.Background())
	hang := make(chan struct{})
	defer close(hang)
	_, d := guarded(ctx, func() model.Diagnostics { cancel(); <-hang; return nil })
	if d == nil || d.Code != "interrupted" {
		t.Errorf("%v", d)
	}
}

func TestPanicsAreContained(t *testing.T) {
	_, d := guarded(context.Background(), func() model.Diagnostics { panic("evaluator\nbroke") })
	if d == nil || d.Code != "internal" || !strings.Contains(d.Summary, "evaluator broke") {
		t.Errorf("%v", d)
	}
}

func TestUnreadableFile(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root reads every file; testdata/mistakes/dangling-link stands in for it")
	}
	m := moduleOf(t, "-- envs/a.cue --\npackage envs\n")
	if err := os.Chmod(filepath.Join(m.Root(), "envs/a.cue"), 0); err != nil {
		t.Fatal(err)
	}
	_, diags := Compile(context.Background(), m, "dev")
	if len(diags) != 1 || diags[0].Code != "unreadable" || diags[0].Origin.File != "envs/a.cue" {
		t.Errorf("%v", diags)
	}
}

func TestFileTooLarge(t *testing.T) {
	m := moduleOf(t, "-- envs/a.cue --\npackage envs\n")
	if err := os.Truncate(filepath.Join(m.Root(), "envs/a.cue"), maxFileBytes+1); err != nil {
		t.Fatal(err)
	}
	_, diags := Compile(context.Background(), m, "dev")
	if len(diags) != 1 || diags[0].Code != "too-large" {
		t.Errorf("%v", diags)
	}
}

func TestAttributesOfManyBrackets(t *testing.T) {
	m := moduleOf(t, "-- envs/a.cue --\npackage envs\n")
	text := "package envs\n@x(" + strings.Repeat("(", 2<<20)
	if err := os.WriteFile(filepath.Join(m.Root(), "envs/a.cue"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, diags := Compile(context.Background(), m, "dev")
	if len(diags) != 1 || diags[0].Code != "beyond-limits" {
		t.Errorf("%v", diags)
	}
}

// TestErrorsAreComplete expects a thousand mistakes to be found, each once.
func TestErrorsAreComplete(t *testing.T) {
	var b bytes.Buffer
	b.WriteString("-- envs/a.cue --\npackage envs\n")
	for i := range 1000 {
		fmt.Fprintf(&b, "tenants: \"tenant-%d\": {name: %d}\n", i, i)
	}
	_, diags := Compile(context.Background(), moduleOf(t, b.String()), "dev")
	if len(diags) != 1000 {
		t.Errorf("%d diagnostics", len(diags))
	}
	for i, d := range diags {
		if d.Code != "wrong-value" || d.Origin.Line != i+2 {
			t.Fatalf("%d: %s", i, printed(d))
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	root := b.TempDir()
	var text bytes.Buffer
	text.WriteString("package envs\n")
	for i := range 1000 {
		fmt.Fprintf(&text, "tenants: \"tenant-%d\": {name: \"Tenant %d\", domains: [\"t%d.example.com\"], self_provisioning: true, custom_attributes: {plan: *\"gold\" | string, seats: %d}}\n", i, i, i, i)
	}
	for name, data := range map[string]string{
		"cue.mod/module.cue": "module: \"example.com/acme@v0\"\nlanguage: version: \"v0.17.0\"\n",
		"envs/tenants.cue":   text.String(),
		"envs/dev/dev.cue":   "package envs\nenvironment: name: \"dev\"\n",
	} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	m, err := Find(root)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if r, diags := Compile(context.Background(), m, "dev"); r == nil {
			b.Fatal(diags)
		}
	}
}
