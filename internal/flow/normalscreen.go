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

// namedScreen is a normal screen with the names of ids in the properties of its
// components. Descope: newer components call connectors.
func namedScreen(screen map[string]any, names map[string]string) map[string]any {
	if len(names) == 0 {
		return screen
	}
	nodes := object(screen["contents"]) // a copy, as normalScreen made it
	for id, v := range nodes {
		props := object(object(v)["props"])
		for prop, value := range props {
			if name := names[text(value)]; name != "" && looksLikeID(text(value)) {
				node := without(object(nodes[id]))
				node["props"] = without(object(node["props"]))
				object(node["props"])[prop] = name
				nodes[id] = node
			}
		}
	}
	return screen
}

// namedTranslation is normal metadata with the name of the connector that
// translates the screens.
func namedTranslation(meta map[string]any, names map[string]string) map[string]any {
	translation := object(meta["translation"])
	if name := names[text(translation["connectorId"])]; name != "" {
		translation = without(translation)
		translation["connectorId"] = name
		meta["translation"] = translation
	}
	return meta
}
