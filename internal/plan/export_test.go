package plan

import "pcconnect.ai/descope-mgmt/internal/model"

// Settled is the quick answer that spares most objects the comparison.
func Settled(want, live, last *model.Resource) bool {
	spec := model.Spec(want.Key.Kind)
	return settled(&spec, trio{want, live, last})
}

// Fields is the comparison without the quick answer.
func Fields(want, live, last *model.Resource) ([]FieldChange, error) {
	spec := model.Spec(want.Key.Kind)
	t := trio{want, live, last}
	return differences(&spec, t, live.Attrs, effective(&spec, t, mergePolicy(want, last)))
}

// Differences compares two sides as they are.
func Differences(a, b map[string]any) ([]FieldChange, error) {
	spec := model.Spec(model.Tenant)
	return differences(&spec, trio{}, a, b)
}

// Marks are the sensitive marks of an object; no kind has any yet.
func Marks(attrs map[string]any, sensitive ...string) map[string]any { return marks(attrs, sensitive) }

// FlatTenant takes the attributes of a tenant apart into fields by path.
func FlatTenant(attrs map[string]any) map[string]any {
	spec := model.Spec(model.Tenant)
	return flat(&spec, attrs)
}
