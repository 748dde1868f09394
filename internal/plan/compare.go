package plan

import (
	"maps"
	"slices"

	"pcconnect.ai/descope-mgmt/internal/flow"
	"pcconnect.ai/descope-mgmt/internal/model"
)

// Comparison is how two states differ, neither of which is to become the other: two
// environments as they are written, or two projects as they are live.
type Comparison struct {
	// Objects are those that differ, in the order of their keys.
	Objects []ObjectDifference
	// Same is how many are on both sides and do not differ.
	Same int
}

// Equal reports that the two sides are the same.
func (c Comparison) Equal() bool { return len(c.Objects) == 0 }

// ObjectDifference is an object that differs or that only one side has. Index 0 is the
// first side, 1 the second.
type ObjectDifference struct {
	Key model.Key
	// On says which sides have the object.
	On [2]bool
	// Origins are where the sides write it; zero for what is live.
	Origins [2]model.Origin
	// Fields are the differences, sorted by path; of an object that only one side has
	// there are none, and of a flow not its document: see Flow.
	Fields []FieldDifference
	// Flow says what the document of a flow does otherwise; nil where it does the same.
	Flow *flow.Report
}

// Only is the one side that has the object, -1 where both have it.
func (o ObjectDifference) Only() int {
	switch o.On {
	case [2]bool{true, false}:
		return 0
	case [2]bool{false, true}:
		return 1
	}
	return -1
}

// FieldDifference is one field that differs. A side that does not have it is [Absent].
type FieldDifference struct {
	Path      string
	Values    [2]any
	Origins   [2]model.Origin
	Sensitive bool
}

// Compare compares two states field by field. How the tool is to treat an object
// (lifecycle, imported, exclusive attributes) counts as its fields do. Flows are
// compared by what they do.
func Compare(a, b model.State) Comparison {
	var c Comparison
	left, right := a.Resources(), b.Resources()
	for len(left)+len(right) > 0 {
		var order int
		switch {
		case len(left) == 0:
			order = 1
		case len(right) == 0:
			order = -1
		default:
			order = left[0].Key.Compare(right[0].Key)
		}
		switch {
		case order < 0:
			c.Objects = append(c.Objects, ObjectDifference{Key: left[0].Key, On: [2]bool{true, false}, Origins: [2]model.Origin{left[0].Origin}})
			left = left[1:]
		case order > 0:
			c.Objects = append(c.Objects, ObjectDifference{Key: right[0].Key, On: [2]bool{false, true}, Origins: [2]model.Origin{1: right[0].Origin}})
			right = right[1:]
		default:
			if d, differs := compareObjects(left[0], right[0]); differs {
				c.Objects = append(c.Objects, d)
			} else {
				c.Same++
			}
			left, right = left[1:], right[1:]
		}
	}
	return c
}

func compareObjects(a, b model.Resource) (ObjectDifference, bool) {
	d := ObjectDifference{Key: a.Key, On: [2]bool{true, true}, Origins: [2]model.Origin{a.Origin, b.Origin}}
	spec := model.Spec(a.Key.Kind)
	sides := [2]map[string]any{intent(&spec, a), intent(&spec, b)}
	paths := maps.Clone(sides[0])
	maps.Copy(paths, sides[1])
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		values := [2]any{at(sides[0], path), at(sides[1], path)}
		if sameSide(values[0], values[1]) {
			continue
		}
		if x, y := values[0], values[1]; a.Key.Kind == model.Flow && path == definition {
			before, ok1 := documentOf(x)
			after, ok2 := documentOf(y)
			if ok1 && ok2 {
				if report := flow.Diff(before, after); !report.Equal() {
					d.Flow = &report
					d.Origins = [2]model.Origin{ownOrigin(a, b), ownOrigin(b, a)}
				}
				continue
			}
		}
		f := FieldDifference{Path: path, Values: values, Sensitive: sensitive(&spec, path)}
		for i, r := range []model.Resource{a, b} {
			if _, absent := values[i].(Absent); !absent {
				f.Origins[i] = r.FieldOrigin(path)
			}
		}
		d.Fields = append(d.Fields, f)
	}
	return d, len(d.Fields) > 0 || d.Flow != nil
}

// ownOrigin is the first line of an object that the other one does not share: of a flow,
// what makes its document another one. If they share all, it is that of the object.
func ownOrigin(r, other model.Resource) model.Origin {
	for _, path := range slices.Sorted(maps.Keys(r.Origins)) {
		if o := r.Origins[path]; o != other.Origins[path] {
			return o
		}
	}
	return r.Origin
}

func sameSide(a, b any) bool {
	_, none1 := a.(Absent)
	_, none2 := b.(Absent)
	return none1 == none2 && (none1 || model.Equal(a, b))
}

// intent are the fields of an object, by path, with those that say how the tool is to
// treat it, as the configuration writes them.
func intent(spec *model.KindSpec, r model.Resource) map[string]any {
	fields := flat(spec, r.Attrs)
	if r.Policy.PreventDestroy {
		fields["lifecycle.prevent_destroy"] = true
	}
	if len(r.Policy.Ignore) > 0 {
		ignored := slices.Sorted(slices.Values(r.Policy.Ignore))
		list := make([]any, len(ignored))
		for i, path := range ignored {
			list[i] = path
		}
		fields["lifecycle.ignore"] = list
	}
	for _, name := range r.Policy.Exclusive {
		fields[model.JoinPath(name+"_exclusive")] = true
	}
	if r.Policy.Imported {
		fields["imported"] = true
	}
	return fields
}
