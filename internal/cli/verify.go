package cli

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"pcconnect.ai/descope-mgmt/internal/apply"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

// verify reads the project again, records what is now applied, and says what
// still differs of what was done.
func (c *connection) verify(ctx context.Context, r request, p *plan.Plan, agreed consent, result apply.Result) ([]string, error) {
	if !result.OK() && !result.Partial() {
		return nil, c.withdraw(p)
	}
	var done []model.Key
	for _, o := range result.Outcomes {
		if o.Status == apply.Done {
			done = append(done, o.Key)
		}
	}
	unrecorded := func(err error) error {
		return fmt.Errorf("the changes were made, but what was applied could not be recorded: %w", err)
	}
	rec, err := c.record()
	if err != nil {
		return nil, unrecorded(err)
	}
	kinds := r.kinds(rec)
	live, err := c.read(ctx, kinds...)
	if err == nil {
		err = c.notShort(ctx, live, those(r.desired, done), kinds)
	}
	if err != nil {
		return nil, fmt.Errorf("the changes were made, but could not be checked: %w", err)
	}
	if rec.last, err = merged(rec.last, begun(r.desired, live, p, result)); err != nil {
		return nil, unrecorded(err)
	}
	checked := append(slices.Clone(done), recordable(p, agreed, rec.last)...)
	left, err := remaining(r, live, rec.last, checked)
	if err != nil {
		return nil, unrecorded(err)
	}
	if err := c.advance(rec, r.desired, live, checked, left, p); err != nil {
		return nil, unrecorded(err)
	}
	var differences []string
	for _, k := range done {
		differences = append(differences, left[k]...)
	}
	return differences, nil
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
	if !stale && rec.pending.Len() == 0 {
		return nil
	}
	if err := c.lock(ctx, agreed.retry); err != nil {
		return err
	}
	if rec, err = c.record(); err != nil {
		return err
	}
	live, err := c.read(ctx, r.kinds(rec)...)
	if err != nil {
		return err
	}
	unchanged := recordable(p, agreed, rec.last)
	left, err := remaining(r, live, rec.last, unchanged)
	if err != nil {
		return err
	}
	return c.advance(rec, r.desired, live, unchanged, left, p)
}

// advance saves the record as it is after some objects were checked, with what a
// killed run did. Nothing is pending then any more.
func (c *connection) advance(rec record, desired, live model.State, checked []model.Key, left map[model.Key][]string, p *plan.Plan) error {
	settled, err := rec.settle(live)
	if err != nil {
		return err
	}
	next, err := advanced(settled, desired, live, checked, left, p)
	if err != nil {
		return err
	}
	if err := c.scope.SaveLastApplied(next, c.meta()); err != nil {
		return err
	}
	return c.scope.ClearPending()
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
	o.Targets, o.Prune, o.PruneUnmanaged, o.Encode = nil, nil, nil, nil
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
	p, err := plan.Compute(r.desired, live, last, o)
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

// advanced is the record with the objects that were checked: the values that are
// live now of what is managed, and nothing of what is gone. Of an object with
// something left the record stays as it was or, where there is none, says what was sent: whatever
// else is live was moved by somebody, and must still be seen as that.
func advanced(last, desired, live model.State, checked []model.Key, left map[model.Key][]string, p *plan.Plan) (model.State, error) {
	sent := make(map[model.Key]map[string]any, len(p.Changes))
	for _, ch := range p.Changes {
		sent[ch.Key] = ch.After
	}
	now := make(map[model.Key]model.Resource, last.Len()+len(checked))
	for _, r := range last.Resources() {
		now[r.Key] = r
	}
	for _, k := range checked {
		want, wanted := desired.Get(k)
		is, _ := live.Get(k)
		_, recorded := now[k]
		attrs, changed := sent[k]
		switch {
		case len(left[k]) == 0 && wanted:
			now[k] = plan.Applied(want, is)
		case len(left[k]) == 0:
			delete(now, k)
		case wanted && changed && !recorded:
			now[k] = plan.Applied(want, model.Resource{Key: k, Attrs: attrs})
		}
	}
	return model.NewState(slices.Collect(maps.Values(now)))
}
