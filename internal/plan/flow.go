package plan

import (
	"fmt"
	"maps"

	"pcconnect.ai/descope-mgmt/internal/flow"
	"pcconnect.ai/descope-mgmt/internal/model"
)

// definition is the attribute of a flow that holds its document.
const definition = "definition"

// effectiveFlow keeps the live document of a flow where the written one means the
// same: stamps, ids of screens, layout and copies of data are no reason to write.
//
// Nor is what a newer version of Descope filled in by itself, as long as the written
// document is the one that was applied last. One that was edited since, or was never
// applied, counts as it stands: what it has and the live one lacks is meant.
func effectiveFlow(t trio, written map[string]any) map[string]any {
	if t.live == nil {
		return written
	}
	want, ok1 := documentOf(written[definition])
	is, ok2 := documentOf(t.live.Attrs[definition])
	if !ok1 || !ok2 || !needless(want, is, t.last) {
		return written
	}
	out := maps.Clone(written)
	out[definition] = t.live.Attrs[definition]
	return out
}

// needless reports that a flow need not be written.
func needless(want, is flow.Flow, last *model.Resource) bool {
	if want.Normal().Equal(is.Normal()) {
		return true
	}
	report := flow.Diff(is, want)
	if !report.Equal() {
		return false
	}
	if last != nil {
		was, known := documentOf(last.Attrs[definition])
		return known && was.Normal().Equal(want.Normal())
	}
	for _, c := range report.Noise {
		if c.After != nil {
			return false
		}
	}
	return true
}

// documentOf is the document of a flow, if it is one.
func documentOf(v any) (flow.Flow, bool) {
	if _, isObject := v.(map[string]any); !isObject {
		return flow.Flow{}, false
	}
	f, _, err := flow.FromValue(v)
	return f, err == nil
}

// sameFlow reports that two documents mean the same. Two that are no flows are the
// same only if they are equal.
func sameFlow(a, b any) bool {
	x, ok1 := documentOf(a)
	y, ok2 := documentOf(b)
	return ok1 && ok2 && x.Normal().Equal(y.Normal())
}

// FlowReport says what a change does to a flow, task by task; ok is false for one that
// is about something else than the document of an existing flow.
func (c *Change) FlowReport() (report flow.Report, ok bool) {
	if c.Key.Kind != model.Flow {
		return report, false
	}
	before, ok1 := documentOf(c.Before[definition])
	after, ok2 := documentOf(c.After[definition])
	if !ok1 || !ok2 {
		return report, false
	}
	return flow.Diff(before, after), true
}

// FlowDocument is the flow that a change makes or deletes.
func (c *Change) FlowDocument() (flow.Flow, bool) {
	if c.Key.Kind != model.Flow || c.Action == Update {
		return flow.Flow{}, false
	}
	attrs := c.After
	if c.Action == Delete {
		attrs = c.Before
	}
	return documentOf(attrs[definition])
}

// guardBroken stops flows from being written that cannot run.
func (c *computation) guardBroken() {
	for i := range c.plan.Changes {
		ch := &c.plan.Changes[i]
		problems := c.options.Broken[ch.Key]
		if ch.Action == Delete || len(problems) == 0 {
			continue
		}
		first := problems[0]
		detail := fmt.Sprintf("%s cannot run as it is: %s: %s", ch.Key, first.Path, first.Message)
		if more := len(problems) - 1; more > 0 {
			detail += fmt.Sprintf("; and %d more (descope-mgmt flow lint)", more)
		}
		c.guards = append(c.guards, Guard{Rule: RuleBroken, Keys: []model.Key{ch.Key}, Detail: detail, Allow: "--allow-broken-flows"})
	}
}

// orderFlows lets a flow that another one runs come first, and go last.
func (c *computation) orderFlows(g *graph) {
	for i, ch := range c.plan.Changes {
		if ch.Key.Kind != model.Flow {
			continue
		}
		attrs := ch.After
		if ch.Action == Delete {
			attrs = ch.Before
		}
		f, ok := documentOf(attrs[definition])
		if !ok {
			continue
		}
		for _, u := range f.Uses() {
			j, changes := g.index[model.Key{Kind: model.Flow, ID: u.ID}]
			switch {
			case u.Kind != flow.UseFlow || !changes || j == i:
			case ch.Action == Delete && c.plan.Changes[j].Action == Delete:
				g.add(j, i)
			case ch.Action != Delete && c.plan.Changes[j].Action != Delete:
				g.add(i, j)
			}
		}
	}
}
