package ui

import (
	"strings"
	"testing"

	"pcconnect.ai/descope-mgmt/internal/flow"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
)

func flowReport() flow.Report {
	return flow.Report{
		Changes: []flow.Change{
			{Kind: flow.StartTask, Before: "0", After: "1"},
			{Kind: flow.TaskAdded, Task: "7", TaskName: "Ask \x1b[31m| more", After: map[string]any{"type": "screen"}},
			{Kind: flow.EdgeRewired, Task: "7", TaskName: "Ask", Field: "success", Before: "8", After: "9"},
			{Kind: flow.TextChanged, Task: "2", TaskName: "Welcome", Also: []string{"4"}, Screen: "SC1", Node: "title", Component: "Text", Field: "props.children", Before: "Hi", After: "Hello\nthere"},
			{Kind: flow.ComponentRemoved, Task: "2", TaskName: "Welcome", Screen: "SC1", Node: "n", Component: "Button", Before: map[string]any{"text": strings.Repeat("long ", 200)}},
			{Kind: flow.ScreenRemoved, Screen: "SC9"},
		},
		Moved: []flow.Change{{Kind: flow.TaskMoved, Task: "2", Before: map[string]any{"x": 1}, After: map[string]any{"x": 2}}},
		Noise: []flow.Change{{Kind: flow.MetadataChanged, Reason: flow.Stamp, Field: "componentsVersion", Before: "1", After: "2"}},
	}
}

func TestFlowReport(t *testing.T) {
	golden(t, "flow-report", FlowReportText(flowReport(), false, Style{Width: 80}))
	golden(t, "flow-report-noise", FlowReportText(flowReport(), true, Style{}))
	golden(t, "flow-report.md", FlowReportMarkdown(flowReport(), false))
	golden(t, "flow-report-noise.md", FlowReportMarkdown(flowReport(), true))
	for _, text := range []string{FlowReportText(flow.Report{}, false, Style{}), FlowReportMarkdown(flow.Report{}, true)} {
		if text != "No differences.\n" {
			t.Errorf("nothing differs: %q", text)
		}
	}
}

// TestPlanOfFlow: a plan shows what becomes of a flow, and not two documents.
func TestPlanOfFlow(t *testing.T) {
	doc := func(name string) map[string]any {
		return map[string]any{"definition": map[string]any{
			"metadata": map[string]any{"name": name}, "screens": []any{},
			"contents": map[string]any{"startTask": "0", "tasks": map[string]any{"0": map[string]any{"id": "0", "name": "Start"}}},
		}}
	}
	p := &plan.Plan{Changes: []plan.Change{{
		Key: model.Key{Kind: model.Flow, ID: "f"}, Action: plan.Update, Before: doc("A"), After: doc("B"),
		Fields: []plan.FieldChange{{Path: "definition", Before: doc("A")["definition"], After: doc("B")["definition"], Moved: plan.Config}},
	}}}
	golden(t, "plan-flow", PlanText(p, plan.Allowed{}, Forecast{Calls: 1}, Style{Width: 80}))
	made := *p
	made.Changes = []plan.Change{{Key: p.Changes[0].Key, Action: plan.Create, After: doc("A"), Fields: p.Changes[0].Fields}}
	if text := PlanText(&made, plan.Allowed{}, Forecast{Calls: 1}, Style{Width: 80}); !strings.Contains(text, "\n    1 task, 0 screens\n") || strings.Contains(text, "contents") {
		t.Errorf("a new flow is shown as\n%s", text)
	}
	p.Changes[0].Fields[0].Moved = plan.Both
	if text := PlanText(p, plan.Allowed{}, Forecast{Calls: 1}, Style{Width: 80}); !strings.Contains(text, "moved live") {
		t.Errorf("who moved is not said:\n%s", text)
	}
}
