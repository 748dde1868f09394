package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// unmanaged is the attribute of a tenant that holds what the configuration
// cannot say: Descope's fields under Descope's names.
const unmanaged = "unmanaged"

// coveredFields are the fields of a tenant that an attribute stands for.
func coveredFields() []string {
	return []string{"id", "name", "selfProvisioningDomains", "customAttributes", "parent", "disabled", "roleInheritance", "defaultRoles"}
}

// createdFields are the unmanaged fields that a tenant can be created with.
// Descope: its create endpoint lists these; for all others a new tenant needs an
// update.
func createdFields() []string {
	return []string{"authType", "enforceSSO", "enforceSSOExclusions", "federatedAppIds"}
}

// WithUnmanaged returns a live tenant with one more attribute, "unmanaged": a
// map of all fields that no attribute covers and that an update may write, under
// Descope's names and in normal form (a field that holds nothing is left out).
// The configuration has no such attribute; it serves to restore an object whole.
// A resource of another kind, and one that was not read, is returned as it is.
// The argument is not modified.
func WithUnmanaged(r model.Resource) model.Resource {
	if r.Key.Kind != model.Tenant || r.Observed == nil {
		return r
	}
	r.Attrs = maps.Clone(r.Attrs)
	r.Attrs[unmanaged] = unmanagedFields(r.Observed.Fields)
	return r
}

// unmanagedFields picks out of a tenant's fields in normal form what the
// attribute unmanaged holds. Null is as good as absent.
func unmanagedFields(fields map[string]any) map[string]any {
	rest := map[string]any{}
	for name, v := range fields {
		if v != nil && unmanagedField(name) {
			rest[name] = v
		}
	}
	return rest
}

// unmanagedField reports whether a field may stand below unmanaged: it is
// neither an attribute's nor the server's nor another endpoint's.
func unmanagedField(name string) bool {
	return !slices.Contains(coveredFields(), name) && !slices.Contains(notUpdated(), name)
}

// unmanagedWanted reads the attribute unmanaged: the fields that are to be set,
// in normal form. What is null or empty is not among them. A field that the
// attribute cannot hold and a value of the wrong type are errors, since both can
// only come from a file that somebody changed.
func unmanagedWanted(attrs map[string]any) (map[string]any, error) {
	given, ok := attrs[unmanaged].(map[string]any)
	if attrs[unmanaged] != nil && !ok {
		return nil, fmt.Errorf("attribute %s is not a map", unmanaged)
	}
	want := make(map[string]any, len(given))
	for name, v := range given {
		if !unmanagedField(name) {
			return nil, notUnmanaged(name)
		}
		if s, known := tenantFields()[name]; known {
			normal, err := s.normal(model.Clone(v))
			if err != nil {
				return nil, fmt.Errorf("field %s %w", name, err)
			}
			v = normal
		}
		if v != nil {
			want[name] = v
		}
	}
	return want, nil
}

// overlayUnmanaged lays what is below unmanaged over a tenant as it was read,
// wherever it differs: the field that a path names, or every field.
func overlayUnmanaged(body map[string]json.RawMessage, below []string, t model.Transition) (changed bool, err error) {
	want, err := unmanagedWanted(t.After)
	if err != nil {
		return false, err
	}
	read, err := tenantNormalForm(t.Before.Observed.Raw)
	if err != nil {
		return false, fmt.Errorf("the tenant as it was read: %w", err)
	}
	have, names := unmanagedFields(read), below
	switch {
	case len(below) > 1:
		return false, fmt.Errorf("%s is inside a field", model.JoinPath(append([]string{unmanaged}, below...)...))
	case len(below) == 0:
		names = slices.Concat(slices.Collect(maps.Keys(have)), slices.Collect(maps.Keys(want)))
	case !unmanagedField(below[0]):
		return false, notUnmanaged(below[0])
	}
	for _, name := range names {
		if !model.Equal(have[name], want[name]) {
			changed = true
			body[name] = spelled(name, want[name])
		}
	}
	return changed, nil
}

func notUnmanaged(name string) error {
	return fmt.Errorf("field %s cannot be written as %s", quoted(name), model.JoinPath(unmanaged, name))
}

// spelled is a field as it is sent. One that is to hold nothing is spelt out:
// Descope: null and, for a field of known type, its zero mean "not set", whereas
// a field that is left out is kept or lost, depending on whom one believes.
func spelled(name string, v any) json.RawMessage {
	if v != nil {
		return model.CanonicalJSON(v)
	}
	switch s, known := tenantFields()[name]; {
	case !known:
		return json.RawMessage("null")
	case s == text:
		return json.RawMessage(`""`)
	case s == flag:
		return json.RawMessage("false")
	case s == set:
		return json.RawMessage("[]")
	default:
		return json.RawMessage("{}")
	}
}

// isNull reports whether a field as it is spelt is null.
func isNull(raw json.RawMessage) bool { return bytes.Equal(bytes.TrimSpace(raw), []byte("null")) }
