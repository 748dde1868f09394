package flow

import (
	"fmt"
	"slices"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// PatchError is one mistake in a patch of a flow's screens.
type PatchError struct {
	// Path is the place in the configuration of the flow: "screens", what names
	// the screen, the component, the property, as far as that goes.
	Path    []string
	Message string
}

func (e PatchError) Error() string { return model.JoinPath(e.Path...) + ": " + e.Message }

// Patch sets properties of components on screens, as the field screens of a flow
// in the configuration does: what names the screen, then the component by id, then
// the property, then the value. A screen is named by the id of a task that shows
// it, by its own id, or else by the name of the task.
//
// A property is known if the component has it, another one of its kind in the
// flow has it, or it is one of those that such components commonly have. The value
// must have the type that the property has there. The id of a component cannot be
// changed.
//
// The label of an interaction that repeats a text follows it. What a task repeats
// of a screen that was changed is dropped, as [Normal] does: it would be stale,
// and Descope does without it.
//
// All mistakes are returned, sorted by path; if there is one, the flow is as it
// was.
func (f Flow) Patch(screens map[string]any) (Flow, []PatchError) {
	p := &patcher{flow: f, doc: model.CloneMap(f.doc), set: map[string]setting{}}
	for _, key := range keys(screens) {
		p.screen([]string{"screens", key}, key, screens[key])
	}
	if len(p.errors) > 0 {
		slices.SortStableFunc(p.errors, func(a, b PatchError) int { return slices.Compare(a.Path, b.Path) })
		return f, p.errors
	}
	p.dropCopies()
	return Flow{doc: p.doc}, nil
}

// patcher is one run of Patch.
type patcher struct {
	flow   Flow
	doc    map[string]any
	errors []PatchError
	// set is what was set so far, by screen, component and property.
	set     map[string]setting
	changed []string // ids of screens
}

type setting struct {
	value any
	path  []string
}

func (p *patcher) fail(path []string, format string, args ...any) {
	p.errors = append(p.errors, PatchError{Path: path, Message: fmt.Sprintf(format, args...)})
}

// below is a longer path that shares nothing with path.
func below(path []string, name string) []string { return append(slices.Clone(path), name) }

// screen patches one screen.
func (p *patcher) screen(path []string, key string, nodes any) {
	screen, problem := p.flow.named(key)
	if problem != "" {
		p.fail(path, "%s", problem)
		return
	}
	components, ok := nodes.(map[string]any)
	if !ok {
		p.fail(path, "want components by id, found %s", kindOf(nodes))
		return
	}
	for _, id := range keys(components) {
		path := below(path, id)
		node, ok := screen.Node(id)
		if !ok {
			var ids []string
			for _, n := range screen.Nodes() {
				ids = append(ids, n.ID)
			}
			p.fail(path, "the screen has no component %q%s", id, didYouMean(id, ids))
			continue
		}
		props, ok := components[id].(map[string]any)
		if !ok {
			p.fail(path, "want properties by name, found %s", kindOf(components[id]))
			continue
		}
		for _, name := range keys(props) {
			p.property(below(path, name), screen, node, name, props[name])
		}
	}
}

// named is the screen that a key of a patch names, or what is wrong with it.
func (f Flow) named(key string) (screen Screen, problem string) {
	if t, ok := f.Task(key); ok {
		return f.screenOf(t)
	}
	if s, ok := f.Screen(key); ok {
		return s, ""
	}
	var found []Task
	shows := map[string]bool{}
	names := []string{}
	for _, t := range f.Tasks() {
		if t.ShowsScreen() {
			names = append(names, t.Name, t.ID, t.ScreenID)
		}
		if t.Name != key {
			continue
		}
		// Of tasks with one name, those that show a screen are meant.
		if len(found) > 0 && !found[0].ShowsScreen() && t.ShowsScreen() {
			found = nil
		}
		if len(found) == 0 || t.ShowsScreen() {
			found = append(found, t)
			shows[t.ScreenID] = true
		}
	}
	switch {
	case len(found) == 0:
		return Screen{}, fmt.Sprintf("the flow has no task and no screen %q%s", key, didYouMean(key, names))
	case len(shows) > 1 && found[0].ShowsScreen():
		ids := make([]string, len(found))
		for i, t := range found {
			ids[i] = t.ID
		}
		return Screen{}, fmt.Sprintf("the tasks %s are all called %q: name the one that you mean by its id", strings.Join(ids, ", "), key)
	}
	return f.screenOf(found[0])
}

func (f Flow) screenOf(t Task) (screen Screen, problem string) {
	if !t.ShowsScreen() {
		return Screen{}, fmt.Sprintf("task %s shows no screen", t.ID)
	}
	s, ok := f.Screen(t.ScreenID)
	if !ok {
		return Screen{}, fmt.Sprintf("task %s shows screen %s, which is not in the flow", t.ID, t.ScreenID)
	}
	return s, ""
}

func didYouMean(word string, candidates []string) string {
	if s := model.Suggest(word, candidates); s != "" {
		return fmt.Sprintf("; did you mean %q?", s)
	}
	return ""
}

// property sets one property.
func (p *patcher) property(path []string, screen Screen, node Node, name string, v any) {
	v, err := model.Normalize(v)
	if err != nil {
		p.fail(path, "%v", err)
		return
	}
	if name == "id" {
		p.fail(path, "the id of a component cannot be changed")
		return
	}
	known := p.flow.knownProps(node)
	present, ok := known[name]
	if !ok {
		p.fail(path, "%s components have no property %q%s", node.Component, name, didYouMean(name, keys(known)))
		return
	}
	if want := kindOf(present); present != nil && want != kindOf(v) {
		p.fail(path, "want %s, found %s", want, kindOf(v))
		return
	}
	key := model.JoinPath(screen.ID, node.ID, name)
	if other, ok := p.set[key]; ok && !model.Equal(other.value, v) {
		p.fail(path, "%s sets another value on the same component", model.JoinPath(other.path...))
		return
	}
	p.set[key] = setting{v, path}
	before, had := node.Prop(name)
	if had && model.Equal(before, v) {
		return
	}
	doc := objects(p.doc["screens"])[screen.Index]
	target := object(object(doc["contents"])[node.ID])
	if object(target["props"]) == nil {
		target["props"] = map[string]any{}
	}
	object(target["props"])[name] = v
	p.changed = append(p.changed, screen.ID)
	switch name {
	case "children", "label", "placeholder", "aria-label":
		follow(doc, node.ID, text(before), text(v))
	}
}

// follow lets the label of an interaction repeat a text as it did before.
func follow(screen map[string]any, node, before, after string) {
	for _, i := range objects(screen["interactions"]) {
		if text(i["id"]) == node && before != "" && strings.TrimSpace(text(i["label"])) == strings.TrimSpace(before) {
			i["label"] = after
		}
	}
}

// dropCopies drops what tasks repeat of the screens that were changed.
func (p *patcher) dropCopies() {
	for _, v := range object(object(p.doc["contents"])["tasks"]) {
		if task := object(v); text(task["type"]) == TypeScreen && slices.Contains(p.changed, text(task["screenId"])) {
			for _, name := range derivedKeys() {
				delete(task, name)
			}
		}
	}
}
