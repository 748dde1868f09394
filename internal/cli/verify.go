package cli

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	"pcconnect.ai/descope-mgmt/internal/apply"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
	"pcconnect.ai/descope-mgmt/internal/store"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

// checked is what a project looks like after a run.
type checked struct {
	live model.State
	// differences are what still differs of what was done.
	differences []string
	// open: what became of some call is not known even now.
	open bool
}

// verify reads the project again, records what is now applied, and says what
// still differs of what was done. The check is nil if it could not be made.
func (r *recorded) verify(ctx context.Context, q request, agreed consent, result apply.Result) (*checked, error) {
	if err := r.locked.Held(); err != nil { // whoever forced it keeps the record now
		return nil, refusedError("descope-mgmt runs show "+r.info.ID, "what was applied is left for the next command to find out: %w", err)
	}
	rec, err := r.record()
	if err != nil {
		return nil, unrecorded(err)
	}
	var done []model.Key
	for _, o := range result.Outcomes {
		if o.Status == apply.Done {
			done = append(done, o.Key)
		}
	}
	kinds := q.kinds(rec)
	live, err := r.readFor(ctx, q, kinds)
	if err == nil {
		err = r.notShort(ctx, live, those(q.desired, done), kinds)
	}
	if err != nil {
		return nil, fmt.Errorf("the changes were made, but could not be checked: %w", err)
	}
	unchanged := recordable(r.plan, agreed, rec.last)
	left, err := remaining(q, live, rec.last, append(slices.Clone(done), unchanged...))
	if err != nil {
		return nil, unrecorded(err)
	}
	found := &checked{live: live}
	for _, k := range done {
		found.differences = append(found.differences, left[k]...)
	}
	outcomes := outcomesOf(result)
	for i := range outcomes {
		o := &outcomes[i]
		_, recorded := rec.last.Get(o.Key)
		switch {
		case o.Status == statusDone && len(left[o.Key]) > 0 && recorded:
			// The record stays as it was: whatever else is live was moved by
			// somebody, and must still be seen as that.
			o.Status = statusNotRun
		case o.Status == statusUnknown && took(r.plan.Changes[i], live):
			o.Status = statusDone
		case o.Status == statusUnknown:
			found.open = true
		}
	}
	self := &store.RunRecord{Info: r.info, Plan: r.plan, Desired: q.desired, Ours: r.ours}
	next, err := applied(rec.last, self, outcomes, live)
	if err == nil {
		err = r.advance(next, q, live, unchanged, r.plan.Accepted, left)
	}
	if err == nil {
		err = r.keepDeployed(live)
	}
	if err == nil && q.operation == operationRollback {
		err = r.hold(r.info, outcomes)
	}
	if err == nil {
		err = r.release(rec.held, q, r.plan, outcomes)
	}
	if err != nil {
		return nil, unrecorded(err)
	}
	return found, nil
}

func unrecorded(err error) error {
	return fmt.Errorf("the changes were made, but what was applied could not be recorded: %w", err)
}

// advance saves what is now applied: with the objects that were checked and are as
// they are to be without a change.
func (c *connection) advance(next model.State, r request, live model.State, unchanged []model.Key, accepted []plan.FieldKey, left map[model.Key][]string) error {
	now := byKey(next)
	for _, k := range unchanged {
		want, wanted := r.desired.Get(k)
		is, exists := live.Get(k)
		switch {
		case len(left[k]) > 0 || !wanted || !exists || !model.Spec(k.Kind).Configured():
		case restores(r.operation): // nothing was written, so nothing is ours that was not
		default:
			was, recorded := now[k]
			now[k] = plan.AppliedBut(accepted, want, is, recordOf(was, recorded))
		}
	}
	state, err := stateOf(now)
	if err != nil {
		return err
	}
	return c.scope.SaveLastApplied(state, c.meta())
}

// remember records anew what is as desired, where nothing was to be done: a policy
// may have changed, and a lifecycle block that was removed holds until then. What
// a run did that was killed is recorded, too.
func (c *connection) remember(ctx context.Context, r request, p *plan.Plan, agreed consent) error {
	rec, err := c.record()
	if err != nil {
		return err
	}
	stale := slices.ContainsFunc(recordable(p, agreed, rec.last), func(k model.Key) bool {
		was, recorded := rec.last.Get(k)
		is, _ := r.desired.Get(k)
		return !recorded || !reflect.DeepEqual(was.Policy, is.Policy)
	})
	if (!stale || restores(r.operation)) && len(rec.open)+len(rec.held) == 0 {
		return nil
	}
	if err := c.lock(ctx, agreed); err != nil {
		return err
	}
	if rec, err = c.record(); err != nil {
		return err
	}
	c.kinds = r.kinds(rec)
	if c.live, err = c.readFor(ctx, r, c.kinds); err != nil {
		return err
	}
	if err := c.settleOpen(ctx, rec); err != nil {
		return err
	}
	if rec, err = c.record(); err != nil {
		return err
	}
	unchanged := recordable(p, agreed, rec.last)
	left, err := remaining(r, c.live, rec.last, unchanged)
	if err != nil {
		return err
	}
	if err := c.release(rec.held, r, p, nil); err != nil {
		return err
	}
	return c.advance(rec.last, r, c.live, unchanged, p.Accepted, left)
}

// recordable are the unchanged objects that may be recorded as applied: those that
// are already and, if adopting was agreed to, all others too.
func recordable(p *plan.Plan, agreed consent, last model.State) []model.Key {
	return slices.DeleteFunc(slices.Clone(p.Unchanged), func(k model.Key) bool {
		_, recorded := last.Get(k)
		return !recorded && !agreed.allowed.AdoptExisting
	})
}

// remaining plans once more, for some objects, and expects nothing: it says what
// still differs, by object. last is as it was when they were planned, so that
// what was to be removed is looked for too.
func remaining(r request, live, last model.State, keys []model.Key) (map[model.Key][]string, error) {
	left := map[model.Key][]string{}
	o := r.options
	o.Targets, o.Prune, o.PruneUnmanaged, o.Encode, o.Held, o.InUse = nil, nil, nil, nil, nil, nil
	for _, k := range keys {
		if _, wanted := r.desired.Get(k); wanted {
			o.Targets = append(o.Targets, k)
		} else if _, exists := live.Get(k); exists {
			left[k] = []string{k.String() + " still exists"}
		}
	}
	if len(o.Targets) == 0 {
		return left, nil
	}
	p, err := plan.Compute(r.desired, live, r.baseline(live, last), o)
	if err != nil {
		return nil, err
	}
	for _, ch := range p.Changes {
		if ch.Action == plan.Create {
			left[ch.Key] = []string{ch.Key.String() + " does not exist"}
			continue
		}
		for _, f := range ch.Fields {
			left[ch.Key] = append(left[ch.Key], fmt.Sprintf("%s %s is %s instead of %s", ch.Key, f.Path, ui.Value(f.Before, 60), ui.Value(f.After, 60)))
		}
	}
	return left, nil
}
