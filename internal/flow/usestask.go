package flow

import (
	"slices"
	"strings"
)

// exits are the shared interactions that the rules of a subflow lead on from.
func (c *collector) exits(t Task) {
	other := t.subflow()
	if other == "" {
		return
	}
	for i, r := range t.Rules {
		if !slices.Contains(t.Errors(), r.Interaction) {
			c.addOf(other, UseInteraction, r.Interaction, []any{"contents", "tasks", t.ID, "next", "rules", i, "interactionId"})
		}
	}
}

// subflow is the flow that a task runs, or "".
func (t Task) subflow() string {
	if t.Type == TypeSubflow {
		return t.inline("flowId")
	}
	return ""
}

// lists are the lists that a condition compares with. Descope: the predicate is
// then a list of their names.
func (c *collector) lists(t Task) {
	for i, condition := range objects(t.doc["conditions"]) {
		for j, atom := range objects(condition["atomicConditions"]) {
			path := []any{"contents", "tasks", t.ID, "conditions", i, "atomicConditions", j, "predicate"}
			names := list(atom["predicate"])
			if names == nil {
				path = append(path, "value")
				names = list(object(atom["predicate"])["value"])
			}
			for k, name := range names {
				c.add(UseList, text(name), append(slices.Clone(path), k))
			}
		}
	}
}

// inline is the text of an argument, or "" if it is none, or known only when the
// flow runs.
func (t Task) inline(name string) string {
	if a, _ := t.Argument(name); a.Type != "context" && !strings.Contains(text(a.Value), "{{") {
		return text(a.Value)
	}
	return ""
}
