package plan_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
)

// back is what run R2 took back from run R1.
func back(id, path string, value any) plan.Held {
	return plan.Held{Key: key(id), Path: path, Value: value, Run: "R2", Of: "R1", GitCommit: "c0ffee"}
}

func TestHeld(t *testing.T) {
	long := strings.Repeat("é", 100)
	tier := func(v any) attrs { return attrs{"custom_attributes": attrs{"tier": v}} }
	for name, c := range map[string]struct {
		want, live, last attrs // nil: not there
		held             []plan.Held
		detail           string // of the guard; "" for none
	}{
		"the same value": {
			want: named("X"), live: named("A"), held: []plan.Held{back("a", "name", "X")},
			detail: `run R2 took back from run R1 what would be set again: tenant/a name "X"; take it out of the configuration: git revert c0ffee`,
		},
		"another value":                 {want: named("Y"), live: named("A"), held: []plan.Held{back("a", "name", "X")}},
		"another object":                {want: named("X"), live: named("A"), held: []plan.Held{back("b", "name", "X")}},
		"another field":                 {want: named("X"), live: named("A"), held: []plan.Held{back("a", "custom_attributes.name", "X")}},
		"it is live":                    {want: named("X"), live: named("X"), held: []plan.Held{back("a", "name", "X")}},
		"a key":                         {want: tier("pro"), live: attrs{}, held: []plan.Held{back("a", "custom_attributes.tier", "pro")}, detail: `tenant/a custom_attributes.tier "pro"`},
		"a key that goes":               {want: attrs{}, live: tier("pro"), last: tier("pro"), held: []plan.Held{back("a", "custom_attributes.tier", plan.Absent{})}, detail: `tenant/a without custom_attributes.tier`},
		"a key that is null":            {want: tier(nil), live: tier("pro"), held: []plan.Held{back("a", "custom_attributes.tier", plan.Absent{})}, detail: `tenant/a without custom_attributes.tier`},
		"null is a value":               {want: tier(nil), live: tier("pro"), held: []plan.Held{back("a", "custom_attributes.tier", nil)}},
		"a long one is cut":             {want: named(long), live: named("A"), held: []plan.Held{back("a", "name", long)}, detail: `name "` + strings.Repeat("é", 59) + `…; take`},
		"a creation":                    {want: named("X"), held: []plan.Held{back("a", "", true)}, detail: "the creation of tenant/a"},
		"a field of a create":           {want: named("X"), held: []plan.Held{back("a", "name", "X")}, detail: `tenant/a name "X"`},
		"a deletion":                    {live: named("X"), last: named("X"), held: []plan.Held{back("a", "", plan.Absent{})}, detail: "the deletion of tenant/a"},
		"the create of a held deletion": {want: named("X"), held: []plan.Held{back("a", "", plan.Absent{})}},
		"the deletion of a held create": {live: named("X"), last: named("X"), held: []plan.Held{back("a", "", true), back("a", "name", plan.Absent{})}},
		"many are counted": {
			want: attrs{"name": "X", "disabled": true, "role_inheritance": "none", "custom_attributes": attrs{"tier": "pro"}}, live: attrs{},
			held:   []plan.Held{back("a", "role_inheritance", "none"), back("a", "name", "X"), back("a", "disabled", true), back("a", "custom_attributes.tier", "pro"), back("a", "name", "X")},
			detail: `again: tenant/a custom_attributes.tier "pro", tenant/a disabled true, tenant/a name "X" and 1 more; take`,
		},
		"no commit is known": {
			want: named("X"), live: named("A"), held: []plan.Held{{Key: key("a"), Path: "name", Value: "X", Run: "R4", Of: "R3"}},
			detail: `run R4 took back from run R3 what would be set again: tenant/a name "X"`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			one := func(m attrs, build func(testing.TB, string, attrs) model.Resource) model.State {
				if m == nil {
					return state(t)
				}
				return state(t, build(t, "a", m))
			}
			if c.last == nil && c.live != nil {
				c.last = c.live
			}
			p := compute(t, one(c.want, wanted), one(c.live, alive), one(c.last, wanted), plan.Options{Prune: []model.Kind{model.Tenant}, Targets: []model.Key{key("a")}, Held: c.held})
			var got []plan.Guard
			for _, g := range p.Guards {
				if g.Rule == plan.RuleHeld {
					got = append(got, g)
				}
			}
			if c.detail == "" {
				if len(got) > 0 || p.Reapplies(c.held) != nil {
					t.Errorf("guards %+v", got)
				}
				return
			}
			if len(got) != 1 || !strings.Contains(got[0].Detail, c.detail) || got[0].Allow != "--allow-reapply" || !cmp.Equal(got[0].Keys, []model.Key{key("a")}) {
				t.Fatalf("guards %+v, want %s", got, c.detail)
			}
			if !strings.Contains(c.detail, "git") && strings.Contains(c.detail, "R4") && strings.Contains(got[0].Detail, "git") {
				t.Errorf("a commit out of nowhere: %s", got[0].Detail)
			}
			if len(p.Gate(plan.Allowed{Reapply: true, OverwriteDrift: true})) != 0 || len(p.Gate(plan.Allowed{OverwriteDrift: true, MassChange: true, AdoptExisting: true, DeleteInUse: true, SavedPlan: true})) != 1 {
				t.Error("the flag does not decide")
			}
		})
	}
}

// TestHeldByTwoRuns: each rollback is named with its own commit, whatever the
// order in which they are listed.
func TestHeldByTwoRuns(t *testing.T) {
	other := plan.Held{Key: key("b"), Path: "name", Value: "Y", Run: "R4", Of: "R3", GitCommit: "beef"}
	desired := state(t, wanted(t, "a", named("X")), wanted(t, "b", named("Y")))
	live := state(t, alive(t, "a", nil), alive(t, "b", nil))
	last := state(t, wanted(t, "a", named("a")), wanted(t, "b", named("b")))
	first := compute(t, desired, live, last, plan.Options{Held: []plan.Held{back("a", "name", "X"), other}})
	second := compute(t, desired, live, last, plan.Options{Held: []plan.Held{other, back("a", "name", "X")}})
	if len(first.Guards) != 2 || !strings.Contains(first.Guards[0].Detail, "git revert c0ffee") || !strings.Contains(first.Guards[1].Detail, "git revert beef") {
		t.Errorf("guards %+v", first.Guards)
	}
	if diff := cmp.Diff(marshal(t, first), marshal(t, second)); diff != "" {
		t.Errorf("the order of the holds shows:\n%s", diff)
	}
}

// TestHeldFlow: a flow is held by what it means.
func TestHeldFlow(t *testing.T) {
	definition := func(version, text string) attrs {
		return attrs{"flowId": "f", "contents": attrs{"startTask": "0", "tasks": attrs{}}, "metadata": attrs{"componentsVersion": version, "name": text}}
	}
	k := model.Key{Kind: model.Flow, ID: "f"}
	held := []plan.Held{{Key: k, Path: "definition", Value: definition("1", "new"), Run: "R2", Of: "R1"}}
	live, last := state(t, flow("f", attrs{"definition": definition("1", "old")})), state(t, flow("f", attrs{"definition": definition("1", "old")}))
	p := compute(t, state(t, flow("f", attrs{"definition": definition("2", "new")})), live, last, plan.Options{Held: held})
	if diff := cmp.Diff([]plan.Rule{plan.RuleHeld}, rules(p)); diff != "" {
		t.Errorf("guards (-want +got):\n%s", diff)
	}
}

// TestHolds: what a plan sets is held, and held it is met again.
func TestHolds(t *testing.T) {
	desired := state(t,
		wanted(t, "a", attrs{"domains": list("x"), "self_provisioning": true, "custom_attributes": attrs{"tier": "pro", "gone": nil}}),
		wanted(t, "b", named("B")), wanted(t, "c", attrs{"disabled": true}))
	live := state(t, alive(t, "a", attrs{"custom_attributes": attrs{"gone": "x"}}), alive(t, "c", nil), alive(t, "d", nil))
	last := state(t, wanted(t, "a", attrs{}), wanted(t, "c", attrs{}), wanted(t, "d", attrs{}))
	p := compute(t, desired, live, last, plan.Options{Prune: []model.Kind{model.Tenant}})
	held := p.Holds(func(k model.Key) bool { return k != key("c") }, plan.Held{Run: "R2", Of: "R1", GitCommit: "c0ffee"})
	want := []plan.Held{
		back("a", "custom_attributes.gone", plan.Absent{}), back("a", "custom_attributes.tier", "pro"), back("a", "domains", list("x")),
		back("b", "", true), back("d", "", plan.Absent{}),
	}
	if diff := cmp.Diff(want, held); diff != "" {
		t.Errorf("holds (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(held, p.Reapplies(held)); diff != "" {
		t.Errorf("met again (-want +got):\n%s", diff)
	}
	// Other domains are another matter, though self-provisioning is on again.
	other := state(t, wanted(t, "a", attrs{"domains": list("y"), "self_provisioning": true}))
	if again := compute(t, other, live, last, plan.Options{}).Reapplies(held); again != nil {
		t.Errorf("met again: %v", again)
	}
}

func TestHeldJSON(t *testing.T) {
	at := time.Date(2026, 11, 24, 20, 57, 3, 500, time.UTC)
	held := []plan.Held{
		back("a", "", true),
		back("a", "", plan.Absent{}),
		back("a", `custom_attributes."a.b"`, nil),
		{Key: model.Key{Kind: model.Flow, ID: "f"}, Path: "definition", Value: attrs{"n": num("12345678901234567890")}, At: at},
	}
	b, err := json.Marshal(held)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(b), `{"key":"tenant/a","path":"","run":"R2","of":"R1","git_commit":"c0ffee","at":"0001-01-01T00:00:00Z"}`) {
		t.Errorf("got %s", b)
	}
	var read []plan.Held
	if err := json.Unmarshal(b, &read); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(held, read); diff != "" {
		t.Errorf("saved and read (-saved +read):\n%s", diff)
	}
	zone := plan.Held{Key: key("a"), At: at.In(time.FixedZone("x", 3600)), Value: true}
	if b, err := json.Marshal(zone); err != nil || !strings.Contains(string(b), `"at":"2026-11-24T20:57:03.0000005Z"`) {
		t.Errorf("%v, %s", err, b)
	}
	for name, text := range map[string]string{
		"no object":       `{"path":"name","value":1}`,
		"unknown kind":    `{"key":"user/a"}`,
		"not a path":      `{"key":"tenant/a","path":"a b"}`,
		"not an object":   `3`,
		"endless numbers": `{"key":"tenant/a","value":1e99999999999}`,
	} {
		var h plan.Held
		if err := json.Unmarshal([]byte(text), &h); err == nil {
			t.Errorf("%s: read as %+v", name, h)
		}
	}
}
