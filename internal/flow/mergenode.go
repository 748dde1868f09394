package flow

import (
	"fmt"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// treeMerge merges the components of one screen.
type treeMerge struct {
	merger             *merger
	at                 Conflict
	base, ours, theirs map[string]any
}

// place is where a conflict about a component is.
func (t *treeMerge) place(id string) Conflict {
	at := t.at
	at.Node, at.Path, at.Field = id, at.Path+".nodes."+model.JoinPath(id), ""
	return at
}

// merge returns the components. If that is no tree, both moved components so
// that they cannot be together.
func (t *treeMerge) merge() map[string]any {
	parentB, parentO, parentT := parents(t.base), parents(t.ours), parents(t.theirs)
	kept, parent := map[string]bool{}, map[string]string{}
	for _, id := range unionOf(t.base, t.ours, t.theirs) {
		if kept[id] = t.keeps(id); !kept[id] {
			delete(kept, id)
			continue
		}
		b, o, th := parentIn(t.base, parentB, id), parentIn(t.ours, parentO, id), parentIn(t.theirs, parentT, id)
		var v any
		switch {
		case isNone(o):
			v = th
		case isNone(th):
			v = o
		default:
			at := t.place(id)
			at.Path, at.Field = at.Path+".parent", "parent"
			v = t.merger.whole(at, nil, b, o, th)
		}
		parent[id] = text(v)
	}
	t.adopt(kept, parent, parentO)
	out := map[string]any{}
	for _, id := range unionOf(t.base, t.ours, t.theirs) {
		if kept[id] {
			out[id] = t.node(id, parent, kept)
		}
	}
	return out
}

func parentIn(nodes map[string]any, parents map[string]string, id string) any {
	if !has(nodes, id) {
		return none{}
	}
	return parents[id]
}

// keeps reports whether a component stays. One that was removed on one side and
// changed on the other is a conflict.
func (t *treeMerge) keeps(id string) bool {
	inBase, inOurs, inTheirs := has(t.base, id), has(t.ours, id), has(t.theirs, id)
	if !inBase || inOurs == inTheirs {
		return inOurs || inTheirs
	}
	key := nodeKey(t.at.Screen, id)
	if inOurs && t.merger.touchedByOurs().nodes[key] || inTheirs && t.merger.touchedByTheirs().nodes[key] {
		at := t.place(id)
		t.merger.conflict(at, get(t.base, id), get(t.ours, id), get(t.theirs, id))
		return inOurs
	}
	return false
}

// adopt finds a place for components whose parent is gone: where ours has them,
// together with what they are in there. What only theirs has goes with it. The
// reason is always a conflict about the parent or about what is in it.
func (t *treeMerge) adopt(kept map[string]bool, parent, parentO map[string]string) {
	for again := true; again; {
		again = false
		for _, id := range keys(kept) {
			p := parent[id]
			if p == "" || kept[p] {
				continue
			}
			again = true
			switch {
			case !has(t.ours, id):
				delete(kept, id)
			case parent[id] != parentO[id]:
				parent[id] = parentO[id]
			default:
				kept[p], parent[p] = true, parentO[p]
			}
		}
	}
}

// node merges one component and gives it its parent and its children.
func (t *treeMerge) node(id string, parent map[string]string, kept map[string]bool) map[string]any {
	b, o, th := object(t.base[id]), object(t.ours[id]), object(t.theirs[id])
	var out map[string]any
	switch {
	case th == nil:
		out = without(o)
	case o == nil:
		out = without(th)
	default:
		out = t.fields(id, b, o, th)
	}
	children := func(node map[string]any) []string { return model.Texts(node["nodes"]) }
	order, trouble := mergeOrder(children(b), children(o), children(th), func(child string) bool { return kept[child] && parent[child] == id })
	if trouble == bothOrder {
		at := t.place(id)
		at.Path, at.Field = at.Path+".order", "nodes"
		at.Message = fmt.Sprintf("%s: ours and theirs put its components in different orders", at.subject())
		t.merger.conflict(at, anyList(children(b)), anyList(children(o)), anyList(children(th)))
	}
	if len(order) > 0 || has(out, "nodes") {
		out["nodes"] = anyList(order)
	}
	if text(out["parent"]) != parent[id] {
		out["parent"] = parent[id]
	}
	return out
}

// fields merges a component that ours and theirs have, but for its place.
func (t *treeMerge) fields(id string, b, o, th map[string]any) map[string]any {
	out := map[string]any{}
	meaning := func(v any) any {
		if node, ok := v.(map[string]any); ok {
			return without(normalNode(id, node), "nodes", "parent")
		}
		return v
	}
	if b == nil {
		if !model.Equal(meaning(o), meaning(th)) {
			t.merger.conflict(t.place(id), none{}, o, th)
		}
		return without(o)
	}
	for _, name := range unionOf(b, o, th) {
		at := t.place(id)
		at.Path, at.Field = at.Path+"."+model.JoinPath(name), name
		before, own, other := get(b, name), get(o, name), get(th, name)
		switch name {
		case "nodes", "parent":
			put(out, name, quiet(before, own, other))
		case "props":
			put(out, name, t.merger.entries(at, before, own, other, func(at Conflict, b, o, th any) any {
				if at.Field == "id" && o == any(id) {
					return quiet(b, o, th)
				}
				at.Field = "props." + at.Field
				return t.merger.field(at, nil, b, o, th)
			}))
		case "hidden", "isCanvas", "linkedNodes", "custom":
			put(out, name, t.merger.field(at, zeroIsNone, before, own, other))
		default:
			put(out, name, t.merger.field(at, nil, before, own, other))
		}
	}
	return out
}
