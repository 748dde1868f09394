package flow

import (
	"fmt"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// fromConsole turns the spelling of the console into the exported one. Descope:
// the graph is called dsl and the metadata lies flat beside it; version,
// modifiedTime and etag belong to the server and not to the flow, and so do
// version, flowId and inputs of a screen. Names of connectors are not in this
// spelling.
func fromConsole(doc map[string]any) (map[string]any, error) {
	console := object(doc["flow"])
	dsl, ok := console["dsl"].(map[string]any)
	if !ok {
		return nil, fmt.Errorf("flow.dsl: want an object, found %s", kindOf(console["dsl"]))
	}
	meta := without(console, "id", "dsl", "version", "modifiedTime", "etag")
	if err := moveTranslation(meta); err != nil {
		return nil, err
	}
	// What the console writes out for a field that nobody set.
	dropZero(meta, "management", "managementConfig", "referencesGlobalStrings", "sharedInteractions", "widget")
	out := without(doc, "flow", "screens")
	out["metadata"], out["contents"] = meta, dsl
	if id, ok := console["id"]; ok {
		out["flowId"] = id
	}
	screens, ok := doc["screens"].([]any)
	if !ok && doc["screens"] != nil {
		return nil, fmt.Errorf("screens: want a list, found %s", kindOf(doc["screens"]))
	}
	moved := make([]any, len(screens))
	newest := ""
	for i, v := range screens {
		screen, ok := v.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("%s: want an object, found %s", model.JoinPath("screens", itoa(i)), kindOf(v))
		}
		own := without(screen, "id", "htmlTemplate", "version", "flowId", "inputs", "componentsVersion")
		own["screenId"] = screen["id"]
		if contents, ok := screen["htmlTemplate"]; ok {
			own["contents"] = contents
		}
		if version := text(screen["componentsVersion"]); CompareIDs(version, newest) > 0 {
			newest = version
		}
		moved[i] = own
	}
	if len(moved) > 0 {
		out["screens"] = moved
	}
	// Each screen has its own version there, the whole flow has one here.
	if _, ok := meta["componentsVersion"]; !ok && newest != "" {
		meta["componentsVersion"] = newest
	}
	return out, nil
}

// moveTranslation gathers the fields of a translation, which lie flat in the
// console's spelling.
func moveTranslation(meta map[string]any) error {
	translation := map[string]any{}
	for _, name := range [][2]string{
		{"translate", "enabled"},
		{"translateConnectorID", "connectorId"},
		{"translateSourceLang", "sourceLanguage"},
		{"translateTargetLangs", "targetLanguages"},
	} {
		if v := meta[name[0]]; !model.Unset(v) {
			translation[name[1]] = v
		}
		delete(meta, name[0])
	}
	if len(translation) == 0 {
		return nil
	}
	if meta["translation"] != nil {
		return fmt.Errorf("flow.translation: the console writes translateSourceLang and the like, this flow has both")
	}
	meta["translation"] = translation
	return nil
}
