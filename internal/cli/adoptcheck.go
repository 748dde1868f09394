package cli

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"

	"pcconnect.ai/descope-mgmt/internal/compiler"
	"pcconnect.ai/descope-mgmt/internal/model"
	src "pcconnect.ai/descope-mgmt/internal/source"
)

// evaluated is what an environment says, or why it says nothing.
type evaluated struct {
	// text is what eval prints, and doc the same as values.
	text        []byte
	doc         map[string]any
	diagnostics model.Diagnostics
}

func evaluate(ctx context.Context, m *compiler.Module, env string) evaluated {
	text, diagnostics := compiler.Eval(ctx, m, env, compiler.EvalOptions{Format: compiler.FormatJSON})
	if text == nil {
		return evaluated{diagnostics: diagnostics.Errors()}
	}
	v, err := model.DecodeJSON(text)
	doc, ok := v.(map[string]any)
	if err != nil || !ok {
		return evaluated{diagnostics: model.Diagnostics{{Severity: model.Error, Code: "internal", Summary: fmt.Sprintf("the evaluated configuration cannot be read back: %v", err)}}}
	}
	return evaluated{text: text, doc: doc}
}

func evaluateAll(ctx context.Context, m *compiler.Module, names []string) (map[string]evaluated, error) {
	out := map[string]evaluated{}
	for _, name := range names {
		out[name] = evaluate(ctx, m, name)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// object are the fields of a resource, or nil.
func (e evaluated) object(key model.Key) map[string]any {
	all, _ := e.doc[model.Spec(key.Kind).Field].(map[string]any)
	fields, _ := all[key.ID].(map[string]any)
	return fields
}

// same reports whether nothing changed, but for the lists of environments that the
// edits had to change.
func (e evaluated) same(now evaluated, edits []src.Edit) bool {
	if bytes.Equal(e.text, now.text) {
		return true
	}
	without := func(x evaluated) any {
		doc := model.CloneMap(x.doc)
		for _, edit := range edits {
			if edit.Path == "" {
				delete(evaluated{doc: doc}.object(edit.Key), "enabled_in")
			}
		}
		return doc
	}
	return model.Equal(without(e), without(now))
}

// leaves are the values of a resource by path: those in maps one by one, those that
// mean "not set" not at all.
func leavesOf(key model.Key, fields map[string]any) map[string]any {
	out := map[string]any{}
	fields = model.Sorted(key.Kind, model.CloneMap(fields))
	var walk func(path []string, v any)
	walk = func(path []string, v any) {
		m, ok := v.(map[string]any)
		switch {
		case v == nil && len(path) > 1 && slices.Contains(model.Spec(key.Kind).Maps, path[0]):
		case ok && (key.Kind != model.Flow || path[0] != "definition"):
			for name, v := range m {
				walk(append(slices.Clip(path), name), v)
			}
		default:
			out[model.JoinPath(path...)] = v
		}
	}
	for name, v := range fields {
		walk([]string{name}, v)
	}
	return out
}

// isPolicyField tells what says how a resource may be treated from what it is.
func isPolicyField(path string) bool {
	elements, _ := model.SplitPath(path)
	switch elements[0] {
	case "id", "enabled_in", "lifecycle", "imported", "custom_attributes_exclusive":
		return true
	}
	return false
}

// missing are the edits that are left to be made: what the environment says now is
// held against what it should say. A difference that nobody asked for is an error.
func (t *trial) missing(now evaluated) ([]src.Edit, error) {
	before := t.before[t.env]
	if !model.Equal(before.doc["environment"], now.doc["environment"]) {
		return nil, refusedError("", "nothing was written: the environment itself would change; edit the files by hand")
	}
	byKey := map[model.Key][]src.Edit{}
	for _, e := range t.wanted {
		byKey[e.Key] = append(byKey[e.Key], e)
	}
	var out []src.Edit
	for _, spec := range model.Kinds() {
		ids := map[string]bool{}
		for _, x := range []evaluated{before, now} {
			all, _ := x.doc[spec.Field].(map[string]any)
			for id := range all {
				ids[id] = true
			}
		}
		for _, e := range t.wanted {
			if e.Key.Kind == spec.Kind {
				ids[e.Key.ID] = true
			}
		}
		for _, id := range slices.Sorted(maps.Keys(ids)) {
			key := model.Key{Kind: spec.Kind, ID: id}
			edits := byKey[key]
			if len(edits) == 0 {
				if !model.Equal(before.object(key), now.object(key)) {
					return nil, refusedError("", "nothing was written: %s would change too; edit the files by hand", key)
				}
				continue
			}
			more, err := completing(key, edits, before.object(key), now.object(key))
			if err != nil {
				return nil, err
			}
			out = append(out, more...)
		}
	}
	return out, nil
}

// completing are the edits that one resource still needs.
func completing(key model.Key, edits []src.Edit, before, now map[string]any) ([]src.Edit, error) {
	want, gone, whole := wantedLeaves(key, edits, before)
	if gone {
		if now != nil {
			return []src.Edit{{Key: key, Absent: true}}, nil
		}
		return nil, nil
	}
	if now == nil {
		return nil, refusedError("", "nothing was written: %s would not be in the environment", key)
	}
	have := leavesOf(key, now)
	_, template := now["template"]
	paths := map[string]bool{}
	for p := range want {
		paths[p] = true
	}
	for p := range have {
		paths[p] = true
	}
	var out []src.Edit
	for _, p := range slices.Sorted(maps.Keys(paths)) {
		w, wanted := want[p]
		h, has := have[p]
		if wanted == has && model.Equal(w, h) {
			continue
		}
		asked := slices.ContainsFunc(edits, func(e src.Edit) bool { return covers(e.Path, p) })
		switch {
		case whole && before == nil && isPolicyField(p):
			continue // what the shared declaration says of it
		case template && !asked && follows(p):
			continue
		case !asked:
			return nil, refusedError("", "nothing was written: %s of %s would change too; edit the files by hand", p, key)
		case wanted:
			out = append(out, src.Edit{Key: key, Path: p, Value: w})
		default:
			out = append(out, src.Edit{Key: key, Path: p, Absent: true})
		}
	}
	return out, nil
}

// follows tells what a template makes of its options.
func follows(path string) bool {
	elements, _ := model.SplitPath(path)
	return elements[0] == "definition" || elements[0] == "steps"
}

// covers reports whether a path is another one or lies below it; "" covers all.
func covers(above, path string) bool {
	if above == "" {
		return true
	}
	a, _ := model.SplitPath(above)
	b, _ := model.SplitPath(path)
	return len(a) <= len(b) && slices.Equal(a, b[:len(a)])
}

// wantedLeaves are the values that a resource should have after edits.
func wantedLeaves(key model.Key, edits []src.Edit, before map[string]any) (want map[string]any, gone, whole bool) {
	want = leavesOf(key, before)
	for _, e := range edits {
		switch {
		case e.Path == "" && e.Absent:
			gone = true
		case e.Path == "":
			fields, _ := e.Value.(map[string]any)
			kept := map[string]any{}
			for p, v := range want {
				if isPolicyField(p) {
					kept[p] = v
				}
			}
			want, gone, whole = leavesOf(key, fields), false, true
			maps.Copy(want, kept)
		default:
			elements, _ := model.SplitPath(e.Path)
			below := leavesOf(key, nested(elements, e.Value))
			if _, isMap := e.Value.(map[string]any); !isMap || e.Absent || key.Kind == model.Flow && e.Path == "definition" {
				for p := range want {
					if covers(e.Path, p) {
						delete(want, p)
					}
				}
			}
			if !e.Absent {
				maps.Copy(want, below)
			}
		}
	}
	return want, gone, whole
}

func nested(path []string, v any) map[string]any {
	for i := len(path) - 1; i > 0; i-- {
		v = map[string]any{path[i]: v}
	}
	return map[string]any{path[0]: v}
}

// unreached says which values could not be brought about.
func (t *trial) unreached(left []src.Edit) model.Diagnostics {
	var out model.Diagnostics
	for _, e := range left {
		key := e.Key
		out = append(out, model.Diagnostic{
			Severity: model.Error, Code: "not-reached", Key: &key, Path: e.Path,
			Summary: fmt.Sprintf("%s: %s stays as it is, whatever the overlay says", key, e.Path),
			Hint:    "edit the files by hand",
		})
	}
	return out
}
