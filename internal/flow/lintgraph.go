package flow

import (
	"maps"
	"slices"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// manyTasks is how many tasks a flow should have at most. Descope: its own advice;
// a run ends after 200.
const manyTasks = 100

// graph looks at what tasks say of each other.
func (l *linter) graph() {
	if n := len(l.tasks); n > manyTasks {
		l.warn(TooManyTasks, []any{"contents", "tasks"}, "the flow has %d tasks, and Descope advises at most %d: move a part into a flow of its own", n, manyTasks)
	}
	if start := l.flow.StartTask(); !has(l.tasks, start) {
		l.fail(DanglingTask, []any{"contents", "startTask"}, "the flow starts with task %q, which it does not have", start)
	}
	for _, t := range l.flow.Tasks() {
		if own := text(t.doc["id"]); own != "" && own != t.ID {
			l.fail(IDMismatch, inTask(t.ID, "id"), "the task is stored under %s and says that its id is %q: give it the same id at both places", t.ID, own)
		}
		for i, r := range t.Rules {
			if !has(l.tasks, r.To) {
				l.fail(DanglingTask, inTask(t.ID, "next", "rules", i, "taskId"), "%q of %s leads to task %q, which the flow does not have", r.Interaction, t.title(), r.To)
			}
			l.interaction(t, i, r.Interaction)
		}
		l.branches(t)
	}
	if has(l.tasks, l.flow.StartTask()) {
		l.unreachable()
	}
}

// interaction checks that a rule begins with something that can happen. Descope:
// a button or another interaction of the screen, also polling and success, which
// no screen lists; a branch; an error with a handler of its own, or success.
func (l *linter) interaction(t Task, rule int, id string) {
	known := append(t.Errors(), "success")
	kind := "outcome"
	switch t.Type {
	case TypeScreen:
		screen, ok := l.screens[t.ScreenID]
		if !ok {
			return // the screen itself is the problem
		}
		known = append(known, "polling", "polling-error")
		for _, i := range screen.Interactions() {
			known = append(known, i.ID)
		}
		if _, ok := screen.Node(id); ok {
			return
		}
		kind = "interaction on its screen"
	case TypeCondition:
		known = t.Errors()
		for _, c := range t.Conditions {
			known = append(known, c.Interaction)
		}
		kind = "branch"
	case TypeAction:
	default:
		return // what leads on from another flow is seen below, and nothing else is known
	}
	if slices.Contains(known, id) {
		return
	}
	hint := "take the rule out, or name one that there is"
	if near := model.Suggest(id, known); near != "" {
		hint = "did you mean " + near + "?"
	}
	l.fail(DanglingInteraction, inTask(t.ID, "next", "rules", rule, "interactionId"), "%s leads on from %q, and has no such %s: %s", t.title(), id, kind, hint)
}

func (l *linter) branches(t Task) {
	if t.Type != TypeCondition {
		return
	}
	seen := map[string]bool{}
	for i, c := range t.Conditions {
		if seen[c.Interaction] {
			l.fail(DuplicateID, inTask(t.ID, "conditions", i, "interactionId"), "two branches of %s have the id %q, of which only one can lead on: give one of them another id", t.title(), c.Interaction)
		}
		seen[c.Interaction] = true
	}
	if !seen["ELSE"] {
		l.fail(MissingElse, inTask(t.ID, "conditions"), "%s has no branch ELSE, so that the flow ends where no other one applies: add it as the last", t.title())
	}
}

// unreachable finds tasks that no path from the start leads to. Of those that
// lead to each other only the first is a problem. The entry of the flow, which
// has no type, is what leads to the start.
func (l *linter) unreachable() {
	reached := map[string]bool{}
	l.reach(l.flow.StartTask(), reached)
	var rest []Task
	led := map[string]bool{}
	for _, t := range l.flow.Tasks() {
		if !reached[t.ID] && t.Type != "" {
			rest = append(rest, t)
			for _, next := range l.next(t) {
				led[next] = led[next] || next != t.ID
			}
		}
	}
	for _, circle := range []bool{false, true} {
		for _, t := range rest {
			if reached[t.ID] || led[t.ID] && !circle {
				continue
			}
			before := len(reached)
			l.reach(t.ID, reached)
			after := ""
			if n := len(reached) - before - 1; n == 1 {
				after = ", nor to the one that follows it"
			} else if n > 1 {
				after = ", nor to the " + itoa(n) + " that follow it"
			}
			l.warn(UnreachableTask, inTask(t.ID), "nothing leads to %s%s: connect it, or remove it", t.title(), after)
		}
	}
}

// reach adds a task and all that it leads to.
func (l *linter) reach(id string, reached map[string]bool) {
	for todo := []string{id}; len(todo) > 0; {
		id, todo = todo[len(todo)-1], todo[:len(todo)-1]
		if t, ok := l.tasks[id]; ok && !reached[id] {
			reached[id] = true
			todo = append(todo, l.next(t)...)
		}
	}
}

// next are the tasks that a task leads to: by a rule, or as the half that waits.
func (l *linter) next(t Task) []string {
	var out []string
	for _, r := range t.Rules {
		out = append(out, r.To)
	}
	for _, name := range stepArguments() {
		if step := t.inline(name); step != "" {
			out = append(out, step)
		}
	}
	return out
}

// shownScreens looks at which tasks show which screens.
func (l *linter) shownScreens() {
	shown := map[string]bool{}
	for _, t := range l.flow.Tasks() {
		if t.Type != TypeScreen {
			continue
		}
		shown[t.ScreenID] = true
		if !has(l.screens, t.ScreenID) {
			l.fail(DanglingScreen, inTask(t.ID, "screenId"), "%s shows screen %q, which the flow does not have: export the flow again, or choose another screen", t.title(), t.ScreenID)
		}
	}
	for _, s := range l.flow.Screens() {
		if !shown[s.ID] {
			l.warn(OrphanScreen, []any{"screens", s.Index}, "no task shows screen %s: remove it, or show it", s.ID)
		}
	}
}

// shared looks at the exits that the flow offers to others.
func (l *linter) shared() {
	seen := map[string]bool{}
	for i, s := range l.flow.SharedInteractions() {
		path := []any{"metadata", "sharedInteractions", i, "id"}
		if seen[s.ID] {
			l.warn(DuplicateID, path, "the shared interaction %q is there twice: remove one", s.ID)
		}
		seen[s.ID] = true
		if !slices.ContainsFunc(slices.Collect(maps.Keys(l.tasks)), func(id string) bool { return strings.HasPrefix(s.ID, id+".") }) {
			l.warn(StaleShared, path, "the shared interaction %q is of a task that the flow does not have, so that a flow which leads on from it never does: remove it", s.ID)
		}
	}
}
