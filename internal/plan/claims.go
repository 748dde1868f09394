package plan

import (
	"fmt"
	"slices"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// claim is a value that at most one object of a kind may hold.
type claim struct {
	kind        model.Kind
	name, value string
}

// what names a claim to the user: `name "Acme"`, `domain "acme.com"`.
func (c claim) what() string {
	name := c.name
	if name == "domains" {
		name = "domain"
	}
	return name + " " + show(c.value)
}

// claims walks the values of the unique attributes, a list element by element.
// An empty string claims nothing.
func claims(spec *model.KindSpec, attrs map[string]any) func(yield func(claim) bool) {
	return func(yield func(claim) bool) {
		for _, name := range spec.Unique {
			switch v := attrs[name].(type) {
			case string:
				if v != "" && !yield(claim{spec.Kind, name, v}) {
					return
				}
			case []any:
				for _, e := range v {
					if s, ok := e.(string); ok && s != "" && !yield(claim{spec.Kind, name, s}) {
						return
					}
				}
			}
		}
	}
}

func holds(spec *model.KindSpec, attrs map[string]any, c claim) bool {
	for have := range claims(spec, attrs) {
		if have == c {
			return true
		}
	}
	return false
}

// takers are the changes that take a value which their object does not hold yet.
func (c *computation) takers() (taken map[claim][]int, sorted []claim) {
	taken = map[claim][]int{}
	for i := range c.plan.Changes {
		ch := &c.plan.Changes[i]
		if ch.Action == Delete {
			continue
		}
		spec := c.spec(ch.Key.Kind)
		for cl := range claims(spec, ch.After) {
			if !holds(spec, ch.Before, cl) {
				if taken[cl] == nil {
					sorted = append(sorted, cl)
				}
				taken[cl] = append(taken[cl], i)
			}
		}
	}
	return taken, sorted
}

// orderClaims puts the change that frees a value before the one that takes it,
// and refuses values that stay held or are wanted twice.
func (c *computation) orderClaims(g *graph) {
	taken, sorted := c.takers()
	if len(taken) == 0 {
		return
	}
	holders := c.holders(taken)
	for _, cl := range sorted {
		for _, i := range taken[cl][1:] {
			a, b := c.plan.Changes[taken[cl][0]].Key, c.plan.Changes[i].Key
			if c.mayShare(cl, a, b) {
				continue
			}
			c.forbid(RuleImpossible, b, fmt.Sprintf("%s and %s both want the %s", a, b, cl.what()))
		}
		for _, i := range taken[cl] {
			taker := &c.plan.Changes[i]
			for _, holder := range holders[cl] {
				if c.mayShare(cl, taker.Key, holder) {
					continue
				}
				c.orderClaim(g, cl, i, taker, holder)
			}
		}
	}
}

// mayShare reports whether two objects may hold an element of a list both: those that
// were made outside keep what they came with, and those of a saved state what they had.
// Descope: domains may repeat, names not.
func (c *computation) mayShare(cl claim, a, b model.Key) bool {
	x, known := c.desired.Get(a)
	y, both := c.desired.Get(b)
	_, isList := x.Attrs[cl.name].([]any)
	return isList && known && both && (c.options.Saved || x.Policy.Imported && y.Policy.Imported)
}

func (c *computation) orderClaim(g *graph, cl claim, i int, taker *Change, holder model.Key) {
	spec := c.spec(cl.kind)
	j, changes := g.index[holder]
	switch {
	case !changes, c.plan.Changes[j].Action == Update && holds(spec, c.plan.Changes[j].After, cl):
		c.forbid(RuleTaken, taker.Key, fmt.Sprintf("%s wants the %s, which %s %s", taker.Key, cl.what(), holder, c.why(holder)))
	default:
		g.add(i, j)
		if taker.Action == Create && c.plan.Changes[j].Action == Delete {
			c.warnReplaced(taker, holder, cl)
		}
	}
}

// why says how it comes that a holder keeps its value.
func (c *computation) why(holder model.Key) string {
	switch {
	case has(c.desired, holder) && len(c.targets) > 0 && !c.targets[holder]:
		return "holds and is not among the targets"
	case has(c.desired, holder):
		return "holds and keeps"
	case has(c.last, holder):
		return "holds: an orphan, gone from the configuration but not deleted (--prune=" + string(holder.Kind) + ")"
	default:
		return "holds: live, and not in the configuration"
	}
}

// holders finds the live objects that hold the wanted values, in key order.
func (c *computation) holders(wanted map[claim][]int) map[claim][]model.Key {
	found := map[claim][]model.Key{}
	for i := range c.kinds {
		spec := &c.kinds[i]
		if len(spec.Unique) == 0 {
			continue
		}
		for _, r := range c.live.Of(spec.Kind) {
			for cl := range claims(spec, r.Attrs) {
				if _, ok := wanted[cl]; ok && !slices.Contains(found[cl], r.Key) {
					found[cl] = append(found[cl], r.Key)
				}
			}
		}
	}
	return found
}

func (c *computation) warnReplaced(taker *Change, gone model.Key, cl claim) {
	c.warnings = append(c.warnings, model.Diagnostic{
		Severity: model.Warning, Code: "replaced", Key: &taker.Key, Origin: taker.Origin, Path: cl.name,
		Summary: fmt.Sprintf("%s takes the %s of %s, which is deleted", taker.Key, cl.what(), gone),
		Detail:  fmt.Sprintf("ids cannot change: this is another %s, and the users of %s will not move to it", cl.kind, gone),
	})
}

// Taken returns guards of a plan that was made earlier, given what is live by now:
// of the values that its changes take, an object that the plan does not change may
// hold one. The objects that it does change are checked as they are written.
func (p *Plan) Taken(live model.State) []Guard {
	c := &computation{kinds: model.Table(), live: live, plan: *p}
	planned := make(map[model.Key]bool, len(p.Changes))
	for _, ch := range p.Changes {
		planned[ch.Key] = true
	}
	taken, sorted := c.takers()
	holders := c.holders(taken)
	for _, cl := range sorted {
		for _, i := range taken[cl] {
			for _, holder := range holders[cl] {
				if !planned[holder] {
					taker := p.Changes[i].Key
					c.forbid(RuleTaken, taker, fmt.Sprintf("%s wants the %s, which %s has taken since", taker, cl.what(), holder))
				}
			}
		}
	}
	return sortGuards(c.guards)
}
