package apply

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
)

// StaleError says that an object is not any more what its change was computed
// from. Nothing was sent for the step.
type StaleError struct {
	Key model.Key
	// Fields are what moved, sorted by path, Before as planned and After as it
	// is. The paths are names of plan.Image: Descope's own. Empty if Gone or
	// Appeared.
	Fields []plan.FieldChange
	// Gone: the object was there when the plan was made. Appeared: it was not.
	Gone, Appeared bool
}

func (e *StaleError) Error() string {
	switch {
	case e.Gone:
		return fmt.Sprintf("%s is gone since the plan", e.Key)
	case e.Appeared:
		return fmt.Sprintf("%s exists, and did not when the plan was made", e.Key)
	}
	moves := make([]string, len(e.Fields))
	for i, f := range e.Fields {
		moves[i] = fmt.Sprintf("%s %s → %s", f.Path, show(f.Before), show(f.After))
	}
	return fmt.Sprintf("%s moved since the plan: %s", e.Key, strings.Join(moves, ", "))
}

// checkFirst holds the live object against what the change was computed from,
// field by field.
func checkFirst(c *plan.Change) func(model.Resource, bool) error {
	return func(live model.Resource, exists bool) error {
		switch {
		case c.Action == plan.Create && exists:
			return &StaleError{Key: c.Key, Appeared: true}
		case c.Action == plan.Create:
			return nil
		case !exists:
			return &StaleError{Key: c.Key, Gone: true}
		}
		return stale(c.Key, compare(c.PreImage, plan.Image(live)))
	}
}

// checkNext holds the live object against an update that is partly done: every
// attribute must be as it was or as it is to be. What the earlier steps of a
// create made cannot have moved before anybody knew of it.
func checkNext(c *plan.Change) func(model.Resource, bool) error {
	if c.Action != plan.Update {
		return nil
	}
	return func(live model.Resource, exists bool) error {
		if !exists {
			return &StaleError{Key: c.Key, Gone: true}
		}
		moved := compare(c.Before, live.Attrs)
		return stale(c.Key, slices.DeleteFunc(moved, func(f plan.FieldChange) bool {
			if _, unread := f.After.(plan.Absent); unread {
				return true // an attribute that a live resource has only when asked for
			}
			wanted, ok := c.After[f.Path]
			return ok && model.Equal(wanted, f.After)
		}))
	}
}

func stale(key model.Key, fields []plan.FieldChange) error {
	if len(fields) == 0 {
		return nil
	}
	return &StaleError{Key: key, Fields: fields}
}

// compare lists the fields in which two images differ.
func compare(planned, live map[string]any) []plan.FieldChange {
	var moved []plan.FieldChange
	names := slices.Collect(maps.Keys(planned))
	for name := range live {
		if _, ok := planned[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		was, is := at(planned, name), at(live, name)
		if !model.Equal(was, is) {
			moved = append(moved, plan.FieldChange{Path: name, Before: was, After: is, Moved: plan.Live})
		}
	}
	return moved
}

func at(image map[string]any, name string) any {
	if v, ok := image[name]; ok {
		return v
	}
	return plan.Absent{}
}

// showLimit keeps one long value from hiding the others; in bytes.
const showLimit = 80

func show(v any) string {
	if _, absent := v.(plan.Absent); absent {
		return "nothing"
	}
	s := string(model.CanonicalJSON(v))
	if len(s) <= showLimit {
		return s
	}
	return strings.ToValidUTF8(s[:showLimit], "") + "…"
}

// Stale lists the changes of a plan whose objects are not any more what they were
// computed from, in plan order: a plan with one of them should not begin.
func Stale(p *plan.Plan, live model.State) []*StaleError {
	var out []*StaleError
	for i := range p.Changes {
		is, exists := live.Get(p.Changes[i].Key)
		var stale *StaleError
		if errors.As(checkFirst(&p.Changes[i])(is, exists), &stale) {
			out = append(out, stale)
		}
	}
	return out
}
