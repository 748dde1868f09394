package model

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
)

// State is a set of resources, sorted by key and with unique keys. The zero
// value is the empty state. A State is immutable: callers must not modify what
// its methods return.
type State struct {
	resources []Resource
}

// NewState sorts resources into a state. Two resources with one key are an
// error that names it.
func NewState(resources []Resource) (State, error) {
	sorted := slices.Clone(resources)
	slices.SortStableFunc(sorted, func(a, b Resource) int { return a.Key.Compare(b.Key) })
	for i := 1; i < len(sorted); i++ {
		if sorted[i].Key == sorted[i-1].Key {
			return State{}, fmt.Errorf("%s is there twice", sorted[i].Key)
		}
	}
	return State{resources: sorted}, nil
}

// Resources returns all resources in key order.
func (s State) Resources() []Resource { return s.resources }

// Len is the number of resources.
func (s State) Len() int { return len(s.resources) }

// Of returns the resources of one kind, in key order.
func (s State) Of(k Kind) []Resource {
	start := slices.IndexFunc(s.resources, func(r Resource) bool { return r.Key.Kind == k })
	if start < 0 {
		return nil
	}
	end := start
	for end < len(s.resources) && s.resources[end].Key.Kind == k {
		end++
	}
	return s.resources[start:end]
}

// Get finds a resource by key.
func (s State) Get(k Key) (Resource, bool) {
	i, ok := slices.BinarySearchFunc(s.resources, k, func(r Resource, k Key) int { return r.Key.Compare(k) })
	if !ok {
		return Resource{}, false
	}
	return s.resources[i], true
}

// Filter returns the state of those resources for which keep is true.
func (s State) Filter(keep func(Resource) bool) State {
	var kept []Resource
	for _, r := range s.resources {
		if keep(r) {
			kept = append(kept, r)
		}
	}
	return State{resources: kept}
}

// With returns the state in which r stands, replacing a resource of its key.
func (s State) With(r Resource) State {
	out := make([]Resource, 0, len(s.resources)+1)
	i, found := slices.BinarySearchFunc(s.resources, r.Key, func(r Resource, k Key) int { return r.Key.Compare(k) })
	out = append(append(out, s.resources[:i]...), r)
	if found {
		i++
	}
	return State{resources: append(out, s.resources[i:]...)}
}

// Digest identifies the content of the state (not its positions): equal states
// have equal digests. It has the form "sha256:" and 64 hexadecimal digits.
func (s State) Digest() string {
	h := sha256.New()
	for _, r := range s.resources {
		h.Write(CanonicalJSON(r.content()))
		h.Write([]byte{'\n'})
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

func digest(v any) string {
	sum := sha256.Sum256(CanonicalJSON(v))
	return "sha256:" + hex.EncodeToString(sum[:])
}
