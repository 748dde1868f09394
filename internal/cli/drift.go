package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
	"pcconnect.ai/descope-mgmt/internal/store"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

type driftOptions struct {
	*app
	several severalFlags
	targets []string
	ignore  []string
	resolve resolveOptions
}

func newDriftCmd(a *app) *cobra.Command {
	o := &driftOptions{app: a}
	cmd := &cobra.Command{
		Use:   "drift",
		Short: "Show where a project differs from its configuration",
		Long: `Drift reads a project and compares it with its configuration, field by field:
what differs, who moved it since it was last applied, and since when. Resources that
were never applied are counted and are no drift. Without --resolve it writes nothing,
neither to Descope nor to the configuration.

With --resolve it asks of each object that differs what is to be:
  apply    the configuration is right: it is written to the project, as by sync
  adopt    the project is right: its values are written into the configuration
  ignore   both may stay as they are: that is put on record beside the configuration,
           and holds for plan and sync, too, until the live value moves again
  skip     nothing for now: it differs the next time, too
--apply, --adopt and --accept answer beforehand; --accept is the answer ignore. The flag
--ignore decides nothing: it leaves something out of this one report. --adopt-existing
allows apply to change resources that this tool never applied.
Exit 0: no drift. 2: drift. 1: it could not be told.`,
		Example: `  descope-mgmt drift --env prod
  descope-mgmt drift --all -o json | jq '.environments[].objects[].address'
  descope-mgmt drift --env dev --ignore 'tenant/*.custom_attributes.plan'
  descope-mgmt drift --env staging --resolve
  descope-mgmt drift --env staging --resolve --adopt tenant/acme-corp.name --yes`,
		Args:        noArgs,
		Annotations: formats(formatText, formatJSON, formatYAML, formatMarkdown),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.run(cmd.Context())
		},
	}
	o.several.add(cmd)
	addList(cmd.Flags(), &o.targets, "target", "only these resources, for example tenant/acme-corp")
	addList(cmd.Flags(), &o.ignore, "ignore", "leave out, this time, these addresses or fields (ADDRESS or ADDRESS.FIELD, * is any text); --resolve --accept is for good")
	must(cmd.RegisterFlagCompletionFunc("target", a.completeAddresses))
	must(cmd.RegisterFlagCompletionFunc("ignore", a.completeAddresses))
	o.resolve.add(a, cmd)
	return cmd
}

func (o *driftOptions) run(ctx context.Context) error {
	if err := o.resolve.check(o.now()); err != nil {
		return err
	}
	names, err := o.several.names(o.app)
	if err != nil {
		return err
	}
	if names == nil {
		_, err := o.one(ctx, o.show)
		return err
	}
	if o.resolve.wanted {
		return configError("", "--resolve is for one environment at a time: name one with --env")
	}
	return o.many(ctx, names)
}

// one reports the drift of one environment and, if it is to be resolved, does that.
func (o *driftOptions) one(ctx context.Context, show func(*plan.Drift) error) (d *plan.Drift, err error) {
	c, err := o.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer closing(c, &err)
	c.tellWhatIsLost()
	d, err = o.detect(ctx, c)
	if err != nil {
		return nil, err
	}
	if o.flags.output != formatText { // there it has been said
		d.Warnings = append(d.Warnings, c.warnings...)
	}
	c.logDrift(ctx, d)
	if err := show(d); err != nil {
		return d, err
	}
	if o.resolve.wanted && !d.Clean() {
		return d, o.resolveAll(ctx, c, d)
	}
	if !d.Clean() {
		return d, exitWith(exitDifferences)
	}
	return d, nil
}

// detect compares an environment with its project, which is read anew, flows too.
func (o *driftOptions) detect(ctx context.Context, c *connection) (*plan.Drift, error) {
	c.exportAnew = true
	r := c.request(c.app.operation(), c.compiled.State)
	r.options.Encode = nil
	var err error
	if r.options.Targets, err = parseKeys(o.targets); err != nil {
		return nil, err
	}
	p, err := c.plan(ctx, &r)
	if err != nil {
		return nil, err
	}
	options := plan.DriftOptions{Ignore: o.ignore}
	if !p.Empty() || len(p.Orphans) > 0 { // all runs on record are read for it
		if options.Since, err = c.since(); err != nil {
			return nil, err
		}
	}
	return plan.DriftOf(p, c.last, options), nil
}

// since says when objects of the project were applied last, by the runs on record.
func (c *connection) since() (map[model.Key]plan.Since, error) {
	runs, err := c.state.Runs()
	if err != nil {
		return nil, err
	}
	found := map[model.Key]plan.Since{}
	for _, r := range runs { // newest first
		if r.Err != nil || r.Result == nil || r.Info.Project != c.project || r.Info.BaseURL != c.baseURL {
			continue
		}
		for _, o := range r.Result.Outcomes {
			if _, known := found[o.Key]; !known && o.Status == statusDone {
				found[o.Key] = plan.Since{Run: r.Info.ID, At: r.Info.Started}
			}
		}
	}
	return found, nil
}

// show prints the report of a single environment.
func (o *driftOptions) show(d *plan.Drift) error {
	switch o.flags.output {
	case formatText:
		next := ""
		if !o.resolve.wanted {
			next = o.here("descope-mgmt drift --resolve --env " + d.Environment)
		}
		o.print(ui.DriftText(d, next, o.streams.OutStyle()))
		return nil
	case formatMarkdown:
		o.print(ui.MarkdownDocument(o.several.marker(markerDrift, d.Environment), ui.DriftMarkdown(d)))
		return nil
	}
	if o.resolve.wanted { // the one document is what became of it
		o.note(ui.DriftText(d, "", o.streams.ErrStyle()))
		return nil
	}
	return o.encode(d)
}

// driftDocument is drift of several environments in JSON.
type driftDocument struct {
	Environments []any       `json:"environments"`
	Matrix       plan.Matrix `json:"matrix"`
}

// unreadDrift stands for an environment of which nothing could be told.
type unreadDrift struct {
	Environment string `json:"environment"`
	Error       string `json:"error"`
}

// many reports several environments, and puts them side by side.
func (o *driftOptions) many(ctx context.Context, names []string) error {
	code, document := exitOK, driftDocument{}
	var reports []*plan.Drift
	var parts []ui.MarkdownPart
	err := o.visit(names, func(_ int, name string) (bool, error) {
		d, err := o.one(ctx, func(d *plan.Drift) error {
			switch o.flags.output {
			case formatText:
				return o.show(d)
			case formatMarkdown:
				parts = append(parts, ui.DriftMarkdown(d))
			}
			return nil
		})
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		failed := d == nil || err != nil && exitCode(err) != exitDifferences
		if failed {
			o.fail(err)
			code, d = exitFailed, nil
			parts = append(parts, ui.FailedMarkdown("Drift of", name, messageOf(err)))
			document.Environments = append(document.Environments, unreadDrift{name, messageOf(err)})
		} else {
			code = worse(code, exitCode(err))
			document.Environments = append(document.Environments, d)
		}
		reports = append(reports, d)
		return true, nil
	})
	if err != nil {
		return err
	}
	document.Matrix = plan.MatrixOf(names, reports)
	switch o.flags.output {
	case formatText:
		o.print(ui.Heading("All environments", true, o.streams.OutStyle()) + ui.MatrixText(document.Matrix, o.streams.OutStyle()))
	case formatMarkdown:
		parts = append(parts, ui.MatrixMarkdown(document.Matrix))
		o.print(ui.MarkdownDocument(o.several.marker(markerDrift, names...), parts...))
	default:
		if err := o.encode(document); err != nil {
			return err
		}
	}
	return exitWith(code)
}

// logDrift puts what was found on record. That it cannot be is told, and no reason to
// keep it from the user.
func (c *connection) logDrift(ctx context.Context, d *plan.Drift) {
	if d.Clean() {
		return
	}
	var notes, resources []string
	for _, o := range d.Objects {
		resources = append(resources, o.Key.String())
		if len(o.Fields) == 0 {
			notes = append(notes, fmt.Sprintf("%s: %s, moved by %s", o.Key, o.Kind, o.Moved))
		}
		for _, f := range o.Fields {
			notes = append(notes, fmt.Sprintf("%s %s: moved by %s", o.Key, f.Path, f.Moved))
		}
	}
	if err := c.audit(ctx, "drift", resources, notes); err != nil {
		c.app.note("warning: the drift that was found could not be put on record: " + messageOf(err) + "\n")
	}
}

// audit records something that is no run.
func (c *connection) audit(ctx context.Context, status string, resources, notes []string) error {
	who := c.app.identify(ctx)
	_, err := c.state.Audit().Append(ctx, store.AuditRecord{
		Time: c.app.now(), Phase: store.PhaseOutcome, User: who.user, Host: who.host, PID: who.pid, Operation: c.app.operation(),
		Environment: c.env, Project: c.project, BaseURL: c.baseURL, GitCommit: who.commit,
		Resources: resources, Guards: []string{}, Flags: c.app.given(), Status: status, Notes: notes,
	})
	return err
}
