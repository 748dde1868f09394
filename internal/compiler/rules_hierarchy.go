package compiler

import (
	"fmt"
	"slices"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// hierarchy checks the parents of tenants: each exists in this environment, no
// tenant is above itself, and there are at most three levels.
func (r *rules) hierarchy() {
	tenants := r.result.State.Of(model.Tenant)
	ids := make([]string, len(tenants))
	for i, t := range tenants {
		ids[i] = t.Key.ID
	}
	reported := map[string]bool{} // tenants of a cycle that is reported
	for _, t := range tenants {
		parent, ok := t.Attrs["parent"].(string)
		if !ok {
			continue
		}
		key := model.Key{Kind: model.Tenant, ID: parent}
		if _, exists := r.result.State.Get(key); !exists {
			r.missingParent(t, key, ids)
			continue
		}
		chain, cycle := r.ancestors(t)
		switch {
		case cycle:
			r.cycle(t, chain, reported)
		case len(chain) > model.MaxTenantLevels:
			d := houseRule(about(t, "parent"), t.Policy.Imported)
			r.add(d, "too-many-levels", "%s is on level %d: %s", name(t.Key), len(chain), path(chain)).
				Detail = fmt.Sprintf("allowed: %d levels", model.MaxTenantLevels)
		}
	}
}

func (r *rules) missingParent(t model.Resource, parent model.Key, ids []string) {
	if slices.Contains(r.result.Excluded, parent) {
		d := r.add(about(t, "parent"), "excluded-parent", "%s: the parent %s is not in the environment %s", name(t.Key), quoted(parent.ID), quoted(r.loaded.env))
		d.Detail = "enabled_in leaves the parent out here"
		d.Hint = "give both the same enabled_in"
		return
	}
	d := r.add(about(t, "parent"), "no-parent", "%s: there is no tenant %s to be its parent", name(t.Key), quoted(parent.ID))
	d.Detail = didYouMean(parent.ID, ids, "parent is the id of a tenant of this configuration")
	r.loaded.rename(d, parent.ID, model.Suggest(parent.ID, ids))
}

// ancestors lists a tenant and those above it, the topmost first. The list
// ends where a tenant comes again, which is a cycle.
func (r *rules) ancestors(t model.Resource) (chain []model.Key, cycle bool) {
	seen := map[model.Key]bool{}
	for {
		if seen[t.Key] {
			cycle = true
			break
		}
		seen[t.Key] = true
		chain = append(chain, t.Key)
		parent, _ := t.Attrs["parent"].(string)
		next, ok := r.result.State.Get(model.Key{Kind: model.Tenant, ID: parent})
		if !ok {
			break
		}
		t = next
	}
	slices.Reverse(chain)
	return chain, cycle
}

// cycle reports a cycle once, at its first tenant; a tenant below it is not
// to blame.
func (r *rules) cycle(t model.Resource, chain []model.Key, reported map[string]bool) {
	var members []model.Key
	for at := t.Key; ; {
		res, _ := r.result.State.Get(at)
		parent, _ := res.Attrs["parent"].(string)
		if slices.Contains(members, at) {
			members = members[slices.Index(members, at):]
			break
		}
		members = append(members, at)
		at.ID = parent
	}
	if !slices.Contains(members, t.Key) || reported[t.Key.ID] {
		return
	}
	for _, k := range members {
		reported[k.ID] = true
	}
	_ = chain
	if len(members) == 1 {
		r.add(about(t, "parent"), "parent-cycle", "%s is its own parent", name(t.Key)).Detail = "parent is the id of another tenant"
		return
	}
	slices.Reverse(members)
	r.add(about(t, "parent"), "parent-cycle", "%s is above itself: %s", name(t.Key), path(append(members, members[0]))).
		Detail = "one of them must have no parent"
}

func path(chain []model.Key) string {
	ids := make([]string, len(chain))
	for i, k := range chain {
		ids[i] = shownID(k.ID)
	}
	if len(ids) > 6 {
		ids = append(append(slices.Clone(ids[:3]), "…"), ids[len(ids)-2:]...)
	}
	return strings.Join(ids, " > ")
}
