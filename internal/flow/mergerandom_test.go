package flow

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// editor makes random edits as a person makes them in the console: what is
// removed takes its edges with it, and the flow stays valid.
type editor struct {
	doc  map[string]any
	r    *rand.Rand
	name string // goes into what is written, so that two editors write different things
	n    int
	// units are the tasks and components that were edited.
	units map[string]bool
}

func (e *editor) fresh() string {
	e.n++
	return fmt.Sprintf("%s-%d", e.name, e.n)
}

func (e *editor) tasks() map[string]any { return obj(e.doc, "contents", "tasks") }

func (e *editor) oneOf(ids []string) string {
	if len(ids) == 0 {
		return ""
	}
	return ids[e.r.IntN(len(ids))]
}

func (e *editor) touch(unit string) { e.units[unit] = true }

// edit makes one edit and says which.
func (e *editor) edit() string {
	edits := map[string]func() string{
		"name": e.rename, "argument": e.argument, "rewire": e.rewire, "new task": e.newTask, "drop task": e.dropTask,
		"text": e.text, "new node": e.newNode, "drop node": e.dropNode, "move node": e.moveNode, "order": e.order,
		"branch": e.branch, "drop branch": e.dropBranch, "error": e.errorHandling, "shared": e.shared, "metadata": e.metadata,
		"unknown": e.unknown, "start": e.start, "screen": e.newScreen, "drop edge": e.dropEdge, "noise": e.noise,
		"branch order": e.branchOrder,
	}
	name := e.oneOf(keys(edits))
	return name + " " + edits[name]()
}

// some is a task for which ok holds.
func (e *editor) some(ok func(task map[string]any) bool) string {
	var ids []string
	for _, id := range keys(e.tasks()) {
		if ok(obj(e.tasks(), id)) {
			ids = append(ids, id)
		}
	}
	return e.oneOf(ids)
}

func anyTask(map[string]any) bool { return true }

func ofType(kind string) func(map[string]any) bool {
	return func(task map[string]any) bool { return text(task["type"]) == kind }
}

// pairOf are the halves of a task that are there.
func (e *editor) pairOf(id string) []string {
	var out []string
	for _, id := range []string{group(id), group(id) + ".end"} {
		if has(e.tasks(), id) {
			out = append(out, id)
		}
	}
	return out
}

func (e *editor) rename() string {
	id, name := e.some(anyTask), e.fresh()
	for _, half := range e.pairOf(id) {
		obj(e.tasks(), half)["name"] = name
	}
	e.touch("task " + group(id))
	return id
}

func (e *editor) argument() string {
	id := e.some(func(task map[string]any) bool { return len(object(task["arguments"])) > 0 })
	if id == "" {
		return ""
	}
	name := e.oneOf(keys(obj(e.tasks(), id, "arguments")))
	if strings.HasSuffix(name, "StepId") {
		return ""
	}
	v := e.fresh()
	for _, half := range e.pairOf(id) {
		arguments := object(obj(e.tasks(), half)["arguments"])
		if arguments == nil {
			continue
		}
		if e.r.IntN(4) == 0 {
			delete(arguments, name)
		} else {
			arguments[name] = map[string]any{"type": "inline", "value": v}
		}
	}
	e.touch("task " + group(id))
	return id + " " + name
}

// rules are those of a task that do not lead to its other half.
func (e *editor) rules(id string) []map[string]any {
	return slices.DeleteFunc(objects(object(obj(e.tasks(), id)["next"])["rules"]), func(r map[string]any) bool {
		return group(text(r["taskId"])) == group(id)
	})
}

func (e *editor) rewire() string {
	id := e.some(anyTask)
	rules := e.rules(id)
	to := e.some(func(task map[string]any) bool {
		return text(task["type"]) != "" && !strings.HasSuffix(text(task["id"]), ".end")
	})
	if len(rules) == 0 || to == "" {
		return ""
	}
	rules[e.r.IntN(len(rules))]["taskId"] = to
	e.touch("task " + group(id))
	return id + " to " + to
}

func (e *editor) dropEdge() string {
	id := e.some(anyTask)
	rules := e.rules(id)
	if len(rules) == 0 {
		return ""
	}
	gone := rules[0]
	next := obj(e.tasks(), id, "next")
	next["rules"] = slices.DeleteFunc(list(next["rules"]), func(r any) bool { return sameMap(r, gone) })
	e.touch("task " + group(id))
	return id
}

func sameMap(a any, b map[string]any) bool {
	return object(a)["interactionId"] == b["interactionId"] && object(a)["taskId"] == b["taskId"]
}

func (e *editor) newTask() string {
	id := "10" + fmt.Sprint(e.r.IntN(4)) // both may take the same number
	if e.r.IntN(2) == 0 {
		id = e.fresh()
	}
	if has(e.tasks(), id) {
		return ""
	}
	from := e.some(anyTask)
	rules := e.rules(from)
	if len(rules) == 0 {
		return ""
	}
	rule := rules[e.r.IntN(len(rules))]
	task := map[string]any{
		"id": id, "name": e.fresh(), "type": "automated", "action": "risk", "view": map[string]any{"x": json.Number("1")},
		"next": map[string]any{"rules": []any{map[string]any{"interactionId": "success", "taskId": rule["taskId"]}}},
	}
	rule["taskId"] = id
	e.tasks()[id] = task
	if e.r.IntN(3) == 0 { // a pair
		twin := maps.Clone(task)
		twin["id"] = id + ".end"
		e.tasks()[id+".end"] = twin
		task["next"] = map[string]any{"rules": []any{map[string]any{"interactionId": "success", "taskId": id + ".end"}}}
		task["arguments"] = map[string]any{"exchangeStepId": map[string]any{"type": "inline", "value": id + ".end"}}
	}
	e.touch("task " + id)
	e.touch("task " + group(from))
	return id
}

func (e *editor) dropTask() string {
	id := e.some(func(task map[string]any) bool {
		return text(task["type"]) != "" && text(task["id"]) != text(obj(e.doc, "contents")["startTask"])
	})
	if id == "" || group(id) == text(obj(e.doc, "contents")["startTask"]) {
		return ""
	}
	id = group(id)
	gone := map[string]bool{}
	for _, half := range e.pairOf(id) {
		gone[half] = true
		e.dropScreenOf(half)
		delete(e.tasks(), half)
	}
	for other, v := range e.tasks() {
		next := object(object(v)["next"])
		before := list(next["rules"])
		after := slices.DeleteFunc(slices.Clone(before), func(r any) bool { return gone[text(object(r)["taskId"])] })
		if len(after) != len(before) {
			next["rules"] = after
			e.touch("task " + group(other))
		}
	}
	meta := obj(e.doc, "metadata")
	if shared := list(meta["sharedInteractions"]); shared != nil {
		meta["sharedInteractions"] = slices.DeleteFunc(slices.Clone(shared), func(s any) bool {
			at, _, _ := strings.Cut(text(object(s)["id"]), ".")
			return gone[at]
		})
		e.touch("shared")
	}
	e.touch("task " + id)
	return id
}

// dropScreenOf removes the screen of a task, if no other shows it.
func (e *editor) dropScreenOf(task string) {
	id := text(obj(e.tasks(), task)["screenId"])
	for other, v := range e.tasks() {
		if other != task && text(object(v)["screenId"]) == id {
			return
		}
	}
	e.doc["screens"] = slices.DeleteFunc(list(e.doc["screens"]), func(s any) bool { return text(object(s)["screenId"]) == id })
}

// screen is any screen that a task shows, with the task.
func (e *editor) screen() (task string, screen map[string]any) {
	task = e.some(ofType(TypeScreen))
	if task == "" {
		return "", nil
	}
	for _, s := range objects(e.doc["screens"]) {
		if text(s["screenId"]) == text(obj(e.tasks(), task)["screenId"]) {
			return task, s
		}
	}
	return "", nil
}

// node is any component of a screen but the root.
func (e *editor) node(ok func(map[string]any) bool) (task, id string, screen map[string]any) {
	task, screen = e.screen()
	if screen == nil {
		return "", "", nil
	}
	var ids []string
	for _, id := range keys(obj(screen, "contents")) {
		if id != "ROOT" && ok(obj(screen, "contents", id)) {
			ids = append(ids, id)
		}
	}
	return task, e.oneOf(ids), screen
}

func anyNode(map[string]any) bool { return true }

func (e *editor) text() string {
	task, id, screen := e.node(anyNode)
	if id == "" {
		return ""
	}
	props, _ := obj(screen, "contents", id)["props"].(map[string]any)
	if props == nil {
		return ""
	}
	props[e.oneOf([]string{"children", "size", "label"})] = e.fresh()
	e.touch("node " + task + " " + id)
	return task + " " + id
}

// containers are the components of a screen that have components in them.
func containers(screen map[string]any) []string {
	var out []string
	for _, id := range keys(obj(screen, "contents")) {
		if len(list(obj(screen, "contents", id)["nodes"])) > 0 {
			out = append(out, id)
		}
	}
	return out
}

func (e *editor) newNode() string {
	task, screen := e.screen()
	if screen == nil {
		return ""
	}
	parent := e.oneOf(containers(screen))
	if parent == "" {
		return ""
	}
	id := e.fresh()
	in := obj(screen, "contents", parent)
	in["nodes"] = slices.Insert(slices.Clone(list(in["nodes"])), e.r.IntN(len(list(in["nodes"]))+1), any(id))
	obj(screen, "contents")[id] = map[string]any{
		"type": map[string]any{"resolvedName": "Button"}, "parent": parent, "nodes": []any{},
		"props": map[string]any{"id": id, "children": id},
	}
	e.touch("node " + task + " " + parent)
	if e.r.IntN(2) == 0 {
		if to := e.some(anyTask); to != "" && !strings.HasSuffix(to, ".end") {
			screen["interactions"] = append(list(screen["interactions"]), map[string]any{"id": id, "label": id})
			next := object(obj(e.tasks(), task)["next"])
			if next != nil {
				next["rules"] = append(list(next["rules"]), map[string]any{"interactionId": id, "taskId": to})
			}
			e.touch("task " + task)
		}
	}
	return task + " " + id
}

// drop removes a component with all that is in it.
func (e *editor) drop(task string, screen map[string]any, id string) {
	for _, child := range model.Texts(obj(screen, "contents", id)["nodes"]) {
		e.drop(task, screen, child)
	}
	parent := text(obj(screen, "contents", id)["parent"])
	in := obj(screen, "contents", parent)
	in["nodes"] = slices.DeleteFunc(slices.Clone(list(in["nodes"])), func(v any) bool { return v == id })
	delete(obj(screen, "contents"), id)
	screen["interactions"] = slices.DeleteFunc(list(screen["interactions"]), func(v any) bool { return text(object(v)["id"]) == id })
	for _, other := range keys(e.tasks()) {
		if next := object(obj(e.tasks(), other)["next"]); text(obj(e.tasks(), other)["screenId"]) == text(screen["screenId"]) && next["rules"] != nil {
			next["rules"] = slices.DeleteFunc(list(next["rules"]), func(r any) bool { return text(object(r)["interactionId"]) == id })
			e.touch("task " + other)
		}
	}
	e.touch("node " + task + " " + id)
}

func (e *editor) dropNode() string {
	task, id, screen := e.node(anyNode)
	if id == "" {
		return ""
	}
	e.drop(task, screen, id)
	return task + " " + id
}

func (e *editor) moveNode() string {
	task, id, screen := e.node(anyNode)
	if id == "" {
		return ""
	}
	to := e.oneOf(containers(screen))
	for at := to; at != ""; at = text(obj(screen, "contents", at)["parent"]) {
		if at == id {
			return "" // not into itself
		}
	}
	node := obj(screen, "contents", id)
	from := obj(screen, "contents", text(node["parent"]))
	from["nodes"] = slices.DeleteFunc(slices.Clone(list(from["nodes"])), func(v any) bool { return v == id })
	in := obj(screen, "contents", to)
	in["nodes"] = append(slices.Clone(list(in["nodes"])), any(id))
	e.touch("node " + task + " " + text(node["parent"]))
	node["parent"] = to
	e.touch("node " + task + " " + id)
	e.touch("node " + task + " " + to)
	return task + " " + id + " to " + to
}

func (e *editor) order() string {
	task, screen := e.screen()
	if screen == nil || len(containers(screen)) == 0 {
		return ""
	}
	id := e.oneOf(containers(screen))
	nodes := slices.Clone(list(obj(screen, "contents", id)["nodes"]))
	e.r.Shuffle(len(nodes), func(i, j int) { nodes[i], nodes[j] = nodes[j], nodes[i] })
	obj(screen, "contents", id)["nodes"] = nodes
	e.touch("node " + task + " " + id)
	return task + " " + id
}

func (e *editor) branch() string {
	id := e.some(ofType(TypeCondition))
	if id == "" {
		return ""
	}
	task := obj(e.tasks(), id)
	conditions := slices.Clone(list(task["conditions"]))
	e.touch("task " + id)
	if len(conditions) > 0 && e.r.IntN(2) == 0 {
		obj(conditions, e.r.IntN(len(conditions)))["name"] = e.fresh()
		return id
	}
	branch := e.fresh()
	task["conditions"] = slices.Insert(conditions, e.r.IntN(max(len(conditions), 1)), any(map[string]any{"name": branch, "interactionId": branch}))
	if to := e.some(anyTask); !strings.HasSuffix(to, ".end") {
		next := obj(task, "next")
		next["rules"] = append(list(next["rules"]), map[string]any{"interactionId": branch, "taskId": to})
	}
	return id + " " + branch
}

func (e *editor) branchOrder() string {
	id := e.some(ofType(TypeCondition))
	if id == "" {
		return ""
	}
	conditions := slices.Clone(list(obj(e.tasks(), id)["conditions"]))
	slices.Reverse(conditions[:max(len(conditions)-1, 0)]) // ELSE is last
	obj(e.tasks(), id)["conditions"] = conditions
	e.touch("task " + id)
	return id
}

func (e *editor) dropBranch() string {
	id := e.some(ofType(TypeCondition))
	if id == "" || len(list(obj(e.tasks(), id)["conditions"])) < 2 {
		return ""
	}
	task := obj(e.tasks(), id)
	conditions := list(task["conditions"])
	i := e.r.IntN(len(conditions) - 1)
	branch := text(obj(conditions, i)["interactionId"])
	task["conditions"] = slices.Delete(slices.Clone(conditions), i, i+1)
	next := obj(task, "next")
	next["rules"] = slices.DeleteFunc(list(next["rules"]), func(r any) bool { return text(object(r)["interactionId"]) == branch })
	e.touch("task " + id)
	return id + " " + branch
}

func (e *editor) errorHandling() string {
	id := e.some(ofType(TypeAction))
	if id == "" {
		return ""
	}
	task := obj(e.tasks(), id)
	handling := map[string]any{}
	maps.Copy(handling, object(task["errorHandlingV2"]))
	name := e.oneOf([]string{"InvalidCode", "Expired", "Other"})
	next, _ := task["next"].(map[string]any)
	e.touch("task " + group(id))
	task["errorHandlingV2"] = handling
	if handling[name] == nil || next == nil || e.r.IntN(2) == 0 {
		handling[name] = map[string]any{"errorHandlingType": "custom", "errorMessage": e.fresh()}
		if next != nil && e.r.IntN(2) == 0 {
			to := e.some(func(task map[string]any) bool { return !strings.HasSuffix(text(task["id"]), ".end") })
			next["rules"] = append(list(next["rules"]), map[string]any{"interactionId": name, "taskId": to})
		}
		return id + " " + name
	}
	delete(handling, name)
	next["rules"] = slices.DeleteFunc(list(next["rules"]), func(r any) bool { return text(object(r)["interactionId"]) == name })
	return id + " -" + name
}

func (e *editor) shared() string {
	meta := obj(e.doc, "metadata")
	shared := slices.Clone(list(meta["sharedInteractions"]))
	e.touch("shared")
	if len(shared) > 0 && e.r.IntN(2) == 0 {
		obj(shared, e.r.IntN(len(shared)))["label"] = e.fresh()
		return ""
	}
	id := e.some(anyTask) + "." + e.fresh()
	meta["sharedInteractions"] = append(shared, map[string]any{"id": id, "label": "x"})
	return id
}

func (e *editor) metadata() string {
	name := e.oneOf([]string{"name", "description", "futureMeta"})
	obj(e.doc, "metadata")[name] = e.fresh()
	e.touch("metadata " + name)
	return name
}

func (e *editor) unknown() string {
	id := e.some(anyTask)
	obj(e.tasks(), id)["future"+e.oneOf([]string{"A", "B"})] = map[string]any{e.fresh(): true}
	e.touch("task " + group(id))
	return id
}

func (e *editor) start() string {
	id := e.some(func(task map[string]any) bool { return !strings.HasSuffix(text(task["id"]), ".end") })
	obj(e.doc, "contents")["startTask"] = id
	e.touch("start")
	return id
}

// newScreen puts a screen in front of a task.
func (e *editor) newScreen() string {
	from := e.some(anyTask)
	rules := e.rules(from)
	if len(rules) == 0 {
		return ""
	}
	id := e.fresh()
	rule := rules[e.r.IntN(len(rules))]
	e.doc["screens"] = append(list(e.doc["screens"]), map[string]any{
		"screenId":     "SC" + id,
		"interactions": []any{map[string]any{"id": "go", "label": "Go"}},
		"contents": map[string]any{
			"ROOT": map[string]any{"type": map[string]any{"resolvedName": "Container"}, "nodes": []any{"go"}, "props": map[string]any{}},
			"go":   map[string]any{"type": map[string]any{"resolvedName": "Button"}, "parent": "ROOT", "nodes": []any{}, "props": map[string]any{"children": "Go"}},
		},
	})
	e.tasks()[id] = map[string]any{
		"id": id, "name": id, "type": "screen", "screenId": "SC" + id,
		"next": map[string]any{"rules": []any{map[string]any{"interactionId": "go", "taskId": rule["taskId"]}}},
	}
	rule["taskId"] = id
	e.touch("task " + id)
	e.touch("task " + group(from))
	return id
}

// noise changes what means nothing.
func (e *editor) noise() string {
	obj(e.doc, "metadata")["componentsVersion"] = "3." + fmt.Sprint(e.r.IntN(30))
	obj(e.tasks(), e.some(anyTask))["view"] = map[string]any{"x": e.fresh()}
	if e.r.IntN(3) == 0 { // a project of its own
		ids := map[string]string{}
		for _, s := range objects(e.doc["screens"]) {
			ids[text(s["screenId"])] = text(s["screenId"]) + e.name
			s["screenId"] = text(s["screenId"]) + e.name
		}
		for _, id := range keys(e.tasks()) {
			if moved, ok := ids[text(obj(e.tasks(), id)["screenId"])]; ok {
				obj(e.tasks(), id)["screenId"] = moved
			}
		}
	}
	if task, screen := e.screen(); screen != nil && e.r.IntN(2) == 0 {
		obj(e.tasks(), task)["htmlTemplate"] = screen["contents"]
	}
	slices.Reverse(list(e.doc["screens"]))
	return ""
}

// edited is a flow after some random edits, the edits, and what they touched.
func edited(t *testing.T, base Flow, name string, r *rand.Rand, edits int) (out Flow, said []string, units map[string]bool) {
	e := &editor{doc: base.Value(), r: r, name: name, units: map[string]bool{}}
	for range edits {
		said = append(said, e.edit())
	}
	out, _, err := FromValue(e.doc)
	if err != nil {
		t.Fatalf("%v: %v", said, err)
	}
	return out, said, e.units
}
