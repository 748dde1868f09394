package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"pcconnect.ai/descope-mgmt/internal/emulator"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
)

// tally is what the random situations were worth.
type tally struct{ ran, refused, empty, changes, steps, kept, foreign int }

// TestConverge takes random projects through random desired states with the real
// client: the calls are those of the plan, what is not managed keeps its bytes,
// what is managed is as desired, and the second plan is empty. In between,
// others change the project.
func TestConverge(t *testing.T) {
	t.Parallel()
	var n tally
	synctest.Test(t, func(t *testing.T) {
		// A test in a bubble must not be asked for its deadline.
		for range 3 {
			rapid.Check(struct{ rapid.TB }{t}, func(t *rapid.T) {
				w := newWorld(t, drawQuirks(t), &ram{})
				if rapid.Bool().Draw(t, "sets in another order each time") {
					w.turnSets()
				}
				ids := rapid.IntRange(1, 6).Draw(t, "ids")
				w.seed(drawProject(t, ids))
				for range rapid.IntRange(1, 3).Draw(t, "rounds") {
					w.round(t, ids, &n)
					if rapid.Bool().Draw(t, "others work too") {
						n.foreign += w.others(t)
					}
				}
			})
		}
		drain()
	})
	t.Logf("%d plans ran (%d changes, %d calls that write, %d objects left alone), %d were empty, %d refused, %d calls of others",
		n.ran, n.changes, n.steps, n.kept, n.empty, n.refused, n.foreign)
	if n.ran < 2*n.refused || n.changes < n.ran || n.kept < n.ran/3 || n.foreign == 0 {
		t.Error("the situations are not interesting")
	}
}

// round takes the project to one desired state.
func (w *world) round(t *rapid.T, ids int, n *tally) {
	before := w.stored()
	desired := drawDesired(t, ids, before)
	o := plan.Options{}
	if rapid.Bool().Draw(t, "prune") {
		o.Prune = []model.Kind{model.Tenant}
	}
	last, _ := w.memory.load()
	p := w.plan(desired, o)
	switch {
	case len(p.Gate(everything())) > 0:
		n.refused++
		return
	case p.Empty():
		n.empty++
	}
	w.apply(desired, p, rapid.IntRange(1, 20).Draw(t, "workers"))
	w.reached(desired, last)
	again := w.plan(desired, o)
	for _, c := range again.Changes {
		if !lifted(c.Key, desired, last) {
			t.Fatalf("after\n%sthere is still\n%s", describe(p), describe(again))
		}
	}
	n.ran++
	n.changes += len(p.Changes)
	for _, c := range p.Changes {
		n.steps += len(c.Steps)
	}
	n.kept += len(before) + p.Counts().Create - len(p.Changes)
}

// lifted reports that less of an object is ignored than at its last apply, which
// takes effect in the next run only.
func lifted(k model.Key, desired, last model.State) bool {
	now, _ := desired.Get(k)
	was, _ := last.Get(k)
	return slices.ContainsFunc(was.Policy.Ignore, func(path string) bool { return !slices.Contains(now.Policy.Ignore, path) })
}

// reached holds what is stored against what was desired, by a reading of the
// configuration language that shares nothing with the planner.
func (w *world) reached(desired, last model.State) {
	w.t.Helper()
	stored := w.stored()
	for _, r := range desired.Resources() {
		was, _ := last.Get(r.Key)
		free := func(paths ...string) bool { // ignored now, or still
			return !slices.ContainsFunc(paths, func(p string) bool { return r.Policy.Ignores(p) || was.Policy.Ignores(p) })
		}
		is := stored[r.Key]
		expect := func(field string, want any) {
			w.t.Helper()
			if is[field] == nil || !model.Equal(asSet(value(w.t, is[field])), asSet(want)) {
				w.t.Errorf("%s: %s is %s, want %s", r.Key, field, is[field], model.CanonicalJSON(want))
			}
		}
		for attribute, want := range r.Attrs {
			switch attribute {
			case "domains", "self_provisioning", "custom_attributes":
			default:
				if free(attribute) {
					expect(wireField(attribute), want)
				}
			}
		}
		on, switched := r.Attrs["self_provisioning"].(bool)
		domains, given := r.Attrs["domains"].([]any)
		switch {
		case !free("domains", "self_provisioning"):
		case switched && !on, given && len(domains) == 0:
			expect("selfProvisioningDomains", []any{})
		case switched && given:
			expect("selfProvisioningDomains", domains)
		}
		w.reachedAttributes(r, is, free)
	}
}

func (w *world) reachedAttributes(r model.Resource, is wire, free func(...string) bool) {
	w.t.Helper()
	want, _ := r.Attrs["custom_attributes"].(map[string]any)
	got, _ := value(w.t, is["customAttributes"]).(map[string]any)
	for k, v := range want {
		if now, exists := got[k]; free(model.JoinPath("custom_attributes", k)) && (exists != (v != nil) || exists && !model.Equal(now, v)) {
			w.t.Errorf("%s: attribute %q is %v, want %v", r.Key, k, now, v)
		}
	}
	if want == nil || len(r.Policy.Exclusive) == 0 {
		return
	}
	for k := range got {
		if _, named := want[k]; !named && free(model.JoinPath("custom_attributes", k)) {
			w.t.Errorf("%s: attribute %q is there, and the map is exclusive", r.Key, k)
		}
	}
}

// others change the project by calls of their own, and say how many.
func (w *world) others(t *rapid.T) int {
	calls := 0
	parents := map[string]bool{}
	stored := w.stored()
	for _, o := range stored {
		parents[string(o["parent"])] = true
	}
	for _, k := range sortedKeys(stored) {
		o := stored[k]
		switch rapid.IntRange(0, 5).Draw(t, "others: "+k.ID) {
		case 0:
			w.post(update, body(o, map[string]any{"disabled": rapid.Bool().Draw(t, "disabled"), "unknownText": "by hand"}))
		case 1:
			w.post(update, body(o, map[string]any{"customAttributes": drawAttributes(t, false), "enforceSSO": true}))
		case 2:
			w.post(roles, body(wire{"id": o["id"]}, map[string]any{"defaultRoles": []any{"R3"}}))
		case 3:
			if parents[string(o["id"])] {
				continue
			}
			w.post(remove, body(wire{"id": o["id"]}, nil))
		default:
			continue
		}
		calls++
	}
	return calls
}

func body(o wire, overlay map[string]any) string {
	out := map[string]any{}
	for name, v := range o {
		out[name] = v
	}
	for name, v := range overlay {
		out[name] = v
	}
	text, err := json.Marshal(out)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func sortedKeys[V any](m map[model.Key]V) []model.Key {
	var out []model.Key
	for k := range m {
		out = append(out, k)
	}
	slices.SortFunc(out, model.Key.Compare)
	return out
}

func drawQuirks(t *rapid.T) emulator.Quirks {
	text := func(label string, values ...string) string { return rapid.SampledFrom(values).Draw(t, label) }
	return emulator.Quirks{
		ListOrder: text("list_order", "insertion", "shuffled"), EmptyAttributes: text("empty_attributes", "object", "null", "absent"),
		Successors: text("successors", "direct", "all"), UnknownFields: text("unknown_fields", "store", "store", "drop"),
		DomainsReorder: rapid.Bool().Draw(t, "domains_reorder"), NotFoundStatus: rapid.SampledFrom([]int{404, 400}).Draw(t, "not_found_status"),
	}
}

// drawProject is a live project: tenants below each other, with fields that
// nobody manages and fields that nobody knows.
func drawProject(t *rapid.T, n int) string {
	names := rapid.Permutation([]string{"N0", "N1", "N2", "N3", "N4", "N5"}).Draw(t, "live names")
	var tenants []map[string]any
	for i := range n {
		if rapid.IntRange(0, 3).Draw(t, "live") == 0 {
			continue
		}
		o := map[string]any{"id": fmt.Sprintf("t%d", i), "name": names[i], "createdTime": 1700000000 + i}
		maybe := func(field string, g *rapid.Generator[any]) {
			if rapid.Bool().Draw(t, "has "+field) {
				o[field] = g.Draw(t, field)
			}
		}
		domain := fmt.Sprintf("d%d.com", i)
		maybe("selfProvisioningDomains", oneOf([]any{domain}, []any{"x." + domain, domain}, []any{domain, domain}, []any{}))
		maybe("customAttributes", rapid.Custom(func(t *rapid.T) any { return any(drawAttributes(t, false)) }))
		maybe("disabled", oneOf(true, false))
		maybe("roleInheritance", oneOf("", "none", "userOnly"))
		maybe("defaultRoles", oneOf([]any{}, []any{"R1"}, []any{"R2", "R1"}))
		maybe("enforceSSO", oneOf(true))
		maybe("enforceSSOExclusions", oneOf([]any{"U2", "U1"}, []any{"U1", "U1"}))
		maybe("federatedAppIds", oneOf([]any{"A2", "A1"}, []any{}))
		maybe("authType", oneOf("none", "saml", "oidc"))
		maybe("domains", oneOf([]any{"SSO." + domain}, []any{"b." + domain, "a." + domain}))
		maybe("unknownText", oneOf("", "x", "<&>\u2028\u202e \x00 é 日本 👩‍👩‍👧"))
		maybe("unknownNumber", oneOf(json.Number("123456789012345678901234567890"), json.Number("-0.5"), json.Number("1e300"), 0))
		maybe("unknownObject", oneOf(map[string]any{"z": []any{map[string]any{}}, "a": nil, "": "e"}, []any{nil, false, ""}))
		if len(tenants) > 0 && rapid.Bool().Draw(t, "has a parent") {
			o["parent"] = rapid.SampledFrom(tenants).Draw(t, "parent")["id"]
		}
		tenants = append(tenants, o)
	}
	text, err := json.Marshal(map[string]any{"tenants": tenants})
	if err != nil {
		t.Fatalf("%v", err)
	}
	return string(text)
}

func oneOf(values ...any) *rapid.Generator[any] { return rapid.SampledFrom(values) }

func drawAttributes(t *rapid.T, withNull bool) map[string]any {
	values := []any{"", "x", "40", true, false, 40, json.Number("40.0"), json.Number("4e1"), json.Number("12345678901234567890.50"), []any{"b", "a"}, []any{}}
	if withNull {
		values = append(values, nil)
	}
	return rapid.MapOfN(rapid.SampledFrom([]string{"plan", "a.b", "", "tier", "[x]*", "é"}), rapid.SampledFrom(values), 0, 4).Draw(t, "attributes")
}

// drawDesired is a desired state over the same ids, written as a compiler would.
func drawDesired(t *rapid.T, n int, live map[model.Key]wire) model.State {
	names := rapid.Permutation([]string{"N0", "N1", "N2", "N3", "N4", "N5", "é <&>", "M1", "M2"}).Draw(t, "names")
	var all []model.Resource
	for i := range n {
		if rapid.IntRange(0, 4).Draw(t, "desired") == 0 {
			continue
		}
		k := model.Key{Kind: model.Tenant, ID: fmt.Sprintf("t%d", i)}
		r := model.Resource{Key: k}
		is, exists := live[k]
		attrs := map[string]any{"name": names[i]}
		if exists && rapid.IntRange(0, 3).Draw(t, "keeps its name") > 0 {
			attrs["name"] = value(t, is["name"])
		}
		if slices.ContainsFunc(all, func(other model.Resource) bool { return other.Attrs["name"] == attrs["name"] }) {
			continue
		}
		maybe := func(field string, g *rapid.Generator[any]) {
			if rapid.Bool().Draw(t, "manages "+field) {
				attrs[field] = g.Draw(t, field)
			}
		}
		domain := fmt.Sprintf("d%d.com", i)
		maybe("domains", oneOf([]any{}, []any{domain}, []any{"y." + domain, domain}))
		maybe("self_provisioning", oneOf(true, false))
		maybe("disabled", oneOf(true, false))
		maybe("role_inheritance", oneOf("", "none", "userOnly"))
		maybe("default_roles", oneOf([]any{}, []any{"R1", "R2"}, []any{"R3"}))
		maybe("custom_attributes", rapid.Custom(func(t *rapid.T) any { return any(drawAttributes(t, true)) }))
		switch {
		case exists && rapid.Bool().Draw(t, "states its parent"):
			attrs["parent"] = value(t, is["parent"])
		case !exists && len(all) > 0 && rapid.Bool().Draw(t, "has a parent"):
			attrs["parent"] = rapid.SampledFrom(all).Draw(t, "parent").Key.ID
		}
		normal, err := model.Normalize(attrs)
		if err != nil {
			t.Fatalf("%v", err)
		}
		r.Attrs = model.Sorted(model.Tenant, normal.(map[string]any))
		if rapid.IntRange(0, 3).Draw(t, "exclusive") == 0 {
			r.Policy.Exclusive = []string{"custom_attributes"}
		}
		if rapid.IntRange(0, 5).Draw(t, "ignores") == 0 {
			r.Policy.Ignore = []string{rapid.SampledFrom([]string{"name", "domains", "self_provisioning", "custom_attributes", "custom_attributes.plan", "disabled", "default_roles"}).Draw(t, "ignored")}
		}
		all = append(all, r)
	}
	s, err := model.NewState(all)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return s
}

// TestNaiveClientIsCaught proves that the checks above can fail: a client that
// sends only what it knows loses the rest, and is found out.
func TestNaiveClientIsCaught(t *testing.T) {
	t.Parallel()
	caught := &collector{tb: t}
	w := newWorld(caught, emulator.Quirks{}, &ram{})
	w.seed(`{"tenants": [{"id": "t0", "name": "N0", "enforceSSO": true, "unknownText": "x", "customAttributes": {"a": 1, "b": 2}}]}`)
	before := w.stored()
	w.post(update, `{"id": "t0", "name": "N1", "customAttributes": {"a": 2}}`)
	key := model.Key{Kind: model.Tenant, ID: "t0"}
	w.untouched(&plan.Plan{Changes: []plan.Change{{
		Key: key, Action: plan.Update, Fields: []plan.FieldChange{{Path: "name"}, {Path: "custom_attributes.a"}},
	}}}, before)
	w.calls(&plan.Plan{})
	for _, lost := range []string{"enforceSSO was true", "unknownText was", `attribute "b" was 2`, "1 calls that write, the plan has 0"} {
		if !bytes.Contains(caught.text.Bytes(), []byte(lost)) {
			t.Errorf("that %q is lost was not noticed:\n%s", lost, caught.text.String())
		}
	}
}

// collector is a test whose failures are only noted.
type collector struct {
	tb
	text bytes.Buffer
}

func (c *collector) Errorf(format string, args ...any) { fmt.Fprintf(&c.text, format+"\n", args...) }
