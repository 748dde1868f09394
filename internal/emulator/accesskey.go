package emulator

import (
	"crypto/rand"
	"slices"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// keyFields are what a read shows of an access key beyond id and keyTenants.
func keyFields() []field {
	return []field{
		{name: "name"},
		{name: "roleNames", kind: texts},
		{name: "status", zero: "active"},
		{name: "createdTime", kind: count},
		{name: "expireTime", kind: count},
		{name: "createdBy"},
		{name: "clientId"},
		{name: "boundUserId"},
		{name: "customClaims", kind: opaque},
		{name: "editable", kind: flag, zero: true},
		{name: "description"},
		{name: "permittedIps", kind: texts},
		{name: "customAttributes", kind: attributes},
	}
}

func givenKeyFields() []field {
	given := []string{"name", "roleNames", "expireTime", "customClaims", "description", "permittedIps", "customAttributes"}
	return slices.DeleteFunc(keyFields(), func(f field) bool { return !slices.Contains(given, f.name) })
}

func (c *call) renderKey(key map[string]any) map[string]any {
	return c.renderMember(key, keyFields(), "keyTenants")
}

// createAccessKey answers POST /v1/mgmt/accesskey/create. Descope: this reply
// alone holds the key in clear; the emulator does not keep it.
func (c *call) createAccessKey() (map[string]any, *apiError) {
	if e := c.require("name"); e != nil {
		return nil, e
	}
	key := map[string]any{}
	if e := overlay(key, givenKeyFields(), c.body, false); e != nil {
		return nil, e
	}
	bound, e := field{name: "userId"}.read(c.body["userId"])
	if e != nil {
		return nil, e
	}
	tenants, e := c.memberships("keyTenants")
	if e != nil {
		return nil, e
	}
	key["id"], key["keyTenants"], key["boundUserId"] = newID("K", c.now), tenants, bound
	key["createdTime"], key["createdBy"], key["clientId"] = c.unixNow(), "management key", newID("C", c.now)
	c.project.accessKeys = append(slices.Clone(c.project.accessKeys), key)
	return map[string]any{"cleartext": key["id"].(string) + rand.Text() + rand.Text()[:17], "key": c.renderKey(key)}, nil
}

// theKey is the place of the access key with an id.
func (c *call) theKey(id string) (int, *apiError) {
	if id == "" {
		return 0, c.missing("id")
	}
	if i := slices.IndexFunc(c.project.accessKeys, func(k map[string]any) bool { return k["id"] == id }); i >= 0 {
		return i, nil
	}
	return 0, c.noMember(ownCode(c.quirks.NotFoundStatus), "Access key %q not found", id)
}

func (c *call) bodyKey() (int, *apiError) {
	id, _ := c.body["id"].(string)
	return c.theKey(id)
}

// loadAccessKey answers GET /v1/mgmt/accesskey.
func (c *call) loadAccessKey() (map[string]any, *apiError) {
	i, e := c.theKey(c.query.Get("id"))
	if e != nil {
		return nil, e
	}
	return map[string]any{"key": c.renderKey(c.project.accessKeys[i])}, nil
}

// deleteAccessKey answers POST /v1/mgmt/accesskey/delete.
func (c *call) deleteAccessKey() (map[string]any, *apiError) {
	i, e := c.bodyKey()
	if e != nil {
		return nil, e
	}
	c.project.accessKeys = replaced(c.project.accessKeys, i, nil)
	return nil, nil
}

// activateAccessKey and deactivateAccessKey answer POST /v1/mgmt/accesskey/…
func (c *call) activateAccessKey() (map[string]any, *apiError) { return c.setKeyStatus("active") }

func (c *call) deactivateAccessKey() (map[string]any, *apiError) { return c.setKeyStatus("inactive") }

func (c *call) setKeyStatus(status string) (map[string]any, *apiError) {
	i, e := c.bodyKey()
	if e != nil {
		return nil, e
	}
	keys := c.project.accessKeys
	c.project.accessKeys = replaced(keys, i, with(keys[i], "status", status))
	return nil, nil
}

func keySearchFields() []field {
	return []field{
		{name: "tenantIds", kind: texts},
		{name: "boundUserId"},
		{name: "creatingUser"},
		{name: "customAttributes", kind: attributes},
	}
}

// searchAccessKeys answers POST /v1/mgmt/accesskey/search. Descope: there is no
// paging and no total.
func (c *call) searchAccessKeys() (map[string]any, *apiError) {
	want := map[string]any{}
	if e := overlay(want, keySearchFields(), c.body, false); e != nil {
		return nil, e
	}
	found := []any{}
	for _, key := range inOrder(c, c.project.accessKeys, func(k map[string]any) string { id, _ := k["id"].(string); return id }) {
		k := c.renderKey(key)
		matches := inTenants(want["tenantIds"].([]any), k, "keyTenants") &&
			(want["boundUserId"] == "" || want["boundUserId"] == k["boundUserId"]) &&
			(want["creatingUser"] == "" || want["creatingUser"] == k["createdBy"])
		have, _ := k["customAttributes"].(map[string]any)
		for name, v := range want["customAttributes"].(map[string]any) {
			stored, ok := have[name]
			matches = matches && ok && model.Equal(stored, v)
		}
		if matches {
			found = append(found, k)
		}
	}
	return map[string]any{"keys": found}, nil
}
