package cli

import (
	"slices"

	"pcconnect.ai/descope-mgmt/internal/api"
	"pcconnect.ai/descope-mgmt/internal/apply"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
	"pcconnect.ai/descope-mgmt/internal/store"
)

// undoing is what it takes to take a run back as things are.
type undoing struct {
	// nothing: there is nothing to take back.
	nothing bool
	// flags are those that let it past the guards that it will meet. Those that cannot
	// be told are asked for when the time comes.
	flags []string
	// live and last are the project, and what was last applied, once it is taken back.
	live, last model.State
}

// undoingOf plans to take back those changes of a plan that took effect. Its share of
// all that is managed counts, which is more than what the plan was about.
func undoingOf(p *plan.Plan, took map[model.Key]bool, live, last model.State, o plan.Options) (undoing, error) {
	o.PruneUnmanaged, o.Held, o.InUse = nil, nil, nil
	o.Encode, o.Prune = api.Encode, allKinds()
	desired, since, targets := plan.Inverse(p, func(k model.Key) bool { return took[k] }, live)
	u := undoing{nothing: len(targets) == 0, live: live, last: last}
	if u.nothing {
		return u, nil
	}
	o.Targets = targets
	base, err := stateOf(overlaid(last, since))
	if err != nil {
		return u, err
	}
	back, err := plan.Compute(desired, live, base, o)
	if err != nil {
		return u, err
	}
	for _, g := range back.Gate(plan.Allowed{}) {
		if g.Allow != "" && !slices.Contains(u.flags, g.Allow) {
			u.flags = append(u.flags, g.Allow)
		}
	}
	if u.live, err = without(live, desired, targets); err != nil {
		return u, err
	}
	u.last, err = without(base, desired, targets)
	return u, err
}

// without is a state in which some objects are as a rollback wants them, or gone.
func without(s, desired model.State, targets []model.Key) (model.State, error) {
	now := byKey(s)
	for _, k := range targets {
		if want, wanted := desired.Get(k); wanted {
			now[k] = joined(now[k], want)
		} else {
			delete(now, k)
		}
	}
	return stateOf(now)
}

// tookEffect are the changes of which something may have been done.
func tookEffect(outcomes []store.RunOutcome) map[model.Key]bool {
	took := map[model.Key]bool{}
	for _, o := range outcomes {
		took[o.Key] = o.Status == statusDone || o.Status == statusUnknown || o.StepsDone > 0
	}
	return took
}

// rollbackOf is the command that takes a run back, with the flags that it will need.
func rollbackOf(id, env string, flags []string) string {
	command := "descope-mgmt rollback " + id + " --env " + env
	for _, flag := range flags {
		command += " " + flag
	}
	return command
}

// undoOpen is the command that takes back a run that did not come to its end.
func (c *connection) undoOpen(open *store.RunRecord, outcomes []store.RunOutcome, live, last model.State) string {
	u, _ := undoingOf(open.Plan, tookEffect(outcomes), live, last, c.request(operationRollback, model.State{}).options)
	return c.app.here(rollbackOf(open.Info.ID, c.env, u.flags))
}

// undo is the command that takes this run back, with the flags that it will need as
// things are, or "" if there is nothing to take back. What it resumed is another run,
// which is taken back after it, from what is left then.
func (r *recorded) undo(q request, result apply.Result, found *checked) string {
	took := tookEffect(outcomesOf(result))
	if !slices.ContainsFunc(result.Outcomes, func(o apply.Outcome) bool { return took[o.Key] }) {
		return ""
	}
	var u undoing
	last, err := r.scope.LoadLastApplied()
	known := err == nil && found != nil
	if known {
		if u, err = undoingOf(r.plan, took, found.live, last, q.options); u.nothing {
			return ""
		}
		known = err == nil
	}
	command := r.app.here(rollbackOf(r.info.ID, r.env, u.flags))
	if q.of == "" || restores(q.operation) {
		return command
	}
	var then undoing
	if of, err := r.scope.LoadRun(q.of); err == nil && known {
		then, _ = undoingOf(of.Plan, tookEffect(account(of, u.live)), u.live, u.last, q.options)
	}
	return command + " && " + r.app.here(rollbackOf(q.of, r.env, then.flags))
}

// undoRecorded are the flags of the rollback of a run as far as its record tells, and
// what was applied since: for whoever has no connection to the project.
func undoRecorded(scope *store.Scope, rec *store.RunRecord, outcomes []store.RunOutcome) ([]string, error) {
	last, err := scope.LoadLastApplied()
	if err != nil {
		return nil, err
	}
	post, err := postImages(rec)
	if err != nil {
		return nil, err
	}
	live := byKey(last)
	for _, ch := range rec.Plan.Changes {
		delete(live, ch.Key)
		if was, exists := post.Get(ch.Key); exists {
			live[ch.Key] = was
		}
	}
	now, err := stateOf(live)
	if err != nil {
		return nil, err
	}
	i := rec.Info
	u, err := undoingOf(rec.Plan, tookEffect(outcomes), now, last, plan.Options{
		Environment: i.Environment, Project: i.Project, BaseURL: i.BaseURL,
		Protected: slices.ContainsFunc(rec.Plan.Guards, func(g plan.Guard) bool { return g.Rule == plan.RuleProtected }),
	})
	return u.flags, err
}
