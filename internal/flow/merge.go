package flow

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// Conflict is one place that two versions changed in ways that cannot both be.
type Conflict struct {
	// Path is the place, the same whichever version is ours: "metadata.name",
	// `tasks."6".rules.risky`, `tasks."0".screen.nodes.title.props.children`. A
	// screen is named by the first task that shows it in any of the versions.
	Path string `json:"path"`
	// Task, Screen, Node and Field say the same, as in [Change]. Screen is the
	// id in the merged flow.
	Task   string `json:"task,omitempty"`
	Screen string `json:"screen,omitempty"`
	Node   string `json:"node,omitempty"`
	Field  string `json:"field,omitempty"`
	// Base, Ours and Theirs are what the versions have there, nil if nothing.
	Base   any `json:"base,omitempty"`
	Ours   any `json:"ours,omitempty"`
	Theirs any `json:"theirs,omitempty"`
	// Message is one sentence that says what is in the way.
	Message string `json:"message"`
}

// Merge makes one flow of two that were changed independently from base. It
// merges what the documents mean, not their lines: a task by its id, an edge by
// task and interaction, an argument, a branch of a condition, the handling of an
// error, a field of the metadata, a shared interaction, a screen by its id or by
// the task that shows it, a component and each of its properties by name.
//
// What one of them changed is taken. What both changed in different ways, or one
// changed and the other removed, is a conflict; so is a change that leaves
// another one dangling, such as a new edge to a task that the other removed. The
// returned flow holds ours in the places of the conflicts and is as valid as the
// two: whether there is a rule to a task that is not there, a screen that is
// missing, a component that is nowhere, or half of a pair, it was so in one of
// them. A screen whose parts do not form a tree any more is ours as a whole.
//
// Components that both add in one place come in the order of their ids, branches
// of a condition that both add in one place are a conflict, since those are tried
// in order. Of stamps, layout, ids of screens and connectors and whatever else
// the normal form leaves out, ours is taken, or theirs if only they changed it;
// it is never a conflict. A copy of a screen in its task is dropped if it would
// not be a copy any more. So a merge without a conflict means the same whichever
// of the two is ours, and one with conflicts has them in the same places.
func Merge(base, ours, theirs Flow) (Flow, []Conflict) {
	switch {
	case model.Equal(base.doc, ours.doc):
		return theirs, nil
	case model.Equal(base.doc, theirs.doc), model.Equal(ours.doc, theirs.doc):
		return ours, nil
	}
	merged, found := merge(base, ours, theirs, "ours", "theirs")
	if len(found) > 0 {
		// What has to stay because of a conflict depends on whose side is held.
		// Both ways together are all that is in the way of either.
		_, mirrored := merge(base, theirs, ours, "theirs", "ours")
		for path, c := range mirrored {
			if _, ok := found[path]; !ok {
				c.Ours, c.Theirs = c.Theirs, c.Ours
				if s, ok := merged.ScreenOf(c.Task); ok && c.Screen != "" {
					c.Screen = s.ID
				}
				found[path] = c
			}
		}
	}
	var conflicts []Conflict
	for _, path := range keys(found) {
		conflicts = append(conflicts, found[path])
	}
	slices.SortStableFunc(conflicts, func(a, b Conflict) int {
		return cmp.Or(CompareIDs(a.Task, b.Task), strings.Compare(a.Path, b.Path))
	})
	return merged, conflicts
}

// maxSettle bounds how often a merge is made anew with more of ours; each time
// adds a task or a screen of ours, of which no export has so many.
const maxSettle = 200

// merge is Merge one way, with the conflicts by path. us and them are what those
// call the two.
func merge(base, ours, theirs Flow, us, them string) (Flow, map[string]Conflict) {
	m := newMerger(base, ours, theirs)
	m.us, m.them = us, them
	known := m.ours.flaws()
	for key := range m.theirs.flaws() {
		known[key] = flaw{}
	}
	for range maxSettle {
		merged := m.run()
		flaws := merged.flaws()
		settled := true
		for _, key := range keys(flaws) {
			if _, ok := known[key]; !ok {
				m.settle(flaws[key])
				settled = false
				break
			}
		}
		if settled {
			return merged, m.conflicts
		}
	}
	return m.ours, m.conflicts
}

// merger is one run of merge. The three documents are its own: ids that mean the
// same are the same in them, and theirs is made more like ours until the result
// has no flaw.
type merger struct {
	base, ours, theirs Flow
	us, them           string
	// screenOwner is the task that stands for a screen in paths, by screen id.
	screenOwner map[string]string
	// orphans are the screens that ours or theirs has and does not show.
	orphans   map[string]bool
	conflicts map[string]Conflict
	// touchedByOurs and touchedByTheirs are what each changed for good: only
	// asked for where the other removed something.
	touchedByOurs, touchedByTheirs func() touched
}

func newMerger(base, ours, theirs Flow) *merger {
	docs := align(base, ours, theirs)
	m := &merger{
		base: Flow{doc: docs[0]}, ours: Flow{doc: docs[1]}, theirs: Flow{doc: docs[2]},
		screenOwner: map[string]string{}, orphans: map[string]bool{}, conflicts: map[string]Conflict{},
	}
	for _, f := range []Flow{m.ours, m.theirs} {
		shown := showing(object(f.contents()["tasks"]))
		for _, s := range f.Screens() {
			if !shown[s.ID] {
				m.orphans[s.ID] = true
			}
		}
	}
	for _, f := range []Flow{m.base, m.ours, m.theirs} {
		for task, s := range f.shown() {
			if owner, ok := m.screenOwner[s.ID]; !ok || CompareIDs(task, owner) < 0 {
				m.screenOwner[s.ID] = task
			}
		}
	}
	m.touchedByOurs = sync.OnceValue(func() touched { return changedBetween(m.base, m.ours) })
	m.touchedByTheirs = sync.OnceValue(func() touched { return changedBetween(m.base, m.theirs) })
	return m
}

// run merges the three documents as they are now.
func (m *merger) run() Flow {
	base, ours, theirs := m.base.doc, m.ours.doc, m.theirs.doc
	out := map[string]any{}
	for _, name := range unionOf(base, ours, theirs) {
		switch name {
		case "metadata", "contents", "screens":
		case "flowId":
			put(out, name, quiet(get(base, name), get(ours, name), get(theirs, name)))
		case "references":
			put(out, name, m.field(Conflict{Path: name, Field: name}, zeroIsNone, get(base, name), get(ours, name), get(theirs, name)))
		default:
			put(out, name, m.field(Conflict{Path: model.JoinPath(name), Field: name}, nil, get(base, name), get(ours, name), get(theirs, name)))
		}
	}
	out["metadata"] = m.metadata()
	tasks := m.tasks()
	contents := map[string]any{}
	for _, name := range unionOf(m.base.contents(), m.ours.contents(), m.theirs.contents()) {
		v := [3]any{get(m.base.contents(), name), get(m.ours.contents(), name), get(m.theirs.contents(), name)}
		switch name {
		case "tasks":
		case "startTask":
			put(contents, name, m.field(Conflict{Path: "start", Field: name}, nil, v[0], v[1], v[2]))
		default:
			put(contents, name, m.field(Conflict{Path: model.JoinPath("contents", name), Field: name}, nil, v[0], v[1], v[2]))
		}
	}
	if len(tasks) > 0 || has(m.ours.contents(), "tasks") {
		contents["tasks"] = tasks
	}
	out["contents"] = contents
	screens := m.screens(tasks)
	if len(screens) > 0 || has(ours, "screens") {
		out["screens"] = screens
	}
	merged := Flow{doc: out}
	m.keepCopies(merged)
	m.keepNames(out)
	return merged
}

// metadata merges the metadata as [normalMetadata] sees them.
func (m *merger) metadata() map[string]any {
	base, ours, theirs := m.base.metadata(), m.ours.metadata(), m.theirs.metadata()
	out := map[string]any{}
	for _, name := range unionOf(base, ours, theirs) {
		b, o, t := get(base, name), get(ours, name), get(theirs, name)
		at := Conflict{Path: model.JoinPath("metadata", name), Field: name}
		switch name {
		case "componentsVersion":
			put(out, name, quiet(b, o, t))
		case "sharedInteractions":
			at.Path = "shared"
			put(out, name, m.keyed(at, "id", b, o, t, func(at Conflict, b, o, t any) any {
				return m.field(at, dropsZero("label", "type"), b, o, t)
			}))
		case "name", "description", "disabled", "fingerprint", "widget", "management", "referencesGlobalStrings", "translation":
			put(out, name, m.field(at, zeroIsNone, b, o, t))
		case "managementConfig":
			put(out, name, m.field(at, hollowIsNone, b, o, t))
		default:
			put(out, name, m.field(at, nil, b, o, t))
		}
	}
	return out
}
