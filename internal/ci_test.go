package internal_test

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// action is what the file of a composite action says.
type action struct {
	Inputs map[string]struct {
		Description string `yaml:"description"`
	} `yaml:"inputs"`
	Outputs map[string]struct {
		Description string `yaml:"description"`
		Value       string `yaml:"value"`
	} `yaml:"outputs"`
	Runs struct {
		Using string `yaml:"using"`
		Steps []struct {
			ID    string            `yaml:"id"`
			If    string            `yaml:"if"`
			Shell string            `yaml:"shell"`
			Run   string            `yaml:"run"`
			Uses  string            `yaml:"uses"`
			Env   map[string]string `yaml:"env"`
			With  map[string]string `yaml:"with"`
		} `yaml:"steps"`
	} `yaml:"runs"`
}

// TestCIAction holds the action to what its scripts read and its page says.
func TestCIAction(t *testing.T) {
	text := readFile(t, "action.yml")
	var a action
	if err := yaml.Unmarshal([]byte(text), &a); err != nil {
		t.Fatal(err)
	}
	page := readFile(t, "docs/ci.md")
	if a.Runs.Using != "composite" || len(a.Inputs) < 8 {
		t.Fatalf("the test does not see the action: %+v", a)
	}
	used := map[string]bool{}
	set := map[string]bool{}
	steps := map[string]bool{}
	for i, s := range a.Runs.Steps {
		steps[s.ID] = true
		values := append([]string{s.If}, slices.Collect(maps.Values(s.Env))...)
		values = append(values, slices.Collect(maps.Values(s.With))...)
		for _, m := range regexp.MustCompile(`inputs\.([a-z-]+)`).FindAllStringSubmatch(strings.Join(values, "\n"), -1) {
			used[m[1]] = true
		}
		if s.Uses != "" {
			if !regexp.MustCompile(`^actions/cache/(restore|save)@v\d+$`).MatchString(s.Uses) {
				t.Errorf("step %d uses %s", i, s.Uses)
			}
			continue
		}
		// What somebody outside may choose never becomes part of a command.
		if strings.Contains(s.Run, "${{") || s.Shell != "bash" {
			t.Errorf("step %d: values go by the environment, and the shell is bash: %s", i, s.Run)
		}
		m := regexp.MustCompile(`"\$GITHUB_ACTION_PATH/(ci/[a-z]+\.sh)"`).FindStringSubmatch(s.Run)
		if m == nil {
			t.Errorf("step %d runs no script of ours: %s", i, s.Run)
			continue
		}
		script := readFile(t, m[1])
		for name := range s.Env {
			set[name] = true
			if strings.HasPrefix(name, "DESCOPE_CI_") && !strings.Contains(script+readFile(t, "ci/comment.sh")+s.Run, name) {
				t.Errorf("%s does not read %s", m[1], name)
			}
		}
		for _, name := range regexp.MustCompile(`\bDESCOPE_CI_[A-Z_]+`).FindAllString(script, -1) {
			if _, ok := s.Env[name]; !ok && name != "DESCOPE_CI_OUT" && name != "DESCOPE_CI_BIN" {
				t.Errorf("step %d does not set %s, which %s reads", i, name, m[1])
			}
		}
		if strings.Contains(s.Run, "KEY") {
			t.Errorf("step %d has a key in its command", i)
		}
	}
	for name, in := range a.Inputs {
		if in.Description == "" || !used[name] {
			t.Errorf("the input %s is not described or not used", name)
		}
		if !strings.Contains(page, "| `"+name+"` |") {
			t.Errorf("docs/ci.md has no row for the input %s", name)
		}
	}
	for name := range used {
		if _, ok := a.Inputs[name]; !ok {
			t.Errorf("there is no input %s", name)
		}
	}
	for name, out := range a.Outputs {
		m := regexp.MustCompile(`steps\.([a-z]+)\.outputs\.([a-z-]+)`).FindStringSubmatch(out.Value)
		if out.Description == "" || m == nil || !steps[m[1]] || !strings.Contains(readFile(t, "ci/run.sh"), "output "+m[2]+" ") {
			t.Errorf("the output %s is described by %q and comes from %q", name, out.Description, out.Value)
		}
		if !strings.Contains(page, "`"+name+"`") {
			t.Errorf("docs/ci.md does not name the output %s", name)
		}
	}
	if !set["DESCOPE_MANAGEMENT_KEY"] {
		t.Error("the key does not reach the script")
	}
	for _, m := range regexp.MustCompile(`(?m)^\| `+"`([a-z-]+)`"+` \|`).FindAllStringSubmatch(section(page, "## The action's inputs"), -1) {
		if _, ok := a.Inputs[m[1]]; !ok {
			t.Errorf("docs/ci.md has a row for %s, which is no input", m[1])
		}
	}
}

// section is a part of a page, from its heading to the next.
func section(page, heading string) string {
	_, rest, _ := strings.Cut(page, "\n"+heading+"\n")
	rest, _, _ = strings.Cut(rest, "\n## ")
	return rest
}

// TestCIGitLab: each job of the include runs scripts that exist, and its page names them.
func TestCIGitLab(t *testing.T) {
	var jobs map[string]struct {
		Extends string            `yaml:"extends"`
		Rules   []map[string]any  `yaml:"rules"`
		Before  []string          `yaml:"before_script"`
		Script  []string          `yaml:"script"`
		Group   string            `yaml:"resource_group"`
		Cache   map[string]any    `yaml:"cache"`
		Vars    map[string]string `yaml:"variables"`
	}
	if err := yaml.Unmarshal([]byte(readFile(t, "ci/gitlab.yml")), &jobs); err != nil {
		t.Fatal(err)
	}
	page := readFile(t, "docs/ci.md")
	for _, name := range []string{"plan", "apply", "drift"} {
		job, ok := jobs[".descope-mgmt-"+name]
		if !ok || len(job.Rules) == 0 || !strings.HasSuffix(strings.Join(job.Script, "\n"), `/ci/run.sh" `+name) {
			t.Errorf("the job for %s: %+v", name, job)
		}
		policy := map[bool]string{true: "pull-push", false: "pull"}[name == "apply"]
		if job.Cache["policy"] != policy {
			t.Errorf("the cache of %s is %v: only what applies writes it", name, job.Cache)
		}
		if !strings.Contains(page, ".descope-mgmt-"+name) {
			t.Errorf("docs/ci.md does not show .descope-mgmt-%s", name)
		}
	}
	if jobs[".descope-mgmt-apply"].Group == "" {
		t.Error("two applies could run at once")
	}
	for name, job := range jobs {
		for _, line := range append(job.Before, job.Script...) {
			for _, m := range regexp.MustCompile(`/(ci/[a-z]+\.sh)`).FindAllStringSubmatch(line, -1) {
				readFile(t, m[1])
			}
			if strings.Contains(line, "KEY") || strings.Contains(line, "TOKEN") {
				t.Errorf("%s has a secret in a command: %s", name, line)
			}
		}
	}
}

// TestCIHooks: the hooks for pre-commit are complete, and the script hooks.txtar runs the
// entry of each.
func TestCIHooks(t *testing.T) {
	var hooks []struct {
		ID          string `yaml:"id"`
		Name        string `yaml:"name"`
		Description string `yaml:"description"`
		Entry       string `yaml:"entry"`
		Language    string `yaml:"language"`
		Files       string `yaml:"files"`
		Exclude     string `yaml:"exclude"`
	}
	if err := yaml.Unmarshal([]byte(readFile(t, ".pre-commit-hooks.yaml")), &hooks); err != nil {
		t.Fatal(err)
	}
	matches := map[string][]string{
		"descope-mgmt-fmt":       {"envs/dev/dev.cue", "!cue.mod/module.cue", "!schema/tenant.cue", "!README.md"},
		"descope-mgmt-validate":  {"envs/tenants.cue", "cue.mod/module.cue", "descope.yaml", ".descope/prod.yml", "envs/flows/a.json", "!main.go"},
		"descope-mgmt-flow-lint": {"envs/flows/sign-in.json", "!envs/other.json", "!package.json"},
	}
	if len(hooks) != len(matches) {
		t.Fatalf("%d hooks", len(hooks))
	}
	script := readFile(t, "internal/cli/testdata/script/hooks.txtar")
	page := readFile(t, "docs/pre-commit.md")
	for _, h := range hooks {
		if h.Name == "" || h.Description == "" || h.Language != "golang" || !strings.HasPrefix(h.Entry, "descope-mgmt ") {
			t.Errorf("%+v", h)
		}
		if !strings.Contains(script, " "+h.Entry) || !strings.Contains(page, h.ID) {
			t.Errorf("hooks.txtar does not run %q, or docs/pre-commit.md does not name %s", h.Entry, h.ID)
		}
		for _, name := range matches[h.ID] {
			file, not := strings.CutPrefix(name, "!")
			hit := regexp.MustCompile(h.Files).MatchString(file) && (h.Exclude == "" || !regexp.MustCompile(h.Exclude).MatchString(file))
			if hit == not {
				t.Errorf("%s takes %s: %v", h.ID, file, hit)
			}
		}
	}
}

// TestCIScripts: they can be read by bash, run, and begin by stopping at mistakes.
func TestCIScripts(t *testing.T) {
	scripts, err := filepath.Glob(filepath.Join("..", "ci", "*.sh"))
	if err != nil || len(scripts) < 4 {
		t.Fatalf("%d scripts (%v)", len(scripts), err)
	}
	for _, s := range scripts {
		text, err := os.ReadFile(s)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(text), "#!/usr/bin/env bash\n") || !strings.Contains(string(text), "\nset -euo pipefail\n") {
			t.Errorf("%s does not begin as scripts do", s)
		}
		if info, err := os.Stat(s); err != nil || info.Mode()&0o111 == 0 && os.PathSeparator == '/' {
			t.Errorf("%s cannot be run (%v)", s, err)
		}
		if out, err := exec.Command("bash", "-n", s).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", s, err, out)
		}
	}
}
