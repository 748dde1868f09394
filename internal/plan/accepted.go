package plan

import (
	"fmt"
	"maps"
	"slices"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// Accepted is drift that somebody has decided to live with: a value of the project
// that may stay although the configuration says otherwise. It holds for that value
// only, and is void as soon as the live value is another one.
type Accepted struct {
	Key model.Key
	// Path is the path of a field as in [FieldChange], or "" for the existence of
	// the object.
	Path string
	// Value is the live value, [Absent] where there is none. For an object that
	// exists and is gone from the configuration it is any other value, true by custom.
	// Of a document it is the digest of its meaning: see [LiveValue].
	Value any
	// Configured is the value that the configuration had in the same form, [Absent]
	// where it had none; nil is whatever it has. Once the configuration says something
	// else, that is meant.
	Configured any
}

// FieldKey names a field of an object; Path is "" for the object itself.
type FieldKey struct {
	Key  model.Key `json:"address"`
	Path string    `json:"path"`
}

// LiveValue is a live value as [Accepted] keeps it: the digest of the meaning of the
// document of a flow, and the value itself of all else.
func LiveValue(k model.Kind, path string, live any) any {
	if k != model.Flow || path != definition {
		return live
	}
	if f, ok := documentOf(live); ok {
		return f.Normal().Digest()
	}
	return live
}

// accept lets what was accepted be: it returns t with the live values wanted, and
// whether the object is to be left alone altogether.
func (c *computation) accept(spec *model.KindSpec, t trio) (trio, bool) {
	key := t.key()
	var fields []Accepted
	for _, a := range c.accepted[key] {
		_, absent := a.Value.(Absent)
		switch {
		case a.Path != "":
			fields = append(fields, a)
		case (t.want != nil) == (t.live != nil): // there is nothing to accept
		case absent == (t.live == nil):
			c.plan.Accepted = append(c.plan.Accepted, FieldKey{key, ""})
			return t, true
		default:
			c.void(a, "it exists no more, or again")
		}
	}
	if t.want == nil || t.live == nil || len(fields) == 0 {
		return t, false
	}
	want := *t.want
	want.Attrs = maps.Clone(want.Attrs)
	target := effective(spec, t, mergePolicy(t.want, t.last))
	live, after := flat(spec, t.live.Attrs), flat(spec, target)
	for _, a := range fields {
		now := at(live, a.Path)
		switch {
		case Same(spec.Kind, a.Path, now, at(after, a.Path)): // there is no difference any more
		case !model.Equal(LiveValue(spec.Kind, a.Path, now), a.Value):
			c.void(a, "its live value moved again, to "+show(LiveValue(spec.Kind, a.Path, now)))
		case a.Configured != nil && !model.Equal(LiveValue(spec.Kind, a.Path, at(after, a.Path)), a.Configured):
			c.void(a, "the configuration says something else since, "+show(LiveValue(spec.Kind, a.Path, at(after, a.Path))))
		default:
			leave(want.Attrs, t.live.Attrs, target, split(a.Path))
			c.plan.Accepted = append(c.plan.Accepted, FieldKey{key, a.Path})
		}
	}
	t.want = &want
	return t, false
}

// leave makes a live value the wanted one. A key of a map that is not there live is
// wanted as "not set". A map that is not written is wanted as it would become, since
// one that is written may be managed whole.
func leave(want, live, target map[string]any, f field) {
	if !f.keyed {
		keep(want, live, []string{f.name})
		return
	}
	inner, _ := want[f.name].(map[string]any)
	if inner == nil {
		inner, _ = target[f.name].(map[string]any)
	}
	inner = maps.Clone(inner)
	if inner == nil {
		inner = map[string]any{}
	}
	now, _ := live[f.name].(map[string]any)
	inner[f.key] = now[f.key]
	want[f.name] = inner
}

func (c *computation) void(a Accepted, why string) {
	what := a.Key.String()
	if a.Path != "" {
		what += " " + a.Path
	}
	c.warnings = append(c.warnings, model.Diagnostic{
		Severity: model.Warning, Code: "acceptance-void", Key: &a.Key, Path: a.Path,
		Summary: fmt.Sprintf("that %s differs was accepted, which does not hold any more: %s", what, why),
		Hint:    "descope-mgmt drift --resolve --env " + c.options.Environment,
	})
}

// byAccepted are acceptances by object.
func byAccepted(list []Accepted) map[model.Key][]Accepted {
	out := make(map[model.Key][]Accepted, len(list))
	for _, a := range list {
		out[a.Key] = append(out[a.Key], a)
	}
	return out
}

// AppliedBut is [Applied], but for the accepted fields of the object, of which was
// stays on record: what is live there was moved by somebody, and must still be seen
// as that once the acceptance ends. was is nil for an object without a record.
func AppliedBut(accepted []FieldKey, want, live model.Resource, was *model.Resource) model.Resource {
	out := Applied(want, live)
	spec := model.Spec(want.Key.Kind)
	var old map[string]any
	if was != nil {
		old = was.Attrs
	}
	for _, a := range accepted {
		if a.Key != want.Key || a.Path == "" {
			continue
		}
		f := split(a.Path)
		if !f.keyed {
			keep(out.Attrs, old, []string{f.name})
			continue
		}
		inner, _ := out.Attrs[f.name].(map[string]any)
		inner = maps.Clone(inner)
		before, _ := old[f.name].(map[string]any)
		v, known := before[f.key]
		if known || before != nil && slices.Contains(was.Policy.Exclusive, f.name) { // null: seen to be absent
			if inner == nil {
				inner = map[string]any{}
			}
			inner[f.key] = v
		} else {
			delete(inner, f.key)
		}
		if inner != nil && slices.Contains(spec.Maps, f.name) {
			out.Attrs[f.name] = inner
		}
	}
	return out
}
