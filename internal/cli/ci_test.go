package cli

import (
	"os"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	"go.yaml.in/yaml/v3"
)

// gitlabJob is what a job of GitLab says.
type gitlabJob struct {
	Extends   string            `yaml:"extends"`
	Variables map[string]string `yaml:"variables"`
	Before    []string          `yaml:"before_script"`
	Script    []string          `yaml:"script"`
}

// cmdJobScript writes what a job of GitLab runs into a file, with the variables that it
// sets where the script has set none: "jobscript FILE JOB SCRIPT".
func cmdJobScript(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: jobscript FILE JOB SCRIPT")
	}
	data, err := os.ReadFile(args[0])
	ts.Check(err)
	var jobs map[string]gitlabJob
	ts.Check(yaml.Unmarshal(data, &jobs))
	job, ok := jobs[args[1]]
	if !ok || len(job.Script) == 0 {
		ts.Fatalf("%s has no job %s with a script", args[0], args[1])
	}
	base := jobs[job.Extends]
	var b strings.Builder
	for name, value := range base.Variables {
		b.WriteString(`export ` + name + `="${` + name + `:-` + value + `}"` + "\n")
	}
	b.WriteString(strings.Join(append(base.Before, job.Script...), "\n") + "\n")
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(b.String()), 0o600))
}
