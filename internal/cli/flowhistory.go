package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"pcconnect.ai/descope-mgmt/internal/api"
	"pcconnect.ai/descope-mgmt/internal/flow"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/store"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

// keepReplaced puts into the history what a run is about to write over or to delete.
func (r *recorded) keepReplaced(live model.State) error {
	return r.keepFlows(live, store.FlowReplaced)
}

// keepDeployed puts into the history what a run has written.
func (r *recorded) keepDeployed(live model.State) error {
	return r.keepFlows(live, store.FlowDeployed)
}

func (r *recorded) keepFlows(live model.State, note string) error {
	for _, ch := range r.plan.Changes {
		is, exists := live.Get(ch.Key)
		if ch.Key.Kind != model.Flow || !exists || is.Observed == nil {
			continue
		}
		v := store.FlowVersion{
			At: r.app.now(), Note: note, Run: r.info.ID, Operation: r.info.Operation, Environment: r.env,
			User: r.info.User, GitCommit: r.info.GitCommit, ComponentsVersion: componentsOf(is),
		}
		if _, err := r.scope.AddFlowVersion(ch.Key.ID, is.Observed.Raw, v); err != nil {
			return fmt.Errorf("the version of %s could not be kept: %w", ch.Key, err)
		}
	}
	return nil
}

func componentsOf(r model.Resource) string {
	f, _, err := flow.FromValue(r.Attrs["definition"])
	if err != nil {
		return ""
	}
	return f.ComponentsVersion()
}

func newFlowHistoryCmd(a *app) *cobra.Command {
	limit := 0
	cmd := &cobra.Command{
		Use:   "history FLOW",
		Short: "List the versions of a flow that were deployed or replaced",
		Long: `History lists what runs of this tool wrote to a flow of a project and what they found
there, the newest first. Equal versions are kept once. They are kept for a year, and the
last 50 for ever.`,
		Example: `  descope-mgmt flow history sign-up-or-in --env prod
  descope-mgmt flow show sign-up-or-in --version 3 --env prod
  descope-mgmt flow diff history:3 live --flow sign-up-or-in --env prod`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeFlows,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.onDisk(cmd.Context(), func(c *connection) error { return c.flowHistory(args[0], limit) })
		},
	}
	cmd.Flags().IntVar(&limit, "limit", 0, "at most so many (default: all)")
	return cmd
}

func (c *connection) flowHistory(id string, limit int) error {
	if err := checkLimit(limit); err != nil {
		return err
	}
	versions, err := c.versions(id)
	if err != nil {
		return err
	}
	if limit > 0 {
		versions = versions[:min(limit, len(versions))]
	}
	if c.app.flags.output != formatText {
		return c.app.encode(append([]store.FlowVersion{}, versions...))
	}
	table := ui.NewTable("version", "at", "note", "by", "run", "components", "content")
	for _, v := range versions {
		table.Add(strconv.Itoa(v.N), v.At.Format(timeForm), v.Note, v.User, v.Run, v.ComponentsVersion, v.Digest[:12])
	}
	c.app.print(table.Text(c.app.streams.OutStyle()))
	if len(versions) == 0 {
		c.app.note("Nothing is known of a flow " + ui.Safe(id) + " of environment " + c.env + ".\n")
	}
	return nil
}

func (c *connection) versions(id string) ([]store.FlowVersion, error) {
	versions, err := c.scope.FlowHistory(id)
	if corrupt, ok := errors.AsType[*store.CorruptError](err); ok {
		return nil, refusedError("", "%w", corrupt)
	}
	return versions, err
}

// flowVersion is one version of a flow.
func (c *connection) flowVersion(id string, n int) (flow.Flow, error) {
	raw, err := c.rawVersion(id, n)
	if err != nil {
		return flow.Flow{}, err
	}
	f, _, err := flow.Parse(raw)
	return f, err
}

func (c *connection) rawVersion(id string, n int) (json.RawMessage, error) {
	_, raw, err := c.scope.LoadFlowVersion(id, n)
	var unknown *store.NotFoundError
	var corrupt *store.CorruptError
	switch {
	case errors.As(err, &unknown):
		return nil, configError("descope-mgmt flow history "+shellQuote(id)+" --env "+c.env, "flow %s has no version %d", id, n)
	case errors.As(err, &corrupt):
		return nil, refusedError("descope-mgmt flow history "+shellQuote(id)+" --env "+c.env, "%w", err)
	}
	return raw, err
}

// version reads history:N for flow diff.
func (o *flowDiffOptions) version(ctx context.Context, text string) (map[string]flow.Flow, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return nil, configError("", "history:%s: write the number of a version", text)
	}
	if o.flow == "" {
		return nil, configError("", "history:%s: of which flow? Name it with --flow", text)
	}
	found := map[string]flow.Flow{}
	err = o.onDisk(ctx, func(c *connection) error {
		f, err := c.flowVersion(o.flow, n)
		found[o.flow] = f
		return err
	})
	return found, err
}

type flowRollbackOptions struct {
	*app
	consent consentFlags
	to      int
}

func newFlowRollbackCmd(a *app) *cobra.Command {
	o := &flowRollbackOptions{app: a}
	cmd := &cobra.Command{
		Use:   "rollback FLOW",
		Short: "Bring an earlier version of a flow back",
		Long: `Rollback makes an earlier version of one flow live again, as an ordinary plan: shown,
asked about, backed up, applied and verified. Without --to it is the newest version that
does something else than the live one.

The configuration is not changed: as long as it asks for another version, the next sync
deploys that one. To take back all that a run did, use descope-mgmt rollback RUN.`,
		Example: `  descope-mgmt flow rollback sign-up-or-in --env prod --dry-run
  descope-mgmt flow rollback sign-up-or-in --env prod --to 3`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeFlows,
		RunE:              func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), args[0]) },
	}
	o.consent.add(cmd)
	cmd.Flags().IntVar(&o.to, "to", 0, "the version to bring back, as flow history numbers it")
	return cmd
}

func (o *flowRollbackOptions) run(ctx context.Context, id string) (err error) {
	if o.to < 0 {
		return configError("", "--to %d: write the number of a version", o.to)
	}
	c, agreed, err := o.begin(ctx, &o.consent)
	if err != nil {
		return err
	}
	defer closing(c, &err)
	if o.to == 0 {
		if o.to, err = c.versionBefore(ctx, id); err != nil {
			return err
		}
		// What continues this must mean the same version.
		if err := o.cmd.Flags().Set("to", strconv.Itoa(o.to)); err != nil {
			return err
		}
		agreed.retry = o.again(c.env)
	}
	raw, err := c.rawVersion(id, o.to)
	if err != nil {
		return err
	}
	was, err := api.Decode(model.Flow, raw)
	if err != nil {
		return refusedError("", "version %d of flow %s: %w", o.to, id, err)
	}
	key := model.Key{Kind: model.Flow, ID: id}
	desired, err := model.NewState([]model.Resource{{Key: key, Attrs: was.Attrs}})
	if err != nil {
		return err
	}
	r := c.request(operationFlowRollback, desired)
	r.only, r.exact, r.options.Targets = model.Flow, true, []model.Key{key}
	// The version was chosen: that the live one is another is no drift to ask about.
	r.base = func(live, last model.State) model.State {
		base := byKey(last)
		if is, exists := live.Get(key); exists {
			base[key] = model.Resource{Key: key, Attrs: is.Attrs, Policy: base[key].Policy}
		}
		s, _ := stateOf(base) // the keys are those of a state
		return s
	}
	p, err := c.plan(ctx, &r)
	if err != nil {
		return err
	}
	if _, configured := c.compiled.State.Get(key); configured && !p.Empty() {
		c.app.note("The configuration has " + key.String() + ", too: the next sync deploys what it says.\n")
	}
	return c.showAndRun(ctx, r, p, agreed, o.consent.dryRun)
}

// versionBefore is the newest version of a flow that does something else than the live
// one.
func (c *connection) versionBefore(ctx context.Context, id string) (int, error) {
	versions, err := c.versions(id)
	if err != nil {
		return 0, err
	}
	live, err := c.read(ctx, model.Flow)
	if err != nil {
		return 0, err
	}
	is, exists := flow.FlowsOf(live)[id]
	for _, v := range versions {
		f, err := c.flowVersion(id, v.N)
		if err != nil {
			return 0, err
		}
		if !exists || !f.Normal().Equal(is.Normal()) {
			return v.N, nil
		}
	}
	return 0, configError("descope-mgmt flow history "+shellQuote(id)+" --env "+c.env, "no version of flow %s is known that does something else than the live one", id)
}
