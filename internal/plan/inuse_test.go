package plan_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
)

func TestInUse(t *testing.T) {
	live := state(t, alive(t, "a", nil), alive(t, "b", nil), alive(t, "p", nil), alive(t, "k", child("k", "p")), alive(t, "l", child("l", "p")), alive(t, "stays", nil))
	last := state(t, wanted(t, "a", nil), wanted(t, "b", nil), wanted(t, "p", nil), wanted(t, "stays", nil))
	facts := []string{"SSO is configured", "untouched"}
	o := plan.Options{
		Prune:   []model.Kind{model.Tenant},
		Targets: []model.Key{key("a"), key("b"), key("p"), key("stays")},
		InUse: map[model.Key][]string{
			key("a"):     {"3 users", "2 access keys"},
			key("b"):     nil,
			key("p"):     facts[:1],
			key("stays"): {"9 users"},
		},
	}
	inUse := func(p *plan.Plan) (guards []plan.Guard) {
		for _, g := range p.Guards {
			if g.Rule == plan.RuleInUse {
				guards = append(guards, g)
			}
		}
		return guards
	}
	desired := state(t, wanted(t, "stays", named("S")))
	p := compute(t, desired, live, last, o)
	if diff := cmp.Diff([]plan.Guard{
		{Rule: plan.RuleInUse, Keys: []model.Key{key("a")}, Detail: "tenant/a would be deleted and is in use: 3 users, 2 access keys", Allow: "--allow-delete-in-use"},
		{Rule: plan.RuleInUse, Keys: []model.Key{key("p")}, Detail: "tenant/p would be deleted and is in use: SSO is configured, children: k, l"},
	}, inUse(p)); diff != "" {
		t.Errorf("guards (-want +got):\n%s", diff)
	}
	if left := p.Gate(plan.Allowed{DeleteInUse: true}); len(left) != 1 || left[0].Rule != plan.RuleImpossible {
		t.Errorf("a parent goes before its children: %+v", left)
	}
	// Children that go as well are no reason to keep the parent.
	o.PruneUnmanaged, o.Targets, o.DeleteFlag = []model.Key{key("k"), key("l")}, nil, "--allow-delete-created"
	p = compute(t, desired, live, last, o)
	got := inUse(p)
	if len(got) != 2 || strings.Contains(got[1].Detail, "children") || got[0].Allow != "--allow-delete-created" || got[1].Allow != "--allow-delete-created" {
		t.Errorf("guards %+v", got)
	}
	if left := p.Gate(plan.Allowed{DeleteInUse: true}); len(left) != 0 {
		t.Errorf("the flag does not decide: %+v", left)
	}
	if facts[1] != "untouched" {
		t.Error("the facts were written to")
	}
}

// TestCannotUndo: what a rollback will not bring back is said before the run.
func TestCannotUndo(t *testing.T) {
	desired := state(t, wanted(t, "new", child("N", "stays")), wanted(t, "stays", named("S")))
	live := state(t, alive(t, "a", nil), alive(t, "stays", nil), flow("f", attrs{"definition": "x"}))
	last := state(t, wanted(t, "a", nil), wanted(t, "stays", nil), flow("f", attrs{"definition": "x"}))
	p := compute(t, desired, live, last, plan.Options{Prune: []model.Kind{model.Tenant, model.Flow}})
	if order(p) != "+new ~stays -f -a" {
		t.Fatalf("order %s", order(p))
	}
	gone := key("a")
	if diff := cmp.Diff(model.Diagnostics{{
		Severity: model.Warning, Code: "cannot-undo", Key: &gone,
		Summary: "deleting tenant/a cannot be undone in full",
		Detail:  "a rollback creates it again, without its users, access keys, SSO configuration and sessions",
	}}, p.Warnings); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

// TestUpdateOnly: some attributes of an object are not enough to make one.
func TestUpdateOnly(t *testing.T) {
	some := wanted(t, "a", attrs{"disabled": true})
	some.Policy.UpdateOnly = true
	there := compute(t, state(t, some), state(t, alive(t, "a", nil)), state(t, wanted(t, "a", attrs{"disabled": false})), plan.Options{})
	if order(there) != "~a" || there.Guards != nil {
		t.Errorf("%s, guards %v", order(there), there.Guards)
	}
	gone := compute(t, state(t, some, wanted(t, "b", named("B"))), state(t), state(t, wanted(t, "a", attrs{"disabled": false})), plan.Options{})
	if diff := cmp.Diff([]plan.Guard{{
		Rule: plan.RuleDrift, Keys: []model.Key{key("a")}, Allow: "--overwrite-drift",
		Detail: "1 object is gone, so nothing of it can be taken back: tenant/a",
	}}, gone.Guards); diff != "" || order(gone) != "+b" {
		t.Errorf("%s, guards (-want +got):\n%s", order(gone), diff)
	}
	if plan.Applied(some, alive(t, "a", nil)).Policy.UpdateOnly {
		t.Error("it is remembered of the object")
	}
}

// TestUnmanaged: the wire fields that no attribute covers are managed key by key,
// where somebody asked for them, and by nobody else.
func TestUnmanaged(t *testing.T) {
	with := func(r model.Resource, unmanaged attrs) model.Resource {
		r.Attrs["unmanaged"] = unmanaged
		return r
	}
	live := state(t, with(alive(t, "a", nil), attrs{"enforceSSO": true, "future": attrs{"x": "y"}}))
	quiet := compute(t, state(t, wanted(t, "a", named("a"))), live, state(t), plan.Options{})
	if !quiet.Empty() || len(quiet.Unchanged) != 1 {
		t.Errorf("got %+v", quiet.Changes)
	}
	want := wanted(t, "a", attrs{"unmanaged": attrs{"enforceSSO": nil, "authType": "saml"}})
	ch := single(t, compute(t, state(t, want), live, state(t), plan.Options{}))
	var paths []string
	for _, f := range ch.Fields {
		paths = append(paths, f.Path)
	}
	if diff := cmp.Diff([]string{"unmanaged.authType", "unmanaged.enforceSSO"}, paths); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(attrs{"authType": "saml", "future": attrs{"x": "y"}}, ch.After["unmanaged"]); diff != "" {
		t.Errorf("after (-want +got):\n%s", diff)
	}
}
