// Package policy_test holds rules that teams have for the plans of Terraform against the
// plans of descope-mgmt, with the engines that teams have. It is a module of its own, since
// Open Policy Agent brings more with it than the program itself.
package policy_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/rego"
)

// world is a configuration with a state directory and an emulator of its own.
type world struct {
	t        *testing.T
	bin, dir string
}

func newWorld(t *testing.T) world {
	t.Helper()
	w := world{t: t, bin: filepath.Join(t.TempDir(), "descope-mgmt"), dir: t.TempDir()}
	build := exec.Command("go", "build", "-o", w.bin, "./cmd/descope-mgmt")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	w.write("cue.mod/module.cue", "module: \"example.com/policy@v0\"\nlanguage: version: \"v0.17.0\"\n")
	w.write("envs/dev/dev.cue", "package envs\n\nenvironment: {name: \"dev\", project_id: \"P2devdevdevdevdevdevdevdevde\"}\n")
	return w
}

func (w world) write(name, text string) {
	w.t.Helper()
	path := filepath.Join(w.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// tenants writes the configuration.
func (w world) tenants(names map[string]string) {
	var b strings.Builder
	b.WriteString("package envs\n\n")
	for id, name := range names {
		fmt.Fprintf(&b, "tenants: %q: name: %q\n", id, name)
	}
	w.write("envs/tenants.cue", b.String())
}

func (w world) run(args ...string) []byte {
	w.t.Helper()
	cmd := exec.Command(w.bin, append(args, "--env", "dev", "--emulator", "-o", "json")...)
	cmd.Dir = w.dir
	cmd.Env = append(os.Environ(), "DESCOPE_STATE_DIR="+filepath.Join(w.dir, "state"), "CI=")
	out, err := cmd.Output()
	if err != nil {
		w.t.Fatalf("%v: %v", args, err)
	}
	return out
}

// opa is what deny.rego says of a plan.
func opa(t *testing.T, plan []byte) []string {
	t.Helper()
	var input any
	if err := json.Unmarshal(plan, &input); err != nil {
		t.Fatal(err)
	}
	results, err := rego.New(rego.Query("data.terraform.deny"), rego.Load([]string{"deny.rego"}, nil), rego.Input(input)).Eval(context.Background())
	if err != nil || len(results) != 1 {
		t.Fatalf("%d results (%v)", len(results), err)
	}
	var said []string
	for _, v := range results[0].Expressions[0].Value.([]any) {
		said = append(said, v.(string))
	}
	slices.Sort(said)
	return said
}

// jq is what deny.jq says of a plan.
func jq(t *testing.T, plan []byte) []string {
	t.Helper()
	cmd := exec.Command("jq", "--raw-output", "--exit-status", "--from-file", "deny.jq", "--args", "tenant/acme-corp")
	cmd.Stdin = strings.NewReader(string(plan))
	out, err := cmd.Output()
	if err != nil && cmd.ProcessState.ExitCode() != 4 {
		t.Fatalf("jq: %v", err)
	}
	said := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if len(out) == 0 {
		said = nil
	}
	slices.Sort(said)
	return said
}

// TestPolicies: both engines deny what the rules are about, and nothing else.
func TestPolicies(t *testing.T) {
	w := newWorld(t)
	check := func(what string, plan []byte, want ...string) {
		t.Helper()
		for engine, said := range map[string][]string{"opa": opa(t, plan), "jq": jq(t, plan)} {
			if !slices.Equal(said, want) {
				t.Errorf("%s: %s says %q, want %q", what, engine, said, want)
			}
		}
	}
	w.tenants(map[string]string{"widget-inc": "Widget"})
	check("a create", w.run("plan"))
	w.tenants(map[string]string{"widget-inc": "Widget", "acme-corp": "Acme"})
	check("a protected create", w.run("plan"), "tenant/acme-corp is protected")
	w.run("sync", "--yes")
	check("no change", w.run("plan"))
	w.tenants(map[string]string{"widget-inc": "Widgets", "acme-corp": "Acme"})
	check("an update", w.run("plan"))
	w.tenants(map[string]string{"widget-inc": "Widget"})
	check("an orphan, which stays", w.run("plan"))
	check("a delete", w.run("plan", "--prune"), "tenant/acme-corp is protected", "tenant/acme-corp would be deleted")
	many := map[string]string{"widget-inc": "Widget", "acme-corp": "Acme"}
	for i := range 21 {
		many[fmt.Sprintf("tenant-%02d", i)] = fmt.Sprint("Tenant ", i)
	}
	w.tenants(many)
	check("many", w.run("plan"), "21 objects would change, and at most 20 may")
}
