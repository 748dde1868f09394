package cli

import (
	"maps"
	"slices"

	"pcconnect.ai/descope-mgmt/internal/apply"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
	"pcconnect.ai/descope-mgmt/internal/store"
)

// record is what the state directory knows of earlier runs in a project.
type record struct {
	// last is what was verified after the last apply of each object.
	last model.State
	// pending is what a run was about to apply that did not come to its end.
	pending model.State
}

func (c *connection) record() (record, error) {
	last, err := c.scope.LoadLastApplied()
	if err != nil {
		return record{}, err
	}
	pending, err := c.scope.LoadPending()
	return record{last, pending}, err
}

// has reports whether an earlier run knows a kind.
func (r record) has(k model.Kind) bool { return len(r.last.Of(k))+len(r.pending.Of(k)) > 0 }

// settle is what was last applied, given what is live: of what is pending, what is
// there as it was to be was done by the run that did not come to its end. The rest
// was not, or was moved since.
func (r record) settle(live model.State) (model.State, error) {
	if r.pending.Len() == 0 {
		return r.last, nil
	}
	p, err := plan.Compute(r.pending, live, r.last, plan.Options{Targets: keysOf(r.pending)})
	if err != nil {
		return model.State{}, err
	}
	done := map[model.Key]model.Resource{}
	for _, k := range p.Unchanged {
		want, _ := r.pending.Get(k)
		is, _ := live.Get(k)
		done[k] = plan.Applied(want, is)
	}
	return merged(r.last, done)
}

// begun are the objects that a run created, or was allowed to adopt, and did not
// finish: ours all the same. Recorded is what they are already of what they are to
// be; the rest is for the next run, and nobody's drift.
func begun(desired, live model.State, p *plan.Plan, result apply.Result) map[model.Key]model.Resource {
	out := map[model.Key]model.Resource{}
	for i, o := range result.Outcomes {
		ch := p.Changes[i]
		want, wanted := desired.Get(o.Key)
		is, exists := live.Get(o.Key)
		if o.Status == apply.Done || o.StepsDone == 0 || !wanted || !exists || ch.Action != plan.Create && !ch.Adopts {
			continue
		}
		want.Attrs = maps.Clone(want.Attrs)
		maps.DeleteFunc(want.Attrs, func(name string, _ any) bool { return !model.Equal(ch.After[name], is.Attrs[name]) })
		out[o.Key] = plan.Applied(want, is)
	}
	return out
}

// announce writes down what a plan is about to apply, before its first call. What
// is still pending of another run stays so.
func (c *connection) announce(desired model.State, p *plan.Plan) error {
	pending, err := c.scope.LoadPending()
	if err != nil {
		return err
	}
	about := map[model.Key]model.Resource{}
	for _, ch := range p.Changes {
		if want, ok := desired.Get(ch.Key); ok && ch.Action != plan.Delete {
			about[ch.Key] = want
		}
	}
	if pending, err = merged(pending, about); err != nil {
		return err
	}
	return c.scope.SavePending(pending, c.meta())
}

// withdraw takes back what a plan announced, of which nothing was done.
func (c *connection) withdraw(p *plan.Plan) error {
	pending, err := c.scope.LoadPending()
	if err != nil {
		return err
	}
	for _, ch := range p.Changes {
		pending = pending.Filter(func(r model.Resource) bool { return r.Key != ch.Key })
	}
	if pending.Len() == 0 {
		return c.scope.ClearPending()
	}
	return c.scope.SavePending(pending, c.meta())
}

func (c *connection) meta() store.Meta { return store.Meta{Environment: c.env, At: c.app.now()} }

func keysOf(s model.State) []model.Key {
	keys := make([]model.Key, 0, s.Len())
	for _, r := range s.Resources() {
		keys = append(keys, r.Key)
	}
	return keys
}

// those are the resources of a state with the given keys.
func those(s model.State, keys []model.Key) model.State {
	wanted := make(map[model.Key]bool, len(keys))
	for _, k := range keys {
		wanted[k] = true
	}
	return s.Filter(func(r model.Resource) bool { return wanted[r.Key] })
}

// merged is a state in which some resources were added or replaced.
func merged(s model.State, resources map[model.Key]model.Resource) (model.State, error) {
	now := make(map[model.Key]model.Resource, s.Len()+len(resources))
	for _, r := range s.Resources() {
		now[r.Key] = r
	}
	maps.Copy(now, resources)
	return model.NewState(slices.Collect(maps.Values(now)))
}
