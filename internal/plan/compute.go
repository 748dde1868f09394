package plan

import (
	"cmp"
	"fmt"
	"slices"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// Compute compares the desired state with the live one. The resources of last
// hold the managed values as they were verified after the last apply of each
// object (see [Applied]), and its policy; an object that is not in last was
// never applied.
//
// The result depends on nothing but the arguments. An error means that the
// options make no sense for these states; what cannot or should not be done is
// no error but a [Guard] of the plan.
func Compute(desired, live, last model.State, o Options) (*Plan, error) {
	c := &computation{
		options: o, kinds: model.Table(),
		desired: desired, live: live, last: last,
		targets: keySet(o.Targets), unmanaged: keySet(o.PruneUnmanaged),
		accepted: byAccepted(o.Accepted),
		managed:  map[model.Kind]int{}, children: map[model.Key][]model.Key{},
		impossible: map[model.Key]bool{},
	}
	if err := c.checkOptions(); err != nil {
		return nil, err
	}
	c.plan.Unchanged = make([]model.Key, 0, desired.Len())
	for i := range c.kinds {
		spec := &c.kinds[i]
		for t := range join(desired.Of(spec.Kind), live.Of(spec.Kind), last.Of(spec.Kind)) {
			if err := c.visit(spec, t); err != nil {
				return nil, err
			}
		}
	}
	c.order()
	c.encode()
	c.guard()
	return c.finish(), nil
}

// computation is a plan in the making.
type computation struct {
	options             Options
	kinds               []model.KindSpec // the table is built once: it is asked often
	desired, live, last model.State
	targets, unmanaged  map[model.Key]bool
	accepted            map[model.Key][]Accepted

	plan     Plan
	managed  map[model.Kind]int // live objects that are desired or were applied
	guards   []Guard
	warnings model.Diagnostics
	// children are the live objects that a delete would leave without a parent.
	children map[model.Key][]model.Key
	// gone are objects that are not there to be changed as they should.
	gone []model.Key
	// impossible are the changes that no call can express, or not yet.
	impossible map[model.Key]bool
}

// spec is the row of a kind.
func (c *computation) spec(k model.Kind) *model.KindSpec {
	i := slices.IndexFunc(c.kinds, func(s model.KindSpec) bool { return s.Kind == k })
	return &c.kinds[i]
}

// visit decides what becomes of one key.
func (c *computation) visit(spec *model.KindSpec, t trio) error {
	key := t.key()
	if t.live != nil && (t.want != nil || t.last != nil) {
		c.managed[spec.Kind]++
	}
	if len(c.targets) > 0 && !c.targets[key] {
		return nil
	}
	if len(c.accepted[key]) > 0 {
		var leave bool
		if t, leave = c.accept(spec, t); leave {
			return nil
		}
	}
	switch {
	case t.want != nil && t.live != nil:
		return c.update(spec, t)
	case t.want != nil && t.want.Policy.UpdateOnly:
		c.gone = append(c.gone, key)
	case t.want != nil:
		c.create(spec, t)
	case t.live == nil: // applied once, gone from both sides
	case t.last != nil && slices.Contains(c.options.Prune, spec.Kind):
		c.remove(spec, t)
	case t.last != nil:
		c.plan.Orphans = append(c.plan.Orphans, key)
	case c.unmanaged[key]:
		c.remove(spec, t)
	default:
		c.plan.Unmanaged = append(c.plan.Unmanaged, key)
	}
	return nil
}

func (c *computation) create(spec *model.KindSpec, t trio) {
	ch := Change{
		Key: t.want.Key, Action: Create, Origin: t.want.Origin,
		Policy: mergePolicy(t.want, t.last),
		After:  effective(spec, t, model.Policy{}),
	}
	ch.Fields = allFields(spec, t, nil, ch.After)
	ch.Moved = sumMoved(ch.Fields)
	if t.last != nil && ch.Moved == Config {
		ch.Moved = Both // somebody deleted it
	}
	c.plan.Changes = append(c.plan.Changes, ch)
}

func (c *computation) update(spec *model.KindSpec, t trio) error {
	if settled(spec, t) {
		c.plan.Unchanged = append(c.plan.Unchanged, t.want.Key)
		return nil
	}
	policy := mergePolicy(t.want, t.last)
	if len(policy.Ignore) > len(t.want.Policy.Ignore) {
		c.warnIgnoreLifted(t.want)
	}
	after := effective(spec, t, policy)
	fields, err := differences(spec, t, t.live.Attrs, after)
	if err != nil {
		return fmt.Errorf("comparing %s: %w", t.want.Key, err)
	}
	if len(fields) == 0 {
		c.plan.Unchanged = append(c.plan.Unchanged, t.want.Key)
		return nil
	}
	c.plan.Changes = append(c.plan.Changes, Change{
		Key: t.want.Key, Action: Update, Origin: t.want.Origin, Policy: policy,
		Before: notNil(t.live.Attrs), After: after, PreImage: Image(*t.live),
		Fields: fields, Moved: sumMoved(fields), Adopts: t.last == nil,
	})
	for _, f := range fields {
		if slices.Contains(spec.CreateOnly, f.Path) {
			c.forbid(RuleImpossible, t.want.Key, fmt.Sprintf("%s of %s cannot change from %s to %s: Descope takes it at creation only; set it back, or delete and create the %s (its users will not move)",
				f.Path, t.want.Key, show(f.Before), show(f.After), spec.Kind))
		}
	}
	return nil
}

func (c *computation) remove(spec *model.KindSpec, t trio) {
	ch := Change{
		Key: t.live.Key, Action: Delete,
		Before: notNil(t.live.Attrs), PreImage: Image(*t.live),
		Policy: mergePolicy(nil, t.last),
		Fields: allFields(spec, t, t.live.Attrs, nil),
	}
	// The absence of an object is the configuration's doing; that somebody also
	// worked on the object since shows in the values.
	switch ch.Moved = Config; {
	case t.last == nil:
		ch.Moved = Unknown
	case movedSince(spec, t):
		ch.Moved = Both
	}
	for i := range ch.Fields {
		ch.Fields[i].Moved = ch.Moved
	}
	c.plan.Changes = append(c.plan.Changes, ch)
	if spec.Kind == model.Tenant {
		c.warnLost(ch.Key)
	}
}

// encode asks the client for the calls of every change that is possible.
func (c *computation) encode() {
	if c.options.Encode == nil {
		return
	}
	for i := range c.plan.Changes {
		ch := &c.plan.Changes[i]
		if c.impossible[ch.Key] {
			continue
		}
		tr := model.Transition{Key: ch.Key, After: ch.After}
		if ch.Action != Create {
			before, _ := c.live.Get(ch.Key)
			tr.Before = &before
		}
		if ch.Action != Delete {
			for _, f := range ch.Fields {
				tr.Managed = append(tr.Managed, f.Path)
			}
		}
		steps, err := c.options.Encode(tr)
		if err == nil && len(steps) == 0 {
			err = fmt.Errorf("no call does this")
		}
		if err == nil {
			ch.Steps, err = normalSteps(steps)
		}
		if err != nil {
			c.forbid(RuleImpossible, ch.Key, fmt.Sprintf("cannot %s %s: %v", ch.Action, ch.Key, err))
		}
	}
}

func (c *computation) finish() *Plan {
	p := c.plan
	p.FormatVersion = FormatVersion
	p.Tool, p.Schema = c.options.Tool, c.options.Schema
	p.Environment, p.Project, p.BaseURL = c.options.Environment, c.options.Project, c.options.BaseURL
	p.ConfigDigest, p.LiveDigest = cmp.Or(c.options.ConfigDigest, c.desired.Digest()), c.live.Digest()
	p.Unchanged = orNil(p.Unchanged)
	p.Guards = sortGuards(c.guards)
	p.Warnings = append(c.warnings, c.options.Warnings...).Sort()
	return &p
}

func (c *computation) warnIgnoreLifted(want *model.Resource) {
	c.warnings = append(c.warnings, model.Diagnostic{
		Severity: model.Warning, Code: "ignore-remembered", Key: &want.Key, Origin: want.Origin, Path: "lifecycle.ignore",
		Summary: fmt.Sprintf("lifecycle.ignore of %s lists less than at its last apply", want.Key),
		Detail:  "what it listed then is still left alone in this run, and managed from the next one",
	})
}

// warnLost says before a run what no rollback of it gives back. Descope: a deleted
// tenant takes its SSO configuration along and leaves its users and access keys
// without their place in it; ids of users and keys are never given out again.
func (c *computation) warnLost(key model.Key) {
	c.warnings = append(c.warnings, model.Diagnostic{
		Severity: model.Warning, Code: "cannot-undo", Key: &key,
		Summary: fmt.Sprintf("deleting %s cannot be undone in full", key),
		Detail:  "a rollback creates it again, without its users, access keys, SSO configuration and sessions",
	})
}

func keySet(keys []model.Key) map[model.Key]bool {
	set := make(map[model.Key]bool, len(keys))
	for _, k := range keys {
		set[k] = true
	}
	return set
}
