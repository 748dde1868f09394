package flow

import (
	"slices"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// edges compares the rules of a task, each of which is there as often as it is
// there. One that goes and one that comes with the same interaction are one that
// was rewired. The rule between the halves of a pair comes and goes with them.
func (d *differ) edges(base Change, a, b map[string]any) {
	gone, came := onlyIn(list(a["rules"]), list(b["rules"])), onlyIn(list(b["rules"]), list(a["rules"]))
	edge := func(kind Kind, before, after map[string]any) {
		c := base
		c.Kind, c.Field = kind, text(before["interactionId"])
		if before == nil {
			c.Field = text(after["interactionId"])
		}
		c.Before, c.After = target(before), target(after)
		if kind == EdgeChanged {
			c.Before, c.After = before, after
		}
		d.add(c)
	}
	if a == nil || b == nil {
		toTwin := func(rule map[string]any) bool { return text(rule["taskId"]) == base.Task+".end" }
		gone, came = slices.DeleteFunc(gone, toTwin), slices.DeleteFunc(came, toTwin)
	}
	used := make([]bool, len(came))
	for _, before := range gone {
		match := -1
		for i, after := range came {
			if used[i] || text(after["interactionId"]) != text(before["interactionId"]) {
				continue
			}
			if match < 0 || text(after["taskId"]) == text(before["taskId"]) {
				match = i
			}
		}
		switch {
		case match < 0:
			edge(EdgeRemoved, before, nil)
		case text(came[match]["taskId"]) == text(before["taskId"]):
			edge(EdgeChanged, before, came[match])
		default:
			edge(EdgeRewired, before, came[match])
		}
		if match >= 0 {
			used[match] = true
		}
	}
	for i, after := range came {
		if !used[i] {
			edge(EdgeAdded, nil, after)
		}
	}
}

func target(rule map[string]any) any {
	if rule == nil {
		return nil
	}
	return text(rule["taskId"])
}

// onlyIn are the rules that a has more often than b.
func onlyIn(a, b []any) []map[string]any {
	left := map[string]int{}
	for _, r := range b {
		left[string(model.CanonicalJSON(r))]++
	}
	var out []map[string]any
	for _, r := range objects(a) {
		key := string(model.CanonicalJSON(r))
		if left[key] > 0 {
			left[key]--
			continue
		}
		out = append(out, r)
	}
	return out
}
