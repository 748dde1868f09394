package flow

import (
	"fmt"
	"slices"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// The attributes of a flow in the configuration.
const (
	attrDefinition  = "definition"
	attrName        = "name"
	attrDescription = "description"
	attrEnabled     = "enabled"
	attrScreens     = "screens"
)

// Documents replaces what a configuration says of each flow by the one document that
// comes of it, in the exported spelling and under the id that it is used under: name,
// description, whether it is enabled, and the patches of its screens are in the
// document then, and definition is the only attribute. Other resources stay as they
// are. Where a mistake is found the flow is left out.
func Documents(s model.State) (model.State, model.Diagnostics) {
	var diagnostics model.Diagnostics
	resources := slices.Clone(s.Resources())
	kept := resources[:0]
	for _, r := range resources {
		if r.Key.Kind == model.Flow {
			var found model.Diagnostics
			r, found = document(r)
			diagnostics = append(diagnostics, found...)
			if len(found.Errors()) > 0 {
				continue
			}
		}
		kept = append(kept, r)
	}
	out, _ := model.NewState(kept) // the keys are those of a state
	return out, diagnostics.Sort()
}

// document is Documents for one flow.
func document(r model.Resource) (model.Resource, model.Diagnostics) {
	mistake := func(path, code, format string, args ...any) model.Diagnostics {
		return model.Diagnostics{{
			Severity: model.Error, Code: code, Key: &r.Key, Path: path, Origin: r.FieldOrigin(path),
			Summary: r.Key.String() + ": " + fmt.Sprintf(format, args...),
		}}
	}
	f, _, err := FromValue(r.Attrs[attrDefinition])
	if err != nil {
		return r, mistake(attrDefinition, "flow-document", "the definition is no flow: %v", err)
	}
	var diagnostics model.Diagnostics
	if id := f.ID(); id != "" && id != r.Key.ID {
		diagnostics = mistake(attrDefinition, "flow-id", "the definition says that it is flow %q; it is used as %q, since the configuration says so", id, r.Key.ID)
		diagnostics[0].Severity = model.Warning
	}
	f = f.WithID(r.Key.ID)
	metadata := map[string]any{}
	for _, name := range []string{attrName, attrDescription} {
		if v, written := r.Attrs[name]; written {
			metadata[name] = v
		}
	}
	if enabled, ok := r.Attrs[attrEnabled].(bool); ok {
		metadata["disabled"] = !enabled
	} else if _, said := f.metadata()["disabled"]; said && !f.Disabled() {
		metadata["disabled"] = nil // an export writes that out without meaning it
	}
	f = f.withMetadata(metadata)
	if screens, ok := r.Attrs[attrScreens].(map[string]any); ok {
		patched, mistakes := f.Patch(screens)
		for _, m := range mistakes {
			path := model.JoinPath(m.Path...)
			diagnostics = append(diagnostics, mistake(path, "flow-screens", "%s: %s", path, m.Message)...)
		}
		f = patched
	}
	r.Attrs = map[string]any{attrDefinition: f.Value()}
	return r, diagnostics
}

// withMetadata is the flow with other values in its metadata; nil takes one out.
func (f Flow) withMetadata(values map[string]any) Flow {
	if len(values) == 0 {
		return f
	}
	doc, metadata := without(f.doc), without(f.metadata())
	for name, v := range values {
		metadata[name] = v
		if v == nil {
			delete(metadata, name)
		}
	}
	doc["metadata"] = metadata
	return Flow{doc: doc}
}
