package plan

import "pcconnect.ai/descope-mgmt/internal/model"

// note explains what a difference does, where its name does not say it. after
// are the fields of the object as it is to be; nil if it is to go.
func note(kind model.Kind, f field, c FieldChange, after map[string]any) string {
	if after == nil || f.keyed {
		return ""
	}
	if kind == model.Tenant && f.name == "domains" {
		switch {
		case isEmpty(c.After) && !isEmpty(c.Before):
			return "emptied: turns self-provisioning off"
		case !isEmpty(c.After):
			return "self-provisioning"
		}
		return ""
	}
	if _, isList := c.After.([]any); isList && isEmpty(c.After) && !isEmpty(c.Before) {
		return "emptied"
	}
	return ""
}

// isEmpty reports that a list has no elements or is not there.
func isEmpty(v any) bool {
	list, _ := v.([]any)
	return len(list) == 0
}
