package plan

import (
	"cmp"
	"fmt"
	"slices"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// graph holds which change must come before which, by their indexes.
type graph struct {
	index map[model.Key]int
	needs [][]int
}

func newGraph(changes []Change) *graph {
	g := &graph{index: make(map[model.Key]int, len(changes)), needs: make([][]int, len(changes))}
	for i := range changes {
		g.index[changes[i].Key] = i
	}
	return g
}

// add says that change i needs change j to be done first.
func (g *graph) add(i, j int) {
	if !slices.Contains(g.needs[i], j) {
		g.needs[i] = append(g.needs[i], j)
	}
}

// order sorts the changes: creates and updates by stage and id, deletes last
// and in reverse; and each one after those that it needs, which is how a parent
// comes before its children and how a delete that frees a name gets to the front.
func (c *computation) order() {
	g := newGraph(c.plan.Changes)
	c.orderParents(g)
	c.orderDeletes(g)
	c.orderClaims(g)
	c.orderFlows(g)

	changes := c.plan.Changes
	first := make([]int, len(changes)) // the order without needs
	for i := range first {
		first[i] = i
	}
	slices.SortFunc(first, func(i, j int) int { return compareChanges(&changes[i], &changes[j]) })
	rank := make([]int, len(changes))
	for at, i := range first {
		rank[i] = at
	}
	for _, needs := range g.needs {
		slices.SortFunc(needs, func(i, j int) int { return cmp.Compare(rank[i], rank[j]) })
	}

	w := &walk{graph: g, state: make([]progress, len(changes)), cycle: c.cycle}
	for _, i := range first {
		if w.state[i] == unseen {
			w.visit(i)
		}
	}
	sorted := make([]Change, 0, len(changes))
	for _, i := range w.done {
		ch := changes[i]
		for _, j := range g.needs[i] {
			ch.DependsOn = append(ch.DependsOn, changes[j].Key)
		}
		slices.SortFunc(ch.DependsOn, model.Key.Compare)
		sorted = append(sorted, ch)
	}
	if len(sorted) > 0 {
		c.plan.Changes = sorted
	}
}

func compareChanges(a, b *Change) int {
	if last := b.Action == Delete; last != (a.Action == Delete) {
		if last {
			return -1
		}
		return 1
	}
	if a.Action == Delete {
		a, b = b, a
	}
	return a.Key.Compare(b.Key)
}

type progress int

const (
	unseen progress = iota
	open
	placed
)

// walk places changes depth first, those that one needs before itself.
type walk struct {
	*graph
	state []progress
	path  []int // the open ones, outermost first
	done  []int
	cycle func(members []int)
}

func (w *walk) visit(i int) {
	w.state[i] = open
	w.path = append(w.path, i)
	kept := w.needs[i][:0]
	for _, j := range w.needs[i] {
		switch w.state[j] {
		case open: // j waits for i already: forget the need, so that the plan stays a sequence
			w.cycle(w.path[slices.Index(w.path, j):])
			continue
		case unseen:
			w.visit(j)
		case placed:
		}
		kept = append(kept, j)
	}
	w.needs[i] = kept
	w.path = w.path[:len(w.path)-1]
	w.state[i] = placed
	w.done = append(w.done, i)
}

// cycle refuses changes that wait for each other.
func (c *computation) cycle(members []int) {
	keys := make([]model.Key, len(members))
	for n, i := range members {
		keys[n] = c.plan.Changes[i].Key
	}
	if !slices.ContainsFunc(keys, func(k model.Key) bool { return k.Kind != model.Flow }) {
		return // flows may run each other; one of them has to be the first
	}
	slices.SortFunc(keys, model.Key.Compare)
	c.forbidAll(RuleImpossible, keys, fmt.Sprintf("%s wait for each other (swapped names or domains, or parents in a circle), so no order of calls does this; give one of them another value first", addresses(keys)))
}

// orderParents makes a child wait for its parent's creation, and refuses one
// whose parent will not be there.
func (c *computation) orderParents(g *graph) {
	for i := range c.plan.Changes {
		ch := &c.plan.Changes[i]
		spec := c.spec(ch.Key.Kind)
		id, _ := ch.After[spec.Parent].(string)
		if ch.Action != Create || spec.Parent == "" || id == "" {
			continue
		}
		parent := model.Key{Kind: spec.Kind, ID: id}
		j, changes := g.index[parent]
		switch {
		case changes && c.plan.Changes[j].Action == Create && parent != ch.Key:
			g.add(i, j)
		case changes && c.plan.Changes[j].Action == Delete:
			c.forbid(RuleImpossible, ch.Key, fmt.Sprintf("%s needs its parent %s, which this plan deletes", ch.Key, parent))
		case has(c.live, parent):
		case has(c.desired, parent) && parent != ch.Key:
			c.forbid(RuleImpossible, ch.Key, fmt.Sprintf("%s needs its parent %s, which does not exist yet and is not among the targets; add --target %s", ch.Key, parent, parent))
		default:
			c.forbid(RuleImpossible, ch.Key, fmt.Sprintf("%s needs its parent %s, which does not exist", ch.Key, parent))
		}
	}
}

// orderDeletes makes a parent wait for the deletion of its children, and
// refuses to delete one that keeps some.
func (c *computation) orderDeletes(g *graph) {
	deletes := map[model.Kind]bool{}
	for i := range c.plan.Changes {
		if ch := &c.plan.Changes[i]; ch.Action == Delete {
			deletes[ch.Key.Kind] = true
		}
	}
	for _, spec := range c.kinds {
		if !deletes[spec.Kind] || spec.Parent == "" {
			continue
		}
		left := map[int][]model.Key{}
		for _, child := range c.live.Of(spec.Kind) {
			id, _ := child.Attrs[spec.Parent].(string)
			i, changes := g.index[model.Key{Kind: spec.Kind, ID: id}]
			if !changes || c.plan.Changes[i].Action != Delete {
				continue
			}
			if j, ok := g.index[child.Key]; ok && c.plan.Changes[j].Action == Delete && j != i {
				g.add(i, j)
			} else {
				left[i] = append(left[i], child.Key)
			}
		}
		for i := range c.plan.Changes {
			if children := left[i]; len(children) > 0 {
				key := c.plan.Changes[i].Key
				c.children[key] = children
				c.forbid(RuleImpossible, key, fmt.Sprintf("%s cannot be deleted: %s %s its %s", key, addresses(children), plural(len(children), "is", "are"), plural(len(children), "child", "children")))
			}
		}
	}
}
