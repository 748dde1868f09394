package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pcconnect.ai/descope-mgmt/internal/api"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
	"pcconnect.ai/descope-mgmt/internal/store"
)

type rollbackOptions struct {
	*app
	consent consentFlags
	targets []string
}

func newRollbackCmd(a *app) *cobra.Command {
	o := &rollbackOptions{app: a}
	cmd := &cobra.Command{
		Use:   "rollback RUN",
		Short: "Take back what a run changed",
		Long: `Rollback takes back the fields that a run wrote, and nothing else, as an ordinary
plan over a fresh read: it is shown, asked about, backed up, applied and verified.
RUN is the id that the summary of a run prints, a beginning of it, or "latest".

A field that somebody changed since is a conflict: --overwrite-drift decides it. A
tenant that the run created is deleted again, unless it was changed since or is in
use (--allow-delete-created). A tenant that the run deleted is created again, without
its users, access keys and SSO configuration: those are lost.

What was taken back is held: sync will not apply the same value again until the
configuration changes, or --allow-reapply says so.`,
		Example: `  descope-mgmt rollback 20261124T205703Z-1f3a9c --env staging
  descope-mgmt rollback latest --env dev --dry-run
  descope-mgmt rollback latest --env dev --target tenant/acme-corp --yes`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeRuns,
		RunE:              func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), args[0]) },
	}
	o.consent.add(cmd)
	cmd.Flags().BoolVar(&o.consent.deleteInUse, "allow-delete-created", false, "delete tenants that the run created although they were changed since or are in use")
	addList(cmd.Flags(), &o.targets, "target", "only these resources, for example tenant/acme-corp (repeat, or separate by commas)")
	must(cmd.RegisterFlagCompletionFunc("target", a.completeAddresses))
	return cmd
}

func (o *rollbackOptions) run(ctx context.Context, id string) (err error) {
	targets, err := parseKeys(o.targets)
	if err != nil {
		return err
	}
	if err := o.inEnvironmentOf(ctx, id); err != nil {
		return err
	}
	c, agreed, err := o.begin(ctx, &o.consent)
	if err != nil {
		return err
	}
	defer closing(c, &err)
	rec, err := c.ended(ctx, id, agreed, o.consent.dryRun)
	if err != nil {
		return err
	}
	r, outcomes, err := c.inverse(ctx, rec, targets)
	if err != nil {
		return err
	}
	c.app.note(statusLine(rec, outcomes))
	p, err := c.planToRun(ctx, &r, agreed, o.consent.dryRun)
	if err != nil {
		return err
	}
	return c.showAndRun(ctx, r, p, agreed, o.consent.dryRun)
}

// loadRun finds the record of a run in this project.
func (c *connection) loadRun(id string) (*store.RunRecord, error) {
	rec, err := c.scope.LoadRun(id)
	var unknown *store.NotFoundError
	switch {
	case errors.As(err, &unknown):
		return nil, c.unknownRun(id, err)
	case err != nil:
		return nil, damagedRun(err)
	}
	return rec, c.fits(rec)
}

// unknownRun explains why this project has no run that id means: it may be one of
// another project, which is refused rather than looked for.
func (c *connection) unknownRun(id string, err error) error {
	if runs, listErr := c.state.Runs(); listErr == nil && id != latest {
		if s, found := runsNamed(runs, id); found == 1 && s.Err == nil {
			if elsewhere := c.fits(&store.RunRecord{Info: s.Info}); elsewhere != nil {
				return elsewhere
			}
		}
	}
	return configError("descope-mgmt runs list --env "+c.env, "%w", err)
}

// inverse is the request that takes back what a run did.
func (c *connection) inverse(ctx context.Context, rec *store.RunRecord, targets []model.Key) (request, []store.RunOutcome, error) {
	r := c.request(operationRollback, model.State{})
	r.of, r.whole, r.exact = rec.Info.ID, true, true
	r.options.DeleteFlag = "--allow-delete-created"
	kinds := kindsOf(rec.Plan)
	live, err := c.read(ctx, kinds...)
	if err != nil {
		return r, nil, err
	}
	outcomes := account(rec, live)
	took, whole := tookEffect(outcomes), map[model.Key]bool{}
	for _, o := range outcomes {
		whole[o.Key] = o.Status == statusDone
	}
	for _, k := range targets {
		if _, planned := took[k]; !planned {
			return r, nil, configError("descope-mgmt runs show "+rec.Info.ID, "run %s did not change %s", rec.Info.ID, k)
		}
	}
	before, err := withPreImages(rec.Plan)
	if err != nil {
		return r, nil, err
	}
	post, err := postImages(rec)
	if err != nil {
		return r, nil, err
	}
	wanted := func(k model.Key) bool { return took[k] && (len(targets) == 0 || slices.Contains(targets, k)) }
	var since model.State
	r.desired, since, r.options.Targets = plan.Inverse(before, wanted, post)
	var deleted []model.Key
	for _, ch := range rec.Plan.Changes {
		switch {
		case !wanted(ch.Key):
		case ch.Action == plan.Create:
			r.remove = append(r.remove, ch.Key)
		case ch.Action == plan.Delete:
			deleted = append(deleted, ch.Key)
		}
	}
	r.ours = those(rec.Ours, deleted)
	if len(kinds) == 1 {
		r.only = kinds[0]
	}
	created := map[model.Key]bool{}
	for _, k := range r.remove {
		created[k] = true
	}
	remade, err := c.remade(rec, live)
	if err != nil {
		return r, nil, err
	}
	// What became of a created object since is told by changedSince, and has a
	// flag of its own; it is not drift too. What an earlier rollback of the run has
	// made again in part is not somebody else's.
	desired := r.desired
	r.base = func(live, last model.State) model.State {
		base := overlaid(last, since)
		for k := range created {
			if is, exists := live.Get(k); exists {
				base[k] = model.Resource{Key: k, Attrs: is.Attrs, Policy: base[k].Policy}
			}
		}
		for k := range remade {
			is, exists := live.Get(k)
			want, wanted := desired.Get(k)
			if _, known := base[k]; exists && wanted && !known {
				base[k] = model.Resource{Key: k, Attrs: setSoFar(is.Attrs, want.Attrs)}
			}
		}
		s, err := stateOf(base)
		if err != nil { // the keys are those of two states
			return since
		}
		return s
	}
	r.changedSince = func(k model.Key, live model.State) []string {
		was, known := post.Get(k)
		is, exists := live.Get(k)
		if !known || !exists {
			return nil
		}
		moved := changed(was, is)
		if was.Observed == nil && !whole[k] { // it was killed before it had set all
			moved = slices.DeleteFunc(moved, func(name string) bool { return model.Unset(is.Attrs[name]) })
		}
		if len(moved) > 0 {
			return []string{"changed since: " + strings.Join(moved, ", ")}
		}
		return nil
	}
	return r, outcomes, nil
}

// overlaid is what was last applied, with the objects of a run as they were after it.
func overlaid(last, since model.State) map[model.Key]model.Resource {
	base := byKey(last)
	for _, was := range since.Resources() {
		was.Policy.PreventDestroy = base[was.Key].Policy.PreventDestroy
		base[was.Key] = was
	}
	return base
}

// withPreImages is a plan whose deletes know all of what they delete, the fields
// that the configuration cannot say too, so that it can be made again.
func withPreImages(p *plan.Plan) (*plan.Plan, error) {
	out := *p
	out.Changes = slices.Clone(p.Changes)
	for i, ch := range out.Changes {
		if ch.Action != plan.Delete {
			continue
		}
		was, err := api.Decode(ch.Key.Kind, model.CanonicalJSON(ch.PreImage))
		if err != nil {
			return nil, fmt.Errorf("%s as it was before the run: %w", ch.Key, err)
		}
		out.Changes[i].Before = api.WithUnmanaged(was).Attrs
	}
	return &out, nil
}

// postImages are the objects of a run as they were after it: as they were read then
// or, of a run that did not come to that, as they were sent.
func postImages(rec *store.RunRecord) (model.State, error) {
	var resources []model.Resource
	for _, ch := range rec.Plan.Changes {
		raw, read := rec.Post[ch.Key]
		switch {
		case read && raw != nil:
			was, err := api.Decode(ch.Key.Kind, raw)
			if err != nil {
				return model.State{}, fmt.Errorf("%s as it was after the run: %w", ch.Key, err)
			}
			resources = append(resources, api.WithUnmanaged(was))
		case !read && ch.Action != plan.Delete:
			resources = append(resources, model.Resource{Key: ch.Key, Attrs: ch.After})
		}
	}
	return model.NewState(resources)
}

// changed names the fields in which an object differs from what it was: all that
// Descope has of it where both were read, else those that were sent.
func changed(was, is model.Resource) []string {
	a, b := was.Attrs, is.Attrs
	if was.Observed != nil && is.Observed != nil {
		a, b = was.Observed.Fields, is.Observed.Fields
	}
	names := map[string]bool{}
	for name, v := range a {
		names[name] = !model.Equal(v, b[name])
	}
	for name, v := range b {
		if _, ok := a[name]; !ok && !neverSet(name, v) && (was.Observed != nil || !untouched(name, v)) {
			names[name] = true
		}
	}
	maps.DeleteFunc(names, func(_ string, moved bool) bool { return !moved })
	return slices.Sorted(maps.Keys(names))
}

// remade are the objects that a run deleted and that earlier rollbacks of it have
// begun to make again.
func (c *connection) remade(rec *store.RunRecord, live model.State) (map[model.Key]bool, error) {
	runs, err := c.state.Runs()
	keys := map[model.Key]bool{}
	for _, s := range runs {
		if s.Err != nil || s.Info.Of != rec.Info.ID || s.Info.Operation != operationRollback {
			continue
		}
		earlier, err := c.scope.LoadRun(s.Info.ID)
		if err != nil {
			return nil, err
		}
		for _, o := range account(earlier, live) {
			if o.Action == string(plan.Create) && (o.StepsDone > 0 || o.Status == statusDone || o.Status == statusUnknown) {
				keys[o.Key] = true
			}
		}
	}
	return keys, err
}

// setSoFar is what an object has of the values that it is to get, key by key, and
// what nobody ever set of it.
func setSoFar(is, want map[string]any) map[string]any {
	out := map[string]any{}
	for name, v := range is {
		inner, isMap := v.(map[string]any)
		wanted, _ := want[name].(map[string]any)
		switch {
		case isMap:
			out[name] = setSoFar(inner, wanted)
		case model.Unset(v) || model.Equal(v, want[name]):
			out[name] = v
		}
	}
	return out
}

// untouched reports whether an attribute that was not sent has the value that Descope
// gives it.
func untouched(name string, v any) bool {
	if fields, ok := v.(map[string]any); ok && name == "unmanaged" {
		for field, v := range fields {
			if !model.Unset(v) && !neverSet(field, v) {
				return false
			}
		}
		return true
	}
	return model.Unset(v)
}

// neverSet reports whether a field has the value that Descope gives it at creation.
// Descope: the authType of a tenant without SSO is "none".
func neverSet(field string, v any) bool { return field == "authType" && v == "none" }

// hold keeps what a rollback took back from being applied again by accident.
func (c *connection) hold(info store.RunInfo, outcomes []store.RunOutcome) error {
	of, err := c.scope.LoadRun(info.Of)
	if err != nil {
		return err
	}
	held, err := c.scope.LoadHolds()
	if err != nil {
		return err
	}
	undone := map[model.Key]bool{}
	for _, o := range outcomes {
		undone[o.Key] = o.Status == statusDone
	}
	by := plan.Held{Run: info.ID, Of: info.Of, GitCommit: of.Info.GitCommit, At: c.app.now()}
	now := of.Plan.Holds(func(k model.Key) bool { return undone[k] }, by)
	held = slices.DeleteFunc(held, func(h plan.Held) bool {
		return slices.ContainsFunc(now, func(n plan.Held) bool { return n.Key == h.Key && n.Path == h.Path })
	})
	return c.scope.SaveHolds(append(held, now...))
}

// release gives free what the configuration does not ask for any more, and what was
// applied again because somebody said so.
func (c *connection) release(held []plan.Held, r request, p *plan.Plan, outcomes []store.RunOutcome) error {
	if len(held) == 0 || restores(r.operation) {
		return nil
	}
	done := map[model.Key]bool{}
	for _, o := range outcomes {
		done[o.Key] = o.Status == statusDone
	}
	again := p.Reapplies(held)
	kept := slices.DeleteFunc(slices.Clone(held), func(h plan.Held) bool {
		if r.only != "" && h.Key.Kind != r.only || len(r.options.Targets) > 0 && !slices.Contains(r.options.Targets, h.Key) {
			return false
		}
		asked := slices.ContainsFunc(again, func(a plan.Held) bool { return a.Key == h.Key && a.Path == h.Path })
		return !asked || done[h.Key]
	})
	if len(kept) == len(held) {
		return nil
	}
	return c.scope.SaveHolds(kept)
}
