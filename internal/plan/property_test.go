package plan_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"pcconnect.ai/descope-mgmt/internal/apply"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
)

// scene is one random situation.
type scene struct {
	world         *world
	desired, last model.State
	options       plan.Options
}

func drawScene(t *rapid.T) scene {
	n := rapid.IntRange(1, 7).Draw(t, "ids")
	names := rapid.Permutation([]string{"N0", "N1", "N2", "N3", "N4", "N5", "N6", "N7", "N8", "N9"})
	domains := rapid.Permutation([]string{"d0", "d1", "d2", "d3", "d4", "d5", "d6"})
	w := drawWorld(t, n, names.Draw(t, "live names"), domains.Draw(t, "live domains"))
	wantNames, wantDomains := names.Draw(t, "names"), domains.Draw(t, "domains")

	var desired, last []model.Resource
	for i := range n {
		id := fmt.Sprintf("t%d", i)
		live, exists := w.resource(id)
		want := drawWanted(t, id, w, desired, wantNames[i], wantDomains[i])
		if exists && rapid.Bool().Draw(t, "keep the name") && nameFree(desired, live.Attrs["name"]) {
			want.Attrs["name"] = live.Attrs["name"]
		}
		if nameFree(desired, want.Attrs["name"]) && rapid.IntRange(0, 9).Draw(t, "desired") > 1 {
			desired = append(desired, want)
		}
		if exists && rapid.IntRange(0, 9).Draw(t, "applied before") > 2 {
			was := drawWanted(t, id, w, nil, wantNames[i], wantDomains[i])
			was.Policy.Ignore = nil
			last = append(last, plan.Applied(was, live))
			if rapid.IntRange(0, 3).Draw(t, "moved since") == 0 {
				last[len(last)-1] = was
			}
		}
	}
	s := scene{world: w, options: plan.Options{Environment: "dev", Project: "P1", Encode: encode}}
	var err1, err2 error
	s.desired, err1 = model.NewState(desired)
	s.last, err2 = model.NewState(last)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	if rapid.Bool().Draw(t, "prune") {
		s.options.Prune = []model.Kind{model.Tenant}
	}
	return s
}

func nameFree(desired []model.Resource, name any) bool {
	return !slices.ContainsFunc(desired, func(r model.Resource) bool { return r.Attrs["name"] == name })
}

func drawWorld(t *rapid.T, n int, names, domains []string) *world {
	w := &world{tenants: map[string]attrs{}}
	for i := range n {
		if rapid.IntRange(0, 3).Draw(t, "live") == 0 {
			continue
		}
		raw := attrs{
			"name": names[i], "selfProvisioningDomains": []any{}, "customAttributes": drawAttributes(t, false),
			"parent": "", "disabled": rapid.Bool().Draw(t, "disabled"), "roleInheritance": "none",
			"defaultRoles": []any{"r1"}, "secret": rapid.StringN(0, 3, -1).Draw(t, "secret"), "enforceSSO": true,
		}
		if rapid.Bool().Draw(t, "self-provisioning") {
			raw["selfProvisioningDomains"] = []any{domains[i]}
		}
		if parent := fmt.Sprintf("t%d", rapid.IntRange(0, n).Draw(t, "parent")); w.tenants[parent] != nil {
			raw["parent"] = parent
		}
		w.tenants[fmt.Sprintf("t%d", i)] = raw
	}
	return w
}

func drawAttributes(t *rapid.T, withNull bool) attrs {
	values := []any{"x", "y", true, model.Clone([]any{"l"})}
	if withNull {
		values = append(values, nil)
	}
	return rapid.MapOfN(rapid.SampledFrom([]string{"plan", "a.b", "", "tier", "[x]*"}), rapid.SampledFrom(values), 0, 4).Draw(t, "custom_attributes")
}

func drawWanted(t *rapid.T, id string, w *world, desired []model.Resource, name, domain string) model.Resource {
	a := attrs{"name": name}
	maybe := func(label string, set func()) {
		if rapid.Bool().Draw(t, label) {
			set()
		}
	}
	maybe("has domains", func() {
		a["domains"] = rapid.SampledFrom([][]any{{}, {domain}, {domain, domain + ".sub"}}).Draw(t, "wanted domains")
	})
	maybe("has switch", func() { a["self_provisioning"] = rapid.Bool().Draw(t, "self_provisioning") })
	maybe("has attributes", func() { a["custom_attributes"] = drawAttributes(t, true) })
	maybe("has disabled", func() { a["disabled"] = rapid.Bool().Draw(t, "wanted disabled") })
	maybe("has roles", func() { a["default_roles"] = rapid.SampledFrom([][]any{{}, {"r1"}, {"r1", "r2"}}).Draw(t, "roles") })
	if raw, exists := w.tenants[id]; exists {
		maybe("states the parent", func() { a["parent"] = raw["parent"] })
	} else if len(desired) > 0 {
		maybe("has a parent", func() { a["parent"] = rapid.SampledFrom(desired).Draw(t, "wanted parent").Key.ID })
	}
	r := model.Resource{Key: key(id), Attrs: a, Origin: model.Origin{File: "t.cue", Line: 1, Column: 1}}
	maybe("exclusive", func() { r.Policy.Exclusive = []string{"custom_attributes"} })
	if rapid.IntRange(0, 3).Draw(t, "ignores") == 0 {
		r.Policy.Ignore = []string{rapid.SampledFrom([]string{"domains", "self_provisioning", "custom_attributes.plan", "custom_attributes", "disabled"}).Draw(t, "ignored")}
	}
	return r
}

// remember is what a caller does after a verified run.
func remember(s scene, p *plan.Plan, live model.State) model.State {
	last := s.last
	for _, c := range p.Changes {
		if c.Action == plan.Delete {
			last = last.Filter(func(r model.Resource) bool { return r.Key != c.Key })
			continue
		}
		want, _ := s.desired.Get(c.Key)
		now, _ := live.Get(c.Key)
		last = last.With(plan.Applied(want, now))
	}
	for _, k := range p.Unchanged {
		if _, applied := last.Get(k); applied {
			want, _ := s.desired.Get(k)
			now, _ := live.Get(k)
			last = last.With(plan.Applied(want, now))
		}
	}
	return last
}

// TestConverge: whatever the three states, a plan that may run runs without a
// refusal, and the next plan is empty.
func TestConverge(t *testing.T) {
	ran, refused, changes := 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		s := drawScene(t)
		p, err := plan.Compute(s.desired, s.world.state(), s.last, s.options)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Gate(everything(p))) > 0 {
			refused++
			return
		}
		before := s.world.clone()
		result := apply.Run(context.Background(), p, s.world, apply.Options{Workers: rapid.IntRange(1, 4).Draw(t, "workers")})
		if !result.OK() {
			t.Fatalf("%s: %+v", order(p), result.Failed())
		}
		ran, changes = ran+1, changes+len(p.Changes)
		checkUntouched(t, s, p, before)

		live := s.world.state()
		again, err := plan.Compute(s.desired, live, remember(s, p, live), s.options)
		if err != nil {
			t.Fatal(err)
		}
		if !again.Empty() {
			t.Fatalf("after %s there is still %s: %+v", order(p), order(again), again.Changes)
		}
	})
	t.Logf("%d ran with %d changes, %d were refused", ran, changes, refused)
	if ran <= 2*refused || changes < ran {
		t.Errorf("%d ran with %d changes, %d were refused: the situations are not interesting", ran, changes, refused)
	}
}

// checkUntouched holds every object against what it was: only what a change
// names may differ.
func checkUntouched(t *rapid.T, s scene, p *plan.Plan, before *world) {
	named := map[string]bool{}
	for _, c := range p.Changes {
		for _, f := range c.Fields {
			named[c.Key.ID+" "+f.Path] = true
		}
		if c.Action == plan.Delete {
			named[c.Key.ID] = true
		}
	}
	for id := range before.tenants {
		was, _ := before.resource(id)
		now, exists := s.world.resource(id)
		if !exists {
			if !named[id] {
				t.Fatalf("%s is gone", id)
			}
			continue
		}
		for _, field := range []string{"secret", "enforceSSO", "parent"} {
			if was.Observed.Fields[field] != now.Observed.Fields[field] {
				t.Fatalf("%s: %s changed", id, field)
			}
		}
		want, desired := s.desired.Get(key(id))
		fields, err := plan.Differences(was.Attrs, now.Attrs)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range fields {
			if !named[id+" "+f.Path] {
				t.Fatalf("%s: %s changed, and the plan does not say so", id, f.Path)
			}
			if desired && want.Policy.Ignores(f.Path) {
				t.Fatalf("%s: %s changed and is to be ignored", id, f.Path)
			}
		}
	}
}

// TestSameInputSameBytes: a plan depends on nothing but its inputs, in whatever
// order they come, and survives being saved.
func TestSameInputSameBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawScene(t)
		first := encodePlan(t, s)
		seed := rapid.Uint64().Draw(t, "shuffle")
		shuffled := func(st model.State) model.State {
			rs := slices.Clone(st.Resources())
			rand.New(rand.NewPCG(seed, 1)).Shuffle(len(rs), func(i, j int) { rs[i], rs[j] = rs[j], rs[i] })
			out, err := model.NewState(rs)
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		s.desired, s.last, s.world = shuffled(s.desired), shuffled(s.last), s.world.clone()
		second := encodePlan(t, s)
		if diff := cmp.Diff(string(first), string(second)); diff != "" {
			t.Fatalf("the plan depends on more than its inputs:\n%s", diff)
		}
		var read plan.Plan
		if err := read.UnmarshalJSON(first); err != nil {
			t.Fatal(err)
		}
		if again, err := read.MarshalJSON(); err != nil || string(again) != string(first) {
			t.Fatalf("saved and read, it is another (%v):\n%s", err, cmp.Diff(string(first), string(again)))
		}
	})
}

func encodePlan(t *rapid.T, s scene) []byte {
	p, err := plan.Compute(s.desired, s.world.state(), s.last, s.options)
	if err != nil {
		t.Fatal(err)
	}
	b, err := p.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestSettledIsRight: the quick answer never hides a difference.
func TestSettledIsRight(t *testing.T) {
	yes := 0
	rapid.Check(t, func(t *rapid.T) {
		s := drawScene(t)
		for _, want := range s.desired.Resources() {
			live, ok := s.world.resource(want.Key.ID)
			if !ok {
				continue
			}
			var last *model.Resource
			if r, ok := s.last.Get(want.Key); ok {
				last = &r
			}
			if rapid.Bool().Draw(t, "written as it is") {
				for name := range want.Attrs {
					want.Attrs[name] = live.Attrs[name]
				}
			}
			fields, err := plan.Fields(&want, &live, last)
			if err != nil {
				t.Fatal(err)
			}
			if plan.Settled(&want, &live, last) {
				yes++
				if len(fields) > 0 {
					t.Fatalf("%s is called settled: %+v", want.Key, fields)
				}
			}
		}
	})
	if yes == 0 {
		t.Error("nothing was ever settled")
	}
}

// TestDifferences holds the differ against the plain definition of a difference.
func TestDifferences(t *testing.T) {
	value := rapid.Custom(func(t *rapid.T) any {
		return rapid.SampledFrom([]any{
			nil, true, false, "", "1", "x", "null", "[]", num("1"), num("2"), num("12345678901234567890"),
			[]any{},
			[]any{"a"},
			[]any{"a", "b"},
			[]any{"b", "a"},
			[]any{nil},
			attrs{},
			attrs{"a": nil},
			attrs{"a": attrs{"b": "c"}},
		}).Draw(t, "value")
	})
	names := rapid.SampledFrom([]string{"name", "tenant-1", "tenant-10", "a.b", ".*", "a[0]", "", "x\x00", "é"})
	side := rapid.MapOfN(names, value, 0, 6)
	rapid.Check(t, func(t *rapid.T) {
		draw := func(label string) attrs {
			a := side.Draw(t, label)
			a["custom_attributes"] = side.Draw(t, label+" custom")
			return a
		}
		a, b := draw("before"), draw("after")
		fields, err := plan.Differences(a, b)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range fields {
			got = append(got, f.Path)
		}
		var want []string
		collect := func(prefix []string, a, b attrs) {
			for name := range union(a, b) {
				v, inA := a[name]
				w, inB := b[name]
				if inA != inB || !model.Equal(v, w) {
					want = append(want, model.JoinPath(append(prefix, name)...))
				}
			}
		}
		collect([]string{"custom_attributes"}, a["custom_attributes"].(attrs), b["custom_attributes"].(attrs))
		delete(a, "custom_attributes")
		delete(b, "custom_attributes")
		collect(nil, a, b)
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("differences (-want +got):\n%s", diff)
		}
	})
}

func union[V any](a, b map[string]V) map[string]bool {
	out := map[string]bool{}
	for k := range a {
		out[k] = true
	}
	for k := range b {
		out[k] = true
	}
	return out
}
