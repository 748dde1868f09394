package flow

import (
	"fmt"
	"slices"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// screens merges the screens that the merged tasks show, and those that nothing
// shows in ours or theirs.
func (m *merger) screens(tasks map[string]any) []any {
	base, orderB := keyedList(m.base.doc["screens"], "screenId")
	ours, orderO := keyedList(m.ours.doc["screens"], "screenId")
	theirs, orderT := keyedList(m.theirs.doc["screens"], "screenId")
	shown, shownOurs, shownTheirs := showing(tasks), showing(object(m.ours.contents()["tasks"])), showing(object(m.theirs.contents()["tasks"]))
	merged := map[string]any{}
	for _, id := range unionOf(base, ours, theirs) {
		b, o, t := get(base, id), get(ours, id), get(theirs, id)
		if !shown[id] && !m.orphans[id] {
			continue
		}
		at := Conflict{Task: m.screenOwner[id], Screen: id, Path: model.JoinPath("tasks", m.screenOwner[id], "screen")}
		if at.Task == "" {
			at.Path = model.JoinPath("screens", id)
		}
		lost := isNone(o) && shownOurs[id] || isNone(t) && shownTheirs[id]
		switch {
		case !isNone(o) && !isNone(t):
			put(merged, id, m.screen(at, b, o, t))
		case isNone(b) || shown[id] && !lost:
			// Added; or removed, but a task of the result shows it.
			if isNone(o) {
				o = t
			}
			put(merged, id, o)
		default:
			put(merged, id, m.whole(at, screenMeaning, b, o, t))
		}
	}
	order, _ := mergeOrder(orderB, orderO, orderT, func(id string) bool { return has(merged, id) })
	return listOf(merged, order)
}

// showing are the ids of the screens that tasks show.
func showing(tasks map[string]any) map[string]bool {
	out := map[string]bool{}
	for _, v := range tasks {
		if task := object(v); text(task["type"]) == TypeScreen {
			out[text(task["screenId"])] = true
		}
	}
	return out
}

func screenMeaning(v any) any {
	if doc, ok := v.(map[string]any); ok {
		return normalScreen(doc)
	}
	return v
}

// screen merges a screen that ours and theirs have. The result is a tree if they
// are, or else one of them as a whole.
func (m *merger) screen(at Conflict, base, ours, theirs any) any {
	v, ok := pick(screenMeaning, base, ours, theirs)
	if ok {
		return v
	}
	b, o, t := object(orNil(base)), object(ours), object(theirs)
	nodesB, nodesO, nodesT := object(b["contents"]), object(o["contents"]), object(t["contents"])
	if b == nil || !isTree(nodesB) || !isTree(nodesO) || !isTree(nodesT) {
		var before any
		if b == nil {
			before = none{}
		}
		at.Field = "contents"
		m.conflict(at, before, nil, nil)
		return ours
	}
	out := map[string]any{}
	tree := &treeMerge{merger: m, at: at, base: nodesB, ours: nodesO, theirs: nodesT}
	nodes := tree.merge()
	if !isTree(nodes) {
		at.Path += ".nodes"
		at.Message = fmt.Sprintf("task %s: ours and theirs move components of its screen into each other", at.Task)
		m.conflict(at, nil, nil, nil)
		return ours
	}
	for _, name := range unionOf(b, o, t) {
		field := at
		field.Path, field.Field = at.Path+"."+model.JoinPath(name), name
		bv, ov, tv := get(b, name), get(o, name), get(t, name)
		switch name {
		case "contents":
			out[name] = nodes
		case "interactions":
			put(out, name, m.keyed(field, "id", bv, ov, tv, func(at Conflict, b, o, t any) any {
				return tree.interaction(at, nodes, b, o, t)
			}))
		default:
			put(out, name, m.field(field, nil, bv, ov, tv))
		}
	}
	return out
}

// interaction merges what a user can do; one that belongs to a component goes
// where that goes.
func (t *treeMerge) interaction(at Conflict, nodes map[string]any, base, ours, theirs any) any {
	meaning := dropsZero("label", "type", "subType", "icon")
	_, clash := t.merger.conflicts[t.place(at.Field).Path]
	switch {
	case clash:
		return ours
	case (has(t.ours, at.Field) || has(t.theirs, at.Field)) && !has(nodes, at.Field):
		return none{}
	}
	v, ok := pick(meaning, base, ours, theirs)
	if ok {
		return v
	}
	for _, prop := range []string{"children", "label", "placeholder", "aria-label"} {
		// The label repeats a text about which there is a conflict already.
		if _, said := t.merger.conflicts[t.place(at.Field).Path+".props."+model.JoinPath(prop)]; said {
			return ours
		}
	}
	return t.merger.field(at, meaning, base, ours, theirs)
}

// isTree reports whether components form a tree: each but one is listed by
// exactly one, which it names as its parent if it names any.
func isTree(nodes map[string]any) bool {
	listed := map[string]bool{}
	for id, v := range nodes {
		for _, child := range model.Texts(object(v)["nodes"]) {
			node, ok := nodes[child].(map[string]any)
			if parent := text(node["parent"]); !ok || listed[child] || parent != "" && parent != id {
				return false
			}
			listed[child] = true
		}
	}
	root := ""
	for id, v := range nodes {
		if !listed[id] {
			if root != "" || text(object(v)["parent"]) != "" {
				return false
			}
			root = id
		}
	}
	// With one parent each, what the root does not reach is in a circle.
	reached, queue := 0, []string{root}
	for len(queue) > 0 && root != "" {
		reached++
		queue = append(queue[1:], model.Texts(object(nodes[queue[0]])["nodes"])...)
	}
	return reached == len(nodes)
}

// keepCopies keeps what screen tasks repeat of their screen only where it is a
// copy of the merged one. Descope: an import does without it.
func (m *merger) keepCopies(merged Flow) {
	ours, theirs := m.ours.shown(), m.theirs.shown()
	for id, s := range merged.shown() {
		task := object(object(merged.contents()["tasks"])[id])
		names := slices.DeleteFunc(derivedKeys(), func(name string) bool { return !has(task, name) })
		own, other := object(object(m.ours.contents()["tasks"])[id]), object(object(m.theirs.contents()["tasks"])[id])
		same := func(of *Screen) bool { return of != nil && model.Equal(normalScreen(of.doc), normalScreen(s.doc)) }
		from := map[string]any{}
		switch inOurs, inTheirs := same(ours[id]), same(theirs[id]); {
		case inOurs && inTheirs:
			continue
		case inOurs:
			from = own
		case inTheirs:
			from = other
		}
		task = without(task, names...)
		for _, name := range derivedKeys() {
			put(task, name, get(from, name))
		}
		object(merged.contents()["tasks"])[id] = task
	}
}
