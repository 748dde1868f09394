package emulator

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// render is a tenant as a read shows it. successors are its direct children,
// or all below it.
func (c *call) render(t *tenant, children map[string][]string) map[string]any {
	wire := make(map[string]any, len(t.wire)+1)
	for name, v := range t.wire {
		wire[name] = v
	}
	below := children[t.id]
	if c.quirks.Successors == "all" {
		below = descendants(children, t.id)
	}
	successors := make([]any, len(below))
	for i, id := range below {
		successors[i] = id
	}
	wire["successors"] = successors
	if values, _ := wire["customAttributes"].(map[string]any); len(values) == 0 {
		switch c.quirks.EmptyAttributes {
		case "null":
			wire["customAttributes"] = nil
		case "absent":
			delete(wire, "customAttributes")
		}
	}
	return wire
}

// loadTenant answers GET /v1/mgmt/tenant. Descope: the reply is flat, whatever
// the published schema shows.
func (c *call) loadTenant() (map[string]any, *apiError) {
	t, e := c.findQuery("id")
	if e != nil {
		return nil, e
	}
	return c.render(t, c.project.children()), nil
}

// allTenants answers GET /v1/mgmt/tenant/all.
func (c *call) allTenants() (map[string]any, *apiError) {
	return c.renderAll(c.project.tenants, c.quirks.AllLimit), nil
}

func (c *call) renderAll(tenants []*tenant, limit int) map[string]any {
	children := c.project.children()
	list := make([]any, 0, len(tenants))
	for _, t := range inOrder(c, tenants, func(t *tenant) string { return t.id }) {
		list = append(list, c.render(t, children))
	}
	if limit > 0 && len(list) > limit {
		list = list[:limit]
	}
	return map[string]any{"tenants": list}
}

// searchFields are what a search takes. Descope: there is no paging.
func searchFields() []field {
	return []field{
		{name: "tenantIds", kind: texts},
		{name: "tenantNames", kind: texts},
		{name: "tenantSelfProvisioningDomains", kind: texts},
		{name: "tenantSSODomains", kind: texts},
		{name: "customAttributes", kind: attributes},
		{name: "authType"},
		{name: "parentTenantId"},
		{name: "topLevelOnly", kind: flag},
	}
}

// searchTenants answers POST /v1/mgmt/tenant/search: fields combine with and,
// the values of a list with or.
func (c *call) searchTenants() (map[string]any, *apiError) {
	want := map[string]any{}
	if e := overlay(want, searchFields(), c.body, false); e != nil {
		return nil, e
	}
	equal := func(a, b any) bool { return a == b }
	sameName := func(a, b any) bool { return c.sameName(a.(string), b.(string)) }
	any1 := func(wanted, have []any, same func(a, b any) bool) bool {
		return len(wanted) == 0 || slices.ContainsFunc(wanted, func(w any) bool {
			return slices.ContainsFunc(have, func(h any) bool { return same(w, h) })
		})
	}
	list := func(v any) []any { l, _ := v.([]any); return l }
	var found []*tenant
	for _, t := range c.project.tenants {
		have, _ := t.wire["customAttributes"].(map[string]any)
		matches := any1(list(want["tenantIds"]), []any{t.id}, equal) &&
			any1(list(want["tenantNames"]), []any{t.name}, sameName) &&
			any1(list(want["tenantSelfProvisioningDomains"]), list(t.wire["selfProvisioningDomains"]), equal) &&
			any1(list(want["tenantSSODomains"]), list(t.wire["domains"]), equal) &&
			(want["authType"] == "" || want["authType"] == t.wire["authType"]) &&
			(want["parentTenantId"] == "" || want["parentTenantId"] == t.parent) &&
			(want["topLevelOnly"] == false || t.parent == "")
		for name, v := range want["customAttributes"].(map[string]any) {
			stored, ok := have[name]
			matches = matches && ok && model.Equal(stored, v)
		}
		if matches {
			found = append(found, t)
		}
	}
	return c.renderAll(found, c.quirks.SearchLimit), nil
}

// inOrder returns a list in the order that the quirk asks for. Shuffled is a
// new order for every request, the same in every run.
func inOrder[T any](c *call, list []T, id func(T) string) []T {
	out := slices.Clone(list)
	switch c.quirks.ListOrder {
	case "sorted":
		slices.SortStableFunc(out, func(a, b T) int { return cmp.Compare(id(a), id(b)) })
	case "shuffled":
		rank := func(v T) uint64 {
			sum := sha256.Sum256(binary.BigEndian.AppendUint64([]byte(id(v)), c.serial))
			return binary.BigEndian.Uint64(sum[:])
		}
		slices.SortStableFunc(out, func(a, b T) int { return cmp.Compare(rank(a), rank(b)) })
	}
	return out
}
