package flow

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// Flow is one flow, in the exported spelling (API v2) whatever it was read from.
// It is immutable and safe for concurrent use; the zero value is a flow that has
// nothing in it.
type Flow struct {
	// doc is never modified, nor is any value in it: flows share them.
	doc map[string]any
}

// newFlow takes over a document in normal form, if its shape is that of a flow.
func newFlow(doc map[string]any) (Flow, error) {
	if err := checkShape(doc); err != nil {
		return Flow{}, err
	}
	for _, name := range []string{"metadata", "contents"} {
		if object(doc[name]) == nil {
			return Flow{}, fmt.Errorf("%s: want an object, found nothing", name)
		}
	}
	return Flow{doc: doc}, nil
}

// Value is the document as JSON values in the normal form of package model. The
// caller owns the copy.
func (f Flow) Value() map[string]any { return model.CloneMap(f.doc) }

// V2 writes the flow in the exported spelling: two spaces, sorted keys, and a
// newline at the end. Equal documents give equal bytes.
func (f Flow) V2() []byte {
	return bytes.ReplaceAll(write(f.doc), []byte("\ufeff"), []byte(`\ufeff`)) // CUE embeds no file with that mark in it
}

// WithID is the same flow under another id.
func (f Flow) WithID(id string) Flow {
	doc := without(f.doc)
	doc["flowId"] = id
	return Flow{doc: doc}
}

// ID is the id that the document itself states, which a snapshot never does and
// which may be another than the one that the flow is used under.
func (f Flow) ID() string { return text(f.doc["flowId"]) }

func (f Flow) metadata() map[string]any { return object(f.doc["metadata"]) }
func (f Flow) contents() map[string]any { return object(f.doc["contents"]) }

// Name is the flow's display name.
func (f Flow) Name() string { return text(f.metadata()["name"]) }

// Description is what the flow's author says about it.
func (f Flow) Description() string { return text(f.metadata()["description"]) }

// Disabled says that Descope refuses to run the flow.
func (f Flow) Disabled() bool { return flag(f.metadata()["disabled"]) }

// ComponentsVersion is the version of Descope's screen components that the flow
// was last saved with, such as 3.18.2, or "".
func (f Flow) ComponentsVersion() string { return text(f.metadata()["componentsVersion"]) }

// StartTask is the id of the task that a run begins with.
func (f Flow) StartTask() string { return text(f.contents()["startTask"]) }

// SharedInteraction is an exit of a flow that a parent flow can lead on from: the
// rules of the task that runs it have the ID as their interaction.
type SharedInteraction struct {
	// ID is "<task>.<interaction>" of this flow, such as 3.success.
	ID    string `json:"id"`
	Label string `json:"label,omitempty"`
	Type  string `json:"type,omitempty"`
}

// SharedInteractions are the exits of the flow, in the order of the document.
func (f Flow) SharedInteractions() []SharedInteraction {
	var out []SharedInteraction
	for _, s := range objects(f.metadata()["sharedInteractions"]) {
		out = append(out, SharedInteraction{ID: text(s["id"]), Label: text(s["label"]), Type: text(s["type"])})
	}
	return out
}

// References are the names of the objects whose ids the flow uses: kind, such as
// connectors or roles, to name to id. The caller owns the maps. Descope: only
// exports of version 2 and snapshots have them, and not always for all ids.
func (f Flow) References() map[string]map[string]string {
	out := map[string]map[string]string{}
	for kind, v := range object(f.doc["references"]) {
		for name, id := range object(v) {
			if id := text(id); id != "" {
				if out[kind] == nil {
					out[kind] = map[string]string{}
				}
				out[kind][name] = id
			}
		}
	}
	return out
}

// Tasks are all tasks, by id in the order of [CompareIDs].
func (f Flow) Tasks() []Task {
	tasks := object(f.contents()["tasks"])
	out := make([]Task, 0, len(tasks))
	for _, id := range slices.SortedFunc(maps.Keys(tasks), CompareIDs) {
		out = append(out, newTask(id, object(tasks[id])))
	}
	return out
}

// Task is one task by id.
func (f Flow) Task(id string) (Task, bool) {
	doc, ok := object(f.contents()["tasks"])[id].(map[string]any)
	if !ok {
		return Task{}, false
	}
	return newTask(id, doc), true
}

// Edges are all rules of all tasks, sorted.
func (f Flow) Edges() []Edge {
	var out []Edge
	for _, t := range f.Tasks() {
		for _, r := range t.Rules {
			out = append(out, Edge{From: t.ID, Interaction: r.Interaction, To: r.To})
		}
	}
	slices.SortStableFunc(out, Edge.compare)
	return out
}

// Screens are all screens in the order of the document, those that no task
// shows included.
func (f Flow) Screens() []Screen {
	var out []Screen
	for i, doc := range objects(f.doc["screens"]) {
		out = append(out, Screen{ID: text(doc["screenId"]), Index: i, doc: doc})
	}
	return out
}

// Screen is one screen by id.
func (f Flow) Screen(id string) (Screen, bool) {
	for i, doc := range objects(f.doc["screens"]) {
		if id != "" && text(doc["screenId"]) == id {
			return Screen{ID: id, Index: i, doc: doc}, true
		}
	}
	return Screen{}, false
}

// ScreenOf is the screen that a task shows. ok is false if it shows none, or one
// that the document does not have.
func (f Flow) ScreenOf(task string) (screen Screen, ok bool) {
	t, ok := f.Task(task)
	if !ok || !t.ShowsScreen() {
		return Screen{}, false
	}
	return f.Screen(t.ScreenID)
}
