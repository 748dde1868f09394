package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// The paths of the SSO configurations of a tenant: all of them, and the first.
const (
	pathAllSSO   = "/v2/mgmt/sso/settings/all"
	pathFirstSSO = "/v2/mgmt/sso/settings"
)

// SSOSettings returns the SSO configurations of a tenant as received, {"SSOSettings":
// […]}, but for the secrets of the identity provider's side, which are masked: this
// goes into backups. They are only ever read.
//
// An answer that is about another tenant, doubled or not understood is an error.
func (c *Client) SSOSettings(ctx context.Context, tenant string) (json.RawMessage, error) {
	raw, _, err := c.ssoSettings(ctx, tenant)
	if err != nil {
		return nil, err
	}
	v, err := model.DecodeJSON(raw)
	if err != nil {
		return nil, err
	}
	return model.CanonicalJSON(maskSecrets(v)), nil
}

// secretFields are fields of SSO configurations that hold a secret.
func secretFields() []string {
	return []string{"clientSecret", "privateKey", "spEncryptionKey", "spSignKey", "scimToken", "accessKey"}
}

// maskSecrets replaces the secrets in a JSON value that was decoded for this.
func maskSecrets(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			if text, ok := inner.(string); ok && text != "" && slices.Contains(secretFields(), name) {
				v[name] = "***"
			} else {
				v[name] = maskSecrets(inner)
			}
		}
	case []any:
		for i := range v {
			v[i] = maskSecrets(v[i])
		}
	}
	return v
}

// ssoSettings is SSOSettings, with what it says.
func (c *Client) ssoSettings(ctx context.Context, tenant string) (json.RawMessage, ssoUse, error) {
	r := ofTenant(tenant, pathAllSSO, "tenantId")
	got, err := c.read(ctx, r)
	if err != nil {
		return nil, ssoUse{}, err
	}
	use, n, err := decodeAllSSO(got.body, tenant)
	if err != nil {
		return nil, ssoUse{}, c.badReply(r, "%w", err)
	}
	if n == 0 {
		// Either the tenant has none, or the list is short. The other endpoint
		// always shows one.
		if err := c.confirmNoSSO(ctx, tenant); err != nil {
			return nil, ssoUse{}, err
		}
	}
	return got.body, use, nil
}

// confirmNoSSO returns an error unless the first SSO configuration of a tenant
// is empty, or does not exist although the tenant does.
func (c *Client) confirmNoSSO(ctx context.Context, tenant string) error {
	r := ofTenant(tenant, pathFirstSSO, "tenantId")
	got, err := c.read(ctx, r)
	if e, ok := errors.AsType[*Error](err); ok && e.Kind == KindNotFound && e.Code != codeTenantNotFound {
		return nil
	}
	if err != nil {
		return err
	}
	use, _, err := decodeSSO(got.body, tenant)
	switch {
	case err != nil:
		return c.badReply(r, "%w", err)
	case use.configured || use.domains > 0:
		return c.badReply(ofTenant(tenant, pathAllSSO, "tenantId"), "the list of SSO configurations is short: it is empty, but the tenant has one")
	}
	return nil
}

// ssoUse is what the SSO configurations of a tenant say about its use.
type ssoUse struct {
	configured bool
	domains    int
}

func decodeAllSSO(body []byte, tenant string) (use ssoUse, n int, err error) {
	list, err := decodeList(body, "SSOSettings")
	if err != nil {
		return use, 0, err
	}
	seen := map[string]bool{}
	for i, raw := range list {
		one, id, err := decodeSSO(raw, tenant)
		if err != nil {
			return use, 0, fmt.Errorf("SSOSettings[%d]: %w", i, err)
		}
		if seen[id] {
			return use, 0, fmt.Errorf("SSO configuration %s is in the list twice", quoted(id))
		}
		seen[id] = true
		use.configured = use.configured || one.configured
		use.domains = max(use.domains, one.domains)
	}
	return use, len(list), nil
}

// decodeSSO reads one SSO configuration. Descope: a tenant without SSO shows one
// whose parts are null or empty, except for what Descope's own side is. So it is
// the identity provider's side that tells, and the kind of login of the tenant.
func decodeSSO(raw json.RawMessage, tenant string) (use ssoUse, id string, err error) {
	fields, err := decodeObject(raw)
	if err != nil {
		return use, "", err
	}
	for _, part := range []struct {
		name  string
		tells []string
	}{
		{"saml", []string{"idpEntityId", "idpSSOUrl", "idpCertificate", "idpMetadataUrl", "scimProviderID"}},
		{"oidc", []string{"clientId", "clientSecret", "authUrl", "tokenUrl", "userDataUrl", "JWKsUrl", "issuer", "scimProviderID"}},
	} {
		settings, err := object.of(fields, part.name)
		if err != nil {
			return use, "", err
		}
		for _, name := range part.tells {
			v, err := text.of(asMap(settings), name)
			if err != nil {
				return use, "", fmt.Errorf("%s: %w", part.name, err)
			}
			use.configured = use.configured || v != nil
		}
	}
	owner, err := object.of(fields, "tenant")
	if err != nil {
		return use, "", err
	}
	owned, err := tenantNormalFields(asMap(owner))
	if err != nil {
		return use, "", err
	}
	if owned["id"] != tenant {
		return use, "", fmt.Errorf("asked for %s, got the SSO configuration of %s", quoted(tenant), quoted(fmt.Sprint(owned["id"])))
	}
	given, err := text.of(fields, "ssoId")
	if err != nil {
		return use, "", err
	}
	id, _ = given.(string)
	domains, _ := owned["domains"].([]any)
	use.domains = len(domains)
	authType, _ := owned["authType"].(string)
	use.configured = use.configured || id != "" || authType != "" && authType != "none"
	return use, id, nil
}

// of is a field of an object in normal form, nil if it holds nothing.
func (s shape) of(fields map[string]any, name string) (any, error) {
	v, err := s.normal(fields[name])
	if err != nil {
		return nil, fmt.Errorf("field %s %w", name, err)
	}
	return v, nil
}

func asMap(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}
