package plan

import (
	"slices"
	"strings"

	"github.com/r3labs/diff/v3"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// field names one unit of comparison: an attribute, or one key of an attribute
// that is managed key by key (whose key may be empty).
type field struct {
	name, key string
	keyed     bool
}

// flat takes attributes apart into fields by path. An empty map attribute has
// no fields: empty and absent are the same there.
func flat(spec *model.KindSpec, attrs map[string]any) map[string]any {
	out := make(map[string]any, len(attrs))
	for name, v := range attrs {
		m, ok := v.(map[string]any)
		if !ok || !slices.Contains(spec.Maps, name) {
			out[model.JoinPath(name)] = v
			continue
		}
		for k, e := range m {
			out[model.JoinPath(name, k)] = e
		}
	}
	return out
}

// differences compares two sides of one object, field by field.
//
// r3labs/diff sees every field spelled as canonical JSON. Its traps (lists as
// sets, a null that equals nothing, numbers that equal strings, an error where
// types differ) have nothing to bite on then, and one text differs from another
// exactly where the values do.
func differences(spec *model.KindSpec, t trio, before, after map[string]any) ([]FieldChange, error) {
	a, b := flat(spec, before), flat(spec, after)
	d, err := diff.NewDiffer(diff.DisableStructValues(), diff.AllowTypeMismatch(true), diff.SliceOrdering(true))
	if err != nil {
		return nil, err
	}
	log, err := d.Diff(spell(a), spell(b))
	if err != nil {
		return nil, err
	}
	fields := make([]FieldChange, 0, len(log))
	for _, entry := range log {
		fields = append(fields, fieldChange(spec, t, entry.Path[0], a, b))
	}
	sortFields(fields)
	return fields, nil
}

func spell(values map[string]any) map[string]string {
	out := make(map[string]string, len(values))
	for path, v := range values {
		out[path] = string(model.CanonicalJSON(v))
	}
	return out
}

// allFields lists every field of an object that comes or goes.
func allFields(spec *model.KindSpec, t trio, before, after map[string]any) []FieldChange {
	a, b := flat(spec, before), flat(spec, after)
	fields := make([]FieldChange, 0, len(a)+len(b))
	for path := range a {
		fields = append(fields, fieldChange(spec, t, path, a, b))
	}
	for path := range b {
		fields = append(fields, fieldChange(spec, t, path, a, b))
	}
	sortFields(fields)
	return fields
}

func sortFields(fields []FieldChange) {
	slices.SortFunc(fields, func(a, b FieldChange) int { return strings.Compare(a.Path, b.Path) })
}

func fieldChange(spec *model.KindSpec, t trio, path string, before, after map[string]any) FieldChange {
	f := split(path)
	c := FieldChange{
		Path: path, Before: at(before, path), After: at(after, path),
		Sensitive: sensitive(spec, path),
	}
	if t.want != nil {
		c.Origin = t.want.FieldOrigin(path)
	}
	c.Moved = moved(t, f, c.Before, c.After)
	c.Note = note(spec.Kind, f, c, after)
	return c
}

func sensitive(spec *model.KindSpec, path string) bool {
	return slices.Contains(spec.Sensitive, split(path).name) || slices.Contains(spec.Sensitive, path)
}

// split takes apart a path that flat wrote.
func split(path string) field {
	elements, _ := model.SplitPath(path)
	f := field{name: elements[0]}
	if len(elements) > 1 {
		f.key, f.keyed = elements[1], true
	}
	return f
}

func at(values map[string]any, path string) any {
	if v, ok := values[path]; ok {
		return v
	}
	return Absent{}
}
