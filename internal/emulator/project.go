package emulator

import (
	"fmt"
	"slices"
	"sync"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// project is the data of one project. Everything but id is guarded by mu. Maps
// and lists in it are replaced, never changed, so that a reply may share them.
type project struct {
	id string

	mu sync.Mutex
	// deleted: nothing of it is left, and it does not come back.
	deleted     bool
	name        string
	tags        []string
	environment string // "" or production
	clones      map[string]cloned
	tenants     []*tenant // in order of creation
	byID        map[string]*tenant
	flows       []*flow
	roles       named
	connectors  named
	// connectorDetails are the connectors by name as a snapshot has them, secrets
	// included; one that is not there is known by its name and id alone.
	connectorDetails map[string]map[string]any
	// files are those of an imported snapshot that nothing else here stands for.
	files      map[string]any
	attributes []string // nil: any
	users      []map[string]any
	accessKeys []map[string]any
	sso        map[string][]map[string]any
	theme      map[string]any
	themeV1    map[string]any
	// componentsVersion and templates are "" and nil for the emulator's own.
	componentsVersion string
	templates         []map[string]any
}

func newProject(id string) *project {
	return &project{
		id: id, byID: map[string]*tenant{}, sso: map[string][]map[string]any{},
		theme: map[string]any{}, themeV1: map[string]any{},
	}
}

func (p *project) tenant(id string) *tenant { return p.byID[id] }

func (p *project) addTenant(t *tenant) {
	p.tenants = append(p.tenants, t)
	p.byID[t.id] = t
}

func (p *project) removeTenant(id string) {
	delete(p.byID, id)
	delete(p.sso, id)
	p.tenants = slices.DeleteFunc(p.tenants, func(t *tenant) bool { return t.id == id })
}

func (p *project) flow(id string) *flow {
	i := slices.IndexFunc(p.flows, func(f *flow) bool { return f.id == id })
	if i < 0 {
		return nil
	}
	return p.flows[i]
}

// children maps each parent to the ids below it, in order of creation.
func (p *project) children() map[string][]string {
	m := map[string][]string{}
	for _, t := range p.tenants {
		if t.parent != "" {
			m[t.parent] = append(m[t.parent], t.id)
		}
	}
	return m
}

// descendants lists what is below a tenant, a parent before its children.
func descendants(children map[string][]string, id string) []string {
	all := slices.Clone(children[id])
	for i := 0; i < len(all); i++ {
		all = append(all, children[all[i]]...)
	}
	return all
}

// checkParents reports a parent that is missing or above itself.
func (p *project) checkParents() error {
	for _, t := range p.tenants {
		steps := 0
		for at := t; at.parent != ""; steps++ {
			above := p.tenant(at.parent)
			if above == nil {
				return fmt.Errorf("tenant %q has the parent %q, which is not there", at.id, at.parent)
			}
			if steps > len(p.tenants) {
				return fmt.Errorf("tenant %q is above itself", t.id)
			}
			at = above
		}
	}
	return nil
}

// membersOf counts the users and access keys that belong to a tenant.
func (p *project) membersOf(id string) int {
	count := func(list []map[string]any, field string) (n int) {
		for _, m := range list {
			if belongs(m, field, id) {
				n++
			}
		}
		return n
	}
	return count(p.users, "userTenants") + count(p.accessKeys, "keyTenants")
}

// dropMembers takes users and access keys out of a tenant. With cascade, those
// that belong to no other tenant are deleted.
func (p *project) dropMembers(id string, cascade bool) {
	drop := func(list []map[string]any, field string) []map[string]any {
		kept := make([]map[string]any, 0, len(list))
		for _, m := range list {
			if belongs(m, field, id) {
				tenants, _ := m[field].([]any)
				rest := slices.DeleteFunc(slices.Clone(tenants), func(v any) bool { return tenantIDOf(v) == id })
				if cascade && len(rest) == 0 {
					continue
				}
				m = model.CloneMap(m)
				m[field] = rest
			}
			kept = append(kept, m)
		}
		return kept
	}
	p.users = drop(p.users, "userTenants")
	p.accessKeys = drop(p.accessKeys, "keyTenants")
}

func belongs(member map[string]any, field, tenantID string) bool {
	tenants, _ := member[field].([]any)
	return slices.ContainsFunc(tenants, func(v any) bool { return tenantIDOf(v) == tenantID })
}

func tenantIDOf(v any) string {
	m, _ := v.(map[string]any)
	id, _ := m["tenantId"].(string)
	return id
}
