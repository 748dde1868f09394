package emulator

import "testing"

const (
	ssoPath    = "/v2/mgmt/sso/settings?tenantId="
	ssoAllPath = "/v2/mgmt/sso/settings/all?tenantId="
)

func TestSSO(t *testing.T) {
	h := start(t, Options{})
	h.create(`{"id":"a","name":"A"}`)
	h.create(`{"id":"b","name":"B"}`)
	h.ok("POST", "/v1/mgmt/sso/oidc", `{"tenantId":"a","settings":{"name":"N","clientId":"c","clientSecret":"s","authUrl":"https://idp","JWKsUrl":"https://keys",
		"userAttrMapping":{"email":"mail"},"scope":["openid"],"more":1},"domains":["sso.com"]}`)
	got := h.ok("GET", ssoPath+"a", "")
	h.equal("oidc", got["oidc"], map[string]any{
		"name": "N", "clientId": "c", "clientSecret": "s", "redirectUrl": "", "authUrl": "https://idp", "tokenUrl": "", "userDataUrl": "",
		"scope": []any{"openid"}, "JWKsUrl": "https://keys", "userAttrMapping": map[string]any{"email": "mail"}, "manageProviderTokens": false,
		"callbackDomain": "", "prompt": []any{}, "grantType": "", "issuer": "", "more": 1.0,
	})
	h.equal("saml", got["saml"], nil)
	h.equal("tenant", got["tenant"], any(h.tenant("a")))
	h.equal("what it makes of the tenant", []any{h.tenant("a")["authType"], h.tenant("a")["domains"]}, []any{"oidc", []any{"sso.com"}})

	h.ok("POST", "/v1/mgmt/sso/saml", `{"tenantId":"b","settings":{"idpUrl":"https://idp","entityId":"e","idpCert":"cert","defaultSSORoles":["R"],
		"roleMappings":[{"groups":["g"],"roleName":"Admin"}]},"redirectUrl":"https://back"}`)
	saml := h.ok("GET", ssoPath+"b", "")["saml"].(map[string]any)
	h.equal("saml", []any{saml["idpSSOUrl"], saml["idpEntityId"], saml["idpCertificate"], saml["redirectUrl"], saml["defaultSSORoles"], saml["idpMetadataUrl"]},
		[]any{"https://idp", "e", "cert", "https://back", []any{"R"}, ""})
	mapping := anyList(saml["groupsMapping"])[0].(map[string]any)
	h.equal("mapping", []any{mapping["groups"], mapping["role"].(map[string]any)["name"]}, []any{[]any{"g"}, "Admin"})
	h.equal("domains that are left out", h.tenant("b")["domains"], []any{})
	h.ok("POST", "/v1/mgmt/sso/saml/metadata", `{"tenantId":"b","settings":{"idpMetadataUrl":"https://meta","spEntityId":"mine"},"domains":["b.com"]}`)
	saml = h.ok("GET", ssoPath+"b", "")["saml"].(map[string]any)
	h.equal("by metadata", []any{saml["idpMetadataUrl"], saml["idpSSOUrl"], saml["spEntityId"]}, []any{"https://meta", "", "mine"})

	h.equal("further", h.ok("POST", "/v1/mgmt/sso/settings/new", `{"tenantId":"a","ssoId":"two","displayName":"Two"}`)["ssoId"], "two")
	h.ok("POST", "/v1/mgmt/sso/settings/new", `{"tenantId":"a","displayName":"Three"}`)
	h.ok("POST", "/v1/mgmt/sso/oidc", `{"tenantId":"a","ssoId":"two","settings":{"clientId":"c2"},"domains":["sso.com"]}`)
	h.equal("two", h.ok("GET", ssoPath+"a&ssoId=two", "")["oidc"].(map[string]any)["clientId"], "c2")
	h.equal("one", h.ok("GET", ssoPath+"a", "")["oidc"].(map[string]any)["clientId"], "c")
	h.equal("all", len(anyList(h.ok("GET", ssoAllPath+"a", "")["SSOSettings"])), 3)

	h.refused(400, "E011004", "POST", "/v1/mgmt/sso/oidc", `{"tenantId":"b","settings":{},"domains":["sso.com"]}`)
	h.refused(400, "E011004", "POST", "/v1/mgmt/sso/settings/new", `{"tenantId":"a","ssoId":"two","displayName":"x"}`)
	h.refused(404, "E000404", "POST", "/v1/mgmt/sso/oidc", `{"tenantId":"a","ssoId":"nine","settings":{}}`)
	h.refused(404, "E000404", "DELETE", "/v1/mgmt/sso/settings?tenantId=a&ssoId=nine", "")
	for _, path := range []string{"/v1/mgmt/sso/oidc", "/v1/mgmt/sso/saml", "/v1/mgmt/sso/saml/metadata"} {
		h.refused(404, "E112202", "POST", path, `{"tenantId":"nobody","settings":{}}`)
		h.refused(400, "E011003", "POST", path, `{"settings":{}}`)
		h.refused(400, "E011003", "POST", path, `{"tenantId":"a"}`)
		h.refused(400, "E011001", "POST", path, `{"tenantId":"a","settings":{},"ssoId":1}`)
		h.refused(400, "E011001", "POST", path, `{"tenantId":"a","settings":{},"domains":1}`)
	}
	h.refused(400, "E011001", "POST", "/v1/mgmt/sso/oidc", `{"tenantId":"a","settings":{"clientId":1}}`)
	h.refused(400, "E011001", "POST", "/v1/mgmt/sso/saml", `{"tenantId":"a","settings":{"entityId":1}}`)
	h.refused(400, "E011003", "POST", "/v1/mgmt/sso/settings/new", `{"tenantId":"a"}`)
	h.refused(400, "E011001", "POST", "/v1/mgmt/sso/settings/new", `{"tenantId":"a","displayName":"x","ssoId":1}`)
	h.refused(404, "E112202", "POST", "/v1/mgmt/sso/settings/new", `{"tenantId":"x","displayName":"x"}`)
	h.refused(404, "E112202", "DELETE", "/v1/mgmt/sso/settings?tenantId=x", "")
	h.refused(404, "E112202", "GET", ssoAllPath+"x", "")

	h.ok("DELETE", "/v1/mgmt/sso/settings?tenantId=a", "")
	h.equal("what is left", h.ok("GET", ssoPath+"a", "")["ssoId"], "two")
	h.equal("the tenant is as it was", h.tenant("a")["authType"], "oidc")
	h.ok("DELETE", "/v1/mgmt/sso/settings?tenantId=b", "")
	h.equal("nothing is left", h.ok("GET", ssoPath+"b", "")["saml"], nil)
	h.equal("the tenant has none", []any{h.tenant("b")["authType"], h.tenant("b")["domains"]}, []any{"none", []any{}})
}

func TestHowNoSSOReads(t *testing.T) {
	for quirk, want := range map[string]int{"null": 1, "object": 1, "none": 0} {
		h := start(t, Options{Quirks: Quirks{EmptySSO: quirk}})
		h.create(`{"id":"a","name":"A"}`)
		h.equal(quirk, len(anyList(h.ok("GET", ssoAllPath+"a", "")["SSOSettings"])), want)
		got := h.ok("GET", ssoPath+"a", "")
		saml, _ := got["saml"].(map[string]any)
		oidc, _ := got["oidc"].(map[string]any)
		if (quirk == "object") != (saml != nil && oidc != nil) {
			t.Errorf("%s: %v", quirk, got)
		}
		if saml != nil {
			h.equal(quirk, []any{saml["idpEntityId"], saml["idpSSOUrl"], saml["spACSUrl"] != "", oidc["clientId"]}, []any{"", "", true, ""})
		}
	}
}
