package emulator

import (
	"fmt"
	"strings"
	"testing"
)

const (
	userPath       = "/v1/mgmt/user/"
	userSearchPath = "/v2/mgmt/user/search"
	keyPath        = "/v1/mgmt/accesskey/"
)

// found are the ids in a list of users or keys, as one text.
func found(v map[string]any, list, id string) string {
	var ids []string
	for _, m := range anyList(v[list]) {
		ids = append(ids, m.(map[string]any)[id].(string))
	}
	return strings.Join(ids, " ")
}

func TestUsers(t *testing.T) {
	h := start(t, Options{})
	h.create(`{"id":"a","name":"A"}`)
	h.create(`{"id":"below","name":"Below","parent":"a"}`)
	reply := h.ok("POST", userPath+"create", `{"loginId":"ann@x","additionalLoginIds":["ann2"],"email":"ann@x","displayName":"Ann","verifiedEmail":true,
		"userTenants":[{"tenantId":"a","roleNames":["R"]}],"customAttributes":{"n":1}}`)
	user := reply["user"].(map[string]any)
	if id, _ := user["userId"].(string); reply["created"] != true || !strings.HasPrefix(id, "U") || len(id) != 28 {
		t.Error(reply)
	}
	h.equal("login ids", user["loginIds"], []any{"ann@x", "ann2"})
	h.equal("tenants", user["userTenants"], []any{map[string]any{"tenantId": "a", "tenantName": "A", "roleNames": []any{"R"}}})
	h.equal("rest", []any{user["name"], user["status"], user["test"], user["verifiedEmail"], user["OAuth"], user["phone"]}, []any{"Ann", "enabled", false, true, map[string]any{}, ""})
	h.ok("POST", userPath+"create/test", `{"loginId":"tess","test":true,"userTenants":[{"tenantId":"a"}]}`)
	h.ok("POST", userPath+"create", `{"loginId":"bob","roleNames":["Admin"],"userTenants":[{"tenantId":"below","roleNames":null}]}`)

	h.refused(400, "E062107", "POST", userPath+"create", `{"loginId":"new","additionalLoginIds":["ann2"]}`)
	h.refused(400, "E011003", "POST", userPath+"create", `{}`)
	h.refused(404, "E112202", "POST", userPath+"create", `{"loginId":"new","userTenants":[{"tenantId":"nowhere"}]}`)
	for _, bad := range []string{`{"loginId":1}`, `{"loginId":"n","additionalLoginIds":"x"}`, `{"loginId":"n","email":1}`, `{"loginId":"n","userTenants":{}}`, `{"loginId":"n","userTenants":[1]}`, `{"loginId":"n","userTenants":[{"tenantId":1}]}`} {
		h.refused(400, "E011001", "POST", userPath+"create", bad)
	}

	logins := func(body string) string {
		var all []string
		for _, u := range anyList(h.ok("POST", userSearchPath, body)["users"]) {
			all = append(all, anyList(u.(map[string]any)["loginIds"])[0].(string))
		}
		return strings.Join(all, " ")
	}
	for body, want := range map[string]string{
		`{}`:                  "ann@x bob",
		`{"tenantIds":["a"]}`: "ann@x",
		`{"tenantIds":["a"],"includeSubTenants":true}`:    "ann@x bob",
		`{"tenantIds":["a"],"withTestUser":true}`:         "ann@x tess",
		`{"testUsersOnly":true}`:                          "tess",
		`{"tenantIds":["nowhere"]}`:                       "",
		`{"loginIds":["ann2","tess"]}`:                    "ann@x",
		`{"emails":["ann@x"]}`:                            "ann@x",
		`{"roleNames":["Admin","X"]}`:                     "bob",
		`{"statuses":["disabled"]}`:                       "",
		`{"text":"ANN"}`:                                  "ann@x",
		`{"customAttributes":{"n":1}}`:                    "ann@x",
		`{"customAttributes":{"n":2}}`:                    "",
		`{"withTestUser":true,"limit":1,"page":2}`:        "bob",
		`{"userIds":["` + user["userId"].(string) + `"]}`: "ann@x",
	} {
		h.equal(body, logins(body), want)
	}
	h.equal("total", h.ok("POST", userSearchPath, `{"withTestUser":true,"limit":1}`)["total"], 3.0)

	h.equal("load", h.ok("GET", "/v1/mgmt/user?loginId="+user["userId"].(string), "")["user"], user)
	h.equal("load by id", h.ok("GET", "/v1/mgmt/user?userId="+user["userId"].(string), "")["user"], user)
	h.refused(404, "E112102", "GET", "/v1/mgmt/user?loginId=x", "")
	h.refused(400, "E011003", "GET", "/v1/mgmt/user", "")

	h.ok("POST", userPath+"update/tenant/add", `{"loginId":"bob","tenantId":"a"}`)
	h.equal("joined", logins(`{"tenantIds":["a"]}`), "ann@x bob")
	h.ok("POST", userPath+"update/tenant/remove", `{"loginId":"bob","tenantId":"a"}`)
	h.equal("left", logins(`{"tenantIds":["a"]}`), "ann@x")
	h.refused(404, "E112102", "POST", userPath+"update/tenant/add", `{"loginId":"x","tenantId":"a"}`)
	h.refused(404, "E112202", "POST", userPath+"update/tenant/add", `{"loginId":"bob","tenantId":"x"}`)
	h.refused(400, "E011001", "POST", userSearchPath, `{"tenantIds":"a"}`)

	h.ok("POST", userPath+"delete", `{"loginId":"ann2"}`)
	h.equal("deleted", logins(`{}`), "bob")
	h.refused(404, "E112102", "POST", userPath+"delete", `{"userId":"`+user["userId"].(string)+`"}`)
}

func TestUserSearchStopsAtItsDefault(t *testing.T) {
	h := start(t, Options{})
	for i := range defaultUserLimit + 1 {
		h.ok("POST", userPath+"create", fmt.Sprintf(`{"loginId":"u%d"}`, i))
	}
	got := h.ok("POST", userSearchPath, `{}`)
	h.equal("page and total", []any{len(anyList(got["users"])), got["total"]}, []any{defaultUserLimit, float64(defaultUserLimit + 1)})
}

func TestAccessKeys(t *testing.T) {
	h := start(t, Options{})
	h.create(`{"id":"a","name":"A"}`)
	created := h.ok("POST", keyPath+"create", `{"name":"CI","expireTime":0,"keyTenants":[{"tenantId":"a"}],"userId":"U1","customAttributes":{"k":"v"},"description":"d"}`)
	key := created["key"].(map[string]any)
	id, _ := key["id"].(string)
	if cleartext, _ := created["cleartext"].(string); len(id) != 28 || !strings.HasPrefix(cleartext, id) || len(cleartext) != 71 {
		t.Error(created)
	}
	h.equal("key", []any{key["name"], key["status"], key["boundUserId"], key["expireTime"], key["editable"], key["roleNames"]}, []any{"CI", "active", "U1", 0.0, true, []any{}})
	h.equal("tenants", key["keyTenants"], []any{map[string]any{"tenantId": "a", "tenantName": "A", "roleNames": []any{}}})
	h.equal("load", h.ok("GET", "/v1/mgmt/accesskey?id="+id, "")["key"], key)
	for body, want := range map[string]string{
		`{}`: id, `{"tenantIds":["a"]}`: id, `{"tenantIds":["b"]}`: "", `{"boundUserId":"U1"}`: id, `{"boundUserId":"U2"}`: "",
		`{"creatingUser":"me"}`: "", `{"customAttributes":{"k":"v"}}`: id, `{"customAttributes":{"k":"w"}}`: "",
	} {
		h.equal(body, found(h.ok("POST", keyPath+"search", body), "keys", "id"), want)
	}
	h.ok("POST", keyPath+"deactivate", `{"id":"`+id+`"}`)
	h.equal("status", h.ok("GET", "/v1/mgmt/accesskey?id="+id, "")["key"].(map[string]any)["status"], "inactive")
	h.ok("POST", keyPath+"activate", `{"id":"`+id+`"}`)
	h.equal("status", h.ok("GET", "/v1/mgmt/accesskey?id="+id, "")["key"], key)

	h.refused(400, "E011003", "POST", keyPath+"create", `{}`)
	h.refused(404, "E112202", "POST", keyPath+"create", `{"name":"x","keyTenants":[{"tenantId":"b"}]}`)
	h.refused(400, "E011001", "POST", keyPath+"create", `{"name":"x","userId":1}`)
	h.refused(400, "E011001", "POST", keyPath+"create", `{"name":"x","permittedIps":1}`)
	h.refused(400, "E011001", "POST", keyPath+"search", `{"tenantIds":1}`)
	h.refused(400, "E011003", "GET", "/v1/mgmt/accesskey", "")
	h.refused(404, "E000404", "POST", keyPath+"activate", `{"id":"x"}`)
	h.ok("POST", keyPath+"delete", `{"id":"`+id+`"}`)
	h.refused(404, "E000404", "POST", keyPath+"delete", `{"id":"`+id+`"}`)
	h.refused(404, "E000404", "GET", "/v1/mgmt/accesskey?id="+id, "")
}

// TestMembersArePersistent: users, keys and SSO outlive the server, and nobody
// can read a key in clear there.
func TestMembersArePersistent(t *testing.T) {
	storage := &disk{}
	h := start(t, Options{Storage: storage})
	h.create(`{"id":"a","name":"A"}`)
	h.ok("POST", userPath+"create", `{"loginId":"ann","userTenants":[{"tenantId":"a"}]}`)
	created := h.ok("POST", keyPath+"create", `{"name":"CI","keyTenants":[{"tenantId":"a"}]}`)
	h.ok("POST", "/v1/mgmt/sso/oidc", `{"tenantId":"a","settings":{"clientId":"c"},"domains":["sso.com"]}`)
	read := func(h harness) []any {
		return []any{
			h.ok("POST", userSearchPath, `{}`), h.ok("POST", keyPath+"search", `{}`),
			h.ok("GET", "/v2/mgmt/sso/settings/all?tenantId=a", ""), h.tenant("a"),
		}
	}
	again := start(t, Options{Storage: storage})
	h.equal("after a restart", read(again), read(h))
	if stored, _ := storage.Load(testProject); strings.Contains(string(stored), created["cleartext"].(string)) {
		t.Error("a key is stored in clear")
	}
}
