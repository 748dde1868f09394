package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
	"pcconnect.ai/descope-mgmt/internal/store"
)

// record is what the state directory knows of earlier runs in a project.
type record struct {
	// last is what was verified after the last apply of each object.
	last model.State
	// open are the runs that did not come to their end, oldest first.
	open []*store.RunRecord
	held []plan.Held
}

func (c *connection) record() (record, error) {
	var rec record
	var err error
	if rec.last, err = c.scope.LoadLastApplied(); err != nil {
		return rec, err
	}
	if rec.open, err = c.scope.UnfinishedRuns(); err != nil {
		return rec, err
	}
	rec.held, err = c.scope.LoadHolds()
	return rec, err
}

// has reports whether an earlier run knows a kind.
func (r record) has(k model.Kind) bool {
	for _, open := range r.open {
		for _, ch := range open.Plan.Changes {
			if ch.Key.Kind == k {
				return true
			}
		}
	}
	return len(r.last.Of(k)) > 0
}

// settle is what was last applied, given what is live: with what the open runs did.
func (r record) settle(live model.State) (model.State, error) {
	last := r.last
	for _, open := range r.open {
		var err error
		if last, err = applied(last, open, account(open, live), live); err != nil {
			return last, err
		}
	}
	return last, nil
}

// withOpen is what was read of the project, and the kinds besides that the open runs
// are about: of what was not read, nobody knows what became.
func (c *connection) withOpen(ctx context.Context, rec record) (model.State, error) {
	var missing []model.Kind
	for _, open := range rec.open {
		for _, k := range kindsOf(open.Plan) {
			if !slices.Contains(c.kinds, k) && !slices.Contains(missing, k) {
				missing = append(missing, k)
			}
		}
	}
	if len(missing) == 0 {
		return c.live, nil
	}
	others, err := c.read(ctx, missing...)
	if err != nil {
		return model.State{}, err
	}
	return model.NewState(append(slices.Clone(c.live.Resources()), others.Resources()...))
}

// settleOpen closes the runs that did not come to their end. The caller holds the
// lock, so that none of them is still under way, and has read live since it took it.
func (c *connection) settleOpen(ctx context.Context, rec record) error {
	if len(rec.open) == 0 {
		return nil
	}
	live, err := c.withOpen(ctx, rec)
	if err != nil {
		return err
	}
	last, err := rec.settle(live)
	if err != nil {
		return err
	}
	if err := c.scope.SaveLastApplied(last, c.meta()); err != nil {
		return err
	}
	told, err := c.toldOutcomes()
	if err != nil {
		return err
	}
	for _, open := range rec.open {
		outcomes := account(open, live)
		if open.Info.Operation == operationRollback {
			if err := c.hold(open.Info, outcomes); unreadable(err) {
				c.app.note("warning: what run " + open.Info.ID + " took back is not held: " + messageOf(err) + "\n")
			} else if err != nil {
				return err
			}
		}
		// What somebody changed since is no image of what the run left.
		asLeft := func(ch plan.Change) bool { return took(ch, live) }
		status, known := told[open.Info.ID]
		if !known {
			status = "killed"
			killed := recorded{connection: c, info: open.Info, plan: open.Plan}
			if _, err := c.state.Audit().Append(ctx, killed.entry("outcome", status)); err != nil {
				return err
			}
		}
		result := store.RunResult{Finished: c.app.now(), Status: status, Outcomes: outcomes}
		if err := c.scope.FinishRun(open.Info.ID, images(open.Plan, live, asLeft), result); err != nil {
			return err
		}
		c.app.note(fmt.Sprintf("Run %s did not come to its end (%s). What it did is on record now; to undo it: %s\n",
			open.Info.ID, summaryOf(outcomes), c.undoOpen(open, outcomes, live, last)))
	}
	return nil
}

// tellOpen says, once, that there are runs that did not come to their end; one may
// be under way at this moment.
func (c *connection) tellOpen(rec record, r request, live model.State) {
	for _, open := range rec.open {
		id := open.Info.ID
		if slices.Contains(c.told, id) || id == r.of {
			continue
		}
		c.told = append(c.told, id)
		finish := c.app.finishing(open.Info)
		if finish == "" {
			finish = "the same command again"
		}
		outcomes := account(open, live)
		c.app.note(fmt.Sprintf("Run %s did not come to its end, or is under way (%s). To finish it: %s. To undo it: %s\n",
			id, summaryOf(outcomes), finish, c.undoOpen(open, outcomes, live, c.last)))
	}
}

// toldOutcomes are the outcomes of runs that are in the audit log, by run, as far as that can be
// read: a record that somebody edited must not keep a run from being settled.
func (c *connection) toldOutcomes() (map[string]string, error) {
	records, err := c.state.Audit().Records()
	if _, edited := errors.AsType[*store.AuditError](err); edited {
		err = nil
	}
	told := map[string]string{}
	for _, r := range records {
		if r.Phase == "outcome" {
			told[r.Run] = r.Status
		}
	}
	return told, err
}

// unreadable reports that a record is not there any more or is damaged: no reason to
// keep everybody from writing to the project.
func unreadable(err error) bool {
	var unknown *store.NotFoundError
	var corrupt *store.CorruptError
	return errors.As(err, &unknown) || errors.As(err, &corrupt)
}

// summaryOf counts outcomes: "3 done, 1 unknown, 6 not run".
func summaryOf(outcomes []store.RunOutcome) string {
	n := map[string]int{}
	for _, o := range outcomes {
		n[o.Status]++
	}
	text := ""
	for _, s := range []struct{ status, word string }{
		{statusDone, "done"}, {statusFailed, "failed"}, {statusUnknown, "unknown"}, {statusNotRun, "not run"},
	} {
		if n[s.status] == 0 {
			continue
		}
		if text != "" {
			text += ", "
		}
		text += fmt.Sprintf("%d %s", n[s.status], s.word)
	}
	return text
}

func (c *connection) meta() store.Meta { return store.Meta{Environment: c.env, At: c.app.now()} }

// those are the resources of a state with the given keys.
func those(s model.State, keys []model.Key) model.State {
	wanted := make(map[model.Key]bool, len(keys))
	for _, k := range keys {
		wanted[k] = true
	}
	return s.Filter(func(r model.Resource) bool { return wanted[r.Key] })
}
