package plan_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
)

// lines are a comparison in a form that compares well.
func lines(c plan.Comparison) string {
	var b strings.Builder
	for _, o := range c.Objects {
		fmt.Fprintf(&b, "%s on=%v %s|%s\n", o.Key, o.On, o.Origins[0], o.Origins[1])
		for _, f := range o.Fields {
			fmt.Fprintf(&b, "  %s %v %v %s|%s\n", f.Path, f.Values[0], f.Values[1], f.Origins[0], f.Origins[1])
		}
		if o.Flow != nil {
			fmt.Fprintf(&b, "  flow: %d changes\n", len(o.Flow.Changes))
		}
	}
	fmt.Fprintf(&b, "%d the same", c.Same)
	return b.String()
}

func TestCompare(t *testing.T) {
	at := func(line int) model.Origin { return model.Origin{File: "f.cue", Line: line, Column: 1} }
	tenant := func(id string, line int, attrs map[string]any) model.Resource {
		r := wanted(t, id, attrs)
		r.Origin = at(line)
		r.Origins = map[string]model.Origin{"name": at(line + 1), "custom_attributes.plan": at(line + 2), "lifecycle": at(line + 3)}
		return r
	}
	document := func(text, stamp string) map[string]any {
		v, err := model.DecodeJSON([]byte(`{"flowId": "f", "metadata": {"name": "` + text + `", "componentsVersion": "` + stamp + `"},
			"contents": {"startTask": "0", "tasks": {"0": {"id": "0", "name": "Start", "next": {}}}}}`))
		if err != nil {
			t.Fatal(err)
		}
		return v.(map[string]any)
	}
	loginFlow := func(id, text, stamp string) model.Resource {
		return model.Resource{Key: model.Key{Kind: model.Flow, ID: id}, Attrs: map[string]any{"definition": document(text, stamp)}, Origin: at(90)}
	}
	left := tenant("b-differs", 10, map[string]any{
		"name": "B", "domains": []any{"a.com"},
		"custom_attributes": map[string]any{"plan": "gold", "same": "x", "left": nil},
	})
	right := tenant("b-differs", 20, map[string]any{
		"name": "B", "domains": []any{},
		"custom_attributes": map[string]any{"plan": "free", "same": "x"},
	})
	right.Policy = model.Policy{PreventDestroy: true, Ignore: []string{"name", "domains"}, Exclusive: []string{"custom_attributes"}, Imported: true}
	a := state(t, tenant("a-same", 1, map[string]any{"name": "A"}), left, tenant("c-left", 30, map[string]any{"name": "C"}),
		loginFlow("login", "Login", "1"), loginFlow("other", "Other", "1"))
	b := state(t, tenant("a-same", 2, map[string]any{"name": "A"}), right, tenant("d-right", 40, map[string]any{"name": "D"}),
		loginFlow("login", "Login", "2"), loginFlow("other", "Renamed", "1"))
	want := strings.TrimSpace(`
tenant/b-differs on=[true true] f.cue:10:1|f.cue:20:1
  custom_attributes.left <nil> {} f.cue:10:1|
  custom_attributes.plan gold free f.cue:12:1|f.cue:22:1
  custom_attributes_exclusive {} true |f.cue:20:1
  domains [a.com] [] f.cue:10:1|f.cue:20:1
  imported {} true |f.cue:20:1
  lifecycle.ignore {} [domains name] |f.cue:23:1
  lifecycle.prevent_destroy {} true |f.cue:23:1
tenant/c-left on=[true false] f.cue:30:1|
tenant/d-right on=[false true] |f.cue:40:1
flow/other on=[true true] f.cue:90:1|f.cue:90:1
  flow: 1 changes
2 the same`)
	if diff := cmp.Diff(want, lines(plan.Compare(a, b))); diff != "" {
		t.Error(diff)
	}
	if c := plan.Compare(a, a); !c.Equal() || c.Same != a.Len() {
		t.Errorf("a state differs from itself: %s", lines(c))
	}
}

// TestCompareFindsExactlyWhatWasChanged changes random fields and knows which.
func TestCompareFindsExactlyWhatWasChanged(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(0, 8).Draw(rt, "tenants")
		var left, right []model.Resource
		want := map[string]string{} // object, or object and field, to what it is
		for i := range n {
			id := fmt.Sprintf("t%d", i)
			attrs := map[string]any{"name": id, "custom_attributes": map[string]any{}}
			for j := range rapid.IntRange(0, 4).Draw(rt, "fields") {
				attrs["custom_attributes"].(map[string]any)[fmt.Sprintf("k.%d", j)] = fmt.Sprintf("v%d", j)
			}
			other := model.CloneMap(attrs)
			fields := other["custom_attributes"].(map[string]any)
			key := "tenant/" + id
			switch rapid.IntRange(0, 4).Draw(rt, "what") {
			case 0: // the same
			case 1:
				other = nil
				want[key] = "first"
			case 2:
				attrs = nil
				want[key] = "second"
			case 3:
				other["name"] = "other"
				want[key+" name"] = "differs"
			case 4:
				for name := range fields {
					switch rapid.IntRange(0, 2).Draw(rt, name) {
					case 1:
						fields[name] = "other"
						want[key+" "+model.JoinPath("custom_attributes", name)] = "differs"
					case 2:
						delete(fields, name)
						want[key+" "+model.JoinPath("custom_attributes", name)] = "differs"
					}
				}
			}
			if attrs != nil {
				left = append(left, model.Resource{Key: key1(id), Attrs: attrs})
			}
			if other != nil {
				right = append(right, model.Resource{Key: key1(id), Attrs: other})
			}
		}
		a, _ := model.NewState(left)
		b, _ := model.NewState(right)
		check := func(c plan.Comparison, first, second string) {
			got := map[string]string{}
			for _, o := range c.Objects {
				switch o.On {
				case [2]bool{true, false}:
					got[o.Key.String()] = first
				case [2]bool{false, true}:
					got[o.Key.String()] = second
				}
				for _, f := range o.Fields {
					got[o.Key.String()+" "+f.Path] = "differs"
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				rt.Fatal(diff)
			}
		}
		check(plan.Compare(a, b), "first", "second")
		check(plan.Compare(b, a), "second", "first")
	})
}

func key1(id string) model.Key { return model.Key{Kind: model.Tenant, ID: id} }
