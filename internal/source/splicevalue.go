package source

import (
	"fmt"
	"slices"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/format"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// text is a value as it stands in a line with an indentation.
func text(v any, indent string) string {
	s, err := LiteralText(v)
	if err != nil {
		panic("source: " + err.Error()) // a normalised value can be written
	}
	return indented(s, indent)
}

func labelText(name string) string {
	s, err := format.Node(Label(name))
	if err != nil {
		panic("source: " + err.Error())
	}
	return string(s)
}

func quotedText(name string) string {
	s, err := format.Node(Quoted(name))
	if err != nil {
		panic("source: " + err.Error())
	}
	return string(s)
}

// isSet reports whether the order of a list means nothing.
func isSet(key model.Key, path string) bool {
	return key.Kind != "" && slices.Contains(model.Spec(key.Kind).Sets, path) // the environment has none
}

// replace puts a value where the environment's own files write it. It reports
// whether the place gives a value at all.
func (e *editor) replace(edit Edit, p place) bool {
	f := e.classify(p)
	switch f.kind {
	case concrete, defaulted:
	default:
		return false
	}
	if old, _ := valueOf(f.node); same(edit, old) {
		return true
	}
	node := f.node
	if f.kind == defaulted && !admits(f.arms, edit.Value) {
		node = f.whole
	}
	e.put(edit, p.file, node, edit.Value)
	return true
}

// same compares a value that is written with the one that an edit wants.
func same(edit Edit, written any) bool {
	want, got := edit.Value, written
	if isSet(edit.Key, edit.Path) {
		w, isList := want.([]any)
		g, wasList := got.([]any)
		if isList && wasList {
			return model.Equal(model.SortedSet(w), model.SortedSet(g))
		}
	}
	return model.Equal(want, got)
}

// put replaces a literal.
func (e *editor) put(edit Edit, f *editedFile, node ast.Expr, v any) {
	if list, ok := node.(*ast.ListLit); ok {
		if want, ok := v.([]any); ok {
			old, _ := valueOf(list)
			if isSet(edit.Key, edit.Path) || edit.Path == "enabled_in" {
				want = inOrderOf(old.([]any), want)
			}
			if e.putElements(edit, f, list, want) {
				return
			}
			v = want
		}
	}
	f.splice(start(node), f.end(node), text(v, f.indent(start(node))))
}

// makeWay lets an overlay have another value than a shared file gives. It reports
// whether the shared file gives the wanted value itself.
func (e *editor) makeWay(edit Edit, p place) bool {
	f := e.classify(p)
	switch f.kind {
	case concrete:
		old, _ := valueOf(f.node)
		if same(edit, old) {
			return true
		}
		kind := kindOf(old)
		switch {
		case edit.Value == nil:
			kind += " | null"
		case kindOf(edit.Value) != kind:
			kind = "_"
		}
		open, closing := "*", " | "+kind
		if f.and {
			open, closing = "(*", closing+")"
		}
		from, to := start(f.node), p.file.end(f.node)
		e.editBase(edit, p.file, from, fmt.Sprintf("the shared value is made a default, so that %s can have another one", e.env),
			splice{from, from, open}, splice{to, to, closing})
	case defaulted:
		if old, _ := valueOf(f.node); same(edit, old) {
			return true
		}
		if admits(f.arms, edit.Value) {
			return false
		}
		kind := "_"
		if edit.Value == nil {
			kind = "null"
		} else if slices.ContainsFunc(f.arms, func(a ast.Expr) bool { v, ok := valueOf(a); return ok && kindOf(v) == kindOf(edit.Value) }) {
			kind = kindOf(edit.Value)
		}
		to := p.file.end(f.whole)
		e.editBase(edit, p.file, to, fmt.Sprintf("the shared default does not allow the value of %s", e.env), splice{to, to, " | " + kind})
	default:
	}
	return false
}

// editBase notes, and makes, an edit of a file that other environments share.
func (e *editor) editBase(edit Edit, f *editedFile, at int, why string, splices ...splice) {
	first, last := at, at
	for _, s := range splices {
		first, last = min(first, s.start), max(last, s.end)
	}
	from, to := f.lineStart(first), f.lineEnd(max(first, last))
	before := f.src[from:to]
	after, err := applySplices(before, from, splices, f.path)
	if err != nil {
		after = nil
	}
	line := strings.Count(string(f.src[:from]), "\n") + 1
	b := BaseEdit{
		Key: edit.Key, Path: edit.Path, Why: why,
		Origin: model.Origin{File: f.path, Line: line, Column: at - from + 1},
		Before: strings.TrimRight(string(before), "\r\n"), After: strings.TrimRight(string(after), "\r\n"),
	}
	if !slices.Contains(e.out.Base, b) {
		e.out.Base = append(e.out.Base, b)
	}
	for _, s := range splices {
		f.splice(s.start, s.end, s.text)
	}
}

// refuse notes an edit that cannot be made.
func (e *editor) refuse(edit Edit, p place, code, format string, args ...any) {
	d := diagnostic(edit, p, model.Error, code, fmt.Sprintf(format, args...))
	d.Detail = "only a value that is written out can be edited"
	d.Hint = "change it there by hand"
	e.out.Refused = append(e.out.Refused, d)
}

func diagnostic(edit Edit, p place, severity model.Severity, code, message string) model.Diagnostic {
	key := edit.Key
	name := key.String()
	if edit.Path != "" {
		name += ": " + edit.Path
	}
	return model.Diagnostic{Severity: severity, Code: code, Key: &key, Path: edit.Path, Origin: p.origin(), Summary: name + ": " + message}
}

// suspect notes places that may give another value.
func (e *editor) suspect(edit Edit, places []place) {
	for _, p := range places {
		d := diagnostic(edit, p, model.Warning, "suspect", "the value may come from "+p.via.kind+" here")
		e.out.Suspects = append(e.out.Suspects, d)
	}
}

// decided refuses an edit of what a reference leads to, and returns the places that
// are left to the evaluation.
func (e *editor) decided(edit Edit, suspects []place) (left []place, refused bool) {
	for _, p := range suspects {
		if p.file.layer == other {
			continue
		}
		f := e.classify(p)
		certain := p.via.kind == "a reference" || p.via.kind == "a definition"
		old, literal := any(nil), false
		if f.node != nil {
			old, literal = valueOf(f.node)
		}
		switch {
		case f.kind == constraint, f.kind == concrete && literal && !edit.Absent && same(edit, old):
		case certain && f.kind == concrete:
			e.refuse(edit, p, "computed", "the value comes from %s", p.via.kind)
			return nil, true
		default:
			left = append(left, p)
		}
	}
	return left, false
}
