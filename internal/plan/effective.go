package plan

import (
	"maps"
	"slices"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// What must be left alone is copied from live into the desired attributes, so
// that the comparison itself knows no exceptions:
//
//   - an attribute that is not written stays as it is live;
//   - of an attribute in KindSpec.Maps, the keys that are neither written nor
//     ours (applied before) stay;
//   - what the policy ignores stays, in an object that exists.

// settled reports that a live object is as desired, and allocates nothing: it
// is asked for every object. A false answer means "look closer". It relies on
// KindSpec.Effective leaving alone what is written as it is live.
func settled(spec *model.KindSpec, t trio) bool {
	for name, v := range t.want.Attrs {
		if slices.Contains(spec.Maps, name) {
			continue
		}
		if now, ok := t.live.Attrs[name]; !ok || !model.Equal(v, now) {
			return false
		}
	}
	for _, name := range spec.Maps {
		if !settledMap(name, t) {
			return false
		}
	}
	return true
}

func settledMap(name string, t trio) bool {
	value, written := t.want.Attrs[name]
	want, ok := value.(map[string]any)
	if written && !ok {
		return false
	}
	live, _ := t.live.Attrs[name].(map[string]any)
	for k, v := range want {
		now, exists := live[k]
		if exists != (v != nil) || exists && !model.Equal(v, now) {
			return false
		}
	}
	if written && slices.Contains(t.want.Policy.Exclusive, name) {
		for k := range live {
			if _, ok := want[k]; !ok {
				return false
			}
		}
	}
	for k, v := range ours(t.last, name) {
		_, kept := want[k]
		if _, exists := live[k]; exists && !kept && v != nil {
			return false
		}
	}
	return true
}

// effective returns the attributes that the object is to have, complete.
func effective(spec *model.KindSpec, t trio, policy model.Policy) map[string]any {
	var live map[string]any
	if t.live != nil {
		live = t.live.Attrs
	}
	written := managed(spec, t.want.Attrs, live, policy)
	if spec.Kind == model.Flow {
		written = effectiveFlow(t, written)
	}
	after := make(map[string]any, len(live)+len(written))
	maps.Copy(after, live)
	for name, v := range written {
		after[name] = v
	}
	for _, name := range spec.Maps {
		value, isWritten := written[name]
		want, isMap := value.(map[string]any)
		was := ours(t.last, name)
		if isWritten && !isMap || !isWritten && len(was) == 0 {
			continue
		}
		now, _ := live[name].(map[string]any)
		after[name] = mergeMap(want, now, was, isWritten && slices.Contains(t.want.Policy.Exclusive, name))
	}
	if t.live != nil {
		for _, path := range policy.Ignore {
			if elements, ok := model.SplitPath(path); ok {
				keep(after, live, elements)
			}
		}
	}
	return after
}

// managed returns what the user wrote, without what the policy ignores and as
// the kind understands it.
func managed(spec *model.KindSpec, written, live map[string]any, policy model.Policy) map[string]any {
	dropped := false
	for _, path := range policy.Ignore {
		for name := range coupled(spec, path, live) {
			if _, ok := written[name]; ok {
				if !dropped {
					written, dropped = maps.Clone(written), true
				}
				delete(written, name)
			}
		}
	}
	if spec.Effective != nil {
		return spec.Effective(written, live)
	}
	return written
}

// coupled returns an attribute together with those that the kind derives from
// it: ignoring one of them and managing the other would contradict itself. It
// is empty for a path that is not an attribute.
func coupled(spec *model.KindSpec, path string, live map[string]any) map[string]any {
	v, ok := live[path]
	switch {
	case !ok:
		return nil
	case spec.Effective == nil:
		return map[string]any{path: v}
	}
	return spec.Effective(map[string]any{path: v}, live)
}

// mergeMap builds an attribute that is managed key by key. A written null and a
// key that was ours and is not written any more are removed.
func mergeMap(want, live, was map[string]any, exclusive bool) map[string]any {
	out := make(map[string]any, len(live)+len(want))
	if !exclusive {
		maps.Copy(out, live)
	}
	for k, v := range was {
		if _, kept := want[k]; !kept && v != nil {
			delete(out, k)
		}
	}
	for k, v := range want {
		if v == nil {
			delete(out, k)
		} else {
			out[k] = v
		}
	}
	return out
}

// ours are the keys of a map attribute that we applied; null stands for a key
// that we saw to be absent.
func ours(last *model.Resource, name string) map[string]any {
	if last == nil {
		return nil
	}
	m, _ := last.Attrs[name].(map[string]any)
	return m
}

// keep copies one path from src into dst. The maps on the way are copied, since
// they may be shared.
func keep(dst, src map[string]any, path []string) {
	if len(path) == 0 {
		return
	}
	name := path[0]
	if len(path) == 1 {
		if v, ok := src[name]; ok {
			dst[name] = v
		} else {
			delete(dst, name)
		}
		return
	}
	inner, ok := dst[name].(map[string]any)
	if !ok {
		return
	}
	from, _ := src[name].(map[string]any)
	inner = maps.Clone(inner)
	keep(inner, from, path[1:])
	dst[name] = inner
}

// mergePolicy adds the policy remembered from the last apply to the one that is
// written, so that deleting a lifecycle block does not lift it in the same run.
// Both may be nil.
func mergePolicy(want, last *model.Resource) model.Policy {
	var p model.Policy
	if want != nil {
		p = want.Policy
	}
	if last == nil {
		return p
	}
	p.PreventDestroy = p.PreventDestroy || last.Policy.PreventDestroy
	p.Ignore = slices.Clone(p.Ignore)
	for _, path := range last.Policy.Ignore {
		if !slices.Contains(p.Ignore, path) {
			p.Ignore = append(p.Ignore, path)
		}
	}
	return p
}
