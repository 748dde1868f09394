package plan_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// world is a project that behaves like Descope, in memory: updates replace the
// whole tenant, names and domains are unique, a parent comes before its child
// and goes after it, and some fields are nobody's business.
type world struct {
	mu      sync.Mutex
	tenants map[string]attrs // as the wire has them, by id
	calls   int
}

func (w *world) resource(id string) (model.Resource, bool) {
	raw, ok := w.tenants[id]
	if !ok {
		return model.Resource{}, false
	}
	domains, _ := raw["selfProvisioningDomains"].([]any)
	a := model.Sorted(model.Tenant, attrs{
		"name": raw["name"], "domains": slices.Clone(domains), "self_provisioning": len(domains) > 0,
		"custom_attributes": raw["customAttributes"], "parent": raw["parent"], "disabled": raw["disabled"],
		"default_roles": raw["defaultRoles"], "role_inheritance": raw["roleInheritance"],
	})
	return model.Resource{Key: key(id), Attrs: a, Observed: &model.Observed{Fields: raw}}, true
}

func (w *world) state() model.State {
	var all []model.Resource
	for id := range w.tenants {
		r, _ := w.resource(id)
		all = append(all, r)
	}
	s, err := model.NewState(all)
	if err != nil {
		panic(err)
	}
	return s
}

func (w *world) clone() *world {
	out := &world{tenants: map[string]attrs{}}
	for id, raw := range w.tenants {
		out.tenants[id] = model.CloneMap(raw)
	}
	return out
}

// Do is apply.Target.
func (w *world) Do(_ context.Context, s model.Step, check func(model.Resource, bool) error) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if check != nil {
		if err := check(w.resource(s.Key.ID)); err != nil {
			return 0, err
		}
	}
	w.calls++
	v, err := model.DecodeJSON(s.Body)
	if err != nil {
		return 1, err
	}
	return 1, w.perform(s.Op, s.Key.ID, v.(map[string]any))
}

func (w *world) perform(op model.Op, id string, body attrs) error {
	old, exists := w.tenants[id]
	if exists == (op == model.TenantCreate) {
		return fmt.Errorf("%s of %s: exists is %v", op, id, exists)
	}
	switch op {
	case model.TenantDelete:
		for child, raw := range w.tenants {
			if raw["parent"] == id {
				return fmt.Errorf("%s has the child %s", id, child)
			}
		}
		delete(w.tenants, id)
		return nil
	case model.TenantDefaultRoles:
		old = maps.Clone(old)
		old["defaultRoles"] = body["defaultRoles"]
		w.tenants[id] = old
		return nil
	case model.TenantCreate:
		parent, _ := body["parent"].(string)
		if _, ok := w.tenants[parent]; parent != "" && !ok {
			return fmt.Errorf("%s has no parent %s", id, parent)
		}
		body["defaultRoles"], body["secret"] = []any{}, "made here"
	case model.TenantUpdate:
		body["defaultRoles"], body["parent"] = old["defaultRoles"], old["parent"]
	default:
		return fmt.Errorf("no such call: %s", op)
	}
	for other, raw := range w.tenants {
		if other == id {
			continue
		}
		if raw["name"] == body["name"] {
			return fmt.Errorf("%s wants the name of %s", id, other)
		}
		theirs, _ := raw["selfProvisioningDomains"].([]any)
		for _, d := range body["selfProvisioningDomains"].([]any) {
			if slices.Contains(theirs, d) {
				return fmt.Errorf("%s wants the domain %s of %s", id, d, other)
			}
		}
	}
	w.tenants[id] = body
	return nil
}

// encode is what the client does: fresh raw, managed fields on top, all the rest
// sent back.
func encode(tr model.Transition) ([]model.Step, error) {
	step := func(op model.Op, body attrs) model.Step {
		b, err := json.Marshal(body)
		if err != nil {
			panic(err)
		}
		return model.Step{Op: op, Key: tr.Key, Body: b}
	}
	if tr.After == nil {
		return []model.Step{step(model.TenantDelete, attrs{})}, nil
	}
	body := attrs{"name": "", "selfProvisioningDomains": []any{}, "customAttributes": attrs{}, "parent": "", "disabled": false, "roleInheritance": ""}
	op := model.TenantCreate
	if tr.Before != nil {
		op = model.TenantUpdate
		body = model.CloneMap(tr.Before.Observed.Fields)
	}
	wire := map[string]string{
		"name": "name", "domains": "selfProvisioningDomains", "parent": "parent", "disabled": "disabled", "role_inheritance": "roleInheritance",
	}
	roles, rest := false, op == model.TenantCreate
	for _, path := range tr.Managed {
		elements, _ := model.SplitPath(path)
		switch name := elements[0]; name {
		case "default_roles":
			roles = true
		case "custom_attributes":
			rest = true
			after := tr.After[name].(map[string]any)
			if v, ok := after[elements[1]]; ok {
				body["customAttributes"].(map[string]any)[elements[1]] = v
			} else {
				delete(body["customAttributes"].(map[string]any), elements[1])
			}
		default:
			rest = true
			if to, ok := wire[name]; ok {
				body[to] = tr.After[name]
			}
		}
	}
	var steps []model.Step
	if rest {
		steps = append(steps, step(op, body))
	}
	if roles {
		steps = append(steps, step(model.TenantDefaultRoles, attrs{"defaultRoles": tr.After["default_roles"]}))
	}
	return steps, nil
}
