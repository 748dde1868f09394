package conformance

import (
	"fmt"

	"pcconnect.ai/descope-mgmt/internal/plan"
)

// flow is a configuration with one flow, whose definition says a text.
func flow(id, text string) string {
	return fmt.Sprintf(`flows: %q: definition: {
		flowId: %q
		metadata: {name: "Sign in", description: %q, componentsVersion: "3.1.0"}
		contents: {startTask: "0", tasks: {"0": {id: "0", name: "Start", arguments: {empty: {type: "inline", value: ""}, off: {type: "inline", value: false}}}}}
		screens: [{screenId: "SC1", interactions: [{id: "submit", type: "button"}], contents: ROOT: {props: {children: %q}}}]
	}
	`, id, id, text, text)
}

// flowJSON is the same flow in a call of somebody else.
func flowJSON(id, text string) string {
	return fmt.Sprintf(`{"flow": {"flowId": %q, "metadata": {"name": "Sign in", "description": %q},
		"contents": {"startTask": "0", "tasks": {"0": {"id": "0", "name": "Start", "arguments": {"empty": {"type": "inline", "value": ""}, "off": {"type": "inline", "value": false}}}}},
		"screens": [{"screenId": "SC1", "interactions": [{"id": "submit", "type": "button"}], "contents": {"ROOT": {"props": {"children": %q}}}}]}}`, id, text, text)
}

func flowGroups() []group {
	const importPath, deletePath = "/v2/mgmt/flow/import", "/v1/mgmt/flow/delete"
	return []group{
		{name: "a flow", steps: []step{
			{does: "created", cue: flow("sign-in", "Welcome"), changes: 1},
			{does: "changed", cue: flow("sign-in", "Welcome <b>back</b> – é 日本"), changes: 1},
			{does: "another beside it", cue: flow("sign-in", "Welcome <b>back</b> – é 日本") + flow("sign-up", "Hello"), changes: 1},
			{does: "both changed", cue: flow("sign-in", "1") + flow("sign-up", "2"), changes: 2},
			{does: "gone from the configuration", cue: flow("sign-in", "1")},
			{does: "pruned", cue: flow("sign-in", "1"), prune: true, changes: 1, live: map[string]string{"flow/sign-up": "gone"}},
			{does: "all pruned", prune: true, changes: 1, guards: []plan.Rule{plan.RuleMassChange}, live: map[string]string{"flow/sign-in": "gone"}},
		}},
		{name: "a flow that others move", seed: `{"flows": [{"flowId": "theirs", "metadata": {"name": "T"}, "contents": {"startTask": "0", "tasks": {}}}]}`, steps: []step{
			{does: "created by hand, just so", cue: flow("sign-in", "Welcome"), meanwhile: [][2]string{{importPath, flowJSON("sign-in", "Welcome")}}},
			{does: "adopted", cue: flow("sign-in", "Hello"), changes: 1, guards: []plan.Rule{plan.RuleAdopt}},
			{does: "moved by hand", cue: flow("sign-in", "Hello"), changes: 1, guards: []plan.Rule{plan.RuleDrift}, meanwhile: [][2]string{{importPath, flowJSON("sign-in", "By hand")}}},
			{does: "imported by hand, unchanged", cue: flow("sign-in", "Hello"), meanwhile: [][2]string{{importPath, flowJSON("sign-in", "Hello")}}},
			{does: "deleted by hand", cue: flow("sign-in", "Hello"), changes: 1, guards: []plan.Rule{plan.RuleDrift}, meanwhile: [][2]string{{deletePath, `{"ids": ["sign-in"]}`}}},
			{does: "deleted by hand and gone from the configuration", prune: true, meanwhile: [][2]string{{deletePath, `{"ids": ["sign-in"]}`}}, live: map[string]string{"flow/theirs": `{"flowId": "theirs"}`}},
		}},
		{name: "flows and tenants", steps: []step{
			{does: "created", cue: acme("") + "\n" + flow("sign-in", "1"), changes: 2},
			{does: "changed", cue: acme("disabled: true") + "\n" + flow("sign-in", "2"), changes: 2},
			{does: "one kind left", cue: acme("disabled: true"), prune: true, changes: 1, guards: []plan.Rule{plan.RuleMassChange}},
		}},
		{name: "what is said beside the definition", steps: []step{
			{does: "a name", cue: flow("sign-in", "1") + `flows: "sign-in": name: "N"`, changes: 1},
			{does: "another one", cue: flow("sign-in", "1") + `flows: "sign-in": name: "M"`, changes: 1},
			{does: "switched off", cue: flow("sign-in", "1") + `flows: "sign-in": {name: "M", enabled: false}`, changes: 1},
			{does: "and on", cue: flow("sign-in", "1") + `flows: "sign-in": {name: "M", enabled: true}`, changes: 1},
		}},
	}
}
