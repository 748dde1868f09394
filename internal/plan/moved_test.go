package plan_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
)

// TestDeletedAfterAMove: what somebody did to an object since shows when it is to
// go; in a map that is managed whole, a key that came is such a thing.
func TestDeletedAfterAMove(t *testing.T) {
	custom := func(m attrs) attrs { return attrs{"custom_attributes": m} }
	exclusive := model.Policy{Exclusive: list2("custom_attributes")}
	for name, c := range map[string]struct {
		last, live attrs
		was        model.Policy
		moved      plan.Side
	}{
		"as it was":                  {named("a"), named("a"), model.Policy{}, plan.Config},
		"renamed":                    {named("a"), named("b"), model.Policy{}, plan.Both},
		"a field that is not ours":   {named("a"), attrs{"name": "a", "disabled": true}, model.Policy{}, plan.Config},
		"a key that is not ours":     {custom(attrs{"x": "1"}), custom(attrs{"x": "1", "y": "2"}), model.Policy{}, plan.Config},
		"a key that went":            {custom(attrs{"x": "1"}), custom(attrs{}), model.Policy{}, plan.Both},
		"a key that was not to come": {custom(attrs{"x": nil}), custom(attrs{"x": "1"}), model.Policy{}, plan.Both},
		"a key more, managed whole":  {custom(attrs{}), custom(attrs{"x": "1"}), exclusive, plan.Both},
		"the same, managed whole":    {custom(attrs{"x": "1"}), custom(attrs{"x": "1"}), exclusive, plan.Config},
		"no map was written":         {named("a"), custom(attrs{"x": "1"}), exclusive, plan.Config},
	} {
		last := wanted(t, "a", c.last)
		last.Policy = c.was
		p := compute(t, state(t, wanted(t, "z", nil)), state(t, alive(t, "a", c.live), alive(t, "z", nil)), state(t, last), plan.Options{Prune: []model.Kind{model.Tenant}})
		if ch := single(t, p); ch.Moved != c.moved {
			t.Errorf("%s: %s, want %s", name, ch.Moved, c.moved)
		}
	}
}

func TestWhoMoved(t *testing.T) {
	tier := func(v any) attrs { return attrs{"custom_attributes": attrs{"tier": v}} }
	exclusive := model.Policy{Exclusive: list2("custom_attributes")}
	for name, c := range map[string]struct {
		last, live, want attrs
		was, is          model.Policy
		moved            plan.Side
	}{
		"never applied":             {nil, attrs{"name": "a"}, attrs{"name": "b"}, model.Policy{}, model.Policy{}, plan.Unknown},
		"config moved":              {attrs{"name": "a"}, attrs{"name": "a"}, attrs{"name": "b"}, model.Policy{}, model.Policy{}, plan.Config},
		"live moved":                {attrs{"name": "b"}, attrs{"name": "a"}, attrs{"name": "b"}, model.Policy{}, model.Policy{}, plan.Live},
		"both moved":                {attrs{"name": "c"}, attrs{"name": "a"}, attrs{"name": "b"}, model.Policy{}, model.Policy{}, plan.Both},
		"newly managed":             {attrs{"disabled": false}, attrs{"name": "a"}, attrs{"name": "b"}, model.Policy{}, model.Policy{}, plan.Config},
		"a key: config":             {tier("x"), tier("x"), tier("y"), model.Policy{}, model.Policy{}, plan.Config},
		"a key: live":               {tier("y"), tier("x"), tier("y"), model.Policy{}, model.Policy{}, plan.Live},
		"a key gone live":           {tier("y"), attrs{}, tier("y"), model.Policy{}, model.Policy{}, plan.Live},
		"a key newly managed":       {attrs{"custom_attributes": attrs{}}, tier("x"), tier("y"), model.Policy{}, model.Policy{}, plan.Config},
		"a key, no attributes then": {attrs{"name": "n"}, tier("x"), tier("y"), model.Policy{}, model.Policy{}, plan.Config},
		"a key removed by config":   {tier("x"), tier("x"), attrs{}, model.Policy{}, model.Policy{}, plan.Config},
		"a key removed, moved live": {tier("x"), tier("z"), attrs{}, model.Policy{}, model.Policy{}, plan.Both},
		"kept absent, set live":     {tier(nil), tier("z"), tier(nil), model.Policy{}, model.Policy{}, plan.Live},
		"kept absent, now wanted":   {tier(nil), attrs{}, tier("z"), model.Policy{}, model.Policy{}, plan.Config},
		"added to an exclusive map": {attrs{"custom_attributes": attrs{}}, tier("z"), attrs{"custom_attributes": attrs{}}, exclusive, exclusive, plan.Live},
		"made exclusive":            {attrs{"custom_attributes": attrs{}}, tier("z"), attrs{"custom_attributes": attrs{}}, model.Policy{}, exclusive, plan.Config},
	} {
		last := state(t)
		if c.last != nil {
			r := wanted(t, "a", c.last)
			r.Policy = c.was
			last = state(t, r)
		}
		want := wanted(t, "a", c.want)
		want.Policy = c.is
		ch := single(t, compute(t, state(t, want), state(t, alive(t, "a", c.live)), last, plan.Options{}))
		if ch.Moved != c.moved || ch.Fields[0].Moved != c.moved || ch.Adopts != (c.last == nil) {
			t.Errorf("%s: moved %s and %s, want %s; adopts %v", name, ch.Moved, ch.Fields[0].Moved, c.moved, ch.Adopts)
		}
	}
}

func TestMovedSumsUp(t *testing.T) {
	last := wanted(t, "a", attrs{"name": "a", "disabled": true})
	live := alive(t, "a", attrs{"name": "a", "disabled": false})
	ch := single(t, compute(t, state(t, wanted(t, "a", attrs{"name": "b", "disabled": true})), state(t, live), state(t, last), plan.Options{}))
	if ch.Moved != plan.Both || ch.Fields[0].Moved != plan.Live || ch.Fields[1].Moved != plan.Config {
		t.Errorf("one field each gives %s: %+v", ch.Moved, ch.Fields)
	}
}

// TestDeletedLive: bringing back what somebody deleted is drift too.
func TestDeletedLive(t *testing.T) {
	for name, c := range map[string]struct {
		last attrs
		want plan.Side
	}{
		"as it was":          {attrs{"name": "a"}, plan.Live},
		"changed since":      {attrs{"name": "b"}, plan.Both},
		"nothing remembered": {attrs{}, plan.Both},
	} {
		p := compute(t, state(t, wanted(t, "a", attrs{"name": "a"})), state(t), state(t, wanted(t, "a", c.last)), plan.Options{})
		if ch := single(t, p); ch.Moved != c.want || ch.Action != plan.Create || ch.Adopts {
			t.Errorf("%s: moved %s", name, ch.Moved)
		}
		if diff := cmp.Diff([]plan.Rule{plan.RuleDrift}, rules(p)); diff != "" {
			t.Errorf("%s: guards:\n%s", name, diff)
		}
	}
}

func TestDeletedByConfig(t *testing.T) {
	o := plan.Options{Prune: []model.Kind{model.Tenant}}
	other := wanted(t, "z", attrs{})
	for name, c := range map[string]struct {
		last, live attrs
		want       plan.Side
	}{
		"untouched":        {attrs{"name": "a", "custom_attributes": attrs{"x": nil}}, attrs{"name": "a"}, plan.Config},
		"renamed live":     {attrs{"name": "a"}, attrs{"name": "b"}, plan.Both},
		"a key came":       {attrs{"custom_attributes": attrs{"x": nil}}, attrs{"custom_attributes": attrs{"x": "y"}}, plan.Both},
		"unmanaged change": {attrs{"name": "a"}, attrs{"name": "a", "disabled": true}, plan.Config},
	} {
		p := compute(t, state(t, other), state(t, alive(t, "a", c.live), alive(t, "z", nil)), state(t, wanted(t, "a", c.last)), o)
		ch := single(t, p)
		if ch.Action != plan.Delete || ch.Moved != c.want || ch.Fields[0].Moved != c.want || ch.After != nil || ch.Fields[0].After != (plan.Absent{}) {
			t.Errorf("%s: %+v", name, ch)
		}
	}
}

func TestApplied(t *testing.T) {
	live := alive(t, "a", attrs{
		"name": "A", "domains": list("a.com"), "disabled": true,
		"custom_attributes": attrs{"plan": "pro", "console": "x", "ignored": "y"},
	})
	want := wanted(t, "a", attrs{
		"name": "older", "self_provisioning": true, "role_inheritance": "none", "nonsense": 1,
		"custom_attributes": attrs{"plan": "basic", "gone": nil, "ignored": "z"},
	})
	want.Policy = model.Policy{PreventDestroy: true, Ignore: list2("custom_attributes.ignored", "role_inheritance")}
	got := plan.Applied(want, live)
	if diff := cmp.Diff(norm(t, attrs{
		"name": "A", "domains": list("a.com"), "self_provisioning": true, "custom_attributes": attrs{"plan": "pro", "gone": nil},
	}), got.Attrs); diff != "" {
		t.Errorf("remembered (-want +got):\n%s", diff)
	}
	if got.Key != want.Key || !got.Policy.PreventDestroy || got.Observed != nil || !got.Origin.IsZero() {
		t.Errorf("got %+v", got)
	}
}
