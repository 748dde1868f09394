package cli

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"pcconnect.ai/descope-mgmt/internal/apply"
	"pcconnect.ai/descope-mgmt/internal/compiler"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
	"pcconnect.ai/descope-mgmt/internal/store"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

// recorded is a run of which everything is kept: its backup, its entry in the audit
// log, and its directory with plan and journal. All three are there before the first
// call that writes.
type recorded struct {
	*connection
	run  *store.Run
	info store.RunInfo
	plan *plan.Plan
	// ours are the records of the objects of the plan: see [store.RunRecord].
	ours    model.State
	started time.Time
}

// begin puts a run on record. live is the whole of what the plan was made from.
// Nothing has been written to the project when it fails.
func (c *connection) begin(ctx context.Context, r request, p *plan.Plan, live model.State, agreed consent) (*recorded, error) {
	who := c.app.identify(ctx)
	started := c.app.now()
	id, err := store.NewRunID(started, rand.Reader)
	if err != nil {
		return nil, err
	}
	rec := &recorded{connection: c, plan: p, started: started, ours: c.ours(r, p), info: store.RunInfo{
		ID: id, Started: started, Operation: r.operation, User: who.user, Host: who.host, PID: who.pid,
		Environment: c.env, BaseURL: c.baseURL, Project: c.project, GitCommit: who.commit,
		Tool: version(), Schema: compiler.SchemaHash(), Flags: agreed.flags, Guards: passed(p, agreed.allowed),
		Of: r.of, PlanDigest: p.Digest(),
	}}
	if rec.info.Backup, err = rec.backup(ctx, live); err != nil {
		return nil, fmt.Errorf("nothing was applied, since the project could not be backed up: %w", err)
	}
	if err := rec.keepReplaced(live); err != nil {
		return nil, fmt.Errorf("nothing was applied: %w", err)
	}
	entry, err := c.state.Audit().Append(ctx, rec.entry("intent", ""))
	if err != nil {
		return nil, brokenAudit(fmt.Errorf("nothing was applied, since the audit log could not be written: %w", err))
	}
	rec.info.AuditHead = entry.Hash
	if rec.run, err = c.scope.BeginRun(rec.info, p, wanted(r.desired, p), rec.ours); err != nil {
		outcome := rec.entry("outcome", "not started")
		outcome.Error = err.Error()
		_, auditErr := c.state.Audit().Append(ctx, outcome)
		return nil, fmt.Errorf("nothing was applied, since the run could not be put on record: %w", errors.Join(err, auditErr))
	}
	c.closers = append(c.closers, rec.run.Close)
	c.app.running.Store(id)
	n := p.Counts()
	c.log.Info("the run begins", "run", id, "operation", r.operation, "environment", c.env, "project", c.project, "base_url", c.baseURL,
		"user", who.user, "create", n.Create, "update", n.Update, "delete", n.Delete, "backup", rec.info.Backup)
	return rec, nil
}

// ours are the records that the objects of a plan have in what was last applied, or
// had before they were deleted.
func (c *connection) ours(r request, p *plan.Plan) model.State {
	var found []model.Resource
	for _, ch := range p.Changes {
		if was, known := r.ours.Get(ch.Key); known {
			found = append(found, was)
		} else if was, known := c.last.Get(ch.Key); known {
			found = append(found, was)
		}
	}
	s, _ := model.NewState(found) // a plan has each key once
	return s
}

// wanted is what a plan is about of a desired state.
func wanted(desired model.State, p *plan.Plan) model.State {
	about := make(map[model.Key]bool, len(p.Changes))
	for _, ch := range p.Changes {
		about[ch.Key] = ch.Action != plan.Delete
	}
	return desired.Filter(func(r model.Resource) bool { return about[r.Key] })
}

// passed names the guards that a plan met and that were allowed.
func passed(p *plan.Plan, allowed plan.Allowed) []string {
	stopped := map[plan.Rule]bool{}
	for _, g := range p.Gate(allowed) {
		stopped[g.Rule] = true
	}
	names := []string{}
	for _, g := range p.Guards {
		if !stopped[g.Rule] {
			names = append(names, string(g.Rule))
		}
	}
	return names
}

// entry is the run's record in the audit log.
func (r *recorded) entry(phase, status string) store.AuditRecord {
	counts := r.plan.Counts()
	resources := make([]string, 0, len(r.plan.Changes))
	for _, ch := range r.plan.Changes {
		resources = append(resources, ch.Key.String())
	}
	i := r.info
	return store.AuditRecord{
		Time: r.app.now(), Phase: phase, Run: i.ID, User: i.User, Host: i.Host, PID: i.PID, Operation: i.Operation,
		Environment: i.Environment, Project: i.Project, BaseURL: i.BaseURL, GitCommit: i.GitCommit,
		Resources: resources, Create: counts.Create, Update: counts.Update, Delete: counts.Delete,
		PlanDigest: i.PlanDigest, Guards: i.Guards, Flags: i.Flags, Status: status,
	}
}

// Intent and Ended make the run the journal of its calls. A run whose lock somebody
// else has taken by force sends nothing more.
func (r *recorded) Intent(change, step int) error {
	if err := r.locked.Held(); err != nil {
		return refusedError("descope-mgmt runs show "+r.info.ID, "%w", err)
	}
	return r.run.Intent(change, step)
}

// Ended passes the outcome of a call on to the journal.
func (r *recorded) Ended(change, step, attempts int, outcome, reason string) error {
	ch := r.plan.Changes[change]
	r.log.Info("a call has ended", "run", r.info.ID, "object", ch.Key.String(), "op", string(ch.Steps[step].Op),
		"outcome", outcome, "attempts", attempts, "reason", reason)
	return r.run.Ended(change, step, attempts, outcome, reason)
}

// finish closes the record of a run. Where something is owed still, because the
// project could not be read again or because nobody knows what became of a call, the
// run stays open: the next command finds out, from the journal and the project.
func (r *recorded) finish(ctx context.Context, result apply.Result, found *checked, failure error) error {
	status := statusOf(result)
	entry := r.entry("outcome", status)
	entry.DurationMS = r.app.now().Sub(r.started).Milliseconds()
	entry.Error = messageOf(failure)
	if entry.Error == "" {
		if failed := result.Failed(); len(failed) > 0 {
			entry.Error = ui.Safe(reasonOf(failed[0]))
		}
	}
	r.log.Info("the run is over", "run", r.info.ID, "outcome", status, "took_ms", entry.DurationMS, "error", entry.Error)
	// First the audit log: if the process dies in between, the next command finds the
	// run without an end, and sees that its outcome is in the log.
	_, err := r.state.Audit().Append(context.WithoutCancel(ctx), entry)
	if found != nil && !found.open {
		postErr := r.run.SavePost(images(r.plan, found.live, func(plan.Change) bool { return true }))
		if postErr == nil {
			postErr = r.run.Finish(store.RunResult{
				Finished: r.app.now(), Status: status, Outcomes: outcomesOf(result), Verified: true,
				Differences: found.differences, Error: messageOf(failure), TookMS: r.app.now().Sub(r.started).Milliseconds(),
			})
		}
		err = errors.Join(err, postErr)
	}
	if err != nil {
		return fmt.Errorf("the run is over, but its record could not be completed: %w", err)
	}
	return nil
}

func messageOf(err error) string {
	if err == nil {
		return ""
	}
	return ui.Safe(err.Error())
}

// images are the objects of a plan as they are in a live state, those that keep says;
// nil stands for one that does not exist.
func images(p *plan.Plan, live model.State, keep func(plan.Change) bool) map[model.Key]json.RawMessage {
	out := make(map[model.Key]json.RawMessage, len(p.Changes))
	for _, ch := range p.Changes {
		if !keep(ch) {
			continue
		}
		out[ch.Key] = nil
		if is, exists := live.Get(ch.Key); exists && is.Observed != nil {
			out[ch.Key] = is.Observed.Raw
		}
	}
	return out
}

func outcomesOf(result apply.Result) []store.RunOutcome {
	outcomes := make([]store.RunOutcome, len(result.Outcomes))
	for i, o := range result.Outcomes {
		outcomes[i] = store.RunOutcome{
			Key: o.Key, Action: string(o.Action), Status: ui.StatusName(o.Status), Error: messageOf(o.Err),
			StepsDone: o.StepsDone, Attempts: o.Attempts, TookMS: o.Took.Milliseconds(),
		}
	}
	return outcomes
}

// statusOf is the status of a run as a whole.
func statusOf(result apply.Result) string {
	switch {
	case result.OK():
		return "done"
	case result.Interrupted:
		return "interrupted"
	case result.Partial():
		return "partly"
	default:
		return "failed"
	}
}
