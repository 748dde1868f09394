package bench

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pcconnect.ai/descope-mgmt/schema"
)

const (
	module  = "pcconnect.ai/descope-mgmt"
	project = "P2Wvj7FAc9QeWJKY40uvSwMFLZDe"
	// perFile is how many tenants a file of the configuration holds.
	perFile = 100
	// oneOverlaid: of so many tenants the overlay changes one.
	oneOverlaid = 10
)

// generate writes a configuration of n tenants, in files of 100, of which the
// overlay of prod changes every tenth, and returns its directory. The same n
// gives the same bytes. The copy of the schema and the declarations make plain
// cue check the same as we do.
func generate(t testing.TB, n int) string {
	t.Helper()
	return generateOf(t, n, tenantCUE)
}

// generateGeneral is generate with tenants that have to be evaluated.
func generateGeneral(t testing.TB, n int) string {
	t.Helper()
	dir := generateOf(t, n, func(i int) string {
		return strings.NewReplacer(`schema.#Tenant & {`, `schema.#Tenant & _standard & {`, `"Tenant `, `"\(_prefix) `).Replace(tenantCUE(i))
	})
	text := "package envs\n\n_prefix: \"Tenant\"\n_standard: {self_provisioning: true, ...}\n"
	if err := os.WriteFile(filepath.Join(dir, "envs", "helpers.cue"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func generateOf(t testing.TB, n int, tenant func(int) string) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("cue.mod/module.cue", "module: \""+module+"@v0\"\nlanguage: version: \"v0.17.0\"\n")
	files, err := fs.Glob(schema.FS, "*.cue")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		text, err := schema.FS.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		write("schema/"+name, string(text))
	}
	write("envs/environment.cue", `package envs

import "`+module+`/schema"

environment: schema.#Environment
tenants:     schema.#Tenants
flows:       schema.#Flows
`)
	for first := 0; first < n; first += perFile {
		var b strings.Builder
		b.WriteString("package envs\n\nimport \"" + module + "/schema\"\n")
		for i := first; i < min(first+perFile, n); i++ {
			b.WriteString(tenant(i))
		}
		write(fmt.Sprintf("envs/tenants_%03d.cue", first/perFile), b.String())
	}
	var overlay strings.Builder
	overlay.WriteString(`package envs

environment: {
	name:       "prod"
	project_id: "` + project + `"
	rate:       "5000/1s"
}
`)
	for i := 0; i < n; i += oneOverlaid {
		fmt.Fprintf(&overlay, "\ntenants: %q: custom_attributes: plan: \"enterprise\"\n", tenantID(i))
	}
	write("envs/prod/prod.cue", overlay.String())
	return dir
}

func tenantID(i int) string { return fmt.Sprintf("tenant-%05d", i) }

// tenantCUE is one tenant as people write it.
func tenantCUE(i int) string {
	return fmt.Sprintf(`
tenants: %[1]q: schema.#Tenant & {
	name: "Tenant %05[2]d"
	domains: ["%[1]s.example.com", "%[1]s.example.org"]
	self_provisioning: true
	custom_attributes: {
		entity_type: "portfolio_company"
		plan:        *"standard" | string
		seats:       %[3]d
	}
}
`, tenantID(i), i, 10+i%90)
}
