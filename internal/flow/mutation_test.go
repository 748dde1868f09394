package flow

import (
	"slices"
	"testing"
)

// mutation is an edit of the fixture and what a report must say about it.
type mutation struct {
	name string
	edit func(doc map[string]any)
	want []Change
	// noise and moved are what must be there beside it.
	noise []Change
	moved []Change
}

const (
	screen1 = "SC2tEstScreen0000000000000001"
	screen2 = "SC2tEstScreen0000000000000002"
)

func mutations(t testing.TB) []mutation {
	v := func(s string) any { return value(t, s) }
	props := func(doc map[string]any, node string) map[string]any { return obj(nodeOf(doc, 0, node), "props") }
	on := func(c Change) Change { // a change on the first screen
		c.Task, c.TaskName, c.Screen = "0", "Sign In Screen", screen1
		return c
	}
	remove := func(l any, i int) []any { return slices.Delete(slices.Clone(list(l)), i, i+1) }
	return []mutation{
		{
			name: "start task", edit: func(doc map[string]any) { obj(doc, "contents")["startTask"] = "0" },
			want: []Change{{Kind: StartTask, Before: "start", After: "0"}},
		},
		{
			name: "name", edit: func(doc map[string]any) { obj(doc, "metadata")["name"] = "Log in" },
			want: []Change{{Kind: MetadataChanged, Field: "name", Before: "Sign In", After: "Log in"}},
		},
		{
			name: "disabled", edit: func(doc map[string]any) { obj(doc, "metadata")["disabled"] = true },
			want: []Change{{Kind: MetadataChanged, Field: "disabled", After: true}},
		},
		{
			name: "translation", edit: func(doc map[string]any) { obj(doc, "metadata", "translation")["enabled"] = false },
			want: []Change{{
				Kind: MetadataChanged, Field: "translation", Before: fixture(t).Value()["metadata"].(map[string]any)["translation"],
				After: v(`{"connectorId":"manual","sourceLanguage":"en","targetLanguages":["fr"]}`),
			}},
		},
		{
			name: "unknown metadata", edit: func(doc map[string]any) { delete(obj(doc, "metadata"), "futureMeta") },
			want: []Change{{Kind: MetadataChanged, Field: "futureMeta", Before: "kept"}},
		},
		{
			name: "unknown top", edit: func(doc map[string]any) { doc["futureTop"] = "x" },
			want: []Change{{Kind: DocumentChanged, Field: "futureTop", Before: v(`{"a":[1,2.5]}`), After: "x"}},
		},
		{name: "shared removed", edit: func(doc map[string]any) {
			obj(doc, "metadata")["sharedInteractions"] = remove(obj(doc, "metadata")["sharedInteractions"], 1)
		}, want: []Change{{Kind: SharedRemoved, Field: "4.back", Before: v(`{"label":"Back"}`)}}},
		{
			name: "shared renumbered", edit: func(doc map[string]any) { obj(doc, "metadata", "sharedInteractions", 0)["id"] = "9.success" },
			want: []Change{
				{Kind: SharedRemoved, Field: "8.success", Before: v(`{"label":"Success","type":"success"}`)},
				{Kind: SharedAdded, Field: "9.success", After: v(`{"label":"Success","type":"success"}`)},
			},
		},
		{
			name: "shared label", edit: func(doc map[string]any) { obj(doc, "metadata", "sharedInteractions", 1)["label"] = "Return" },
			want: []Change{{Kind: SharedChanged, Field: "4.back", Before: v(`{"label":"Back"}`), After: v(`{"label":"Return"}`)}},
		},
		{name: "connector renamed", edit: func(doc map[string]any) {
			doc["references"] = v(`{"connectors":{"Sales":"CI2tEstConnector0000000000001"}}`)
		}, want: []Change{{Kind: ReferenceRenamed, Field: "CI2tEstConnector0000000000001", Before: "connectors/CRM", After: "connectors/Sales"}}},
		{
			name: "connector names lost", edit: func(doc map[string]any) { delete(doc, "references") },
			want: []Change{{Kind: ReferenceRemoved, Field: "connectors/CRM", Before: "CI2tEstConnector0000000000001"}},
		},
		{name: "other connector", edit: func(doc map[string]any) {
			doc["references"] = v(`{"connectors":{"CRM":"CI2tEstConnector0000000000001","Mail":"CI2"},"roles":{"admin":"ROL1"}}`)
			obj(taskOf(doc, "7"), "arguments", "connectorId")["value"] = "CI2"
		}, want: []Change{
			{Kind: ReferenceAdded, Field: "connectors/Mail", After: "CI2"},
			{Kind: ReferenceAdded, Field: "roles/admin", After: "ROL1"},
			{Kind: ArgumentChanged, Task: "7", TaskName: "Tell CRM", Field: "connectorId", Before: "connectors/CRM", After: "connectors/Mail"},
		}},
		{name: "task added", edit: func(doc map[string]any) {
			obj(doc, "contents", "tasks")["12"] = v(`{"id":"12","name":"Risk","type":"automated","action":"risk","next":{"rules":[{"interactionId":"success","taskId":"8"}]},"view":{"x":1}}`)
			obj(taskOf(doc, "5"), "next", "rules", 0)["taskId"] = "12"
		}, want: []Change{
			{Kind: EdgeRewired, Task: "5", TaskName: "Verify Code / OTP / Email", Field: "success", Before: "6", After: "12"},
			{Kind: TaskAdded, Task: "12", TaskName: "Risk", After: v(`{"name":"Risk","type":"automated","action":"risk"}`)},
			{Kind: EdgeAdded, Task: "12", TaskName: "Risk", Field: "success", After: "8"},
		}},
		{name: "task removed", edit: func(doc map[string]any) {
			delete(obj(doc, "contents", "tasks"), "10")
			next := obj(taskOf(doc, "6"), "next")
			next["rules"] = remove(next["rules"], 1)
		}, want: []Change{
			{Kind: EdgeRemoved, Task: "6", TaskName: "Is new user?", Field: "risky", Before: "10"},
			{Kind: TaskRemoved, Task: "10", TaskName: "Step up", Before: v(`{"name":"Step up","type":"flow"}`)},
			{Kind: EdgeRemoved, Task: "10", TaskName: "Step up", Field: "10.3.success", Before: "8"},
		}},
		{name: "pair removed", edit: func(doc map[string]any) {
			delete(obj(doc, "contents", "tasks"), "1")
			delete(obj(doc, "contents", "tasks"), "1.end")
			obj(taskOf(doc, "0"), "next", "rules", 0)["taskId"] = "3"
		}, want: []Change{
			{Kind: EdgeRewired, Task: "0", TaskName: "Sign In Screen", Field: "google", Before: "1", After: "3"},
			{Kind: TaskRemoved, Task: "1", TaskName: "OAuth / Google", Before: v(`{"name":"OAuth / Google","type":"automated","action":"oauth-start"}`)},
			{Kind: EdgeRemoved, Task: "1.end", TaskName: "OAuth / Google", Field: "success", Before: "6"},
		}},
		{
			name: "half of a pair removed", edit: func(doc map[string]any) { delete(obj(doc, "contents", "tasks"), "1.end") },
			want: []Change{
				{Kind: TaskRemoved, Task: "1.end", TaskName: "OAuth / Google", Before: v(`{"name":"OAuth / Google","type":"automated","action":"exchange-oauth-code"}`)},
				{Kind: EdgeRemoved, Task: "1.end", TaskName: "OAuth / Google", Field: "success", Before: "6"},
			},
		},
		{
			name: "task renamed", edit: func(doc map[string]any) { taskOf(doc, "1")["name"] = "Google"; taskOf(doc, "1.end")["name"] = "Google" },
			want: []Change{{Kind: TaskChanged, Task: "1", TaskName: "Google", Field: "name", Before: "OAuth / Google", After: "Google"}},
		},
		{
			name: "action", edit: func(doc map[string]any) { taskOf(doc, "3")["action"] = "sign-up-otp-email" },
			want: []Change{{Kind: TaskChanged, Task: "3", TaskName: "Sign In / OTP / Email", Field: "action", Before: "sign-in-otp-email", After: "sign-up-otp-email"}},
		},
		{name: "argument of a pair", edit: func(doc map[string]any) {
			for _, id := range []string{"1", "1.end"} {
				obj(taskOf(doc, id), "arguments", "redirectUrl")["value"] = "https://app.example.com"
			}
		}, want: []Change{{Kind: ArgumentChanged, Task: "1", TaskName: "OAuth / Google", Field: "redirectUrl", Before: "", After: "https://app.example.com"}}},
		{
			name: "argument of one half", edit: func(doc map[string]any) { obj(taskOf(doc, "1.end"), "arguments", "popup")["value"] = true },
			want: []Change{{Kind: ArgumentChanged, Task: "1.end", TaskName: "OAuth / Google", Field: "popup", Before: "", After: true}},
		},
		{name: "argument from context", edit: func(doc map[string]any) {
			obj(taskOf(doc, "3"), "arguments")["providerId"] = v(`{"type":"context","value":"user.provider"}`)
		}, want: []Change{{
			Kind: ArgumentChanged, Task: "3", TaskName: "Sign In / OTP / Email", Field: "providerId",
			Before: v(`{"type":"inline","value":""}`), After: v(`{"type":"context","value":"user.provider"}`),
		}}},
		{
			name: "argument added", edit: func(doc map[string]any) {
				obj(taskOf(doc, "3"), "arguments")["async"] = v(`{"type":"inline","value":false}`)
			},
			want: []Change{{Kind: ArgumentChanged, Task: "3", TaskName: "Sign In / OTP / Email", Field: "async", After: false}},
		},
		{
			name: "subflow", edit: func(doc map[string]any) { obj(taskOf(doc, "10"), "arguments", "flowId")["value"] = "mfa" },
			want: []Change{{Kind: ArgumentChanged, Task: "10", TaskName: "Step up", Field: "flowId", Before: "step-up", After: "mfa"}},
		},
		{name: "edge added", edit: func(doc map[string]any) {
			next := obj(taskOf(doc, "3"), "next")
			next["rules"] = append(list(next["rules"]), v(`{"interactionId":"success","taskId":"5"}`))
		}, want: []Change{{Kind: EdgeAdded, Task: "3", TaskName: "Sign In / OTP / Email", Field: "success", After: "5"}}},
		{
			name: "edge removed", edit: func(doc map[string]any) {
				obj(taskOf(doc, "4"), "next")["rules"] = v(`[{"interactionId":"code","taskId":"5"}]`)
			},
			want: []Change{{Kind: EdgeRemoved, Task: "4", TaskName: "Verify OTP", Field: "resend", Before: "3"}},
		},
		{
			name: "edge changed", edit: func(doc map[string]any) { obj(taskOf(doc, "3"), "next", "rules", 0)["future"] = true },
			want: []Change{{
				Kind: EdgeChanged, Task: "3", TaskName: "Sign In / OTP / Email", Field: "success",
				Before: v(`{"interactionId":"success","taskId":"4"}`), After: v(`{"interactionId":"success","taskId":"4","future":true}`),
			}},
		},
		{name: "condition changed", edit: func(doc map[string]any) {
			obj(taskOf(doc, "6"), "conditions", 0, "atomicConditions", 0)["operator"] = "is-false"
		}, want: []Change{{
			Kind: ConditionChanged, Task: "6", TaskName: "Is new user?", Field: "isnew",
			Before: at(fixture(t).Value(), "contents", "tasks", "6", "conditions", 0),
			After:  v(`{"name":"New user","interactionId":"isnew","atomicConditions":[{"target":{"type":"context","value":"authInfo.firstSeen"},"operator":"is-false","predicate":{"type":"inline","value":""}}]}`),
		}}},
		{
			name: "and instead of or", edit: func(doc map[string]any) { delete(obj(taskOf(doc, "6"), "conditions", 1), "logicalOr") },
			want: []Change{{
				Kind: ConditionChanged, Task: "6", TaskName: "Is new user?", Field: "risky",
				Before: at(fixture(t).Value(), "contents", "tasks", "6", "conditions", 1),
				After:  without(obj(fixture(t).Value(), "contents", "tasks", "6", "conditions", 1), "logicalOr"),
			}},
		},
		{
			name: "condition removed", edit: func(doc map[string]any) { taskOf(doc, "6")["conditions"] = remove(taskOf(doc, "6")["conditions"], 1) },
			want: []Change{{Kind: ConditionRemoved, Task: "6", TaskName: "Is new user?", Field: "risky", Before: at(fixture(t).Value(), "contents", "tasks", "6", "conditions", 1)}},
		},
		{name: "condition added", edit: func(doc map[string]any) {
			taskOf(doc, "6")["conditions"] = slices.Insert(list(taskOf(doc, "6")["conditions"]), 0, v(`{"name":"x","interactionId":"x"}`))
		}, want: []Change{{Kind: ConditionAdded, Task: "6", TaskName: "Is new user?", Field: "x", After: v(`{"name":"x","interactionId":"x"}`)}}},
		{name: "conditions reordered", edit: func(doc map[string]any) {
			l := list(taskOf(doc, "6")["conditions"])
			l[0], l[1] = l[1], l[0]
		}, want: []Change{{Kind: ConditionsReordered, Task: "6", TaskName: "Is new user?", Before: v(`["isnew","risky","ELSE"]`), After: v(`["risky","isnew","ELSE"]`)}}},
		{name: "error handling", edit: func(doc map[string]any) {
			obj(taskOf(doc, "5"), "errorHandlingV2")["Expired"] = v(`{"errorHandlingType":"automatic"}`)
			obj(taskOf(doc, "5"), "errorHandlingV2", "InvalidCode")["errorMessage"] = "No"
			delete(taskOf(doc, "1.end"), "errorHandlingV2")
		}, want: []Change{
			{Kind: ErrorHandlingRemoved, Task: "1.end", TaskName: "OAuth / Google", Field: "OAuthExchangeCodeFailed", Before: v(`{"errorHandlingType":"automatic"}`)},
			{Kind: ErrorHandlingAdded, Task: "5", TaskName: "Verify Code / OTP / Email", Field: "Expired", After: v(`{"errorHandlingType":"automatic"}`)},
			{
				Kind: ErrorHandlingChanged, Task: "5", TaskName: "Verify Code / OTP / Email", Field: "InvalidCode",
				Before: v(`{"errorHandlingType":"custom","errorMessage":"Try again"}`), After: v(`{"errorHandlingType":"custom","errorMessage":"No"}`),
			},
		}},
		{
			name: "text", edit: func(doc map[string]any) { props(doc, "title")["children"] = "Hello" },
			want: []Change{on(Change{Kind: TextChanged, Node: "title", Component: "Text", Field: "props.children", Before: "Welcome <back> & hello", After: "Hello"})},
		},
		{
			name: "text of a button", edit: func(doc map[string]any) {
				props(doc, "email-button")["children"] = "Next"
				obj(doc, "screens", 0, "interactions", 1)["label"] = "Next"
			}, want: []Change{on(Change{Kind: TextChanged, Node: "email-button", Component: "Button", Field: "props.children", Before: "Continue", After: "Next"})},
			noise: []Change{on(Change{Kind: InteractionChanged, Reason: Follows, Field: "email-button", Before: v(`{"label":"Continue","type":"button"}`), After: v(`{"label":"Next","type":"button"}`)})},
		},
		{
			name: "label that does not follow", edit: func(doc map[string]any) { obj(doc, "screens", 0, "interactions", 1)["label"] = "Next" },
			want: []Change{on(Change{Kind: InteractionChanged, Field: "email-button", Before: v(`{"label":"Continue","type":"button"}`), After: v(`{"label":"Next","type":"button"}`)})},
		},
		{name: "interaction removed", edit: func(doc map[string]any) {
			obj(doc, "screens", 0)["interactions"] = remove(obj(doc, "screens", 0)["interactions"], 2)
		}, want: []Change{on(Change{Kind: InteractionRemoved, Field: "resend-link", Before: v(`{"label":"Send again"}`)})}},
		{name: "property", edit: func(doc map[string]any) {
			props(doc, "email")["required"] = false
			nodeOf(doc, 0, "error")["hidden"] = true
		}, want: []Change{
			on(Change{Kind: PropertyChanged, Node: "email", Component: "EmailInput", Field: "props.required", Before: true, After: false}),
			on(Change{Kind: PropertyChanged, Node: "error", Component: "ErrorMessage", Field: "hidden", Before: false, After: true}),
		}},
		{
			name: "component added", edit: func(doc map[string]any) {
				obj(doc, "screens", 0, "contents")["apple"] = v(`{"type":{"resolvedName":"AppleButton"},"props":{"id":"apple","children":"Apple"},"parent":"ROOT","nodes":[]}`)
				root := nodeOf(doc, 0, "ROOT")
				root["nodes"] = slices.Insert(list(root["nodes"]), 2, any("apple"))
				obj(doc, "screens", 0)["interactions"] = append(list(obj(doc, "screens", 0)["interactions"]), v(`{"id":"apple","label":"Apple"}`))
			}, want: []Change{on(Change{Kind: ComponentAdded, Node: "apple", Component: "AppleButton", After: v(`{"component":"AppleButton","parent":"ROOT","index":2,"text":"Apple"}`)})},
			noise: []Change{on(Change{Kind: InteractionAdded, Reason: Follows, Field: "apple", After: v(`{"label":"Apple"}`)})},
		},
		{name: "component removed", edit: func(doc map[string]any) {
			delete(obj(doc, "screens", 0, "contents"), "remember")
			nodeOf(doc, 0, "form")["nodes"] = v(`["email","resend-link"]`)
		}, want: []Change{on(Change{Kind: ComponentRemoved, Node: "remember", Component: "Checkbox", Before: v(`{"component":"Checkbox","parent":"form","index":1,"text":"Remember me"}`)})}},
		{name: "component moved", edit: func(doc map[string]any) {
			nodeOf(doc, 0, "remember")["parent"] = "ROOT"
			nodeOf(doc, 0, "form")["nodes"] = v(`["email","resend-link"]`)
			nodeOf(doc, 0, "ROOT")["nodes"] = v(`["title","form","remember","google","email-button","error"]`)
		}, want: []Change{on(Change{Kind: ComponentMoved, Node: "remember", Component: "Checkbox", Before: "form", After: "ROOT"})}},
		{name: "components reordered", edit: func(doc map[string]any) {
			nodeOf(doc, 0, "ROOT")["nodes"] = v(`["form","title","google","email-button","error"]`)
		}, want: []Change{on(Change{
			Kind: ComponentsReordered, Node: "ROOT", Component: "Container",
			Before: v(`["title","form","google","email-button","error"]`), After: v(`["form","title","google","email-button","error"]`),
		})}},
		{
			name: "component changed", edit: func(doc map[string]any) { obj(nodeOf(doc, 0, "email"), "type")["resolvedName"] = "PhoneInput" },
			want: []Change{on(Change{Kind: ComponentChanged, Node: "email", Component: "PhoneInput", Before: "EmailInput", After: "PhoneInput"})},
		},
		{
			name: "broken tree", edit: func(doc map[string]any) {
				nodeOf(doc, 0, "form")["nodes"] = v(`["email","remember","resend-link","nowhere"]`)
			},
			want: []Change{on(Change{Kind: ScreenChanged, Field: "contents"})},
		},
		{
			name: "screen field", edit: func(doc map[string]any) { obj(doc, "screens", 0)["futureScreen"] = "x" },
			want: []Change{on(Change{Kind: ScreenChanged, Field: "futureScreen", Before: v(`1`), After: "x"})},
		},
		{name: "screen added", edit: func(doc map[string]any) {
			doc["screens"] = append(list(doc["screens"]), v(`{"screenId":"SC3","contents":{}}`))
			obj(doc, "contents", "tasks")["20"] = v(`{"id":"20","name":"Bye","type":"screen","screenId":"SC3"}`)
		}, want: []Change{
			{Kind: TaskAdded, Task: "20", TaskName: "Bye", After: v(`{"name":"Bye","type":"screen"}`)},
			{Kind: ScreenAdded, Task: "20", TaskName: "Bye", Screen: "SC3"},
		}},
		{
			name: "screen lost", edit: func(doc map[string]any) { doc["screens"] = remove(doc["screens"], 1) },
			want: []Change{{Kind: ScreenRemoved, Task: "4", TaskName: "Verify OTP", Screen: screen2}},
		},
		{name: "screen of a renumbered task", edit: func(doc map[string]any) {
			tasks := obj(doc, "contents", "tasks")
			tasks["40"] = without(obj(tasks, "4"), "id")
			delete(tasks, "4")
			obj(taskOf(doc, "3"), "next", "rules", 0)["taskId"] = "40"
			obj(nodeOf(doc, 1, "otp-title"), "props")["children"] = "Code"
		}, want: []Change{
			{Kind: EdgeRewired, Task: "3", TaskName: "Sign In / OTP / Email", Field: "success", Before: "4", After: "40"},
			{Kind: TaskRemoved, Task: "4", TaskName: "Verify OTP", Before: v(`{"name":"Verify OTP","type":"screen"}`)},
			{Kind: EdgeRemoved, Task: "4", TaskName: "Verify OTP", Field: "code", Before: "5"},
			{Kind: EdgeRemoved, Task: "4", TaskName: "Verify OTP", Field: "resend", Before: "3"},
			{Kind: TaskAdded, Task: "40", TaskName: "Verify OTP", After: v(`{"name":"Verify OTP","type":"screen"}`)},
			{Kind: EdgeAdded, Task: "40", TaskName: "Verify OTP", Field: "code", After: "5"},
			{Kind: EdgeAdded, Task: "40", TaskName: "Verify OTP", Field: "resend", After: "3"},
			{Kind: TextChanged, Task: "40", TaskName: "Verify OTP", Screen: screen2, Node: "otp-title", Component: "Text", Field: "props.children", Before: "Enter your code", After: "Code"},
		}},
		{
			name: "orphan", edit: func(doc map[string]any) { doc["screens"] = append(list(doc["screens"]), v(`{"screenId":"SC3"}`)) },
			want: []Change{{Kind: ScreenAdded, Screen: "SC3"}},
		},
		{name: "moved", edit: func(doc map[string]any) {
			taskOf(doc, "1")["view"] = v(`{"x":1,"y":2}`)
			taskOf(doc, "1.end")["view"] = v(`{"x":1,"y":2}`)
			taskOf(doc, "8")["view"] = nil
		}, moved: []Change{
			{Kind: TaskMoved, Task: "1", TaskName: "OAuth / Google", Before: v(`{"x":480,"y":0}`), After: v(`{"x":1,"y":2}`)},
			{Kind: TaskMoved, Task: "8", TaskName: "Generate JWT", Before: v(`{"x":1680,"y":100}`)},
		}},
		{
			name: "stamp", edit: func(doc map[string]any) { obj(doc, "metadata")["componentsVersion"] = "3.18.2" },
			noise: []Change{{Kind: MetadataChanged, Reason: Stamp, Field: "componentsVersion", Before: "3.17.0", After: "3.18.2"}},
		},
		{
			name: "platform rename", edit: func(doc map[string]any) { taskOf(doc, "8")["name"] = "End" },
			noise: []Change{{Kind: TaskChanged, Reason: PlatformRename, Task: "8", TaskName: "End", Field: "name", Before: "Generate JWT", After: "End"}},
		},
		{
			name: "user's rename of the end", edit: func(doc map[string]any) { taskOf(doc, "8")["name"] = "Done" },
			want: []Change{{Kind: TaskChanged, Task: "8", TaskName: "Done", Field: "name", Before: "Generate JWT", After: "Done"}},
		},
		{name: "derived", edit: func(doc map[string]any) {
			taskOf(doc, "0")["htmlTemplate"] = v(`{"ROOT":{}}`)
			delete(taskOf(doc, "0"), "inputKeys")
		}, noise: []Change{{Kind: TaskChanged, Reason: Derived, Task: "0", TaskName: "Sign In Screen", Field: "htmlTemplate, inputKeys"}}},
		{name: "backfilled argument", edit: func(doc map[string]any) {
			obj(taskOf(doc, "3"), "arguments")["loginHint"] = v(`{"type":"inline","value":""}`)
			delete(obj(taskOf(doc, "1"), "arguments"), "prompt")
			delete(obj(taskOf(doc, "1.end"), "arguments"), "prompt")
		}, noise: []Change{
			{Kind: ArgumentChanged, Reason: Backfilled, Task: "1", TaskName: "OAuth / Google", Field: "prompt", Before: []any{}},
			{Kind: ArgumentChanged, Reason: Backfilled, Task: "3", TaskName: "Sign In / OTP / Email", Field: "loginHint", After: ""},
		}},
		{name: "backfilled properties", edit: func(doc map[string]any) {
			props(doc, "title")["link-target-blank"] = true
			props(doc, "google")["aria-label"] = "Sign in with Google"
			props(doc, "email-button")["tooltipText"] = "Tooltip text"
			props(doc, "email")["label-type"] = "static"
			props(doc, "email")["data-errormessage-value-missing"] = "Please fill out this field."
			delete(nodeOf(doc, 0, "title"), "linkedNodes")
			obj(doc, "screens", 0, "interactions", 2)["type"] = "link"
			obj(doc, "metadata")["managementConfig"] = v(`{"triggers":{"eventTriggers":{}}}`)
			obj(taskOf(doc, "6"), "conditions", 0)["logicalOr"] = false
		}, noise: []Change{
			{Kind: MetadataChanged, Reason: Backfilled, Field: "managementConfig", After: v(`{"triggers":{"eventTriggers":{}}}`)},
			{
				Kind: ConditionChanged, Reason: Backfilled, Task: "6", TaskName: "Is new user?", Field: "isnew",
				Before: at(fixture(t).Value(), "contents", "tasks", "6", "conditions", 0), After: func() any {
					c := obj(fixture(t).Value(), "contents", "tasks", "6", "conditions", 0)
					c["logicalOr"] = false
					return c
				}(),
			},
			on(Change{Kind: TextChanged, Reason: Backfilled, Node: "email", Component: "EmailInput", Field: "props.data-errormessage-value-missing", After: "Please fill out this field."}),
			on(Change{Kind: PropertyChanged, Reason: Backfilled, Node: "email", Component: "EmailInput", Field: "props.label-type", After: "static"}),
			on(Change{Kind: TextChanged, Reason: Backfilled, Node: "email-button", Component: "Button", Field: "props.tooltipText", After: "Tooltip text"}),
			on(Change{Kind: TextChanged, Reason: Backfilled, Node: "google", Component: "GoogleButton", Field: "props.aria-label", After: "Sign in with Google"}),
			on(Change{Kind: PropertyChanged, Reason: Backfilled, Node: "title", Component: "Text", Field: "linkedNodes", Before: v(`{}`)}),
			on(Change{Kind: PropertyChanged, Reason: Backfilled, Node: "title", Component: "Text", Field: "props.link-target-blank", After: true}),
			on(Change{Kind: InteractionChanged, Reason: Backfilled, Field: "resend-link", Before: v(`{"label":"Send again"}`), After: v(`{"label":"Send again","type":"link"}`)}),
		}},
		{name: "not a default", edit: func(doc map[string]any) {
			props(doc, "title")["link-target-blank"] = false
			props(doc, "google")["aria-label"] = "Go"
		}, want: []Change{
			on(Change{Kind: TextChanged, Node: "google", Component: "GoogleButton", Field: "props.aria-label", After: "Go"}),
			on(Change{Kind: PropertyChanged, Node: "title", Component: "Text", Field: "props.link-target-blank", After: false}),
		}},
	}
}
