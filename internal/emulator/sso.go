package emulator

import (
	"maps"
	"net/http"
	"slices"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// oidcFields are the settings of OIDC, under the same names in requests and
// replies.
func oidcFields() []field {
	return []field{
		{name: "name"},
		{name: "clientId"},
		{name: "clientSecret"},
		{name: "redirectUrl"},
		{name: "authUrl"},
		{name: "tokenUrl"},
		{name: "userDataUrl"},
		{name: "scope", kind: texts},
		{name: "JWKsUrl"},
		{name: "userAttrMapping", kind: opaque},
		{name: "manageProviderTokens", kind: flag},
		{name: "callbackDomain"},
		{name: "prompt", kind: texts},
		{name: "grantType"},
		{name: "issuer"},
	}
}

// samlFields are the settings of SAML as they are read.
func samlFields() []field {
	return []field{
		{name: "idpEntityId"},
		{name: "idpSSOUrl"},
		{name: "idpCertificate"},
		{name: "idpMetadataUrl"},
		{name: "spEntityId"},
		{name: "spACSUrl"},
		{name: "spCertificate"},
		{name: "attributeMapping", kind: opaque},
		{name: "defaultSSORoles", kind: texts},
		{name: "redirectUrl"},
	}
}

// samlRequest maps them to their names in a request, by hand or from the
// metadata of the identity provider.
func samlRequest() map[string]string {
	return map[string]string{
		"idpEntityId": "entityId", "idpSSOUrl": "idpUrl", "idpCertificate": "idpCert", "idpMetadataUrl": "idpMetadataUrl",
		"spEntityId": "spEntityId", "spACSUrl": "spACSUrl", "attributeMapping": "attributeMapping", "defaultSSORoles": "defaultSSORoles",
	}
}

// ownSide is what Descope itself says about SAML for a tenant, configured or not.
func ownSide(tenant string) map[string]any {
	return map[string]any{"spEntityId": "urn:descope:" + tenant, "spACSUrl": "https://api.descope.com/v1/auth/saml/acs?tenant=" + tenant}
}

// configureOIDC answers POST /v1/mgmt/sso/oidc.
func (c *call) configureOIDC() (map[string]any, *apiError) {
	return c.configureSSO("oidc", func(_ string, settings map[string]any) (map[string]any, *apiError) {
		return settings, overlay(settings, oidcFields(), settings, false)
	})
}

// configureSAML answers POST /v1/mgmt/sso/saml and /saml/metadata.
func (c *call) configureSAML() (map[string]any, *apiError) {
	return c.configureSSO("saml", func(tenant string, settings map[string]any) (map[string]any, *apiError) {
		given := map[string]any{"redirectUrl": c.body["redirectUrl"]}
		for name, wire := range samlRequest() {
			given[name] = settings[wire]
		}
		saml := map[string]any{}
		if e := overlay(saml, samlFields(), given, false); e != nil {
			return nil, e
		}
		for name, v := range ownSide(tenant) {
			if saml[name] == "" {
				saml[name] = v
			}
		}
		groups := []any{}
		mappings, _ := settings["roleMappings"].([]any)
		for _, v := range mappings {
			m, _ := v.(map[string]any)
			groups = append(groups, map[string]any{
				"role": map[string]any{"id": newID("ROL", c.now), "name": m["roleName"]}, "groups": m["groups"],
			})
		}
		saml["groupsMapping"] = groups
		return saml, nil
	})
}

// configureSSO stores one protocol of one configuration. Descope: the domains of
// the request become those of the tenant. That they are cleared when they are
// left out, and that authType follows, are guesses.
func (c *call) configureSSO(protocol string, read func(tenant string, settings map[string]any) (map[string]any, *apiError)) (map[string]any, *apiError) {
	if e := c.require("tenantId"); e != nil {
		return nil, e
	}
	t, e := c.find("tenantId")
	if e != nil {
		return nil, e
	}
	request, ok := c.body["settings"].(map[string]any)
	if !ok {
		return nil, c.missing("settings")
	}
	settings, e := read(t.id, model.CloneMap(request))
	if e != nil {
		return nil, e
	}
	id, e := field{name: "ssoId"}.read(c.body["ssoId"])
	if e != nil {
		return nil, e
	}
	configs := slices.Clone(c.project.sso[t.id])
	i := slices.IndexFunc(configs, func(s map[string]any) bool { return ssoID(s) == id })
	switch {
	case i >= 0:
	case id == "":
		i, configs = 0, append([]map[string]any{{"ssoId": ""}}, configs...)
	default:
		return nil, noSSO()
	}
	configs[i] = with(configs[i], protocol, settings)
	domains, e := field{name: "domains", kind: texts}.read(c.body["domains"])
	if e != nil {
		return nil, e
	}
	return nil, c.storeSSO(t, configs, protocol, domains)
}

// storeSSO keeps the configurations of a tenant, and what they make of it.
func (c *call) storeSSO(t *tenant, configs []map[string]any, authType string, domains any) *apiError {
	wire := model.CloneMap(t.wire)
	wire["authType"], wire["domains"] = authType, domains
	next := newTenant(wire)
	if e := c.checkDomains(next, "domains", c.quirks.DuplicateSSODomains); e != nil {
		return e
	}
	t.replace(next.wire)
	if len(configs) == 0 {
		delete(c.project.sso, t.id)
	} else {
		c.project.sso[t.id] = configs
	}
	return nil
}

// newSSO answers POST /v1/mgmt/sso/settings/new: one more configuration.
func (c *call) newSSO() (map[string]any, *apiError) {
	if e := c.require("tenantId", "displayName"); e != nil {
		return nil, e
	}
	t, e := c.find("tenantId")
	if e != nil {
		return nil, e
	}
	id, e := field{name: "ssoId"}.read(c.body["ssoId"])
	if e != nil {
		return nil, e
	}
	if id == "" {
		id = newID("SSO", c.now)
	}
	configs := c.project.sso[t.id]
	if slices.ContainsFunc(configs, func(s map[string]any) bool { return ssoID(s) == id }) {
		return nil, c.duplicate("SSO settings with the ID %q already exist", id)
	}
	config := map[string]any{"ssoId": id, "displayName": c.body["displayName"]}
	c.project.sso[t.id] = append(slices.Clone(configs), config)
	return c.renderSSO(t, config), nil
}

// deleteSSO answers DELETE /v1/mgmt/sso/settings. Descope: a tenant without any
// can still be read, and then shows none.
func (c *call) deleteSSO() (map[string]any, *apiError) {
	t, e := c.findQuery("tenantId")
	if e != nil {
		return nil, e
	}
	id, configs := c.query.Get("ssoId"), c.project.sso[t.id]
	rest := slices.DeleteFunc(slices.Clone(configs), func(s map[string]any) bool { return ssoID(s) == id })
	if id != "" && len(rest) == len(configs) {
		return nil, noSSO()
	}
	authType, domains := t.wire["authType"], t.wire["domains"]
	if len(rest) == 0 {
		authType, domains = "none", []any{}
	}
	return nil, c.storeSSO(t, rest, authType.(string), domains)
}

// loadSSO answers GET /v2/mgmt/sso/settings: the first configuration, or the
// one that ssoId names.
func (c *call) loadSSO() (map[string]any, *apiError) {
	t, e := c.findQuery("tenantId")
	if e != nil {
		return nil, e
	}
	configs := c.project.sso[t.id]
	if wanted := c.query.Get("ssoId"); wanted != "" {
		i := slices.IndexFunc(configs, func(s map[string]any) bool { return ssoID(s) == wanted })
		if i < 0 {
			return nil, noSSO()
		}
		return c.renderSSO(t, configs[i]), nil
	}
	if len(configs) == 0 {
		return c.renderSSO(t, map[string]any{}), nil
	}
	return c.renderSSO(t, configs[0]), nil
}

// allSSO answers GET /v2/mgmt/sso/settings/all.
func (c *call) allSSO() (map[string]any, *apiError) {
	t, e := c.findQuery("tenantId")
	if e != nil {
		return nil, e
	}
	configs := c.project.sso[t.id]
	if len(configs) == 0 && c.quirks.EmptySSO != "none" {
		configs = []map[string]any{{}}
	}
	list := make([]any, 0, len(configs))
	for _, config := range configs {
		list = append(list, c.renderSSO(t, config))
	}
	return map[string]any{"SSOSettings": list}, nil
}

// renderSSO is a configuration as a read shows it.
func (c *call) renderSSO(t *tenant, config map[string]any) map[string]any {
	own := map[string]any{"ssoId": "", "saml": nil, "oidc": nil}
	if c.quirks.EmptySSO == "object" {
		saml, oidc := blank(samlFields()), blank(oidcFields())
		maps.Copy(saml, ownSide(t.id))
		saml["groupsMapping"] = []any{}
		own["saml"], own["oidc"] = saml, oidc
	}
	maps.Copy(own, config)
	own["tenant"] = c.render(t, c.project.children())
	return own
}

func ssoID(config map[string]any) string {
	id, _ := config["ssoId"].(string)
	return id
}

func noSSO() *apiError {
	return &apiError{status: http.StatusNotFound, code: ownCode(http.StatusNotFound), message: "SSO settings not found"}
}
