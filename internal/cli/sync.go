package cli

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"pcconnect.ai/descope-mgmt/internal/apply"
	"pcconnect.ai/descope-mgmt/internal/plan"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

// consentFlags are the flags with which a run is agreed to beforehand, or held
// back.
type consentFlags struct {
	dryRun         bool
	yes            bool
	onError        string
	massChange     bool
	overwriteDrift bool
	adoptExisting  bool
	confirmProject string
	deleteInUse    bool
	reapply        bool
	brokenFlows    bool
	forceUnlock    string
}

func (f *consentFlags) add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "show the plan and stop")
	cmd.Flags().BoolVarP(&f.yes, "yes", "y", false, "do not ask; what a guard stops still needs its own flag")
	cmd.Flags().BoolVar(&f.yes, "auto-approve", false, "the same as --yes")
	cmd.Flags().StringVar(&f.onError, "on-error", "", "after a failed change: stop, or continue with what does not depend on it (default: ask on a terminal, else stop)")
	cmd.Flags().BoolVar(&f.massChange, "allow-mass-change", false, "update or delete more than 30 % of what is managed")
	cmd.Flags().BoolVar(&f.overwriteDrift, "overwrite-drift", false, "overwrite values that moved live since the last apply")
	cmd.Flags().BoolVar(&f.adoptExisting, "adopt-existing", false, "take resources under management that exist and were never applied")
	cmd.Flags().StringVar(&f.confirmProject, "confirm-project", "", "project id, to confirm a run in a protected environment")
	cmd.Flags().BoolVar(&f.reapply, "allow-reapply", false, "apply again what a rollback took back")
	cmd.Flags().BoolVar(&f.brokenFlows, "allow-broken-flows", false, "write flows that cannot run as they are")
	cmd.Flags().StringVar(&f.forceUnlock, "force-unlock", "", "take the lock from the holder with this id, who must be dead (the refusal names the id)")
	must(cmd.RegisterFlagCompletionFunc("force-unlock", cobra.NoFileCompletions))
	must(cmd.RegisterFlagCompletionFunc("on-error", fixedCompletion(onErrorStop, onErrorContinue)))
	must(cmd.RegisterFlagCompletionFunc("confirm-project", cobra.NoFileCompletions))
}

func (f *consentFlags) consent() (consent, error) {
	switch f.onError {
	case "", onErrorStop, onErrorContinue:
	default:
		return consent{}, configError("", "--on-error %s: allowed are stop and continue", f.onError)
	}
	return consent{
		yes: f.yes, onError: f.onError,
		allowed: plan.Allowed{
			MassChange: f.massChange, OverwriteDrift: f.overwriteDrift,
			AdoptExisting: f.adoptExisting, ConfirmProject: f.confirmProject,
			DeleteInUse: f.deleteInUse, Reapply: f.reapply, BrokenFlows: f.brokenFlows,
		},
		forceUnlock: f.forceUnlock,
	}, nil
}

// begin opens the project for a command that writes, with what was agreed to
// beforehand. The caller closes the connection.
func (a *app) begin(ctx context.Context, f *consentFlags) (*connection, consent, error) {
	agreed, err := f.consent()
	if err != nil {
		return nil, agreed, err
	}
	c, err := a.connectTo(ctx, writing)
	if err != nil {
		return nil, agreed, err
	}
	if id := f.confirmProject; id != "" && id != c.project {
		err := refusedError("descope-mgmt env list", "nothing was applied: --confirm-project %s is not the project of environment %s, which is %s", id, c.env, c.project)
		return nil, agreed, errors.Join(err, c.close())
	}
	c.tellWhatIsLost()
	agreed.retry, agreed.flags = a.again(c.env), a.given()
	return c, agreed, nil
}

type syncOptions struct {
	*app
	scope   scopeFlags
	consent consentFlags
	file    string
	resume  string
	// unsealed: a plan whose seal cannot be checked is applied all the same.
	unsealed bool
}

func newSyncCmd(a *app) *cobra.Command {
	o := &syncOptions{app: a}
	cmd := &cobra.Command{
		Use:   "sync",
		Short: "Make a project what the configuration says",
		Long: `Sync evaluates an environment, reads its project, shows what differs, asks,
applies it, and reads again to see that nothing is left. Fields and resources that
the configuration does not name are left alone.
With --plan it applies exactly what a saved plan says, once, or refuses: if the project
or the configuration moved, or if its seal is broken, since it was edited or saved with
another state directory. With --dry-run, too, it shows what is in the file.
Several environments are done in the order given, until one is not clean.

Exit 0: done, or nothing to do. 3: partly applied. 6: refused, nothing written.`,
		Example: `  descope-mgmt sync --env dev
  descope-mgmt sync --env staging --yes
  descope-mgmt sync --env test,devtest,dev --yes
  descope-mgmt sync --env prod --plan prod.plan --yes --confirm-project P2abc…`,
		Args:        noArgs,
		Annotations: formats(formatText, formatJSON, formatYAML, formatMarkdown),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.flags.output == formatMarkdown && !o.consent.dryRun {
				return configError("descope-mgmt sync --dry-run -o markdown", "-o markdown shows what would be done, which is --dry-run")
			}
			var several severalFlags // a list: the order matters, so that there is no --all
			names, err := several.names(a)
			if names != nil && (o.file != "" || o.resume != "" || o.consent.confirmProject != "" || o.consent.forceUnlock != "") {
				err = configError("", "--plan, --resume, --confirm-project and --force-unlock are for one environment at a time")
			}
			if err != nil {
				return err
			}
			return a.each(cmd.Context(), several, func(err error) bool { return err != nil }, o.run)
		},
	}
	o.scope.add(a, cmd)
	o.consent.add(cmd)
	addDeleteInUse(cmd, &o.consent)
	cmd.Flags().StringVar(&o.file, "plan", "", "apply this saved plan")
	cmd.Flags().BoolVar(&o.unsealed, "allow-unsealed-plan", false, "apply a saved plan although its seal cannot be checked here")
	cmd.Flags().StringVar(&o.resume, "resume", "", "finish this `RUN`, or the latest: do what failed or was not run (runs list has their ids)")
	must(cmd.RegisterFlagCompletionFunc("resume", a.completeRuns))
	return cmd
}

func (o *syncOptions) run(ctx context.Context) (err error) {
	if o.file != "" && len(o.scope.targets)+len(o.scope.prune)+len(o.scope.pruneUnmanaged) > 0 {
		return configError("", "--plan says already what is done: --target, --prune and --prune-unmanaged belong to descope-mgmt plan --out")
	}
	if o.resume != "" {
		return o.resumeRun(ctx)
	}
	c, agreed, err := o.begin(ctx, &o.consent)
	if err != nil {
		return err
	}
	defer closing(c, &err)
	r, err := o.scope.request(c)
	if err != nil {
		return err
	}
	if o.file != "" {
		agreed.allowed.SavedPlan = true
		return o.runSaved(ctx, c, r, agreed)
	}
	p, err := c.planToRun(ctx, &r, agreed, o.consent.dryRun)
	if err != nil {
		return err
	}
	return c.showAndRun(ctx, r, p, agreed, o.consent.dryRun)
}

// addDeleteInUse adds the flag that lets a command delete what is in use.
func addDeleteInUse(cmd *cobra.Command, f *consentFlags) {
	cmd.Flags().BoolVar(&f.deleteInUse, "allow-delete-in-use", false, "delete tenants that have users, access keys, SSO or children")
}

// resumeRun finishes a run on record.
func (o *syncOptions) resumeRun(ctx context.Context) (err error) {
	if o.file != "" || len(o.scope.targets)+len(o.scope.prune)+len(o.scope.pruneUnmanaged) > 0 {
		return configError("", "--resume says already what is done: leave out --plan, --target, --prune and --prune-unmanaged")
	}
	if err := o.inEnvironmentOf(ctx, o.resume); err != nil {
		return err
	}
	c, agreed, err := o.begin(ctx, &o.consent)
	if err != nil {
		return err
	}
	defer closing(c, &err)
	rec, err := c.ended(ctx, o.resume, agreed, o.consent.dryRun)
	if err != nil {
		return err
	}
	r, err := c.resumption(ctx, rec)
	if err != nil {
		return err
	}
	p, err := c.planToRun(ctx, &r, agreed, o.consent.dryRun)
	if err != nil {
		return err
	}
	o.note(statusLine(rec, account(rec, c.live)))
	return c.showAndRun(ctx, r, p, agreed, o.consent.dryRun)
}

// showAndRun shows a plan and, unless there is nothing to do, runs it. In JSON
// and YAML the one document of a run is its result, and of a dry run its plan.
func (c *connection) showAndRun(ctx context.Context, r request, p *plan.Plan, agreed consent, dryRun bool) error {
	var err error
	switch {
	case c.app.flags.output == formatText || dryRun:
		err = c.showPlan(p, agreed)
	case p.Empty():
		err = c.app.encode(ui.ResultJSON(apply.Result{}, ui.Summary{Warnings: c.warnings}))
	}
	if err != nil || dryRun {
		return err
	}
	if p.Empty() {
		return c.remember(ctx, r, p, agreed)
	}
	if c.app.flags.output != formatText && !agreed.yes && c.app.streams.InTTY {
		// Nobody can agree to what they have not seen.
		c.app.note(ui.PlanText(p, agreed.allowed, c.forecast(p, agreed), c.app.streams.ErrStyle()))
	}
	return c.run(ctx, r, p, agreed)
}

// runSaved runs a plan file, if it is for this environment and configuration.
func (o *syncOptions) runSaved(ctx context.Context, c *connection, r request, agreed consent) error {
	p, err := loadPlan(o.path(o.file))
	if err != nil {
		return err
	}
	again := "descope-mgmt plan --env " + c.env + " --out " + shellQuote(o.file)
	agreed.retry = again
	if err := o.sealed(c, p, again); err != nil {
		return err
	}
	for _, x := range []struct{ what, saved, now string }{
		{"environment", p.Environment, c.env},
		{"project", p.Project, c.project},
		{"base URL", p.BaseURL, c.baseURL},
		{"configuration", p.ConfigDigest, r.written.Digest()},
	} {
		if x.saved != x.now {
			return refusedError(again, "the saved plan is for another %s (%s) than there is now (%s); nothing was applied", x.what, x.saved, x.now)
		}
	}
	return c.showAndRun(ctx, r.about(p), p, agreed, o.consent.dryRun)
}

// sealed refuses a plan file that was not written with this state directory, was
// edited since, or was used before.
func (o *syncOptions) sealed(c *connection, p *plan.Plan, again string) error {
	key, err := c.state.SealKey(false)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = errors.New("this state directory has no key to check its seal with")
	case err != nil:
		return err
	default:
		err = p.CheckSeal(key)
	}
	if err != nil && !o.unsealed {
		return refusedError(again, "%s cannot be trusted: %w; it may have been edited, or saved with another state directory (--allow-unsealed-plan applies it all the same); nothing was applied", o.file, err)
	}
	runs, err := c.state.Runs()
	if err != nil {
		return err
	}
	for _, s := range runs {
		if s.Err == nil && s.Info.PlanDigest == p.Digest() && s.Info.Project == c.project {
			return refusedError(again, "%s was applied already, by run %s; a saved plan is for one run (to finish that one: descope-mgmt sync --resume %s); nothing was applied",
				o.file, s.Info.ID, s.Info.ID)
		}
	}
	return nil
}

func loadPlan(path string) (*plan.Plan, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, configError("descope-mgmt plan --out "+shellQuote(path), "there is no plan file %s", path)
	}
	if err != nil {
		return nil, configError("", "reading the plan: %w", err)
	}
	p := &plan.Plan{}
	if err := p.UnmarshalJSON(data); err != nil {
		return nil, configError("descope-mgmt plan --out "+shellQuote(path), "%s is not a plan of this version: %w", path, err)
	}
	return p, nil
}
