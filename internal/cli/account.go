package cli

import (
	"maps"
	"slices"

	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
	"pcconnect.ai/descope-mgmt/internal/store"
)

// The statuses of a change in the record of a run.
const (
	statusDone    = "done"
	statusFailed  = "failed"
	statusNotRun  = "not_run"
	statusUnknown = "unknown"
)

// account is what became of every change of a run on record, in plan order: what
// the run itself wrote down at its end or, where it did not come to its end, what
// its journal and the live project tell.
func account(rec *store.RunRecord, live model.State) []store.RunOutcome {
	return told(rec, func(ch plan.Change) bool { return took(ch, live) })
}

// told is account where took says whether the project is as a change leaves it.
func told(rec *store.RunRecord, took func(plan.Change) bool) []store.RunOutcome {
	if rec.Result != nil {
		return rec.Result.Outcomes
	}
	outcomes := make([]store.RunOutcome, len(rec.Plan.Changes))
	intended := make([]map[int]bool, len(outcomes))
	for i, ch := range rec.Plan.Changes {
		outcomes[i] = store.RunOutcome{Key: ch.Key, Action: string(ch.Action), Status: statusNotRun}
		intended[i] = map[int]bool{}
	}
	for _, e := range rec.Journal {
		o := &outcomes[e.Change]
		if e.Kind == store.EntryIntent {
			intended[e.Change][e.Step] = true
			continue
		}
		delete(intended[e.Change], e.Step)
		o.Attempts += e.Attempts
		switch e.Outcome {
		case statusDone:
			o.StepsDone++
		case statusFailed, statusUnknown:
			o.Status, o.Error = e.Outcome, e.Reason
		}
	}
	for i, ch := range rec.Plan.Changes {
		o := &outcomes[i]
		sent := o.StepsDone > 0 || o.Status != statusNotRun || len(intended[i]) > 0
		switch {
		case !sent:
		case o.StepsDone == len(ch.Steps), took(ch):
			o.Status, o.Error = statusDone, ""
		case len(intended[i]) > 0:
			o.Status, o.Error = statusUnknown, "the run ended before the answer came"
		case o.StepsDone > 0 && o.Status != statusUnknown:
			o.Status = statusFailed
		}
	}
	return outcomes
}

// took reports whether the project is as a change leaves it.
func took(ch plan.Change, live model.State) bool {
	is, exists := live.Get(ch.Key)
	if ch.Action == plan.Delete || !exists {
		return ch.Action == plan.Delete && !exists
	}
	return !slices.ContainsFunc(ch.Fields, func(f plan.FieldChange) bool {
		return !plan.Same(ch.Key.Kind, f.Path, valueAt(is.Attrs, f.Path), f.After)
	})
}

// valueAt is the value at a path of attributes, or [plan.Absent].
func valueAt(attrs map[string]any, path string) any {
	elements, ok := model.SplitPath(path)
	if !ok {
		return plan.Absent{}
	}
	var v any = attrs
	for _, e := range elements {
		m, _ := v.(map[string]any)
		inner, found := m[e]
		if !found {
			return plan.Absent{}
		}
		v = inner
	}
	return v
}

// applied is what a run makes of the record of what was last applied: done are the
// values of what was done, and begun are those of objects that it created or was
// allowed to adopt and did not finish. Those are ours all the same; what they are not
// yet of what they are to be is left to the next run, and nobody's drift. An object
// that is there, under its name, where nobody knows what became of its creation, was
// created: it was looked for just before. What a rollback makes again is as much ours
// as it was when it was deleted.
func applied(last model.State, rec *store.RunRecord, outcomes []store.RunOutcome, live model.State) (model.State, error) {
	now := byKey(last)
	for i, o := range outcomes {
		ch := rec.Plan.Changes[i]
		want, wanted := rec.Desired.Get(o.Key)
		is, exists := live.Get(o.Key)
		was, recorded := now[o.Key]
		if before, ours := rec.Ours.Get(o.Key); restores(rec.Info.Operation) && ours {
			was, recorded = before, true
		}
		switch {
		case o.Status == statusNotRun, !model.Spec(o.Key.Kind).Configured():
		case ch.Action == plan.Delete:
			if o.Status == statusDone {
				delete(now, o.Key)
			}
		case !wanted, restores(rec.Info.Operation) && !recorded:
		case o.Status == statusDone:
			sent := plan.AppliedBut(rec.Plan.Accepted, want, model.Resource{Key: o.Key, Attrs: ch.After}, recordOf(was, recorded))
			if restores(rec.Info.Operation) {
				sent = replaced(was, sent)
			}
			now[o.Key] = sent
		case exists && o.StepsDone > 0 && (ch.Action == plan.Create || ch.Adopts || recorded),
			exists && o.Status == statusUnknown && ch.Action == plan.Create && model.Equal(is.Attrs["name"], ch.After["name"]):
			part := plan.Applied(reached(want, ch, is), is)
			switch {
			case recorded && restores(rec.Info.Operation) && ch.Action == plan.Create:
				was.Attrs = setSoFar(was.Attrs, is.Attrs)
				part = was
			case recorded && restores(rec.Info.Operation):
				part = replaced(was, part)
			case recorded:
				part = joined(was, part)
			}
			now[o.Key] = part
		}
	}
	return stateOf(now)
}

// recordOf is a record, nil where there is none.
func recordOf(was model.Resource, recorded bool) *model.Resource {
	if !recorded {
		return nil
	}
	return &was
}

// reached is what an object was to be, without what it is not.
func reached(want model.Resource, ch plan.Change, is model.Resource) model.Resource {
	want.Attrs = maps.Clone(want.Attrs)
	maps.DeleteFunc(want.Attrs, func(name string, _ any) bool { return !model.Equal(ch.After[name], is.Attrs[name]) })
	return want
}

// joined lays the values of a record over an older one of the same object, whose
// policy stays: key by key in a map attribute.
func joined(was, now model.Resource) model.Resource {
	attrs := maps.Clone(was.Attrs)
	if attrs == nil {
		attrs = map[string]any{}
	}
	spec := model.Spec(now.Key.Kind)
	for name, v := range now.Attrs {
		inner, isMap := v.(map[string]any)
		old, wasMap := attrs[name].(map[string]any)
		if isMap && wasMap && slices.Contains(spec.Maps, name) {
			merged := maps.Clone(old)
			maps.Copy(merged, inner)
			v = merged
		}
		attrs[name] = v
	}
	was.Key, was.Attrs = now.Key, attrs
	return was
}

// replaced gives the values that a record has already the ones that they have now, and
// adds none: what a rollback or a restore writes beside those is not ours for that.
func replaced(was, now model.Resource) model.Resource {
	attrs := maps.Clone(was.Attrs)
	spec := model.Spec(now.Key.Kind)
	for name, old := range was.Attrs {
		v, written := now.Attrs[name]
		inner, isMap := v.(map[string]any)
		keys, wasMap := old.(map[string]any)
		switch {
		case !written:
		case isMap && wasMap && slices.Contains(spec.Maps, name):
			merged := maps.Clone(keys)
			for k := range keys {
				if v, written := inner[k]; written {
					merged[k] = v
				}
			}
			attrs[name] = merged
		default:
			attrs[name] = v
		}
	}
	was.Attrs = attrs
	return was
}

func byKey(s model.State) map[model.Key]model.Resource {
	m := make(map[model.Key]model.Resource, s.Len())
	for _, r := range s.Resources() {
		m[r.Key] = r
	}
	return m
}

func stateOf(m map[model.Key]model.Resource) (model.State, error) {
	return model.NewState(slices.Collect(maps.Values(m)))
}
