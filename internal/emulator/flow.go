package emulator

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// flow is a stored flow: the exported spelling (v2) and what the server itself
// knows of it. content is replaced, never changed.
type flow struct {
	id      string
	content map[string]any
	stamp   stamp
}

// stamp is what flow/list and the v1 export show beyond the content.
type stamp struct {
	Version int `json:"version"`
	// ModifiedTime is in Unix seconds. Descope: on the wire it is a string.
	ModifiedTime int64  `json:"modified_time"`
	Etag         string `json:"etag"`
}

func (s stamp) orFirst(content map[string]any) stamp {
	if s.Version > 0 {
		return s
	}
	return stamp{Version: 1, Etag: etag(content)}
}

// next is the stamp after an import.
func (s stamp) next(content map[string]any, now time.Time, quirk string) stamp {
	if s.Version > 0 && quirk == "frozen" {
		return s
	}
	return stamp{Version: s.Version + 1, ModifiedTime: now.Unix(), Etag: etag(content)}
}

func etag(content map[string]any) string {
	sum := sha256.Sum256(model.CanonicalJSON(content))
	return hex.EncodeToString(sum[:16])
}

// meta is the flow's metadata, never nil.
func (f *flow) meta() map[string]any {
	m, _ := f.content["metadata"].(map[string]any)
	if m == nil {
		m = map[string]any{}
	}
	return m
}

// listFlows answers POST /v1/mgmt/flow/list. Descope: no paging.
func (c *call) listFlows() (map[string]any, *apiError) {
	ids, e := field{name: "ids", kind: texts}.read(c.body["ids"])
	if e != nil {
		return nil, e
	}
	wanted := ids.([]any)
	list := []any{}
	for _, f := range inOrder(c, c.project.flows, func(f *flow) string { return f.id }) {
		if len(wanted) > 0 && !slices.Contains(wanted, any(f.id)) {
			continue
		}
		listed := f.console()
		if c.quirks.FlowListDSL == "empty" {
			listed["dsl"] = map[string]any{}
		}
		list = append(list, listed)
	}
	return map[string]any{"flows": list, "total": len(list)}, nil
}

// exportFlow answers POST /v2/mgmt/flow/export.
func (c *call) exportFlow() (map[string]any, *apiError) {
	f, e := c.findFlow()
	if e != nil {
		return nil, e
	}
	return map[string]any{"flow": c.project.exported(f)}, nil
}

// importFlow answers POST /v2/mgmt/flow/import. Descope: an upsert by flow id
// that replaces the whole flow and replies nothing.
func (c *call) importFlow() (map[string]any, *apiError) {
	content, ok := c.body["flow"].(map[string]any)
	if !ok {
		return nil, c.missing("flow")
	}
	id, _ := content["flowId"].(string)
	if id == "" {
		return nil, c.missing("flowId")
	}
	skip, e := field{name: "skipRender", kind: flag}.read(c.body["skipRender"])
	if e != nil {
		return nil, e
	}
	_, e = c.takeFlow(id, model.CloneMap(content), skip == true)
	return nil, e
}

// deleteFlows answers POST /v1/mgmt/flow/delete.
func (c *call) deleteFlows() (map[string]any, *apiError) {
	ids, e := field{name: "ids", kind: texts}.read(c.body["ids"])
	if e != nil {
		return nil, e
	}
	for _, id := range ids.([]any) {
		if c.project.flow(id.(string)) == nil && c.quirks.UnknownFlowDelete == "not-found" {
			return nil, noFlow(id.(string))
		}
	}
	c.project.flows = slices.DeleteFunc(c.project.flows, func(f *flow) bool {
		return slices.Contains(ids.([]any), any(f.id))
	})
	return nil, nil
}

// findFlow is the flow that the request names in flowId.
func (c *call) findFlow() (*flow, *apiError) {
	if e := c.require("flowId"); e != nil {
		return nil, e
	}
	id, _ := c.body["flowId"].(string)
	f := c.project.flow(id)
	if f == nil {
		return nil, noFlow(id)
	}
	return f, nil
}

func noFlow(id string) *apiError {
	return &apiError{status: http.StatusNotFound, code: ownCode(http.StatusNotFound), message: fmt.Sprintf("Failed getting flow %q", id)}
}

// console is the flow without its screens in the spelling of v1: the graph is
// called dsl, and the metadata is flat.
func (f *flow) console() map[string]any {
	out := map[string]any{
		"name": "", "description": "", "disabled": false, "fingerprint": false, "widget": false,
		"translate": false, "translateConnectorID": "", "translateSourceLang": "", "translateTargetLangs": []any{},
		"sharedInteractions": []any{}, "management": false, "managementConfig": nil, "referencesGlobalStrings": false,
	}
	for name, v := range f.meta() {
		out[name] = v
	}
	delete(out, "translation")
	delete(out, "componentsVersion") // Descope: it is in the screens
	if t, ok := f.meta()["translation"].(map[string]any); ok {
		for v1, v2 := range translationNames() {
			if v, ok := t[v2]; ok {
				out[v1] = v
			}
		}
	}
	out["id"] = f.id
	out["dsl"] = f.content["contents"]
	out["version"] = f.stamp.Version
	out["modifiedTime"] = strconv.FormatInt(f.stamp.ModifiedTime, 10)
	out["etag"] = f.stamp.Etag
	return out
}

func translationNames() map[string]string {
	return map[string]string{
		"translate": "enabled", "translateConnectorID": "connectorId",
		"translateSourceLang": "sourceLanguage", "translateTargetLangs": "targetLanguages",
	}
}

// screenVersion is what a v1 export shows; nothing is known to depend on it.
func screenVersion(s stamp) json.Number { return json.Number(strconv.Itoa(s.Version)) }
