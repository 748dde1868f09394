package emulator

import (
	"fmt"
	"testing"
	"time"
)

const importPath = "/v2/mgmt/flow/import"

const simpleFlow = `{"flow":{"flowId":"sign-in","metadata":{"name":"Sign in","componentsVersion":"2.0.1","translation":{"enabled":true,"connectorId":"manual","sourceLanguage":"en","targetLanguages":["fr"]}},
	"contents":{"startTask":"0","tasks":{"0":{"id":"0"}}},"screens":[{"screenId":"SC1","contents":{"ROOT":{}},"interactions":[{"id":"x"}]}]}}`

func TestFlowLifeCycle(t *testing.T) {
	now := fixedClock()
	h := start(t, Options{Now: func() time.Time { return now }})
	h.equal("none", h.ok("POST", "/v1/mgmt/flow/list", ""), map[string]any{"flows": []any{}, "total": 0.0})
	h.equal("import", h.ok("POST", importPath, simpleFlow), map[string]any{})
	flow := h.ok("POST", "/v2/mgmt/flow/export", `{"flowId":"sign-in"}`)["flow"]
	translation := map[string]any{"enabled": true, "connectorId": "manual", "sourceLanguage": "en", "targetLanguages": []any{"fr"}}
	contents := map[string]any{"startTask": "0", "tasks": map[string]any{"0": map[string]any{"id": "0"}}}
	h.equal("export", flow, map[string]any{
		"flowId": "sign-in", "contents": contents, "references": map[string]any{},
		"metadata": map[string]any{
			"name": "Sign in", "componentsVersion": "3.18.2", "description": "", "disabled": false, "fingerprint": false,
			"widget": false, "translation": translation,
		},
		"screens": []any{map[string]any{
			"screenId": "SC1", "contents": map[string]any{"ROOT": map[string]any{}},
			"interactions": []any{map[string]any{"id": "x", "label": "", "type": "", "icon": "", "subType": ""}},
		}},
	})
	listed := func(h harness) map[string]any {
		list := anyList(h.ok("POST", "/v1/mgmt/flow/list", `{"ids":["sign-in"]}`)["flows"])
		return list[0].(map[string]any)
	}
	first := listed(h)
	h.equal("list", []any{first["id"], first["name"], first["version"], first["modifiedTime"], first["dsl"], first["translateTargetLangs"]},
		[]any{"sign-in", "Sign in", 1.0, "1726067547", map[string]any{}, []any{"fr"}})

	now = now.Add(time.Hour)
	h.ok("POST", importPath, simpleFlow)
	second := listed(h)
	h.equal("second import", []any{second["version"], second["modifiedTime"], second["etag"]}, []any{2.0, "1726071147", first["etag"]})
	h.ok("POST", importPath, `{"flow":{"flowId":"sign-in","metadata":{"name":"Other"},"contents":{}},"skipRender":true,"changelog":"x"}`)
	if third := listed(h); third["etag"] == first["etag"] || third["version"] != 3.0 {
		t.Errorf("third import: %v", third)
	}
	h.equal("not rendered", h.flow("sign-in")["metadata"].(map[string]any)["componentsVersion"], nil)

	h.ok("POST", "/v1/mgmt/flow/delete", `{"ids":["sign-in","unknown"]}`)
	h.refused(404, "E000404", "POST", "/v2/mgmt/flow/export", `{"flowId":"sign-in"}`)
}

func TestFlowQuirks(t *testing.T) {
	h := start(t, Options{Quirks: Quirks{FlowEcho: "verbatim", Etag: "frozen", FlowListDSL: "full", ListOrder: "sorted"}})
	h.ok("POST", importPath, `{"flow":{"flowId":"b","metadata":{"componentsVersion":"1"},"contents":{"startTask":"0"}}}`)
	h.ok("POST", importPath, `{"flow":{"flowId":"a"}}`)
	h.ok("POST", importPath, `{"flow":{"flowId":"b","metadata":{"componentsVersion":"2"},"contents":{"startTask":"9"}}}`)
	list := anyList(h.ok("POST", "/v1/mgmt/flow/list", "{}")["flows"])
	b := list[1].(map[string]any)
	h.equal("b", []any{b["id"], b["version"], b["dsl"]}, []any{"b", 1.0, map[string]any{"startTask": "9"}})
	h.ok("POST", importPath, `{"flow":{"flowId":"b","metadata":{"componentsVersion":"2"},"contents":{"startTask":"9"}}}`)
	again := anyList(h.ok("POST", "/v1/mgmt/flow/list", "{}")["flows"])[1].(map[string]any)
	h.equal("frozen", []any{again["version"], again["modifiedTime"], again["etag"]}, []any{b["version"], b["modifiedTime"], b["etag"]})
	h.equal("verbatim", h.ok("POST", "/v2/mgmt/flow/export", `{"flowId":"b"}`)["flow"],
		map[string]any{"flowId": "b", "metadata": map[string]any{"componentsVersion": "2"}, "contents": map[string]any{"startTask": "9"}})
	h.equal("bare", h.ok("POST", "/v1/mgmt/flow/export", `{"flowId":"a"}`)["screens"], []any{})
}

func TestFlowV1(t *testing.T) {
	h := start(t, Options{})
	reply := h.ok("POST", "/v1/mgmt/flow/import", `{"flowId":"f","flow":{"id":"other","name":"F","dsl":{"startTask":"0"},"version":7,"etag":"x","description":null,
		"translate":true,"translateSourceLang":"en"},"screens":[{"id":"SC1","version":3,"flowId":"f","inputs":[],"htmlTemplate":{"ROOT":{}},"componentsVersion":"1.0.0"}, 5]}`)
	exported := h.ok("POST", "/v1/mgmt/flow/export", `{"flowId":"f"}`)
	h.equal("the reply is the flow", reply, exported)
	flow := exported["flow"].(map[string]any)
	h.equal("flow", []any{flow["id"], flow["name"], flow["dsl"], flow["version"], flow["translate"], flow["translateSourceLang"], flow["componentsVersion"]},
		[]any{"f", "F", map[string]any{"startTask": "0"}, 1.0, true, "en", nil})
	h.equal("screens", exported["screens"], []any{map[string]any{
		"id": "SC1", "version": 1.0, "flowId": "f", "inputs": []any{}, "interactions": []any{}, "componentsVersion": "3.18.2", "htmlTemplate": map[string]any{"ROOT": map[string]any{}},
	}})
	h.equal("v2", h.flow("f"), map[string]any{
		"flowId": "f", "contents": map[string]any{"startTask": "0"}, "references": map[string]any{},
		"metadata": map[string]any{
			"name": "F", "description": "", "disabled": false, "fingerprint": false, "widget": false, "componentsVersion": "3.18.2",
			"translation": map[string]any{"enabled": true, "sourceLanguage": "en"},
		},
		"screens": []any{map[string]any{"screenId": "SC1", "interactions": []any{}, "contents": map[string]any{"ROOT": map[string]any{}}}},
	})
}

// TestFlowRoundTripV1 imports what v1 exports: the flow in v2 stays as it was,
// whatever the quirks, but for what v1 has no place for.
func TestFlowRoundTripV1(t *testing.T) {
	const rich = `{"flow":{"flowId":"f","metadata":{"name":"F","description":"d","disabled":true,"fingerprint":true,"componentsVersion":"2.0.1",
		"sharedInteractions":[{"id":"1.success","label":"Done"}],"managementConfig":{"triggers":{"enabled":true}},
		"translation":{"enabled":true,"connectorId":"manual","sourceLanguage":"en","targetLanguages":["fr","de"]}},
		"contents":{"startTask":"0","tasks":{"0":{"id":"0","next":{"rules":[{"taskId":"1"}]}},"1":{"id":"1","type":"screen","screenId":"SCb","arguments":{"popup":{"type":"inline","value":""}}}}},
		"screens":[{"screenId":"SCb","contents":{"ROOT":{"nodes":["x"],"props":{"hidden":false}}},"interactions":[{"id":"x","label":"X"}]},{"screenId":"SCa","contents":{}}]}}`
	rounds := 0
	for _, body := range []string{rich, simpleFlow} {
		for _, q := range []Quirks{{}, {FlowZeros: "left-out"}, {FlowZeros: "as-sent"}, {Etag: "frozen", FlowListDSL: "full"}} {
			rounds++
			h := start(t, Options{Quirks: q})
			h.ok("POST", importPath, body)
			id := anyList(h.ok("POST", "/v1/mgmt/flow/list", "")["flows"])[0].(map[string]any)["id"].(string)
			want := h.flow(id)
			v1 := h.ok("POST", "/v1/mgmt/flow/export", mustJSON(map[string]any{"flowId": id}))
			h.ok("POST", "/v1/mgmt/flow/import", mustJSON(map[string]any{"flowId": id, "flow": v1["flow"], "screens": v1["screens"]}))
			got := h.flow(id)
			if q.FlowZeros == "as-sent" { // v1 spells them out
				stripFlow(got)
				stripFlow(want)
			}
			h.equal(fmt.Sprintf("%s under %+v", id, q), got, want)
		}
	}
	t.Logf("counts: %d round trips", rounds)
}

func TestFlowRefusals(t *testing.T) {
	h := start(t, Options{})
	for _, c := range [][3]string{
		{importPath, `{}`, "E011003"},
		{importPath, `{"flow":{}}`, "E011003"},
		{importPath, `{"flow":{"flowId":"f"},"skipRender":"x"}`, "E011001"},
		{"/v2/mgmt/flow/export", `{"flowId":""}`, "E011003"},
		{"/v1/mgmt/flow/export", `{}`, "E011003"},
		{"/v1/mgmt/flow/import", `{}`, "E011003"},
		{"/v1/mgmt/flow/import", `{"flowId":"f"}`, "E011003"},
		{"/v1/mgmt/flow/import", `{"flowId":"f","flow":{},"screens":{}}`, "E011001"},
		{"/v1/mgmt/flow/delete", `{"ids":"f"}`, "E011001"},
		{"/v1/mgmt/flow/list", `{"ids":[5]}`, "E011001"},
		{"/v1/mgmt/theme/import", `{}`, "E011003"},
		{"/v2/mgmt/theme/import", `{"theme":"x"}`, "E011003"},
	} {
		h.refused(400, c[2], "POST", c[0], c[1])
	}
}

func TestThemes(t *testing.T) {
	h := start(t, Options{})
	h.equal("v2", h.ok("POST", "/v2/mgmt/theme/export", ""), map[string]any{"theme": map[string]any{"styles": map[string]any{}, "componentsVersion": "", "references": map[string]any{}}})
	h.equal("v2", h.ok("POST", "/v2/mgmt/theme/import", `{"theme":{"styles":{"light":{}}}}`), map[string]any{})
	h.equal("v2", h.ok("POST", "/v2/mgmt/theme/export", ""), map[string]any{"theme": map[string]any{
		"styles": map[string]any{"light": map[string]any{}}, "componentsVersion": "3.18.2", "references": map[string]any{},
	}})
	want := map[string]any{"theme": map[string]any{"id": "t", "cssTemplate": map[string]any{"light": 1.0}}}
	h.equal("v1", h.ok("POST", "/v1/mgmt/theme/import", `{"theme":{"id":"t","cssTemplate":{"light":1}}}`), want)
	h.equal("v1", h.ok("POST", "/v1/mgmt/theme/export", "{}"), want)
}
