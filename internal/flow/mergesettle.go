package flow

import "pcconnect.ai/descope-mgmt/internal/model"

// The functions below put something of ours into theirs, so that a merge of the
// two has it. They report whether theirs became another one.

// assign makes one field of m like it is in ours.
func assign(m map[string]any, name string, ours any) bool {
	if m == nil || equalOrNone(get(m, name), ours) {
		return false
	}
	delete(m, name)
	put(m, name, model.Clone(ours))
	return true
}

// copyTask takes a task, its pair and its screen, if ours has it.
func (m *merger) copyTask(id string) bool {
	ours, theirs := object(m.ours.contents()["tasks"]), object(m.theirs.contents()["tasks"])
	if !has(ours, id) || theirs == nil {
		return false
	}
	moved := false
	for _, member := range unionOf(ours, theirs) {
		if group(member) == group(id) {
			moved = assign(theirs, member, get(ours, member)) || moved
		}
	}
	for _, member := range keys(ours) {
		if s, ok := m.ours.ScreenOf(member); ok && group(member) == group(id) {
			moved = m.copyScreen(s.ID) || moved
		}
	}
	return moved
}

// copyScreen takes a screen, if ours has it.
func (m *merger) copyScreen(id string) bool {
	own, ok := m.ours.Screen(id)
	if !ok {
		return false
	}
	screens := list(m.theirs.doc["screens"])
	if other, ok := m.theirs.Screen(id); ok {
		if model.Equal(own.doc, other.doc) {
			return false
		}
		screens[other.Index] = own.Value()
		return true
	}
	m.theirs.doc["screens"] = append(screens, own.Value())
	return true
}

// copyShown takes the screen that a task shows in ours.
func (m *merger) copyShown(task string) bool {
	s, ok := m.ours.ScreenOf(task)
	return ok && m.copyScreen(s.ID)
}

// edge are the rules for one interaction of a task.
func (f Flow) edge(task, interaction string) any {
	rules, _ := edgesBy(object(f.byTask()[task]["next"])["rules"])
	return get(rules, interaction)
}

// leads reports whether an interaction of a task leads to another task, or to
// any if that is "".
func (f Flow) leads(task, interaction, to string) bool {
	for _, r := range objects(orNil(f.edge(task, interaction))) {
		if to == "" || text(r["taskId"]) == to {
			return true
		}
	}
	return false
}

// copyEdge takes the rules for one interaction, or that there are none.
func (m *merger) copyEdge(task, interaction string) bool {
	next := object(m.theirs.byTask()[task]["next"])
	own := m.ours.edge(task, interaction)
	if next == nil || equalOrNone(own, m.theirs.edge(task, interaction)) {
		return false
	}
	rules := []any{}
	for _, r := range objects(next["rules"]) {
		if text(r["interactionId"]) != interaction {
			rules = append(rules, r)
		}
	}
	next["rules"] = append(rules, list(model.Clone(orNil(own)))...)
	return true
}

// copyOutcome takes what gives a task one outcome, if ours does, or else what
// ours does with that outcome.
func (m *merger) copyOutcome(task, interaction string) bool {
	own, ok := m.ours.Task(task)
	other := m.theirs.byTask()[task]
	if ok && own.offers(interaction, m.ours.shown()[task]) {
		switch own.Type {
		case TypeScreen:
			return m.copyShown(task)
		case TypeCondition:
			return assign(other, "conditions", get(own.doc, "conditions"))
		default:
			return assign(other, "errorHandlingV2", get(own.doc, "errorHandlingV2"))
		}
	}
	return m.copyEdge(task, interaction)
}

// copyAll takes all of ours.
func (m *merger) copyAll() bool {
	m.theirs = Flow{doc: model.CloneMap(m.ours.doc)}
	return true
}
