package flow

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// The readers below take a value of any type for one of the wanted type, or for
// an empty one: what a document holds was checked when it was read, and what
// was not checked must not stop anything.

func text(v any) string                   { s, _ := v.(string); return s }
func flag(v any) bool                     { b, _ := v.(bool); return b }
func list(v any) []any                    { l, _ := v.([]any); return l }
func object(v any) map[string]any         { m, _ := v.(map[string]any); return m }
func itoa(i int) string                   { return strconv.Itoa(i) }
func keys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// anyList is a list of texts as a JSON value.
func anyList(texts []string) []any {
	out := make([]any, len(texts))
	for i, s := range texts {
		out[i] = s
	}
	return out
}

// objects are the objects of a list.
func objects(v any) []map[string]any {
	var out []map[string]any
	for _, e := range list(v) {
		if m, ok := e.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}

// without is a shallow copy of m that lacks some keys.
func without(m map[string]any, names ...string) map[string]any {
	out := maps.Clone(m)
	if out == nil {
		out = map[string]any{}
	}
	for _, name := range names {
		delete(out, name)
	}
	return out
}

// hollow reports whether v holds nothing at any depth.
func hollow(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		for _, e := range v {
			if !hollow(e) {
				return false
			}
		}
		return true
	default:
		return model.Unset(v)
	}
}

// dropZero removes the named fields of m that hold nothing.
func dropZero(m map[string]any, names ...string) {
	for _, name := range names {
		if v, ok := m[name]; ok && model.Unset(v) {
			delete(m, name)
		}
	}
}

// CompareIDs orders task ids as people count: 2 before 10, 13 before 13.end.
func CompareIDs(a, b string) int {
	for a != "" && b != "" {
		x, y := digits(a), digits(b)
		if x != "" && y != "" {
			nx, ny := strings.TrimLeft(x, "0"), strings.TrimLeft(y, "0")
			if c := len(nx) - len(ny); c != 0 {
				return c
			}
			if c := strings.Compare(nx, ny); c != 0 {
				return c
			}
			if c := len(x) - len(y); c != 0 {
				return c
			}
			a, b = a[len(x):], b[len(y):]
			continue
		}
		if a[0] != b[0] {
			return int(a[0]) - int(b[0])
		}
		a, b = a[1:], b[1:]
	}
	return len(a) - len(b)
}

// digits is the number that s begins with, as text.
func digits(s string) string {
	end := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		return s
	}
	return s[:end]
}

// write is a value as indented JSON with sorted keys and a newline at the end.
// Descope: its own exports escape <, > and & as encoding/json does by default,
// so that a file that was exported and one that was written by us are alike.
func write(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		panic(fmt.Sprintf("flow: the value was not read by this package: %v", err))
	}
	return b.Bytes()
}
