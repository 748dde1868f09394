package source

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/format"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// enabledIn is the field that says which environments have a resource.
const enabledIn = "enabled_in"

// include lets the environment have a resource that is declared for others.
func (e *editor) include(edit Edit) {
	for _, p := range e.enabledIn(edit.Key) {
		f := e.classify(p)
		old, ok := listOf(f)
		if !ok {
			e.refuse(Edit{Key: edit.Key, Path: enabledIn}, p, "computed", "the list of environments is not written out")
			continue
		}
		if !slices.Contains(old, any(e.env)) {
			e.setEnabledIn(edit.Key, p, f, append(slices.Clone(old), e.env), "lets "+e.env+" have it too")
		}
	}
}

// enabledIn are the places of the list of environments of a resource.
func (e *editor) enabledIn(key model.Key) []place {
	places, _ := e.find([]string{model.Spec(key.Kind).Field, key.ID, enabledIn})
	return slices.DeleteFunc(places, func(p place) bool { return p.file.layer == other || p.via.kind != "" })
}

func listOf(f form) ([]any, bool) {
	if f.kind != concrete {
		return nil, false
	}
	v, _ := valueOf(f.node)
	list, ok := v.([]any)
	return list, ok
}

func (e *editor) setEnabledIn(key model.Key, p place, f form, names []any, why string) {
	if old, _ := listOf(f); model.Equal(old, names) {
		return
	}
	was := len(p.file.splices)
	edit := Edit{Key: key, Path: enabledIn, Value: names}
	e.put(edit, p.file, f.node, names)
	splices := slices.Clone(p.file.splices[was:])
	p.file.splices = p.file.splices[:was]
	if p.file.layer != base {
		p.file.splices = append(p.file.splices, splices...)
		return
	}
	e.editBase(edit, p.file, start(f.node), why, splices...)
}

// exclude takes a resource out of the environment: what only this environment
// declares goes, what others declare too is said to be theirs.
func (e *editor) exclude(edit Edit) {
	own, away, suspects := e.declared(edit.Key)
	var shared, others []place
	for _, p := range away {
		if p.file.layer == base {
			shared = append(shared, p)
		} else {
			others = append(others, p)
		}
	}
	switch {
	case len(suspects) > 0 && (len(own)+len(shared) == 0 || !suspects[0].via.maybe):
		e.refuse(edit, suspects[0], "computed", "it is made by %s", suspects[0].via.kind)
		return
	case len(own)+len(shared) == 0:
		return // it is not there
	case len(shared) == 0:
		e.remove(own)
		return
	}
	lists := e.enabledIn(edit.Key)
	rest := []any{}
	for _, name := range e.o.Environments {
		if name != e.env {
			rest = append(rest, name)
		}
	}
	for i, p := range lists {
		old, ok := listOf(e.classify(p))
		if !ok {
			e.refuse(Edit{Key: edit.Key, Path: enabledIn}, p, "computed", "the list of environments is not written out")
			return
		}
		if i == 0 {
			rest = slices.DeleteFunc(slices.Clone(old), func(v any) bool { return v == any(e.env) })
		}
	}
	why := fmt.Sprintf("%s is not to have it, and the others keep it", e.env)
	switch {
	case len(rest) == 0 && len(others) == 0:
		for _, p := range shared {
			from, to := extent(p.file, p.chain[0].field)
			e.editBase(edit, p.file, from, "no other environment has it", splice{from, to, ""})
		}
		e.remove(own)
		return
	case len(lists) > 0:
		for _, p := range lists {
			e.setEnabledIn(edit.Key, p, e.classify(p), rest, why)
		}
	default:
		e.addEnabledIn(edit, shared[0], rest, why)
	}
	for _, p := range own {
		d := diagnostic(edit, p, model.Warning, "left-over", "what "+e.env+" says of it stays, without effect")
		e.out.Notes = append(e.out.Notes, d)
	}
}

// addEnabledIn says in the shared declaration which environments have a resource.
func (e *editor) addEnabledIn(edit Edit, p place, names []any, why string) {
	at := Edit{Key: edit.Key, Path: enabledIn, Value: names}
	for _, x := range operands(p.value) {
		s, ok := x.(*ast.StructLit)
		if !ok || !s.Rbrace.IsValid() || len(s.Elts) == 0 {
			continue
		}
		f := p.file
		last := s.Elts[len(s.Elts)-1]
		closing := offset(s.Rbrace)
		if len(bytes.TrimSpace(f.src[f.lineStart(closing):closing])) == 0 && f.lineStart(start(last)) > start(s) {
			line := f.lineStart(closing)
			indent := f.indent(start(last))
			e.editBase(at, f, line, why, splice{line, line, indent + enabledIn + ": " + text(names, indent) + f.eol})
		} else {
			to := f.end(last)
			e.editBase(at, f, to, why, splice{to, to, ", " + enabledIn + ": " + text(names, "")})
		}
		return
	}
	d := e.declaration(p.file, edit.Key)
	d.fields = append(d.fields, appendedField{[]string{enabledIn}, names})
	lines := strings.Count(string(p.file.src), "\n")
	e.out.Base = append(e.out.Base, BaseEdit{
		Key: edit.Key, Path: enabledIn, Why: why, Origin: model.Origin{File: p.file.path, Line: lines + 1, Column: 1},
		After: strings.TrimRight(d.text(p.file), "\r\n"),
	})
}

// removable reports whether fields can be taken out without a loss: a comment that
// belongs to a field keeps it, where null can be written instead.
func (e *editor) removable(places []place, nullable bool) bool {
	for _, p := range places {
		d := p.chain[e.outermost(p)].field
		if nullable && p.file.commented(start(d), p.file.end(d)) {
			return false
		}
	}
	return len(places) > 0
}

// remove takes fields out, with the structs around them that nothing else is in.
func (e *editor) remove(places []place) {
	for _, p := range places {
		from, to := extent(p.file, p.chain[e.outermost(p)].field)
		p.file.splice(from, to, "")
	}
}

// outermost is the index of the field around a place that holds nothing else.
func (e *editor) outermost(p place) int {
	i := len(p.chain) - 1
	for i > 0 {
		in := p.chain[i].in
		if in == nil || len(in.Elts) != 1 || p.chain[i-1].field.Value != ast.Expr(in) {
			break
		}
		i--
	}
	return i
}

// extent is what has to go for a field to be gone: its lines with the comments right
// above them and behind them, or its part of a line with a comma.
func extent(f *editedFile, d *ast.Field) (from, to int) {
	from, to = start(d), f.end(d)
	beside := to
	comments := map[int]bool{} // by the line that they begin, or end
	for _, c := range f.comments() {
		line := f.lineStart(c.start)
		if len(bytes.TrimSpace(f.src[line:c.start])) == 0 {
			comments[line] = true
		}
		if rest := string(bytes.TrimSpace(f.src[to:max(to, c.start)])); c.start >= to && f.lineEnd(to) > c.start && (rest == "" || rest == ",") {
			beside = len(bytes.TrimRight(f.src[:f.lineEnd(to)], "\r\n"))
		}
	}
	first, last, own := f.ownLines(from, beside)
	if own {
		above := first
		for above > 0 && comments[f.lineStart(above-1)] {
			above = f.lineStart(above - 1)
		}
		// The empty line that set it apart goes, too.
		if prev := f.lineStart(max(0, above-1)); above > 0 && len(bytes.TrimSpace(f.src[prev:above])) == 0 && (last == len(f.src) || f.blank(last)) {
			above = prev
		}
		return above, last
	}
	rest := f.src[to:]
	if trimmed := bytes.TrimLeft(rest, " \t"); bytes.HasPrefix(trimmed, []byte(",")) {
		to += len(rest) - len(trimmed) + 1
		for to < len(f.src) && (f.src[to] == ' ' || f.src[to] == '\t') {
			to++
		}
		return from, to
	}
	if before := bytes.TrimRight(f.src[:from], " \t"); bytes.HasSuffix(before, []byte(",")) {
		from = len(before) - 1
	}
	return from, to
}

// blank reports whether the line at an offset is empty.
func (f *editedFile) blank(at int) bool { return len(bytes.TrimSpace(f.src[at:f.lineEnd(at)])) == 0 }

// append adds the declarations of a file at its end.
func (e *editor) append(f *editedFile, src []byte) []byte {
	declarations := e.appended[f]
	if len(declarations) == 0 {
		return src
	}
	out := bytes.Clone(src)
	if len(out) > 0 && out[len(out)-1] != '\n' {
		out = append(out, f.eol...)
	}
	for _, d := range declarations {
		body := d.text(f)
		// A line that stands below others of its kind needs no space.
		single := strings.Count(body, "\n") == 1
		if !single || !bytes.HasPrefix(lastLine(out), []byte(model.Spec(d.key.Kind).Field+":")) {
			if len(bytes.TrimSpace(lastLine(out))) > 0 {
				out = append(out, f.eol...)
			}
		}
		out = append(out, strings.ReplaceAll(body, "\n", f.eol)...)
	}
	return out
}

func lastLine(text []byte) []byte {
	text = bytes.TrimSuffix(text, []byte("\n"))
	return text[bytes.LastIndexByte(text, '\n')+1:]
}

// text is a declaration as a file has it, with a line feed at the end.
func (d *declaration) text(f *editedFile) string {
	head := model.Spec(d.key.Kind).Field + ": " + quotedText(d.key.ID) + ":"
	tree := map[string]any{}
	for _, field := range d.fields {
		if field.path == nil {
			for name, v := range field.value.(map[string]any) {
				tree[name] = leaf{v}
			}
			continue
		}
		at := tree
		for _, name := range field.path[:len(field.path)-1] {
			below, ok := at[name].(map[string]any)
			if !ok {
				below = map[string]any{}
				at[name] = below
			}
			at = below
		}
		at[field.path[len(field.path)-1]] = leaf{field.value}
	}
	if d.whole {
		for name, p := range f.imports {
			if isSchema(p) {
				head += " " + name + "." + definition(d.key.Kind) + " &"
			}
		}
	}
	formatted, err := format.Source([]byte(head + branch(tree, d.whole) + "\n"))
	if err != nil {
		panic("source: " + err.Error()) // the text is ours
	}
	return string(formatted)
}

// leaf is a value in a tree of fields.
type leaf struct{ value any }

// branch writes fields behind a label: one of them in its line, several in braces.
func branch(tree map[string]any, braces bool) string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(tree)) {
		line := labelText(name) + ":"
		switch v := tree[name].(type) {
		case leaf:
			if t, ok := v.value.(raw); ok {
				line += " " + string(t)
			} else {
				line += " " + text(v.value, "")
			}
		case map[string]any:
			line += branch(v, false)
		}
		lines = append(lines, line)
	}
	if len(lines) == 1 && !braces {
		return " " + lines[0]
	}
	return " {\n" + strings.Join(lines, "\n") + "\n}"
}
