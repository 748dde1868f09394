package plan_test

import (
	"encoding/json"
	"testing"

	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
)

type attrs = map[string]any

func key(id string) model.Key { return model.Key{Kind: model.Tenant, ID: id} }

// norm brings literals of a test into the normal form.
func norm(t testing.TB, m attrs) attrs {
	t.Helper()
	v, err := model.Normalize(m)
	if err != nil {
		t.Fatal(err)
	}
	return model.Sorted(model.Tenant, v.(map[string]any))
}

// wanted is a desired or last-applied tenant.
func wanted(t testing.TB, id string, m attrs) model.Resource {
	return model.Resource{
		Key: key(id), Attrs: norm(t, m), Origin: model.Origin{File: "envs/tenants.cue", Line: 7, Column: 1},
		Origins: map[string]model.Origin{"name": {File: "envs/tenants.cue", Line: 8, Column: 2}},
	}
}

// alive is a live tenant; what is not given is as Descope creates it.
func alive(t testing.TB, id string, m attrs) model.Resource {
	all := attrs{
		"name": id, "domains": []any{}, "self_provisioning": false, "custom_attributes": attrs{},
		"parent": "", "disabled": false, "default_roles": []any{}, "role_inheritance": "",
	}
	for k, v := range m {
		all[k] = v
	}
	if list, ok := all["domains"].([]any); ok {
		all["self_provisioning"] = len(list) > 0
	}
	a := norm(t, all)
	fields := attrs{
		"id": id, "enforceSSO": true, "name": a["name"], "selfProvisioningDomains": a["domains"], "customAttributes": a["custom_attributes"],
		"parent": a["parent"], "disabled": a["disabled"], "defaultRoles": a["default_roles"], "roleInheritance": a["role_inheritance"],
	}
	return model.Resource{Key: key(id), Attrs: a, Observed: &model.Observed{Fields: fields}}
}

func flow(id string, m attrs) model.Resource {
	return model.Resource{Key: model.Key{Kind: model.Flow, ID: id}, Attrs: m}
}

func state(t testing.TB, rs ...model.Resource) model.State {
	t.Helper()
	s, err := model.NewState(rs)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func list(words ...any) []any { return append([]any{}, words...) }

// compute fails the test on an error.
func compute(t testing.TB, desired, live, last model.State, o plan.Options) *plan.Plan {
	t.Helper()
	p, err := plan.Compute(desired, live, last, o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// single returns the only change.
func single(t testing.TB, p *plan.Plan) plan.Change {
	t.Helper()
	if len(p.Changes) != 1 {
		t.Fatalf("%d changes instead of one: %v", len(p.Changes), order(p))
	}
	return p.Changes[0]
}

// order is the plan in short: "+a ~b -c".
func order(p *plan.Plan) string {
	s := ""
	for _, c := range p.Changes {
		if s != "" {
			s += " "
		}
		s += map[plan.Action]string{plan.Create: "+", plan.Update: "~", plan.Delete: "-"}[c.Action] + c.Key.ID
	}
	return s
}

// rules are the guards in short.
func rules(p *plan.Plan) []plan.Rule {
	var out []plan.Rule
	for _, g := range p.Guards {
		out = append(out, g.Rule)
	}
	return out
}

// everything allows all that can be allowed.
func everything(p *plan.Plan) plan.Allowed {
	return plan.Allowed{MassChange: true, OverwriteDrift: true, AdoptExisting: true, ConfirmProject: p.Project, DeleteInUse: true, Reapply: true}
}

func num(s string) json.Number { return json.Number(s) }
