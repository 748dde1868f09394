package api

import (
	"maps"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// flowImage is an exported flow as far as a change of it between a plan and its write
// would be somebody's doing. Descope: metadata.componentsVersion is stamped by
// whichever service saved or rendered last; of the optional fields at the top, in
// metadata, of a screen and of an interaction, one export writes the empty value where
// another leaves it out. The argument is not modified.
func flowImage(definition map[string]any) map[string]any {
	flow := maps.Clone(definition)
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
	maps.DeleteFunc(object, func(_ string, v any) bool { return model.Unset(v) })
}
