package emulator

import (
	"cmp"
	"slices"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// userFields are what a read shows of a user beyond loginIds, userId and
// userTenants. Descope: the capitals are those of the wire.
func userFields() []field {
	return []field{
		{name: "name"},
		{name: "email"},
		{name: "phone"},
		{name: "verifiedEmail", kind: flag},
		{name: "verifiedPhone", kind: flag},
		{name: "roleNames", kind: texts},
		{name: "status", zero: "enabled"},
		{name: "externalIds", kind: texts},
		{name: "picture"},
		{name: "test", kind: flag},
		{name: "customAttributes", kind: attributes},
		{name: "createdTime", kind: count},
		{name: "TOTP", kind: flag},
		{name: "SAML", kind: flag},
		{name: "OIDC", kind: flag},
		{name: "SCIM", kind: flag},
		{name: "webauthn", kind: flag},
		{name: "password", kind: flag},
		{name: "OAuth", kind: attributes},
		{name: "ssoAppIds", kind: texts},
		{name: "givenName"},
		{name: "middleName"},
		{name: "familyName"},
		{name: "loginIds", kind: texts},
	}
}

// givenUserFields are those of them that a creation takes.
func givenUserFields() []field {
	given := strings.Fields("name email phone verifiedEmail verifiedPhone roleNames picture customAttributes ssoAppIds givenName middleName familyName")
	return slices.DeleteFunc(userFields(), func(f field) bool { return !slices.Contains(given, f.name) })
}

// createUser answers POST /v1/mgmt/user/create and its variant for test users,
// of which the SDK says so in the body as well.
func (c *call) createUser() (map[string]any, *apiError) {
	if e := c.require("loginId"); e != nil {
		return nil, e
	}
	user := map[string]any{}
	more := []field{{name: "loginId"}, {name: "additionalLoginIds", kind: texts}, {name: "displayName"}, {name: "test", kind: flag}}
	request := map[string]any{}
	if e := overlay(request, more, c.body, false); e != nil {
		return nil, e
	}
	if e := overlay(user, givenUserFields(), c.body, false); e != nil {
		return nil, e
	}
	tenants, e := c.memberships("userTenants")
	if e != nil {
		return nil, e
	}
	ids := append([]any{request["loginId"]}, request["additionalLoginIds"].([]any)...)
	for _, id := range ids {
		if c.userNamed(id.(string)) >= 0 {
			return nil, invalidCode(codeUserExists, "User %q already exists", id)
		}
	}
	if name := request["displayName"]; name != "" {
		user["name"] = name
	}
	user["userId"], user["loginIds"], user["userTenants"] = newID("U", c.now), ids, tenants
	user["test"], user["createdTime"] = request["test"], c.unixNow()
	c.project.users = append(slices.Clone(c.project.users), user)
	return map[string]any{"user": c.renderUser(user), "created": true}, nil
}

func (c *call) renderUser(user map[string]any) map[string]any {
	return c.renderMember(user, userFields(), "userTenants")
}

// userNamed finds a user by a login id or by its user id; -1: there is none.
func (c *call) userNamed(id string) int {
	return slices.IndexFunc(c.project.users, func(u map[string]any) bool {
		logins, _ := u["loginIds"].([]any)
		return u["userId"] == id || slices.Contains(logins, any(id))
	})
}

// theUser is the place of the user that a request is about. Descope: loginId
// takes a user id as well.
func (c *call) theUser(loginID, userID string) (int, *apiError) {
	id := cmp.Or(loginID, userID)
	if id == "" {
		return 0, c.missing("loginId")
	}
	if i := c.userNamed(id); i >= 0 {
		return i, nil
	}
	return 0, c.noMember(codeNoUser, "User %q not found", id)
}

func (c *call) bodyUser() (int, *apiError) {
	loginID, _ := c.body["loginId"].(string)
	userID, _ := c.body["userId"].(string)
	return c.theUser(loginID, userID)
}

// loadUser answers GET /v1/mgmt/user.
func (c *call) loadUser() (map[string]any, *apiError) {
	i, e := c.theUser(c.query.Get("loginId"), c.query.Get("userId"))
	if e != nil {
		return nil, e
	}
	return map[string]any{"user": c.renderUser(c.project.users[i]), "created": false}, nil
}

// deleteUser answers POST /v1/mgmt/user/delete.
func (c *call) deleteUser() (map[string]any, *apiError) {
	i, e := c.bodyUser()
	if e != nil {
		return nil, e
	}
	c.project.users = replaced(c.project.users, i, nil)
	return nil, nil
}

// addUserTenant answers POST /v1/mgmt/user/update/tenant/add, and
// removeUserTenant its counterpart.
func (c *call) addUserTenant() (map[string]any, *apiError) {
	return c.changeTenants(func(rest []any, id string) []any {
		return append(rest, map[string]any{"tenantId": id, "roleNames": []any{}})
	})
}

func (c *call) removeUserTenant() (map[string]any, *apiError) {
	return c.changeTenants(func(rest []any, _ string) []any { return rest })
}

func (c *call) changeTenants(change func(rest []any, id string) []any) (map[string]any, *apiError) {
	i, e := c.bodyUser()
	if e != nil {
		return nil, e
	}
	t, e := c.find("tenantId")
	if e != nil {
		return nil, e
	}
	tenants, _ := c.project.users[i]["userTenants"].([]any)
	rest := slices.DeleteFunc(slices.Clone(tenants), func(v any) bool { return tenantIDOf(v) == t.id })
	user := with(c.project.users[i], "userTenants", change(rest, t.id))
	c.project.users = replaced(c.project.users, i, user)
	return map[string]any{"user": c.renderUser(user), "created": false}, nil
}

func userFilters() []filter {
	return []filter{
		{"roleNames", "roleNames"},
		{"loginIds", "loginIds"},
		{"userIds", "userId"},
		{"emails", "email"},
		{"phones", "phone"},
		{"statuses", "status"},
		{"ssoAppIds", "ssoAppIds"},
	}
}

func userSearchFields() []field {
	fields := []field{
		{name: "tenantIds", kind: texts},
		{name: "includeSubTenants", kind: flag},
		{name: "withTestUser", kind: flag},
		{name: "testUsersOnly", kind: flag},
		{name: "customAttributes", kind: attributes},
		{name: "text"},
		{name: "limit", kind: count},
		{name: "page", kind: count},
	}
	for _, f := range userFilters() {
		fields = append(fields, field{name: f.name, kind: texts})
	}
	return fields
}

// defaultUserLimit is how many users a search shows if it does not say. Descope:
// as documented.
const defaultUserLimit = 100

// searchUsers answers POST /v2/mgmt/user/search. Descope: test users are left out
// unless they are asked for; total counts all that match.
func (c *call) searchUsers() (map[string]any, *apiError) {
	want := map[string]any{}
	if e := overlay(want, userSearchFields(), c.body, false); e != nil {
		return nil, e
	}
	tenants := want["tenantIds"].([]any)
	if want["includeSubTenants"] == true {
		children := c.project.children()
		for _, id := range slices.Clone(tenants) {
			for _, below := range descendants(children, id.(string)) {
				tenants = append(tenants, below)
			}
		}
	}
	found := []any{}
	for _, user := range inOrder(c, c.project.users, func(u map[string]any) string { id, _ := u["userId"].(string); return id }) {
		u := c.renderUser(user)
		if c.matchesUser(u, want) && inTenants(tenants, u, "userTenants") {
			found = append(found, u)
		}
	}
	limit := number(want["limit"])
	if limit <= 0 {
		limit = defaultUserLimit
	}
	return map[string]any{"users": page(found, limit, number(want["page"])), "total": len(found)}, nil
}

func (c *call) matchesUser(u, want map[string]any) bool {
	if u["test"] == true && want["withTestUser"] == false && want["testUsersOnly"] == false || u["test"] == false && want["testUsersOnly"] == true {
		return false
	}
	for _, f := range userFilters() {
		if !f.matches(want, u) {
			return false
		}
	}
	have, _ := u["customAttributes"].(map[string]any)
	for name, v := range want["customAttributes"].(map[string]any) {
		if stored, ok := have[name]; !ok || !model.Equal(stored, v) {
			return false
		}
	}
	text, _ := want["text"].(string)
	words := []any{u["name"], u["email"], u["phone"]}
	logins, _ := u["loginIds"].([]any)
	return text == "" || slices.ContainsFunc(append(words, logins...), func(v any) bool {
		s, _ := v.(string)
		return strings.Contains(strings.ToLower(s), strings.ToLower(text))
	})
}
