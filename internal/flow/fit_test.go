package flow

import (
	"fmt"
	"strings"
	"testing"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// small is a flow with a screen and, with connector, a step that uses it.
func small(id, connector, name string) map[string]any {
	step, references := "", "{}"
	if connector != "" {
		step = fmt.Sprintf(`,"2":{"id":"2","name":"Mail","type":"automated","action":"connector","arguments":{"connectorId":{"type":"inline","value":%q}},"next":{"rules":[]}}`, connector)
		if name != "" {
			references = fmt.Sprintf(`{"connectors":{%q:%q}}`, name, connector)
		}
	}
	next := ""
	if connector != "" {
		next = `{"interactionId":"go","taskId":"2"}`
	}
	text := fmt.Sprintf(`{"flowId":%q,"metadata":{"name":"A","componentsVersion":"3.1.0"},"contents":{"startTask":"0","tasks":{
		"0":{"id":"0","name":"Start","next":{"rules":[{"taskId":"1"}]}},
		"1":{"id":"1","name":"Hi","type":"screen","screenId":"SC1","next":{"rules":[%s]}}%s}},
		"screens":[{"screenId":"SC1","interactions":[{"id":"go","type":"button"}],"contents":{
			"ROOT":{"type":{"resolvedName":"Container"},"props":{},"nodes":["t","go"]},
			"go":{"type":{"resolvedName":"Button"},"props":{"id":"go","children":"Go"},"parent":"ROOT","nodes":[]},
			"t":{"type":{"resolvedName":"Text"},"props":{"id":"t","children":"Hi"},"parent":"ROOT","nodes":[]}}}],
		"references":%s}`, id, next, step, references)
	v, err := model.DecodeJSON([]byte(text))
	if err != nil {
		panic(err)
	}
	return v.(map[string]any)
}

func resource(id string, attrs map[string]any) model.Resource {
	return model.Resource{
		Key: model.Key{Kind: model.Flow, ID: id}, Attrs: attrs, Origin: model.Origin{File: "f.cue", Line: 1},
		Origins: map[string]model.Origin{"definition": {File: "f.cue", Line: 2}, "screens.Hi": {File: "f.cue", Line: 3}},
	}
}

func stateWith(t *testing.T, resources ...model.Resource) model.State {
	t.Helper()
	s, err := model.NewState(resources)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// said are diagnostics, one a line.
func said(d model.Diagnostics) string {
	var b strings.Builder
	for _, x := range d {
		fmt.Fprintf(&b, "%v %s:%d %s %s\n", x.Severity, x.Origin.File, x.Origin.Line, x.Code, x.Summary)
	}
	return b.String()
}

func TestDocuments(t *testing.T) {
	tenant := model.Resource{Key: model.Key{Kind: model.Tenant, ID: "a"}, Attrs: map[string]any{"name": "A"}}
	exported := small("a", "", "")
	exported["metadata"].(map[string]any)["disabled"] = false
	s, diagnostics := Documents(stateWith(t, tenant, resource("a", map[string]any{
		"definition": exported, "name": "N", "description": "D",
		"screens": map[string]any{"Hi": map[string]any{"t": map[string]any{"children": "Hello"}}},
	}), resource("b", map[string]any{"definition": small("b", "", ""), "enabled": false})))
	if len(diagnostics) != 0 || s.Len() != 3 {
		t.Fatal(said(diagnostics), s.Len())
	}
	a, b := FlowsOf(s)["a"], FlowsOf(s)["b"]
	if a.Name() != "N" || a.Description() != "D" || a.Disabled() || !b.Disabled() || b.Name() != "A" {
		t.Errorf("%s %s %v %v", a.Name(), a.Description(), a.Disabled(), b.Disabled())
	}
	if _, said := a.metadata()["disabled"]; said {
		t.Error("what an export writes out counts as said")
	}
	screen, _ := a.ScreenOf("1")
	text, _ := screen.Node("t")
	if v, _ := text.Prop("children"); v != "Hello" {
		t.Errorf("the text is %v", v)
	}
	for _, r := range s.Of(model.Flow) {
		if len(r.Attrs) != 1 {
			t.Errorf("%s has %v", r.Key, r.Attrs)
		}
	}
	if again, _ := Documents(s); again.Digest() != s.Digest() {
		t.Error("a document becomes another one")
	}
}

func TestDocumentsMistakes(t *testing.T) {
	s, diagnostics := Documents(stateWith(
		t,
		resource("a", map[string]any{"definition": map[string]any{"x": "y"}}),
		resource("b", map[string]any{"definition": small("b", "", ""), "screens": map[string]any{"Hi": map[string]any{"u": map[string]any{"children": "x"}}}}),
		resource("c", map[string]any{"definition": small("other", "", "")}),
	))
	want := `error f.cue:2 flow-document flow/a: the definition is no flow: not a flow: it has neither metadata and contents, as an exported flow, nor flow and screens, as the console writes it
warning f.cue:2 flow-id flow/c: the definition says that it is flow "other"; it is used as "c", since the configuration says so
error f.cue:3 flow-screens flow/b: screens.Hi.u: `
	if got := said(diagnostics); !strings.HasPrefix(got, want) {
		t.Errorf("got\n%s", got)
	}
	if s.Len() != 1 || FlowsOf(s)["c"].ID() != "c" {
		t.Errorf("left are %v", s.Resources())
	}
}

func TestFit(t *testing.T) {
	live := func(id, connector, name string) model.Resource {
		return resource(id, map[string]any{"definition": small(id, connector, name)})
	}
	for name, c := range map[string]struct {
		want model.Resource
		live []model.Resource
		know Project
		id   string // of the connector then
		said string
	}{
		"by the target's own flows":     {live("a", "CIelse", "Mail"), []model.Resource{live("b", "CIhere", "Mail")}, Project{}, "CIhere", ""},
		"by the configuration":          {live("a", "CIelse", "Mail"), nil, Project{Connectors: map[string][]string{"Mail": {"CIhere"}}}, "CIhere", ""},
		"both, and they agree":          {live("a", "CIelse", "Mail"), []model.Resource{live("b", "CIhere", "Mail")}, Project{Connectors: map[string][]string{"Mail": {"CIhere"}}}, "CIhere", ""},
		"both, and they do not":         {live("a", "CIelse", "Mail"), []model.Resource{live("b", "CIhere", "Mail")}, Project{Connectors: map[string][]string{"Mail": {"CIthere"}}}, "", "error f.cue:2 ambiguous-connector"},
		"not there":                     {live("a", "CIelse", "Mail"), []model.Resource{live("b", "CIhere", "CRM")}, Project{}, "", "error f.cue:2 unknown-connector"},
		"an id without a name":          {live("a", "CIelse", ""), []model.Resource{live("b", "CIhere", "CRM")}, Project{}, "", "error f.cue:2 unnamed-connector"},
		"an id that the live one has":   {live("a", "CIelse", ""), []model.Resource{live("a", "CIelse", "")}, Project{}, "CIelse", ""},
		"nothing changes, nothing said": {live("a", "CIelse", "Mail"), []model.Resource{live("a", "CIhere", "Mail")}, Project{}, "CIhere", ""},
	} {
		got := Fit(stateWith(t, c.want), stateWith(t, c.live...), c.know, nil)
		if text := said(got.Diagnostics); !strings.HasPrefix(text, c.said) || (text == "") != (c.said == "") {
			t.Errorf("%s: said %q", name, text)
		}
		if c.id == "" {
			continue
		}
		if text := string(FlowsOf(got.State)["a"].V2()); !strings.Contains(text, c.id) || c.id != "CIelse" && strings.Contains(text, "CIelse") {
			t.Errorf("%s: %s", name, text)
		}
		if len(got.Broken) != 0 {
			t.Errorf("%s: broken %v", name, got.Broken)
		}
	}
}

func TestFitTells(t *testing.T) {
	edit := func(id string, f func(doc map[string]any)) model.Resource {
		doc := small(id, "", "")
		f(doc)
		return resource(id, map[string]any{"definition": doc})
	}
	disabled := edit("a", func(d map[string]any) { d["metadata"].(map[string]any)["disabled"] = true })
	plain := edit("a", func(map[string]any) {})
	if got := Fit(stateWith(t, plain), stateWith(t, disabled), Project{}, nil); !FlowsOf(got.State)["a"].Disabled() {
		t.Error("a flow that nothing was said of is switched on")
	}
	on := edit("a", func(d map[string]any) { d["metadata"].(map[string]any)["disabled"] = false })
	if got := Fit(stateWith(t, on), stateWith(t, disabled), Project{}, nil); FlowsOf(got.State)["a"].Disabled() {
		t.Error("a flow that is to be enabled is not")
	}
	newer := edit("a", func(d map[string]any) {
		d["metadata"].(map[string]any)["componentsVersion"], d["metadata"].(map[string]any)["name"] = "3.2.0", "B"
	})
	if text := said(Fit(stateWith(t, newer), stateWith(t, plain), Project{}, nil).Diagnostics); !strings.Contains(text, "warning f.cue:2 newer-components") {
		t.Errorf("newer components: %q", text)
	}
	broken := edit("a", func(d map[string]any) { d["contents"].(map[string]any)["startTask"] = "9" })
	if got := Fit(stateWith(t, broken), model.State{}, Project{}, nil); len(got.Broken[broken.Key]) == 0 || len(got.Diagnostics.Errors()) != 0 {
		t.Errorf("broken: %v %s", got.Broken, said(got.Diagnostics))
	}
	if got := Fit(stateWith(t, broken), stateWith(t, broken), Project{}, nil); len(got.Broken) != 0 {
		t.Errorf("a broken flow that does not change: %v", got.Broken)
	}
	asked := 0
	elsewhere := func() map[string]string { asked++; return map[string]string{"https://app.staging.example": "staging"} }
	leads := edit("a", func(d map[string]any) {
		d["metadata"].(map[string]any)["description"] = "see https://app.staging.example/x"
	})
	if text := said(Fit(stateWith(t, leads), stateWith(t, plain), Project{}, elsewhere).Diagnostics); !strings.Contains(text, "other-environment") || asked != 1 {
		t.Errorf("an address of staging: %q, asked %d times", text, asked)
	}
	if Fit(stateWith(t, plain), stateWith(t, plain), Project{}, elsewhere); asked != 1 {
		t.Error("asked for nothing")
	}
	exit := func(r model.Resource) model.Resource {
		doc := model.CloneMap(r.Attrs["definition"].(map[string]any))
		metadata := model.CloneMap(doc["metadata"].(map[string]any))
		metadata["sharedInteractions"] = []any{map[string]any{"id": "1.go", "label": "Done"}}
		doc["metadata"] = metadata
		r.Attrs = map[string]any{"definition": doc}
		return r
	}
	parent := edit("p", func(d map[string]any) {
		d["contents"].(map[string]any)["tasks"].(map[string]any)["1"] = map[string]any{
			"id": "1", "name": "Run", "type": "flow", "arguments": map[string]any{"flowId": map[string]any{"type": "inline", "value": "a"}},
			"next": map[string]any{"rules": []any{map[string]any{"interactionId": "1.go", "taskId": "0"}}},
		}
		d["screens"] = []any{}
	})
	got := Fit(stateWith(t, plain), stateWith(t, exit(plain), parent), Project{}, nil)
	if text := said(got.Diagnostics); !strings.Contains(text, `shared-interaction-removed flow/a: its exit "1.go" goes, on which flow p relies`) {
		t.Errorf("an exit that goes: %q", text)
	}
}
