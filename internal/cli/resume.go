package cli

import (
	"context"
	"fmt"

	"pcconnect.ai/descope-mgmt/internal/api"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
	"pcconnect.ai/descope-mgmt/internal/store"
)

// resume is the command that finishes a run: it does what failed or was not run.
// What goes back to a saved state is finished by the same command again.
func (r *recorded) resume(context.Context) string {
	if !restores(r.info.Operation) {
		return r.app.here("descope-mgmt sync --resume " + r.info.ID + " --env " + r.env + r.app.passing())
	}
	again := *r.app
	if r.info.Operation == operationRollback {
		again.args = []string{r.info.Of} // "latest" is another one by now
	}
	return again.again(r.env)
}

// finishing is the command that finishes a run on record, or "" of a restore, whose
// backup is not on record, and of a flow's version.
func (a *app) finishing(i store.RunInfo) string {
	switch i.Operation {
	case operationRestore, operationFlowRollback:
		return ""
	case operationRollback:
		return a.here("descope-mgmt rollback " + i.Of + " --env " + i.Environment)
	default:
		return a.here("descope-mgmt sync --resume " + i.ID + " --env " + i.Environment)
	}
}

// resumption is the request for what is left of a run: the objects of its plan, as
// they were to be. What was done already is as it is to be and comes out as no
// change, so that nothing is done twice; what moved live meanwhile is drift.
// A delete that was done is not repeated, since what has the id now is another object.
func (c *connection) resumption(ctx context.Context, rec *store.RunRecord) (request, error) {
	r := c.request(rec.Info.Operation, rec.Desired)
	r.of, r.exact = rec.Info.ID, true
	if restores(rec.Info.Operation) {
		return r, refusedError(c.app.finishing(rec.Info),
			"run %s is a %s; give the same command again instead of resuming it", rec.Info.ID, rec.Info.Operation)
	}
	kinds := kindsOf(rec.Plan)
	if len(kinds) == 1 {
		r.only = kinds[0]
	}
	live, err := c.read(ctx, kinds...)
	if err != nil {
		return r, err
	}
	outcomes := account(rec, live)
	deletes := map[model.Key][]model.Step{}
	for i, ch := range rec.Plan.Changes {
		if ch.Action == plan.Delete {
			if outcomes[i].Status == statusDone {
				continue
			}
			if written, again := c.compiled.State.Get(ch.Key); again && r.operation != "tenant delete" {
				return r, refusedError("descope-mgmt sync --env "+c.env, "run %s was to delete %s, which the configuration has again by now (%s)", rec.Info.ID, ch.Key, written.Origin)
			}
			deletes[ch.Key] = ch.Steps
			r.remove = append(r.remove, ch.Key)
		}
		r.options.Targets = append(r.options.Targets, ch.Key)
	}
	r.options.Encode = func(t model.Transition) ([]model.Step, error) {
		if steps, ok := deletes[t.Key]; ok && t.After == nil {
			return steps, nil // with what was agreed to about the tenant's users
		}
		return api.Encode(t)
	}
	return r, nil
}

// ended is the record of a run that is over. One that has not come to its end may be
// under way: then the lock is taken before its record is read, and kept.
func (c *connection) ended(ctx context.Context, id string, agreed consent, dryRun bool) (*store.RunRecord, error) {
	rec, err := c.loadRun(id)
	if err != nil || rec.Result != nil || dryRun {
		return rec, err
	}
	if err := c.lock(ctx, agreed); err != nil {
		return nil, err
	}
	return c.loadRun(rec.Info.ID)
}

// fits refuses the record of a run in another project than this one.
func (c *connection) fits(rec *store.RunRecord) error {
	i := rec.Info
	if i.Project == c.project && i.BaseURL == c.baseURL {
		return nil
	}
	return refusedError("descope-mgmt runs show "+i.ID+" --env "+i.Environment, "run %s was in project %s at %s (environment %s), not in project %s at %s",
		i.ID, i.Project, i.BaseURL, i.Environment, c.project, c.baseURL)
}

// statusLine says what became of a run, for whoever is about to resume it or to
// take it back.
func statusLine(rec *store.RunRecord, outcomes []store.RunOutcome) string {
	return fmt.Sprintf("Run %s (%s, %s): %s.\n", rec.Info.ID, rec.Info.Operation, rec.Info.Started.Format(timeForm), summaryOf(outcomes))
}
