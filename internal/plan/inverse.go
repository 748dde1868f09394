package plan

import (
	"fmt"
	"maps"
	"slices"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// Inverse returns the inputs of [Compute] that take back what a run of p did, as
// an ordinary plan over a fresh read. done says which changes of p took effect,
// whole or in part; post are the live resources after that run.
//
// Only the fields that the run wrote are inverted: of an updated object desired
// holds these alone, with the values of before, and last holds what the run left
// there, so that a value which moved since is drift. A created object is in last
// alone, whole, an orphan that Options.Prune deletes; a deleted one in desired
// alone. An updated object that is gone since meets a guard and is not created.
//
// Without targets there is nothing to take back: do not call Compute then, to
// which no targets mean all. The caller may lay last over all that was applied,
// so that a mass change is measured against the whole project, and should set
// PreventDestroy as it was last applied: here it is as old as p.
func Inverse(p *Plan, done func(model.Key) bool, post model.State) (desired, last model.State, targets []model.Key) {
	var want, was []model.Resource
	for i := range p.Changes {
		ch := &p.Changes[i]
		if !done(ch.Key) {
			continue
		}
		now, exists := post.Get(ch.Key)
		policy := model.Policy{PreventDestroy: ch.Policy.PreventDestroy}
		switch ch.Action {
		case Create:
			if !exists {
				continue
			}
			spec := model.Spec(ch.Key.Kind)
			policy.Exclusive = slices.DeleteFunc(spec.Maps, func(name string) bool { return now.Attrs[name] == nil })
			was = append(was, model.Resource{Key: ch.Key, Attrs: now.Attrs, Policy: policy})
		case Delete:
			want = append(want, model.Resource{Key: ch.Key, Attrs: ch.Before, Policy: policy})
		case Update:
			back, left := invertFields(ch, now, exists)
			if len(back) == 0 {
				continue
			}
			was = append(was, model.Resource{Key: ch.Key, Attrs: left, Policy: policy})
			policy.UpdateOnly = true
			want = append(want, model.Resource{Key: ch.Key, Attrs: back, Policy: policy})
		}
		targets = append(targets, ch.Key)
	}
	slices.SortFunc(targets, model.Key.Compare)
	return newState(want), newState(was), targets
}

// invertFields returns the attributes that take an update back, and the same ones
// as the update left them.
func invertFields(ch *Change, now model.Resource, exists bool) (back, left map[string]any) {
	spec := model.Spec(ch.Key.Kind)
	back, left = map[string]any{}, map[string]any{}
	live := flat(&spec, now.Attrs)
	for _, f := range ch.Fields {
		is := at(live, f.Path)
		at := split(f.Path)
		switch {
		case exists && Same(spec.Kind, f.Path, is, f.Before): // the run did not get there
		case slices.Contains(spec.CreateOnly, at.name): // and cannot have got there
		case at.keyed:
			setKey(back, at, orNull(f.Before))
			setKey(left, at, orNull(is))
		default:
			values := coupled(&spec, at.name, ch.Before)
			if values == nil {
				values = map[string]any{at.name: emptyLike(f.After)}
			}
			maps.Copy(back, values)
			for name := range values {
				left[name] = now.Attrs[name]
			}
		}
	}
	return back, left
}

func setKey(attrs map[string]any, f field, v any) {
	m, ok := attrs[f.name].(map[string]any)
	if !ok {
		m = map[string]any{}
		attrs[f.name] = m
	}
	m[f.key] = v
}

// orNull spells a key that is not there as desired and applied resources do.
func orNull(v any) any {
	if _, absent := v.(Absent); absent {
		return nil
	}
	return v
}

// emptyLike is what Descope holds where an attribute was never set.
func emptyLike(v any) any {
	switch v.(type) {
	case string:
		return ""
	case bool:
		return false
	case []any:
		return []any{}
	case map[string]any:
		return map[string]any{}
	}
	return nil
}

// newState is for the resources of one plan, whose keys differ.
func newState(resources []model.Resource) model.State {
	s, err := model.NewState(resources)
	if err != nil {
		panic(fmt.Sprintf("plan: %v", err))
	}
	return s
}
