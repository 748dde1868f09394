package flow

import (
	"slices"
	"strings"
	"testing"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// TestMergeCases are single conflicts and how they are settled.
func TestMergeCases(t *testing.T) {
	v := func(s string) any { return value(t, s) }
	dropTask := func(id, from string, rule int) func(doc map[string]any) {
		return func(doc map[string]any) {
			delete(obj(doc, "contents", "tasks"), id)
			next := obj(taskOf(doc, from), "next")
			next["rules"] = slices.Delete(list(next["rules"]), rule, rule+1)
		}
	}
	dropNode := func(doc map[string]any, id, parent string) {
		delete(obj(doc, "screens", 0, "contents"), id)
		in := nodeOf(doc, 0, parent)
		in["nodes"] = slices.DeleteFunc(list(in["nodes"]), func(v any) bool { return v == id })
		s := obj(doc, "screens", 0)
		s["interactions"] = slices.DeleteFunc(list(s["interactions"]), func(v any) bool { return object(v)["id"] == id })
		next := obj(taskOf(doc, "0"), "next")
		next["rules"] = slices.DeleteFunc(list(next["rules"]), func(v any) bool { return object(v)["interactionId"] == id })
	}
	rule := func(doc map[string]any, task string, i int) map[string]any {
		return obj(taskOf(doc, task), "next", "rules", i)
	}
	prop := func(node, name string, to any) func(doc map[string]any) {
		return func(doc map[string]any) { obj(nodeOf(doc, 0, node), "props")[name] = to }
	}
	for _, c := range []struct {
		name         string
		ours, theirs func(doc map[string]any)
		// want is the path of each conflict, and what one message has in it.
		want    []string
		message string
		check   func(merged Flow) bool
	}{
		{
			name: "one text in two ways", ours: prop("title", "children", "Hi"), theirs: prop("title", "children", "Hello"),
			want:    []string{`tasks."0".screen.nodes.title.props.children`},
			message: "task 0, screen " + screen1 + ", component title, field props.children: ours and theirs change it in different ways",
			check:   func(m Flow) bool { return at(m.doc, "screens", 0, "contents", "title", "props", "children") == "Hi" },
		},
		{
			name: "two properties of one component", ours: prop("title", "children", "Hi"), theirs: prop("title", "variant", "h2"),
			check: func(m Flow) bool {
				props := obj(m.doc, "screens", 0, "contents", "title", "props")
				return props["children"] == "Hi" && props["variant"] == "h2"
			},
		},
		{
			name: "button with its label", ours: func(doc map[string]any) {
				prop("email-button", "children", "Next")(doc)
				obj(doc, "screens", 0, "interactions", 1)["label"] = "Next"
			}, theirs: func(doc map[string]any) {
				prop("email-button", "children", "Go")(doc)
				obj(doc, "screens", 0, "interactions", 1)["label"] = "Go"
			}, want: []string{`tasks."0".screen.nodes.email-button.props.children`},
		},
		{
			name: "edge to a removed task", ours: func(doc map[string]any) { rule(doc, "5", 0)["taskId"] = "10" },
			theirs: dropTask("10", "6", 1), want: []string{`tasks."5".rules.success`},
			message: `task 5, field success: ours leads to task 10, which theirs removes`,
			check:   func(m Flow) bool { _, ok := m.Task("10"); return ok },
		},
		{
			name: "edge of theirs to a task that ours removed", ours: dropTask("10", "6", 1),
			theirs: func(doc map[string]any) { rule(doc, "5", 0)["taskId"] = "10" }, want: []string{`tasks."5".rules.success`},
			message: `task 5, field success: theirs leads to task 10, which ours removes`,
			check: func(m Flow) bool {
				_, ok := m.Task("10")
				return !ok && m.leads("5", "success", "6")
			},
		},
		{
			name: "removed and changed", ours: func(doc map[string]any) { taskOf(doc, "10")["name"] = "Step" },
			theirs: dropTask("10", "6", 1), want: []string{`tasks."10"`}, message: "task 10: ours changes it, theirs removes it",
			check: func(m Flow) bool { _, ok := m.Task("10"); return ok },
		},
		{
			name: "removed and its screen changed", ours: func(doc map[string]any) { obj(nodeOf(doc, 1, "otp-title"), "props")["children"] = "Code" },
			theirs: func(doc map[string]any) {
				delete(obj(doc, "contents", "tasks"), "4")
				rule(doc, "3", 0)["taskId"] = "5"
				doc["screens"] = list(doc["screens"])[:1]
				obj(doc, "metadata")["sharedInteractions"] = v(`[{"id":"8.success","label":"Success","type":"success"}]`)
			}, want: []string{`tasks."4"`},
			check: func(m Flow) bool { _, ok := m.ScreenOf("4"); return ok },
		},
		{
			name: "removed and only moved", ours: func(doc map[string]any) { taskOf(doc, "10")["view"] = v(`{"x":1}`) },
			theirs: dropTask("10", "6", 1), check: func(m Flow) bool { _, ok := m.Task("10"); return !ok },
		},
		{
			name: "one new number for two tasks", ours: func(doc map[string]any) {
				obj(doc, "contents", "tasks")["12"] = v(`{"id":"12","type":"automated","action":"risk"}`)
			}, theirs: func(doc map[string]any) {
				obj(doc, "contents", "tasks")["12"] = v(`{"id":"12","type":"automated","action":"logged-in"}`)
			}, want: []string{`tasks."12"`}, message: "task 12: ours and theirs add it with different content",
		},
		{
			name: "edge in two ways", ours: func(doc map[string]any) { rule(doc, "5", 0)["taskId"] = "7" },
			theirs: func(doc map[string]any) { rule(doc, "5", 0)["taskId"] = "8" },
			want:   []string{`tasks."5".rules.success`}, check: func(m Flow) bool { return m.leads("5", "success", "7") },
		},
		{
			name: "argument of a pair, in two ways", ours: func(doc map[string]any) {
				obj(taskOf(doc, "1"), "arguments", "provider")["value"] = "apple"
				obj(taskOf(doc, "1.end"), "arguments", "provider")["value"] = "apple"
			}, theirs: func(doc map[string]any) {
				obj(taskOf(doc, "1"), "arguments", "provider")["value"] = "github"
				obj(taskOf(doc, "1.end"), "arguments", "provider")["value"] = "github"
			}, want: []string{`tasks."1".arguments.provider`},
		},
		{
			name: "pair whose second half has no arguments", ours: func(doc map[string]any) {
				delete(taskOf(doc, "1.end"), "arguments")
				delete(taskOf(doc, "1.end"), "name")
				taskOf(doc, "1")["name"] = "Apple"
				obj(taskOf(doc, "1"), "arguments", "provider")["value"] = "apple"
			}, theirs: func(doc map[string]any) { obj(taskOf(doc, "1.end"), "errorHandlingV2")["Other"] = v(`{}`) },
			check: func(m Flow) bool {
				a, _ := newTask("1.end", obj(m.doc, "contents", "tasks", "1.end")).Argument("provider")
				return a.Value == "apple" && text(taskOf(m.doc, "1.end")["name"]) == "Apple"
			},
		},
		{
			name: "half of a pair removed and changed", ours: func(doc map[string]any) {
				obj(taskOf(doc, "1.end"), "errorHandlingV2")["Other"] = v(`{}`)
			}, theirs: func(doc map[string]any) {
				delete(obj(doc, "contents", "tasks"), "1.end")
				rule(doc, "1", 0)["taskId"] = "6"
				delete(obj(taskOf(doc, "1"), "arguments"), "exchangeStepId")
			}, want: []string{`tasks."1"`}, message: "only one version has its half 1.end still",
			check: func(m Flow) bool { return m.leads("1", "success", "1.end") },
		},
		{
			name: "branch removed, its edge changed", ours: func(doc map[string]any) { rule(doc, "6", 1)["taskId"] = "7" },
			theirs: func(doc map[string]any) {
				dropTask("10", "6", 1)(doc)
				taskOf(doc, "6")["conditions"] = slices.Delete(list(taskOf(doc, "6")["conditions"]), 1, 2)
			}, want: []string{`tasks."6".rules.risky`}, message: "task 6, field risky: ours changes it, theirs removes it",
			check: func(m Flow) bool { return len(list(taskOf(m.doc, "6")["conditions"])) == 3 },
		},
		{
			name: "branches added in one place", ours: func(doc map[string]any) {
				taskOf(doc, "6")["conditions"] = slices.Insert(list(taskOf(doc, "6")["conditions"]), 1, v(`{"interactionId":"a"}`))
			}, theirs: func(doc map[string]any) {
				taskOf(doc, "6")["conditions"] = slices.Insert(list(taskOf(doc, "6")["conditions"]), 1, v(`{"interactionId":"b"}`))
			}, want: []string{`tasks."6".conditions`}, message: "whose order decides",
		},
		{
			name: "branches added in two places", ours: func(doc map[string]any) {
				taskOf(doc, "6")["conditions"] = slices.Insert(list(taskOf(doc, "6")["conditions"]), 1, v(`{"interactionId":"a"}`))
			}, theirs: func(doc map[string]any) {
				taskOf(doc, "6")["conditions"] = slices.Insert(list(taskOf(doc, "6")["conditions"]), 2, v(`{"interactionId":"b"}`))
			}, check: func(m Flow) bool {
				_, order := branches(list(taskOf(m.doc, "6")["conditions"]))
				return slices.Equal(order, []string{"isnew", "a", "risky", "b", "ELSE"})
			},
		},
		{
			name: "error removed, an edge of it added", ours: func(doc map[string]any) {
				next := obj(taskOf(doc, "5"), "next")
				next["rules"] = append(list(next["rules"]), v(`{"interactionId":"InvalidCode","taskId":"4"}`))
			}, theirs: func(doc map[string]any) { delete(taskOf(doc, "5"), "errorHandlingV2") },
			want: []string{`tasks."5".rules.InvalidCode`}, message: "ours has a rule for this outcome, which theirs removes",
			check: func(m Flow) bool { return taskOf(m.doc, "5")["errorHandlingV2"] != nil },
		},
		{
			name: "components added in two places", ours: func(doc map[string]any) {
				obj(doc, "screens", 0, "contents")["a"] = v(`{"parent":"ROOT","props":{}}`)
				nodeOf(doc, 0, "ROOT")["nodes"] = v(`["title","form","google","email-button","error","a"]`)
			}, theirs: func(doc map[string]any) {
				obj(doc, "screens", 0, "contents")["b"] = v(`{"parent":"ROOT","props":{}}`)
				nodeOf(doc, 0, "ROOT")["nodes"] = v(`["title","b","form","google","email-button","error"]`)
			}, check: func(m Flow) bool {
				return slices.Equal(model.Texts(at(m.doc, "screens", 0, "contents", "ROOT", "nodes")), []string{"title", "b", "form", "google", "email-button", "error", "a"})
			},
		},
		{
			name: "components in two orders", ours: func(doc map[string]any) {
				nodeOf(doc, 0, "ROOT")["nodes"] = v(`["form","title","google","email-button","error"]`)
			}, theirs: func(doc map[string]any) {
				nodeOf(doc, 0, "ROOT")["nodes"] = v(`["title","google","form","email-button","error"]`)
			}, want: []string{`tasks."0".screen.nodes.ROOT.order`}, message: "in different orders",
		},
		{
			name: "component put into a removed one", ours: func(doc map[string]any) {
				nodeOf(doc, 0, "form")["nodes"] = v(`["email","remember","resend-link","title"]`)
				nodeOf(doc, 0, "title")["parent"] = "form"
				nodeOf(doc, 0, "ROOT")["nodes"] = v(`["form","google","email-button","error"]`)
			}, theirs: func(doc map[string]any) {
				for _, id := range []string{"email", "remember", "resend-link"} {
					dropNode(doc, id, "form")
				}
				dropNode(doc, "form", "ROOT")
			}, want: []string{`tasks."0".screen.nodes.form`},
			check: func(m Flow) bool { return at(m.doc, "screens", 0, "contents", "title", "parent") == "form" },
		},
		{
			name: "component changed in a removed one", ours: prop("remember", "label", "Keep me"), theirs: func(doc map[string]any) {
				for _, id := range []string{"email", "remember", "resend-link"} {
					dropNode(doc, id, "form")
				}
				dropNode(doc, "form", "ROOT")
			}, want: []string{`tasks."0".screen.nodes.remember`},
			check: func(m Flow) bool {
				return slices.Equal(model.Texts(at(m.doc, "screens", 0, "contents", "form", "nodes")), []string{"remember"})
			},
		},
		{
			name: "component added to one that ours removed", ours: func(doc map[string]any) {
				for _, id := range []string{"email", "remember", "resend-link"} {
					dropNode(doc, id, "form")
				}
				dropNode(doc, "form", "ROOT")
			}, theirs: func(doc map[string]any) {
				obj(doc, "screens", 0, "contents")["a"] = v(`{"parent":"form","props":{}}`)
				nodeOf(doc, 0, "form")["nodes"] = v(`["email","remember","resend-link","a"]`)
			}, want: []string{`tasks."0".screen.nodes.form`},
			check: func(m Flow) bool { return !has(obj(m.doc, "screens", 0, "contents"), "a") },
		},
		{
			name: "one component added in two ways", ours: func(doc map[string]any) {
				obj(doc, "screens", 0, "contents")["a"] = v(`{"parent":"form","props":{"x":1}}`)
				nodeOf(doc, 0, "form")["nodes"] = v(`["email","remember","resend-link","a"]`)
			}, theirs: func(doc map[string]any) {
				obj(doc, "screens", 0, "contents")["a"] = v(`{"parent":"form","props":{"x":2}}`)
				nodeOf(doc, 0, "form")["nodes"] = v(`["email","remember","resend-link","a"]`)
			}, want: []string{`tasks."0".screen.nodes.a`},
		},
		{
			name: "component moved to two places", ours: func(doc map[string]any) {
				nodeOf(doc, 0, "ROOT")["nodes"] = v(`["title","form","email-button","error"]`)
				nodeOf(doc, 0, "form")["nodes"] = v(`["email","remember","resend-link","google"]`)
				nodeOf(doc, 0, "google")["parent"] = "form"
			}, theirs: func(doc map[string]any) {
				nodeOf(doc, 0, "ROOT")["nodes"] = v(`["title","form","email-button","error"]`)
				nodeOf(doc, 0, "error")["nodes"] = v(`["google"]`)
				nodeOf(doc, 0, "google")["parent"] = "error"
			}, want: []string{`tasks."0".screen.nodes.google.parent`},
			check: func(m Flow) bool { return at(m.doc, "screens", 0, "contents", "google", "parent") == "form" },
		},
		{
			name: "unknown field of a component", ours: func(doc map[string]any) { nodeOf(doc, 0, "title")["future"] = "a" },
			theirs: func(doc map[string]any) { nodeOf(doc, 0, "title")["future"] = "b" },
			want:   []string{`tasks."0".screen.nodes.title.future`},
		},
		{
			name: "unknown field of a screen", ours: func(doc map[string]any) { obj(doc, "screens", 0)["futureScreen"] = "a" },
			theirs: func(doc map[string]any) {
				obj(doc, "screens", 0)["futureScreen"] = "b"
				prop("title", "children", "x")(doc)
			},
			want: []string{`tasks."0".screen.futureScreen`},
		},
		{
			name: "screen that one version lost, shown anew by the other", ours: func(doc map[string]any) {
				task := taskOf(doc, "10")
				task["type"], task["screenId"], task["next"] = "screen", screen2, v(`{}`)
				delete(task, "arguments")
			}, theirs: func(doc map[string]any) { doc["screens"] = list(doc["screens"])[:1] },
			want:  []string{`tasks."10".screenId`},
			check: func(m Flow) bool { _, ok := m.ScreenOf("10"); return ok },
		},
		{
			name: "pair renamed in two ways", ours: func(doc map[string]any) {
				taskOf(doc, "1")["name"], taskOf(doc, "1.end")["name"] = "A", "A"
			}, theirs: func(doc map[string]any) {
				taskOf(doc, "1")["name"], taskOf(doc, "1.end")["name"] = "B", "B"
			}, want: []string{`tasks."1".name`},
		},
		{
			name: "platform's name", ours: func(doc map[string]any) { taskOf(doc, "8")["name"] = "End" },
			theirs: func(doc map[string]any) { taskOf(doc, "8")["name"] = "Done"; delete(taskOf(doc, "8"), "id") },
			check:  func(m Flow) bool { task, _ := m.Task("8"); return task.Name == "Done" },
		},
		{
			name: "removed and changed, with what it leads to", ours: func(doc map[string]any) { taskOf(doc, "10")["name"] = "Step" },
			theirs: func(doc map[string]any) {
				dropTask("10", "6", 1)(doc)
				dropTask("8", "6", 1)(doc)
				obj(taskOf(doc, "7"), "next")["rules"] = []any{}
				obj(doc, "metadata")["sharedInteractions"] = v(`[{"id":"4.back","label":"Back"}]`)
			}, want: []string{`tasks."10"`, `tasks."10".rules."10.3.success"`},
			message: "task 10, field 10.3.success: ours leads to task 8, which theirs removes",
			check:   func(m Flow) bool { return m.leads("10", "10.3.success", "8") && !m.leads("7", "success", "8") },
		},
		{
			name: "edge with two ends", ours: func(doc map[string]any) {
				obj(taskOf(doc, "5"), "next")["rules"] = v(`[{"interactionId":"success","taskId":"6"},{"interactionId":"success","taskId":"7"}]`)
			}, theirs: func(doc map[string]any) { rule(doc, "5", 0)["taskId"] = "8" }, want: []string{`tasks."5".rules.success`},
		},
		{
			name: "unknown fields of a rule's task", ours: func(doc map[string]any) { obj(taskOf(doc, "5"), "next")["future"] = "a" },
			theirs: func(doc map[string]any) { obj(taskOf(doc, "5"), "next")["future"] = "b" }, want: []string{`tasks."5".next.future`},
		},
		{
			name: "arguments that go on one side and come unset on the other", ours: func(doc map[string]any) { delete(taskOf(doc, "5"), "arguments") },
			theirs: func(doc map[string]any) {
				obj(taskOf(doc, "5"), "arguments")["x"] = v(`{"type":"inline","value":""}`)
			},
		},
		{
			name: "one twice", ours: func(doc map[string]any) {
				screen := obj(doc, "screens", 0)
				screen["interactions"] = append(list(screen["interactions"]), v(`{"id":"google"}`))
			}, theirs: func(doc map[string]any) { obj(doc, "screens", 0, "interactions", 0)["icon"] = "g" },
			check: func(m Flow) bool { return len(list(at(m.doc, "screens", 0, "interactions"))) == 4 },
		},
		{
			name: "components moved into each other", ours: func(doc map[string]any) {
				nodeOf(doc, 0, "form")["nodes"] = v(`["email","remember","resend-link","error"]`)
				nodeOf(doc, 0, "error")["parent"] = "form"
				nodeOf(doc, 0, "ROOT")["nodes"] = v(`["title","form","google","email-button"]`)
			}, theirs: func(doc map[string]any) {
				nodeOf(doc, 0, "error")["nodes"] = v(`["form"]`)
				nodeOf(doc, 0, "form")["parent"] = "error"
				nodeOf(doc, 0, "ROOT")["nodes"] = v(`["title","google","email-button","error"]`)
			}, want: []string{`tasks."0".screen.nodes`}, message: "into each other",
			check: func(m Flow) bool { return at(m.doc, "screens", 0, "contents", "error", "parent") == "form" },
		},
		{
			name: "button removed, an edge of it added", ours: func(doc map[string]any) { rule(doc, "0", 0)["taskId"] = "3" },
			theirs: func(doc map[string]any) { dropNode(doc, "google", "ROOT") },
			want:   []string{`tasks."0".rules.google`},
			check:  func(m Flow) bool { s, _ := m.ScreenOf("0"); _, ok := s.Node("google"); return ok },
		},
		{
			name: "start at a removed task", ours: func(doc map[string]any) { obj(doc, "contents")["startTask"] = "10" },
			theirs: dropTask("10", "6", 1), want: []string{"start"},
			check: func(m Flow) bool { _, ok := m.Task("10"); return ok },
		},
		{
			name: "start of theirs at a removed task", ours: dropTask("10", "6", 1),
			theirs: func(doc map[string]any) { obj(doc, "contents")["startTask"] = "10" }, want: []string{"start"},
			check: func(m Flow) bool { return m.StartTask() == "start" },
		},
		{
			name: "shared interaction of a removed task", ours: dropTask("10", "6", 1), theirs: func(doc map[string]any) {
				meta := obj(doc, "metadata")
				meta["sharedInteractions"] = append(list(meta["sharedInteractions"]), v(`{"id":"10.out"}`))
			}, want: []string{`shared."10.out"`}, check: func(m Flow) bool { return len(m.SharedInteractions()) == 2 },
		},
		{
			name: "step argument of a removed task", ours: func(doc map[string]any) {
				obj(taskOf(doc, "5"), "arguments")["verifyStepId"] = v(`{"type":"inline","value":"10"}`)
			}, theirs: dropTask("10", "6", 1), want: []string{`tasks."5".arguments.verifyStepId`},
			check: func(m Flow) bool { _, ok := m.Task("10"); return ok },
		},
		{
			name: "name of the flow", ours: func(doc map[string]any) { obj(doc, "metadata")["name"] = "A" },
			theirs: func(doc map[string]any) { obj(doc, "metadata")["name"] = "B" }, want: []string{"metadata.name"},
			check: func(m Flow) bool { return m.Name() == "A" },
		},
		{
			name: "unknown keys", ours: func(doc map[string]any) { obj(doc, "futureTop")["b"] = "x" },
			theirs: func(doc map[string]any) { obj(doc, "futureTop")["c"] = "y"; obj(doc, "contents")["future"] = "z" },
			check: func(m Flow) bool {
				return at(m.doc, "futureTop", "b") == "x" && at(m.doc, "futureTop", "c") == "y" && at(m.doc, "contents", "future") == "z"
			},
		},
		{
			name: "references", ours: func(doc map[string]any) {
				obj(doc, "references", "connectors")["Mail"] = "CI2"
			}, theirs: func(doc map[string]any) { // another project
				doc["references"] = v(`{"connectors":{"CRM":"CI9","SMS":"CI8"}}`)
				obj(taskOf(doc, "7"), "arguments", "connectorId")["value"] = "CI9"
			}, check: func(m Flow) bool {
				a, _ := newTask("7", taskOf(m.doc, "7")).Argument("connectorId")
				refs := m.References()["connectors"]
				return len(refs) == 3 && refs["CRM"] == a.Value
			},
		},
		{
			name: "name of a connector that is used on one side", ours: func(doc map[string]any) { taskOf(doc, "7")["name"] = "Tell" },
			theirs: func(doc map[string]any) {
				dropTask("7", "6", 0)(doc)
				delete(doc, "references")
			}, want: []string{`tasks."7"`},
			check: func(m Flow) bool { return m.References()["connectors"]["CRM"] != "" },
		},
		{
			name: "screens of another project", ours: prop("title", "children", "Hi"), theirs: func(doc map[string]any) {
				obj(doc, "screens", 0)["screenId"], taskOf(doc, "0")["screenId"] = "SCx", "SCx"
				prop("title", "variant", "h2")(doc)
			}, check: func(m Flow) bool {
				s, ok := m.ScreenOf("0")
				n, _ := s.Node("title")
				h, _ := n.Prop("variant")
				return ok && h == "h2" && len(m.Screens()) == 2
			},
		},
		{
			name: "copies of the screen", ours: func(doc map[string]any) {
				prop("title", "children", "Hi")(doc)
				taskOf(doc, "0")["htmlTemplate"] = obj(doc, "screens", 0)["contents"]
			}, theirs: prop("title", "variant", "h2"),
			check: func(m Flow) bool { return !has(taskOf(m.doc, "0"), "htmlTemplate", "inputKeys") },
		},
		{
			name: "no tree", ours: func(doc map[string]any) {
				nodeOf(doc, 0, "ROOT")["nodes"] = v(`["title","nowhere"]`)
			}, theirs: prop("title", "variant", "h2"), want: []string{`tasks."0".screen`},
		},
		{
			name: "stamps", ours: func(doc map[string]any) { obj(doc, "metadata")["componentsVersion"] = "3.18.0" },
			theirs: func(doc map[string]any) { obj(doc, "metadata")["componentsVersion"] = "3.18.2"; doc["flowId"] = "x" },
			check:  func(m Flow) bool { return m.ComponentsVersion() == "3.18.0" && m.ID() == "x" },
		},
	} {
		base := fixture(t)
		base = change(t, base, func(doc map[string]any) { taskOf(doc, "5")["arguments"] = map[string]any{} })
		ours, theirs := change(t, base, c.ours), change(t, base, c.theirs)
		merged, conflicts := checkMerge(t, c.name, base, ours, theirs)
		_, mirrored := Merge(base, theirs, ours)
		for i := range mirrored {
			if c, m := conflicts[i], mirrored[i]; !model.Equal(c.Ours, m.Theirs) || !model.Equal(c.Theirs, m.Ours) || !model.Equal(c.Base, m.Base) {
				t.Errorf("%s: the other way %s", c.Path, jsonOf(m))
			}
		}
		if got := paths(conflicts); !slices.Equal(got, c.want) {
			t.Errorf("%s: conflicts %s", c.name, jsonOf(conflicts))
		}
		said := false
		for _, f := range conflicts {
			said = said || strings.Contains(f.Message, c.message)
		}
		if c.message != "" && !said {
			t.Errorf("%s: conflicts %s", c.name, jsonOf(conflicts))
		}
		if c.check != nil && !c.check(merged) {
			t.Errorf("%s: merged %s", c.name, jsonOf(Diff(base, merged)))
		}
	}
}
