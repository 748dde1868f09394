package conformance

import (
	"fmt"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/plan"
)

// tenants are tenants by id, each with its fields.
func tenants(idsAndFields ...string) string {
	var b strings.Builder
	for i := 0; i < len(idsAndFields); i += 2 {
		fmt.Fprintf(&b, "tenants: %q: {%s}\n", idsAndFields[i], idsAndFields[i+1])
	}
	return b.String()
}

// crowd are n tenants of one plan.
func crowd(n int, plan string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "tenants: \"t%03d\": {name: \"Tenant %d\", domains: [\"t%d.example.com\"], self_provisioning: true, custom_attributes: plan: %q}\n", i, i, i, plan)
	}
	return b.String()
}

// nameGroups are about names and domains, which belong to one tenant at a time.
func nameGroups() []group {
	named := func(a, b string) string {
		return tenants("aaa", fmt.Sprintf("name: %q", a), "bbb", fmt.Sprintf("name: %q", b))
	}
	owns := func(a, b string) string {
		return tenants("aaa", "name: \"A\", self_provisioning: true, domains: "+a, "bbb", "name: \"B\", self_provisioning: true, domains: "+b)
	}
	return []group{
		{name: "rename", steps: []step{
			{does: "created", cue: acme(""), changes: 1},
			{does: "renamed", cue: tenants("acme-corp", `name: "Acme Corporation"`), changes: 1, live: acmeIs(`"name": "Acme Corporation"`)},
			{does: "only the case", cue: tenants("acme-corp", `name: "ACME corporation"`), changes: 1, live: acmeIs(`"name": "ACME corporation"`)},
			{does: "unicode", cue: tenants("acme-corp", `name: "Ægir & Söhne <日本> \u200b\u202e 👩‍👩‍👧"`), changes: 1, live: acmeIs(`"name": "Ægir & Söhne <日本> \u200b\u202e 👩‍👩‍👧"`)},
			{does: "control characters", cue: tenants("acme-corp", `name: "\u001b[31mred\u0007\n\t\u0000"`), changes: 1, live: acmeIs(`"name": "\u001b[31mred\u0007\n\t\u0000"`)},
			{does: "composed", cue: tenants("acme-corp", `name: "e\u0301"`), changes: 1},
			{does: "precomposed is another name", cue: tenants("acme-corp", `name: "\u00e9"`), changes: 1},
			{does: "as long as may be", cue: tenants("acme-corp", fmt.Sprintf("name: %q", strings.Repeat("é", 100))), changes: 1},
		}},
		{name: "a name passes on", steps: []step{
			{does: "created", cue: named("X", "Y"), changes: 2},
			{does: "aaa takes the name of bbb", cue: named("Y", "Z"), changes: 2, live: map[string]string{"tenant/aaa": `{"name": "Y"}`, "tenant/bbb": `{"name": "Z"}`}},
			{does: "bbb takes the name of aaa", cue: named("X", "Y"), changes: 2},
			{does: "swapped", cue: named("Y", "X"), changes: 2, guards: []plan.Rule{plan.RuleImpossible}},
			{does: "as it was", cue: named("X", "Y")},
		}},
		{name: "a name passes on to a new tenant", steps: []step{
			{does: "created", cue: tenants("bbb", `name: "X"`, "keep", `name: "K"`), changes: 2},
			{does: "aaa takes it", cue: tenants("bbb", `name: "Y"`, "keep", `name: "K"`, "aaa", `name: "X"`), changes: 2},
		}},
		{name: "a name goes round three tenants", steps: []step{
			{does: "created", cue: tenants("aaa", `name: "1"`, "bbb", `name: "2"`, "ccc", `name: "3"`), changes: 3},
			{does: "in a circle", cue: tenants("aaa", `name: "2"`, "bbb", `name: "3"`, "ccc", `name: "1"`), changes: 3, guards: []plan.Rule{plan.RuleImpossible}},
			{does: "in a chain", cue: tenants("aaa", `name: "2"`, "bbb", `name: "3"`, "ccc", `name: "4"`), changes: 3},
			{does: "back in a chain", cue: tenants("aaa", `name: "1"`, "bbb", `name: "2"`, "ccc", `name: "3"`), changes: 3},
		}},
		{name: "a new id for a name", steps: []step{
			{does: "created", cue: tenants("old-id", `name: "X", domains: ["x.com"], self_provisioning: true`, "keep", `name: "K"`), changes: 2},
			{does: "without pruning", cue: tenants("new-id", `name: "X", domains: ["x.com"], self_provisioning: true`, "keep", `name: "K"`), changes: 1, guards: []plan.Rule{plan.RuleTaken}},
			{
				does: "pruning", cue: tenants("new-id", `name: "X", domains: ["x.com"], self_provisioning: true`, "keep", `name: "K"`), prune: true, changes: 2, warns: []string{"replaced", "replaced"},
				live: map[string]string{"tenant/old-id": "gone", "tenant/new-id": `{"name": "X", "selfProvisioningDomains": ["x.com"]}`},
			},
		}},
		{name: "domains pass on", steps: []step{
			{does: "created", cue: owns(`["a.com", "x.com"]`, `["b.com"]`), changes: 2},
			{does: "x.com moves up", cue: owns(`["a.com"]`, `["b.com", "x.com"]`), changes: 2},
			{does: "x.com moves down", cue: owns(`["a.com", "x.com"]`, `["b.com"]`), changes: 2},
			{does: "swapped", cue: owns(`["b.com"]`, `["a.com", "x.com"]`), changes: 2, guards: []plan.Rule{plan.RuleImpossible}},
			{does: "freed by switching off", cue: tenants("aaa", `name: "A", self_provisioning: false`, "bbb", `name: "B", self_provisioning: true, domains: ["b.com", "a.com"]`), changes: 2},
		}},
		{name: "taken by a tenant that nobody manages", seed: `{"tenants": [{"id": "by-hand", "name": "Acme", "selfProvisioningDomains": ["a.com"]}]}`, steps: []step{
			{does: "its name", cue: acme(""), changes: 1, guards: []plan.Rule{plan.RuleTaken}},
			{does: "its domain", cue: tenants("other", `name: "Other", domains: ["a.com"], self_provisioning: true`), changes: 1, guards: []plan.Rule{plan.RuleTaken}},
			{does: "neither", cue: tenants("other", `name: "Other", domains: ["a.com"], self_provisioning: false`), changes: 1},
			{
				does: "it goes, by name", cue: tenants("other", `name: "Acme", domains: ["a.com"], self_provisioning: true`), unmanaged: []string{"tenant/by-hand"}, changes: 2,
				live: map[string]string{"tenant/by-hand": "gone", "tenant/other": `{"name": "Acme", "selfProvisioningDomains": ["a.com"]}`},
			},
		}},
	}
}

// hierarchyGroups are about parents and about what comes and goes.
func hierarchyGroups() []group {
	family := tenants("zzz-top", `name: "Top"`, "mmm-mid", `name: "Mid", parent: "zzz-top"`, "aaa-leaf", `name: "Leaf", parent: "mmm-mid"`, "keep", `name: "K"`)
	return []group{
		{name: "three levels", steps: []step{
			{does: "created, the leaf sorting first", cue: family, changes: 4, live: map[string]string{"tenant/aaa-leaf": `{"parent": "mmm-mid"}`, "tenant/mmm-mid": `{"parent": "zzz-top"}`, "tenant/zzz-top": `{"parent": ""}`}},
			{does: "one more child, with roles", cue: family + tenants("bbb-leaf", `name: "Leaf 2", parent: "mmm-mid", default_roles: ["R1"]`), changes: 1},
			{does: "parents left out", cue: tenants("zzz-top", `name: "Top"`, "mmm-mid", `name: "Mid"`, "aaa-leaf", `name: "Leaf"`, "bbb-leaf", `name: "Leaf 2"`, "keep", `name: "K"`), live: map[string]string{"tenant/aaa-leaf": `{"parent": "mmm-mid"}`}},
			{
				does: "a parent left out and another field changed", cue: tenants("zzz-top", `name: "Top"`, "mmm-mid", `name: "Middle", disabled: true`, "aaa-leaf", `name: "Leaf"`, "bbb-leaf", `name: "Leaf 2"`, "keep", `name: "K"`), changes: 1,
				live: map[string]string{"tenant/mmm-mid": `{"parent": "zzz-top", "name": "Middle"}`},
			},
			{does: "moved", cue: tenants("zzz-top", `name: "Top"`, "mmm-mid", `name: "Middle"`, "aaa-leaf", `name: "Leaf", parent: "zzz-top"`, "bbb-leaf", `name: "Leaf 2"`, "keep", `name: "K"`), changes: 1, guards: []plan.Rule{plan.RuleImpossible}},
			{
				does: "the family pruned but for the top", cue: tenants("zzz-top", `name: "Top"`, "keep", `name: "K"`), prune: true, changes: 3,
				live: map[string]string{"tenant/mmm-mid": "gone", "tenant/aaa-leaf": "gone", "tenant/bbb-leaf": "gone"},
			},
			{does: "all again", cue: family, changes: 2},
			{does: "the whole family pruned", cue: tenants("keep", `name: "K"`), prune: true, changes: 3},
		}},
		{name: "a child that nobody manages", steps: []step{
			{does: "created", cue: tenants("top", `name: "Top"`, "keep", `name: "K"`), changes: 2},
			{
				does: "its parent cannot be pruned", cue: tenants("keep", `name: "K"`), prune: true, changes: 1, guards: []plan.Rule{plan.RuleImpossible, plan.RuleInUse},
				meanwhile: [][2]string{{create, `{"id": "by-hand", "name": "Child", "parent": "top"}`}},
			},
			{does: "both go", cue: tenants("keep", `name: "K"`), prune: true, unmanaged: []string{"tenant/by-hand"}, changes: 2, live: map[string]string{"tenant/top": "gone", "tenant/by-hand": "gone"}},
		}},
		{name: "an orphan", steps: []step{
			{does: "created", cue: acme("disabled: true") + "\n" + tenants("keep", `name: "K"`), changes: 2},
			{does: "gone from the configuration", cue: tenants("keep", `name: "K"`), live: acmeIs(`"disabled": true`)},
			{does: "back, with another value", cue: acme("disabled: false") + "\n" + tenants("keep", `name: "K"`), changes: 1},
			{does: "gone again", cue: tenants("keep", `name: "K"`)},
			{
				does: "changed by hand and pruned", cue: tenants("keep", `name: "K"`), prune: true, changes: 1, guards: []plan.Rule{plan.RuleDrift},
				meanwhile: [][2]string{{update, `{"id": "acme-corp", "name": "Acme", "disabled": true}`}}, live: map[string]string{"tenant/acme-corp": "gone"},
			},
			{does: "created anew", cue: acme("") + "\n" + tenants("keep", `name: "K"`), changes: 1},
			{does: "deleted by hand and gone from the configuration", cue: tenants("keep", `name: "K"`), prune: true, meanwhile: [][2]string{{remove, `{"id": "acme-corp"}`}}},
		}},
		{name: "left out of an environment", steps: []step{
			{does: "everywhere", cue: acme("") + "\n" + tenants("keep", `name: "K"`), changes: 2},
			{does: "not here", cue: acme(`enabled_in: ["stay"]`) + "\n" + tenants("keep", `name: "K"`)},
			{does: "pruned", cue: acme(`enabled_in: ["stay"]`) + "\n" + tenants("keep", `name: "K"`), prune: true, changes: 1, live: map[string]string{"tenant/acme-corp": "gone"}},
			{does: "here again", cue: acme(`enabled_in: ["stay", "dev"]`) + "\n" + tenants("keep", `name: "K"`), changes: 1},
		}},
		{name: "a crowd", steps: []step{
			{does: "created", cue: crowd(40, "free"), changes: 40},
			{does: "all changed", cue: crowd(40, "pro"), changes: 40, guards: []plan.Rule{plan.RuleMassChange}},
			{does: "thirty of a hundred", cue: crowd(28, "pro"), prune: true, changes: 12},
			{does: "one more than that", cue: crowd(19, "pro"), prune: true, changes: 9, guards: []plan.Rule{plan.RuleMassChange}},
			{does: "none left", prune: true, changes: 19, guards: []plan.Rule{plan.RuleMassChange}},
		}},
		{name: "targets", steps: []step{
			{does: "one of two", cue: crowd(2, "free"), targets: []string{"tenant/t001"}, changes: 1, live: map[string]string{"tenant/t000": "gone"}},
			{does: "the other", cue: crowd(2, "free"), targets: []string{"tenant/t000"}, changes: 1},
			{does: "a child without its parent", cue: crowd(2, "free") + tenants("top", `name: "T"`, "child", `name: "C", parent: "top"`), targets: []string{"tenant/child"}, changes: 1, guards: []plan.Rule{plan.RuleImpossible}},
			{does: "both", cue: crowd(2, "free") + tenants("top", `name: "T"`, "child", `name: "C", parent: "top"`), targets: []string{"tenant/child", "tenant/top"}, changes: 2},
			{does: "one to prune", cue: crowd(1, "free") + tenants("top", `name: "T"`), targets: []string{"tenant/t001"}, prune: true, changes: 1, live: map[string]string{"tenant/child": `{"parent": "top"}`}},
		}},
	}
}

// lifecycleGroups are about what the configuration forbids itself.
func lifecycleGroups() []group {
	keep := "\n" + tenants("keep", `name: "K"`)
	byHand := func(plan string) [][2]string {
		return [][2]string{{update, fmt.Sprintf(`{"id": "acme-corp", "name": "Acme", "customAttributes": {"plan": %q, "own": 1}}`, plan)}}
	}
	return []group{
		{name: "lifecycle.ignore", steps: []step{
			{does: "created, with the value all the same", cue: acme(`custom_attributes: {plan: "free", own: 1}, lifecycle: ignore: ["custom_attributes.plan"]`), changes: 1, live: acmeIs(`"customAttributes": {"plan": "free", "own": 1}`)},
			{does: "moved by hand", cue: acme(`custom_attributes: {plan: "free", own: 1}, lifecycle: ignore: ["custom_attributes.plan"]`), meanwhile: byHand("pro"), live: acmeIs(`"customAttributes": {"plan": "pro", "own": 1}`)},
			{does: "another value in the configuration", cue: acme(`custom_attributes: {plan: "trial", own: 2}, lifecycle: ignore: ["custom_attributes.plan"]`), changes: 1, live: acmeIs(`"customAttributes": {"plan": "pro", "own": 2}`)},
			{does: "not ignored any more, but still in this run", cue: acme(`custom_attributes: {plan: "trial", own: 2}`), warns: []string{"ignore-remembered"}, second: 1, live: acmeIs(`"customAttributes": {"plan": "pro", "own": 2}`)},
			{does: "managed from the next one", cue: acme(`custom_attributes: {plan: "trial", own: 2}`), changes: 1, live: acmeIs(`"customAttributes": {"plan": "trial", "own": 2}`)},
		}},
		{name: "lifecycle.ignore of whole fields", seed: `{"tenants": [{"id": "acme-corp", "name": "By hand", "selfProvisioningDomains": ["x.com"], "customAttributes": {"a": 1}, "defaultRoles": ["R1"], "disabled": true, "roleInheritance": "none"}]}`, steps: []step{
			{
				does: "all ignored", cue: acme(`domains: ["a.com"], self_provisioning: true, custom_attributes: b: 2, default_roles: ["R2"], disabled: false, role_inheritance: "userOnly",
				lifecycle: ignore: ["name", "domains", "custom_attributes", "default_roles", "disabled", "role_inheritance"]`),
				live: acmeIs(`"name": "By hand", "selfProvisioningDomains": ["x.com"], "customAttributes": {"a": 1}, "defaultRoles": ["R1"]`),
			},
			{
				does: "only some", cue: acme(`domains: ["a.com"], self_provisioning: true, custom_attributes: b: 2, default_roles: ["R2"], disabled: false, role_inheritance: "userOnly",
				lifecycle: ignore: ["self_provisioning", "custom_attributes", "disabled"]`), changes: 1, guards: []plan.Rule{plan.RuleAdopt},
				live: acmeIs(`"name": "Acme", "selfProvisioningDomains": ["x.com"], "customAttributes": {"a": 1}, "defaultRoles": ["R2"], "disabled": true, "roleInheritance": "userOnly"`),
			},
		}},
		{name: "lifecycle.prevent_destroy", steps: []step{
			{does: "created", cue: acme("lifecycle: prevent_destroy: true") + keep, changes: 2},
			{does: "gone and pruned", cue: keep, prune: true, changes: 1, guards: []plan.Rule{plan.RulePreventDestroy}},
			{does: "back, without the block", cue: acme("") + keep},
			{does: "gone and pruned again", cue: keep, prune: true, changes: 1, live: map[string]string{"tenant/acme-corp": "gone"}},
		}},
		{name: "imported", seed: fmt.Sprintf(`{"tenants": [{"id": "T2aAc4T2V93bddihGEx2Ryhc8e5Z", "name": %q, "selfProvisioningDomains": ["a.com"]},
			{"id": "A_b", "name": "Other", "selfProvisioningDomains": []}]}`, strings.Repeat("x", 120)), steps: []step{
			{does: "as it is", cue: tenants("T2aAc4T2V93bddihGEx2Ryhc8e5Z", fmt.Sprintf(`name: %q, domains: ["a.com"], self_provisioning: true, imported: true`, strings.Repeat("x", 120)), "A_b", `name: "Other", imported: true`)},
			{
				does: "changed", cue: tenants("T2aAc4T2V93bddihGEx2Ryhc8e5Z", fmt.Sprintf(`name: %q, domains: ["a.com"], self_provisioning: true, imported: true, disabled: true`, strings.Repeat("y", 254)), "A_b", `name: "Other", imported: true`),
				changes: 1, guards: []plan.Rule{plan.RuleAdopt}, live: map[string]string{"tenant/T2aAc4T2V93bddihGEx2Ryhc8e5Z": `{"disabled": true}`},
			},
		}},
		{name: "protected", seed: `{"tenants": [{"id": "acme-corp", "name": "By hand"}]}`, steps: []step{
			{does: "a value of unknown origin", protected: true, cue: acme("") + keep, changes: 2, guards: []plan.Rule{plan.RuleUnknown, plan.RuleAdopt, plan.RuleProtected}},
			{does: "one that was applied", protected: true, cue: acme("disabled: true") + keep, changes: 1, guards: []plan.Rule{plan.RuleProtected}},
			{does: "no change", protected: true, cue: acme("disabled: true") + keep},
		}},
	}
}

// foreignGroups are about what others do meanwhile.
func foreignGroups() []group {
	return []group{
		{name: "moved by hand", steps: []step{
			{does: "created", cue: acme(`disabled: true, domains: ["a.com"], self_provisioning: true, default_roles: ["R1"], role_inheritance: "none"`), changes: 1},
			{
				does: "all of it", cue: acme(`disabled: true, domains: ["a.com"], self_provisioning: true, default_roles: ["R1"], role_inheritance: "none"`), changes: 1, guards: []plan.Rule{plan.RuleDrift},
				meanwhile: [][2]string{{update, `{"id": "acme-corp", "name": "By hand"}`}, {roles, `{"id": "acme-corp", "defaultRoles": ["R2"]}`}},
				live:      acmeIs(`"name": "Acme", "disabled": true, "selfProvisioningDomains": ["a.com"], "defaultRoles": ["R1"], "roleInheritance": "none"`),
			},
			{
				does: "to where the configuration moves too", cue: acme(`disabled: false, domains: ["a.com"], self_provisioning: true, default_roles: ["R1"], role_inheritance: "none"`),
				meanwhile: [][2]string{{update, `{"id": "acme-corp", "name": "Acme", "disabled": false, "selfProvisioningDomains": ["a.com"], "roleInheritance": "none"}`}},
			},
			{
				does: "both, to different values", cue: acme(`disabled: false, domains: ["b.com"], self_provisioning: true, default_roles: ["R1"], role_inheritance: "none"`), changes: 1, guards: []plan.Rule{plan.RuleDrift},
				meanwhile: [][2]string{{update, `{"id": "acme-corp", "name": "Acme", "selfProvisioningDomains": ["c.com"], "roleInheritance": "none"}`}},
			},
			{
				does: "what is not managed", cue: acme(`disabled: false, domains: ["b.com"], self_provisioning: true`),
				meanwhile: [][2]string{{update, `{"id": "acme-corp", "name": "Acme", "selfProvisioningDomains": ["b.com"], "roleInheritance": "userOnly", "enforceSSO": true}`}},
			},
			{does: "and ours beside it", cue: acme(`disabled: true, domains: ["b.com"], self_provisioning: true`), changes: 1, live: acmeIs(`"roleInheritance": "userOnly", "enforceSSO": true, "defaultRoles": ["R1"]`)},
		}},
		{name: "deleted by hand", steps: []step{
			{does: "created", cue: acme("default_roles: [\"R1\"]"), changes: 1},
			{does: "deleted", cue: acme("default_roles: [\"R1\"]"), changes: 1, guards: []plan.Rule{plan.RuleDrift}, meanwhile: [][2]string{{remove, `{"id": "acme-corp"}`}}, live: acmeIs(`"defaultRoles": ["R1"]`)},
		}},
		{name: "created by hand", steps: []step{
			{does: "just so", cue: acme("disabled: true"), meanwhile: [][2]string{{create, `{"id": "acme-corp", "name": "Acme", "disabled": true, "enforceSSO": true}`}}, live: acmeIs(`"enforceSSO": true`)},
			{does: "ours now", cue: acme("disabled: false"), changes: 1, guards: []plan.Rule{plan.RuleAdopt}, live: acmeIs(`"enforceSSO": true, "disabled": false`)},
			{does: "and so without a question", cue: acme("disabled: true"), changes: 1},
		}},
	}
}
