package scaffold

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"cuelang.org/go/cmd/cue/cmd"
	"github.com/google/go-cmp/cmp"
	"github.com/rhysd/actionlint"
	"go.yaml.in/yaml/v3"

	"pcconnect.ai/descope-mgmt/internal/compiler"
)

const (
	devProject  = "P2devdevdevdevdevdevdevdevde"
	prodProject = "P2prodprodprodprodprodprodpr"
)

// variants are configurations that differ in all that a template asks for.
func variants() map[string]Options {
	const module = "example.com/identity"
	of := Options{
		Module: module, ModuleFile: compiler.ModuleFile(module), Schema: compiler.SchemaCopyFiles(), Example: true, Branch: "main", Action: "acme/descope-mgmt@v1",
		Environments: []Environment{{Name: "dev"}, {Name: "staging"}, {Name: "prod", Protected: true}},
	}
	all := map[string]Options{"plain": of}
	of.Environments = []Environment{{Name: "dev", ProjectID: devProject}, {Name: "eu-prod", ProjectID: prodProject, Protected: true}}
	all["with projects"] = of
	of.Example, of.Below, of.Branch = false, "teams/identity", "trunk"
	all["below"] = of
	of.Environments, of.Action = []Environment{{Name: "prod", Protected: true}}, "<OWNER>/descope-mgmt@main"
	all["one"] = of
	return all
}

// write writes a configuration.
func write(t *testing.T, o Options) (dir string, files []File) {
	t.Helper()
	if err := o.Check(); err != nil {
		t.Fatal(err)
	}
	files, err := Files(o)
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	for _, f := range files {
		path := filepath.Join(dir, filepath.FromSlash(f.Path))
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir, files
}

// TestEvaluation: what is made is valid, formatted, and the same to the cue command as
// to this program.
func TestEvaluation(t *testing.T) {
	t.Setenv("CUE_REGISTRY", "none")
	t.Setenv("CUE_CACHE_DIR", t.TempDir())
	for name, o := range variants() {
		dir, _ := write(t, o)
		m, err := compiler.Find(dir)
		if err != nil {
			t.Fatal(name, err)
		}
		results, diags := compiler.CompileAll(context.Background(), m)
		if len(diags) > 0 || len(results) != len(o.Environments) {
			t.Errorf("%s: %d environments, %v", name, len(results), diags)
		}
		if status, files := compiler.SchemaCopy(m); status != compiler.SchemaCurrent {
			t.Errorf("%s: %s", name, compiler.SchemaDetail(files))
		}
		if changed, diags := compiler.Format([]string{dir}, true); len(changed)+len(diags) > 0 {
			t.Errorf("%s: not formatted: %v, %v", name, changed, diags)
		}
		t.Chdir(dir)
		cue(t, "vet", "./schema")
		for _, e := range o.Environments {
			cue(t, "vet", "-c", "./envs/"+e.Name)
			ours, diags := compiler.Eval(context.Background(), m, e.Name, compiler.EvalOptions{Format: compiler.FormatJSON})
			if ours == nil {
				t.Fatal(name, diags)
			}
			var a, b map[string]any
			if err := json.Unmarshal(ours, &a); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(cue(t, "export", "./envs/"+e.Name), &b); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(a, b) {
				t.Errorf("%s, %s: %s", name, e.Name, cmp.Diff(a, b))
			}
			if tenants, _ := a["tenants"].(map[string]any); (len(tenants) == 1) != o.Example {
				t.Errorf("%s, %s: tenants %v", name, e.Name, tenants)
			}
			about, _ := a["environment"].(map[string]any)
			if id, _ := about["project_id"].(string); id != e.ProjectID || (about["protected"] == true) != e.Protected {
				t.Errorf("%s, %s: %v", name, e.Name, about)
			}
		}
	}
}

// cue runs the cue command in this process.
func cue(t *testing.T, args ...string) []byte {
	t.Helper()
	c, err := cmd.New(args)
	if err != nil {
		t.Fatal(err)
	}
	var out, said bytes.Buffer
	c.SetOut(&out)
	c.SetErr(&said)
	if err := c.Run(context.Background()); err != nil {
		t.Errorf("cue %s: %v\n%s", strings.Join(args, " "), err, said.String())
	}
	return out.Bytes()
}

// TestWorkflow holds the workflow to what GitHub takes, by a linter that is not ours.
func TestWorkflow(t *testing.T) {
	for name, o := range variants() {
		text := textOf(t, o, ".github/workflows/descope.yml")
		linter, err := actionlint.NewLinter(os.Stderr, &actionlint.LinterOptions{})
		if err != nil {
			t.Fatal(err)
		}
		problems, err := linter.Lint(".github/workflows/descope.yml", text, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range problems {
			t.Errorf("%s: %v", name, p)
		}
		for _, e := range o.Environments {
			if n := strings.Count(string(text), "- env: "+e.Name+"\n"); n != 3 {
				t.Errorf("%s: %s is in %d jobs", name, e.Name, n)
			}
		}
		if strings.Contains(string(text), "# Whose action it is") == o.ActionKnown() || strings.Count(string(text), "uses: "+o.Action+"\n") != 3 {
			t.Errorf("%s: whose action it is:\n%s", name, text)
		}
		if strings.Contains(string(text), "working-directory: teams/identity") != (o.Below != "") {
			t.Errorf("%s:\n%s", name, text)
		}
	}
}

// TestWorkflowInputs: the jobs give the action of this repository what it takes, and what
// it demands.
func TestWorkflowInputs(t *testing.T) {
	text, err := os.ReadFile("../../action.yml")
	if os.IsNotExist(err) {
		t.Skip("this repository has no action.yml")
	}
	if err != nil {
		t.Fatal(err)
	}
	var action struct {
		Inputs map[string]struct{ Required bool }
	}
	if err := yaml.Unmarshal(text, &action); err != nil || len(action.Inputs) == 0 {
		t.Fatalf("%v, %d inputs", err, len(action.Inputs))
	}
	for name, o := range variants() {
		var workflow struct {
			Jobs map[string]struct {
				Steps []struct {
					Uses string
					With map[string]string
				}
			}
		}
		if err := yaml.Unmarshal(textOf(t, o, ".github/workflows/descope.yml"), &workflow); err != nil {
			t.Fatal(err)
		}
		uses := 0
		for job, j := range workflow.Jobs {
			for _, step := range j.Steps {
				if step.Uses != o.Action {
					continue
				}
				uses++
				for input := range step.With {
					if _, ok := action.Inputs[input]; !ok {
						t.Errorf("%s: the job %s gives %s, which the action does not take", name, job, input)
					}
				}
				for input, of := range action.Inputs {
					if of.Required && step.With[input] == "" {
						t.Errorf("%s: the job %s does not give %s", name, job, input)
					}
				}
			}
		}
		if uses != 3 {
			t.Errorf("%s: the action is used %d times", name, uses)
		}
	}
}

func textOf(t *testing.T, o Options, path string) []byte {
	t.Helper()
	files, err := Files(o)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(files, func(f File) bool { return f.Path == path })
	if i < 0 {
		t.Fatalf("there is no %s", path)
	}
	return files[i].Text
}

// TestForms: files of other programs have the form that these read, and all end in one
// line end.
func TestForms(t *testing.T) {
	for name, o := range variants() {
		files, err := Files(o)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, f := range files {
			if seen[f.Path] || !filepath.IsLocal(f.Path) {
				t.Errorf("%s: %s comes twice, or leads out", name, f.Path)
			}
			seen[f.Path] = true
			if !bytes.HasSuffix(f.Text, []byte("\n")) || bytes.HasSuffix(f.Text, []byte("\n\n")) || bytes.Contains(f.Text, []byte("<no value>")) || bytes.Contains(f.Text, []byte("<<")) || bytes.Contains(f.Text, []byte(" \n")) {
				t.Errorf("%s: %s:\n%s", name, f.Path, f.Text)
			}
			var v any
			switch filepath.Ext(f.Path) {
			case ".json":
				err = json.Unmarshal(f.Text, &v)
			case ".yml", ".yaml":
				err = yaml.Unmarshal(f.Text, &v)
			}
			if err != nil {
				t.Errorf("%s: %s: %v", name, f.Path, err)
			}
		}
		var hooks struct {
			Repos []struct {
				Repo  string
				Hooks []struct {
					ID, Entry, Language, Files string
					PassFilenames              *bool `yaml:"pass_filenames"`
				}
			}
		}
		if err := yaml.Unmarshal(textOf(t, o, ".pre-commit-config.yaml"), &hooks); err != nil || len(hooks.Repos) != 1 || len(hooks.Repos[0].Hooks) != 2 {
			t.Fatalf("%s: %v, %+v", name, err, hooks)
		}
		prefix, in := "", ""
		if o.Below != "" {
			prefix, in = o.Below+"/", " -C "+o.Below
		}
		for i, want := range []string{"descope-mgmt fmt --check" + in, "descope-mgmt validate" + in} {
			h := hooks.Repos[0].Hooks[i]
			if h.Entry != want || h.Language != "system" || h.PassFilenames == nil || *h.PassFilenames || !regexp.MustCompile(h.Files).MatchString(prefix+"envs/dev/dev.cue") || regexp.MustCompile(h.Files).MatchString("schema/tenant.cue") {
				t.Errorf("%s: %+v", name, h)
			}
		}
	}
}

// TestProblemMatcher: the task of VS Code finds what validate prints.
func TestProblemMatcher(t *testing.T) {
	var tasks struct {
		Tasks []struct {
			ProblemMatcher struct {
				Pattern struct {
					Regexp                                string
					File, Line, Column, Severity, Message int
				}
			}
		}
	}
	if err := json.Unmarshal(textOf(t, variants()["plain"], ".vscode/tasks.json"), &tasks); err != nil {
		t.Fatal(err)
	}
	p := tasks.Tasks[0].ProblemMatcher.Pattern
	for line, want := range map[string][]string{
		`envs/dev/dev.cue:3:47: flow/f: config: unknown field "nothing"`:   {"envs/dev/dev.cue", "3", "47", "", `flow/f: config: unknown field "nothing"`},
		`envs/tenants.cue:9:1: warning: tenant/acme-corp: a name: is long`: {"envs/tenants.cue", "9", "1", "warning", "tenant/acme-corp: a name: is long"},
		`    fields: sign_up, redirect_url`:                                nil,
		`1 error`:                                                          nil,
	} {
		m := regexp.MustCompile(p.Regexp).FindStringSubmatch(line)
		if want == nil {
			if m != nil {
				t.Errorf("%q is a problem: %q", line, m)
			}
			continue
		}
		if m == nil {
			t.Errorf("%q is none", line)
		} else if got := []string{m[p.File], m[p.Line], m[p.Column], m[p.Severity], m[p.Message]}; !slices.Equal(got, want) {
			t.Errorf("%q: %q", line, got)
		}
	}
}

// TestVariables: the names of variables are those that the program looks up.
func TestVariables(t *testing.T) {
	text := string(textOf(t, variants()["with projects"], ".env.example"))
	for _, want := range []string{"\nDESCOPE_DEV_MANAGEMENT_KEY=\n", "\nDESCOPE_EU_PROD_MANAGEMENT_KEY=\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	if plain := string(textOf(t, variants()["plain"], ".env.example")); !strings.Contains(plain, "# DESCOPE_DEV_PROJECT_ID=") || strings.Contains(text, "PROJECT_ID") {
		t.Errorf("projects that are known are asked for, or others not:\n%s", plain)
	}
}

// TestAdditions: with the lines that are named, files of some environments are as if they
// had been made with one more.
func TestAdditions(t *testing.T) {
	for name, all := range variants() {
		last := len(all.Environments) - 1
		fewer := all
		fewer.Environments = all.Environments[:last]
		additions, err := Additions(all.Environments[last])
		if err != nil {
			t.Fatal(err)
		}
		if len(additions) != 2 {
			t.Fatalf("%s: %d files", name, len(additions))
		}
		for i, times := range []int{3, 1} { // in three jobs, and once
			a := additions[i]
			whole := string(textOf(t, all, a.Path))
			if n := strings.Count(whole, a.Lines); n != times || !strings.Contains(a.Lines, a.Variable) {
				t.Errorf("%s: %s has the lines %d times:\n%s", name, a.Path, n, a.Lines)
			}
			if last > 0 && strings.Contains(string(textOf(t, fewer, a.Path)), a.Variable) {
				t.Errorf("%s: %s without the environment names it", name, a.Path)
			}
		}
	}
}
