package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"

	"pcconnect.ai/descope-mgmt/internal/compiler"
	"pcconnect.ai/descope-mgmt/internal/yamlconfig"
)

// TestConversion converts random configurations of three environments, each with a file of
// its own, into CUE, and writes it: what is on disk says what the YAML said, and a second
// conversion has nothing to write. CAMPAIGNS=1 tries many more.
func TestConversion(t *testing.T) {
	t.Parallel()
	rounds := 6
	if os.Getenv("CAMPAIGNS") != "" {
		rounds = 200
	} else if underRace {
		rounds = 2
	}
	documents := rapid.Custom(randomYAML)
	for round := range rounds {
		dir := t.TempDir()
		for name, document := range documents.Example(round) {
			text, err := yaml.Marshal(document)
			if err != nil {
				t.Fatal(err)
			}
			writeFile(t, filepath.Join(dir, yamlconfig.Directory, name), string(text))
		}
		convert := func() *conversion {
			t.Helper()
			config, diags := yamlconfig.Load(filepath.Join(dir, yamlconfig.Directory, "config.yaml"), os.LookupEnv)
			if config == nil {
				t.Fatal(diags)
			}
			m, err := compiler.New(dir)
			if err != nil {
				t.Fatal(err)
			}
			c, err := newConversion(t.Context(), config, yamlconfig.Directory, m)
			if err == nil {
				err = c.make(t.Context())
			}
			if err != nil {
				t.Fatalf("round %d: %v\n%s", round, err, filesOf(c))
			}
			return c
		}
		c := convert()
		if err := c.write(t.Context()); err != nil {
			t.Fatal(err)
		}
		m, err := compiler.Find(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range c.envs {
			r, diags := compile(t.Context(), m, e.name)
			if r == nil || r.State.Digest() != e.want.State.Digest() {
				t.Fatalf("round %d: %s is another: %v\n%s", round, e.name, diags, filesOf(c))
			}
		}
		if again := convert(); len(again.files) > 0 {
			t.Fatalf("round %d: a second conversion has something to write:\n%s", round, filesOf(again))
		}
	}
}

// randomYAML are the files of a configuration, by name.
func randomYAML(t *rapid.T) map[string]any {
	files, environments, names := map[string]any{}, map[string]any{}, []string{"dev", "prod", "test"}
	for i, env := range names {
		environments[env] = map[string]any{"project_id": fmt.Sprintf("P%027d", i), "protected": env == "prod"}
		own := rapid.SliceOfNDistinct(rapid.IntRange(0, 5), 0, 3, rapid.ID).Draw(t, "own of "+env)
		var tenants, flows []any
		for _, n := range own {
			if n < 4 {
				tenants = append(tenants, yamlTenant(t, n))
			} else {
				flows = append(flows, yamlFlow(t, n))
			}
		}
		files[env+".yaml"] = map[string]any{"tenants": tenants, "flows": flows}
	}
	var tenants []any
	for n := range rapid.IntRange(0, 4).Draw(t, "tenants") {
		tenant := yamlTenant(t, n)
		if in := rapid.SliceOfDistinct(rapid.SampledFrom(names), rapid.ID).Draw(t, "in"); len(in) > 0 {
			tenant["enabled_in"] = in
		}
		tenants = append(tenants, tenant)
	}
	files["config.yaml"] = map[string]any{"environments": environments, "tenants": tenants, "flows": []any{yamlFlow(t, 4)}}
	return files
}

func filesOf(c *conversion) string {
	var b strings.Builder
	if c != nil {
		for _, f := range c.files {
			fmt.Fprintf(&b, "-- %s --\n%s", f.Path, f.Text)
		}
	}
	return b.String()
}

func yamlTenant(t *rapid.T, n int) map[string]any {
	tenant := map[string]any{"id": fmt.Sprintf("tenant-%d", n), "name": fmt.Sprintf("Tenant %d", n)}
	maybe := func(field string, v func() any) {
		if rapid.Bool().Draw(t, field) {
			tenant[field] = v()
		}
	}
	maybe("domains", func() any { return []any{fmt.Sprintf("t%d.example.com", n)} })
	maybe("self_provisioning", func() any { return rapid.Bool().Draw(t, "on") })
	maybe("disabled", func() any { return rapid.Bool().Draw(t, "off") })
	maybe("custom_attributes_exclusive", func() any { return true })
	maybe("lifecycle", func() any {
		return map[string]any{"prevent_destroy": rapid.Bool().Draw(t, "keep"), "ignore": []any{rapid.SampledFrom([]string{"name", "domains"}).Draw(t, "ignore")}}
	})
	maybe("custom_attributes", func() any {
		out := map[string]any{}
		for _, key := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"plan", "seats", "a b", "é", "string", "_x", "#y"}), 1, 3, rapid.ID).Draw(t, "keys") {
			out[key] = rapid.SampledFrom([]any{"x", "", "a\nb", "\\(y)", true, nil, 1, 2.5, []any{}, []any{"l", "m"}}).Draw(t, "value")
		}
		return out
	})
	return tenant
}

func yamlFlow(t *rapid.T, n int) map[string]any {
	id := fmt.Sprintf("flow-%d", n)
	if n == 4 { // made from a template
		flow := map[string]any{"id": id, "template": "sign-up-or-in"}
		if rapid.Bool().Draw(t, "config") {
			flow["config"] = map[string]any{"email": rapid.SampledFrom([]string{"code", "magic-link"}).Draw(t, "email"), "ask_name": rapid.Bool().Draw(t, "ask")}
		}
		return flow
	}
	name := rapid.SampledFrom([]string{"One", "Two"}).Draw(t, "name")
	var definition any
	text := fmt.Sprintf(`{"flowId": %q, "metadata": {"name": %q}, "contents": {"startTask": "0", "tasks": {"0": {"id": "0", "name": "End", "type": "automated", "action": "logged-in", "next": {}}}}, "screens": []}`, id, name)
	if err := json.Unmarshal([]byte(text), &definition); err != nil {
		t.Fatal(err)
	}
	return map[string]any{"id": id, "definition": definition}
}
