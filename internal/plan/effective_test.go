package plan_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
)

// TestLeaveAlone says for one live tenant what a configuration changes of it,
// as "path: before → after", and what it must leave alone.
func TestLeaveAlone(t *testing.T) {
	live := attrs{
		"name": "Acme", "domains": list("acme.com"), "disabled": true, "default_roles": list("a", "b"),
		"custom_attributes": attrs{"plan": "basic", "console": "x", "a.b": "dotted"},
	}
	attributes := func(m attrs) attrs { return attrs{"custom_attributes": m} }
	for name, c := range map[string]struct {
		written attrs
		policy  model.Policy
		last    attrs // nil: never applied
		was     model.Policy
		want    map[string]string
	}{
		"nothing written":                        {written: attrs{}},
		"written as it is":                       {written: attrs{"name": "Acme", "domains": list("acme.com"), "default_roles": list("b", "a")}},
		"one attribute":                          {written: attrs{"name": "New"}, want: map[string]string{"name": `"Acme" → "New"`}},
		"a list is one field":                    {written: attrs{"default_roles": list("b", "c")}, want: map[string]string{"default_roles": `["a","b"] → ["b","c"]`}},
		"an attribute of our own beside others":  {written: attributes(attrs{"tier": "gold"}), want: map[string]string{"custom_attributes.tier": `nothing → "gold"`}},
		"a key with a dot":                       {written: attributes(attrs{"a.b": 7}), want: map[string]string{`custom_attributes."a.b"`: `"dotted" → 7`}},
		"number against string":                  {written: attributes(attrs{"plan": num("1")}), want: map[string]string{"custom_attributes.plan": `"basic" → 1`}},
		"null removes":                           {written: attributes(attrs{"plan": nil}), want: map[string]string{"custom_attributes.plan": `"basic" → nothing`}},
		"null of what is not there":              {written: attributes(attrs{"tier": nil})},
		"a key that was ours is gone":            {written: attributes(attrs{}), last: attributes(attrs{"plan": "basic"}), want: map[string]string{"custom_attributes.plan": `"basic" → nothing`}},
		"so it is with the whole block":          {written: attrs{}, last: attributes(attrs{"plan": "basic"}), want: map[string]string{"custom_attributes.plan": `"basic" → nothing`}},
		"a key that was ours and is not live":    {written: attributes(attrs{}), last: attributes(attrs{"tier": "gold"})},
		"a key that we kept absent is left":      {written: attributes(attrs{}), last: attributes(attrs{"console": nil})},
		"even beside a change":                   {written: attrs{"name": "New", "custom_attributes": attrs{}}, last: attributes(attrs{"console": nil}), want: map[string]string{"name": `"Acme" → "New"`}},
		"other attributes that were ours stay":   {written: attrs{}, last: attrs{"name": "Older", "disabled": false}},
		"exclusive removes what is not written":  {written: attributes(attrs{"plan": "basic"}), policy: model.Policy{Exclusive: list2("custom_attributes")}, want: map[string]string{"custom_attributes.console": `"x" → nothing`, `custom_attributes."a.b"`: `"dotted" → nothing`}},
		"exclusive without the attribute":        {written: attrs{}, policy: model.Policy{Exclusive: list2("custom_attributes")}},
		"a map attribute that is no map":         {written: attrs{"custom_attributes": "x"}, want: map[string]string{"custom_attributes": `nothing → "x"`, "custom_attributes.plan": `"basic" → nothing`, "custom_attributes.console": `"x" → nothing`, `custom_attributes."a.b"`: `"dotted" → nothing`}},
		"domains with the switch off":            {written: attrs{"domains": list("acme.com"), "self_provisioning": false}, want: map[string]string{"domains": `["acme.com"] → []`, "self_provisioning": `true → false`}},
		"the switch alone":                       {written: attrs{"self_provisioning": true}},
		"domains alone":                          {written: attrs{"domains": list("b.com", "a.com")}, want: map[string]string{"domains": `["acme.com"] → ["a.com","b.com"]`}},
		"ignored attribute":                      {written: attrs{"name": "New", "disabled": false}, policy: model.Policy{Ignore: list2("disabled")}, want: map[string]string{"name": `"Acme" → "New"`}},
		"ignored key":                            {written: attributes(attrs{"plan": "pro", "tier": "gold"}), policy: model.Policy{Ignore: list2("custom_attributes.plan")}, want: map[string]string{"custom_attributes.tier": `nothing → "gold"`}},
		"ignored key that is absent live":        {written: attributes(attrs{"tier": "gold"}), policy: model.Policy{Ignore: list2("custom_attributes.tier")}},
		"ignored map":                            {written: attributes(attrs{"tier": "gold"}), policy: model.Policy{Ignore: list2("custom_attributes")}, last: attributes(attrs{"plan": "basic"})},
		"ignored key of ours that is gone":       {written: attrs{}, policy: model.Policy{Ignore: list2("custom_attributes.plan")}, last: attributes(attrs{"plan": "basic"})},
		"ignoring domains ignores the switch":    {written: attrs{"domains": list("x.com"), "self_provisioning": false}, policy: model.Policy{Ignore: list2("domains")}},
		"ignoring the switch ignores domains":    {written: attrs{"domains": list(), "self_provisioning": false}, policy: model.Policy{Ignore: list2("self_provisioning")}},
		"ignored before, not any more: this run": {written: attrs{"name": "New", "disabled": false}, last: attrs{"name": "Acme"}, was: model.Policy{Ignore: list2("disabled")}, want: map[string]string{"name": `"Acme" → "New"`}},
		"ignoring what does not exist":           {written: attrs{"name": "New"}, policy: model.Policy{Ignore: list2("nonsense", "a..b", "name.first")}, want: map[string]string{"name": `"Acme" → "New"`}},
	} {
		t.Run(name, func(t *testing.T) {
			want := wanted(t, "acme", c.written)
			want.Policy = c.policy
			last := state(t)
			if c.last != nil {
				r := wanted(t, "acme", c.last)
				r.Policy = c.was
				last = state(t, r)
			}
			now := alive(t, "acme", live)
			untouched := model.CloneMap(now.Attrs)
			p := compute(t, state(t, want), state(t, now), last, plan.Options{})
			if diff := cmp.Diff(c.want, moves(p)); diff != "" {
				t.Errorf("fields (-want +got):\n%s", diff)
			}
			if (c.want == nil) != (len(p.Unchanged) == 1) {
				t.Errorf("unchanged: %v", p.Unchanged)
			}
			if diff := cmp.Diff(untouched, now.Attrs); diff != "" {
				t.Errorf("the live state was written to:\n%s", diff)
			}
			for _, ch := range p.Changes {
				if diff := cmp.Diff(now.Observed.Fields, ch.PreImage); diff != "" {
					t.Errorf("pre-image:\n%s", diff)
				}
			}
		})
	}
}

func list2(words ...string) []string { return words }

// moves are the differences of all changes in short, nil if there are none.
func moves(p *plan.Plan) map[string]string {
	var out map[string]string
	word := func(v any) string {
		if v == (plan.Absent{}) {
			return "nothing"
		}
		return string(model.CanonicalJSON(v))
	}
	for _, c := range p.Changes {
		for _, f := range c.Fields {
			if out == nil {
				out = map[string]string{}
			}
			out[f.Path] = word(f.Before) + " → " + word(f.After)
		}
	}
	return out
}

// TestIgnoreInsideADocument: a path below an attribute that is no map of keys.
func TestIgnoreInsideADocument(t *testing.T) {
	want := flow("sign-in", attrs{"definition": attrs{"steps": attrs{"a": "1", "b": "2"}, "name": "new"}})
	want.Policy.Ignore = list2("definition.steps.a", "definition.steps.c", "definition.none.x")
	live := flow("sign-in", attrs{"definition": attrs{"steps": attrs{"a": "live", "b": "2", "c": "3"}, "name": "old"}})
	ch := single(t, compute(t, state(t, want), state(t, live), state(t), plan.Options{}))
	if diff := cmp.Diff(attrs{"definition": attrs{"steps": attrs{"a": "live", "b": "2", "c": "3"}, "name": "new"}}, ch.After); diff != "" {
		t.Errorf("after:\n%s", diff)
	}
	if want.Attrs["definition"].(attrs)["steps"].(attrs)["a"] != "1" {
		t.Error("the desired state was written to")
	}
	whole := flow("sign-in", attrs{"enabled": true})
	whole.Policy.Ignore = list2("enabled")
	p := compute(t, state(t, whole), state(t, flow("sign-in", attrs{"enabled": false})), state(t), plan.Options{})
	if !p.Empty() {
		t.Errorf("an ignored attribute of a flow: %v", moves(p))
	}
}

func TestCreate(t *testing.T) {
	want := wanted(t, "acme", attrs{
		"name": "Acme", "domains": list("acme.com"), "self_provisioning": true,
		"custom_attributes": attrs{"plan": "pro", "none": nil}, "disabled": true,
	})
	want.Policy.Ignore = list2("name", "disabled") // there is nothing live to keep
	p := compute(t, state(t, want), state(t), state(t), plan.Options{Encode: encode})
	ch := single(t, p)
	after := norm(t, attrs{"name": "Acme", "domains": list("acme.com"), "self_provisioning": true, "custom_attributes": attrs{"plan": "pro"}, "disabled": true})
	if diff := cmp.Diff(after, ch.After); diff != "" {
		t.Errorf("after:\n%s", diff)
	}
	if ch.Action != plan.Create || ch.Before != nil || ch.PreImage != nil || ch.Moved != plan.Config || ch.Adopts || len(ch.Steps) != 1 {
		t.Errorf("got %+v", ch)
	}
	if f := ch.Fields[3]; f.Path != "name" || f.Origin.Line != 8 || f.Moved != plan.Config || ch.Origin.Line != 7 {
		t.Errorf("got %+v", f)
	}
	if len(p.Guards) != 0 || p.Counts() != (plan.Counts{Create: 1}) || p.Empty() {
		t.Errorf("guards %v, counts %v", p.Guards, p.Counts())
	}

	bare := wanted(t, "bare", attrs{})
	if ch := single(t, compute(t, state(t, bare), state(t), state(t), plan.Options{})); ch.After == nil || len(ch.Fields) != 0 || ch.Moved != plan.Config {
		t.Errorf("a tenant of which nothing is written: %+v", ch)
	}
}

func TestNotes(t *testing.T) {
	for name, c := range map[string]struct {
		live, written attrs
		path, want    string
	}{
		"more domains":   {attrs{"domains": list("a")}, attrs{"domains": list("a", "b")}, "domains", "self-provisioning"},
		"domains at all": {attrs{}, attrs{"domains": list("a"), "self_provisioning": true}, "domains", "self-provisioning"},
		"domains gone":   {attrs{"domains": list("a")}, attrs{"domains": list()}, "domains", "emptied: turns self-provisioning off"},
		"switched off":   {attrs{"domains": list("a")}, attrs{"self_provisioning": false}, "domains", "emptied: turns self-provisioning off"},
		"roles gone":     {attrs{"default_roles": list("a")}, attrs{"default_roles": list()}, "default_roles", "emptied"},
		"roles":          {attrs{"default_roles": list("a")}, attrs{"default_roles": list("b")}, "default_roles", ""},
		"a list in a key": {
			attrs{"custom_attributes": attrs{"domains": list("a")}}, attrs{"custom_attributes": attrs{"domains": list()}}, "custom_attributes.domains", "",
		},
	} {
		ch := single(t, compute(t, state(t, wanted(t, "a", c.written)), state(t, alive(t, "a", c.live)), state(t), plan.Options{}))
		for _, f := range ch.Fields {
			if f.Path == c.path && f.Note != c.want {
				t.Errorf("%s: note %q, want %q", name, f.Note, c.want)
			}
		}
	}
	created := single(t, compute(t, state(t, wanted(t, "a", attrs{"domains": list("d")})), state(t), state(t), plan.Options{}))
	if f := created.Fields[0]; f.Path != "domains" || f.Note != "" {
		t.Errorf("a new tenant whose domains do not count: %+v", f)
	}
}
