package plan_test

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
)

// example is a plan with a bit of everything.
func example(t testing.TB) *plan.Plan {
	acme := wanted(t, "acme-corp", attrs{
		"name": "Acme & Sons", "domains": list("acme.com", "acme.net"), "self_provisioning": true,
		"custom_attributes": attrs{"plan": nil, "seats": num("12345678901234567890")},
	})
	acme.Policy.PreventDestroy = true
	acme.Origin, acme.Origins = model.Origin{File: "envs/prod/prod.cue", Line: 9, Column: 2}, nil
	remembered := plan.Applied(acme, alive(t, "acme-corp", attrs{"name": "Acme & Sons", "domains": list("acme.com"), "custom_attributes": attrs{"plan": "pro"}}))
	desired := state(t, acme, wanted(t, "widget-inc", attrs{"name": "Widget", "parent": "acme-corp"}), wanted(t, "new", attrs{"name": "Old", "default_roles": list("Viewer")}), wanted(t, "same", nil))
	live := state(t,
		alive(t, "acme-corp", attrs{"name": "Acme & Sons", "domains": list("acme.com"), "custom_attributes": attrs{"plan": "basic"}}),
		alive(t, "same", nil), alive(t, "old", attrs{"name": "Old"}), alive(t, "console", nil), alive(t, "widget-inc", nil))
	last := state(t, remembered, wanted(t, "old", attrs{"name": "Old"}))
	return compute(t, desired, live, last, plan.Options{
		Environment: "prod", Project: "P2abcdefghijklmnopqrstuvwxyz", BaseURL: "https://api.descope.com", Protected: true,
		Tool: "0.9.1", Schema: "v1", Held: []plan.Held{back("new", "", true)}, InUse: map[model.Key][]string{key("old"): {"3 users"}},
		Prune: []model.Kind{model.Tenant}, Encode: encode,
	})
}

// small is the plan in the documentation.
func small(t testing.TB) *plan.Plan {
	desired := state(t,
		wanted(t, "acme-corp", attrs{"domains": list("acme.com", "acme.net"), "self_provisioning": true}),
		wanted(t, "widget-inc", attrs{"name": "Widget Inc"}))
	live := alive(t, "acme-corp", attrs{"name": "Acme", "domains": list("acme.com")})
	applied := plan.Applied(wanted(t, "acme-corp", attrs{"domains": list()}), live)
	return compute(t, desired, state(t, live), state(t, applied), plan.Options{
		Environment: "dev", Project: "P2abcdefghijklmnopqrstuvwxyz", BaseURL: "http://127.0.0.1:8080", Encode: encode,
		Tool: "0.9.1", Schema: "0.9.1",
	})
}

func marshal(t testing.TB, p *plan.Plan) []byte {
	t.Helper()
	b, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestJSONRoundTrip(t *testing.T) {
	for name, p := range map[string]*plan.Plan{"example": example(t), "small": small(t), "empty": compute(t, state(t), state(t), state(t), plan.Options{})} {
		b := marshal(t, p)
		if bytes.Contains(b, []byte(`depends_on":null`)) || bytes.Contains(b, []byte(`s":null`)) {
			t.Errorf("%s: a list is null:\n%s", name, b)
		}
		var read plan.Plan
		if err := json.Unmarshal(b, &read); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(p, &read); diff != "" {
			t.Errorf("%s: saved and read (-saved +read):\n%s", name, diff)
		}
		if read.Digest() != p.Digest() || !strings.HasPrefix(p.Digest(), "sha256:") {
			t.Errorf("%s: digests %s and %s", name, p.Digest(), read.Digest())
		}
		var indented, unescaped bytes.Buffer
		if err := json.Indent(&indented, b, "", "  "); err != nil {
			t.Fatal(err)
		}
		e := json.NewEncoder(&unescaped)
		e.SetEscapeHTML(false)
		if err := e.Encode(p); err != nil {
			t.Fatal(err)
		}
		for _, spelling := range []*bytes.Buffer{&indented, &unescaped} {
			var again plan.Plan
			if err := json.Unmarshal(spelling.Bytes(), &again); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if !bytes.Equal(marshal(t, &again), b) {
				t.Errorf("%s: another spelling gives another plan", name)
			}
		}
	}
	if example(t).Digest() == small(t).Digest() {
		t.Error("two plans have one digest")
	}
}

// TestJSONShape pins what readers of Terraform's plans rely on.
func TestJSONShape(t *testing.T) {
	var got struct {
		FormatVersion   string `json:"format_version"`
		Summary         map[string]int
		ResourceChanges []struct {
			Address, Type, Name string
			Change              struct {
				Actions         []string
				Before, After   map[string]any
				BeforeSensitive map[string]any `json:"before_sensitive"`
			}
			DependsOn []string `json:"depends_on"`
			Steps     []struct{ Op, Key string }
		} `json:"resource_changes"`
		Unmanaged, Unchanged []string
		Guards               []struct{ Rule, Allow string }
	}
	if err := json.Unmarshal(marshal(t, example(t)), &got); err != nil {
		t.Fatal(err)
	}
	var changes []string
	for _, c := range got.ResourceChanges {
		changes = append(changes, strings.Join(c.Change.Actions, "+")+" "+c.Address)
		if c.Address != c.Type+"/"+c.Name || c.Change.BeforeSensitive == nil {
			t.Errorf("got %+v", c)
		}
	}
	if diff := cmp.Diff([]string{"update tenant/acme-corp", "delete tenant/old", "create tenant/new", "update tenant/widget-inc"}, changes); diff != "" {
		t.Errorf("changes:\n%s", diff)
	}
	if got.FormatVersion != plan.FormatVersion || !cmp.Equal(got.Summary, map[string]int{"create": 1, "update": 2, "delete": 1, "unchanged": 1}) {
		t.Errorf("version %s, summary %v", got.FormatVersion, got.Summary)
	}
	if c := got.ResourceChanges[2]; c.Change.Before != nil || !cmp.Equal(c.DependsOn, []string{"tenant/old"}) || len(c.Steps) != 2 || c.Steps[1].Op != "tenant.default_roles" {
		t.Errorf("create: %+v", c)
	}
	if !cmp.Equal(got.Unmanaged, []string{"tenant/console"}) || !cmp.Equal(got.Unchanged, []string{"tenant/same"}) {
		t.Errorf("unmanaged %v, unchanged %v", got.Unmanaged, got.Unchanged)
	}
	if n := len(got.Guards); n < 4 || got.Guards[n-1].Allow != "--confirm-project P2abcdefghijklmnopqrstuvwxyz" {
		t.Errorf("guards %v", got.Guards)
	}
	if diff := cmp.Diff(map[string]any{"key": true}, plan.Marks(attrs{"key": "k", "name": "n"}, "key", "other")); diff != "" {
		t.Errorf("marks:\n%s", diff)
	}
}

// TestAbsentAndNull: a value that is not there is not the value null.
func TestAbsentAndNull(t *testing.T) {
	live := alive(t, "a", attrs{"role_inheritance": nil})
	delete(live.Attrs, "disabled")
	p := compute(t, state(t, wanted(t, "a", attrs{"role_inheritance": "none", "disabled": nil})), state(t, live), state(t), plan.Options{})
	b := string(marshal(t, p))
	if !strings.Contains(b, `{"path":"disabled","after":null,`) || !strings.Contains(b, `{"path":"role_inheritance","before":null,"after":"none",`) {
		t.Errorf("got %s", b)
	}
	var read plan.Plan
	if err := json.Unmarshal([]byte(b), &read); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(p, &read); diff != "" {
		t.Errorf("saved and read:\n%s", diff)
	}
}

// TestRefusedPlans: what is not exactly a plan of this version is not run.
func TestRefusedPlans(t *testing.T) {
	good := string(marshal(t, example(t)))
	replace := func(old, with string) string {
		t.Helper()
		if !strings.Contains(good, old) {
			t.Fatalf("the example has no %s", old)
		}
		return strings.Replace(good, old, with, 1)
	}
	for name, c := range map[string]struct{ text, want string }{
		"not JSON":             {`nonsense`, "invalid character"},
		"not an object":        {`[]`, "reading a plan"},
		"not a plan":           {`{"version": 4}`, "this is not a plan"},
		"a newer major":        {replace(`"1.2","tool_version":"0.9.1"`, `"2.0","tool_version":"1.4.0"`), `the plan was written by version "1.4.0" of this program, in a newer format version "2.0", and this one reads "1.2": make the plan again`},
		"a newer minor":        {replace(`"1.2","tool_version":"0.9.1"`, `"1.3","news":1,"tool_version":"1.0.0"`), `the plan was written by version "1.0.0" of this program, in a newer format version "1.3"`},
		"a minor above nine":   {replace(`"1.2"`, `"1.10"`), `in a newer format version "1.10"`},
		"an older minor":       {replace(`"1.2","tool_version":"0.9.1",`, `"1.0",`), `the plan was written by another version of this program, in an older format version "1.0"`},
		"a version of sorts":   {replace(`"1.2"`, `"one"`), `in another format version "one"`},
		"an unknown field":     {replace(`"unchanged":[`, `"news":1,"unchanged":[`), `unknown field "news"`},
		"an unknown guard":     {replace(`"rule":"protected"`, `"rule":"polite"`), `unknown guard "polite"`},
		"an unknown action":    {replace(`["delete"]`, `["forget"]`), "actions"},
		"two actions":          {replace(`["delete"]`, `["delete","create"]`), "actions"},
		"no pre-image":         {replace(`"actions":["update"],"before":{`, `"actions":["create"],"before":{`), "do not go with create"},
		"an unknown kind":      {replace(`"address":"tenant/old"`, `"address":"user/old"`), `no kind "user"`},
		"twice":                {replace(`"address":"tenant/old"`, `"address":"tenant/acme-corp"`), "it is there twice"},
		"another name":         {replace(`"name":"old"`, `"name":"console"`), "not as it was written"},
		"another count":        {replace(`"update":2`, `"update":1`), "not as it was written"},
		"order of keys":        {replace(`"rule":"protected","keys":[]`, `"keys":[],"rule":"protected"`), "not as it was written"},
		"a key twice":          {replace(`"environment":"prod"`, `"environment":"prod","environment":"prod"`), "not as it was written"},
		"another number":       {replace(`12345678901234567890`, `12345678901234567890.0`), "not as it was written"},
		"a null list":          {replace(`"orphans":[]`, `"orphans":null`), "not as it was written"},
		"depends on the later": {replace(`"depends_on":["tenant/old"]`, `"depends_on":["tenant/widget-inc"]`), "which does not come before it"},
		"a step of another":    {replace(`"op":"tenant.delete","key":"tenant/old"`, `"op":"tenant.delete","key":"tenant/console"`), "a step of it is about tenant/console"},
		"who moved it":         {replace(`"moved":"both","adopts"`, `"moved":"nobody","adopts"`), `nobody is called "nobody"`},
		"who moved a field":    {replace(`"moved":"both"`, `"moved":"nobody"`), `nobody is called "nobody"`},
		"two values":           {good + good, "after top-level value"},
	} {
		var p plan.Plan
		err := json.Unmarshal([]byte(c.text), &p)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
			continue
		}
		if strings.HasPrefix(c.text, good[:20]) && name != "two values" && !strings.Contains(err.Error(), "make the plan again") {
			t.Errorf("%s: %v does not say what to do", name, err)
		}
		if diff := cmp.Diff(plan.Plan{}, p); diff != "" {
			t.Errorf("%s: a refused plan is half read:\n%s", name, diff)
		}
	}
}

// TestDocumentedExample decodes the example of the documentation. UPDATE=1
// writes it.
func TestDocumentedExample(t *testing.T) {
	const page = "../../docs/json-plan.md"
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok1 := strings.Cut(string(text), "```json\n")
	got, after, ok2 := strings.Cut(rest, "```\n")
	if !ok1 || !ok2 {
		t.Fatal("the page has no JSON block")
	}
	want, err := json.MarshalIndent(small(t), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(page, []byte(before+"```json\n"+string(want)+"\n```\n"+after), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(want)+"\n", got); diff != "" {
		t.Errorf("%s (-want +got); UPDATE=1 writes it:\n%s", page, diff)
	}
	var read plan.Plan
	if err := json.Unmarshal([]byte(got), &read); err != nil {
		t.Error(err)
	}
	for _, r := range []plan.Rule{
		plan.RuleImpossible, plan.RuleTaken, plan.RulePreventDestroy, plan.RuleMassChange,
		plan.RuleDrift, plan.RuleUnknown, plan.RuleAdopt, plan.RuleProtected, plan.RuleHeld, plan.RuleInUse,
	} {
		if !strings.Contains(before, "`"+string(r)+"`") {
			t.Errorf("the page does not name the rule %s", r)
		}
	}
}

// FuzzPlanJSON: whatever is read is written again byte by byte.
func FuzzPlanJSON(f *testing.F) {
	seeds := [][]byte{marshal(f, example(f)), marshal(f, small(f)), marshal(f, compute(f, state(f), state(f), state(f), plan.Options{}))}
	for _, s := range seeds {
		var p plan.Plan
		if err := json.Unmarshal(s, &p); err != nil {
			f.Fatalf("a seed is no plan: %v", err)
		}
		f.Add(s)
	}
	f.Add([]byte(`{"format_version":"1.0","resource_changes":[{"address":"tenant/a","change":{"actions":["create"],"after":{}}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var p plan.Plan
		if json.Unmarshal(data, &p) != nil {
			return
		}
		again := marshal(t, &p)
		var compact, escaped bytes.Buffer
		if err := json.Compact(&compact, data); err != nil {
			t.Fatal(err)
		}
		json.HTMLEscape(&escaped, compact.Bytes())
		if !bytes.Equal(escaped.Bytes(), again) {
			t.Fatalf("read   %s\nwrites %s", escaped.Bytes(), again)
		}
		if p.Digest() == "" || p.Counts().Unchanged != len(p.Unchanged) {
			t.Fatal("a plan that was read does not answer")
		}
		p.Gate(everything(&p))
	})
}
