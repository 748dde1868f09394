package plan_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
)

// crowd is n live tenants that were all applied, of which some are renamed by
// the configuration and some are gone from it.
func crowd(t testing.TB, n, renamed, gone int) (desired, live, last model.State) {
	var d, l, a []model.Resource
	for i := range n {
		id := fmt.Sprintf("t%02d", i)
		want := named(id)
		if i < renamed {
			want = named("new " + id)
		}
		if i < n-gone {
			d = append(d, wanted(t, id, want))
		}
		l, a = append(l, alive(t, id, nil)), append(a, wanted(t, id, named(id)))
	}
	return state(t, d...), state(t, l...), state(t, a...)
}

func TestMassChange(t *testing.T) {
	prune := plan.Options{Prune: []model.Kind{model.Tenant}}
	for name, c := range map[string]struct {
		n, renamed, gone int
		o                plan.Options
		want             string // part of the detail; "" for no guard
	}{
		"a few":                     {10, 3, 0, plan.Options{}, ""},
		"too many":                  {10, 4, 0, plan.Options{}, "4 of 10 managed tenants would be updated or deleted (40 %; the limit is 30 %)"},
		"nine are too few to count": {9, 9, 0, plan.Options{}, ""},
		"deletes count":             {20, 0, 7, prune, "7 of 20 managed tenants"},
		"deletes and updates":       {20, 3, 4, prune, "7 of 20"},
		"orphans alone do not":      {20, 0, 20, plan.Options{}, ""},
		"everything":                {20, 0, 20, prune, "the configuration names no tenant at all: all 20 managed ones would be deleted"},
		"everything, however few":   {2, 0, 2, prune, "the configuration names no tenant at all: all 2"},
		"the last one, by its id":   {1, 0, 1, plan.Options{Prune: prune.Prune, Targets: []model.Key{key("t00")}}, ""},
	} {
		d, l, a := crowd(t, c.n, c.renamed, c.gone)
		p := compute(t, d, l, a, c.o)
		switch {
		case c.want == "" && len(p.Guards) > 0:
			t.Errorf("%s: guards %v", name, p.Guards)
		case c.want == "":
		case len(p.Guards) != 1 || p.Guards[0].Rule != plan.RuleMassChange || !strings.Contains(p.Guards[0].Detail, c.want) || p.Guards[0].Allow != "--allow-mass-change" || len(p.Guards[0].Keys) != len(p.Changes):
			t.Errorf("%s: guards %+v", name, p.Guards)
		default:
			if len(p.Gate(plan.Allowed{MassChange: true})) != 0 || len(p.Gate(plan.Allowed{OverwriteDrift: true, AdoptExisting: true})) != 1 {
				t.Errorf("%s: the flag does not decide", name)
			}
		}
		if len(c.o.Prune) == 0 && (len(p.Orphans) != c.gone || p.Counts().Delete != 0) {
			t.Errorf("%s: orphans %v, counts %v", name, p.Orphans, p.Counts())
		}
	}
}

// TestMassChangeCountsManaged: what we never applied and do not want does not
// thin out the share, and what is pruned by its id does not count.
func TestMassChangeCountsManaged(t *testing.T) {
	d, l, a := crowd(t, 12, 4, 0)
	rs := l.Resources()
	var unmanaged []model.Key
	for i := range 20 {
		id := fmt.Sprintf("u%02d", i)
		rs, unmanaged = append(rs, alive(t, id, nil)), append(unmanaged, key(id))
	}
	p := compute(t, d, state(t, rs...), a, plan.Options{PruneUnmanaged: unmanaged})
	if p.Counts() != (plan.Counts{Update: 4, Delete: 20, Unchanged: 8}) {
		t.Fatalf("counts %v", p.Counts())
	}
	if len(p.Guards) != 1 || !strings.Contains(p.Guards[0].Detail, "4 of 12") || len(p.Guards[0].Keys) != 4 {
		t.Errorf("guards %+v", p.Guards)
	}
}

func TestDriftAndAdoption(t *testing.T) {
	desired := state(t, wanted(t, "a", named("A2")), wanted(t, "b", attrs{"name": "B2", "disabled": true}), wanted(t, "new", named("N")))
	live := state(t, alive(t, "a", named("A")), alive(t, "b", named("B")))
	for name, c := range map[string]struct {
		last      model.State
		protected bool
		want      []string // rule: part of the detail
	}{
		"the config moved": {last: state(t, wanted(t, "a", named("A")), wanted(t, "b", named("B")))},
		"live moved": {
			last: state(t, wanted(t, "a", named("A2")), wanted(t, "b", attrs{"name": "old", "disabled": true})),
			want: []string{"drift: 3 values of 2 objects moved live since the last apply and would be overwritten: tenant/a name, tenant/b disabled, tenant/b name"},
		},
		"never applied": {
			last: state(t),
			want: []string{"adopt: 2 existing objects that were never applied would be changed: tenant/a, tenant/b"},
		},
		"never applied, protected": {
			last: state(t, wanted(t, "a", named("A"))), protected: true,
			want: []string{
				"unknown-mover: 2 live values of 1 object would be overwritten, and nothing was ever applied there: who set them is unknown: tenant/b",
				"adopt: 1 existing object that was never applied would be changed: tenant/b",
				"protected: environment prod is protected: confirm that its project is P2xyz",
			},
		},
	} {
		p := compute(t, desired, live, c.last, plan.Options{Environment: "prod", Project: "P2xyz", Protected: c.protected})
		var got []string
		for _, g := range p.Guards {
			got = append(got, string(g.Rule)+": "+g.Detail)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: guards (-want +got):\n%s", name, diff)
		}
	}
}

func TestGate(t *testing.T) {
	all := []plan.Guard{
		{Rule: plan.RuleImpossible},
		{Rule: plan.RuleTaken},
		{Rule: plan.RulePreventDestroy},
		{Rule: plan.RuleMassChange},
		{Rule: plan.RuleDrift},
		{Rule: plan.RuleUnknown},
		{Rule: plan.RuleHeld},
		{Rule: plan.RuleInUse},
		{Rule: plan.RuleAdopt},
		{Rule: plan.RuleProtected},
		{Rule: "of the future"},
	}
	for _, c := range []struct {
		allowed plan.Allowed
		passes  []plan.Rule
	}{
		{plan.Allowed{}, nil},
		{plan.Allowed{MassChange: true}, []plan.Rule{plan.RuleMassChange}},
		{plan.Allowed{OverwriteDrift: true}, []plan.Rule{plan.RuleDrift, plan.RuleUnknown}},
		{plan.Allowed{SavedPlan: true}, []plan.Rule{plan.RuleUnknown}},
		{plan.Allowed{Reapply: true}, []plan.Rule{plan.RuleHeld}},
		{plan.Allowed{DeleteInUse: true}, []plan.Rule{plan.RuleInUse}},
		{plan.Allowed{AdoptExisting: true}, []plan.Rule{plan.RuleAdopt}},
		{plan.Allowed{ConfirmProject: "P1"}, []plan.Rule{plan.RuleProtected}},
		{plan.Allowed{ConfirmProject: "P2"}, nil},
	} {
		remain := map[plan.Rule]bool{}
		for _, g := range (&plan.Plan{Project: "P1", Guards: all}).Gate(c.allowed) {
			remain[g.Rule] = true
		}
		var passes []plan.Rule
		for _, g := range all {
			if !remain[g.Rule] {
				passes = append(passes, g.Rule)
			}
		}
		if diff := cmp.Diff(c.passes, passes); diff != "" {
			t.Errorf("%+v passes (-want +got):\n%s", c.allowed, diff)
		}
	}
	if len((&plan.Plan{Guards: []plan.Guard{{Rule: plan.RuleProtected}}}).Gate(plan.Allowed{})) != 1 {
		t.Error("a plan without a project is confirmed by nothing")
	}
}

func TestProtected(t *testing.T) {
	o := plan.Options{Environment: "prod", Project: "P2", Protected: true}
	p := compute(t, state(t, wanted(t, "a", named("A"))), state(t), state(t), o)
	if diff := cmp.Diff([]plan.Guard{{Rule: plan.RuleProtected, Detail: "environment prod is protected: confirm that its project is P2", Allow: "--confirm-project P2"}}, p.Guards); diff != "" {
		t.Errorf("guards (-want +got):\n%s", diff)
	}
	if p := compute(t, state(t), state(t), state(t), o); len(p.Guards) != 0 || !p.Empty() {
		t.Errorf("an empty plan is guarded: %v", p.Guards)
	}
	unmanaged := compute(t, state(t), state(t, alive(t, "u", nil)), state(t), plan.Options{Protected: true, Project: "P2", PruneUnmanaged: []model.Key{key("u")}})
	if diff := cmp.Diff([]plan.Rule{plan.RuleProtected}, rules(unmanaged)); diff != "" || unmanaged.Changes[0].Moved != plan.Unknown {
		t.Errorf("what was named by its id asks again: %v", unmanaged.Guards)
	}
}

func TestPreventDestroy(t *testing.T) {
	last := wanted(t, "a", attrs{})
	last.Policy.PreventDestroy = true
	p := compute(t, state(t, wanted(t, "z", named("z"))), state(t, alive(t, "a", nil), alive(t, "z", nil)), state(t, last), plan.Options{Prune: []model.Kind{model.Tenant}})
	if len(p.Guards) != 1 || p.Guards[0].Rule != plan.RulePreventDestroy || len(p.Gate(everything(p))) != 1 || !single(t, p).Policy.PreventDestroy {
		t.Errorf("guards %+v", p.Guards)
	}
}

func TestPolicyIsRemembered(t *testing.T) {
	last := wanted(t, "a", named("A"))
	last.Policy = model.Policy{PreventDestroy: true, Ignore: list2("disabled", "name")}
	want := wanted(t, "a", attrs{"name": "B", "disabled": true, "role_inheritance": "none"})
	want.Policy.Ignore = list2("name")
	p := compute(t, state(t, want), state(t, alive(t, "a", named("A"))), state(t, last), plan.Options{})
	ch := single(t, p)
	if len(ch.Fields) != 1 || !ch.Policy.PreventDestroy || !cmp.Equal(ch.Policy.Ignore, list2("name", "disabled")) {
		t.Errorf("got %+v", ch)
	}
	if len(p.Warnings) != 1 || p.Warnings[0].Code != "ignore-remembered" || p.Warnings[0].Origin.Line != 7 {
		t.Errorf("warnings %+v", p.Warnings)
	}
	if len(want.Policy.Ignore) != 1 || len(last.Policy.Ignore) != 2 {
		t.Error("a policy was written to")
	}
}

func TestEncoderRefuses(t *testing.T) {
	d, l, a := state(t, wanted(t, "a", named("A"))), state(t), state(t)
	for name, c := range map[string]struct {
		encode plan.Encoder
		want   string
	}{
		"error":    {func(model.Transition) ([]model.Step, error) { return nil, errors.New("too long a name") }, "cannot create tenant/a: too long a name"},
		"nothing":  {func(model.Transition) ([]model.Step, error) { return nil, nil }, "cannot create tenant/a: no call does this"},
		"bad body": {func(model.Transition) ([]model.Step, error) { return []model.Step{{Body: []byte("{")}}, nil }, "cannot create tenant/a: "},
	} {
		p := compute(t, d, l, a, plan.Options{Encode: c.encode})
		if len(p.Guards) != 1 || p.Guards[0].Rule != plan.RuleImpossible || !strings.HasPrefix(p.Guards[0].Detail, c.want) || single(t, p).Steps != nil {
			t.Errorf("%s: %+v", name, p.Guards)
		}
	}
	// What is impossible already is not asked about.
	moved := compute(t, state(t, wanted(t, "a", attrs{"parent": "p"})), state(t, alive(t, "a", nil), alive(t, "p", nil)), a, plan.Options{
		Encode: func(model.Transition) ([]model.Step, error) { return nil, errors.New("asked") },
	})
	for _, g := range moved.Guards {
		if strings.Contains(g.Detail, "asked") {
			t.Error("the encoder was asked about a moved parent")
		}
	}
}

func TestTransition(t *testing.T) {
	var got []model.Transition
	o := plan.Options{Prune: []model.Kind{model.Tenant}, Encode: func(tr model.Transition) ([]model.Step, error) {
		got = append(got, tr)
		return []model.Step{{Op: model.TenantUpdate, Key: tr.Key, Body: []byte(`{ "x": "<" }`)}}, nil
	}}
	want := wanted(t, "b", attrs{"custom_attributes": attrs{"plan": "pro"}, "disabled": false})
	p := compute(t, state(t, wanted(t, "a", named("A")), want), state(t, alive(t, "b", nil), alive(t, "c", nil)), state(t, wanted(t, "b", nil), wanted(t, "c", nil)), o)
	if len(got) != 3 {
		t.Fatalf("%d transitions", len(got))
	}
	if got[0].Before != nil || !cmp.Equal(got[0].Managed, []string{"name"}) {
		t.Errorf("create: %+v", got[0])
	}
	if got[1].Before.Observed == nil || !cmp.Equal(got[1].Managed, []string{"custom_attributes.plan"}) || got[1].After["name"] != "b" {
		t.Errorf("update: %+v", got[1])
	}
	if got[2].Before == nil || got[2].After != nil || got[2].Managed != nil {
		t.Errorf("delete: %+v", got[2])
	}
	if body := string(p.Changes[0].Steps[0].Body); body != `{"x":"\u003c"}` {
		t.Errorf("the payload is not in its one spelling: %s", body)
	}
}

func TestOptions(t *testing.T) {
	desired, live, last := state(t, wanted(t, "acme-corp", nil)), state(t, alive(t, "old", nil), alive(t, "u", nil)), state(t, wanted(t, "old", nil), wanted(t, "gone", nil))
	for name, c := range map[string]struct {
		o    plan.Options
		want string
	}{
		"unknown target":   {plan.Options{Targets: []model.Key{key("acme-crop")}}, "target tenant/acme-crop is neither in the configuration nor live; did you mean tenant/acme-corp?"},
		"far from all":     {plan.Options{Targets: []model.Key{key("something")}}, "target tenant/something is neither in the configuration nor live"},
		"prune a ghost":    {plan.Options{PruneUnmanaged: []model.Key{key("ghost")}}, "tenant/ghost cannot be pruned: it does not exist"},
		"prune an orphan":  {plan.Options{PruneUnmanaged: []model.Key{key("old")}}, "tenant/old is not unmanaged but an orphan: it was applied before; use --prune=tenant"},
		"prune elsewhere":  {plan.Options{PruneUnmanaged: []model.Key{key("u")}, Targets: []model.Key{key("old")}}, "tenant/u cannot be pruned: it is not among the targets"},
		"a forgotten one":  {plan.Options{Targets: []model.Key{key("gone")}}, ""},
		"prune and target": {plan.Options{PruneUnmanaged: []model.Key{key("u")}, Targets: []model.Key{key("u")}}, ""},
	} {
		_, err := plan.Compute(desired, live, last, c.o)
		if got := fmt.Sprint(err); got != c.want && (c.want != "" || err != nil) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	both := state(t, wanted(t, "u", nil))
	if _, err := plan.Compute(both, live, last, plan.Options{PruneUnmanaged: []model.Key{key("u")}}); err == nil || !strings.Contains(err.Error(), "the configuration has it") {
		t.Errorf("pruning what is desired: %v", err)
	}
}

func TestTargets(t *testing.T) {
	desired := state(t, wanted(t, "a", named("A")), wanted(t, "b", named("B2")), wanted(t, "c", attrs{}))
	live := state(t, alive(t, "b", nil), alive(t, "c", nil), alive(t, "old", nil), alive(t, "u", nil))
	last := state(t, wanted(t, "b", named("b")), wanted(t, "old", nil))
	p := compute(t, desired, live, last, plan.Options{Targets: []model.Key{key("b"), key("c")}})
	if order(p) != "~b" || len(p.Unchanged) != 1 || p.Orphans != nil || p.Unmanaged != nil {
		t.Errorf("%s, unchanged %v, orphans %v, unmanaged %v", order(p), p.Unchanged, p.Orphans, p.Unmanaged)
	}
	whole := compute(t, desired, live, last, plan.Options{})
	if !cmp.Equal(whole.Orphans, []model.Key{key("old")}) || !cmp.Equal(whole.Unmanaged, []model.Key{key("u")}) || !cmp.Equal(whole.Unchanged, []model.Key{key("c")}) {
		t.Errorf("unchanged %v, orphans %v, unmanaged %v", whole.Unchanged, whole.Orphans, whole.Unmanaged)
	}
}

// TestPerKind: prune and mass change look at each kind by itself.
func TestPerKind(t *testing.T) {
	d, l, a := crowd(t, 20, 0, 2)
	with := func(s model.State, flows ...model.Resource) model.State {
		return state(t, append(s.Resources(), flows...)...)
	}
	var kept, all []model.Resource
	for i := range 10 {
		f := flow(fmt.Sprintf("f%d", i), attrs{"definition": attrs{"n": "x"}})
		all = append(all, f)
		if i >= 4 {
			kept = append(kept, f)
		}
	}
	d, l, a = with(d, kept...), with(l, all...), with(a, all...)
	for name, c := range map[string]struct {
		prune   []model.Kind
		deletes int
		orphans int
		detail  string
	}{
		"nothing": {nil, 0, 6, ""},
		"tenants": {[]model.Kind{model.Tenant}, 2, 4, ""},
		"flows":   {[]model.Kind{model.Flow}, 4, 2, "4 of 10 managed flows would be updated or deleted (40 %; the limit is 30 %)"},
		"both":    {[]model.Kind{model.Flow, model.Tenant}, 6, 0, "4 of 10 managed flows"},
	} {
		p := compute(t, d, l, a, plan.Options{Prune: c.prune})
		if p.Counts().Delete != c.deletes || len(p.Orphans) != c.orphans {
			t.Errorf("%s: %d deletes, orphans %v", name, p.Counts().Delete, p.Orphans)
		}
		for _, ch := range p.Changes {
			if !slices.Contains(c.prune, ch.Key.Kind) {
				t.Errorf("%s: %s goes", name, ch.Key)
			}
		}
		switch {
		case c.detail == "" && len(p.Guards) > 0, c.detail != "" && (len(p.Guards) != 1 || !strings.Contains(p.Guards[0].Detail, c.detail)):
			t.Errorf("%s: guards %+v", name, p.Guards)
		}
	}
}

// TestMassChangeOfTargets: the share is of the project, not of the targets.
func TestMassChangeOfTargets(t *testing.T) {
	d, l, a := crowd(t, 40, 12, 0)
	var targets []model.Key
	for i := range 12 {
		targets = append(targets, key(fmt.Sprintf("t%02d", i)))
	}
	if p := compute(t, d, l, a, plan.Options{Targets: targets}); p.Counts().Update != 12 || p.Guards != nil {
		t.Errorf("12 of 40: %v, guards %+v", p.Counts(), p.Guards)
	}
	// One that was never applied and is in the configuration is managed as well,
	// and so is an orphan; a create changes nothing that is there.
	d = state(t, append(d.Resources(), wanted(t, "new", named("New")), wanted(t, "adopted", named("Adopted")))...)
	l = state(t, append(l.Resources(), alive(t, "adopted", nil), alive(t, "orphan", nil))...)
	a = state(t, append(a.Resources(), wanted(t, "orphan", nil))...)
	p := compute(t, d, l, a, plan.Options{Prune: []model.Kind{model.Tenant}})
	if p.Counts() != (plan.Counts{Create: 1, Update: 13, Delete: 1, Unchanged: 28}) {
		t.Fatalf("counts %v", p.Counts())
	}
	if len(p.Guards) != 2 || !strings.Contains(p.Guards[0].Detail, "14 of 42 managed tenants would be updated or deleted (33 %") {
		t.Errorf("guards %+v", p.Guards)
	}
}
