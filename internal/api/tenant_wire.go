package api

import (
	"encoding/json"
	"errors"
	"fmt"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// shape is the JSON type of a known field, whose zero Descope may write, leave
// out or write as null.
type shape int

const (
	text shape = iota
	flag
	set    // a list of strings whose order carries no meaning
	object // a map
)

// tenantFields are the fields of a tenant that are known to us. An unknown one
// is kept as it is.
func tenantFields() map[string]shape {
	return map[string]shape{
		"id": text, "name": text, "selfProvisioningDomains": set, "customAttributes": object,
		"authType": text, "domains": set, "disabled": flag, "enforceSSO": flag,
		"enforceSSOExclusions": set, "federatedAppIds": set, "parent": text, "defaultRoles": set,
		"roleInheritance": text, "idJagSettings": object, "idJagEnabled": flag,
	}
}

// volatileTenantFields change without anybody having changed the tenant.
func volatileTenantFields() []string { return []string{"createdTime", "successors"} }

// decodeTenant makes a live resource of a tenant as Descope sends it.
func decodeTenant(raw json.RawMessage) (model.Resource, error) {
	fields, err := tenantNormalForm(raw)
	if err != nil {
		return model.Resource{}, err
	}
	id, _ := fields["id"].(string)
	if id == "" {
		return model.Resource{}, errors.New("a tenant without an id")
	}
	domains := orEmpty(fields["selfProvisioningDomains"])
	name, _ := fields["name"].(string)
	parent, _ := fields["parent"].(string)
	inheritance, _ := fields["roleInheritance"].(string)
	disabled, _ := fields["disabled"].(bool)
	attributes, _ := model.Clone(fields["customAttributes"]).(map[string]any)
	if attributes == nil {
		attributes = map[string]any{}
	}
	return model.Resource{
		Key: model.Key{Kind: model.Tenant, ID: id},
		Attrs: model.Sorted(model.Tenant, map[string]any{
			"name":              name,
			"domains":           domains,
			"self_provisioning": len(domains) > 0,
			"custom_attributes": attributes,
			"parent":            parent,
			"disabled":          disabled,
			"role_inheritance":  inheritance,
			"default_roles":     orEmpty(fields["defaultRoles"]),
		}),
		Observed: &model.Observed{Raw: raw, Fields: fields},
	}, nil
}

func orEmpty(v any) []any {
	l, _ := v.([]any)
	return append([]any{}, l...)
}

// tenantNormalForm decodes a tenant so that equal tenants are equal: known
// fields that hold nothing are left out, sets are sorted, volatile fields are
// dropped. A known field of another type is an error: it would be taken for
// nothing otherwise, and nothing can be overwritten.
func tenantNormalForm(raw json.RawMessage) (map[string]any, error) {
	v, err := model.DecodeJSON(raw)
	if err != nil {
		return nil, err
	}
	fields, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New("a tenant that is not a JSON object")
	}
	return tenantNormalFields(fields)
}

// tenantNormalFields brings the fields of a tenant into normal form, in place.
func tenantNormalFields(fields map[string]any) (map[string]any, error) {
	for _, name := range volatileTenantFields() {
		delete(fields, name)
	}
	for name, s := range tenantFields() {
		v, ok := fields[name]
		if !ok {
			continue
		}
		normal, err := s.normal(v)
		if err != nil {
			return nil, fmt.Errorf("field %s of tenant %s %w", name, quoted(fmt.Sprint(fields["id"])), err)
		}
		if normal == nil {
			delete(fields, name)
		} else {
			fields[name] = normal
		}
	}
	return fields, nil
}

// normal is a value of the shape in normal form, nil if it is the zero value.
func (s shape) normal(v any) (any, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case string:
		if s == text {
			return nonZero(v, v == ""), nil
		}
	case bool:
		if s == flag {
			return nonZero(v, !v), nil
		}
	case []any:
		if s == set {
			for _, e := range v {
				if _, ok := e.(string); !ok {
					return nil, errors.New("is a list of something else than strings")
				}
			}
			return nonZero(model.SortedSet(v), len(v) == 0), nil
		}
	case map[string]any:
		if s == object {
			for k, e := range v {
				if e == nil {
					delete(v, k)
				}
			}
			return nonZero(v, len(v) == 0), nil
		}
	}
	return nil, errors.New("has an unexpected type")
}

func nonZero(v any, zero bool) any {
	if zero {
		return nil
	}
	return v
}

// tenantIsAsSent reports whether a live tenant has every field that a payload
// sets.
func tenantIsAsSent(body json.RawMessage, live model.Resource, exists bool) bool {
	if !exists || live.Observed == nil {
		return false
	}
	want, err := tenantNormalForm(body)
	if err != nil {
		return false
	}
	var sent map[string]json.RawMessage
	if json.Unmarshal(body, &sent) != nil {
		return false
	}
	for name := range sent {
		// Null is as good as absent: it is how a field is taken away.
		if !model.Equal(want[name], live.Observed.Fields[name]) {
			return false
		}
	}
	return true
}

// tenantAfter is a tenant after a write: as it was, with the fields of the
// payload on top, or the payload alone if it did not exist.
func tenantAfter(body json.RawMessage, live model.Resource, exists bool) (after model.Resource, there, known bool) {
	fields := map[string]json.RawMessage{}
	if exists {
		if err := json.Unmarshal(live.Observed.Raw, &fields); err != nil {
			return model.Resource{}, false, false
		}
	}
	var sent map[string]json.RawMessage
	if err := json.Unmarshal(body, &sent); err != nil {
		return model.Resource{}, false, false
	}
	for name, v := range sent {
		if was, ok := fields[name]; isNull(v) && (!ok || !isNull(was)) {
			delete(fields, name) // null takes a field away
			continue
		}
		fields[name] = v
	}
	raw, err := encodeRaw(fields)
	if err != nil {
		return model.Resource{}, false, false
	}
	after, err = decodeTenant(raw)
	return after, true, err == nil
}
