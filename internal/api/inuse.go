package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// InUse returns what a tenant is used by, in words such as "3 users", "1 access
// key", "SSO is configured" and "2 SSO domains"; none means that nothing is lost
// when it is deleted. Test users and users who may not sign in count. It takes
// three reads. A tenant that does not exist is an error ([IsNotFound]).
//
// Every read that fails, contradicts itself or is not understood is an error: a
// tenant about which Descope cannot be asked is never "not in use". What cannot
// be noticed is a list of access keys that was cut off, since Descope tells no
// total there.
func (c *Client) InUse(ctx context.Context, tenant string) ([]string, error) {
	if tenant == "" {
		return nil, errors.New("a tenant without an id cannot be looked for")
	}
	_, sso, err := c.ssoSettings(ctx, tenant) // fails for a tenant that does not exist
	if err != nil {
		return nil, err
	}
	users, err := c.countUsers(ctx, tenant)
	if err != nil {
		return nil, err
	}
	keys, err := c.countAccessKeys(ctx, tenant)
	if err != nil {
		return nil, err
	}
	var facts []string
	count := func(n int, what string) {
		switch {
		case n == 1:
			facts = append(facts, "1 "+what)
		case n > 1:
			facts = append(facts, fmt.Sprintf("%d %ss", n, what))
		}
	}
	count(users, "user")
	count(keys, "access key")
	if sso.configured {
		facts = append(facts, "SSO is configured")
	}
	count(sso.domains, "SSO domain")
	return facts, nil
}

// countUsers counts the users of a tenant. Descope: a search shows a page and
// the total; test users are left out unless asked for; no statuses mean all.
func (c *Client) countUsers(ctx context.Context, tenant string) (int, error) {
	r := searchRequest("/v2/mgmt/user/search", tenant, map[string]any{"limit": 1, "page": 0, "withTestUser": true})
	got, err := c.read(ctx, r)
	if err != nil {
		return 0, err
	}
	total, err := decodeUsers(got.body, tenant)
	if err != nil {
		return 0, c.badReply(r, "%w", err)
	}
	return total, nil
}

func decodeUsers(body []byte, tenant string) (total int, err error) {
	users, total, err := decodePage(body, "users")
	switch {
	case err != nil:
		return 0, err
	case total < 0:
		return 0, errors.New("the answer does not say how many users there are")
	case len(users) > total || len(users) == 0 && total > 0:
		return 0, fmt.Errorf("the list is short or not understood: %d users, but the total is %d", len(users), total)
	}
	return total, allMembers(users, "users", "userId", "userTenants", tenant)
}

// countAccessKeys counts the access keys of a tenant. Descope: the search has no
// pages and no total.
func (c *Client) countAccessKeys(ctx context.Context, tenant string) (int, error) {
	r := searchRequest("/v1/mgmt/accesskey/search", tenant, nil)
	got, err := c.read(ctx, r)
	if err != nil {
		return 0, err
	}
	keys, err := decodeList(got.body, "keys")
	if err == nil {
		err = allMembers(keys, "keys", "id", "keyTenants", tenant)
	}
	if err != nil {
		return 0, c.badReply(r, "%w", err)
	}
	return len(keys), nil
}

// searchRequest looks for what belongs to a tenant.
func searchRequest(path, tenant string, more map[string]any) request {
	body := map[string]any{"tenantIds": []any{tenant}}
	for name, v := range more {
		body[name] = v
	}
	return request{
		method: http.MethodPost, path: path, body: model.CanonicalJSON(body),
		budget: BudgetOther, object: model.Key{Kind: model.Tenant, ID: tenant}.String(),
	}
}

// allMembers checks that what a search found is what was looked for: objects of
// their own that belong to the tenant. A server that does not know the condition
// would show everything, or anything.
func allMembers(found []json.RawMessage, list, id, tenants, tenant string) error {
	seen := map[any]bool{}
	for i, raw := range found {
		fields, err := decodeObject(raw)
		if err != nil {
			return fmt.Errorf("%s[%d]: %w", list, i, err)
		}
		name, _ := fields[id].(string)
		if name == "" || seen[name] {
			return fmt.Errorf("%s[%d] has no id of its own (%s)", list, i, quoted(name))
		}
		seen[name] = true
		belongs := false
		memberships, _ := fields[tenants].([]any)
		for _, m := range memberships {
			belongs = belongs || asMap(m)["tenantId"] == tenant
		}
		if !belongs {
			return fmt.Errorf("%s[%d], %s, does not belong to tenant %s, which was asked for", list, i, quoted(name), quoted(tenant))
		}
	}
	return nil
}
