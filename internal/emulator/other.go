package emulator

import (
	"maps"
	"net/http"
	"slices"
	"strconv"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// licence answers GET /v1/mgmt/license, which SDKs send before anything else.
func (c *call) licence() (map[string]any, *apiError) {
	return map[string]any{"rateLimitTier": c.tier}, nil
}

// planOnly refuses what the free plan does not have; what it does have is not
// there yet.
func (c *call) planOnly() (map[string]any, *apiError) {
	if c.tier == "tier1" {
		return nil, &apiError{status: http.StatusForbidden, code: codeLicence, message: "This feature requires a pro license or above"}
	}
	return nil, &apiError{status: http.StatusNotFound, code: ownCode(http.StatusNotFound), message: "The emulator has no snapshots and clones yet"}
}

// exportTheme answers POST /v2/mgmt/theme/export, importTheme its counterpart.
func (c *call) exportTheme() (map[string]any, *apiError) {
	theme := map[string]any{"styles": map[string]any{}, "componentsVersion": "", "references": map[string]any{}}
	maps.Copy(theme, c.project.theme)
	return map[string]any{"theme": theme}, nil
}

func (c *call) importTheme() (map[string]any, *apiError) {
	theme, ok := c.body["theme"].(map[string]any)
	if !ok {
		return nil, c.missing("theme")
	}
	c.project.theme = model.CloneMap(theme)
	return nil, nil
}

// exportThemeV1 answers POST /v1/mgmt/theme/export; importThemeV1 replies with
// what it stored.
func (c *call) exportThemeV1() (map[string]any, *apiError) {
	theme := map[string]any{"id": "", "cssTemplate": map[string]any{}}
	maps.Copy(theme, c.project.themeV1)
	return map[string]any{"theme": theme}, nil
}

func (c *call) importThemeV1() (map[string]any, *apiError) {
	theme, ok := c.body["theme"].(map[string]any)
	if !ok {
		return nil, c.missing("theme")
	}
	c.project.themeV1 = model.CloneMap(theme)
	return c.exportThemeV1()
}

// loadSSO answers GET /v2/mgmt/sso/settings: the first configuration, or the
// one that ssoId names.
func (c *call) loadSSO() (map[string]any, *apiError) {
	all, e := c.allSSO()
	if e != nil {
		return nil, e
	}
	list := all["SSOSettings"].([]any)
	if wanted := c.query.Get("ssoId"); wanted != "" {
		list = slices.DeleteFunc(list, func(v any) bool { return v.(map[string]any)["ssoId"] != wanted })
		if len(list) == 0 {
			return nil, &apiError{status: http.StatusNotFound, code: ownCode(http.StatusNotFound), message: "SSO settings not found"}
		}
	}
	return list[0].(map[string]any), nil
}

// allSSO answers GET /v2/mgmt/sso/settings/all. A tenant without SSO has one
// empty configuration.
func (c *call) allSSO() (map[string]any, *apiError) {
	t, e := c.findQuery("tenantId")
	if e != nil {
		return nil, e
	}
	stored := c.project.sso[t.id]
	if len(stored) == 0 {
		stored = []map[string]any{{}}
	}
	list := make([]any, 0, len(stored))
	for _, s := range stored {
		own := map[string]any{"ssoId": "", "saml": nil, "oidc": nil}
		maps.Copy(own, s)
		own["tenant"] = c.render(t, c.project.children())
		list = append(list, own)
	}
	return map[string]any{"SSOSettings": list}, nil
}

// memberSearch answers a search of users or access keys by tenantIds, page by
// page.
func (c *call) memberSearch(list []map[string]any, reply, tenants string) (map[string]any, *apiError) {
	want := map[string]any{}
	e := overlay(want, []field{{name: "tenantIds", kind: texts}, {name: "limit", kind: count}, {name: "page", kind: count}}, c.body, false)
	if e != nil {
		return nil, e
	}
	ids := want["tenantIds"].([]any)
	found := []any{}
	for _, m := range list {
		if len(ids) == 0 || slices.ContainsFunc(ids, func(id any) bool { return belongs(m, tenants, id.(string)) }) {
			found = append(found, m)
		}
	}
	total := len(found)
	limit, page := c.number(want["limit"]), c.number(want["page"])
	if limit > 0 {
		from := min(total, max(0, page)*limit)
		found = found[from:min(total, from+limit)]
	}
	return map[string]any{reply: found, "total": total}, nil
}

func (c *call) number(v any) int {
	n, _ := v.(interface{ String() string })
	i, _ := strconv.Atoi(n.String())
	return i
}

func (c *call) searchUsers() (map[string]any, *apiError) {
	return c.memberSearch(c.project.users, "users", "userTenants")
}

func (c *call) searchAccessKeys() (map[string]any, *apiError) {
	return c.memberSearch(c.project.accessKeys, "keys", "keyTenants")
}

// listProjects answers POST /v1/mgmt/projects/list with those that the key may
// use and the emulator has seen.
func (c *call) listProjects() (map[string]any, *apiError) {
	list := []any{}
	for _, p := range c.known {
		if len(c.key.Projects) > 0 && !slices.Contains(c.key.Projects, p.id) {
			continue
		}
		p.mu.Lock()
		name, tags := p.name, p.tags
		p.mu.Unlock()
		if name == "" {
			name = p.id
		}
		if tags == nil {
			tags = []string{}
		}
		list = append(list, map[string]any{"id": p.id, "name": name, "tag": "", "environment": "", "tags": tags})
	}
	return map[string]any{"projects": list}, nil
}
