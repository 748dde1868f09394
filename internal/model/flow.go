package model

import "maps"

// effectiveFlow keeps the live definition of a flow where the written one means
// the same: see [NormalFlow].
func effectiveFlow(written, live map[string]any) map[string]any {
	want, ok1 := written["definition"].(map[string]any)
	is, ok2 := live["definition"].(map[string]any)
	if !ok1 || !ok2 || !Equal(NormalFlow(want), NormalFlow(is)) {
		return written
	}
	out := maps.Clone(written)
	out["definition"] = is
	return out
}

// NormalFlow is an exported flow in the form in which flows of equal meaning are
// equal, as far as an opaque document can be. Descope: metadata.componentsVersion
// is stamped by whichever service saved or rendered last; of the optional fields
// at the top, in metadata, of a screen and of an interaction, one export writes
// the empty value where another leaves it out. Empty values deeper down (the
// properties of a component, the arguments of a task) are kept: there they have
// a meaning. The id is left out too, since the key of the resource is the id.
// The argument is not modified.
func NormalFlow(definition map[string]any) map[string]any {
	flow := maps.Clone(definition)
	delete(flow, "flowId")
	if metadata, ok := flow["metadata"].(map[string]any); ok {
		metadata = maps.Clone(metadata)
		delete(metadata, "componentsVersion")
		metadata["sharedInteractions"] = withoutEmpty(metadata["sharedInteractions"])
		dropEmpty(metadata)
		flow["metadata"] = metadata
	}
	if screens, ok := flow["screens"].([]any); ok {
		normal := make([]any, len(screens))
		for i, s := range screens {
			if screen, ok := s.(map[string]any); ok {
				screen = maps.Clone(screen)
				screen["interactions"] = withoutEmpty(screen["interactions"])
				dropEmpty(screen)
				s = screen
			}
			normal[i] = s
		}
		flow["screens"] = normal
	}
	dropEmpty(flow)
	return flow
}

// withoutEmpty is a list of objects without their empty fields.
func withoutEmpty(v any) any {
	list, ok := v.([]any)
	if !ok {
		return v
	}
	out := make([]any, len(list))
	for i, e := range list {
		if object, ok := e.(map[string]any); ok {
			object = maps.Clone(object)
			dropEmpty(object)
			e = object
		}
		out[i] = e
	}
	return out
}

// dropEmpty removes the fields of an object that hold nothing.
func dropEmpty(object map[string]any) {
	maps.DeleteFunc(object, func(_ string, v any) bool {
		switch v := v.(type) {
		case nil:
			return true
		case bool:
			return !v
		case string:
			return v == ""
		case []any:
			return len(v) == 0
		case map[string]any:
			return len(v) == 0
		default:
			return false
		}
	})
}
