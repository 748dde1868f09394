package flow

import (
	"slices"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// stepArguments are the arguments that repeat the id of the second half of a pair.
func stepArguments() []string { return []string{"exchangeStepId", "verifyStepId", "finishStepId"} }

// halves looks at the pairs N and N.end, which say most things twice.
func (l *linter) halves() {
	for _, t := range l.flow.Tasks() {
		first, isTwin := t.TwinOf()
		if !isTwin {
			first = t.ID
		}
		for _, name := range stepArguments() {
			step := t.inline(name)
			path := inTask(t.ID, "arguments", name, "value")
			switch {
			case step == "" || step == first+".end" && has(l.tasks, step):
			case !has(l.tasks, step):
				l.fail(DanglingTask, path, "%s goes on with task %q, which the flow does not have", t.title(), step)
			default:
				l.fail(PairMismatch, path, "%s goes on with task %q instead of its own second half: write %s.end", t.title(), step, first)
			}
		}
		if !isTwin {
			continue
		}
		base, ok := l.tasks[first]
		if !ok {
			l.warn(PairMismatch, inTask(t.ID), "%s is the second half of task %s, which the flow does not have", t.title(), first)
			continue
		}
		if t.Name != "" && t.Name != base.Name {
			l.warn(PairMismatch, inTask(t.ID, "name"), "the two halves of step %s are called %q and %q: give them one name", first, base.Name, t.Name)
		}
		for _, name := range t.Arguments() {
			a, _ := t.Argument(name)
			b, _ := base.Argument(name)
			if slices.Contains(stepArguments(), name) || model.Unset(a.Value) && model.Unset(b.Value) || model.Equal(a.Value, b.Value) {
				continue
			}
			l.warn(PairMismatch, inTask(t.ID, "arguments", name, "value"), "the two halves of step %s have different values for %s: give them the same", first, name)
		}
	}
}
