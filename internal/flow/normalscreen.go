package flow

// normalScreen is a screen without its id, with its interactions by id. Empty
// properties of a component are kept: there they have a meaning.
func normalScreen(doc map[string]any) map[string]any {
	out := without(doc, "screenId")
	out["interactions"] = byID(doc["interactions"], "label", "type", "subType", "icon")
	nodes := object(doc["contents"])
	contents := make(map[string]any, len(nodes))
	for id, v := range nodes {
		contents[id] = normalNode(id, object(v))
	}
	out["contents"] = contents
	dropZero(out, "interactions", "contents")
	return out
}

// normalNode is a component without the property that repeats its id.
func normalNode(id string, doc map[string]any) map[string]any {
	node := without(doc)
	if props, ok := doc["props"].(map[string]any); ok && props["id"] == id {
		node["props"] = without(props, "id")
	}
	dropZero(node, "nodes", "parent", "props")
	return node
}
