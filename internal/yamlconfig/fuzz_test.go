package yamlconfig

import (
	"strings"
	"testing"
	"time"
)

// FuzzYAML reads random texts as configurations: whatever comes out, nothing panics or
// takes long, there is a tree exactly if there are no errors, and every mistake is one
// line at a place of the file.
func FuzzYAML(f *testing.F) {
	for _, seed := range []string{
		"", "{}", "tenants: []", "version: \"1.0\"\nauth: {project_id: \"${A}\", management_key: \"${A_MANAGEMENT_KEY}\"}\nenvironments:\n  dev: {project_id: P2x}\n  prod:\ntenants:\n- id: acme\n  name: Acme # c\n  selfProvisioningDomains: [a.com]\n  flow_ids: [x]\nflows:\n- template: mfa-login\n  config: {methods: [sms]}\n",
		"tenants:\n- &a {id: a, name: |\n   x\n  }\n- <<: *a\n  id: b\n", "tenants: &a [*a]", "a: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]", "tenants:\n\t- x", "---\na: 1\n---\nb: 2", "tenants: [{id: 0x10, n: 1e3, m: 1_000, d: 2001-01-01, o: 010, i: .inf}]",
		"{\"tenants\": [{\"id\": \"\\ud83d\"}]}", "tenants: [{id: \"a\u2028b\", name: '${'}]\r\n", "? [a]\n: b", "\ufefftenants: []", "tenants: !!set {a}", "%YAML 1.1\n---\n{}",
	} {
		f.Add(seed, false)
		f.Add(seed, true)
	}
	f.Fuzz(func(t *testing.T, text string, isJSON bool) {
		name := "descope.yaml"
		if isJSON {
			name = "descope.json"
		}
		start := time.Now()
		c, diags := LoadBytes(name, []byte(text), vars(map[string]string{"A": "${A} {"}))
		if (c == nil) != (len(diags.Errors()) > 0) {
			t.Fatalf("config %v with %v", c, diags)
		}
		lines := strings.Count(text, "\n") + 1
		if c != nil {
			for _, env := range c.Environments() {
				c.KeyVariable(env)
				tree, found := c.Environment(env)
				if (tree == nil) != (len(found.Errors()) > 0) {
					t.Fatalf("tree %v with %v", tree, found)
				}
				diags = append(diags, found...)
				if tree == nil {
					continue
				}
				for _, n := range []*Node{tree.Environment, tree.Tenants, tree.Flows} {
					n.Value()
				}
			}
		}
		for _, d := range diags {
			if strings.ContainsAny(d.Summary+d.Detail+d.Hint, "\n\x1b") || d.Origin.File != name || d.Origin.Line < 1 || d.Origin.Line > lines || d.Origin.Column < 1 {
				t.Errorf("%+v", d)
			}
		}
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("took %s", took)
		}
	})
}
