package flow

import (
	"fmt"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// flaw is something in a flow that refers to what is not there. A half of a pair
// and an interaction without its component need none: a merge has them only where
// one of the versions has.
type flaw struct {
	kind flawKind
	// task has it, by field: an interaction, an argument, …
	task, field string
	// missing is what is not there: a task or a screen.
	missing string
}

type flawKind string

const (
	edgeNowhere   flawKind = "edge"        // missing is a task
	edgeOfNothing flawKind = "interaction" // the task has no such outcome
	noScreen      flawKind = "screen"
	noStart       flawKind = "start"
	sharedNowhere flawKind = "shared"
	stepNowhere   flawKind = "step" // an argument names a task
)

// flaws are all flaws of a flow, each under a key of its own.
func (f Flow) flaws() map[string]flaw {
	out := map[string]flaw{}
	add := func(kind flawKind, task, field, missing string) {
		out[model.JoinPath(string(kind), task, field, missing)] = flaw{kind, task, field, missing}
	}
	tasks := f.byTask()
	if start := f.StartTask(); start != "" && tasks[start] == nil {
		add(noStart, "", "startTask", start)
	}
	shown := f.shown()
	for _, t := range f.Tasks() {
		if t.ShowsScreen() && shown[t.ID] == nil {
			add(noScreen, t.ID, "screenId", t.ScreenID)
		}
		for _, r := range t.Rules {
			if tasks[r.To] == nil {
				add(edgeNowhere, t.ID, r.Interaction, r.To)
			}
			if !t.offers(r.Interaction, shown[t.ID]) {
				add(edgeOfNothing, t.ID, r.Interaction, "")
			}
		}
		for _, name := range t.Arguments() {
			a, _ := t.Argument(name)
			if step := text(a.Value); strings.HasSuffix(name, "StepId") && step != "" && tasks[step] == nil {
				add(stepNowhere, t.ID, name, step)
			}
		}
	}
	for _, shared := range f.SharedInteractions() {
		if taskOfShared(shared.ID, tasks) == "" {
			add(sharedNowhere, "", shared.ID, "")
		}
	}
	return out
}

// offers reports whether a task can have an outcome, as far as that is known.
func (t Task) offers(interaction string, screen *Screen) bool {
	switch t.Type {
	case TypeAction:
		return interaction == "" || interaction == "success" || has(object(t.doc["errorHandlingV2"]), interaction)
	case TypeCondition:
		for _, c := range t.Conditions {
			if c.Interaction == interaction {
				return true
			}
		}
		return false
	case TypeScreen:
		if screen == nil {
			return true
		}
		for _, i := range screen.Interactions() {
			if i.ID == interaction {
				return true
			}
		}
		return false
	default:
		return true
	}
}

// taskOfShared is the task that a shared interaction belongs to, or "".
func taskOfShared[V any](id string, tasks map[string]V) string {
	for i := len(id); i > 0; i = strings.LastIndexByte(id[:i], '.') {
		if _, ok := tasks[id[:i]]; ok && i < len(id) {
			return id[:i]
		}
	}
	return ""
}

// settle names a flaw that only the merge has, and takes more of ours: what it
// refers to, if ours has that, or else the place itself as it is in ours.
func (m *merger) settle(f flaw) {
	m.touchedByTheirs() // as theirs is before it becomes like ours
	at := Conflict{Path: model.JoinPath("tasks", f.task), Task: f.task, Field: f.field}
	var ways []func() bool
	task := func(id string) func() bool { return func() bool { return m.copyTask(id) } }
	switch f.kind {
	case noStart:
		at.Path = "start"
		at.Message = fmt.Sprintf("the flow starts at task %s in one version, and the other removes that task", f.missing)
		ways = append(ways, task(f.missing), func() bool {
			return assign(m.theirs.contents(), "startTask", get(m.ours.contents(), "startTask"))
		})
	case noScreen:
		at.Path += ".screenId"
		at.Message = fmt.Sprintf("task %s: it shows a screen in one version that the other removes", f.task)
		ways = append(ways, func() bool { return m.copyScreen(f.missing) })
	case edgeNowhere, edgeOfNothing:
		at.Path += ".rules." + model.JoinPath(f.field)
		at.Base = orNil(targets(m.base.edge(f.task, f.field)))
		at.Ours, at.Theirs = orNil(targets(m.ours.edge(f.task, f.field))), orNil(targets(m.theirs.edge(f.task, f.field)))
		keeps, removes := m.us, m.them
		if !m.ours.leads(f.task, f.field, f.missing) {
			keeps, removes = removes, keeps
		}
		if f.kind == edgeNowhere {
			at.Message = fmt.Sprintf("%s: %s leads to task %s, which %s removes", at.subject(), keeps, f.missing, removes)
			ways = append(ways, task(f.missing), func() bool { return m.copyEdge(f.task, f.field) })
		} else {
			at.Message = fmt.Sprintf("%s: %s has a rule for this outcome, which %s removes", at.subject(), keeps, removes)
			ways = append(ways, func() bool { return m.copyOutcome(f.task, f.field) }, func() bool { return m.copyEdge(f.task, f.field) })
		}
	case sharedNowhere:
		at.Path, at.Task = model.JoinPath("shared", f.field), ""
		at.Message = fmt.Sprintf("shared interaction %s: one version keeps it, the other removes its task", f.field)
		ways = append(ways, task(taskOfShared(f.field, m.ours.byTask())), func() bool {
			return assign(m.theirs.metadata(), "sharedInteractions", get(m.ours.metadata(), "sharedInteractions"))
		})
	case stepNowhere:
		at.Path += ".arguments." + model.JoinPath(f.field)
		at.Message = fmt.Sprintf("task %s: its argument %s names task %s, which one version removes", f.task, f.field, f.missing)
		ways = append(ways, task(f.missing))
	}
	if _, ok := m.conflicts[at.Path]; !ok {
		m.conflicts[at.Path] = at
	}
	for _, way := range append(ways, task(f.task), m.copyAll) {
		if way() {
			return
		}
	}
}
