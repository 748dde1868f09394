package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"pcconnect.ai/descope-mgmt/internal/compiler"
	"pcconnect.ai/descope-mgmt/internal/plan"
	"pcconnect.ai/descope-mgmt/internal/report"
	"pcconnect.ai/descope-mgmt/internal/store"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

// formatHTML is a page for a browser.
const formatHTML = "html"

type reportOptions struct {
	*app
	several severalFlags
	live    bool
	out     string
}

func newReportCmd(a *app) *cobra.Command {
	o := &reportOptions{app: a}
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Write environments, changes and history into one HTML page",
		Long: `Report writes a page that shows which tenants and flows each environment has and where
environments differ, flows as drawings, and the runs of the audit log. With --live it
reads the projects and shows what sync would change, and who moved it.

The page is one file and needs nothing else: no network, no server. It holds ids, names
and values of tenants; whoever gets it can read them.

An environment that cannot be read is in the page with the reason; the exit code is then
that of the first such error.`,
		Example: `  descope-mgmt report --out report.html
  descope-mgmt report --env staging,prod --live --out report.html`,
		Args:        noArgs,
		Annotations: formats(formatHTML),
		RunE:        func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context()) },
	}
	o.several.add(cmd)
	cmd.Flags().BoolVar(&o.live, "live", false, "read the projects, and show what differs from them")
	cmd.Flags().StringVar(&o.out, "out", "", "write the page to this file, or over a page that report wrote; - is stdout (default: stdout)")
	return cmd
}

func (o *reportOptions) run(ctx context.Context) error {
	if o.out == "" && o.streams.OutTTY {
		return configError("descope-mgmt report --out report.html", "a page is for a browser; name a file for it with --out")
	}
	toStdout := o.out == "" || o.out == "-"
	if !toStdout {
		if err := o.replaceable(); err != nil {
			return err
		}
	}
	names, err := o.environments()
	if err != nil {
		return err
	}
	page := report.Report{Tool: version(), Generated: o.now()}
	var first error
	objects := 0
	targets := map[string]target{}
	for _, name := range names {
		e, of, err := o.look(ctx, name)
		targets[name] = of
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			o.note(ui.Safe("Environment "+name+": "+e.Problem) + "\n")
			if first == nil {
				first = err
			}
		}
		objects += e.State.Len()
		page.Environments = append(page.Environments, e)
	}
	if page.Runs, err = o.runsOf(targets); err != nil {
		page.AuditProblem = err.Error()
		o.note("warning: " + ui.Safe(err.Error()) + "\n")
		if first == nil {
			first = err
		}
	}
	var b bytes.Buffer
	if err := report.Write(&b, page); err != nil {
		return err
	}
	if toStdout {
		o.print(b.String())
	} else {
		if err := store.WriteFileAtomic(o.path(o.out), b.Bytes()); err != nil {
			return o.notWritten("writing the report", o.out, err)
		}
		o.note(fmt.Sprintf("Wrote %s: %s with %s, %s.\n", ui.Safe(o.out), ui.Counted(len(names), "environment"), ui.Counted(objects, "object"), ui.Counted(len(page.Runs), "run")))
	}
	if first != nil {
		return exitWith(exitCode(first))
	}
	return nil
}

// replaceable refuses --out where something is that report has not written.
func (o *reportOptions) replaceable() error {
	path := o.path(o.out)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return configError("", "writing the report: %w", err)
	}
	if info.Mode().IsRegular() {
		f, err := os.Open(path)
		if err != nil {
			return configError("", "writing the report: %w", err)
		}
		defer f.Close() //nolint:errcheck // only read from
		beginning, err := io.ReadAll(io.LimitReader(f, 4096))
		if err != nil {
			return configError("", "writing the report: %w", err)
		}
		if report.IsPage(beginning) {
			return nil
		}
	}
	return configError("descope-mgmt report --out report.html", "%s exists and is no page that report wrote, so it is not replaced; name another file with --out", o.out)
}

// environments are those of --env, in this order, or all.
func (o *reportOptions) environments() ([]string, error) {
	o.several.all = o.several.all || o.flags.env == ""
	names, err := o.several.names(o.app)
	switch {
	case err != nil:
		return nil, err
	case len(names) > 0:
		return names, nil
	case o.several.all:
		return nil, configError("", "there are no environments: envs/ has no directory with a .cue file")
	}
	m, err := o.module()
	if err != nil {
		return nil, err
	}
	all, err := m.Environments()
	if err != nil {
		return nil, configError("", "%w", err)
	}
	return []string{o.flags.env}, known(o.flags.env, fromEnvFlag, all)
}

// look finds out about an environment. With an error there is what is known all the
// same, and the reason why that is not all.
func (o *reportOptions) look(ctx context.Context, name string) (e report.Environment, of target, err error) {
	e = report.Environment{Name: name}
	m, err := o.module()
	if err != nil {
		return e, of, err
	}
	compiled, diagnostics := compile(ctx, m, name)
	if compiled == nil {
		mistakes := diagnostics.Errors()
		e.Problem = fmt.Sprintf("does not compile: %s (descope-mgmt validate %s)", ui.Counted(len(mistakes), "mistake"), name)
		return e, of, &diagnosticsError{diagnostics: diagnostics}
	}
	e.Project, e.Protected = compiled.Environment.ProjectID, compiled.Environment.Protected
	e.State, e.Excluded = compiled.State, compiled.Excluded
	if of, err = o.target(m, compiled); err != nil || !o.live {
		return e, of, err
	}
	there := *o.app
	there.flags.env = name
	err = there.onConnection(ctx, func(c *connection) error {
		e.Project = c.project
		r, err := (&scopeFlags{}).request(c)
		if err != nil {
			return err
		}
		p, err := c.plan(ctx, &r)
		if err != nil {
			return err
		}
		e.Plan = withoutSteps(p)
		e.Since, err = c.since()
		return err
	})
	if err != nil {
		e.Problem = err.Error()
	}
	return e, of, err
}

// target is where an environment is: another configuration may have an environment of
// its name. What is not known is "".
type target struct{ project, baseURL string }

func (t target) has(r store.AuditRecord) bool {
	same := func(want, is string) bool { return want == "" || is == "" || want == is }
	return same(t.project, r.Project) && same(t.baseURL, r.BaseURL)
}

// target is that of an environment, as far as it can be told. That it cannot is no
// mistake of a page that needs no project.
func (o *reportOptions) target(m *compiler.Module, compiled *compiler.Result) (t target, err error) {
	v, err := o.variables(m)
	if err != nil {
		return t, err
	}
	project, err := o.projectOf(compiled.Environment.Name, compiled, v)
	if err != nil {
		return target{project: compiled.Environment.ProjectID}, nil
	}
	t.project = project.value
	if base, err := o.serverOf(compiled, t.project, v); err == nil {
		t.baseURL = base.value
	}
	return t, nil
}

// withoutSteps is a plan that nobody will run.
func withoutSteps(p *plan.Plan) *plan.Plan {
	out := *p
	out.Changes = slices.Clone(p.Changes)
	for i := range out.Changes {
		out.Changes[i].Steps = nil
	}
	return &out
}

// maxResources bounds how many objects of a run are listed.
const maxResources = 200

// runsOf are the runs of environments in the audit log, the newest first. With an error
// they are those before the place where the log is broken.
func (o *reportOptions) runsOf(targets map[string]target) ([]report.Run, error) {
	dir, err := o.openState()
	if err != nil {
		return nil, err
	}
	records, broken := dir.Audit().Records()
	began := map[string]int64{}
	runs := map[string]report.Run{}
	for _, r := range records {
		if of, asked := targets[r.Environment]; !asked || !of.has(r) {
			continue
		}
		run := report.Run{
			Time: r.Time, Environment: r.Environment, Operation: r.Operation, Status: r.Status, User: r.User, Run: r.Run,
			Create: r.Create, Update: r.Update, Delete: r.Delete, Resources: r.Resources, Error: r.Error,
		}
		if more := len(r.Resources) - maxResources; more > 0 {
			run.Resources = append(slices.Clone(r.Resources[:maxResources]), fmt.Sprintf("and %d more", more))
		}
		if r.Phase == store.PhaseIntent {
			run.Status, began[r.Run] = statusOpen, r.Seq
		} else {
			run.Time = runs[r.Run].Time // when it began
			if run.Time.IsZero() {
				run.Time = r.Time
			}
		}
		runs[r.Run] = run
	}
	newest := slices.SortedFunc(maps.Keys(runs), func(a, b string) int { return int(began[b] - began[a]) })
	out := make([]report.Run, 0, len(newest))
	for _, id := range newest {
		out = append(out, runs[id])
	}
	if broken != nil {
		return out, brokenAudit(broken)
	}
	return out, nil
}
