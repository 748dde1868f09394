package lsp

import "encoding/json"

// commandPlan plans an environment, commandOpen opens a place.
const (
	commandPlan = ownPrefix + "plan"
	commandOpen = ownPrefix + "open"
)

// abilities are what the two servers can do together: the result of initialize, of
// which nothing of theirs is lost. Without one of theirs it is what we can do alone.
func (h *hub) abilities(theirs json.RawMessage) any {
	result := map[string]any{}
	_ = json.Unmarshal(theirs, &result) // null is nothing
	if result == nil {
		result = map[string]any{}
	}
	c := object(result, "capabilities")
	sync := object(c, "textDocumentSync")
	if _, ok := sync["change"]; !ok {
		sync["change"] = 2 // incremental
	}
	sync["openClose"] = true
	if _, ok := sync["save"].(map[string]any); !ok {
		sync["save"] = map[string]any{}
	}
	c["codeActionProvider"] = withQuickFixes(c["codeActionProvider"])
	object(c, "codeLensProvider")
	object(c, "documentLinkProvider")
	execute := object(c, "executeCommandProvider")
	commands, _ := execute["commands"].([]any)
	execute["commands"] = append(commands, commandPlan, commandOpen)
	name := "descope-mgmt"
	if info, ok := result["serverInfo"].(map[string]any); ok {
		if theirs, ok := info["name"].(string); ok {
			name += " with " + theirs
		}
	}
	result["serverInfo"] = map[string]any{"name": name, "version": h.o.Version}
	return result
}

// object is the object that a field holds; anything else is replaced by one.
func object(in map[string]any, field string) map[string]any {
	o, ok := in[field].(map[string]any)
	if !ok {
		o = map[string]any{}
		in[field] = o
	}
	return o
}

// withQuickFixes adds ours to the kinds of code actions that are offered.
func withQuickFixes(provider any) any {
	options, ok := provider.(map[string]any)
	if !ok {
		return true // theirs is true, or there is none
	}
	kinds, ok := options["codeActionKinds"].([]any)
	if !ok {
		return options // all kinds
	}
	for _, k := range kinds {
		if k == kindQuickFix {
			return options
		}
	}
	options["codeActionKinds"] = append(kinds, kindQuickFix)
	return options
}
