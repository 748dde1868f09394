package emulator

import (
	"maps"

	"pcconnect.ai/descope-mgmt/internal/model"
)

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
	f, e := c.takeFlow(id, fromConsole(id, console, screens), false)
	if e != nil {
		return nil, e
	}
	return map[string]any{"flow": f.console(), "screens": f.consoleScreens()}, nil
}

// consoleScreens are the screens in the spelling of v1.
func (f *flow) consoleScreens() []any {
	version, _ := f.meta()["componentsVersion"].(string)
	out := []any{}
	for _, screen := range objectsIn(f.content["screens"]) {
		own := map[string]any{"inputs": []any{}, "interactions": []any{}, "componentsVersion": version}
		maps.Copy(own, screen)
		own["id"], own["htmlTemplate"] = screen["screenId"], screen["contents"]
		own["flowId"], own["version"] = f.id, screenVersion(f.stamp)
		delete(own, "screenId")
		delete(own, "contents")
		out = append(out, own)
	}
	return out
}

// fromConsole turns the spelling of v1 into that of v2. What v2 has no name for
// stays in the metadata under its v1 name. Descope: this spelling writes empty
// values out, has a componentsVersion in each screen, and no references.
func fromConsole(id string, console map[string]any, screens []any) map[string]any {
	meta := model.CloneMap(console)
	translation := map[string]any{}
	for v1, v2 := range translationNames() {
		if !model.Unset(meta[v1]) {
			translation[v2] = meta[v1]
		}
		delete(meta, v1)
	}
	if len(translation) > 0 {
		meta["translation"] = translation
	}
	for _, name := range []string{"id", "dsl", "version", "modifiedTime", "etag"} {
		delete(meta, name)
	}
	maps.DeleteFunc(meta, func(name string, v any) bool { return v == nil || name != "name" && model.Unset(v) })
	list := []any{}
	for _, screen := range objectsIn(screens) {
		own := model.CloneMap(screen)
		own["screenId"], own["contents"] = own["id"], own["htmlTemplate"]
		if version := own["componentsVersion"]; meta["componentsVersion"] == nil && !model.Unset(version) {
			meta["componentsVersion"] = version
		}
		for _, name := range []string{"id", "htmlTemplate", "flowId", "version", "inputs", "componentsVersion"} {
			delete(own, name)
		}
		list = append(list, own)
	}
	return map[string]any{
		"flowId": id, "metadata": meta, "contents": model.Clone(console["dsl"]), "screens": list, "references": map[string]any{},
	}
}
