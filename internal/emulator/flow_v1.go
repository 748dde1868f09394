package emulator

import "pcconnect.ai/descope-mgmt/internal/model"

// exportFlowV1 answers POST /v1/mgmt/flow/export: the spelling of the console,
// which one SDK still speaks. It knows no references.
func (c *call) exportFlowV1() (map[string]any, *apiError) {
	f, e := c.findFlow()
	if e != nil {
		return nil, e
	}
	return map[string]any{"flow": f.console(), "screens": f.consoleScreens()}, nil
}

// importFlowV1 answers POST /v1/mgmt/flow/import, with what it stored.
func (c *call) importFlowV1() (map[string]any, *apiError) {
	if e := c.require("flowId"); e != nil {
		return nil, e
	}
	console, ok := c.body["flow"].(map[string]any)
	if !ok {
		return nil, c.missing("flow")
	}
	screens, ok := c.body["screens"].([]any)
	if !ok && c.body["screens"] != nil {
		return nil, badRequest("The screens field has the wrong type")
	}
	id, _ := c.body["flowId"].(string)
	content := exported(id, console, screens)
	if c.quirks.FlowEcho == "restamp" {
		fillFlow(content)
	}
	f := c.storeFlow(id, content)
	return map[string]any{"flow": f.console(), "screens": f.consoleScreens()}, nil
}

// consoleScreens are the screens in the spelling of v1.
func (f *flow) consoleScreens() []any {
	list, _ := f.content["screens"].([]any)
	out := make([]any, 0, len(list))
	for _, v := range list {
		screen, ok := v.(map[string]any)
		if !ok {
			continue
		}
		own := map[string]any{"inputs": []any{}, "interactions": []any{}, "componentsVersion": f.meta()["componentsVersion"]}
		for name, v := range screen {
			own[name] = v
		}
		own["id"], own["htmlTemplate"] = screen["screenId"], screen["contents"]
		own["flowId"], own["version"] = f.id, screenVersion(f.stamp)
		delete(own, "screenId")
		delete(own, "contents")
		out = append(out, own)
	}
	return out
}

// exported turns the spelling of v1 into that of v2. What v2 has no name for
// stays in the metadata under its v1 name.
func exported(id string, console map[string]any, screens []any) map[string]any {
	meta := model.CloneMap(console)
	translation := map[string]any{}
	for v1, v2 := range translationNames() {
		if v, ok := meta[v1]; ok && v != nil && v != "" && v != false {
			translation[v2] = v
		}
		delete(meta, v1)
	}
	if translation["enabled"] == true {
		meta["translation"] = translation
	}
	for _, name := range []string{"id", "dsl", "version", "modifiedTime", "etag"} {
		delete(meta, name)
	}
	for name, v := range meta {
		if v == nil {
			delete(meta, name)
		}
	}
	list := make([]any, 0, len(screens))
	for _, v := range screens {
		screen, ok := v.(map[string]any)
		if !ok {
			continue
		}
		own := model.CloneMap(screen)
		own["screenId"], own["contents"] = own["id"], own["htmlTemplate"]
		for _, name := range []string{"id", "htmlTemplate", "flowId", "version"} {
			delete(own, name)
		}
		list = append(list, own)
	}
	return map[string]any{
		"flowId": id, "metadata": meta, "contents": model.Clone(console["dsl"]), "screens": list, "references": map[string]any{},
	}
}
