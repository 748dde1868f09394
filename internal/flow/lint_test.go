package flow

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pcconnect.ai/descope-mgmt/internal/model"
)

const (
	connector = "CI2tEstConnector0000000000001"
	role      = "ROL2tEstRole000000000000000001"
)

// clean is a small flow that has everything and nothing wrong.
func clean(t testing.TB) Flow {
	t.Helper()
	f, _, err := Parse(readFile(t, filepath.Join("testdata", "clean.json")))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// around is all that there is around the clean flow.
func around(t testing.TB) LintOptions {
	t.Helper()
	return LintOptions{
		ID: "member-area", Siblings: map[string]Flow{"step-up": sibling(t)}, Project: home(),
		Elsewhere: map[string]string{"https://auth.staging.example.com:8080/x": "staging"},
	}
}

func home() *Project {
	return &Project{
		Connectors: map[string][]string{"CRM": {connector}, "Mail": {"CI2tEstConnector0000000000002"}},
		Roles:      map[string][]string{"auditor": {role}, "member": {"ROL2"}, "Tenant Admin": {"ROL3"}},
		Flows:      NamesOf("step-up", "sign-in"), Attributes: NamesOf("plan", "tier"),
		TenantAttributes: NamesOf("region"), Lists: NamesOf("Embargoed"), Assets: NamesOf("asset:here.txt"),
	}
}

func sibling(t testing.TB) Flow {
	t.Helper()
	f, _, err := Parse([]byte(`{"metadata":{"sharedInteractions":[{"id":"9.success"}]},"contents":{"startTask":"9","tasks":{"9":{"type":"automated"}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestLintClean(t *testing.T) {
	f := clean(t)
	for name, o := range map[string]LintOptions{
		"alone": {}, "in its project": around(t),
		"nothing listed":   {ID: "member-area", Project: &Project{}},
		"flows known only": {Siblings: map[string]Flow{"step-up": sibling(t)}},
	} {
		if got := Lint(f, o); got != nil {
			t.Errorf("%s: %s", name, jsonOf(got))
		}
	}
	if got := Lint(Flow{}, LintOptions{}); len(got) != 1 || got[0].Rule != DanglingTask || got[0].Path != "contents.startTask" {
		t.Errorf("a flow with nothing in it: %s", jsonOf(got))
	}
}

// lintDefect is an edit of the clean flow and the one problem that it makes.
type lintDefect struct {
	rule     LintRule
	severity model.Severity
	path     string
	edit     func(doc map[string]any)
	// options changes what is around the flow.
	options func(*LintOptions)
	// says is a part of the message.
	says string
}

func lintDefects(t testing.TB) []lintDefect {
	v := func(s string) any { return value(t, s) }
	argument := func(doc map[string]any, task, name string) map[string]any {
		return obj(taskOf(doc, task), "arguments", name)
	}
	rule := func(doc map[string]any, task string) map[string]any {
		return obj(taskOf(doc, task), "next", "rules", 0)
	}
	const (
		e = model.Error
		w = model.Warning
	)
	return []lintDefect{
		{DanglingTask, e, "contents.startTask", func(d map[string]any) { obj(d, "contents")["startTask"] = "99" }, nil, `"99"`},
		{DanglingTask, e, "contents.tasks.0.next.rules.1.taskId", func(d map[string]any) {
			delete(obj(d, "contents", "tasks"), "6")
			d["screens"] = list(d["screens"])[:1]
		}, nil, `"6"`},
		{DanglingTask, e, `contents.tasks["1.end"].arguments.exchangeStepId.value`, func(d map[string]any) { argument(d, "1.end", "exchangeStepId")["value"] = "11.end" }, nil, `"11.end"`},
		{DanglingScreen, e, "contents.tasks.6.screenId", func(d map[string]any) { d["screens"] = list(d["screens"])[:1] }, nil, "Help"},
		{DanglingScreen, e, "contents.tasks.6.screenId", func(d map[string]any) {
			taskOf(d, "6")["screenId"] = ""
			d["screens"] = list(d["screens"])[:1]
		}, nil, "Help"},
		{DanglingInteraction, e, "contents.tasks.0.next.rules.0.interactionId", func(d map[string]any) { rule(d, "0")["interactionId"] = "goo" }, nil, "did you mean go?"},
		{DanglingInteraction, e, "contents.tasks.3.next.rules.0.interactionId", func(d map[string]any) { rule(d, "3")["interactionId"] = "CrmFailed" }, nil, "outcome"},
		{DanglingInteraction, e, "contents.tasks.2.next.rules.0.interactionId", func(d map[string]any) { rule(d, "2")["interactionId"] = "success" }, nil, "branch"},
		{DanglingNode, e, "screens.0.contents.box.nodes.1", func(d map[string]any) {
			delete(obj(d, "screens", 0, "contents"), "help")
		}, nil, `"help"`},
		{DanglingNode, e, "screens.0.contents.box.linkedNodes.slot", func(d map[string]any) { delete(obj(d, "screens", 0, "contents"), "note") }, nil, `"note"`},
		{DanglingNode, e, "screens.0.contents.title.parent", func(d map[string]any) { nodeOf(d, 0, "title")["parent"] = "gone" }, nil, `"gone"`},
		{DanglingNode, e, "screens.1.contents", func(d map[string]any) {
			obj(d, "screens", 1)["contents"] = v(`{"a":{"nodes":["b"],"parent":"b"},"b":{"nodes":["a"],"parent":"a"}}`)
		}, nil, "ROOT"},
		{MissingElse, e, "contents.tasks.2.conditions", func(d map[string]any) {
			taskOf(d, "2")["conditions"] = list(taskOf(d, "2")["conditions"])[:1]
			obj(taskOf(d, "2"), "next")["rules"] = v(`[{"interactionId":"gold","taskId":"3"},{"interactionId":"gold","taskId":"4"}]`)
		}, nil, "ELSE"},
		{IDMismatch, e, "contents.tasks.5.id", func(d map[string]any) { taskOf(d, "5")["id"] = "50" }, nil, `"50"`},
		{IDMismatch, w, "screens.0.contents.title.props.id", func(d map[string]any) { obj(nodeOf(d, 0, "title"), "props")["id"] = "go" }, nil, `"go"`},
		{DuplicateID, e, "contents.tasks.2.conditions.1.interactionId", func(d map[string]any) {
			conditions := list(taskOf(d, "2")["conditions"])
			taskOf(d, "2")["conditions"] = []any{conditions[0], conditions[0], conditions[1]}
		}, nil, `"gold"`},
		{DuplicateID, w, "screens.0.interactions.2.id", func(d map[string]any) {
			obj(d, "screens", 0)["interactions"] = append(list(obj(d, "screens", 0)["interactions"]), v(`{"id":"go"}`))
		}, nil, `"go"`},
		{DuplicateID, w, "metadata.sharedInteractions.1.id", func(d map[string]any) {
			obj(d, "metadata")["sharedInteractions"] = append(list(obj(d, "metadata")["sharedInteractions"]), v(`{"id":"5.success"}`))
		}, nil, "5.success"},
		{PairMismatch, e, "contents.tasks.1.arguments.exchangeStepId.value", func(d map[string]any) { argument(d, "1", "exchangeStepId")["value"] = "3" }, nil, "write 1.end"},
		{PairMismatch, w, `contents.tasks["1.end"].name`, func(d map[string]any) { taskOf(d, "1.end")["name"] = "Google" }, nil, `"Google"`},
		{PairMismatch, w, `contents.tasks["1.end"].arguments.provider.value`, func(d map[string]any) { argument(d, "1.end", "provider")["value"] = "apple" }, nil, "provider"},
		{PairMismatch, w, `contents.tasks["8.end"]`, func(d map[string]any) {
			obj(d, "contents", "tasks")["8.end"] = v(`{"name":"Half","type":"automated","next":{"rules":[]}}`)
			rule(d, "7")["taskId"] = "8.end"
		}, nil, "task 8,"},
		{NodeTree, w, "screens.0.contents.title", func(d map[string]any) { nodeOf(d, 0, "ROOT")["nodes"] = v(`["box"]`) }, nil, "not shown"},
		{NodeTree, w, "screens.0.contents.title.parent", func(d map[string]any) { nodeOf(d, 0, "title")["parent"] = "box" }, nil, "agree"},
		{NodeTree, w, "screens.0.contents.title", func(d map[string]any) { nodeOf(d, 0, "ROOT")["nodes"] = v(`["title","box","title"]`) }, nil, "more than one place"},
		{OrphanScreen, w, "screens.2", func(d map[string]any) {
			d["screens"] = append(list(d["screens"]), v(`{"screenId":"SC3"}`))
		}, nil, "SC3"},
		{UnreachableTask, w, "contents.tasks.20", func(d map[string]any) {
			obj(d, "contents", "tasks")["20"] = v(`{"id":"20","name":"Alone","type":"automated","next":{"rules":[{"interactionId":"success","taskId":"21"}]}}`)
			obj(d, "contents", "tasks")["21"] = v(`{"id":"21","type":"automated","next":{"rules":[{"interactionId":"success","taskId":"5"}]}}`)
		}, nil, "Alone), nor to the one that follows it"},
		{UnreachableTask, w, "contents.tasks.20", func(d map[string]any) { // a circle
			for from, to := range map[string]string{"20": "21", "21": "22", "22": "20"} {
				obj(d, "contents", "tasks")[from] = v(`{"type":"automated","next":{"rules":[{"interactionId":"success","taskId":"` + to + `"}]}}`)
			}
		}, nil, "task 20, nor to the 2 that follow it"},
		{TooManyTasks, w, "contents.tasks", func(d map[string]any) {
			rules := list(obj(taskOf(d, "2"), "next")["rules"])
			for i := range 100 {
				id := itoa(100 + i)
				obj(d, "contents", "tasks")[id] = v(`{"id":"` + id + `","type":"automated","next":{}}`)
				rules = append(rules, v(`{"interactionId":"gold","taskId":"`+id+`"}`))
			}
			obj(taskOf(d, "2"), "next")["rules"] = rules
		}, nil, "110 tasks"},
		{StaleShared, w, "metadata.sharedInteractions.0.id", func(d map[string]any) { obj(d, "metadata", "sharedInteractions", 0)["id"] = "55.success" }, nil, "55.success"},
		{OtherFlowID, w, "flowId", func(d map[string]any) { d["flowId"] = "sign-up" }, nil, `"member-area"`},
		{LocalAddress, w, "screens.0.contents.title.props.children", func(d map[string]any) {
			obj(nodeOf(d, 0, "title"), "props")["children"] = "Ünïcödé Ünïcödé Ünïcödé [Sign in](http://LOCALHOST:4200/login) Ünïcödé Ünïcödé"
		}, nil, "leads to localhost"},
		{LocalAddress, w, "contents.tasks.1.arguments.loginHint.value", func(d map[string]any) { argument(d, "1", "loginHint")["value"] = "127.0.0.1:1" }, nil, "127.0.0.1"},
		{OtherAddress, w, "contents.tasks.1.arguments.loginHint.value", func(d map[string]any) {
			argument(d, "1", "loginHint")["value"] = "see https://auth.Staging.example.com."
		}, nil, "environment staging"},
		{UnsetArgument, e, "contents.tasks.3.arguments.connectorId", func(d map[string]any) { argument(d, "3", "connectorId")["value"] = "" }, nil, "which connector"},
		{UnsetArgument, e, "contents.tasks.3.arguments.connectorId", func(d map[string]any) { delete(obj(taskOf(d, "3"), "arguments"), "connectorId") }, nil, "which connector"},
		{UnsetArgument, e, "contents.tasks.4.arguments.flowId", func(d map[string]any) { delete(taskOf(d, "4"), "arguments") }, nil, "which flow"},
		{UnnamedConnector, e, "contents.tasks.3.arguments.connectorId.value", func(d map[string]any) { argument(d, "3", "connectorId")["value"] = "CI9" }, nil, "CI9"},
		{UnnamedConnector, w, "contents.tasks.3.arguments.connectorId.value", func(d map[string]any) {
			argument(d, "3", "connectorId")["value"] = "CI9"
		}, func(o *LintOptions) { o.Project = nil }, "CI9"},
		{UnnamedRole, e, "contents.tasks.3.arguments.futureArgument.value.deep", func(d map[string]any) {
			obj(argument(d, "3", "futureArgument"), "value")["deep"] = "ROL2tEstRole000000000000000009"
		}, nil, "ROL2tEstRole000000000000000009"},
		{UnnamedTemplate, w, "contents.tasks.1.arguments.templateId.value", func(d map[string]any) {
			obj(taskOf(d, "1"), "arguments")["templateId"] = v(`{"type":"inline","value":"TPL2tEstTemplate00000000000001"}`)
		}, nil, "leave it empty"},
		{UnknownConnector, e, "references.connectors.CRM", nil, func(o *LintOptions) { delete(o.Project.Connectors, "CRM") }, "use one of Mail"},
		{UnknownConnector, e, "references.connectors.CRM", nil, func(o *LintOptions) { o.Project.Connectors = map[string][]string{} }, "create it first"},
		{AmbiguousConnector, e, "references.connectors.CRM", nil, func(o *LintOptions) { o.Project.Connectors["CRM"] = []string{"CI7", "CI8"} }, "CI7, CI8"},
		{UnknownRole, e, "references.roles.auditor", nil, func(o *LintOptions) {
			delete(o.Project.Roles, "auditor")
			o.Project.Roles["Auditor"] = []string{role}
		}, `did you mean "Auditor"?`},
		{UnknownRole, e, "contents.tasks.7.arguments.tenantRoles.value", nil, func(o *LintOptions) { delete(o.Project.Roles, "Tenant Admin") }, `"Tenant Admin"`},
		{AmbiguousRole, e, "references.roles.auditor", nil, func(o *LintOptions) { o.Project.Roles["auditor"] = []string{role, "ROL9"} }, "ROL9"},
		{UnknownAttribute, e, "contents.tasks.2.conditions.0.atomicConditions.0.target.value", nil, func(o *LintOptions) { delete(o.Project.Attributes, "plan") }, `"plan"`},
		{UnknownTenantAttribute, e, "contents.tasks.2.conditions.0.atomicConditions.1.target.value", nil, func(o *LintOptions) { o.Project.TenantAttributes = NamesOf() }, `"region"`},
		{UnknownList, w, "contents.tasks.2.conditions.0.atomicConditions.1.predicate.value.0", nil, func(o *LintOptions) { o.Project.Lists = NamesOf() }, `"Embargoed"`},
		{UnknownFlow, e, "contents.tasks.4.arguments.flowId.value", nil, func(o *LintOptions) { o.Siblings, o.Project.Flows = nil, NamesOf("step-down") }, `"step-up"`},
		{UnknownFlow, w, "contents.tasks.4.arguments.flowId.value", nil, func(o *LintOptions) { o.Siblings, o.Project.Flows = map[string]Flow{"step-app": {}}, nil }, `did you mean "step-app"?`},
		{UnknownInteraction, e, "contents.tasks.4.next.rules.0.interactionId", func(d map[string]any) { rule(d, "4")["interactionId"] = "8.success" }, nil, "it has 9.success"},
		{UnknownInteraction, e, "contents.tasks.4.next.rules.0.interactionId", nil, func(o *LintOptions) { o.Siblings["step-up"] = Flow{} }, "it has none"},
		{UnknownInteraction, e, "contents.tasks.4.next.rules.0.interactionId", func(d map[string]any) { argument(d, "4", "flowId")["value"] = "member-area" }, nil, "it has 5.success"},
		{UnknownAsset, e, "contents.tasks.1.arguments.loginHint.value", func(d map[string]any) { argument(d, "1", "loginHint")["value"] = "asset:there.txt" }, nil, "asset:there.txt"},
	}
}

func TestLintDefects(t *testing.T) {
	seen := map[LintRule]bool{}
	for _, d := range lintDefects(t) {
		seen[d.rule] = true
		f, o := clean(t), around(t)
		if d.edit != nil {
			f = change(t, f, d.edit)
		}
		if d.options != nil {
			d.options(&o)
		}
		got := Lint(f, o)
		if len(got) != 1 || got[0].Rule != d.rule || got[0].Severity != d.severity || got[0].Path != d.path || !strings.Contains(got[0].Message, d.says) {
			t.Errorf("%s at %s: %s", d.rule, d.path, jsonOf(got))
			continue
		}
		if at := strings.Split(d.path, "."); at[0] == "contents" && len(at) > 2 && got[0].Task == "" || at[0] == "screens" && got[0].Screen == "" {
			t.Errorf("%s at %s does not say where it is: %s", d.rule, d.path, jsonOf(got))
		}
	}
	for _, m := range regexp.MustCompile(`LintRule = "([a-z-]+)"`).FindAllStringSubmatch(string(readFile(t, "lint.go")), -1) {
		if !seen[LintRule(m[1])] {
			t.Errorf("no defect shows the rule %s", m[1])
		}
	}
	t.Logf("counts: %d defects for %d rules", len(lintDefects(t)), len(seen))
}

// TestLintIsSorted holds that errors come first, then by place, the same each
// time.
func TestLintIsSorted(t *testing.T) {
	f := change(t, clean(t), func(d map[string]any) {
		obj(d, "contents", "tasks")["20"] = value(t, `{"type":"automated","next":{"rules":[{"interactionId":"x","taskId":"99"}]}}`)
		delete(obj(d, "contents", "tasks"), "6")
		obj(d, "metadata", "sharedInteractions", 0)["id"] = "55.success"
	})
	got := Lint(f, LintOptions{})
	var rules []LintRule
	for _, p := range got {
		rules = append(rules, p.Rule)
	}
	want := []LintRule{DanglingTask, DanglingInteraction, DanglingTask, UnreachableTask, StaleShared, OrphanScreen}
	if diff := cmp.Diff(want, rules); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	for range 5 {
		if again := Lint(f, LintOptions{}); !slices.EqualFunc(got, again, func(a, b Problem) bool { return cmp.Equal(a, b) }) {
			t.Fatal("another order the second time")
		}
	}
}

// TestLintPaths resolves the place of every problem in the document.
func TestLintPaths(t *testing.T) {
	for path, want := range map[string][]any{
		`contents.tasks["1.end"].next`:        {"contents", "tasks", "1.end", "next"},
		`contents.tasks.3.arguments`:          {"contents", "tasks", "3", "arguments"},
		`references.connectors["BCBS \"x\""]`: {"references", "connectors", `BCBS "x"`},
		`screens.0.contents[""]`:              {"screens", 0, "contents", ""},
		`["a b"].c-d_e`:                       {"a b", "c-d_e"},
	} {
		if got := jsonPath(want...); got != path {
			t.Errorf("%v is written %s, want %s", want, got, path)
		}
	}
}
