package flow

import (
	"slices"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// pair are two screens that are one, or one that the other flow does not have.
type pair struct {
	a, b  *Screen
	tasks []string
}

// screens compares the screens. One that a task shows in both flows is the same
// screen, whatever its id; then one that has the same id; then one that nothing
// shows and that is all the same.
func (d *differ) screens() {
	for _, p := range d.pairs() {
		base := Change{}
		if len(p.tasks) > 0 {
			base.Task = p.tasks[0]
			if len(p.tasks) > 1 {
				base.Also = p.tasks[1:]
			}
			base.TaskName = text(d.b.tasks[base.Task]["name"])
			if base.TaskName == "" {
				base.TaskName = text(d.a.tasks[base.Task]["name"])
			}
		}
		if p.b != nil {
			base.Screen = p.b.ID
		} else {
			base.Screen = p.a.ID
		}
		switch {
		case p.a == nil:
			base.Kind = ScreenAdded
			d.add(base)
		case p.b == nil:
			base.Kind = ScreenRemoved
			d.add(base)
		default:
			d.screen(base, p.a, p.b)
		}
	}
}

// pairs matches the screens, those that tasks show first, in the order of those.
func (d *differ) pairs() []pair {
	a, b := d.a.flow.shown(), d.b.flow.shown()
	matchedA, matchedB := map[string]bool{}, map[string]bool{}
	var out []pair
	match := func(x, y *Screen, tasks ...string) {
		if x != nil {
			matchedA[x.ID] = true
		}
		if y != nil {
			matchedB[y.ID] = true
		}
		for i, p := range out {
			if same(p.a, x) && same(p.b, y) {
				out[i].tasks = append(p.tasks, tasks...)
				return
			}
		}
		out = append(out, pair{x, y, tasks})
	}
	for _, task := range union(d.a.tasks, d.b.tasks) {
		x, y := a[task], b[task]
		if d.a.tasks[task] != nil && d.b.tasks[task] != nil && (x != nil || y != nil) {
			match(x, y, task)
		}
	}
	restA := slices.DeleteFunc(d.a.flow.Screens(), func(s Screen) bool { return matchedA[s.ID] })
	restB := slices.DeleteFunc(d.b.flow.Screens(), func(s Screen) bool { return matchedB[s.ID] })
	later := func(equal func(x, y Screen) bool) {
		for _, x := range restA {
			for _, y := range restB {
				if !matchedA[x.ID] && !matchedB[y.ID] && equal(x, y) {
					match(&x, &y, tasksOf(b, y.ID)...)
				}
			}
		}
	}
	later(func(x, y Screen) bool { return x.ID == y.ID })
	later(func(x, y Screen) bool {
		return len(tasksOf(a, x.ID))+len(tasksOf(b, y.ID)) == 0 && model.Equal(d.a.normal.byScreen[x.ID], d.b.normal.byScreen[y.ID])
	})
	for _, x := range restA {
		if !matchedA[x.ID] {
			match(&x, nil, tasksOf(a, x.ID)...)
		}
	}
	for _, y := range restB {
		if !matchedB[y.ID] {
			match(nil, &y, tasksOf(b, y.ID)...)
		}
	}
	return out
}

func same(x, y *Screen) bool { return (x == nil) == (y == nil) && (x == nil || x.ID == y.ID) }

// shown are the screens by the task that shows them.
func (f Flow) shown() map[string]*Screen {
	screens := map[string]*Screen{}
	for _, s := range f.Screens() {
		screens[s.ID] = &s
	}
	out := map[string]*Screen{}
	for id, task := range f.byTask() {
		if s := screens[text(task["screenId"])]; s != nil && text(task["type"]) == TypeScreen {
			out[id] = s
		}
	}
	return out
}

// tasksOf are the tasks that show a screen, in order.
func tasksOf(shown map[string]*Screen, id string) []string {
	var out []string
	for task, s := range shown {
		if s.ID == id {
			out = append(out, task)
		}
	}
	slices.SortFunc(out, CompareIDs)
	return out
}

// screen compares two screens.
func (d *differ) screen(base Change, before, after *Screen) {
	if before.ID != after.ID {
		c := base
		c.Kind, c.Field, c.Before, c.After = ScreenChanged, "screenId", before.ID, after.ID
		d.noise(OtherIDs, c)
	}
	a, b := object(d.a.normal.byScreen[before.ID]), object(d.b.normal.byScreen[after.ID])
	if model.Equal(a, b) {
		return
	}
	said := len(d.report.Changes) + len(d.report.Noise)
	d.fields(ScreenChanged, base, without(a, "contents", "interactions"), without(b, "contents", "interactions"))
	nodesA, nodesB := object(a["contents"]), object(b["contents"])
	d.nodes(base, nodesA, nodesB)
	d.interactions(base, object(a["interactions"]), object(b["interactions"]), nodesA, nodesB)
	if said == len(d.report.Changes)+len(d.report.Noise) {
		// A broken tree of components, in which one is in two places or nowhere.
		base.Kind, base.Field = ScreenChanged, "contents"
		d.add(base)
	}
}

// interactions compares what a user can do. Descope: most interactions repeat a
// component, whose text is their label.
func (d *differ) interactions(base Change, a, b, nodesA, nodesB map[string]any) {
	for _, id := range union(a, b) {
		c, ok := differs(InteractionChanged, base, id, a, b)
		if !ok {
			continue
		}
		c.Kind = presence(InteractionAdded, InteractionRemoved, InteractionChanged, id, a, b)
		reason := Reason("")
		if c.Kind != InteractionChanged {
			if has(nodesA, id) != has(nodesB, id) {
				reason = Follows
			}
		} else {
			reason = follows(object(c.Before), object(c.After), object(nodesA[id]), object(nodesB[id]))
		}
		d.addUnless(reason, c)
	}
}

// follows says why a change of an interaction is noise, or "".
func follows(before, after, nodeA, nodeB map[string]any) Reason {
	left, right := without(before), without(after)
	reason := Reason("")
	// Descope: newer versions fill in the type.
	if model.Unset(left["type"]) != model.Unset(right["type"]) {
		delete(left, "type")
		delete(right, "type")
		reason = Backfilled
	}
	if text(left["label"]) != text(right["label"]) {
		says := func(node map[string]any, label any) bool {
			s := strings.TrimSpace(text(label))
			return slices.ContainsFunc([]string{"children", "label", "placeholder", "aria-label"}, func(prop string) bool {
				return strings.TrimSpace(text(object(node["props"])[prop])) == s
			})
		}
		if model.Equal(object(nodeA["props"]), object(nodeB["props"])) || !says(nodeB, right["label"]) {
			return ""
		}
		delete(left, "label")
		delete(right, "label")
		reason = Follows
	}
	if !model.Equal(left, right) {
		return ""
	}
	return reason
}
