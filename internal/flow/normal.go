package flow

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// Normal is what a flow means: flows that do the same have equal normal forms,
// from whatever project and in whatever spelling they are. It leaves out the
// flow's id, the ids of screens and of what references name, stamps, layout,
// copies of data that stand elsewhere, and the order of what is not ordered.
//
// Whatever a service fills in by itself but a user could have meant is still in
// it; [Diff] sets that apart as noise. The values in it are shared with the flow
// and must not be modified.
type Normal struct {
	// Start is the id of the first task.
	Start string
	// Metadata is the flow's metadata but for what the next two hold.
	Metadata map[string]any
	// Shared are the shared interactions by id.
	Shared map[string]any
	// References are lists of names by kind, without the ids.
	References map[string]any
	// Tasks are the tasks by id, their rules as a sorted list under "rules".
	// Where an argument, a component or the translation holds an id that
	// References name, it is "<kind>/<name>". The second half of a pair has only what differs from the
	// first.
	Tasks map[string]any
	// Screens are the screens by the task that shows them, their interactions by
	// id.
	Screens map[string]any
	// Orphans are the screens that no task shows.
	Orphans []any
	// Extra is what the document has beside all this.
	Extra map[string]any

	// views is where tasks stand on the canvas, which means nothing.
	views map[string]any
	// byScreen are all screens by id.
	byScreen map[string]any
}

// Normal returns the normal form.
func (f Flow) Normal() Normal { return f.normal(f.names()) }

// Value is the normal form as one JSON value.
func (n Normal) Value() map[string]any {
	return map[string]any{
		"start": n.Start, "metadata": n.Metadata, "shared": n.Shared, "references": n.References,
		"tasks": n.Tasks, "screens": n.Screens, "orphans": n.Orphans, "extra": n.Extra,
	}
}

// Equal reports whether two flows mean the same.
func (n Normal) Equal(o Normal) bool { return model.Equal(n.Value(), o.Value()) }

// Digest is equal for equal normal forms, and practically only for those.
func (n Normal) Digest() string {
	sum := sha256.Sum256(model.CanonicalJSON(n.Value()))
	return hex.EncodeToString(sum[:])
}

// names is "<kind>/<name>" by id for everything that the references name.
func (f Flow) names() map[string]string {
	out := map[string]string{}
	references := f.References()
	for _, kind := range keys(references) {
		for _, name := range keys(references[kind]) {
			id := references[kind][name]
			if _, ok := out[id]; !ok {
				out[id] = kind + "/" + name
			}
		}
	}
	return out
}

// normal is the normal form with a given table of names by id.
func (f Flow) normal(names map[string]string) Normal {
	n := Normal{
		Start: f.StartTask(), Metadata: namedTranslation(normalMetadata(f.metadata()), names), References: map[string]any{},
		Shared: byID(f.metadata()["sharedInteractions"], "label", "type"),
		Tasks:  map[string]any{}, Screens: map[string]any{}, views: map[string]any{},
		Extra: without(f.doc, "flowId", "metadata", "contents", "screens", "references"),
	}
	references := f.References()
	for kind, v := range object(f.doc["references"]) {
		if _, ok := v.(map[string]any); ok {
			v = anyList(keys(references[kind]))
		}
		if !model.Unset(v) {
			n.References[kind] = v
		}
	}
	if extra := without(f.contents(), "startTask", "tasks"); len(extra) > 0 {
		n.Extra["contents"] = extra
	}
	screens, shown := map[string]any{}, map[string]bool{}
	n.byScreen = screens
	for _, s := range f.Screens() {
		screens[s.ID] = namedScreen(normalScreen(s.doc), names)
	}
	tasks := object(f.contents()["tasks"])
	for id, v := range tasks {
		doc := object(v)
		if view, ok := doc["view"]; ok {
			n.views[id] = view
		}
		n.Tasks[id] = normalTask(id, doc, names)
		if screen, ok := screens[text(doc["screenId"])]; ok && text(doc["type"]) == TypeScreen {
			n.Screens[id] = screen
			shown[text(doc["screenId"])] = true
		}
	}
	for id := range tasks {
		if base, ok := strings.CutSuffix(id, ".end"); ok && n.Tasks[base] != nil {
			n.Tasks[id] = withoutTwin(object(n.Tasks[id]), object(tasks[base]), names)
		}
	}
	n.Orphans = []any{}
	for _, id := range keys(screens) {
		if !shown[id] {
			n.Orphans = append(n.Orphans, screens[id])
		}
	}
	slices.SortFunc(n.Orphans, func(a, b any) int {
		return strings.Compare(string(model.CanonicalJSON(a)), string(model.CanonicalJSON(b)))
	})
	return n
}

// normalMetadata is the metadata but for stamps and what nobody set. Descope:
// componentsVersion is the version of whatever saved the flow last. Only this
// key at this place is a stamp. What one export writes as an empty value,
// another leaves out.
func normalMetadata(meta map[string]any) map[string]any {
	out := without(meta, "componentsVersion", "sharedInteractions")
	if t, ok := out["translation"].(map[string]any); ok {
		t = without(t)
		dropZero(t, "enabled", "connectorId", "sourceLanguage", "targetLanguages")
		out["translation"] = t
	}
	dropZero(out, "name", "description", "disabled", "fingerprint", "widget", "translation",
		"management", "managementConfig", "referencesGlobalStrings")
	return out
}

// byID makes a map of a list of objects whose order means nothing. Their named
// fields are dropped where they hold nothing.
func byID(v any, optional ...string) map[string]any {
	out := map[string]any{}
	for _, o := range objects(v) {
		id := text(o["id"])
		key := id
		for i := 2; out[key] != nil; i++ {
			key = id + "#" + itoa(i)
		}
		entry := without(o, "id")
		dropZero(entry, optional...)
		out[key] = entry
	}
	return out
}
