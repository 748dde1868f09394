package flow

import "slices"

// rootNode is the component that all others on a screen are in.
const rootNode = "ROOT"

// screen looks at one screen: its interactions and its tree of components.
func (l *linter) screen(s Screen) {
	seen := map[string]bool{}
	for i, interaction := range s.Interactions() {
		if seen[interaction.ID] {
			l.warn(DuplicateID, []any{"screens", s.Index, "interactions", i, "id"}, "the screen has the interaction %q twice: remove one", interaction.ID)
		}
		seen[interaction.ID] = true
	}
	nodes := s.Nodes()
	ids, listed := map[string]bool{}, map[string][]string{}
	for _, n := range nodes {
		ids[n.ID] = true
	}
	place := func(path ...any) []any { return append([]any{"screens", s.Index, "contents"}, path...) }
	if len(nodes) > 0 && !ids[rootNode] {
		l.fail(DanglingNode, place(), "the screen has no component %s that holds the others, so that nothing of it is shown", rootNode)
	}
	for _, n := range nodes {
		for i, child := range n.Children {
			listed[child] = append(listed[child], n.ID)
			if !ids[child] {
				l.fail(DanglingNode, place(n.ID, "nodes", i), "component %q holds %q, which the screen does not have: take it out of the list", n.ID, child)
			}
		}
		linked := object(n.doc["linkedNodes"])
		for _, slot := range keys(linked) {
			child := text(linked[slot])
			listed[child] = append(listed[child], n.ID)
			if !ids[child] {
				l.fail(DanglingNode, place(n.ID, "linkedNodes", slot), "component %q holds %q, which the screen does not have: take it out", n.ID, child)
			}
		}
	}
	for _, n := range nodes {
		if id, _ := n.Prop("id"); text(id) != "" && text(id) != n.ID {
			l.warn(IDMismatch, place(n.ID, "props", "id"), "component %q says that its id is %q: give it the same id at both places", n.ID, id)
		}
		in := listed[n.ID]
		switch {
		case n.ID == rootNode:
		case n.Parent != "" && !ids[n.Parent]:
			l.fail(DanglingNode, place(n.ID, "parent"), "component %q is in %q, which the screen does not have", n.ID, n.Parent)
		case len(in) == 0:
			l.warn(NodeTree, place(n.ID), "no component holds %q, so that it is not shown: list it in the nodes of %q, or remove it", n.ID, n.Parent)
		case len(in) > 1:
			l.warn(NodeTree, place(n.ID), "component %q is at more than one place, in %s: keep one", n.ID, some(in))
		case !slices.Contains(in, n.Parent):
			l.warn(NodeTree, place(n.ID, "parent"), "component %q says that it is in %q, and %q holds it: make them agree", n.ID, n.Parent, in[0])
		}
	}
}
