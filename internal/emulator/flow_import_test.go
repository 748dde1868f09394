package emulator

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	foreignID = "CI2staging1111111111111111111"
	httpID    = "CI2devHTTP1111111111111111111"
	mailID    = "CI2devMail1111111111111111111"
	roleID    = "ROL2devEditor1111111111111111"
)

// mailer is a flow with two steps of one connector, a step whose connector is
// known only when it runs, and a translation.
func mailer(connector string) string {
	return fmt.Sprintf(`{"flow":{"flowId":"mailer","metadata":{"name":"M","translation":{"enabled":true,"connectorId":%[1]q}},"contents":{"startTask":"0","tasks":{
		"0":{"id":"0"},
		"1":{"id":"1","action":"connector","arguments":{"connectorId":{"type":"inline","value":%[1]q},"body":{"type":"inline","value":"x"}}},
		"1.end":{"id":"1.end","arguments":{"connectorId":{"type":"inline","value":%[1]q}}},
		"2":{"id":"2","arguments":{"connectorId":{"type":"context","value":"form.connector"}}},
		"3":{"id":"3","arguments":{"connectorId":{"type":"inline","value":"{{form.connector}}"}}}}},
		"references":{"connectors":{"Mail there":%[1]q},"roles":{"Other":"ROL2elsewhere"},"omitted":["x"]}}}`, connector)
}

func seeded(t *testing.T, q Quirks, project string) harness {
	t.Helper()
	h := start(t, Options{Quirks: q})
	if err := h.server.Seed([]byte(fmt.Sprintf(`{"projects":{%q:%s}}`, testProject, project))); err != nil {
		t.Fatal(err)
	}
	return h
}

func argumentOf(flow map[string]any, task string) map[string]any {
	return objectIn(flow, "contents", "tasks", task, "arguments", "connectorId")
}

func TestUnknownConnectors(t *testing.T) {
	seed := fmt.Sprintf(`{"connectors":{"Mail":%q,"HTTP":%q},"roles":{"Editor":%q}}`, mailID, httpID, roleID)
	for quirk, want := range map[string]map[string]any{
		"drop": {"type": "inline"}, "keep": {"type": "inline", "value": foreignID}, "refuse": nil,
	} {
		h := seeded(t, Quirks{UnknownConnectors: quirk}, seed)
		h.ok("POST", importPath, mailer(mailID))
		known := h.flow("mailer")
		if quirk == "refuse" {
			if text := h.refused(400, "E011004", "POST", importPath, mailer(foreignID)); !strings.Contains(text, foreignID) {
				t.Errorf("refused with %q", text)
			}
			h.equal("after a refusal", h.flow("mailer"), known)
			continue
		}
		h.ok("POST", importPath, mailer(foreignID))
		flow := h.flow("mailer")
		h.equal(quirk+" step", argumentOf(flow, "1"), want)
		h.equal(quirk+" twin", argumentOf(flow, "1.end"), want)
		h.equal(quirk+" at run time", []any{argumentOf(flow, "2")["value"], argumentOf(flow, "3")["value"]}, []any{"form.connector", "{{form.connector}}"})
		h.equal(quirk+" other argument", objectIn(flow, "contents", "tasks", "1", "arguments", "body"), map[string]any{"type": "inline", "value": "x"})
		h.equal(quirk+" translation", objectIn(flow, "metadata", "translation")["connectorId"], want["value"])
		h.equal(quirk+" references", flow["references"], map[string]any{"omitted": []any{"x"}})
	}
}

// TestConnectorsArePerProject takes a flow to another project: by the name of
// its connector it works there, as it is it does not.
func TestConnectorsArePerProject(t *testing.T) {
	const other = "P2bAc4T2V93bddihGEx2Ryhc8e5Z"
	h := start(t, Options{})
	if err := h.server.Seed([]byte(fmt.Sprintf(`{"projects":{%q:{"connectors":{"Mail":%q}},%q:{"connectors":["Mail"]},"P9":{}}}`, testProject, foreignID, other))); err != nil {
		t.Fatal(err)
	}
	h.ok("POST", importPath, mailer(foreignID))
	flow := h.flow("mailer")
	h.equal("here", flow["references"], map[string]any{"connectors": map[string]any{"Mail": foreignID}, "roles": map[string]any{"Other": "ROL2elsewhere"}, "omitted": []any{"x"}})

	there := h
	there.bearer = other + ":K"
	there.ok("POST", importPath, mustJSON(map[string]any{"flow": flow}))
	h.equal("as it is", argumentOf(there.flow("mailer"), "1"), map[string]any{"type": "inline"})

	id := mintID("CI", other, "Mail")
	if !regexp.MustCompile(`^CI[0-9A-Za-z]{27}$`).MatchString(id) || id == mintID("CI", testProject, "Mail") {
		t.Errorf("the id %s is not one of the project", id)
	}
	there.ok("POST", importPath, mailer(id))
	h.equal("by name", argumentOf(there.flow("mailer"), "1")["value"], id)
	h.equal("by name", objectIn(there.flow("mailer"), "references", "connectors"), map[string]any{"Mail": id})

	// v1 knows no references, and loses none in a project that has its own.
	v1 := there.ok("POST", "/v1/mgmt/flow/export", `{"flowId":"mailer"}`)
	there.ok("POST", "/v1/mgmt/flow/import", mustJSON(map[string]any{"flowId": "mailer", "flow": v1["flow"], "screens": v1["screens"]}))
	h.equal("after v1", objectIn(there.flow("mailer"), "references", "connectors"), map[string]any{"Mail": id})
	// A project that lists nothing has everything.
	there.bearer = "P9:K"
	there.ok("POST", importPath, mailer(foreignID))
	h.equal("anything goes", objectIn(there.flow("mailer"), "references", "connectors"), map[string]any{"Mail there": foreignID})
}

func TestReferencesOfRoles(t *testing.T) {
	h := seeded(t, Quirks{FlowEcho: "verbatim"}, fmt.Sprintf(`{"roles":{"Editor":%q,"Viewer":"ROL2viewer","Unused":"ROL2unused"}}`, roleID))
	h.ok("POST", importPath, fmt.Sprintf(`{"flow":{"flowId":"f","contents":{"tasks":{"1":{"arguments":{"roles":{"value":[%q]}}}}}}}`, roleID))
	h.equal("used", h.flow("f")["references"], map[string]any{"roles": map[string]any{"Editor": roleID}})
	h.ok("POST", importPath, `{"flow":{"flowId":"f","contents":{},"references":{"roles":{"Renamed":"ROL2viewer","Gone":"ROL2gone"}}}}`)
	h.equal("imported", h.flow("f")["references"], map[string]any{"roles": map[string]any{"Viewer": "ROL2viewer"}})
	h.ok("POST", importPath, `{"flow":{"flowId":"f","contents":{}}}`)
	h.equal("none", h.flow("f"), map[string]any{"flowId": "f", "contents": map[string]any{}})
}

func TestSeedOfNames(t *testing.T) {
	for text, want := range map[string]string{
		`{"connectors":["A","A"]}`:                 "twice",
		`{"connectors":{"A":"CI1","B":"CI1"}}`:     `"A" and "B" have the same id`,
		`{"roles":{"":"ROL1"}}`:                    "roles: a name is empty",
		`{"roles":{"A":5}}`:                        "number",
		`{"flow_templates":[{"n":1e99999999999}]}`: "flow_templates",
	} {
		h := start(t, Options{})
		if err := h.server.Seed([]byte(`{"projects":{"P1":` + text + `}}`)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	// What was made up stays when the seed is read again.
	h := seeded(t, Quirks{}, `{"connectors":["Mail","HTTP"],"roles":{"A":"","B":"ROL1"},"components_version":"9.9.9","flow_templates":[]}`)
	first := string(h.server.Export())
	if err := h.server.Seed([]byte(first)); err != nil {
		t.Fatal(err)
	}
	h.equal("seed", string(h.server.Export()), first)
	for _, want := range []string{`"Mail":"` + mintID("CI", testProject, "Mail"), `"B":"ROL1"`, `"A":"ROL`, `"components_version":"9.9.9"`, `"flow_templates":[]`} {
		if !strings.Contains(first, want) {
			t.Errorf("no %s in %s", want, first)
		}
	}
}

func TestScreenIDs(t *testing.T) {
	body := `{"flow":{"flowId":"f","contents":{"tasks":{"1":{"screenId":"SCb"},"2":{"screenId":"SCa"},"3":{"screenId":"dangling"}}},
		"screens":[{"screenId":"SCb","contents":{"n":"b"}},{"screenId":"SCa","contents":{"n":"a"}},{"contents":{"n":"none"}}]}}`
	screens := func(h harness) (ids []string, shown map[string]any) {
		flow := h.flow("f")
		shown = map[string]any{}
		for _, s := range objectsIn(flow["screens"]) {
			ids = append(ids, screenID(s))
			for task := range objectIn(flow, "contents", "tasks") {
				if objectIn(flow, "contents", "tasks", task)["screenId"] == screenID(s) {
					shown[task] = objectIn(s, "contents")["n"]
				}
			}
		}
		return ids, shown
	}
	h := start(t, Options{})
	h.ok("POST", importPath, body)
	ids, shown := screens(h)
	h.equal("kept", ids, []string{"", "SCa", "SCb"})
	h.equal("kept", shown, map[string]any{"1": "b", "2": "a"})

	h = start(t, Options{Quirks: Quirks{ScreenIDs: "minted"}})
	seen := map[string]bool{"SCa": true, "SCb": true}
	for range 3 {
		h.ok("POST", importPath, body)
		ids, shown := screens(h)
		if !slices.IsSorted(ids) || len(ids) != 3 || ids[0] != "" || seen[ids[1]] || seen[ids[2]] || ids[1] == ids[2] {
			t.Errorf("the ids are %q", ids)
		}
		seen[ids[1]], seen[ids[2]] = true, true
		h.equal("minted", shown, map[string]any{"1": "b", "2": "a"})
		h.equal("dangling", objectIn(h.flow("f"), "contents", "tasks", "3")["screenId"], "dangling")
	}
}

func TestFlowZeros(t *testing.T) {
	body := `{"flow":{"flowId":"f","metadata":{"name":"","description":"","disabled":false,"fingerprint":true},"contents":{"tasks":{"1":{"name":"","arguments":{"popup":{"value":""}}}}},
		"screens":[{"screenId":"s","interactions":[]},{"screenId":"t","interactions":[{"id":"x","icon":"","type":"button"}]}],"references":{}}}`
	contents := map[string]any{"tasks": map[string]any{"1": map[string]any{"name": "", "arguments": map[string]any{"popup": map[string]any{"value": ""}}}}}
	for quirk, want := range map[string]map[string]any{
		"filled": {
			"metadata": map[string]any{"name": "", "description": "", "disabled": false, "fingerprint": true, "widget": false, "componentsVersion": "7.0.0"},
			"screens": []any{
				map[string]any{"screenId": "s", "interactions": []any{}},
				map[string]any{"screenId": "t", "interactions": []any{map[string]any{"id": "x", "icon": "", "type": "button", "label": "", "subType": ""}}},
			},
			"references": map[string]any{},
		},
		"left-out": {
			"metadata": map[string]any{"name": "", "fingerprint": true, "componentsVersion": "7.0.0"},
			"screens": []any{
				map[string]any{"screenId": "s"},
				map[string]any{"screenId": "t", "interactions": []any{map[string]any{"id": "x", "type": "button"}}},
			},
		},
		"as-sent": {
			"metadata": map[string]any{"name": "", "description": "", "disabled": false, "fingerprint": true, "componentsVersion": "7.0.0"},
			"screens": []any{
				map[string]any{"screenId": "s", "interactions": []any{}},
				map[string]any{"screenId": "t", "interactions": []any{map[string]any{"id": "x", "icon": "", "type": "button"}}},
			},
			"references": map[string]any{},
		},
	} {
		h := seeded(t, Quirks{FlowZeros: quirk}, `{"components_version":"7.0.0"}`)
		h.ok("POST", importPath, body)
		want["flowId"], want["contents"] = "f", contents
		h.equal(quirk, h.flow("f"), want)
		h.ok("POST", "/v2/mgmt/theme/import", `{"theme":{"styles":{}}}`)
		h.equal("theme", objectIn(h.ok("POST", "/v2/mgmt/theme/export", ""), "theme")["componentsVersion"], "7.0.0")
	}
}

func TestTemplates(t *testing.T) {
	const path = "/v1/mgmt/flow/template/list"
	h := start(t, Options{})
	reply := h.ok("POST", path, "{}")
	templates := objectsIn(reply["templates"])
	h.equal("total", reply["total"], float64(len(templates)))
	if len(templates) == 0 {
		t.Fatal("no templates")
	}
	for _, template := range templates {
		id, _ := template["id"].(string)
		for _, field := range []string{"name", "description", "dsl", "modifiedTime", "etag", "tags", "methods", "screens"} {
			if template[field] == nil {
				t.Errorf("template %s has no %s", id, field)
			}
		}
		h.ok("POST", "/v1/mgmt/flow/import", mustJSON(map[string]any{"flowId": id, "flow": template, "screens": template["screens"]}))
		flow := h.flow(id)
		h.equal(id, flow["contents"], template["dsl"])
		h.equal(id, objectIn(flow, "contents", "tasks", "1")["screenId"], screenID(anyList(flow["screens"])[0]))
	}
	h.equal("again", h.ok("POST", path, ""), reply)
	h = seeded(t, Quirks{ListOrder: "sorted"}, `{"flow_templates":[{"id":"b"},{"id":"a"}]}`)
	h.equal("seeded", h.ok("POST", path, "{}"), map[string]any{"total": 2.0, "templates": []any{map[string]any{"id": "a"}, map[string]any{"id": "b"}}})
}
