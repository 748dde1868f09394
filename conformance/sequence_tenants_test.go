package conformance

import (
	"fmt"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/plan"
)

// acme is a configuration with one tenant that has some fields.
func acme(fields string) string {
	return fmt.Sprintf("tenants: \"acme-corp\": {\n\tname: \"Acme\"\n\t%s\n}", fields)
}

// acmeIs are fields of that tenant as they are stored.
func acmeIs(fields string) map[string]string {
	return map[string]string{"tenant/acme-corp": "{" + fields + "}"}
}

// with are the fields of acme step by step; each changes something, unless it
// begins with "=".
func with(live func(i int) string, fields ...string) []step {
	steps := make([]step, len(fields))
	for i, f := range fields {
		f, same := strings.CutPrefix(f, "=")
		steps[i] = step{does: f, cue: acme(f), changes: 1, live: acmeIs(live(i))}
		if same {
			steps[i].changes = 0
		}
		if f == "" {
			steps[i].does = "left out"
		}
	}
	return steps
}

// values are the values of one field step by step.
func values(field string, v ...string) func(int) string {
	return func(i int) string { return fmt.Sprintf("%q: %s", field, v[i]) }
}

const (
	update = "/v1/mgmt/tenant/update"
	create = "/v1/mgmt/tenant/create"
	remove = "/v1/mgmt/tenant/delete"
	roles  = "/v1/mgmt/tenant/updateDefaultRoles"
)

func tenantGroups() []group {
	var all []group
	for _, part := range [][]group{fieldGroups(), attributeGroups(), nameGroups(), hierarchyGroups(), lifecycleGroups(), foreignGroups()} {
		all = append(all, part...)
	}
	return all
}

// fieldGroups are the transitions of every attribute but the custom ones.
func fieldGroups() []group {
	rich := `"tenants": [{"id": "acme-corp", "name": "Acme", "selfProvisioningDomains": ["b.com", "a.com"], "disabled": true,
		"roleInheritance": "userOnly", "defaultRoles": ["R2", "R1"], "customAttributes": {"k": 1}, "enforceSSO": true,
		"enforceSSOExclusions": ["U2", "U1"], "federatedAppIds": ["A2", "A1"], "authType": "saml", "domains": ["sso.com"],
		"unknownText": "x", "unknownNumber": 12345678901234567890, "unknownObject": {"b": [{}], "a": null}}]`
	return []group{
		{name: "disabled", steps: with(
			values("disabled", "false", "true", "true", "false", "false", "true"),
			"", "disabled: true", "=", "disabled: false", "=", "disabled: true",
		)},
		{name: "disabled at creation", steps: with(values("disabled", "true", "true"), "disabled: true", "=disabled: true")},
		{name: "role_inheritance", steps: with(
			values("roleInheritance", `"none"`, `"userOnly"`, `"userOnly"`, `""`, `""`, `"none"`),
			`role_inheritance: "none"`, `role_inheritance: "userOnly"`, "=", `role_inheritance: ""`, "=", `role_inheritance: "none"`,
		)},
		{name: "default_roles", steps: with(
			values("defaultRoles", `["R1"]`, `["R1", "R2"]`, `["R1", "R2"]`, `["R1", "R2"]`, `["R2"]`, `["R2"]`, `[]`, `[]`, `["é <&>"]`),
			`default_roles: ["R1"]`, `default_roles: ["R2", "R1"]`, `=default_roles: ["R1", "R2"]`, `=default_roles: ["R1", "R2", "R1"]`,
			`default_roles: ["R2"]`, "=", "default_roles: []", "=default_roles: []", `default_roles: ["é <&>"]`,
		)},
		{name: "default_roles empty at creation", steps: with(values("defaultRoles", "[]", `["R1"]`), "default_roles: []", `default_roles: ["R1"]`)},
		{name: "domains and switch", steps: with(
			values("selfProvisioningDomains", `[]`, `["a.com"]`, `["a.com", "b.com"]`, `["a.com", "b.com"]`, `["a.com", "b.com"]`,
				`[]`, `["a.com"]`, `[]`, `["c.com"]`, `[]`, `[]`),
			`domains: ["a.com"], self_provisioning: false`,
			`domains: ["a.com"], self_provisioning: true`,
			`domains: ["b.com", "a.com"], self_provisioning: true`,
			`=domains: ["a.com", "b.com"], self_provisioning: true`,
			`=domains: ["a.com", "b.com", "a.com"], self_provisioning: true`,
			`domains: ["a.com", "b.com"], self_provisioning: false`,
			`domains: ["a.com"], self_provisioning: true`,
			`domains: [], self_provisioning: true`,
			`domains: ["c.com"], self_provisioning: true`,
			`self_provisioning: false`,
			`=domains: ["c.com"]`,
		)},
		{name: "domains alone", steps: with(
			values("selfProvisioningDomains", `[]`, `[]`, `["a.com"]`, `["a.com"]`, `["b.com", "c.com"]`, `[]`, `[]`),
			`domains: ["a.com"]`, `=domains: ["b.com"]`, `domains: ["a.com"], self_provisioning: true`, `=domains: ["a.com"]`,
			`domains: ["b.com", "c.com"]`, `domains: []`, `=domains: ["a.com"]`,
		)},
		{name: "switch alone", steps: with(
			values("selfProvisioningDomains", `[]`, `["a.com"]`, `["a.com"]`, `["a.com"]`, `[]`, `[]`, `[]`),
			`self_provisioning: true`, `domains: ["a.com"], self_provisioning: true`, `=self_provisioning: true`, `=`,
			`self_provisioning: false`, `=self_provisioning: true`, `=self_provisioning: false`,
		)},
		{name: "domains at creation", steps: with(
			values("selfProvisioningDomains", `["xn--e1afmkfd.com", "a-b.c-d.example.com"]`, `["xn--e1afmkfd.com", "a-b.c-d.example.com"]`),
			`domains: ["xn--e1afmkfd.com", "a-b.c-d.example.com"], self_provisioning: true`, `=`,
		)},
		{name: "everything at once", steps: []step{
			{does: "created", cue: acme(`domains: ["a.com"], self_provisioning: true, disabled: true, role_inheritance: "none", default_roles: ["R1"], custom_attributes: k: 1`), changes: 1},
			{does: "all changed", cue: acme(`domains: ["b.com"], self_provisioning: true, disabled: false, role_inheritance: "userOnly", default_roles: ["R2"], custom_attributes: k: 2`), changes: 1},
			{does: "all left out, so that the attribute goes", cue: acme(""), changes: 1, live: acmeIs(`"selfProvisioningDomains": ["b.com"], "disabled": false, "roleInheritance": "userOnly", "defaultRoles": ["R2"], "customAttributes": {}`)},
			{does: "all emptied", cue: acme(`domains: [], self_provisioning: false, disabled: false, role_inheritance: "", default_roles: []`), changes: 1, live: acmeIs(`"selfProvisioningDomains": [], "roleInheritance": "", "defaultRoles": []`)},
		}},
		{name: "what is not managed stays", seed: "{" + rich + "}", steps: []step{
			{does: "adopted as it is", cue: acme("")},
			{does: "one field", cue: acme(`role_inheritance: "none"`), changes: 1, guards: []plan.Rule{plan.RuleAdopt}, live: acmeIs(
				`"selfProvisioningDomains": ["a.com", "b.com"], "disabled": true, "roleInheritance": "none", "defaultRoles": ["R1", "R2"], "customAttributes": {"k": 1},
				"enforceSSO": true, "enforceSSOExclusions": ["U1", "U2"], "federatedAppIds": ["A1", "A2"], "authType": "saml", "domains": ["sso.com"]`)},
			{does: "the roles", cue: acme(`role_inheritance: "none", default_roles: []`), changes: 1, live: acmeIs(`"defaultRoles": [], "enforceSSO": true`)},
			{does: "the switch alone", cue: acme(`self_provisioning: true`)},
			{does: "the domains alone", cue: acme(`domains: ["a.com"]`), changes: 1, live: acmeIs(`"selfProvisioningDomains": ["a.com"], "federatedAppIds": ["A1", "A2"]`)},
			{does: "pruned", prune: true, changes: 1, guards: []plan.Rule{plan.RuleMassChange}, live: map[string]string{"tenant/acme-corp": "gone"}},
		}},
	}
}

// attributeGroups are the transitions of custom attributes.
func attributeGroups() []group {
	attributes := func(v ...string) func(int) string { return values("customAttributes", v...) }
	return []group{
		{name: "attributes", steps: with(
			attributes(`{}`, `{"plan": "pro"}`, `{"plan": "pro", "tier": "gold"}`, `{"plan": "free", "tier": "gold"}`, `{"tier": "gold"}`, `{"tier": "gold"}`, `{}`, `{}`, `{"tier": ""}`, `{}`),
			"custom_attributes: {}",
			`custom_attributes: plan: "pro"`,
			`custom_attributes: {plan: "pro", tier: "gold"}`,
			`custom_attributes: {plan: "free", tier: "gold"}`,
			`custom_attributes: tier: "gold"`,
			`=custom_attributes: {tier: "gold", plan: null}`,
			`custom_attributes: tier: null`,
			"=",
			`custom_attributes: tier: ""`,
			"",
		)},
		{name: "an attribute changes its type", steps: with(
			attributes(`{"k": "40"}`, `{"k": 40}`, `{"k": true}`, `{"k": ["40"]}`, `{"k": []}`, `{"k": "[]"}`, `{"k": "true"}`, `{"k": false}`, `{"k": 0}`, `{"k": ""}`),
			`custom_attributes: k: "40"`, `custom_attributes: k: 40`, `custom_attributes: k: true`, `custom_attributes: k: ["40"]`, `custom_attributes: k: []`,
			`custom_attributes: k: "[]"`, `custom_attributes: k: "true"`, `custom_attributes: k: false`, `custom_attributes: k: 0`, `custom_attributes: k: ""`,
		)},
		{name: "numbers", steps: with(
			attributes(`{"n": 40}`, `{"n": 40}`, `{"n": 40}`, `{"n": 40}`, `{"n": -0.5}`, `{"n": -0.5}`, `{"n": 9223372036854775808}`, `{"n": 9223372036854775809}`,
				`{"n": 123456789012345678901234567890}`, `{"n": 123456789012345678901234567890.5}`, `{"n": 0}`, `{"n": 0}`, `{"n": 1e60}`, `{"n": 1e-60}`),
			`custom_attributes: n: 40`, `=custom_attributes: n: 40.0`, `=custom_attributes: n: 4e1`, `=custom_attributes: n: 0x28`,
			`custom_attributes: n: -0.50`, `=custom_attributes: n: -5e-1`, `custom_attributes: n: 9223372036854775808`, `custom_attributes: n: 9223372036854775809`,
			`custom_attributes: n: 123456789012345678901234567890`, `custom_attributes: n: 123456789012345678901234567890.5`,
			`custom_attributes: n: 0`, `=custom_attributes: n: -0.0`, `custom_attributes: n: 1e60`, `custom_attributes: n: 1e-60`,
		)},
		{name: "numbers as somebody else spells them", seed: `{"tenants": [{"id": "acme-corp", "name": "Acme", "customAttributes": {"a": 40.0, "b": 4e1, "c": 12345678901234567890.0, "d": 0.10}}]}`, steps: with(
			attributes(`{"a": 40, "b": 40, "c": 12345678901234567890, "d": 0.1}`),
			`=custom_attributes: {a: 40, b: 40, c: 12345678901234567890, d: 0.1}`,
		)},
		{name: "order in a list of an attribute counts", steps: []step{
			{does: "created", cue: acme(`custom_attributes: k: ["b", "a", "b"]`), changes: 1},
			{does: "sorted", cue: acme(`custom_attributes: k: ["a", "b"]`), changes: 1},
			{does: "turned round", cue: acme(`custom_attributes: k: ["b", "a"]`), changes: 1},
		}},
		{name: "hostile keys and values", steps: with(
			attributes(`{"a.b": "x", "": "empty", "\"q\"": "y", "é 日本": "z", "__proto__": "p", "0": "n"}`, `{"a.b": "x2", "\"q\"": "y", "é 日本": "zz"}`, `{"a.b": "x2", "\"q\"": "y", "é 日本": "zz"}`, `{}`),
			`custom_attributes: {"a.b": "x", "": "empty", "\"q\"": "y", "é 日本": "z", "__proto__": "p", "0": "n"}`,
			`custom_attributes: {"a.b": "x2", "\"q\"": "y", "é 日本": "zz"}`,
			`=custom_attributes: {"a.b": "x2", "\"q\"": "y", "é 日本": "zz", "0": null}`,
			`custom_attributes: {}`,
		)},
		{name: "exclusive", seed: `{"tenants": [{"id": "acme-corp", "name": "Acme", "customAttributes": {"theirs": "x", "plan": "pro"}}]}`, steps: []step{
			{does: "not exclusive", cue: acme(`custom_attributes: plan: "pro"`), live: acmeIs(`"customAttributes": {"theirs": "x", "plan": "pro"}`)},
			{does: "exclusive", cue: acme(`custom_attributes: plan: "pro", custom_attributes_exclusive: true`), changes: 1, guards: []plan.Rule{plan.RuleAdopt}, live: acmeIs(`"customAttributes": {"plan": "pro"}`)},
			{
				does: "one more by hand", cue: acme(`custom_attributes: plan: "pro", custom_attributes_exclusive: true`), changes: 1, guards: []plan.Rule{plan.RuleDrift},
				meanwhile: [][2]string{{update, `{"id": "acme-corp", "name": "Acme", "customAttributes": {"plan": "pro", "again": true}}`}}, live: acmeIs(`"customAttributes": {"plan": "pro"}`),
			},
			{does: "no more exclusive", cue: acme(`custom_attributes: plan: "pro"`)},
			{
				does: "theirs again", cue: acme(`custom_attributes: plan: "pro"`), meanwhile: [][2]string{{update, `{"id": "acme-corp", "name": "Acme", "customAttributes": {"plan": "pro", "again": true}}`}},
				live: acmeIs(`"customAttributes": {"plan": "pro", "again": true}`),
			},
			{does: "ours goes, theirs stays", cue: acme(""), changes: 1, live: acmeIs(`"customAttributes": {"again": true}`)},
			{does: "exclusive without attributes", cue: acme("custom_attributes_exclusive: true"), live: acmeIs(`"customAttributes": {"again": true}`)},
			{does: "exclusive and empty", cue: acme("custom_attributes: {}, custom_attributes_exclusive: true"), changes: 1, live: acmeIs(`"customAttributes": {}`)},
		}},
		{name: "null takes theirs away", seed: `{"tenants": [{"id": "acme-corp", "name": "Acme", "customAttributes": {"theirs": "x", "plan": "pro"}}]}`, steps: []step{
			{does: "null", cue: acme(`custom_attributes: {theirs: null, never: null}`), changes: 1, guards: []plan.Rule{plan.RuleAdopt}, live: acmeIs(`"customAttributes": {"plan": "pro"}`)},
			{
				does: "set again by hand", cue: acme(`custom_attributes: {theirs: null, never: null}`), changes: 1, guards: []plan.Rule{plan.RuleDrift},
				meanwhile: [][2]string{{update, `{"id": "acme-corp", "name": "Acme", "customAttributes": {"plan": "pro", "theirs": "y"}}`}}, live: acmeIs(`"customAttributes": {"plan": "pro"}`),
			},
			{does: "no more null", cue: acme("")},
			{
				does: "theirs stays now", cue: acme(""), meanwhile: [][2]string{{update, `{"id": "acme-corp", "name": "Acme", "customAttributes": {"plan": "pro", "theirs": "y"}}`}},
				live: acmeIs(`"customAttributes": {"plan": "pro", "theirs": "y"}`),
			},
		}},
		{name: "an overlay changes what the base gives", steps: []step{
			{
				does: "base", cue: acme(`custom_attributes: {plan: *"pro" | string | null, seats: *10 | int}, domains: *["a.com"] | [...string], self_provisioning: true`), changes: 1,
				live: acmeIs(`"customAttributes": {"plan": "pro", "seats": 10}, "selfProvisioningDomains": ["a.com"]`),
			},
			{
				does: "overlay", cue: acme(`custom_attributes: {plan: *"pro" | string | null, seats: *10 | int}, domains: *["a.com"] | [...string], self_provisioning: true`),
				overlay: `tenants: "acme-corp": {custom_attributes: {plan: null, seats: 20, own: true}, domains: ["b.com"]}`, changes: 1,
				live: acmeIs(`"customAttributes": {"seats": 20, "own": true}, "selfProvisioningDomains": ["b.com"]`),
			},
			{
				does: "base again", cue: acme(`custom_attributes: {plan: *"pro" | string | null, seats: *10 | int}, domains: *["a.com"] | [...string], self_provisioning: true`), changes: 1,
				live: acmeIs(`"customAttributes": {"plan": "pro", "seats": 10}, "selfProvisioningDomains": ["a.com"]`),
			},
		}},
	}
}
