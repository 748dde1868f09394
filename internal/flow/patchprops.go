package flow

import (
	"maps"
	"strings"
)

// knownProps are the properties that a component can have, each with a value of
// the type that it has: its own, or one of another component of the kind, or of
// the list below.
func (f Flow) knownProps(node Node) map[string]any {
	known := commonProps(node.Component)
	for _, s := range f.Screens() {
		for _, v := range object(s.doc["contents"]) {
			if other := object(v); component(other) == node.Component {
				for name, v := range object(other["props"]) {
					// Any type but null; which one, must not depend on the order.
					if old, ok := known[name]; !ok || old == nil || kindOf(v) < kindOf(old) && v != nil {
						known[name] = v
					}
				}
			}
		}
	}
	maps.Copy(known, object(node.doc["props"]))
	return known
}

// commonProps are properties that components of a kind commonly have in exports,
// each with an empty value of its type.
func commonProps(component string) map[string]any {
	out := map[string]any{}
	add := func(v any, names ...string) {
		for _, name := range names {
			out[name] = v
		}
	}
	switch {
	case component == "Container":
		add("", "align", "background", "direction", "justify", "paddingX", "paddingY", "spaceBetween", "width")
		return out
	case component == "Image" || component == "Logo" || component == "TOTPImage":
		add("", "alt", "height", "width")
		if component == "Image" {
			add("", "src")
		}
		return out
	case component == "Text" || component == "Link" || component == "ErrorMessage" || component == "Divider":
		add("", "children", "color", "mode", "text-align", "variant")
		add(false, "italic")
		if component == "Link" {
			add("", "href", "target")
		}
	case strings.HasSuffix(component, "Button"):
		add("", "aria-label", "children", "color", "mode", "shape", "size", "tooltipText", "variant")
	case strings.HasSuffix(component, "Input") || strings.HasSuffix(component, "Select") || component == "Code" ||
		component == "Phone" || strings.HasSuffix(component, "Password"):
		add("", "label", "placeholder", "size")
		add(false, "bordered", "required")
	default:
		return out
	}
	add(false, "full-width")
	return out
}
