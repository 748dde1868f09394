package conformance

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"pcconnect.ai/descope-mgmt/internal/api"
	"pcconnect.ai/descope-mgmt/internal/model"
)

// use: who has users, access keys or SSO is told, and who has not, too.
func use(s *subject) {
	k := s.create("used", nil)
	if facts := s.uses(k.ID); len(facts) > 0 {
		s.Fatalf("a new tenant is used by %v", facts)
	}
	s.observeNoSSO(k.ID)

	login := s.prefix + "user"
	defer s.leaveNoMembers(k.ID, login)
	member := []any{map[string]any{"tenantId": k.ID, "roleNames": []any{}}}
	status, answer := s.post("/v1/mgmt/user/create/test", login, map[string]any{"loginId": login, "test": true, "userTenants": member})
	if status != http.StatusOK {
		s.Fatalf("a test user cannot be made: %d %v", status, answer)
	}
	s.eventually("user", k.ID, "1 user")

	status, answer = s.post("/v1/mgmt/accesskey/create", k.ID, map[string]any{"name": s.prefix + "key", "expireTime": 0, "keyTenants": member})
	if status != http.StatusOK {
		s.Fatalf("an access key cannot be made: %d %v", status, answer)
	}
	s.eventually("access key", k.ID, "1 user", "1 access key")

	status, _ = s.post("/v1/mgmt/sso/oidc", k.ID, map[string]any{
		"tenantId": k.ID, "domains": []any{s.prefix + "sso.example.com"},
		"settings": map[string]any{
			"name": "contract", "clientId": "contract", "clientSecret": "not a secret", "authUrl": "https://idp.example.com/auth",
			"tokenUrl": "https://idp.example.com/token", "JWKsUrl": "https://idp.example.com/keys", "userAttrMapping": map[string]any{},
		},
	})
	if status != http.StatusOK {
		s.observe("SSO of a tenant", fmt.Sprintf("cannot be configured: HTTP %d", status))
		return
	}
	s.eventually("SSO", k.ID, "1 user", "1 access key", "SSO is configured", "1 SSO domain")
	raw, err := s.client.SSOSettings(s.Context(), k.ID)
	if err != nil {
		s.Fatal(err)
	}
	if strings.Contains(string(raw), "not a secret") { // masked, since it goes into backups
		s.Error("the secret of the identity provider is not masked")
	}
	authType, _ := s.raw(k)["authType"].(string)
	s.observe("authType of a tenant with OIDC", authType)
}

// leaveNoMembers deletes the user that the contract may have made, and those keys
// of a tenant of its own that have a name of its own.
func (s *subject) leaveNoMembers(tenant, login string) {
	s.Helper()
	if status, answer := s.post("/v1/mgmt/user/delete", login, map[string]any{"loginId": login}); status != http.StatusOK && status != http.StatusNotFound && answer["errorCode"] != "E112102" {
		s.Errorf("user %s may be left over: %d %v", login, status, answer)
	}
	status, answer := s.post("/v1/mgmt/accesskey/search", tenant, map[string]any{"tenantIds": []any{tenant}})
	keys, ok := answer["keys"].([]any)
	if status != http.StatusOK || !ok {
		s.Errorf("access keys of %s may be left over: %d %v", tenant, status, answer)
	}
	for _, v := range keys {
		key, _ := v.(map[string]any)
		name, _ := key["name"].(string)
		s.owned(name)
		if status, answer := s.post("/v1/mgmt/accesskey/delete", name, map[string]any{"id": key["id"]}); status != http.StatusOK {
			s.Errorf("access key %s is left over: %d %v", name, status, answer)
		}
	}
}

func (s *subject) uses(id string) []string {
	s.Helper()
	facts, err := s.client.InUse(s.Context(), id)
	if err != nil {
		s.Fatal(err)
	}
	return facts
}

// eventually waits until a tenant is used by just that: a search may know a
// little later than a load what was made.
func (s *subject) eventually(what, id string, want ...string) {
	s.Helper()
	begun := time.Now()
	facts := s.uses(id)
	for !slices.Equal(facts, want) {
		if time.Since(begun) > 20*time.Second {
			s.Fatalf("%s is used by %v, want %v", id, facts, want)
		}
		time.Sleep(time.Second)
		facts = s.uses(id)
	}
	s.observe("a new "+what+" is found", map[bool]string{true: "at once", false: "later"}[time.Since(begun) < time.Second])
}

// observeNoSSO says how a tenant without SSO reads.
func (s *subject) observeNoSSO(id string) {
	s.Helper()
	raw, err := s.client.SSOSettings(s.Context(), id)
	if err != nil {
		s.Fatal(err)
	}
	list, _ := value(s, raw).(map[string]any)["SSOSettings"].([]any)
	answer := "none"
	if len(list) > 0 {
		if answer = "null"; list[0].(map[string]any)["saml"] != nil {
			answer = "object"
		}
	}
	s.observe("SSO of a tenant without", answer)
}

// unmanaged: what the configuration cannot say is restored, and nothing else with
// it.
func unmanaged(s *subject) {
	k := s.create("unmanaged", map[string]any{"selfProvisioningDomains": []any{s.prefix + "u.example.com"}})
	before := s.raw(k)
	want := api.WithUnmanaged(s.get(k)).Attrs["unmanaged"].(map[string]any)
	want["enforceSSO"] = true
	if n := s.reach(k, map[string]any{"unmanaged": want}); n != 1 {
		s.Errorf("%d calls", n)
	}
	during := s.raw(k)
	if during["enforceSSO"] != true {
		s.Error("enforceSSO is not restored")
	}
	delete(want, "enforceSSO")
	s.reach(k, map[string]any{"unmanaged": want})
	if after := s.raw(k); after["enforceSSO"] == true {
		s.Error("enforceSSO cannot be taken back")
	}
	for field, v := range before {
		if field != "enforceSSO" && !model.Equal(during[field], v) {
			s.Errorf("field %s was %v and is %v", field, v, during[field])
		}
	}
	if n := s.reach(k, map[string]any{"unmanaged": want}); n != 0 {
		s.Errorf("%d calls where nothing differs", n)
	}
}
