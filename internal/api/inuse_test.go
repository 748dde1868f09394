package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"pcconnect.ai/descope-mgmt/internal/api"
	"pcconnect.ai/descope-mgmt/internal/emulator"
)

const (
	allSSOPath     = "/v2/mgmt/sso/settings/all"
	firstSSOPath   = "/v2/mgmt/sso/settings"
	userSearchPath = "/v2/mgmt/user/search"
	keySearchPath  = "/v1/mgmt/accesskey/search"
)

// world makes tenants that are used in different ways.
func world(t *testing.T, o emulator.Options) (*emulator.Server, *api.Client) {
	t.Helper()
	server, c := start(t, o)
	for _, id := range []string{"empty", "used", "keyed", "sso", "prepared", "child"} {
		body := map[string]any{"id": id, "name": id}
		if id == "child" {
			body["parent"] = "empty"
		}
		post(t, server, "/v1/mgmt/tenant/create", body)
	}
	in := func(ids ...string) (list []map[string]any) {
		for _, id := range ids {
			list = append(list, map[string]any{"tenantId": id})
		}
		return list
	}
	post(t, server, "/v1/mgmt/user/create", map[string]any{"loginId": "a", "userTenants": in("used", "child")})
	post(t, server, "/v1/mgmt/user/create", map[string]any{"loginId": "b", "userTenants": in("used")})
	post(t, server, "/v1/mgmt/user/create/test", map[string]any{"loginId": "c", "test": true, "userTenants": in("used")})
	post(t, server, "/v1/mgmt/user/create", map[string]any{"loginId": "nobody's"})
	post(t, server, "/v1/mgmt/accesskey/create", map[string]any{"name": "k1", "keyTenants": in("keyed", "used")})
	post(t, server, "/v1/mgmt/accesskey/create", map[string]any{"name": "k2", "keyTenants": in("keyed")})
	post(t, server, "/v1/mgmt/accesskey/create", map[string]any{"name": "nobody's"})
	post(t, server, "/v1/mgmt/sso/oidc", map[string]any{"tenantId": "sso", "settings": map[string]any{"clientId": "c"}, "domains": []string{"a.com", "b.com"}})
	post(t, server, "/v1/mgmt/tenant/settings", map[string]any{"tenantId": "prepared", "domains": []string{"c.com"}})
	return server, c
}

func TestInUse(t *testing.T) {
	for _, quirk := range []string{"null", "object", "none"} {
		_, c := world(t, emulator.Options{Budgets: emulator.NoBudgets(), Quirks: emulator.Quirks{EmptySSO: quirk, ListOrder: "shuffled"}})
		for id, want := range map[string][]string{
			"empty": nil,
			"child": {"1 user"},
			"used":  {"3 users", "1 access key"},
			"keyed": {"2 access keys"},
			"sso":   {"SSO is configured", "2 SSO domains"},
		} {
			got, err := c.InUse(t.Context(), id)
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("%s, %s: %v %s", quirk, id, err, diff)
			}
		}
		got, err := c.InUse(t.Context(), "prepared")
		if quirk != "none" && (err != nil || !cmp.Equal(got, []string{"1 SSO domain"})) {
			t.Errorf("%s: %v %v", quirk, got, err)
		}
		if quirk == "none" && (err == nil || !strings.Contains(err.Error(), "is short")) {
			t.Errorf("a list without the configuration that shows domains passes: %v %v", got, err)
		}
		if got, err := c.InUse(t.Context(), "nobody"); !api.IsNotFound(err) || got != nil {
			t.Error(got, err)
		}
		if got, err := c.InUse(t.Context(), ""); err == nil || got != nil {
			t.Error(got, err)
		}
	}
}

// TestInUseUsesTheSharedBudget: three reads (four where a tenant shows no SSO at
// all), none of which counts as a write, with the conditions that the counts
// rely on.
func TestInUseUsesTheSharedBudget(t *testing.T) {
	server, _ := world(t, emulator.Options{Budgets: emulator.NoBudgets()})
	before := len(server.Requests())
	var budgets []string
	c, err := api.New(api.Config{
		BaseURL: "http://localhost:8080", ProjectID: project, Key: api.NewSecret(key), Transport: emulator.Transport(server),
		Slots: sentTo{&budgets},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.InUse(t.Context(), "used"); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range server.Requests()[before:] {
		got = append(got, strings.TrimSpace(fmt.Sprintf("%s %s %s%s", r.Method, r.Path, r.Query, r.Body)))
		if r.UnknownFields != nil {
			t.Error(r.Path, r.UnknownFields)
		}
	}
	want := []string{
		"GET /v2/mgmt/sso/settings/all tenantId=used",
		`POST /v2/mgmt/user/search {"limit":1,"page":0,"tenantIds":["used"],"withTestUser":true}`,
		`POST /v1/mgmt/accesskey/search {"tenantIds":["used"]}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(budgets) != 3 || strings.Count(strings.Join(budgets, " "), api.BudgetOther) != 3 {
		t.Error(budgets)
	}
}

// sentTo notes the budgets that requests are counted against.
type sentTo struct{ budgets *[]string }

func (s sentTo) Open(string, func(sent, done time.Time)) error { return nil }
func (s sentTo) Done(string, string, time.Time) error          { return nil }
func (s sentTo) Sent(budget, _ string, _ time.Time) error {
	*s.budgets = append(*s.budgets, budget)
	return nil
}

// TestNoFaultMakesATenantUnused: whatever goes wrong with any of the reads, the
// answer is an error or the truth, but for a list of keys that was cut.
func TestNoFaultMakesATenantUnused(t *testing.T) {
	truth := map[string][]string{
		"empty": nil, "used": {"3 users", "1 access key"}, "keyed": {"2 access keys"}, "sso": {"SSO is configured", "2 SSO domains"},
	}
	faults := append([]string{"400", "401", "403", "404", "409", "429", "500", "501"}, emulator.FaultNames()...)
	tried := 0
	for _, path := range []string{allSSOPath, userSearchPath, keySearchPath} {
		for _, name := range faults {
			fault := emulator.Fault{Name: name, Match: path}
			if name == "slow" {
				fault.Delay = time.Hour
			}
			for id, want := range truth {
				synctest.Test(t, func(t *testing.T) {
					server, c := world(t, emulator.Options{Budgets: emulator.NoBudgets(), Quirks: emulator.Quirks{EmptySSO: "none"}})
					if err := server.SetFaults(fault); err != nil {
						t.Fatal(err)
					}
					ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
					defer cancel()
					got, err := c.InUse(ctx, id)
					tried++
					cut := path == keySearchPath && (name == "short-list" || name == "empty-list")
					if err == nil && !cmp.Equal(got, want) && !cut {
						t.Errorf("%s on %s: %s is used by %v", name, path, id, got)
					}
					if err != nil && got != nil {
						t.Errorf("%s on %s: %v and %v", name, path, got, err)
					}
				})
			}
		}
	}
	t.Logf("%d faulty looks", tried)
	if tried < 150 {
		t.Errorf("just %d", tried)
	}
}

// canned answers one path with a text and passes the rest on.
type canned struct {
	http.Handler
	path, text string
	status     int
}

func (c canned) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != c.path {
		c.Handler.ServeHTTP(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(c.status)
	_, _ = w.Write([]byte(c.text))
}

func TestUseThatIsNotBelieved(t *testing.T) {
	member := func(list string) string { return strings.ReplaceAll(list, "@", `"userTenants":[{"tenantId":"empty"}]`) }
	owner := func(list string) string { return strings.ReplaceAll(list, "@", `"tenant":{"id":"empty"}`) }
	server, _ := world(t, emulator.Options{Budgets: emulator.NoBudgets()})
	for _, c := range []struct{ path, text, want string }{
		{userSearchPath, `{}`, `"users" is missing`},
		{userSearchPath, `{"users":null,"total":0}`, "not a list"},
		{userSearchPath, `{"users":[]}`, "does not say how many"},
		{userSearchPath, `{"users":[],"total":null}`, "does not say how many"},
		{userSearchPath, `{"users":[],"total":-1}`, `the total is "-1"`},
		{userSearchPath, `{"users":[],"total":"many"}`, "the total is"},
		{userSearchPath, `{"users":[],"total":2}`, "0 users, but the total is 2"},
		{userSearchPath, member(`{"users":[{"userId":"u",@}],"total":0}`), "1 users, but the total is 0"},
		{userSearchPath, `{"users":[1],"total":1}`, "users[0]: it is not a JSON object"},
		{userSearchPath, member(`{"users":[{@}],"total":1}`), "users[0] has no id of its own"},
		{userSearchPath, member(`{"users":[{"userId":"u",@},{"userId":"u",@}],"total":2}`), "users[1] has no id of its own"},
		{userSearchPath, `{"users":[{"userId":"u","userTenants":[{"tenantId":"else"}]}],"total":1}`, `"u", does not belong to tenant "empty"`},
		{userSearchPath, `{"users":[{"userId":"u"}],"total":1}`, "does not belong"},
		{userSearchPath, `{"users":[{"userId":"u","userTenants":[1]}],"total":1}`, "does not belong"},
		{keySearchPath, `{}`, `"keys" is missing`},
		{keySearchPath, `{"keys":{}}`, "not a list"},
		{keySearchPath, `{"keys":[],"total":1}`, "the list is short"},
		{keySearchPath, `{"keys":[{"id":"k"}]}`, "does not belong"},
		{keySearchPath, `{"keys":[{}]}`, "no id of its own"},
		{allSSOPath, `{}`, `"SSOSettings" is missing`},
		{allSSOPath, `{"SSOSettings":null}`, "not a list"},
		{allSSOPath, `{"SSOSettings":[1]}`, "SSOSettings[0]: it is not a JSON object"},
		{allSSOPath, `{"SSOSettings":[{}]}`, `asked for "empty", got the SSO configuration of "<nil>"`},
		{allSSOPath, `{"SSOSettings":[{"tenant":{"id":"used"}}]}`, `got the SSO configuration of "used"`},
		{allSSOPath, `{"SSOSettings":[{"tenant":1}]}`, "field tenant has an unexpected type"},
		{allSSOPath, `{"SSOSettings":[{"tenant":{"id":"empty","domains":"x"}}]}`, "field domains of tenant"},
		{allSSOPath, owner(`{"SSOSettings":[{@},{@}]}`), "is in the list twice"},
		{allSSOPath, owner(`{"SSOSettings":[{@,"ssoId":1}]}`), "field ssoId"},
		{allSSOPath, owner(`{"SSOSettings":[{@,"saml":[]}]}`), "field saml"},
		{allSSOPath, owner(`{"SSOSettings":[{@,"saml":{"idpSSOUrl":1}}]}`), "saml: field idpSSOUrl"},
		{allSSOPath, owner(`{"SSOSettings":[{@,"oidc":{"clientId":{}}}]}`), "oidc: field clientId"},
		{firstSSOPath, `[]`, "instead of a JSON object"},
		{firstSSOPath, `{}`, "got the SSO configuration of"},
		{firstSSOPath, `{"tenant":{"id":"empty","authType":"saml"}}`, "the list of SSO configurations is short"},
	} {
		var handler http.Handler = canned{server, c.path, c.text, http.StatusOK}
		if c.path == firstSSOPath {
			handler = canned{handler, allSSOPath, `{"SSOSettings":[]}`, http.StatusOK}
		}
		got, err := through(t, handler).InUse(t.Context(), "empty")
		if err == nil || got != nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "tenant/empty") {
			t.Errorf("%s %s: %v, %v; want %q", c.path, c.text, got, err, c.want)
		}
	}
}

// through is a client whose requests a handler answers.
func through(t *testing.T, h http.Handler) *api.Client {
	t.Helper()
	c, err := api.New(api.Config{BaseURL: "http://localhost:8080", ProjectID: project, Key: api.NewSecret(key), Transport: emulator.Transport(h)})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestWhatCountsAsSSO(t *testing.T) {
	server, _ := world(t, emulator.Options{Budgets: emulator.NoBudgets()})
	for text, want := range map[string][]string{
		`"saml":null,"oidc":null`: nil,
		`"saml":{"spEntityId":"urn:x","spACSUrl":"https://x","groupsMapping":[]},"oidc":{"scope":["openid"],"name":""}`: nil,
		`"saml":{"idpMetadataUrl":"https://x"}`: {"SSO is configured"},
		`"oidc":{"issuer":"x"}`:                 {"SSO is configured"},
		`"ssoId":"second"`:                      {"SSO is configured"},
		`"new":{"a":1}`:                         nil,
	} {
		answer := `{"SSOSettings":[{"tenant":{"id":"empty","authType":"none"},` + text + `}]}`
		got, err := through(t, canned{server, allSSOPath, answer, 200}).InUse(t.Context(), "empty")
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v %s", text, err, diff)
		}
	}
	for text, want := range map[string][]string{`"authType":"saml"`: {"SSO is configured"}, `"domains":["x"]`: {"1 SSO domain"}} {
		answer := `{"SSOSettings":[{"tenant":{"id":"empty",` + text + `}}]}`
		got, err := through(t, canned{server, allSSOPath, answer, 200}).InUse(t.Context(), "empty")
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v %s", text, err, diff)
		}
	}
	// A server that knows the tenant but no SSO settings.
	var handler http.Handler = canned{server, firstSSOPath, `{"errorCode":"E000404"}`, 404}
	got, err := through(t, canned{handler, allSSOPath, `{"SSOSettings":[]}`, 200}).InUse(t.Context(), "empty")
	if err != nil || got != nil {
		t.Error(got, err)
	}
	handler = canned{server, firstSSOPath, `{"errorCode":"E112202"}`, 404}
	if got, err := through(t, canned{handler, allSSOPath, `{"SSOSettings":[]}`, 200}).InUse(t.Context(), "empty"); !api.IsNotFound(err) {
		t.Error(got, err)
	}
}

// TestSettingsAreRaw: what a backup keeps is what Descope sent.
func TestSettingsAreRaw(t *testing.T) {
	server, c := world(t, emulator.Options{Budgets: emulator.NoBudgets()})
	raw, err := c.SSOSettings(t.Context(), "sso")
	var sso struct {
		SSOSettings []struct{ OIDC map[string]any }
	}
	if err != nil || json.Unmarshal(raw, &sso) != nil || len(sso.SSOSettings) != 1 || sso.SSOSettings[0].OIDC["clientId"] != "c" {
		t.Error(string(raw), err)
	}
	spelt := `{"SSOSettings" : [ {"tenant":{"id":"sso"}, "later": {"a": [1.50, null]}, "oidc": {"clientId": "c", "clientSecret": "hush", "privateKey": ""}} ]}`
	want := `{"SSOSettings":[{"later":{"a":[1.5,null]},"oidc":{"clientId":"c","clientSecret":"***","privateKey":""},"tenant":{"id":"sso"}}]}`
	if raw, err := through(t, canned{server, allSSOPath, spelt, 200}).SSOSettings(t.Context(), "sso"); err != nil || string(raw) != want {
		t.Error(string(raw), err)
	}
	raw, err = c.TenantSettings(t.Context(), "prepared")
	var settings struct{ Domains []string }
	if err != nil || json.Unmarshal(raw, &settings) != nil || !cmp.Equal(settings.Domains, []string{"c.com"}) {
		t.Error(string(raw), err)
	}
	if raw, err := c.TenantSettings(t.Context(), "nobody"); !api.IsNotFound(err) || raw != nil {
		t.Error(string(raw), err)
	}
	if raw, err := c.SSOSettings(t.Context(), "nobody"); !api.IsNotFound(err) || raw != nil {
		t.Error(string(raw), err)
	}
}
