package schemadoc

import "testing"

// wrongYAML are documents of which one value, or the fields of one object, are wrong.
// Both the program and the JSON Schema have to refuse each of them.
func wrongYAML() []string {
	tenant := func(fields string) string { return "tenants: [{id: acme-corp, name: Acme, " + fields + "}]" }
	flow := func(fields string) string { return "flows: [{id: f, " + fields + "}]" }
	env := func(fields string) string { return "environments: {dev: {" + fields + "}}\ntenants: []" }
	return []string{
		"tenants: {}", "tenants: acme", "tenants: 1", "flows: {}", "flows: f", "environments: []", "environments: dev", "auth: []", "auth: key",
		"[]", "text", "12", "tenants: []\nunknown: 1", "tenant: []", "version: 2\ntenants: []", "version: [1]\ntenants: []", `version: "2.0"`,
		"tenants: [acme]", "tenants: [null]", "tenants: [[]]", "tenants: [{}]", "tenants: [{name: Acme}]", "tenants: [{id: acme-corp}]", "tenants: [{id: 12, name: Acme}]",
		"tenants: [{id: acme-corp, name: 12}]", "tenants: [{id: acme-corp, name: null}]", `tenants: [{id: acme-corp, name: ""}]`,
		"tenants: [{id: ab, name: Acme}]", "tenants: [{id: Acme, name: Acme}]", "tenants: [{id: acme_corp, name: Acme}]",
		"tenants: [{id: " + repeat("a", 51) + ", name: Acme}]", "tenants: [{id: acme-corp, name: " + repeat("ä", 101) + "}]",
		tenant("domain: acme.com"), tenant("domains: acme.com"), tenant("domains: [acme]"), tenant("domains: [Acme.com]"), tenant("domains: [1]"), tenant("domains: [acme.com, null]"),
		tenant(`domains: ["acme..com"]`), tenant("domains: [acme.com/x]"), tenant("domains: [-acme.com]"), tenant(`domains: [""]`), tenant("domains: [" + repeat("abcdefgh.", 29) + "com]"),
		tenant(`self_provisioning: "true"`), tenant("self_provisioning: 1"), tenant(`self_provisioning: "${FLAG}"`), tenant("self_provisioning: yes"),
		tenant("custom_attributes: []"), tenant("custom_attributes: {a: {b: 1}}"), tenant("custom_attributes: {a: [1]}"), tenant("custom_attributes: {a: [[]]}"), tenant("custom_attributes: x"),
		tenant("custom_attributes_exclusive: 1"), tenant("parent: 1"), tenant("parent: [a]"), tenant("disabled: 0"), tenant("role_inheritance: all"), tenant("role_inheritance: true"),
		tenant("default_roles: admin"), tenant("default_roles: [1]"), tenant("enabled_in: dev"), tenant("enabled_in: [1]"), tenant("lifecycle: true"),
		tenant("lifecycle: {prevent_deletion: true}"), tenant(`lifecycle: {prevent_destroy: "yes"}`), tenant("lifecycle: {ignore: name}"), tenant("lifecycle: {ignore: [1]}"),
		tenant("imported: false"), tenant("imported: 1"), tenant("customAttributes: {}"), tenant("selfProvisioningDomains: [acme.com], domains: [acme.com]"),
		tenant("selfProvisioningDomains: [acme.com], self_provisioning: true"), tenant("selfProvisioningDomains: [ACME]"),
		flow("name: x"), flow("template: sign-up"), flow("template: 1"), flow("definition: {}"), flow("definition: []"), flow("definition: x"),
		flow("template: magic-link, definition: {flowId: f}"), flow("definition: {flowId: f}, config: {}"), flow("definition: {flowId: f}, steps: {}"),
		flow("template: magic-link, enabled: 1"), flow("template: magic-link, name: 1"), flow("template: magic-link, description: []"), flow("template: magic-link, config: []"),
		flow("template: magic-link, config: {sign_up: 1}"), flow("template: magic-link, config: {methods: [sms]}"), flow(`template: magic-link, config: {redirect_url: "ftp://x"}`),
		flow("template: mfa-login"), flow("template: mfa-login, config: {}"), flow("template: mfa-login, config: {methods: []}"), flow("template: mfa-login, config: {methods: [pigeon]}"),
		flow("template: mfa-login, config: {methods: [sms, sms]}"), flow("template: mfa-login, config: {methods: sms}"), flow("template: mfa-login, config: {methods: [sms], remember_devise: true}"),
		flow("template: mfa-login, config: {methods: [sms], remember_duration_days: 0}"), flow("template: mfa-login, config: {methods: [sms], remember_duration_days: 366}"),
		flow("template: mfa-login, config: {methods: [sms], remember_duration_days: 1.5}"), flow(`template: mfa-login, config: {methods: [sms], remember_device: "x"}`),
		flow("template: social-login"), flow("template: social-login, config: {providers: []}"), flow("template: social-login, config: {providers: [myspace]}"),
		flow("template: sign-up-or-in, config: {email: pigeon}"), flow("template: sign-up-or-in, config: {ask_name: maybe}"), flow("template: sign-up-or-in, config: {providers: [google, google]}"),
		flow("definition: {flowId: f}, screens: []"), flow("definition: {flowId: f}, screens: {Welcome: x}"), flow("definition: {flowId: f}, screens: {Welcome: {title: x}}"),
		"flows: [{name: x}]", "flows: [{definition: {flowId: f}}]", "flows: [f]", "flows: [{id: 1, template: magic-link}]",
		env("protected: 1"), env("name: dev"), env("project: P2"), env("project_id: 12"), env("project_id: XX2devdevdevdevdevdevdevdevde"), env("project_id: P2dev-devdevdevdevdevdevdevde"),
		env("base_url: api.descope.com"), env(`base_url: "ftp://api.descope.com"`), env("rate: 200"), env("rate: 200/min"), env("rate: 0/60s"), env("connectors: []"), env("connectors: {a: 1}"),
		env("urls: https://a.example.com"), env("urls: [a.example.com]"), env("management_key: Kabcdefghijklmnop"), env(`management_key: "${OTHER_SECRET}"`), env(`management_key: "x${DESCOPE_MANAGEMENT_KEY}"`),
		"environments: {dev: []}\ntenants: []", "environments: {dev: prod}\ntenants: []", "environments: {\"a b\": {}}\ntenants: []", "environments: {\"../x\": {}}\ntenants: []",
		"auth: {key: x}\ntenants: []", "auth: {management_key: K2abcdefghijklmnopqrst}\ntenants: []", "auth: {management_key: \"$${DESCOPE_MANAGEMENT_KEY}\"}\ntenants: []",
	}
}

func repeat(s string, n int) string {
	out := ""
	for range n {
		out += s
	}
	return out
}

func TestWrongYAML(t *testing.T) {
	s := yamlSchema()(t)
	all := wrongYAML()
	if len(all) < 60 {
		t.Errorf("only %d documents", len(all))
	}
	for _, text := range all {
		if err := loads(text); err == nil {
			t.Errorf("the program accepts\n%s", text)
		}
		if err := s.Validate(ofYAML(t, text)); err == nil {
			t.Errorf("the JSON Schema accepts\n%s", text)
		}
	}
}

// TestRightYAML: what the program accepts, the JSON Schema does too.
func TestRightYAML(t *testing.T) {
	s := yamlSchema()(t)
	for _, text := range []string{
		"tenants: []", "tenants:", "version: 1.0", `version: "1.0"`, "version: 1", "auth:", "environments:", "environments: {dev: , prod: {protected: true}}", "project: anything\ntenants: []",
		"tenants: [{id: T2abC, name: Acme, imported: true}]", "tenants: [{id: x, name: \"\", imported: true}]",
		"tenants: [{id: acme-corp, name: \"${NAME}\", domains: [\"${DOMAIN}\"], custom_attributes: {a: 1, b: 1.5, c: true, d: [x], e: null, f: \"${X:-y}\"}}]",
		"tenants: [{id: acme-corp, name: Acme, selfProvisioningDomains: [acme.com], flow_ids: [a]}]", "tenants: [{id: acme-corp, name: Acme, domains: [], role_inheritance: \"\"}]",
		"flows: [{template: magic-link}]", "flows: [{id: a, template: mfa-login, config: {methods: [sms, totp]}}]", "flows: [{id: a, flow_type: login}]", "flows: [{id: a, definition: {flowId: a, script: '${x'}}]",
		"flows: [{template: sign-up-or-in, config: {redirect_url: \"\"}, steps: {welcome: {nodes: {title: {text: Hello}}}}}]",
		"environments: {dev: {project_id: P2dev..., rate: 200/60s, urls: [\"https://a.example.com\"], connectors: {mail: CI1}, management_key: \"${ACME_MANAGEMENT_KEY}\"}}\ntenants: []",
		"environments: {dev: {project_id: P2devdevdevdevdevdevdevdevde, base_url: \"https://api.descope.com/\"}}\ntenants: []",
		"auth: {project_id: P2devdevdevdevdevdevdevdevde, management_key: \"${DESCOPE_MANAGEMENT_KEY}\"}",
	} {
		if err := loads(text); err != nil {
			t.Errorf("%v\n%s", err, text)
		}
		if err := s.Validate(ofYAML(t, text)); err != nil {
			t.Errorf("%v\n%s", err, text)
		}
	}
}

// TestOverlayYAML: over another file, null takes away and nothing is required, but for
// the id that says of what.
func TestOverlayYAML(t *testing.T) {
	s := validator(t, YAMLOverlay)
	for text, right := range map[string]bool{
		"tenants: [{id: acme-corp, self_provisioning: null, domains: null, custom_attributes: {a: null}}]": true,
		"tenants: [{id: acme-corp, lifecycle: {ignore: null}}]":                                            true,
		"flows: [{id: f, config: {methods: null}, enabled: true}]":                                         true,
		"environments: {dev: {rate: null}}":                                                                true,
		"tenants: [{name: Acme}]":                                                                          false,
		"tenants: [{id: acme-corp, enabled_in: [dev]}]":                                                    false,
		"tenants: [{id: acme-corp, nam: Acme}]":                                                            false,
		"tenants: [{id: acme-corp, domains: [acme]}]":                                                      false,
		"flows: [{name: x}]":                                                                               false,
	} {
		if err := s.Validate(ofYAML(t, text)); (err == nil) != right {
			t.Errorf("%s: %v", text, err)
		}
	}
}
