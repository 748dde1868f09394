package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"pcconnect.ai/descope-mgmt/internal/model"
)

func tenantRow() row {
	write := func(path string) endpoint {
		return endpoint{path: path, budget: BudgetTenantWrites, names: idOf, effect: tenantIsAsSent, result: tenantAfter}
	}
	remove := write("/v1/mgmt/tenant/delete")
	remove.gone = true
	remove.effect = func(_ json.RawMessage, _ model.Resource, exists bool) bool { return !exists }
	remove.result = func(json.RawMessage, model.Resource, bool) (model.Resource, bool, bool) {
		return model.Resource{}, false, true
	}
	return row{
		kind:     model.Tenant,
		list:     listTenants,
		snapshot: true,
		get:      getTenant,
		decode:   decodeTenant,
		encode:   encodeTenant,
		writes: map[model.Op]endpoint{
			model.TenantCreate:       write("/v1/mgmt/tenant/create"),
			model.TenantUpdate:       write("/v1/mgmt/tenant/update"),
			model.TenantDefaultRoles: write("/v1/mgmt/tenant/updateDefaultRoles"),
			model.TenantDelete:       remove,
		},
	}
}

// idOf is the field id of a JSON object. Names are matched exactly, which
// encoding/json does not do for structs.
func idOf(body json.RawMessage) (id string, err error) {
	var d map[string]json.RawMessage
	if err := json.Unmarshal(body, &d); err != nil {
		return "", err
	}
	if d["id"] == nil {
		return "", errors.New("it has no id")
	}
	err = json.Unmarshal(d["id"], &id)
	return id, err
}

// listTenants reads all tenants. Descope: tenant/all has no paging; tenant/search
// may cut its answer short without a word and is not used.
func listTenants(ctx context.Context, c *Client) ([]model.Resource, time.Time, error) {
	r := request{method: http.MethodGet, path: "/v1/mgmt/tenant/all", budget: BudgetOther}
	got, err := c.read(ctx, r)
	if err != nil {
		return nil, time.Time{}, err
	}
	tenants, err := decodeTenants(got.body)
	if err != nil {
		return nil, time.Time{}, c.badReply(r, "%w", err)
	}
	return tenants, got.sent, nil
}

// decodeTenants reads an answer of tenant/all and refuses one that cannot be
// the whole: a short list would look like deleted tenants.
func decodeTenants(body []byte) ([]model.Resource, error) {
	raw, err := decodeList(body, "tenants")
	if err != nil {
		return nil, err
	}
	tenants := make([]model.Resource, len(raw))
	ids := make(map[string]bool, len(raw))
	for i, r := range raw {
		t, err := decodeTenant(r)
		if err != nil {
			return nil, fmt.Errorf("tenants[%d]: %w", i, err)
		}
		if ids[t.Key.ID] {
			return nil, fmt.Errorf("tenant %s is in the list twice", quoted(t.Key.ID))
		}
		ids[t.Key.ID] = true
		tenants[i] = t
	}
	for i, t := range tenants {
		if parent := t.Attrs["parent"].(string); parent != "" && !ids[parent] {
			return nil, fmt.Errorf("the list is short: %s, the parent of tenant %s, is not in it", quoted(parent), quoted(t.Key.ID))
		}
		var family struct{ Successors []string }
		if err := json.Unmarshal(raw[i], &family); err != nil {
			return nil, fmt.Errorf("tenants[%d]: %w", i, err)
		}
		for _, s := range family.Successors {
			if !ids[s] {
				return nil, fmt.Errorf("the list is short: %s, a successor of tenant %s, is not in it", quoted(s), quoted(t.Key.ID))
			}
		}
	}
	return tenants, nil
}

// decodeList takes the elements out of {"<name>": […], "total": n}; the total
// is optional and must be right.
func decodeList(body []byte, name string) ([]json.RawMessage, error) {
	elements, total, err := decodePage(body, name)
	if err == nil && total >= 0 && total != len(elements) {
		return nil, fmt.Errorf("the list is short or not understood: %d %s, but the total is \"%d\"", len(elements), name, total)
	}
	return elements, err
}

// decodePage is decodeList for a list that may be a part of the whole. The total
// is -1 if the answer does not say.
func decodePage(body []byte, name string) (elements []json.RawMessage, total int, err error) {
	var top map[string]json.RawMessage
	if err := json.Unmarshal(body, &top); err != nil {
		return nil, 0, err
	}
	list, ok := top[name]
	if !ok {
		return nil, 0, fmt.Errorf("%q is missing from the answer", name)
	}
	if err := json.Unmarshal(list, &elements); err != nil || elements == nil {
		return nil, 0, fmt.Errorf("%q is not a list", name)
	}
	raw, ok := top["total"]
	if !ok || isNull(raw) {
		return elements, -1, nil
	}
	if total, err = wireInt(raw); err != nil || total < 0 {
		return nil, 0, fmt.Errorf("the total is %s", quoted(string(raw)))
	}
	return elements, total, nil
}

// wireInt reads an integer. Descope: 64-bit integers are written as strings.
func wireInt(raw json.RawMessage) (int, error) {
	var n int
	if err := json.Unmarshal(raw, &n); err == nil {
		return n, nil
	}
	var quoted struct {
		N int `json:",string"`
	}
	err := json.Unmarshal([]byte(`{"N":`+string(raw)+`}`), &quoted)
	return quoted.N, err
}

// getTenant loads one tenant. Descope: the answer is the tenant itself, without
// the wrapper that the OpenAPI document shows.
func getTenant(ctx context.Context, c *Client, id string) (model.Resource, bool, error) {
	r := request{
		method: http.MethodGet, path: "/v1/mgmt/tenant", query: url.Values{"id": {id}},
		budget: BudgetOther, object: model.Key{Kind: model.Tenant, ID: id}.String(),
	}
	got, err := c.read(ctx, r)
	if IsNotFound(err) {
		return model.Resource{}, false, nil
	}
	if err != nil {
		return model.Resource{}, false, err
	}
	t, err := decodeTenant(got.body)
	if err != nil {
		return model.Resource{}, false, c.badReply(r, "%w", err)
	}
	if t.Key.ID != id {
		return model.Resource{}, false, c.badReply(r, "asked for %s, got tenant %s", quoted(id), quoted(t.Key.ID))
	}
	return t, true, nil
}
