package compiler

import (
	"cuelang.org/go/cue"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/token"

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
	depth    int
	values   int
}

// value returns the value of v; its result counts only if no problem was added.
func (w *walker) value(v cue.Value) any {
	if w.values++; w.values == maxValues {
		w.problems = append(w.problems, problemAt(v, "there are more than %d values", maxValues))
	}
	if w.values >= maxValues {
		return nil
	}
	if w.depth++; w.depth > maxDepth {
		w.problems = append(w.problems, problemAt(v, "the value is nested more than %d levels deep", maxDepth))
		w.depth--
		return nil
	}
	defer func() { w.depth-- }()
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
		w.problems = append(w.problems, problemAt(v, "bytes have no place in JSON; write a string"))
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
		f(iter.Selector().Unquoted(), iter.Value())
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
		out = append(out, w.value(iter.Value()))
	}
	return out
}

func (w *walker) number(v cue.Value) any {
	text, err := v.MarshalJSON()
	if err != nil {
		w.fail(v)
		return nil
	}
	n, err := model.CanonicalNumber(string(text))
	if err != nil {
		w.problems = append(w.problems, problemAt(v, "%s", err.Error()))
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
	if err := v.Validate(cue.Concrete(true)); err != nil {
		w.problems = append(w.problems, errors.Errors(err)...)
		return
	}
	w.problems = append(w.problems, problemAt(v, formatNotConcrete))
}

// problem is an error of ours at a place in the configuration.
type problem struct {
	errors.Message
	path []string
	pos  token.Pos
}

func problemAt(v cue.Value, format string, args ...any) errors.Error {
	p := problem{Message: errors.NewMessagef(format, args...), pos: v.Pos()}
	for _, s := range v.Path().Selectors() {
		p.path = append(p.path, s.String())
	}
	return &p
}

func (p *problem) Path() []string              { return p.path }
func (p *problem) Position() token.Pos         { return p.pos }
func (p *problem) InputPositions() []token.Pos { return nil }
