package plan_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
)

// case of an order: tenants by id, short.
type ordering struct {
	desired, live, last map[string]attrs
	prune               bool
	pruneUnmanaged      []model.Key
	targets             []model.Key
	want                string            // the changes in order
	depends             map[string]string // by id: what it depends on
	guards              map[plan.Rule]string
	warning             string
}

func (c ordering) plan(t *testing.T) *plan.Plan {
	t.Helper()
	all := func(m map[string]attrs, build func(testing.TB, string, attrs) model.Resource) model.State {
		var rs []model.Resource
		for id, a := range m {
			rs = append(rs, build(t, id, a))
		}
		return state(t, rs...)
	}
	o := plan.Options{Encode: encode, PruneUnmanaged: c.pruneUnmanaged, Targets: c.targets}
	if c.prune {
		o.Prune = []model.Kind{model.Tenant}
	}
	return compute(t, all(c.desired, wanted), all(c.live, alive), all(c.last, wanted), o)
}

func named(s string) attrs            { return attrs{"name": s} }
func child(name, parent string) attrs { return attrs{"name": name, "parent": parent} }
func provisioned(ds ...any) attrs     { return attrs{"domains": list(ds...), "self_provisioning": true} }

func TestOrder(t *testing.T) {
	type tenants = map[string]attrs
	for name, c := range map[string]ordering{
		"by id": {
			desired: tenants{"b": named("B"), "a": named("A"), "c": named("C2")}, live: tenants{"c": named("C")}, last: tenants{"c": named("C")},
			want: "+a +b ~c",
		},
		"parents before children": {
			desired: tenants{"a": child("A", "b"), "b": child("B", "c"), "c": named("C")},
			want:    "+c +b +a", depends: map[string]string{"a": "b", "b": "c"},
		},
		"a live parent is no dependency": {
			desired: tenants{"a": child("A", "p"), "p": named("P2")}, live: tenants{"p": named("P")}, last: tenants{"p": named("P")},
			want: "+a ~p",
		},
		"deletes last and in reverse": {
			desired: tenants{"z": named("Z")}, live: tenants{"a": nil, "b": nil, "c": child("c", "a")}, last: tenants{"a": nil, "b": nil, "c": nil},
			prune: true, want: "+z -c -b -a", depends: map[string]string{"a": "c"},
		},
		"children go before their parent whatever their id": {
			desired: tenants{"z": named("Z")}, live: tenants{"a": child("a", "b"), "b": child("b", "c"), "c": nil, "z": named("Z")}, last: tenants{"a": nil, "b": nil, "c": nil},
			prune: true, want: "-a -b -c", depends: map[string]string{"b": "a", "c": "b"},
		},
		"a name is freed before it is taken": {
			desired: tenants{"a": named("X"), "b": named("Y")}, live: tenants{"a": named("W"), "b": named("X")}, last: tenants{"a": named("W"), "b": named("X")},
			want: "~b ~a", depends: map[string]string{"a": "b"},
		},
		"a chain of domains": {
			desired: tenants{"a": provisioned("2"), "b": provisioned("3"), "c": provisioned("4")},
			live:    tenants{"a": provisioned("1"), "b": provisioned("2"), "c": provisioned("3")},
			last:    tenants{"a": {}, "b": {}, "c": {}},
			want:    "~c ~b ~a", depends: map[string]string{"a": "b", "b": "c"},
		},
		"a domain moves to a new tenant": {
			desired: tenants{"a": {"name": "A", "domains": list("x"), "self_provisioning": true}, "b": provisioned("y")},
			live:    tenants{"b": provisioned("x", "y")}, last: tenants{"b": provisioned("x", "y")},
			want: "~b +a", depends: map[string]string{"a": "b"},
		},
		"a delete that frees a name goes first": {
			desired: tenants{"new": named("X"), "a": named("A")}, live: tenants{"old": named("X"), "kid": child("K", "old")}, last: tenants{"old": {}, "kid": {}},
			prune: true, want: "+a -kid -old +new", depends: map[string]string{"new": "old", "old": "kid"},
			warning: `tenant/new takes the name "X" of tenant/old, which is deleted`,
		},
		"a delete that frees a domain for an update": {
			desired: tenants{"a": provisioned("x")}, live: tenants{"a": {}, "b": provisioned("x")}, last: tenants{"a": {}, "b": {}},
			prune: true, want: "-b ~a", depends: map[string]string{"a": "b"},
		},
		"domains of two tenants": {
			desired: tenants{"a": provisioned("1", "2"), "b": provisioned("3"), "c": provisioned("4")},
			live:    tenants{"a": {}, "b": provisioned("2"), "c": provisioned("1")}, last: tenants{"a": {}, "b": {}, "c": {}},
			want: "~b ~c ~a", depends: map[string]string{"a": "bc"},
		},
		"domains of one that goes and one that stays": {
			desired: tenants{"a": provisioned("1", "2"), "c": provisioned("4")},
			live:    tenants{"a": {}, "b": provisioned("2"), "c": provisioned("1")}, last: tenants{"a": {}, "b": {}, "c": {}},
			prune: true, want: "~c -b ~a", depends: map[string]string{"a": "bc"},
		},
		"swapped names": {
			desired: tenants{"a": named("Y"), "b": named("X")}, live: tenants{"a": named("X"), "b": named("Y")}, last: tenants{"a": named("X"), "b": named("Y")},
			want: "~b ~a", depends: map[string]string{"a": "b"},
			guards: map[plan.Rule]string{plan.RuleImpossible: "tenant/a, tenant/b wait for each other"},
		},
		"swapped domains among others": {
			desired: tenants{"a": provisioned("y"), "b": provisioned("x"), "c": named("C2")}, live: tenants{"a": provisioned("x"), "b": provisioned("y"), "c": named("C")},
			last: tenants{"a": provisioned("x"), "b": provisioned("y"), "c": named("C")},
			want: "~b ~a ~c", depends: map[string]string{"a": "b"},
			guards: map[plan.Rule]string{plan.RuleImpossible: "tenant/a, tenant/b wait"},
		},
		"three names in a circle": {
			desired: tenants{"a": named("2"), "b": named("3"), "c": named("1"), "d": named("4")}, live: tenants{"a": named("1"), "b": named("2"), "c": named("3")},
			last: tenants{"a": named("1"), "b": named("2"), "c": named("3")},
			want: "~c ~b ~a +d", depends: map[string]string{"a": "b", "b": "c"},
			guards: map[plan.Rule]string{plan.RuleImpossible: "tenant/a, tenant/b, tenant/c wait"},
		},
		"parents in a circle": {
			desired: tenants{"a": child("A", "b"), "b": child("B", "a"), "c": child("C", "c")},
			want:    "+b +a +c", depends: map[string]string{"a": "b"},
			guards: map[plan.Rule]string{plan.RuleImpossible: "tenant/a, tenant/b wait; tenant/c needs its parent tenant/c, which does not exist"},
		},
		"a name of an unmanaged tenant": {
			desired: tenants{"a": named("X")}, live: tenants{"console": named("X")},
			want: "+a", guards: map[plan.Rule]string{plan.RuleTaken: `tenant/a wants the name "X", which tenant/console holds: live, and not in the configuration`},
		},
		"a domain of an orphan": {
			desired: tenants{"a": {"domains": list("x"), "self_provisioning": true, "name": "A"}}, live: tenants{"old": provisioned("x")}, last: tenants{"old": {}},
			want: "+a", guards: map[plan.Rule]string{plan.RuleTaken: `tenant/a wants the domain "x", which tenant/old holds: an orphan, gone from the configuration but not deleted (--prune=tenant)`},
		},
		"a name that its tenant keeps": {
			desired: tenants{"a": named("X"), "b": {"disabled": true}}, live: tenants{"b": named("X")}, last: tenants{"b": {}},
			want: "+a ~b", guards: map[plan.Rule]string{plan.RuleTaken: `tenant/a wants the name "X", which tenant/b holds and keeps`},
		},
		"a name that is freed by another target": {
			desired: tenants{"a": named("X"), "b": named("Y")}, live: tenants{"b": named("X")}, last: tenants{"b": {}}, targets: []model.Key{key("a")},
			want: "+a", guards: map[plan.Rule]string{plan.RuleTaken: `which tenant/b holds and is not among the targets`},
		},
		"two want one domain": {
			desired: tenants{"a": {"name": "A", "domains": list("x"), "self_provisioning": true}, "b": provisioned("x")}, live: tenants{"b": {}}, last: tenants{"b": {}},
			want: "+a ~b", guards: map[plan.Rule]string{plan.RuleImpossible: `tenant/a and tenant/b both want the domain "x"`},
		},
		"a domain that does not count is not taken": {
			desired: tenants{"a": {"name": "A", "domains": list("x")}}, live: tenants{"b": provisioned("x")},
			want: "+a",
		},
		"no parent": {
			desired: tenants{"a": child("A", "nobody")},
			want:    "+a", guards: map[plan.Rule]string{plan.RuleImpossible: "tenant/a needs its parent tenant/nobody, which does not exist"},
		},
		"a parent that is no target": {
			desired: tenants{"a": child("A", "p"), "p": named("P")}, targets: []model.Key{key("a")},
			want: "+a", guards: map[plan.Rule]string{plan.RuleImpossible: "does not exist yet and is not among the targets; add --target tenant/p"},
		},
		"a parent that is deleted": {
			desired: tenants{"a": child("A", "p")}, live: tenants{"p": nil}, last: tenants{"p": {}}, prune: true,
			want: "+a -p", guards: map[plan.Rule]string{plan.RuleImpossible: "tenant/a needs its parent tenant/p, which this plan deletes"},
		},
		"a deleted parent keeps children": {
			desired: tenants{"k": {}}, live: tenants{"p": nil, "k": child("k", "p"), "u": child("u", "p")}, last: tenants{"p": {}}, prune: true,
			want: "-p", guards: map[plan.Rule]string{plan.RuleImpossible: "tenant/p cannot be deleted: tenant/k, tenant/u are its children", plan.RuleInUse: "children: k, u"},
		},
		"a tenant that is its own parent": {
			desired: tenants{"k": {}}, live: tenants{"p": child("p", "p"), "k": nil}, last: tenants{"p": {}}, prune: true,
			want: "-p", guards: map[plan.Rule]string{plan.RuleImpossible: "tenant/p cannot be deleted: tenant/p is its child", plan.RuleInUse: "children: p"},
		},
		"a moved parent": {
			desired: tenants{"a": {"parent": "p"}}, live: tenants{"a": child("a", "q"), "p": nil, "q": nil}, last: tenants{"a": {}},
			want: "~a", guards: map[plan.Rule]string{plan.RuleImpossible: `parent of tenant/a cannot change from "q" to "p": Descope takes it at creation only`},
		},
		"unmanaged ones by their ids": {
			live: tenants{"u": nil, "v": nil}, pruneUnmanaged: []model.Key{key("v")}, want: "-v",
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := c.plan(t)
			if got := order(p); got != c.want {
				t.Errorf("order %q, want %q", got, c.want)
			}
			depends := map[string]string{}
			for _, ch := range p.Changes {
				for _, k := range ch.DependsOn {
					depends[ch.Key.ID] += k.ID
				}
			}
			if diff := cmp.Diff(c.depends, depends); diff != "" && len(c.depends)+len(depends) > 0 {
				t.Errorf("depends (-want +got):\n%s", diff)
			}
			checkGuards(t, p, c.guards)
			warnings := slices.DeleteFunc(slices.Clone(p.Warnings), func(d model.Diagnostic) bool { return d.Code == "cannot-undo" })
			if len(p.Warnings)-len(warnings) != p.Counts().Delete {
				t.Errorf("not every delete warns: %v", p.Warnings)
			}
			if c.warning != "" && (len(warnings) != 1 || warnings[0].Summary != c.warning) {
				t.Errorf("warnings %v", warnings)
			}
			if c.warning == "" && len(warnings) > 0 {
				t.Errorf("warnings %v", warnings)
			}
		})
	}
}

// checkGuards expects each rule's details, joined with semicolons, to begin with
// or contain the given parts, and nothing but mass-change besides.
func checkGuards(t *testing.T, p *plan.Plan, want map[plan.Rule]string) {
	t.Helper()
	got := map[plan.Rule]int{}
	for _, g := range p.Guards {
		got[g.Rule]++
		if g.Rule == plan.RuleMassChange || g.Rule == plan.RuleDrift || g.Rule == plan.RuleAdopt {
			continue
		}
		if g.Allow != "" || len(p.Gate(everything(p))) == 0 {
			t.Errorf("something allows %+v", g)
		}
		found := false
		for part := range strings.SplitSeq(want[g.Rule], "; ") {
			found = found || want[g.Rule] != "" && strings.Contains(g.Detail, part)
		}
		if !found {
			t.Errorf("unexpected guard %s: %s", g.Rule, g.Detail)
		}
	}
	for rule, text := range want {
		if parts := strings.Split(text, "; add"); got[rule] < len(strings.Split(parts[0], "; ")) {
			t.Errorf("guards %v lack %s: %s", p.Guards, rule, text)
		}
	}
}

func TestStages(t *testing.T) {
	f := flow("a", attrs{"definition": "x"})
	p := compute(t, state(t, f, wanted(t, "z", named("Z"))), state(t, flow("gone", attrs{"definition": "y"}), alive(t, "old", nil)),
		state(t, flow("gone", attrs{}), wanted(t, "old", attrs{})), plan.Options{Prune: []model.Kind{model.Tenant, model.Flow}})
	var got []string
	for _, c := range p.Changes {
		got = append(got, string(c.Action)+" "+c.Key.String())
	}
	if diff := cmp.Diff([]string{"create tenant/z", "create flow/a", "delete flow/gone", "delete tenant/old"}, got); diff != "" {
		t.Errorf("order:\n%s", diff)
	}
}

// A saved plan can be overtaken by an object that it does not change.
func TestTaken(t *testing.T) {
	acme := wanted(t, "acme", attrs{"name": "Acme", "domains": []any{"acme.com"}, "self_provisioning": true})
	widget := wanted(t, "widget", attrs{"name": "Widget"})
	before := state(t, alive(t, "widget", attrs{"name": "Gadget"}))
	p, err := plan.Compute(state(t, acme, widget), before, model.State{}, plan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		live model.State
		want []string
	}{
		"nothing moved":            {before, nil},
		"strangers":                {state(t, alive(t, "x", attrs{"name": "X"}), alive(t, "widget", attrs{"name": "Gadget"})), nil},
		"what the plan changes":    {state(t, alive(t, "widget", attrs{"name": "Acme"})), nil},
		"a name and a domain":      {state(t, alive(t, "x", attrs{"name": "Acme", "domains": []any{"acme.com"}})), []string{`tenant/acme wants the domain "acme.com", which tenant/x has taken since`, `tenant/acme wants the name "Acme", which tenant/x has taken since`}},
		"the name of an update":    {state(t, alive(t, "x", attrs{"name": "Widget"})), []string{`tenant/widget wants the name "Widget", which tenant/x has taken since`}},
		"a name that is given up":  {state(t, alive(t, "x", attrs{"name": "Gadget"})), nil},
		"the live project is gone": {model.State{}, nil},
	} {
		var got []string
		for _, g := range p.Taken(tt.live) {
			if g.Rule != plan.RuleTaken || g.Allow != "" {
				t.Errorf("%s: %+v", name, g)
			}
			got = append(got, g.Detail)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
