package emulator

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// check validates a tenant that is about to be stored against the rules and
// against all other tenants, and brings its lists into the form in which they
// are stored. It may change t.wire.
func (c *call) check(t *tenant) *apiError {
	if utf8.RuneCountInString(t.name) > maxName {
		return invalid("The name field is longer than %d characters", maxName)
	}
	if e := oneOf(t.wire, "authType", "none", "saml", "oidc"); e != nil {
		return e
	}
	if e := oneOf(t.wire, "roleInheritance", "", "none", "userOnly"); e != nil {
		return e
	}
	if c.quirks.DuplicateNames == "refuse" {
		for _, other := range c.project.tenants {
			if other.id != t.id && c.sameName(other.name, t.name) {
				return c.duplicate("A tenant with the name %q already exists", t.name)
			}
		}
	}
	if e := c.checkAttributes(t); e != nil {
		return e
	}
	return c.checkDomains(t, "selfProvisioningDomains", c.quirks.DuplicateDomains)
}

func oneOf(wire map[string]any, name string, allowed ...string) *apiError {
	if v, _ := wire[name].(string); !slices.Contains(allowed, v) {
		return invalid("The %s field is not one of %s", name, strings.Join(allowed, ", "))
	}
	return nil
}

// checkAttributes applies the quirk about attributes that are not defined.
func (c *call) checkAttributes(t *tenant) *apiError {
	values, _ := t.wire["customAttributes"].(map[string]any)
	if c.project.attributes == nil || c.quirks.UnknownAttributes == "store" {
		return nil
	}
	kept := make(map[string]any, len(values))
	for name, v := range values {
		switch {
		case slices.Contains(c.project.attributes, name):
			kept[name] = v
		case c.quirks.UnknownAttributes == "refuse":
			return invalid("The custom attribute %q does not exist", name)
		}
	}
	t.wire["customAttributes"] = kept
	return nil
}

// checkDomains rewrites a list of domains as the quirks say, and refuses one
// that another tenant has.
func (c *call) checkDomains(t *tenant, name, duplicates string) *apiError {
	domains := c.storedDomains(t.wire[name])
	t.wire[name] = domains
	if duplicates != "refuse" || len(domains) == 0 {
		return nil
	}
	for _, other := range c.project.tenants {
		if other.id == t.id {
			continue
		}
		theirs, _ := other.wire[name].([]any)
		for _, d := range domains {
			if slices.Contains(theirs, d) {
				return invalid("The domain %q is already used by another tenant", d)
			}
		}
	}
	return nil
}

func (c *call) storedDomains(v any) []any {
	list, _ := v.([]any)
	out := make([]any, 0, len(list))
	for _, d := range list {
		if s, ok := d.(string); ok && c.quirks.DomainsLower {
			d = strings.ToLower(s)
		}
		if !c.quirks.DomainsDedup || !slices.Contains(out, d) {
			out = append(out, d)
		}
	}
	if c.quirks.DomainsReorder {
		slices.Reverse(out)
	}
	return out
}
