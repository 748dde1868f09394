package emulator

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

const (
	snapshotExport   = "/v1/mgmt/project/snapshot/export"
	snapshotImport   = "/v1/mgmt/project/snapshot/import"
	snapshotValidate = "/v1/mgmt/project/snapshot/validate"
)

func TestSnapshotFiles(t *testing.T) {
	h := paid(t, Options{})
	files := h.ok("POST", snapshotExport, "{}")["files"].(map[string]any)
	h.equal("files", slices.Sorted(maps.Keys(files)), []string{
		"connectors/connectors.json", "connectors/mail.json", "flows/asked/contents.json", "flows/asked/metadata.json",
		"flows/asked/screen-abc.json", "flows/flows.json", "project.json", "roles.json", "snapshot.json", "styles/light.json", "styles/styles.json",
	})
	text := mustJSON(files)
	for _, want := range []string{`"snapshot.json":{"version":5}`, `"host":"mail.example","password":""`, `"screens":["abc"]`} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is not in %s", want, text)
		}
	}
	if strings.Contains(text, "hunter2") || strings.Contains(text, "widget") {
		t.Errorf("secrets or widget in %s", text)
	}
	placeholder := paid(t, Options{Quirks: Quirks{SnapshotSecrets: "placeholder"}})
	if text := mustJSON(placeholder.ok("POST", snapshotExport, "{}")); !strings.Contains(text, `"password":"PLACEHOLDER_VALUE"`) {
		t.Errorf("no placeholder in %s", text)
	}
}

// TestSnapshotImport: a secret that is blank stays, a new connector needs its own,
// flows find their connectors by name, and what a manifest leaves out goes.
func TestSnapshotImport(t *testing.T) {
	h := paid(t, Options{})
	h.ok("POST", "/v2/mgmt/flow/import", `{"flow":{"flowId":"more","metadata":{},"contents":{}}}`)
	exported := h.ok("POST", snapshotExport, "{}")["files"].(map[string]any)
	body := mustJSON(map[string]any{"files": exported})
	h.equal("valid", h.ok("POST", snapshotValidate, body)["ok"], true)

	other := h
	other.bearer = "P3aAc4T2V93bddihGEx2Ryhc8e5Z:" + testKey
	missing := other.ok("POST", snapshotValidate, body)["missingSecrets"].(map[string]any)["connectors"]
	h.equal("missing", missing, []any{map[string]any{"id": "CImail", "name": "Mail", "type": "password", "value": ""}})
	other.refused(400, "E011004", "POST", snapshotImport, body)
	secrets := []any{map[string]any{"id": "CImail", "name": "Mail", "type": "password", "value": "s3cret"}}
	given := mustJSON(map[string]any{"files": exported, "inputSecrets": map[string]any{"connectors": secrets}})
	other.ok("POST", snapshotImport, given)
	other.ok("POST", snapshotImport, body) // it is known now
	flow := mustJSON(other.ok("POST", "/v2/mgmt/flow/export", `{"flowId":"asked"}`))
	if strings.Contains(flow, "CImail") || !strings.Contains(flow, `"Mail":"CI`) {
		t.Errorf("the flow is not bound: %s", flow)
	}

	delete(exported, "flows/more/metadata.json")
	exported["flows/flows.json"] = map[string]any{"flows": []any{"asked"}}
	other.ok("POST", snapshotImport, mustJSON(map[string]any{"files": exported}))
	h.equal("flows", len(anyList(other.ok("POST", "/v1/mgmt/flow/list", "")["flows"])), 1)
	h.equal("legacy", len(h.ok("POST", "/v1/mgmt/project/export", "")["files"].(map[string]any)), len(h.ok("POST", snapshotExport, "")["files"].(map[string]any)))
}

func TestSnapshotFailures(t *testing.T) {
	h := paid(t, Options{})
	for files, want := range map[string]string{
		`{}`:                                   "empty",
		`{"snapshot.json":{"version":6}}`:      "version 6",
		`{"flows/flows.json":{"flows":["a"]}}`: "flows/a/ lacks",
		`{"styles/styles.json":{"styles":["dark"]}}`:                                                                "styles/dark.json",
		`{"connectors/connectors.json":{"connectors":["mail"]}}`:                                                    "connectors/mail.json",
		`{"flows/flows.json":{"flows":["a"]},"flows/a/metadata.json":{"screens":["x"]},"flows/a/contents.json":{}}`: "screen-x.json",
	} {
		reply := h.ok("POST", snapshotValidate, `{"files":`+files+`}`)
		if text := mustJSON(reply["failures"]); reply["ok"] != false || !strings.Contains(text, want) {
			t.Errorf("%s: %v", files, reply)
		}
		h.refused(400, "E011004", "POST", snapshotImport, `{"files":`+files+`}`)
	}
	h.refused(400, "E011003", "POST", snapshotValidate, `{}`)
	h.equal("untouched", len(anyList(h.ok("POST", "/v1/mgmt/flow/list", "")["flows"])), 1)
	free := start(t, Options{})
	for _, path := range []string{snapshotExport, snapshotImport, snapshotValidate, clonePath, clonePath + "/async", "/v1/mgmt/project/export", "/v1/mgmt/project/import"} {
		free.refused(403, "E111703", "POST", path, `{"files":{},"name":"x"}`)
	}
}
