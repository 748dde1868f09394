package flow

import (
	"slices"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// tasks compares the graph.
func (d *differ) tasks() {
	for _, id := range union(d.a.normal.Tasks, d.b.normal.Tasks) {
		a, inA := d.a.normal.Tasks[id].(map[string]any)
		b, inB := d.b.normal.Tasks[id].(map[string]any)
		base := Change{Task: id, TaskName: text(d.b.tasks[id]["name"])}
		first, isTwin := strings.CutSuffix(id, ".end")
		switch {
		case isTwin && !inA && !has(d.a.normal.Tasks, first) && has(d.b.normal.Tasks, first):
		case isTwin && !inB && !has(d.b.normal.Tasks, first) && has(d.a.normal.Tasks, first):
			base.TaskName = text(d.a.tasks[id]["name"])
		case !inA:
			base.Kind, base.After = TaskAdded, summary(d.b.tasks[id])
			d.add(base)
		case !inB:
			base.TaskName = text(d.a.tasks[id]["name"])
			base.Kind, base.Before = TaskRemoved, summary(d.a.tasks[id])
			d.add(base)
		default:
			d.task(base, a, b)
			d.derived(base)
			d.moved(base)
		}
		base.Before, base.After = nil, nil
		d.edges(base, a, b)
	}
}

// summary is what is worth saying of a task that comes or goes.
func summary(task map[string]any) map[string]any {
	out := map[string]any{"name": text(task["name"]), "type": text(task["type"]), "action": text(task["action"])}
	dropZero(out, "name", "type", "action")
	return out
}

// task compares a task that both flows have.
func (d *differ) task(base Change, a, b map[string]any) {
	ownFields := func(t map[string]any) map[string]any {
		return without(t, "arguments", "rules", "conditions", "errorHandlingV2")
	}
	fieldsA, fieldsB := ownFields(a), ownFields(b)
	for _, name := range union(fieldsA, fieldsB) {
		c, ok := differs(TaskChanged, base, name, fieldsA, fieldsB)
		switch {
		case !ok:
		case name == "name" && d.platformRename(base.Task):
			d.noise(PlatformRename, c)
		default:
			d.add(c)
		}
	}
	d.arguments(base)
	d.conditions(base, list(a["conditions"]), list(b["conditions"]))
	d.entries(ErrorHandlingAdded, ErrorHandlingRemoved, ErrorHandlingChanged, base, object(a["errorHandlingV2"]), object(b["errorHandlingV2"]))
}

// platformRename reports the one rename that Descope did by itself: the step
// that ends a flow was called "Generate JWT" and is called "End".
func (d *differ) platformRename(id string) bool {
	a, b := d.a.tasks[id], d.b.tasks[id]
	names := []string{text(a["name"]), text(b["name"])}
	slices.Sort(names)
	return text(a["action"]) == "logged-in" && text(b["action"]) == "logged-in" && slices.Equal(names, []string{"End", "Generate JWT"})
}

// arguments compares those that the task has in effect: the second half of a
// pair has those of the first where it has none itself, and a change of both is
// one change, of the first.
func (d *differ) arguments(base Change) {
	a, b := effective(d.a.normal, base.Task), effective(d.b.normal, base.Task)
	first, isTwin := strings.CutSuffix(base.Task, ".end")
	isTwin = isTwin && has(d.a.normal.Tasks, first) && has(d.b.normal.Tasks, first)
	firstA, firstB := effective(d.a.normal, first), effective(d.b.normal, first)
	for _, name := range union(a, b) {
		c, ok := differs(ArgumentChanged, base, name, a, b)
		if !ok || isTwin && model.Equal(a[name], firstA[name]) && model.Equal(b[name], firstB[name]) {
			continue
		}
		reason := Reason("")
		if !has(a, name) && unset(b[name]) || !has(b, name) && unset(a[name]) {
			reason = Backfilled
		}
		c.Before, c.After = plain(c.Before, c.After)
		d.addUnless(reason, c)
	}
}

// effective are the arguments of a task with those of the first half.
func effective(n Normal, id string) map[string]any {
	out := map[string]any{}
	if first, ok := strings.CutSuffix(id, ".end"); ok {
		for name, v := range object(object(n.Tasks[first])["arguments"]) {
			out[name] = v
		}
	}
	for name, v := range object(object(n.Tasks[id])["arguments"]) {
		out[name] = v
	}
	return out
}

// unset reports whether an argument has the value that stands for none. Descope:
// newer versions add the arguments that they know to every step, unset.
func unset(argument any) bool {
	a := object(argument)
	switch v := a["value"].(type) {
	case nil:
		return len(without(a, "type", "value")) == 0
	case string:
		return text(a["type"]) == "inline" && v == ""
	case []any:
		return text(a["type"]) == "inline" && len(v) == 0
	default:
		return false
	}
}

// plain are the values of two arguments, if that is all that they say.
func plain(before, after any) (x, y any) {
	simple := func(v any) bool {
		a := object(v)
		return v == nil || text(a["type"]) == "inline" && len(without(a, "type", "value")) == 0
	}
	if simple(before) && simple(after) {
		return object(before)["value"], object(after)["value"]
	}
	return before, after
}

// conditions compares the branches of a condition, which are tried in order.
func (d *differ) conditions(base Change, before, after []any) {
	a, orderA := branches(before)
	b, orderB := branches(after)
	for _, id := range union(a, b) {
		if c, ok := differs(ConditionChanged, base, id, a, b); ok {
			c.Kind = presence(ConditionAdded, ConditionRemoved, ConditionChanged, id, a, b)
			// Descope: a branch with one comparison has logicalOr false or none.
			same := c.Kind == ConditionChanged && model.Equal(withoutFalse(c.Before), withoutFalse(c.After))
			reason := Reason("")
			if same {
				reason = Backfilled
			}
			d.addUnless(reason, c)
		}
	}
	orderA, orderB = common(orderA, b), common(orderB, a)
	if !slices.Equal(orderA, orderB) {
		base.Kind, base.Before, base.After = ConditionsReordered, anyList(orderA), anyList(orderB)
		d.add(base)
	}
}

func withoutFalse(condition any) map[string]any {
	out := without(object(condition))
	dropZero(out, "logicalOr")
	return out
}

// branches are conditions by interaction, and the order of those.
func branches(conditions []any) (byInteraction map[string]any, order []string) {
	byInteraction = map[string]any{}
	for _, c := range objects(conditions) {
		id := text(c["interactionId"])
		key := id
		for i := 2; has(byInteraction, key); i++ {
			key = id + "#" + itoa(i)
		}
		byInteraction[key] = c
		order = append(order, key)
	}
	return byInteraction, order
}

// common are those of ids that m has.
func common(ids []string, m map[string]any) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !has(m, id) })
}

// derived notes what a screen task repeats of its screen differently.
func (d *differ) derived(base Change) {
	a, b := d.a.tasks[base.Task], d.b.tasks[base.Task]
	if text(a["type"]) != TypeScreen || text(b["type"]) != TypeScreen {
		return
	}
	var differing []string
	for _, name := range derivedKeys() {
		if _, ok := differs(TaskChanged, base, name, a, b); ok {
			differing = append(differing, name)
		}
	}
	if len(differing) > 0 {
		slices.Sort(differing)
		base.Kind, base.Field = TaskChanged, strings.Join(differing, ", ")
		d.noise(Derived, base)
	}
}

// moved notes that a task stands elsewhere. Both halves of a pair stand at one
// place.
func (d *differ) moved(base Change) {
	a, b := d.a.normal.views, d.b.normal.views
	before, after := a[base.Task], b[base.Task]
	if model.Equal(before, after) {
		return
	}
	if first, ok := strings.CutSuffix(base.Task, ".end"); ok && model.Equal(before, a[first]) && model.Equal(after, b[first]) {
		return
	}
	base.Kind, base.Before, base.After = TaskMoved, before, after
	d.report.Moved = append(d.report.Moved, base)
}
