package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// A plan that changes more than massPercent of the managed live objects of a
// kind meets a guard, where there are at least massFloor of them.
const (
	massPercent = 30
	massFloor   = 10
)

// Allowed is what the user has allowed a plan to do, by flag or by answer. The
// zero value allows only what no guard is about.
type Allowed struct {
	MassChange     bool // --allow-mass-change
	OverwriteDrift bool // --overwrite-drift
	AdoptExisting  bool // --adopt-existing
	Reapply        bool // --allow-reapply
	BrokenFlows    bool // --allow-broken-flows
	// DeleteInUse is --allow-delete-in-use, or what Options.DeleteFlag called it.
	DeleteInUse bool
	// ConfirmProject is the project id that was typed or passed with
	// --confirm-project; it must be the plan's.
	ConfirmProject string
	// SavedPlan says that the plan was read from a file, where somebody could
	// see what it overwrites: an unknown mover passes then.
	SavedPlan bool
}

// Gate returns the guards that remain with what is allowed, in the plan's order.
// The plan may run if none does.
func (p *Plan) Gate(a Allowed) []Guard {
	var remain []Guard
	for _, g := range p.Guards {
		if !p.passes(g.Rule, a) {
			remain = append(remain, g)
		}
	}
	return remain
}

func (p *Plan) passes(r Rule, a Allowed) bool {
	switch r {
	case RuleMassChange:
		return a.MassChange
	case RuleDrift:
		return a.OverwriteDrift
	case RuleUnknown:
		return a.OverwriteDrift || a.SavedPlan
	case RuleHeld:
		return a.Reapply
	case RuleInUse:
		return a.DeleteInUse
	case RuleBroken:
		return a.BrokenFlows
	case RuleAdopt:
		return a.AdoptExisting
	case RuleProtected:
		return p.Project != "" && a.ConfirmProject == p.Project
	case RuleImpossible, RuleTaken, RulePreventDestroy:
		return false
	}
	return false // a rule that this version does not know
}

// rules are all rules in the order in which they are shown.
func rules() []Rule {
	return []Rule{RuleImpossible, RuleTaken, RulePreventDestroy, RuleInUse, RuleMassChange, RuleDrift, RuleUnknown, RuleHeld, RuleBroken, RuleAdopt, RuleProtected}
}

func sortGuards(guards []Guard) []Guard {
	order := rules()
	slices.SortStableFunc(guards, func(a, b Guard) int {
		return cmp.Or(
			cmp.Compare(slices.Index(order, a.Rule), slices.Index(order, b.Rule)),
			slices.CompareFunc(a.Keys, b.Keys, model.Key.Compare),
			strings.Compare(a.Detail, b.Detail),
		)
	})
	return guards
}

// forbid adds a guard that nothing passes.
func (c *computation) forbid(rule Rule, key model.Key, detail string) {
	c.forbidAll(rule, []model.Key{key}, detail)
}

func (c *computation) forbidAll(rule Rule, keys []model.Key, detail string) {
	c.guards = append(c.guards, Guard{Rule: rule, Keys: keys, Detail: detail})
	if rule == RuleImpossible {
		for _, k := range keys {
			c.impossible[k] = true
		}
	}
}

// guard adds the guards that look at the changes as a whole.
func (c *computation) guard() {
	c.guardDestroy()
	c.guardInUse()
	for i := range c.kinds {
		c.guardMass(&c.kinds[i])
	}
	c.guardDrift()
	c.guardGone()
	c.guardHeld()
	c.guardBroken()
	c.guardAdopt()
	if c.options.Protected && len(c.plan.Changes) > 0 {
		c.guards = append(c.guards, Guard{
			Rule:   RuleProtected,
			Detail: fmt.Sprintf("environment %s is protected: confirm that its project is %s", c.options.Environment, c.options.Project),
			Allow:  "--confirm-project " + c.options.Project,
		})
	}
}

func (c *computation) guardDestroy() {
	for i := range c.plan.Changes {
		ch := &c.plan.Changes[i]
		if ch.Action == Delete && ch.Policy.PreventDestroy {
			c.forbid(RulePreventDestroy, ch.Key, fmt.Sprintf("%s has lifecycle.prevent_destroy: set that to false in the configuration and sync, then delete", ch.Key))
		}
	}
}

// guardInUse asks about each object that goes with something else. What that is
// is said for each: it is what the decision is about.
func (c *computation) guardInUse() {
	for i := range c.plan.Changes {
		ch := &c.plan.Changes[i]
		if ch.Action != Delete {
			continue
		}
		facts, allow := slices.Clone(c.options.InUse[ch.Key]), cmp.Or(c.options.DeleteFlag, "--allow-delete-in-use")
		if children := c.children[ch.Key]; len(children) > 0 {
			allow = "" // that is impossible
			ids := make([]string, len(children))
			for n, k := range children {
				ids[n] = k.ID
			}
			facts = append(facts, "children: "+list(ids))
		}
		if len(facts) > 0 {
			c.guards = append(c.guards, Guard{
				Rule: RuleInUse, Keys: []model.Key{ch.Key}, Allow: allow,
				Detail: fmt.Sprintf("%s would be deleted and is in use: %s", ch.Key, strings.Join(facts, ", ")),
			})
		}
	}
}

// guardGone asks about objects that were to be changed and were deleted: the rest
// of the plan can run, and nothing will be done about them.
func (c *computation) guardGone() {
	if len(c.gone) == 0 {
		return
	}
	c.guards = append(c.guards, Guard{
		Rule: RuleDrift, Keys: c.gone, Allow: "--overwrite-drift",
		Detail: fmt.Sprintf("%s %s gone, so nothing of %s can be taken back: %s",
			count(len(c.gone), "object"), plural(len(c.gone), "is", "are"), plural(len(c.gone), "it", "them"), addresses(c.gone)),
	})
}

func (c *computation) guardMass(spec *model.KindSpec) {
	var keys []model.Key
	pruned := 0
	for i := range c.plan.Changes {
		ch := &c.plan.Changes[i]
		if ch.Key.Kind != spec.Kind || ch.Action == Create || c.unmanaged[ch.Key] {
			continue
		}
		keys = append(keys, ch.Key)
		if ch.Action == Delete {
			pruned++
		}
	}
	slices.SortFunc(keys, model.Key.Compare)
	total, n := c.managed[spec.Kind], len(keys)
	guard := func(detail string) {
		c.guards = append(c.guards, Guard{Rule: RuleMassChange, Keys: keys, Detail: detail, Allow: "--allow-mass-change"})
	}
	switch {
	case pruned > 0 && len(c.targets) == 0 && len(c.desired.Of(spec.Kind)) == 0:
		guard(fmt.Sprintf("the configuration names no %s at all: all %d managed ones would be deleted", spec.Kind, pruned))
	case total >= massFloor && n*100 > total*massPercent:
		guard(fmt.Sprintf("%d of %d managed %ss would be updated or deleted (%d %%; the limit is %d %%)", n, total, spec.Kind, n*100/total, massPercent))
	}
}

func (c *computation) guardDrift() {
	var drifted, unknown []model.Key
	var values, unknownValues int
	var places []string
	for i := range c.plan.Changes {
		ch := &c.plan.Changes[i]
		n, u := 0, 0
		for _, f := range ch.Fields {
			switch f.Moved {
			case Live, Both:
				n++
				places = append(places, ch.Key.String()+" "+f.Path)
			case Unknown:
				u++
			case Config:
			}
		}
		if n > 0 || ch.Moved == Both || ch.Moved == Live {
			drifted, values = append(drifted, ch.Key), values+n
		}
		if ch.Moved == Unknown && c.options.Protected && !c.unmanaged[ch.Key] {
			unknown, unknownValues = append(unknown, ch.Key), unknownValues+u
		}
	}
	if len(drifted) > 0 {
		slices.SortFunc(drifted, model.Key.Compare)
		c.guards = append(c.guards, Guard{
			Rule: RuleDrift, Keys: drifted, Allow: "--overwrite-drift",
			Detail: fmt.Sprintf("%s of %s moved live since the last apply and would be overwritten: %s",
				count(values, "value"), count(len(drifted), "object"), list(places)),
		})
	}
	if len(unknown) > 0 {
		slices.SortFunc(unknown, model.Key.Compare)
		c.guards = append(c.guards, Guard{
			Rule: RuleUnknown, Keys: unknown, Allow: "--overwrite-drift",
			Detail: fmt.Sprintf("%s of %s would be overwritten, and nothing was ever applied there: who set them is unknown: %s",
				count(unknownValues, "live value"), count(len(unknown), "object"), addresses(unknown)),
		})
	}
}

func (c *computation) guardAdopt() {
	var keys []model.Key
	for i := range c.plan.Changes {
		if ch := &c.plan.Changes[i]; ch.Adopts {
			keys = append(keys, ch.Key)
		}
	}
	if len(keys) == 0 {
		return
	}
	slices.SortFunc(keys, model.Key.Compare)
	c.guards = append(c.guards, Guard{
		Rule: RuleAdopt, Keys: keys, Allow: "--adopt-existing",
		Detail: fmt.Sprintf("%s that %s never applied would be changed: %s", count(len(keys), "existing object"), plural(len(keys), "was", "were"), addresses(keys)),
	})
}
