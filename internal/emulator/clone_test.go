package emulator

import (
	"strings"
	"testing"
)

const (
	clonePath     = "/v1/mgmt/project/clone"
	projectDelete = "/v1/mgmt/project/delete"
	projectList   = "/v1/mgmt/projects/list"
)

func paidSeed() string {
	return `{"projects":{"` + testProject + `":{
		"name": "Development",
		"tenants": [{"id":"acme","name":"Acme"}],
		"roles": {"Admin":"ROL1"},
		"connector_details": {"Mail":{"type":"smtp","configuration":{"host":"mail.example","password":"hunter2"}}},
		"connectors": {"Mail":"CImail"},
		"theme": {"styles":{"light":{"globals":{}}},"componentsVersion":"1.0.0"},
		"flows": [{"flowId":"asked","metadata":{"name":"Asked","widget":false},"contents":{"startTask":"0","tasks":{"1":{"arguments":{"connectorId":{"type":"inline","value":"CImail"}}}}},
			"screens":[{"screenId":"SCabc","contents":{}}],"references":{"connectors":{"Mail":"CImail"}}}]
	}}}`
}

func paid(t *testing.T, o Options) harness {
	t.Helper()
	o.Tier = "tier2"
	h := start(t, o)
	if err := h.server.Seed([]byte(paidSeed())); err != nil {
		t.Fatal(err)
	}
	return h
}

func TestNameAndTags(t *testing.T) {
	h := paid(t, Options{})
	h.ok("POST", "/v1/mgmt/project/update/name", `{"name":"Other"}`)
	h.ok("POST", "/v1/mgmt/project/update/tags", `{"tags":["a","b"]}`)
	h.equal("list", h.ok("POST", projectList, "")["projects"], []any{
		map[string]any{"id": testProject, "name": "Other", "tag": "", "environment": "", "tags": []any{"a", "b"}},
	})
	h.refused(400, "E011003", "POST", "/v1/mgmt/project/update/name", `{}`)
	h.refused(400, "E011004", "POST", "/v1/mgmt/project/update/tags", `{"tags":["`+strings.Repeat("x", 51)+`"]}`)
	h.ok("POST", "/v1/mgmt/project/update/tags", `{"tags":null}`)
}

// TestClone: settings and secrets go along, tenants do not, and what has an id gets
// one of its own.
func TestClone(t *testing.T) {
	storage := &disk{}
	h := paid(t, Options{Storage: storage, Projects: []string{testProject}})
	made := h.ok("POST", clonePath, `{"name":"Copy","environment":"production","tags":["x"]}`)
	id, _ := made["projectId"].(string)
	if len(id) != 28 || made["projectName"] != "Copy" || made["environment"] != "production" {
		t.Fatalf("the clone is %v", made)
	}
	copied := h
	copied.bearer = id + ":" + testKey
	h.equal("tenants", copied.ids("GET", allPath, ""), []string{})
	flow := copied.ok("POST", "/v2/mgmt/flow/export", `{"flowId":"asked"}`)
	if text := mustJSON(flow); strings.Contains(text, "CImail") || !strings.Contains(text, `"Mail":"CI`) {
		t.Errorf("the flow of the clone: %s", text)
	}
	h.equal("projects", len(anyList(h.ok("POST", projectList, "")["projects"])), 2)
	h.refused(400, "E011004", "POST", clonePath, `{"name":"Copy","environment":"test"}`)
	h.refused(400, "E011003", "POST", clonePath, `{}`)

	h.ok("POST", projectDelete, "")
	h.refused(404, "E011008", "GET", allPath, "")
	copied.refused(400, "E073008", "POST", projectDelete, "")
	again := start(t, Options{Storage: storage, Tier: "tier2"})
	again.refused(404, "E011008", "GET", allPath, "")
}

func TestCloneLater(t *testing.T) {
	h := paid(t, Options{})
	process, _ := h.ok("POST", clonePath+"/async", `{"name":"Copy"}`)["processId"].(string)
	result := clonePath + "/async/" + process
	h.equal("at first", h.ok("GET", result, "")["projectId"], "")
	done := h.ok("GET", result, "")
	if done["projectId"] == "" || done["projectName"] != "Copy" {
		t.Errorf("then %v", done)
	}
	h.refused(404, "E000404", "GET", clonePath+"/async/other", "")
	h.refused(404, "E000404", "GET", clonePath+"/async/", "")
}
