package flow

import (
	"fmt"
	"maps"
	"slices"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// none stands for a value that is not there, which null is not.
type none struct{}

func get(m map[string]any, name string) any {
	if v, ok := m[name]; ok {
		return v
	}
	return none{}
}

func put(m map[string]any, name string, v any) {
	if v != any(none{}) {
		m[name] = v
	}
}

func isNone(v any) bool { _, ok := v.(none); return ok }

func equalOrNone(a, b any) bool {
	if isNone(a) || isNone(b) {
		return isNone(a) && isNone(b)
	}
	return model.Equal(a, b)
}

// orNil is a value as a conflict shows it.
func orNil(v any) any {
	if isNone(v) {
		return nil
	}
	return v
}

// The functions below are what a value means, for those places where different
// values mean the same.

func zeroIsNone(v any) any {
	if isNone(v) || model.Unset(v) {
		return none{}
	}
	return v
}

func hollowIsNone(v any) any {
	if isNone(v) || hollow(v) {
		return none{}
	}
	return v
}

// dropsZero is for an object, some of whose fields may be left out.
func dropsZero(names ...string) func(any) any {
	return func(v any) any {
		o, ok := v.(map[string]any)
		if !ok {
			return v
		}
		o = without(o)
		dropZero(o, names...)
		return o
	}
}

// pick is the value that a merge takes, if that is no question: the one that
// was changed. meaning may be nil. Without an answer it is ours.
func pick(meaning func(any) any, base, ours, theirs any) (v any, ok bool) {
	switch {
	case equalOrNone(ours, theirs), equalOrNone(base, theirs):
		return ours, true
	case equalOrNone(base, ours):
		return theirs, true
	case meaning == nil:
		return ours, false
	}
	b, o, t := meaning(base), meaning(ours), meaning(theirs)
	switch {
	case equalOrNone(o, t), equalOrNone(b, t):
		return ours, true
	case equalOrNone(b, o):
		return theirs, true
	}
	return ours, false
}

// quiet is a value that means nothing: ours, or theirs if only they changed it.
func quiet(base, ours, theirs any) any {
	v, _ := pick(nil, base, ours, theirs)
	return v
}

// field merges any value, objects by key.
func (m *merger) field(at Conflict, meaning func(any) any, base, ours, theirs any) any {
	v, ok := pick(meaning, base, ours, theirs)
	if ok {
		return v
	}
	b, inBase := base.(map[string]any)
	o, inOurs := ours.(map[string]any)
	t, inTheirs := theirs.(map[string]any)
	if !inOurs || !inTheirs || !inBase && !isNone(base) && base != nil {
		return m.conflict(at, base, ours, theirs)
	}
	out := map[string]any{}
	for _, name := range unionOf(b, o, t) {
		inner := at
		inner.Path = at.Path + "." + model.JoinPath(name)
		inner.Field = at.Field + "." + model.JoinPath(name)
		var mean func(any) any
		if meaning != nil {
			// What may be left out as a whole may be so in its parts.
			mean = zeroIsNone
		}
		put(out, name, m.field(inner, mean, get(b, name), get(o, name), get(t, name)))
	}
	return out
}

// whole merges a value that is taken as a whole.
func (m *merger) whole(at Conflict, meaning func(any) any, base, ours, theirs any) any {
	v, ok := pick(meaning, base, ours, theirs)
	if ok {
		return v
	}
	return m.conflict(at, base, ours, theirs)
}

// conflict records that the versions differ, and returns ours.
func (m *merger) conflict(at Conflict, base, ours, theirs any) any {
	at.Base, at.Ours, at.Theirs = orNil(base), orNil(ours), orNil(theirs)
	if at.Message == "" {
		switch what := at.subject(); {
		case isNone(ours):
			at.Message = fmt.Sprintf("%s: %s removes it, %s changes it", what, m.us, m.them)
		case isNone(theirs):
			at.Message = fmt.Sprintf("%s: %s changes it, %s removes it", what, m.us, m.them)
		case isNone(base):
			at.Message = fmt.Sprintf("%s: ours and theirs add it with different content", what)
		default:
			at.Message = fmt.Sprintf("%s: ours and theirs change it in different ways", what)
		}
	}
	if _, ok := m.conflicts[at.Path]; !ok {
		m.conflicts[at.Path] = at
	}
	return ours
}

// subject names the place for people.
func (c Conflict) subject() string {
	out := ""
	add := func(kind, name string) {
		if name == "" {
			return
		}
		if out != "" {
			out += ", "
		}
		out += kind + " " + name
	}
	add("task", c.Task)
	if c.Node != "" || c.Task == "" {
		add("screen", c.Screen)
	}
	add("component", c.Node)
	if c.Field != "" {
		add("field", c.Field)
	}
	return out
}

// unionOf are all keys of some maps, in the order of [CompareIDs].
func unionOf(all ...map[string]any) []string {
	names := map[string]bool{}
	for _, m := range all {
		for name := range m {
			names[name] = true
		}
	}
	return slices.SortedFunc(maps.Keys(names), CompareIDs)
}

// keyedList is a list of objects by what they call themselves, and the order.
// What has a name twice has a number behind it.
func keyedList(v any, name string) (byKey map[string]any, order []string) {
	byKey = map[string]any{}
	for _, o := range objects(v) {
		id := text(o[name])
		key := id
		for i := 2; has(byKey, key); i++ {
			key = id + "#" + itoa(i)
		}
		byKey[key] = o
		order = append(order, key)
	}
	return byKey, order
}

// keyed merges lists of objects that have names. Their order means nothing.
func (m *merger) keyed(at Conflict, name string, base, ours, theirs any, merge func(at Conflict, b, o, t any) any) any {
	if v, ok := pick(zeroIsNone, base, ours, theirs); ok {
		return v
	}
	b, orderB := keyedList(base, name)
	o, orderO := keyedList(ours, name)
	t, orderT := keyedList(theirs, name)
	merged := map[string]any{}
	for _, key := range unionOf(b, o, t) {
		inner := at
		inner.Path, inner.Field = at.Path+"."+model.JoinPath(key), key
		put(merged, key, merge(inner, get(b, key), get(o, key), get(t, key)))
	}
	order, _ := mergeOrder(orderB, orderO, orderT, func(key string) bool { return has(merged, key) })
	return listOf(merged, order)
}

func listOf(m map[string]any, order []string) []any {
	out := make([]any, 0, len(order))
	for _, key := range order {
		out = append(out, m[key])
	}
	return out
}

// disorder says what is in the way of one order.
type disorder int

const (
	inOrder disorder = iota
	// bothAdd: both put something in one place.
	bothAdd
	// orderAndAdd: one puts something where the other moves things.
	orderAndAdd
	// bothOrder: both move things, in different ways.
	bothOrder
)

// mergeOrder merges the order of what keep keeps, which is in ours or theirs or
// both. What stands in both keeps the order of the one that changed it; what only
// one has follows what it followed there. In one place, what has the smaller id
// comes first, with all that follows it.
func mergeOrder(base, ours, theirs []string, keep func(string) bool) (out []string, trouble disorder) {
	only := func(ids []string, in func(string) bool) []string {
		return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !in(id) })
	}
	kept := func(in []string) func(string) bool {
		return func(id string) bool { return keep(id) && slices.Contains(in, id) }
	}
	o, t := only(ours, kept(ours)), only(theirs, kept(theirs))
	both := func(id string) bool { return slices.Contains(o, id) && slices.Contains(t, id) }
	common, other := only(o, both), only(t, both)
	if !slices.Equal(common, other) {
		inBase := func(ids []string) []string {
			return only(ids, func(id string) bool { return slices.Contains(base, id) })
		}
		before, adding := only(base, both), t
		switch {
		case slices.Equal(inBase(common), before) && !slices.Equal(inBase(other), before):
			common, adding = other, o
		case slices.Equal(inBase(other), before) && !slices.Equal(inBase(common), before):
		default:
			trouble = bothOrder
		}
		if trouble == inOrder && len(adding) > len(common) {
			trouble = orderAndAdd
		}
	}
	runsO, runsT := runs(o, both), runs(t, both)
	for i, anchor := range append([]string{front}, common...) {
		if i > 0 {
			out = append(out, anchor)
		}
		first, second := runsO[anchor], runsT[anchor]
		if len(first) > 0 && len(second) > 0 {
			trouble = max(trouble, bothAdd)
			if second[0] < first[0] {
				first, second = second, first
			}
		}
		out = append(append(out, first...), second...)
	}
	return out, trouble
}

// front is what the first of a list follows, and no id.
const front = "\x00"

// runs are what only one list has, by what it follows.
func runs(ids []string, both func(string) bool) map[string][]string {
	out, anchor := map[string][]string{}, front
	for _, id := range ids {
		if both(id) {
			anchor = id
			continue
		}
		out[anchor] = append(out[anchor], id)
	}
	return out
}
