package emulator

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	createPath   = "/v1/mgmt/tenant/create"
	updatePath   = "/v1/mgmt/tenant/update"
	deletePath   = "/v1/mgmt/tenant/delete"
	allPath      = "/v1/mgmt/tenant/all"
	searchPath   = "/v1/mgmt/tenant/search"
	settingsPath = "/v1/mgmt/tenant/settings"
	rolesPath    = "/v1/mgmt/tenant/updateDefaultRoles"
)

func fixedClock() time.Time { return time.Unix(1726067547, 0) }

func TestCreateAndLoad(t *testing.T) {
	h := start(t, Options{Now: fixedClock})
	h.create(`{"id":"pid","name":"Parent"}`)
	reply := h.ok("POST", createPath, `{"id":"acme","name":"Acme","parent":"pid","roleInheritance":"none","enforceSSO":true,
		"enforceSSOExclusions":["U1"],"disabled":true,"customAttributes":{"k1":"v1","n":40.0,"l":["a"],"gone":null},
		"selfProvisioningDomains":["Acme.com","acme.net"],"federatedAppIds":["app"],"later":{"x":1}}`)
	h.equal("reply", reply, map[string]any{"id": "acme"})
	h.equal("tenant", h.tenant("acme"), map[string]any{
		"id": "acme", "name": "Acme", "parent": "pid", "roleInheritance": "none", "enforceSSO": true,
		"enforceSSOExclusions": []any{"U1"}, "disabled": true,
		"customAttributes":        map[string]any{"k1": "v1", "n": 40.0, "l": []any{"a"}},
		"selfProvisioningDomains": []any{"Acme.com", "acme.net"}, "federatedAppIds": []any{"app"},
		"later": map[string]any{"x": 1.0}, "authType": "none", "createdTime": 1726067547.0,
		"domains": []any{}, "defaultRoles": []any{}, "successors": []any{},
	})
	// Every field of a bare tenant is spelt out.
	h.equal("bare tenant", h.tenant("pid"), map[string]any{
		"id": "pid", "name": "Parent", "parent": "", "roleInheritance": "", "enforceSSO": false,
		"enforceSSOExclusions": []any{}, "disabled": false, "customAttributes": map[string]any{},
		"selfProvisioningDomains": []any{}, "federatedAppIds": []any{}, "authType": "none", "createdTime": 1726067547.0,
		"domains": []any{}, "defaultRoles": []any{}, "successors": []any{"acme"},
	})
}

func TestGeneratedIDs(t *testing.T) {
	h := start(t, Options{})
	seen := map[string]bool{}
	for i, given := range []string{`"id":"",`, `"id":null,`, ``} {
		id, _ := h.ok("POST", createPath, fmt.Sprintf(`{%s"name":"n%d","customAttributes":null,"selfProvisioningDomains":null,"disabled":null}`, given, i))["id"].(string)
		if !regexp.MustCompile(`^T[0-9A-Za-z]{27}$`).MatchString(id) || seen[id] {
			t.Errorf("generated %q", id)
		}
		seen[id] = true
	}
}

func TestRefusals(t *testing.T) {
	h := start(t, Options{})
	h.create(`{"id":"a","name":"A"}`)
	for _, c := range []struct{ path, body, code, message string }{
		{createPath, `{}`, "E011003", "The name field is required"},
		{createPath, `{"id":"b"}`, "E011003", "The name field is required"},
		{createPath, `{"name":""}`, "E011003", "The name field is required"},
		{createPath, `null`, "E011003", "The name field is required"},
		{createPath, ``, "E011003", "The name field is required"},
		{createPath, `{"name":"A"}`, "E011004", "already exists"},
		{createPath, `{"id":"a","name":"B"}`, "E011004", "already exists"},
		{createPath, `{"id":"b","name":"B","parent":"nobody"}`, "E112202", "Parent tenant"},
		{createPath, `{"id":"b","name":"B","authType":"ldap"}`, "E011004", "authType"},
		{createPath, `{"id":"b","name":"B","roleInheritance":"all"}`, "E011004", "roleInheritance"},
		{createPath, `{"id":"b","name":"` + strings.Repeat("é", 255) + `"}`, "E011004", "longer"},
		{createPath, `{"id":"b","name":5}`, "E011001", "name"},
		{createPath, `{"id":5,"name":"B"}`, "E011001", "id"},
		{createPath, `{"id":"b","name":"B","disabled":"no"}`, "E011001", "disabled"},
		{createPath, `{"id":"b","name":"B","selfProvisioningDomains":"x"}`, "E011001", "selfProvisioningDomains"},
		{createPath, `{"id":"b","name":"B","selfProvisioningDomains":[1]}`, "E011001", "selfProvisioningDomains"},
		{createPath, `{"id":"b","name":"B","customAttributes":[]}`, "E011001", "customAttributes"},
		{createPath, `{"id":"b","name":"B","customAttributes":{"x":{}}}`, "E011001", "custom attribute"},
		{createPath, `[]`, "E011001", "object"},
		{createPath, `{"name":`, "E011001", "JSON"},
		{updatePath, `{}`, "E011003", "The id field is required"},
		{updatePath, `{"name":"x"}`, "E011003", "The id field is required"},
		{updatePath, `{"id":"nobody"}`, "E011003", "The name field is required"},
		{updatePath, `{"id":"a","name":"A","enforceSSO":1}`, "E011001", "enforceSSO"},
		{deletePath, `{}`, "E011003", "The id field is required"},
		{deletePath, `{"id":"a","cascade":"yes"}`, "E011001", "cascade"},
		{rolesPath, `{}`, "E011003", "The id field is required"},
		{rolesPath, `{"id":"a","defaultRoles":"x"}`, "E011001", "defaultRoles"},
		{settingsPath, `{}`, "E011003", "The tenantId field is required"},
		{searchPath, `{"tenantIds":"a"}`, "E011001", "tenantIds"},
	} {
		if got := h.refused(400, c.code, "POST", c.path, c.body); !strings.Contains(got, c.message) {
			t.Errorf("%s %s: message %q, want %q in it", c.path, c.body, got, c.message)
		}
	}
	for _, c := range []struct{ method, path, body string }{
		{"POST", updatePath, `{"id":"nobody","name":"x"}`},
		{"POST", deletePath, `{"id":"nobody"}`},
		{"POST", rolesPath, `{"id":"nobody","defaultRoles":[]}`},
		{"POST", settingsPath, `{"tenantId":"nobody"}`},
		{"GET", settingsPath + "?id=nobody", ""},
		{"GET", "/v1/mgmt/tenant?id=nobody", ""},
		{"GET", "/v2/mgmt/sso/settings?tenantId=nobody", ""},
	} {
		h.refused(404, "E112202", c.method, c.path, c.body)
	}
	h.refused(400, "E011003", "GET", "/v1/mgmt/tenant", "")
	h.equal("tenants", h.ids("GET", allPath, ""), []string{"a"})
}

func TestUpdateReplacesEverything(t *testing.T) {
	h := start(t, Options{Now: fixedClock})
	h.create(`{"id":"root","name":"Root"}`)
	h.create(`{"id":"a","name":"A","parent":"root","disabled":true,"enforceSSO":true,"enforceSSOExclusions":["u"],"federatedAppIds":["f"],
		"roleInheritance":"userOnly","authType":"saml","customAttributes":{"k":1},"selfProvisioningDomains":["a.com"],"later":true}`)
	h.ok("POST", rolesPath, `{"id":"a","defaultRoles":["Admin"]}`)
	h.ok("POST", settingsPath, `{"tenantId":"a","domains":["sso.a.com"],"selfProvisioningDomains":["a.com"],"authType":"saml"}`)

	empty := h.ok("POST", updatePath, `{"id":"a","name":"A2","parent":"elsewhere","createdTime":1,"domains":["x"],"defaultRoles":["x"],"successors":["x"]}`)
	h.equal("reply", empty, map[string]any{})
	h.equal("tenant", h.tenant("a"), map[string]any{
		"id": "a", "name": "A2", "parent": "root", "disabled": false, "enforceSSO": false, "enforceSSOExclusions": []any{},
		"federatedAppIds": []any{}, "roleInheritance": "", "authType": "none", "customAttributes": map[string]any{},
		"selfProvisioningDomains": []any{}, "createdTime": 1726067547.0, "successors": []any{},
		"domains": []any{"sso.a.com"}, "defaultRoles": []any{"Admin"},
	})
	log := h.server.Requests()
	h.equal("unknown fields", log[len(log)-2].UnknownFields, []string{"createdTime", "defaultRoles", "domains", "parent", "successors"})
}

func TestUpdateMayMerge(t *testing.T) {
	h := start(t, Options{Quirks: Quirks{TenantUpdate: "merge"}})
	h.create(`{"id":"a","name":"A","disabled":true,"customAttributes":{"k":1},"later":true}`)
	h.ok("POST", updatePath, `{"id":"a","name":"B","customAttributes":null}`)
	got := h.tenant("a")
	h.equal("disabled", got["disabled"], true)
	h.equal("later", got["later"], true)
	h.equal("customAttributes", got["customAttributes"], map[string]any{})
}

func TestHierarchy(t *testing.T) {
	build := func(q Quirks) harness {
		h := start(t, Options{Quirks: q})
		h.create(`{"id":"root","name":"Root"}`)
		h.create(`{"id":"child","name":"Child","parent":"root"}`)
		h.create(`{"id":"grand","name":"Grand","parent":"child"}`)
		return h
	}
	h := build(Quirks{})
	h.equal("direct", h.tenant("root")["successors"], []any{"child"})
	h.equal("leaf", h.tenant("grand")["successors"], []any{})
	h.refused(400, "E011004", "POST", deletePath, `{"id":"child"}`)
	for _, id := range []string{"grand", "child", "root"} {
		h.ok("POST", deletePath, fmt.Sprintf(`{"id":%q,"cascade":false}`, id))
	}
	h.equal("after", h.ids("GET", allPath, ""), []string{})

	h = build(Quirks{Successors: "all"})
	h.equal("all", h.tenant("root")["successors"], []any{"child", "grand"})

	h = build(Quirks{DeleteParent: "cascade"})
	h.ok("POST", deletePath, `{"id":"child"}`)
	h.equal("cascade", h.ids("GET", allPath, ""), []string{"root"})

	h = build(Quirks{DeleteParent: "orphan"})
	h.ok("POST", deletePath, `{"id":"child"}`)
	h.equal("orphan", h.tenant("grand")["parent"], "")
}

func TestSearch(t *testing.T) {
	h := start(t, Options{})
	h.create(`{"id":"a","name":"A","selfProvisioningDomains":["a.com","x.com"],"customAttributes":{"plan":"pro","n":1}}`)
	h.create(`{"id":"b","name":"B","selfProvisioningDomains":["b.com"],"customAttributes":{"plan":"pro"},"parent":"a"}`)
	h.create(`{"id":"c","name":"C","authType":"oidc"}`)
	h.ok("POST", settingsPath, `{"tenantId":"c","authType":"oidc","domains":["c.io"]}`)
	for body, want := range map[string][]string{
		`{}`:   {"a", "b", "c"},
		`null`: {"a", "b", "c"},
		`{"tenantIds":null,"tenantNames":[],"authType":""}`: {"a", "b", "c"},
		`{"tenantIds":["c","a","nobody"]}`:                  {"a", "c"},
		`{"tenantNames":["B"]}`:                             {"b"},
		`{"tenantNames":["b"]}`:                             {},
		`{"tenantSelfProvisioningDomains":["x.com"]}`:       {"a"},
		`{"tenantSSODomains":["c.io"]}`:                     {"c"},
		`{"authType":"oidc"}`:                               {"c"},
		`{"parentTenantId":"a"}`:                            {"b"},
		`{"topLevelOnly":true}`:                             {"a", "c"},
		`{"customAttributes":{"plan":"pro"}}`:               {"a", "b"},
		`{"customAttributes":{"plan":"pro","n":1.0}}`:       {"a"},
		`{"tenantIds":["a"],"tenantNames":["B"]}`:           {},
	} {
		h.equal(body, h.ids("POST", searchPath, body), want)
	}
}

func TestSettings(t *testing.T) {
	h := start(t, Options{})
	h.create(`{"id":"a","name":"A","selfProvisioningDomains":["a.com"],"enforceSSO":true}`)
	h.create(`{"id":"b","name":"B"}`)
	h.equal("defaults", h.ok("GET", settingsPath+"?id=a", ""), map[string]any{
		"domains": []any{}, "selfProvisioningDomains": []any{"a.com"}, "authType": "none", "enabled": false,
		"refreshTokenExpiration": 0.0, "refreshTokenExpirationUnit": "", "sessionTokenExpiration": 0.0, "sessionTokenExpirationUnit": "",
		"stepupTokenExpiration": 0.0, "stepupTokenExpirationUnit": "", "enableInactivity": false, "inactivityTime": 0.0,
		"inactivityTimeUnit": "", "JITDisabled": false, "ssoSetupSuiteSettings": nil,
	})
	full := `{"tenantId":"a","domains":["sso.com"],"selfProvisioningDomains":["a.com"],"authType":"oidc","enabled":true,
		"sessionTokenExpiration":10,"sessionTokenExpirationUnit":"minutes","refreshTokenExpiration":4,"refreshTokenExpirationUnit":"weeks",
		"JITDisabled":true,"ssoSetupSuiteSettings":{"enabled":true},"federatedAppIds":["f"]}`
	h.equal("reply", h.ok("POST", settingsPath, full), map[string]any{})
	got := h.ok("GET", settingsPath+"?id=a", "")
	h.equal("JITDisabled", got["JITDisabled"], true)
	h.equal("suite", got["ssoSetupSuiteSettings"], map[string]any{"enabled": true})
	h.equal("domains of the tenant", h.tenant("a")["domains"], []any{"sso.com"})
	h.equal("enforceSSO is left alone", h.tenant("a")["enforceSSO"], true)
	h.equal("federatedAppIds are taken", h.tenant("a")["federatedAppIds"], []any{"f"})

	h.refused(400, "E011004", "POST", settingsPath, `{"tenantId":"b","domains":["sso.com"]}`)
	h.refused(400, "E011004", "POST", settingsPath, `{"tenantId":"b","enabled":true,"sessionTokenExpiration":2,"sessionTokenExpirationUnit":"minutes"}`)
	h.refused(400, "E011004", "POST", settingsPath, `{"tenantId":"b","enabled":true,"sessionTokenExpiration":2,"sessionTokenExpirationUnit":"hours","refreshTokenExpiration":1,"refreshTokenExpirationUnit":"hours"}`)
	h.refused(400, "E011004", "POST", settingsPath, `{"tenantId":"b","inactivityTimeUnit":"years"}`)
	h.refused(400, "E011004", "POST", settingsPath, `{"tenantId":"b","inactivityTime":-1}`)
	h.refused(400, "E011001", "POST", settingsPath, `{"tenantId":"b","inactivityTime":1.5}`)
	h.refused(400, "E011001", "POST", settingsPath, `{"tenantId":"b","ssoSetupSuiteSettings":[]}`)
	h.refused(400, "E011004", "POST", settingsPath, `{"tenantId":"b","authType":"x"}`)

	// What is left out is lost.
	h.ok("POST", settingsPath, `{"tenantId":"a","enabled":true}`)
	got = h.tenant("a")
	h.equal("domains", []any{got["domains"], got["selfProvisioningDomains"], got["authType"]}, []any{[]any{}, []any{}, "none"})

	merge := start(t, Options{Quirks: Quirks{SettingsUpdate: "merge", DuplicateSSODomains: "allow"}})
	merge.create(`{"id":"a","name":"A","selfProvisioningDomains":["a.com"]}`)
	merge.ok("POST", settingsPath, `{"tenantId":"a","enabled":true}`)
	merge.ok("POST", settingsPath, `{"tenantId":"a","JITDisabled":true}`)
	h.equal("kept", merge.tenant("a")["selfProvisioningDomains"], []any{"a.com"})
	h.equal("kept", merge.ok("GET", settingsPath+"?id=a", "")["enabled"], true)
}

func TestDefaultRoles(t *testing.T) {
	h := start(t, Options{})
	h.create(`{"id":"a","name":"A"}`)
	h.ok("POST", rolesPath, `{"id":"a","defaultRoles":["Any Role"]}`)
	h.equal("roles", h.tenant("a")["defaultRoles"], []any{"Any Role"})
	h.ok("POST", rolesPath, `{"id":"a","defaultRoles":[]}`)
	h.equal("cleared", h.tenant("a")["defaultRoles"], []any{})

	seed := `{"projects":{"` + testProject + `":{"roles":["Admin"],"tenants":[{"id":"a","name":"A"}]}}}`
	for quirk, status := range map[string]int{"refuse": 400, "accept": 200} {
		h := start(t, Options{Quirks: Quirks{UnknownRoles: quirk}})
		if err := h.server.Seed([]byte(seed)); err != nil {
			t.Fatal(err)
		}
		h.ok("POST", rolesPath, `{"id":"a","defaultRoles":["Admin"]}`)
		if got, _ := h.ask("POST", rolesPath, `{"id":"a","defaultRoles":["Owner"]}`); got != status {
			t.Errorf("%s: %d, want %d", quirk, got, status)
		}
	}
}

func TestMembers(t *testing.T) {
	seed := `{"projects":{"` + testProject + `":{"tenants":[{"id":"a","name":"A"},{"id":"b","name":"B"}],
		"users":[{"userId":"u1","userTenants":[{"tenantId":"a"}]},{"userId":"u2","userTenants":[{"tenantId":"a"},{"tenantId":"b"}]}],
		"access_keys":[{"id":"k1","keyTenants":[{"tenantId":"a"}]}],
		"sso":{"a":[{"ssoId":"one","saml":{"idpEntityId":"x"}},{"ssoId":"two"}]}}}}`
	fresh := func(q Quirks) harness {
		h := start(t, Options{Quirks: q})
		if err := h.server.Seed([]byte(seed)); err != nil {
			t.Fatal(err)
		}
		return h
	}
	count := func(h harness, path, body string) []any {
		users := h.ok("POST", path, body)
		return []any{users["total"], len(append(anyList(users["users"]), anyList(users["keys"])...))}
	}
	h := fresh(Quirks{})
	h.equal("a", count(h, "/v2/mgmt/user/search", `{"tenantIds":["a"]}`), []any{2.0, 2})
	h.equal("page", count(h, "/v1/mgmt/user/search", `{"tenantIds":["a"],"limit":1,"page":1}`), []any{2.0, 1})
	h.equal("far page", count(h, "/v1/mgmt/user/search", `{"limit":1,"page":9}`), []any{2.0, 0})
	h.equal("key", count(h, "/v1/mgmt/accesskey/search", `{"tenantIds":["b"]}`), []any{nil, 0})
	h.refused(400, "E011001", "POST", "/v1/mgmt/user/search", `{"limit":"1"}`)

	h.equal("sso", h.ok("GET", "/v2/mgmt/sso/settings?tenantId=a", "")["saml"], map[string]any{"idpEntityId": "x"})
	h.equal("sso two", h.ok("GET", "/v2/mgmt/sso/settings?tenantId=a&ssoId=two", "")["saml"], nil)
	h.refused(404, "E000404", "GET", "/v2/mgmt/sso/settings?tenantId=a&ssoId=three", "")
	h.equal("sso all", len(anyList(h.ok("GET", "/v2/mgmt/sso/settings/all?tenantId=a", "")["SSOSettings"])), 2)
	h.equal("sso none", h.ok("GET", "/v2/mgmt/sso/settings?tenantId=b", "")["oidc"], nil)

	h.ok("POST", deletePath, `{"id":"a","cascade":false}`)
	h.equal("detached", count(h, "/v2/mgmt/user/search", `{}`), []any{2.0, 2})
	h.equal("detached", count(h, "/v2/mgmt/user/search", `{"tenantIds":["a"]}`), []any{0.0, 0})

	h = fresh(Quirks{})
	h.ok("POST", deletePath, `{"id":"a","cascade":true}`)
	h.equal("cascade", count(h, "/v2/mgmt/user/search", `{}`), []any{1.0, 1})
	h.equal("cascade", count(h, "/v1/mgmt/accesskey/search", `{}`), []any{nil, 0})

	h = fresh(Quirks{DeleteWithUsers: "refuse"})
	h.refused(400, "E011004", "POST", deletePath, `{"id":"a"}`)
	h.ok("POST", deletePath, `{"id":"a","cascade":true}`)
}

func anyList(v any) []any { l, _ := v.([]any); return l }

func TestListOrder(t *testing.T) {
	build := func(order string) harness {
		h := start(t, Options{Quirks: Quirks{ListOrder: order}})
		for _, id := range []string{"c", "a", "e", "b", "d", "f"} {
			h.create(fmt.Sprintf(`{"id":%q,"name":%q}`, id, id))
		}
		return h
	}
	h := build("insertion")
	h.equal("insertion", h.ids("GET", allPath, ""), []string{"c", "a", "e", "b", "d", "f"})
	h = build("sorted")
	h.equal("sorted", h.ids("GET", allPath, ""), []string{"a", "b", "c", "d", "e", "f"})
	h = build("shuffled")
	orders := map[string]bool{}
	for range 10 {
		got := h.ids("GET", allPath, "")
		orders[strings.Join(got, "")] = true
		slices.Sort(got)
		h.equal("content", got, []string{"a", "b", "c", "d", "e", "f"})
	}
	if len(orders) < 5 {
		t.Errorf("10 requests gave %d orders", len(orders))
	}
}
