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

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/load"
	"github.com/google/go-cmp/cmp"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// definitionOf is the document of a flow, with its diagnostics as errors.
func definitionOf(t *testing.T, r *Result, id string) map[string]any {
	t.Helper()
	res, ok := r.State.Get(model.Key{Kind: model.Flow, ID: id})
	if !ok {
		t.Fatalf("no flow %s", id)
	}
	definition, ok := res.Attrs["definition"].(map[string]any)
	if !ok || len(res.Attrs) != 1 {
		t.Fatalf("flow %s has the attributes %v", id, res.Attrs)
	}
	return definition
}

// TestLeftOutFlow holds that a flow that an environment does not have need not
// be complete there.
func TestLeftOutFlow(t *testing.T) {
	m := moduleOf(t, `
-- envs/flows.cue --
package envs

flows: "mfa": {template: "mfa-login", enabled_in: ["prod"]}
flows: "link": {template: "magic-link", enabled_in: ["prod"], name: string}
-- envs/prod/prod.cue --
package envs

environment: name: "prod"
flows: "mfa": config: methods: ["sms"]
flows: "link": name: "Link"
`)
	if r := compileWell(t, m, "dev"); r.State.Len() != 0 || len(r.Excluded) != 2 {
		t.Errorf("%v, %v", r.State.Resources(), r.Excluded)
	}
	definitionOf(t, compileWell(t, m, "prod"), "mfa")
}

const overlaidFlow = `
-- envs/flows.cue --
package envs

flows: "mfa": {template: "mfa-login", config: methods: ["totp", "sms"]}
flows: "other": {template: "sign-up-or-in", config: providers: ["github", "google"]}
-- envs/staging/staging.cue --
package envs

environment: name: "staging"
flows: "mfa": steps: signIn: nodes: title: text: "Welcome"
-- envs/prod/prod.cue --
package envs

environment: name: "prod"
flows: "other": steps: welcome: nodes: google: text: "Google"
`

// TestOverlayOfOneText changes one text in one environment: exactly one value of
// the flow differs (a label repeats the text of a button), and no order.
func TestOverlayOfOneText(t *testing.T) {
	m := moduleOf(t, overlaidFlow)
	base := compileWell(t, m, "dev")
	for env, want := range map[string][]string{
		"staging": {"mfa screens.0.contents.title.props.children: Sign in, Welcome"},
		"prod": {
			"other screens.0.contents.google.props.children: Continue with Google, Google",
			"other screens.0.interactions.2.label: Continue with Google, Google",
		},
	} {
		r := compileWell(t, m, env)
		var got []string
		for _, id := range []string{"mfa", "other"} {
			differences(definitionOf(t, base, id), definitionOf(t, r, id), id+" ", func(s string) { got = append(got, s) })
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", env, diff)
		}
	}
}

// differences calls f for every value that differs, with its path.
func differences(a, b any, path string, f func(string)) {
	join := func(name any) string {
		return strings.TrimSuffix(path, ".") + map[bool]string{true: "", false: "."}[strings.HasSuffix(path, " ")] + fmt.Sprint(name)
	}
	x, isMap := a.(map[string]any)
	y, alsoMap := b.(map[string]any)
	if isMap && alsoMap {
		for k := range x {
			differences(x[k], y[k], join(k), f)
		}
		for k := range y {
			if _, ok := x[k]; !ok {
				f(join(k) + " is new")
			}
		}
		return
	}
	l, isList := a.([]any)
	k, alsoList := b.([]any)
	if isList && alsoList && len(l) == len(k) {
		for i := range l {
			differences(l[i], k[i], join(i), f)
		}
		return
	}
	if !cmp.Equal(a, b) {
		f(fmt.Sprintf("%s: %v, %v", path, a, b))
	}
}

// TestFormsOfATemplate writes one flow by the template's name and by its
// definition.
func TestFormsOfATemplate(t *testing.T) {
	m := moduleOf(t, `
-- envs/flows.cue --
package envs

flows: "mfa": {template: "mfa-login", config: methods: ["email"], name: "Second", lifecycle: prevent_destroy: true}
flows: "off": {template: "magic-link", enabled: false, description: "Closed"}
flows: "on": {template: "magic-link", enabled: true}
-- envs/dev/dev.cue --
package envs

environment: name: "dev"
-- envs/test/test.cue --
package envs

environment: name: "test"
`)
	r := compileWell(t, m, "dev")
	flow, _ := r.State.Get(model.Key{Kind: model.Flow, ID: "mfa"})
	if !flow.Policy.PreventDestroy || flow.Origin.Line != 3 || flow.FieldOrigin("definition.contents.tasks").Column != 16 {
		t.Errorf("%v, %v, %v", flow.Policy, flow.Origin, flow.Origins)
	}
	for id, want := range map[string]map[string]any{
		"mfa": {"name": "Second", "description": "Signs users in with password and second factor."},
		"off": {"name": "Magic link", "description": "Closed", "disabled": true},
		"on":  {"name": "Magic link", "description": "Signs users in with a link by e-mail."},
	} {
		if diff := cmp.Diff(want, definitionOf(t, r, id)["metadata"]); diff != "" {
			t.Errorf("%s: %s", id, diff)
		}
	}
	other := moduleOf(t, `
-- envs/flows.cue --
package envs

import s "example.com/acme/schema"

_second: s.#MFALogin & {config: methods: ["email"]}
flows: "mfa": _second & {name: "Second"}
for id in ["off", "on"] {flows: (id): s.#MagicLink & {enabled: id == "on", if id == "off" {description: "Closed"}}}
`)
	same := compileWell(t, other, "dev")
	for _, id := range []string{"mfa", "off", "on"} {
		if diff := cmp.Diff(definitionOf(t, r, id), definitionOf(t, same, id)); diff != "" {
			t.Errorf("%s: %s", id, diff)
		}
	}
}

// TestPlainCUEAgrees evaluates a module with a copy of the schema as the cue
// command does, and compares what it exports.
func TestPlainCUEAgrees(t *testing.T) {
	lines := "environment: schema.#Environment\ntenants: schema.#Tenants\nflows: schema.#Flows\n"
	archive := strings.Replace(overlaidFlow, "package envs\n", "package envs\n\nimport \"example.com/acme/schema\"\n"+lines, 1)
	m := moduleOf(t, archive)
	if err := os.Mkdir(filepath.Join(m.Root(), schemaDir), 0o750); err != nil {
		t.Fatal(err)
	}
	for name, data := range SchemaCopyFiles() {
		if err := os.WriteFile(filepath.Join(m.Root(), schemaDir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, env := range []string{"dev", "staging", "prod"} {
		instances := load.Instances([]string{"./envs/" + env}, &load.Config{Dir: m.Root(), Env: []string{"CUE_REGISTRY=none"}})
		v := cuecontext.New().BuildInstance(instances[0])
		if err := v.Validate(cue.Concrete(true)); err != nil {
			t.Fatalf("cue vet -c ./envs/%s: %v", env, err)
		}
		exported, err := v.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		ours, diags := Eval(context.Background(), m, env, EvalOptions{})
		if len(diags) > 0 {
			t.Fatal(diags)
		}
		var a, b any
		if json.Unmarshal(exported, &a) != nil || json.Unmarshal(ours, &b) != nil {
			t.Fatal("no JSON")
		}
		if diff := cmp.Diff(a, b); diff != "" {
			t.Errorf("cue export (-), eval (+): %s", diff)
		}
	}
}

// TestEvalOfTemplates feeds evaluated flows back in: as CUE they are a
// configuration that says the same.
func TestEvalOfTemplates(t *testing.T) {
	m := moduleOf(t, overlaidFlow+"flows: \"mfa\": enabled_in: [\"dev\"]\n")
	if _, diags := Eval(context.Background(), m, "prod", EvalOptions{}); len(diags.Errors()) == 0 {
		t.Error("enabled_in in an overlay passes")
	}
	m = moduleOf(t, overlaidFlow)
	for _, env := range []string{"staging", "prod"} {
		want := compileWell(t, m, env)
		out, diags := Eval(context.Background(), m, env, EvalOptions{Format: FormatCUE})
		if len(diags) > 0 {
			t.Fatal(diags)
		}
		again := moduleOf(t, "-- envs/"+env+"/x.cue --\npackage envs\n\n"+string(out))
		if got := compileWell(t, again, env); got.State.Digest() != want.State.Digest() {
			t.Errorf("%s: the evaluated configuration says something else", env)
		}
		expr, diags := Eval(context.Background(), m, env, EvalOptions{Expr: `flows.mfa.definition.contents.startTask`})
		if len(diags) > 0 || string(expr) != "\"0\"\n" {
			t.Errorf("%s, %v", expr, diags)
		}
	}
}

// TestTemplatesAreLoadedWhereNeeded holds that leaving the templates out changes
// nothing but the time.
func TestTemplatesAreLoadedWhereNeeded(t *testing.T) {
	plain := `
-- envs/a.cue --
package envs

import "example.com/acme/schema"

tenants: "acme-corp": schema.#Tenant & {name: "Acme"}
flows: "x": schema.#Flow & {definition: n: 1}
`
	for text, want := range map[string]bool{
		plain: false,
		plain + `flows: "y": {template: "magic-link"}`:                                                true,
		plain + `flows: "y": schema.#MagicLink`:                                                       true,
		plain + "// a template of ours\n":                                                             true,
		plain + `flows: "y": {"t\u0065mplate": "magic-link"}`:                                         false, // found out afterwards
		plain + `flows: "y": {("templ" + "ate"): "magic-link"}`:                                       false,
		plain + "_tp: schema. \n #SocialLogin\nflows: \"y\": _tp & {config: providers: [\"google\"]}": false,
	} {
		m := moduleOf(t, text)
		l, diags := m.load("dev", wants{resources: true})
		if len(diags) > 0 || l.templates != want {
			t.Errorf("%s: loaded %v, %v", text, l.templates, diags)
		}
		r := compileWell(t, m, "dev")
		if strings.Contains(text, `"y"`) {
			definitionOf(t, r, "y")
		}
		definitionOf(t, r, "x")
	}
}
