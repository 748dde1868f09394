package compiler

import (
	"encoding/json"
	"slices"
	"strconv"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/errors"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// Bounds of a walk. Files are small and nest little, but references can make
// much of them.
const (
	maxDepth  = 1000
	maxValues = 10_000_000
)

// walker turns evaluated CUE into normalised values. It takes defaults, and
// collects what is not concrete instead of stopping at it.
type walker struct {
	problems []errors.Error
	path     []string // of the value that is being walked
	values   int
}

// value returns the value of v; its result counts only if no problem was added.
func (w *walker) value(v cue.Value) any {
	if w.values++; w.values == maxValues {
		w.report(v, "there are more than %d values", maxValues)
	}
	if w.values >= maxValues {
		return nil
	}
	if len(w.path) > maxDepth {
		w.report(v, "the value is nested more than %d levels deep", maxDepth)
		return nil
	}
	kind := v.Kind()
	if kind == cue.BottomKind { // also a disjunction with a default
		v, _ = v.Default()
		kind = v.Kind()
	}
	switch kind {
	case cue.StructKind:
		return w.fields(v)
	case cue.ListKind:
		return w.list(v)
	case cue.StringKind:
		s, err := v.String()
		w.check(v, err)
		return s
	case cue.BoolKind:
		b, err := v.Bool()
		w.check(v, err)
		return b
	case cue.NullKind:
		return nil
	case cue.IntKind, cue.FloatKind, cue.NumberKind:
		return w.number(v)
	case cue.BytesKind:
		w.report(v, "bytes have no place in JSON; write a string")
		return nil
	default:
		w.fail(v)
		return nil
	}
}

func (w *walker) fields(v cue.Value) map[string]any {
	out := map[string]any{}
	w.each(v, func(name string, field cue.Value) { out[name] = w.value(field) })
	return out
}

// each calls f for the regular fields of a struct.
func (w *walker) each(v cue.Value, f func(name string, field cue.Value)) {
	iter, err := v.Fields()
	if err != nil {
		w.fail(v)
		return
	}
	for iter.Next() {
		name := iter.Selector().Unquoted()
		w.path = append(w.path, name)
		f(name, iter.Value())
		w.path = w.path[:len(w.path)-1]
	}
}

func (w *walker) list(v cue.Value) []any {
	out := []any{} // never nil: an empty list is a value
	iter, err := v.List()
	if err != nil {
		w.fail(v)
		return out
	}
	for iter.Next() {
		w.path = append(w.path, strconv.Itoa(len(out)))
		out = append(out, w.value(iter.Value()))
		w.path = w.path[:len(w.path)-1]
	}
	return out
}

func (w *walker) number(v cue.Value) any {
	if n, err := v.Int64(); err == nil {
		return json.Number(strconv.FormatInt(n, 10))
	}
	text, err := v.MarshalJSON()
	if err != nil {
		w.fail(v)
		return nil
	}
	n, err := model.CanonicalNumber(string(text))
	if err != nil {
		w.report(v, "%s", err.Error())
		return nil
	}
	return n
}

func (w *walker) check(v cue.Value, err error) {
	if err != nil {
		w.fail(v)
	}
}

// fail notes why v has no concrete value.
func (w *walker) fail(v cue.Value) {
	err := v.Validate(cue.Concrete(true))
	if err == nil {
		w.report(v, formatNotConcrete)
		return
	}
	at := w.here()
	for _, e := range errors.Errors(err) {
		if have := e.Path(); len(have) < len(at) || !slices.Equal(have[:len(at)], at) {
			e = &located{e, at}
		}
		w.problems = append(w.problems, e)
	}
}

// report notes a problem of ours with v.
func (w *walker) report(v cue.Value, format string, args ...any) {
	w.problems = append(w.problems, &located{errors.Newf(v.Pos(), format, args...), w.here()})
}

// here is the path of the walk as CUE writes it.
func (w *walker) here() []string {
	path := make([]string, len(w.path))
	for i, name := range w.path {
		path[i] = cue.Str(name).String()
	}
	return path
}

// located is an error at the place where it was met. CUE names another one
// where a value is shared: the definition that it is an instance of.
type located struct {
	cueError
	path []string
}

type cueError = errors.Error

func (l *located) Path() []string { return l.path }
func (l *located) Unwrap() error  { return l.cueError }
