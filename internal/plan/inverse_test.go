package plan_test

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"pcconnect.ai/descope-mgmt/internal/apply"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
)

func all(model.Key) bool { return true }

func TestInverseFields(t *testing.T) {
	custom := func(m attrs) attrs { return attrs{"custom_attributes": m} }
	for name, c := range map[string]struct {
		live, want   attrs // before the run
		exclusive    bool
		post         attrs // nil: as wanted
		desired, was attrs // of the inverse; nil: none
	}{
		"a name":                  {live: named("A"), want: named("B"), desired: named("A"), was: named("B")},
		"what Descope made of it": {live: named("A"), want: named(" B"), post: named("B"), desired: named("A"), was: named("B")},
		"only what was written": {
			live: attrs{"name": "A", "disabled": true, "custom_attributes": attrs{"x": "1", "y": "2"}}, want: attrs{"disabled": true, "custom_attributes": attrs{"x": "3"}},
			desired: custom(attrs{"x": "1"}), was: custom(attrs{"x": "3"}),
		},
		"a key that came":           {live: nil, want: custom(attrs{"x": "1"}), desired: custom(attrs{"x": nil}), was: custom(attrs{"x": "1"})},
		"a key that went":           {live: custom(attrs{"x": "1"}), want: custom(attrs{"x": nil}), desired: custom(attrs{"x": "1"}), was: custom(attrs{"x": nil})},
		"an exclusive map":          {live: custom(attrs{"x": "1", "y": "2"}), want: custom(attrs{"y": "3"}), exclusive: true, desired: custom(attrs{"x": "1", "y": "2"}), was: custom(attrs{"x": nil, "y": "3"})},
		"domains that were added":   {live: provisioned("x"), want: attrs{"domains": list("x", "y")}, desired: provisioned("x"), was: provisioned("x", "y")},
		"switched on":               {live: nil, want: provisioned("x"), desired: attrs{"domains": list(), "self_provisioning": false}, was: provisioned("x")},
		"switched off":              {live: provisioned("x"), want: attrs{"self_provisioning": false}, desired: provisioned("x"), was: attrs{"domains": list(), "self_provisioning": false}},
		"emptied":                   {live: provisioned("x"), want: attrs{"domains": list()}, desired: provisioned("x"), was: attrs{"domains": list(), "self_provisioning": false}},
		"roles, first ones":         {live: nil, want: attrs{"default_roles": list("r")}, desired: attrs{"default_roles": list()}, was: attrs{"default_roles": list("r")}},
		"inheritance, not set then": {live: nil, want: attrs{"role_inheritance": "none"}, desired: attrs{"role_inheritance": ""}, was: attrs{"role_inheritance": "none"}},
		"half done": {
			live: nil, want: attrs{"name": "B", "default_roles": list("r")}, post: named("B"),
			desired: named("a"), was: named("B"),
		},
		"not done at all":      {live: named("A"), want: named("B"), post: named("A")},
		"undone by somebody":   {live: provisioned("x"), want: provisioned("y"), post: provisioned("x")},
		"a parent never moves": {live: child("A", "p"), want: attrs{"parent": "q"}, post: child("A", "q")},
	} {
		t.Run(name, func(t *testing.T) {
			want := wanted(t, "a", c.want)
			if c.exclusive {
				want.Policy.Exclusive = list2("custom_attributes")
			}
			live := state(t, alive(t, "a", c.live))
			p := compute(t, state(t, want), live, state(t), plan.Options{})
			post := c.post
			if post == nil {
				post = maps.Clone(c.live)
				if post == nil {
					post = attrs{}
				}
				for _, f := range single(t, p).Fields {
					elements, _ := model.SplitPath(f.Path)
					post[elements[0]] = p.Changes[0].After[elements[0]]
				}
			}
			after := state(t, alive(t, "a", post))
			desired, last, targets := plan.Inverse(p, all, after)
			if c.desired == nil {
				if desired.Len()+last.Len()+len(targets) != 0 {
					t.Errorf("something is inverted: %v, %v, %v", desired, last, targets)
				}
				return
			}
			got, _ := desired.Get(key("a"))
			was, _ := last.Get(key("a"))
			if diff := cmp.Diff(norm(t, c.desired), got.Attrs); diff != "" {
				t.Errorf("desired (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(norm(t, c.was), was.Attrs); diff != "" {
				t.Errorf("last (-want +got):\n%s", diff)
			}
			if !cmp.Equal(targets, []model.Key{key("a")}) || !got.Policy.UpdateOnly || was.Policy.UpdateOnly {
				t.Errorf("targets %v, policies %+v and %+v", targets, got.Policy, was.Policy)
			}
			q := compute(t, desired, after, last, plan.Options{Targets: targets})
			if ch := single(t, q); ch.Moved != plan.Config || q.Guards != nil || ch.Adopts {
				t.Errorf("moved %s, guards %v", ch.Moved, q.Guards)
			}
		})
	}
}

// TestInverseOfAbsent: what was not there is put back to what means the same.
func TestInverseOfAbsent(t *testing.T) {
	values := attrs{"role_inheritance": "none", "disabled": true, "default_roles": list("r"), "domains": list("x"), "self_provisioning": true, "tags": attrs{"x": "1"}, "future": nil}
	ch := plan.Change{Key: key("a"), Action: plan.Update, Before: attrs{"name": "a"}, After: values}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		ch.Fields = append(ch.Fields, plan.FieldChange{Path: name, Before: plan.Absent{}, After: values[name]})
	}
	post := model.Resource{Key: key("a"), Attrs: values}
	desired, last, _ := plan.Inverse(&plan.Plan{Changes: []plan.Change{ch}}, all, state(t, post))
	got, _ := desired.Get(key("a"))
	want := attrs{"role_inheritance": "", "disabled": false, "default_roles": list(), "domains": list(), "self_provisioning": false, "tags": attrs{}, "future": nil}
	if diff := cmp.Diff(want, got.Attrs); diff != "" {
		t.Errorf("desired (-want +got):\n%s", diff)
	}
	if was, _ := last.Get(key("a")); !cmp.Equal(was.Attrs, values) {
		t.Errorf("last %v", was.Attrs)
	}
}

// TestInverseKinds: what came goes, what went comes back, and what nobody did
// stays; a flow comes back whole.
func TestInverseKinds(t *testing.T) {
	document := func(text, version string) attrs {
		return attrs{"definition": attrs{"flowId": "f", "contents": attrs{"startTask": "0", "tasks": attrs{}}, "metadata": attrs{"name": text, "componentsVersion": version}}}
	}
	kept := wanted(t, "kept", named("K"))
	kept.Policy = model.Policy{PreventDestroy: true, Ignore: list2("disabled"), Exclusive: list2("custom_attributes")}
	desired := state(t, wanted(t, "new", named("N")), kept, wanted(t, "failed", named("F")), wanted(t, "lost", named("L")), flow("f", document("new", "1")))
	live := state(t, alive(t, "old", attrs{"parent": "failed", "unmanaged": attrs{"enforceSSO": true}}), alive(t, "failed", nil), alive(t, "lost", nil), flow("f", document("old", "1")))
	applied := state(t, wanted(t, "old", nil), wanted(t, "failed", nil), wanted(t, "lost", nil), flow("f", document("old", "1")))
	p := compute(t, desired, live, applied, plan.Options{Prune: []model.Kind{model.Tenant}})
	if got := order(p); got != "~failed +kept ~lost +new ~f -old" {
		t.Fatalf("order %s", got)
	}
	done := func(k model.Key) bool { return k != key("failed") }
	post := state(t, alive(t, "failed", nil), alive(t, "kept", named("K")), flow("f", document("new", "2")))
	back, last, targets := plan.Inverse(p, done, post)
	f := model.Key{Kind: model.Flow, ID: "f"}
	if diff := cmp.Diff([]model.Key{key("kept"), key("lost"), key("old"), f}, targets); diff != "" {
		t.Errorf("targets (-want +got):\n%s", diff)
	}
	if old, _ := back.Get(key("old")); !cmp.Equal(old.Attrs, p.Changes[5].Before) || old.Policy.UpdateOnly || old.Attrs["unmanaged"] == nil {
		t.Errorf("a delete comes back as %+v", old)
	}
	if _, ok := last.Get(key("old")); ok {
		t.Error("last knows what was deleted")
	}
	if was, _ := last.Get(key("kept")); was.Attrs["name"] != "K" || was.Attrs["disabled"] != false || !cmp.Equal(was.Policy, model.Policy{PreventDestroy: true, Exclusive: list2("custom_attributes")}) {
		t.Errorf("a create is remembered as %+v", was)
	}
	if _, ok := back.Get(key("kept")); ok {
		t.Error("a create is wanted back")
	}
	// Meanwhile Descope stamped the flow again, which is nobody's move.
	now := state(t, alive(t, "failed", nil), alive(t, "kept", named("K")), flow("f", document("new", "3")))
	q := compute(t, back, now, last, plan.Options{Targets: targets, Prune: []model.Kind{model.Tenant, model.Flow}})
	if got := order(q); got != "+old ~f -kept" || q.Changes[1].Moved != plan.Config {
		t.Errorf("order %s: %+v", got, q.Changes[1])
	}
	if diff := cmp.Diff([]plan.Rule{plan.RulePreventDestroy, plan.RuleDrift}, rules(q)); diff != "" || !cmp.Equal(q.Guards[1].Keys, []model.Key{key("lost")}) {
		t.Errorf("guards %+v", q.Guards)
	}
	if _, _, none := plan.Inverse(p, func(model.Key) bool { return false }, post); none != nil {
		t.Errorf("nothing was done, and targets are %v", none)
	}
}

// rollback is a random run, and what takes it back.
type rollback struct {
	before, world *world
	done          map[model.Key]bool
	plan          *plan.Plan
	post          model.State
}

// drawRollback runs a random plan, whole or as far as its end came.
func drawRollback(t *rapid.T) (r rollback, ok bool) {
	s := drawScene(t)
	p, err := plan.Compute(s.desired, s.world.state(), s.last, s.options)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Gate(everything(p))) > 0 || p.Empty() {
		return r, false
	}
	r = rollback{before: s.world.clone(), world: s.world, done: map[model.Key]bool{}, plan: saved(t, p)}
	cut := *p
	if rapid.IntRange(0, 3).Draw(t, "is cut short") == 0 {
		cut.Changes = slices.Clone(p.Changes[:rapid.IntRange(1, len(p.Changes)).Draw(t, "changes")])
		last := &cut.Changes[len(cut.Changes)-1]
		last.Steps = last.Steps[:rapid.IntRange(1, len(last.Steps)).Draw(t, "steps")]
	}
	result := apply.Run(context.Background(), &cut, s.world, apply.Options{Workers: 1})
	if !result.OK() {
		t.Fatalf("%s: %+v", order(p), result.Failed())
	}
	for _, ch := range cut.Changes {
		r.done[ch.Key] = true
	}
	r.post = s.world.state()
	return r, true
}

// saved is a plan as a later process knows it.
func saved(t *rapid.T, p *plan.Plan) *plan.Plan {
	b, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var read plan.Plan
	if err := json.Unmarshal(b, &read); err != nil {
		t.Fatal(err)
	}
	return &read
}

func (r rollback) inverse(t *rapid.T) *plan.Plan {
	desired, last, targets := plan.Inverse(r.plan, func(k model.Key) bool { return r.done[k] }, r.post)
	if len(targets) == 0 {
		return &plan.Plan{}
	}
	q, err := plan.Compute(desired, r.world.state(), last, plan.Options{Targets: targets, Prune: []model.Kind{model.Tenant}, Encode: encode})
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// run applies the inverse and holds every tenant against what it was. A tenant
// that was deleted comes back with what is managed.
func (r rollback) run(t *rapid.T, q *plan.Plan, except func(id, path string) bool) {
	if left := q.Gate(everything(q)); len(left) > 0 {
		t.Fatalf("after %s, %s is refused: %+v", order(r.plan), order(q), left)
	}
	if result := apply.Run(context.Background(), q, r.world, apply.Options{Workers: 1}); !result.OK() {
		t.Fatalf("after %s, %s: %+v", order(r.plan), order(q), result.Failed())
	}
	deleted := map[model.Key]bool{}
	for _, ch := range r.plan.Changes {
		deleted[ch.Key] = ch.Action == plan.Delete
	}
	for id := range union(r.before.tenants, r.world.tenants) {
		was, existed := r.before.resource(id)
		now, exists := r.world.resource(id)
		if existed != exists {
			t.Fatalf("%s: existed %v, exists %v", id, existed, exists)
		}
		a, b := was.Attrs, now.Attrs
		if !deleted[key(id)] {
			a, b = fieldsOf(was), fieldsOf(now)
		}
		fields, err := plan.Differences(a, b)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range fields {
			if !except(id, f.Path) {
				t.Fatalf("after %s and %s, %s %s is %v and was %v", order(r.plan), order(q), id, f.Path, f.After, f.Before)
			}
		}
	}
}

// fieldsOf are the attributes and what is nobody's business.
func fieldsOf(r model.Resource) attrs {
	out := maps.Clone(r.Attrs)
	out["secret"], out["enforceSSO"] = r.Observed.Fields["secret"], r.Observed.Fields["enforceSSO"]
	return out
}

// TestInverse: a run and its inverse leave the project as it was, and the inverse
// meets nobody's drift; taken back a second time, there is nothing to do.
func TestInverse(t *testing.T) {
	changes, ran := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		r, ok := drawRollback(t)
		if !ok {
			return
		}
		q := r.inverse(t)
		for _, g := range q.Guards {
			if g.Rule != plan.RuleMassChange {
				t.Fatalf("after %s, %s meets %+v", order(r.plan), order(q), g)
			}
		}
		r.run(t, q, func(string, string) bool { return false })
		ran, changes = ran+1, changes+len(q.Changes)
		if again := r.inverse(t); !again.Empty() {
			t.Fatalf("after %s and %s, there is still %s", order(r.plan), order(q), order(again))
		}
	})
	t.Logf("%d runs were taken back with %d changes", ran, changes)
	if ran == 0 || changes < ran {
		t.Error("the situations are not interesting")
	}
}

// TestInverseAmongOthers: what somebody else does between a run and its rollback
// survives, or is drift where the run wrote the same.
func TestInverseAmongOthers(t *testing.T) {
	survived, conflicts := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		r, ok := drawRollback(t)
		if !ok || len(r.world.tenants) == 0 {
			return
		}
		id := rapid.SampledFrom(slices.Sorted(maps.Keys(r.world.tenants))).Draw(t, "whose")
		path := rapid.SampledFrom([]string{"name", "domains", "disabled", "role_inheritance", "default_roles", "custom_attributes.plan", `custom_attributes.""`, "custom_attributes.theirs", "secret"}).Draw(t, "what")
		q := r.inverse(t)
		touched := false
		for _, ch := range q.Changes {
			touched = touched || ch.Key == key(id) && (ch.Action == plan.Delete || slices.ContainsFunc(ch.Fields, func(f plan.FieldChange) bool { return f.Path == path }))
			if ch.Key == key(id) && ch.Action == plan.Delete && path == "secret" {
				return // of no attribute: that speaks through Options.InUse
			}
		}
		r.meddle(id, path)
		q = r.inverse(t)
		drifted := map[model.Key]bool{}
		for _, g := range q.Guards {
			if g.Rule == plan.RuleDrift {
				for _, k := range g.Keys {
					drifted[k] = true
				}
			}
		}
		if touched {
			conflicts++
			if !drifted[key(id)] || len(drifted) != 1 || len(q.Gate(plan.Allowed{MassChange: true})) != 1 {
				t.Fatalf("after %s and a stranger's %s of %s, %s meets %+v", order(r.plan), path, id, order(q), q.Guards)
			}
			r.run(t, q, func(string, string) bool { return false })
			return
		}
		survived++
		if len(drifted) > 0 {
			t.Fatalf("after %s and a stranger's %s of %s, drift is seen: %+v", order(r.plan), path, id, q.Guards)
		}
		r.run(t, q, func(i, p string) bool {
			return i == id && (p == path || path == "domains" && p == "self_provisioning")
		})
		now, exists := r.world.resource(id)
		if got := plan.FlatTenant(fieldsOf(now))[path]; exists && !model.Equal(got, meddled(path)) {
			t.Fatalf("after %s and %s, a stranger's %s of %s is %v", order(r.plan), order(q), path, id, got)
		}
	})
	t.Logf("%d moves survived, %d were conflicts", survived, conflicts)
	if survived == 0 || conflicts == 0 {
		t.Error("the situations are not interesting")
	}
}

// meddled is what a stranger sets.
func meddled(path string) any {
	switch path {
	case "domains", "default_roles":
		return list("stranger")
	case "disabled":
		return "maybe" // neither value that a run may have set
	}
	return "stranger"
}

// meddle moves a field live.
func (r rollback) meddle(id, path string) {
	wire := map[string]string{"domains": "selfProvisioningDomains", "role_inheritance": "roleInheritance", "default_roles": "defaultRoles"}
	raw := model.CloneMap(r.world.tenants[id])
	elements, _ := model.SplitPath(path)
	switch to, ok := wire[path]; {
	case len(elements) > 1:
		raw["customAttributes"].(attrs)[elements[1]] = meddled(path)
	case ok:
		raw[to] = meddled(path)
	default:
		raw[path] = meddled(path)
	}
	r.world.tenants[id] = raw
}
