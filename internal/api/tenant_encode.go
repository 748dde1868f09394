package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// notUpdated are the fields of a tenant that its update endpoint does not take.
// Descope: the parent is fixed at creation, the SSO domains belong to the SSO
// settings, the default roles have an endpoint of their own, and the rest is
// the server's.
func notUpdated() []string {
	return []string{"createdTime", "successors", "parent", "domains", "defaultRoles"}
}

func encodeTenant(t model.Transition) ([]model.Step, error) {
	switch {
	case t.Before == nil && t.After == nil:
		return nil, nil
	case t.Before == nil:
		return encodeTenantCreate(t)
	case t.After == nil:
		body := map[string]any{"id": t.Key.ID, "cascade": t.Cascade}
		return []model.Step{{Op: model.TenantDelete, Key: t.Key, Body: model.CanonicalJSON(body)}}, nil
	default:
		return encodeTenantUpdate(t)
	}
}

func encodeTenantCreate(t model.Transition) ([]model.Step, error) {
	body := map[string]any{"id": t.Key.ID}
	for attr := range t.After {
		if attr == unmanaged {
			continue
		}
		wire, value, err := tenantWire(attr, t.After)
		switch {
		case err != nil:
			return nil, err
		case wire == "defaultRoles" || wire == "parent" && value == "":
		default:
			body[wire] = value
		}
	}
	rest, err := unmanagedWanted(t.After)
	if err != nil {
		return nil, err
	}
	whole := maps.Clone(body) // for an update, which replaces the whole tenant
	delete(whole, "parent")
	maps.Copy(whole, rest)
	for _, name := range createdFields() {
		if v, ok := rest[name]; ok {
			body[name] = v
			delete(rest, name)
		}
	}
	steps := []model.Step{{Op: model.TenantCreate, Key: t.Key, Body: model.CanonicalJSON(body)}}
	if len(rest) > 0 {
		steps = append(steps, model.Step{Op: model.TenantUpdate, Key: t.Key, Body: model.CanonicalJSON(whole)})
	}
	if roles, _ := t.After["default_roles"].([]any); len(roles) > 0 {
		steps = append(steps, defaultRoles(t.Key, roles))
	}
	return steps, nil
}

// tenantWire is the field of Descope that an attribute is written to, and the
// value that it gets there. Two attributes may share a field.
func tenantWire(attr string, attrs map[string]any) (wire string, value any, err error) {
	switch value = attrs[attr]; attr {
	case "name":
		return "name", value, nil
	case "domains", "self_provisioning":
		domains, _ := attrs["domains"].([]any)
		if on, ok := attrs["self_provisioning"].(bool); domains == nil || ok && !on {
			domains = []any{}
		}
		return "selfProvisioningDomains", domains, nil
	case "custom_attributes":
		given, _ := value.(map[string]any)
		set := map[string]any{}
		for k, v := range given {
			if v != nil { // null: not set
				set[k] = v
			}
		}
		return "customAttributes", set, nil
	case "parent":
		return "parent", value, nil
	case "disabled":
		return "disabled", value, nil
	case "role_inheritance":
		return "roleInheritance", value, nil
	case "default_roles":
		return "defaultRoles", value, nil
	default:
		return "", nil, fmt.Errorf("a tenant has no attribute %s", quoted(attr))
	}
}

func defaultRoles(key model.Key, roles []any) model.Step {
	body := map[string]any{"id": key.ID, "defaultRoles": roles}
	return model.Step{Op: model.TenantDefaultRoles, Key: key, Body: model.CanonicalJSON(body)}
}

// encodeTenantUpdate lays what differs over the tenant as it was received.
// Descope: an update replaces the whole tenant, so that every field that is not
// sent back is lost. What we do not manage therefore stays byte for byte.
func encodeTenantUpdate(t model.Transition) ([]model.Step, error) {
	if t.Before.Observed == nil {
		return nil, errors.New("it was not read from Descope, so an update would lose what it does not know")
	}
	var body map[string]json.RawMessage
	if err := json.Unmarshal(t.Before.Observed.Raw, &body); err != nil {
		return nil, fmt.Errorf("the tenant as it was read: %w", err)
	}
	if id, err := idOf(t.Before.Observed.Raw); err != nil || id != t.Key.ID {
		return nil, fmt.Errorf("the tenant as it was read is not %s but %s", quoted(t.Key.ID), quoted(id))
	}
	update, roles := false, false
	for _, path := range t.Managed {
		elements, ok := model.SplitPath(path)
		if !ok {
			return nil, fmt.Errorf("%s is not a path", quoted(path))
		}
		if elements[0] == unmanaged {
			changed, err := overlayUnmanaged(body, elements[1:], t)
			if err != nil {
				return nil, err
			}
			update = update || changed
			continue
		}
		wire, want, err := tenantWire(elements[0], t.After)
		if err != nil {
			return nil, err
		}
		_, have, err := tenantWire(elements[0], t.Before.Attrs)
		if err != nil {
			return nil, err
		}
		if wire == "customAttributes" && len(elements) > 1 {
			changed, err := overlayKey(body, wire, elements[1], have, want)
			if err != nil {
				return nil, err
			}
			update = update || changed
			continue
		}
		switch {
		case sameSet(wire, have, want):
		case wire == "parent":
			return nil, fmt.Errorf("the parent of a tenant is fixed at its creation; Descope has no call that changes %s to %s", quoted(fmt.Sprint(have)), quoted(fmt.Sprint(want)))
		case wire == "defaultRoles":
			roles = true
		case wire == "customAttributes":
			update = true
			if err := overlayMap(body, wire, have, want); err != nil {
				return nil, err
			}
		default:
			update = true
			body[wire] = model.CanonicalJSON(want)
		}
	}
	var steps []model.Step
	if update {
		for _, name := range notUpdated() {
			delete(body, name)
		}
		encoded, err := encodeRaw(body)
		if err != nil {
			return nil, err
		}
		steps = append(steps, model.Step{Op: model.TenantUpdate, Key: t.Key, Body: encoded})
	}
	if roles {
		want, _ := t.After["default_roles"].([]any)
		steps = append(steps, defaultRoles(t.Key, append([]any{}, want...)))
	}
	return steps, nil
}

// sameSet compares two values of one field.
func sameSet(wire string, a, b any) bool {
	if tenantFields()[wire] == set {
		la, _ := a.([]any)
		lb, _ := b.([]any)
		return slices.EqualFunc(model.SortedSet(la), model.SortedSet(lb), model.Equal)
	}
	return model.Equal(a, b)
}

// overlayMap lays the keys that differ over a map field.
func overlayMap(body map[string]json.RawMessage, field string, have, want any) error {
	keys := map[string]bool{}
	for _, side := range []any{have, want} {
		m, _ := side.(map[string]any)
		for k := range m {
			keys[k] = true
		}
	}
	for k := range keys {
		if _, err := overlayKey(body, field, k, have, want); err != nil {
			return err
		}
	}
	return nil
}

// overlayKey lays one key over a map field, if it differs, and leaves the
// others as they were spelt.
func overlayKey(body map[string]json.RawMessage, field, key string, have, want any) (changed bool, err error) {
	h, _ := have.(map[string]any)
	w, _ := want.(map[string]any)
	if model.Equal(h[key], w[key]) {
		return false, nil
	}
	var inner map[string]json.RawMessage
	if body[field] != nil {
		if err := json.Unmarshal(body[field], &inner); err != nil {
			return false, fmt.Errorf("field %s as it was read: %w", field, err)
		}
	}
	if inner == nil {
		inner = map[string]json.RawMessage{}
	}
	if value, ok := w[key]; ok {
		inner[key] = model.CanonicalJSON(value)
	} else {
		delete(inner, key)
	}
	body[field], err = encodeRaw(inner)
	return true, err
}

// encodeRaw writes an object with sorted keys and each value as it is spelt.
func encodeRaw(m map[string]json.RawMessage) (json.RawMessage, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(m); err != nil {
		return nil, err
	}
	return bytes.TrimSpace(b.Bytes()), nil
}
