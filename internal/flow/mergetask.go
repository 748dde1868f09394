package flow

import (
	"fmt"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// tasks merges the graph, pair by pair.
func (m *merger) tasks() map[string]any {
	groups := map[string]any{}
	base, ours, theirs := object(m.base.contents()["tasks"]), object(m.ours.contents()["tasks"]), object(m.theirs.contents()["tasks"])
	for _, id := range unionOf(base, ours, theirs) {
		members, _ := groups[group(id)].([]string)
		groups[group(id)] = append(members, id)
	}
	out := map[string]any{}
	for _, id := range unionOf(groups) {
		members, _ := groups[id].([]string)
		m.group(out, id, members, [3]map[string]any{base, ours, theirs})
	}
	return out
}

// group merges one task or pair into out. It comes and goes as one.
func (m *merger) group(out map[string]any, id string, members []string, docs [3]map[string]any) {
	var there [3]bool
	for i, doc := range docs {
		for _, member := range members {
			there[i] = there[i] || has(doc, member)
		}
	}
	take := func(doc map[string]any) {
		for _, member := range members {
			put(out, member, get(doc, member))
		}
	}
	at := Conflict{Path: model.JoinPath("tasks", id), Task: id}
	clash := func(format string, args ...any) {
		at.Message = fmt.Sprintf(format, args...)
		m.conflict(at, summaryOrNone(docs[0], id), summaryOrNone(docs[1], id), summaryOrNone(docs[2], id))
		take(docs[1])
	}
	switch {
	case !there[1] && !there[2]:
	case !there[0] && !there[2]:
		take(docs[1])
	case !there[0] && !there[1]:
		take(docs[2])
	case !there[2] && m.touchedByOurs().tasks[id]:
		clash("task %s: %s changes it, %s removes it", id, m.us, m.them)
	case !there[1] && m.touchedByTheirs().tasks[id]:
		clash("task %s: %s removes it, %s changes it", id, m.us, m.them)
	case !there[1] || !there[2]:
	case !there[0] && !m.sameTasks(members, docs):
		clash("task %s: ours and theirs add it with different content", id)
	default:
		merged := map[string]any{}
		for _, member := range members {
			b, o, t := get(docs[0], member), get(docs[1], member), get(docs[2], member)
			inner := Conflict{Path: model.JoinPath("tasks", member), Task: member}
			switch {
			case isNone(o) != isNone(t):
				v, ok := pick(taskMeaning(member), b, o, t)
				if !ok {
					clash("task %s: only one version has its half %s still", id, member)
					return
				}
				put(merged, member, v)
			case isNone(o):
			default:
				merged[member] = m.task(inner, object(orNil(b)), object(o), object(t))
			}
		}
		for member, v := range merged {
			out[member] = v
		}
	}
}

// summaryOrNone is what a conflict shows of a whole task.
func summaryOrNone(tasks map[string]any, id string) any {
	if task := object(tasks[id]); task != nil {
		return summary(task)
	}
	return none{}
}

// sameTasks reports whether ours and theirs added the same.
func (m *merger) sameTasks(members []string, docs [3]map[string]any) bool {
	for _, id := range members {
		if !equalOrNone(taskMeaning(id)(get(docs[1], id)), taskMeaning(id)(get(docs[2], id))) {
			return false
		}
	}
	return true
}

// taskMeaning is a task in normal form without arguments that are not set.
func taskMeaning(id string) func(any) any {
	return func(v any) any {
		task, ok := v.(map[string]any)
		if !ok {
			return v
		}
		task = normalTask(id, task, nil)
		arguments := without(object(task["arguments"]))
		for name, a := range arguments {
			if unset(a) {
				delete(arguments, name)
			}
		}
		task["arguments"] = arguments
		dropZero(task, "arguments")
		return task
	}
}

// task merges a task that ours and theirs have.
func (m *merger) task(at Conflict, base, ours, theirs map[string]any) map[string]any {
	out := map[string]any{}
	isScreen := text(ours["type"]) == TypeScreen || text(theirs["type"]) == TypeScreen
	derived := map[string]bool{}
	for _, name := range derivedKeys() {
		derived[name] = isScreen
	}
	for _, name := range unionOf(base, ours, theirs) {
		b, o, t := get(base, name), get(ours, name), get(theirs, name)
		field := at
		field.Path, field.Field = at.Path+"."+model.JoinPath(name), name
		switch {
		case name == "view" || derived[name] || name == "screenId" && !isScreen:
			put(out, name, quiet(b, o, t))
		case name == "id":
			put(out, name, m.field(field, func(v any) any {
				if v == at.Task || model.Unset(orNil(v)) {
					return none{}
				}
				return v
			}, b, o, t))
		case name == "name":
			put(out, name, m.name(field, base, ours, theirs))
		case name == "type" || name == "action":
			put(out, name, m.field(field, zeroIsNone, b, o, t))
		case name == "arguments":
			put(out, name, m.entries(field, b, o, t, m.argument))
		case name == "errorHandlingV2":
			put(out, name, m.entries(field, b, o, t, func(at Conflict, b, o, t any) any { return m.whole(at, nil, b, o, t) }))
		case name == "conditions":
			put(out, name, m.conditions(field, b, o, t))
		case name == "next":
			put(out, name, m.next(at, b, o, t))
		default:
			put(out, name, m.field(field, nil, b, o, t))
		}
	}
	return out
}

// name merges the name of a task. Descope: it called "Generate JWT" "End" by
// itself.
func (m *merger) name(at Conflict, base, ours, theirs map[string]any) any {
	ends := text(ours["action"]) == "logged-in" && text(theirs["action"]) == "logged-in"
	meaning := func(v any) any {
		if ends && v == "Generate JWT" {
			return "End"
		}
		return zeroIsNone(v)
	}
	if v, ok := pick(meaning, get(base, "name"), get(ours, "name"), get(theirs, "name")); ok {
		return v
	}
	if m.saidOfFirst(at) {
		return get(ours, "name")
	}
	return m.whole(at, meaning, get(base, "name"), get(ours, "name"), get(theirs, "name"))
}

// saidOfFirst reports whether there is a conflict in the same place of the first
// half of a pair, which the second half repeats.
func (m *merger) saidOfFirst(at Conflict) bool {
	first, ok := strings.CutSuffix(at.Task, ".end")
	if !ok {
		return false
	}
	rest, _ := strings.CutPrefix(at.Path, model.JoinPath("tasks", at.Task))
	_, said := m.conflicts[model.JoinPath("tasks", first)+rest]
	return said
}

// argument merges one argument, whose type and value belong together.
func (m *merger) argument(at Conflict, base, ours, theirs any) any {
	meaning := func(v any) any {
		a, ok := v.(map[string]any)
		if !ok || unset(a) {
			return none{}
		}
		a = without(a)
		dropNil(a, "value")
		return a
	}
	v, ok := pick(meaning, base, ours, theirs)
	if ok || m.saidOfFirst(at) {
		return v
	}
	return m.whole(at, meaning, base, ours, theirs)
}

func dropNil(m map[string]any, name string) {
	if m[name] == nil {
		delete(m, name)
	}
}

// entries merges objects by key. What would be empty is as one of them has it.
func (m *merger) entries(at Conflict, base, ours, theirs any, merge func(at Conflict, b, o, t any) any) any {
	if v, ok := pick(zeroIsNone, base, ours, theirs); ok {
		return v
	}
	b, o, t := object(orNil(base)), object(orNil(ours)), object(orNil(theirs))
	out := map[string]any{}
	for _, name := range unionOf(b, o, t) {
		inner := at
		inner.Path, inner.Field = at.Path+"."+model.JoinPath(name), name
		put(out, name, merge(inner, get(b, name), get(o, name), get(t, name)))
	}
	if len(out) == 0 {
		return none{}
	}
	return out
}

// next merges the rules of a task.
func (m *merger) next(at Conflict, base, ours, theirs any) any {
	if v, ok := pick(zeroIsNone, base, ours, theirs); ok {
		return v
	}
	b, o, t := object(orNil(base)), object(orNil(ours)), object(orNil(theirs))
	out := map[string]any{}
	for _, name := range unionOf(b, o, t) {
		inner := at
		inner.Path, inner.Field = at.Path+".next."+model.JoinPath(name), name
		if name != "rules" {
			put(out, name, m.field(inner, nil, get(b, name), get(o, name), get(t, name)))
			continue
		}
		inner.Path = at.Path + ".rules"
		put(out, name, m.rules(inner, get(b, name), get(o, name), get(t, name)))
	}
	return out
}

// rules merges edges by interaction. One interaction may lead to several tasks:
// where it leads is merged as a whole.
func (m *merger) rules(at Conflict, base, ours, theirs any) any {
	if v, ok := pick(zeroIsNone, base, ours, theirs); ok {
		return v
	}
	b, orderB := edgesBy(base)
	o, orderO := edgesBy(ours)
	t, orderT := edgesBy(theirs)
	merged := map[string]any{}
	for _, interaction := range unionOf(b, o, t) {
		inner := at
		inner.Path, inner.Field = at.Path+"."+model.JoinPath(interaction), interaction
		before, own, other := get(b, interaction), get(o, interaction), get(t, interaction)
		v, ok := pick(rulesMeaning, before, own, other)
		if !ok {
			m.conflict(inner, targets(before), targets(own), targets(other))
		}
		put(merged, interaction, v)
	}
	order, _ := mergeOrder(orderB, orderO, orderT, func(id string) bool { return has(merged, id) })
	out := []any{}
	for _, interaction := range order {
		out = append(out, list(merged[interaction])...)
	}
	return out
}

// targets is where rules lead: a task, or a list of them.
func targets(rules any) any {
	l := objects(rules)
	if isNone(rules) || len(l) == 0 {
		return none{}
	}
	if len(l) == 1 {
		return text(l[0]["taskId"])
	}
	out := []any{}
	for _, r := range l {
		out = append(out, text(r["taskId"]))
	}
	return out
}

// edgesBy are the rules by interaction, and the order of those.
func edgesBy(rules any) (byInteraction map[string]any, order []string) {
	byInteraction = map[string]any{}
	for _, r := range objects(rules) {
		id := text(r["interactionId"])
		if !has(byInteraction, id) {
			order = append(order, id)
		}
		byInteraction[id] = append(list(byInteraction[id]), any(r))
	}
	return byInteraction, order
}

// rulesMeaning is where one interaction leads, in any order.
func rulesMeaning(v any) any {
	l, ok := v.([]any)
	if !ok {
		return v
	}
	out := make([]any, len(l))
	for i, r := range l {
		rule := without(object(r))
		dropZero(rule, "interactionId")
		out[i] = rule
	}
	return sortedList(out)
}

// conditions merges branches, which are tried in their order.
func (m *merger) conditions(at Conflict, base, ours, theirs any) any {
	if v, ok := pick(zeroIsNone, base, ours, theirs); ok {
		return v
	}
	b, orderB := keyedList(base, "interactionId")
	o, orderO := keyedList(ours, "interactionId")
	t, orderT := keyedList(theirs, "interactionId")
	merged := map[string]any{}
	for _, branch := range unionOf(b, o, t) {
		inner := at
		inner.Path, inner.Field = at.Path+"."+model.JoinPath(branch), branch
		// Descope: a branch with one comparison has logicalOr false or none.
		put(merged, branch, m.field(inner, dropsZero("atomicConditions", "interactionId", "name", "logicalOr"),
			get(b, branch), get(o, branch), get(t, branch)))
	}
	order, trouble := mergeOrder(orderB, orderO, orderT, func(id string) bool { return has(merged, id) })
	if trouble != inOrder {
		at.Message = fmt.Sprintf("task %s: ours and theirs put branches in the same place, whose order decides", at.Task)
		m.conflict(at, anyList(orderB), anyList(orderO), anyList(orderT))
		return ours
	}
	return listOf(merged, order)
}
