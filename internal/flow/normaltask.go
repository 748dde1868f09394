package flow

import "pcconnect.ai/descope-mgmt/internal/model"

// derivedKeys are the fields of a screen task that repeat what the screen says.
// Descope: they come when somebody saves the screen in the editor and go with
// the next import; htmlTemplate and interactions are copies of the screen, which
// may be stale.
func derivedKeys() []string {
	return []string{
		"inputsMetadata", "allInputKeys", "calculatedInputKeys", "inputKeys", "contextKeys", "dynamicSelects",
		"clientScripts", "componentsConnectors", "componentsConditions", "recoveryCodesData",
		"connectorComponentProps", "htmlTemplate", "interactions",
	}
}

// normalTask is a task without its place on the canvas, its screen's id, and
// what is derived from the screen. Its rules are a sorted list. Descope: the
// order of rules flips between exports, and one interaction may lead to two
// tasks, so that they are neither a list nor a map.
func normalTask(id string, doc map[string]any, names map[string]string) map[string]any {
	out := without(doc, "view", "next", "screenId")
	if own := text(out["id"]); own == id || own == "" {
		delete(out, "id")
	}
	if text(doc["type"]) == TypeScreen {
		for _, name := range derivedKeys() {
			delete(out, name)
		}
	}
	if arguments := normalArguments(object(doc["arguments"]), names); len(arguments) > 0 {
		out["arguments"] = arguments
	} else {
		delete(out, "arguments")
	}
	next := object(doc["next"])
	var rules []any
	for _, r := range objects(next["rules"]) {
		rule := without(r)
		dropZero(rule, "interactionId")
		rules = append(rules, rule)
	}
	if rules != nil {
		out["rules"] = sortedList(rules)
	}
	if extra := without(next, "rules"); len(extra) > 0 {
		out["next"] = extra
	}
	var conditions []any
	for _, c := range objects(doc["conditions"]) {
		condition := without(c)
		dropZero(condition, "atomicConditions", "interactionId", "name")
		conditions = append(conditions, condition)
	}
	if conditions != nil {
		out["conditions"] = conditions
	}
	dropZero(out, "name", "type", "action", "conditions", "errorHandlingV2")
	return out
}

// normalArguments are the arguments with ids replaced by names, as far as those
// are known, and without values that are null. Descope: an argument that was
// exported with null is exported without a value later.
func normalArguments(arguments map[string]any, names map[string]string) map[string]any {
	out := make(map[string]any, len(arguments))
	for name, v := range arguments {
		argument := without(object(v))
		if argument["value"] == nil {
			delete(argument, "value")
		} else {
			argument["value"] = named(argument["value"], names)
		}
		out[name] = argument
	}
	return out
}

// named is a value whose texts are replaced where they are an id with a name.
func named(v any, names map[string]string) any {
	switch v := v.(type) {
	case string:
		if name, ok := names[v]; ok {
			return name
		}
		return v
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = named(e, names)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = named(e, names)
		}
		return out
	default:
		return v
	}
}

// withoutTwin is the second half of a pair without what it repeats of the first.
// Descope: name and arguments of N.end are those of N, or left out.
func withoutTwin(twin, base map[string]any, names map[string]string) map[string]any {
	out := without(twin)
	if text(out["name"]) == text(base["name"]) {
		delete(out, "name")
	}
	first := normalArguments(object(base["arguments"]), names)
	own := without(object(out["arguments"]))
	for name, v := range own {
		if model.Equal(v, first[name]) {
			delete(own, name)
		}
	}
	out["arguments"] = own
	dropZero(out, "arguments")
	return out
}

// sortedList is a list in the order of its elements' JSON, with repeats.
func sortedList(l []any) []any {
	texts := make(map[string][]any, len(l))
	for _, v := range l {
		key := string(model.CanonicalJSON(v))
		texts[key] = append(texts[key], v)
	}
	out := make([]any, 0, len(l))
	for _, key := range keys(texts) {
		out = append(out, texts[key]...)
	}
	return out
}
