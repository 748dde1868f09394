package plan

import (
	"slices"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// moved says who moved one field since the last apply of its object. A field
// that was not managed then is the configuration's move; where there was no
// apply and there is an object, nobody knows.
func moved(t trio, f field, live, want any) Side {
	if t.last == nil {
		if t.live == nil {
			return Config
		}
		return Unknown
	}
	last, known := lastValue(t.last, f)
	switch {
	case !known, Same(t.last.Key.Kind, f.name, last, live):
		return Config
	case Same(t.last.Key.Kind, f.name, last, want):
		return Live
	default:
		return Both
	}
}

// Same reports that two values of one field, or of one attribute, mean the same.
func Same(k model.Kind, path string, a, b any) bool {
	if model.Equal(a, b) {
		return true
	}
	return k == model.Flow && path == definition && sameFlow(a, b)
}

// lastValue is the value of a field as verified after the last apply, [Absent]
// where the field was seen to be absent; known is false where the field was not
// managed then.
func lastValue(last *model.Resource, f field) (value any, known bool) {
	v, known := last.Attrs[f.name]
	if !f.keyed {
		return v, known
	}
	m, isMap := v.(map[string]any)
	if !isMap {
		return nil, false
	}
	if v, known = m[f.key]; known && v != nil {
		return v, true
	}
	// A null says "not set"; an exclusive map has no keys but its own.
	return Absent{}, known || slices.Contains(last.Policy.Exclusive, f.name)
}

// movedSince reports whether a live object differs from what was last applied; in
// a map that was managed whole, a key that came counts too.
func movedSince(spec *model.KindSpec, t trio) bool {
	live := flat(spec, t.live.Attrs)
	for path, v := range flat(spec, t.last.Attrs) {
		now := at(live, path)
		if v == nil && split(path).keyed {
			v = Absent{}
		}
		if !Same(spec.Kind, path, v, now) {
			return true
		}
	}
	for _, name := range t.last.Policy.Exclusive {
		now, _ := t.live.Attrs[name].(map[string]any)
		then := ours(t.last, name)
		for k := range now {
			if _, known := then[k]; !known && then != nil {
				return true
			}
		}
	}
	return false
}

// sumMoved is the one side that moved all fields, or Both. Where there are none,
// the object itself came from the configuration.
func sumMoved(fields []FieldChange) Side {
	if len(fields) == 0 {
		return Config
	}
	for _, f := range fields {
		if f.Moved != fields[0].Moved {
			return Both
		}
	}
	return fields[0].Moved
}

// Applied is what to remember of an object whose apply was verified: the values
// of its managed fields as they are live now, and its policy. It is the form
// that the last state of [Compute] has. A key of a map attribute that is managed
// as "not set" is remembered as null; what the policy ignores is not remembered.
//
// Remember it for every change that was done. For an unchanged object that is
// in last already, remembering it again lets a changed policy take effect.
func Applied(want, live model.Resource) model.Resource {
	spec := model.Spec(want.Key.Kind)
	attrs := map[string]any{}
	for name, v := range managed(&spec, want.Attrs, live.Attrs, want.Policy) {
		now, exists := live.Attrs[name]
		written, isMap := v.(map[string]any)
		switch {
		case isMap && slices.Contains(spec.Maps, name):
			attrs[name] = appliedMap(name, written, now, want.Policy)
		case exists:
			attrs[name] = now
		}
	}
	policy := want.Policy
	policy.UpdateOnly = false // of the desired resource, not of the object
	return model.Resource{Key: want.Key, Attrs: attrs, Policy: policy}
}

func appliedMap(name string, written map[string]any, live any, policy model.Policy) map[string]any {
	now, _ := live.(map[string]any)
	out := make(map[string]any, len(written))
	for k := range written {
		if !policy.Ignores(model.JoinPath(name, k)) {
			out[k] = now[k]
		}
	}
	return out
}
