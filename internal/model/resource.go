package model

import (
	"encoding/json"
	"fmt"
	"slices"
)

// Origin is a place in the user's configuration. File is relative to the
// module root and slash-separated; Line and Column count from 1, Column in
// bytes. The zero value means that there is no such place (a live resource).
type Origin struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
}

// IsZero reports whether there is no position.
func (o Origin) IsZero() bool { return o == Origin{} }

// String is file:line:column, or "" where there is no position.
func (o Origin) String() string {
	if o.IsZero() {
		return ""
	}
	return fmt.Sprintf("%s:%d:%d", o.File, o.Line, o.Column)
}

// Policy is what the configuration says about how a resource may be treated,
// as opposed to what it should be. It is never sent to Descope.
type Policy struct {
	// PreventDestroy refuses every plan that would delete the resource.
	PreventDestroy bool `json:"prevent_destroy,omitempty"`
	// Ignore are attribute paths whose live value always stays.
	Ignore []string `json:"ignore,omitempty"`
	// Exclusive are the attributes of KindSpec.Maps that are managed whole: a
	// live key that the configuration does not name is removed.
	Exclusive []string `json:"exclusive,omitempty"`
	// Imported turns house rules into warnings: the resource was made outside.
	Imported bool `json:"imported,omitempty"`
	// UpdateOnly: the attributes are some of an object that exists; they are
	// not enough to create it. No configuration sets this, but a rollback does.
	UpdateOnly bool `json:"update_only,omitempty"`
}

// Resource is one object of a project. It is immutable once it is in a State.
type Resource struct {
	Key Key
	// Attrs are normalised values under the configuration's names; the
	// attributes of KindSpec.Sets are sorted. In a desired resource they are
	// what the user wrote and nothing else; an absent attribute is unmanaged,
	// and a null inside an attribute of KindSpec.Maps means "not set". In a
	// live resource every attribute that the kind knows is present.
	Attrs  map[string]any
	Policy Policy
	// Origin is the user's position of the resource, Origins those of its
	// leaves by path (see [JoinPath]); both are empty in a live resource.
	Origin  Origin
	Origins map[string]Origin
	// Observed is how a live resource was read; nil in a desired resource.
	Observed *Observed
}

// Observed is a live object as Descope sent it.
type Observed struct {
	// Raw is the object exactly as received, unknown fields included: what an
	// update is built from.
	Raw json.RawMessage
	// Fields are all fields of Raw, under Descope's names, in normal form and
	// without those that change by themselves (createdTime, successors). They
	// serve to see whether the object moved, and are never sent.
	Fields map[string]any
}

// FieldOrigin is the position of a path, or the nearest position above it.
func (r Resource) FieldOrigin(path string) Origin {
	elements, ok := SplitPath(path)
	for n := len(elements); ok && n > 0; n-- {
		if o, found := r.Origins[JoinPath(elements[:n]...)]; found {
			return o
		}
	}
	return r.Origin
}

// Digest identifies the content of a resource: its key, attributes, policy and
// observed fields. Positions do not count.
func (r Resource) Digest() string { return digest(r.content()) }

func (r Resource) content() map[string]any {
	c := map[string]any{"key": r.Key.String(), "attrs": r.Attrs, "policy": r.Policy}
	if r.Observed != nil {
		c["observed"] = r.Observed.Fields
	}
	return c
}

// Sorted returns the attributes with the kind's sets in their normal form.
// Producers of resources call it once, after Normalize.
func Sorted(k Kind, attrs map[string]any) map[string]any {
	for _, name := range Spec(k).Sets {
		if list, ok := attrs[name].([]any); ok {
			attrs[name] = SortedSet(list)
		}
	}
	return attrs
}

// Ignores reports whether the policy keeps a path as it is live: the path
// itself or anything above it is listed.
func (p Policy) Ignores(path string) bool {
	elements, ok := SplitPath(path)
	for n := len(elements); ok && n > 0; n-- {
		if slices.Contains(p.Ignore, JoinPath(elements[:n]...)) {
			return true
		}
	}
	return false
}
