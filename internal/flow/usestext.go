package flow

import (
	"slices"
	"strconv"
	"strings"
)

const assetPrefix = "asset:"

const (
	screenPrefixID = "SC"
	randomLength   = 27
)

// idPrefix is what ids of a kind begin with. Descope: the rest is 27 characters.
func idPrefix(kind UseKind) string {
	if kind == UseRole {
		return "ROL"
	}
	return "CI"
}

// looksLikeID reports whether a text is the id of a connector, a role or a
// screen, and not a word that only happens to be in the references.
func looksLikeID(s string) bool {
	return endsRandomly(s) && slices.Contains([]string{idPrefix(UseConnector), idPrefix(UseRole), screenPrefixID}, s[:len(s)-randomLength])
}

// endsRandomly reports whether a text has the form of the ids that Descope gives
// out: a few capitals and the random part.
func endsRandomly(s string) bool {
	prefix := len(s) - randomLength
	return prefix >= 1 && prefix <= 5 && strings.ToUpper(s[:prefix]) == s[:prefix] &&
		!strings.ContainsFunc(s, func(r rune) bool { return !letterOrDigit(r) })
}

func letterOrDigit(r rune) bool {
	return '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
}

// referenceKind is the name under which the references of a document keep a kind.
func referenceKind(kind UseKind) string { return string(kind) + "s" }

// idNames are the names of ids by kind. Of two names for one id the first counts.
func (f Flow) idNames() map[UseKind]map[string]string {
	out := map[UseKind]map[string]string{}
	references := f.References()
	for _, kind := range []UseKind{UseConnector, UseRole} {
		out[kind] = map[string]string{}
		ids := references[referenceKind(kind)]
		for _, name := range slices.Backward(keys(ids)) {
			out[kind][ids[name]] = name
		}
	}
	return out
}

// withoutDerived is the document without what tasks repeat of their screens.
func (f Flow) withoutDerived() map[string]any {
	tasks := map[string]any{}
	for id, v := range object(f.contents()["tasks"]) {
		tasks[id] = v
		if task := object(v); text(task["type"]) == TypeScreen {
			tasks[id] = without(task, derivedKeys()...)
		}
	}
	doc, contents := without(f.doc), without(f.contents())
	contents["tasks"] = tasks
	doc["contents"] = contents
	return doc
}

// eachText visits every text in a value with its place: keys and indexes.
func eachText(v any, path []any, visit func(path []any, s string)) {
	switch v := v.(type) {
	case string:
		visit(path, v)
	case []any:
		for i, e := range v {
			eachText(e, append(path, i), visit)
		}
	case map[string]any:
		for k, e := range v {
			eachText(e, append(path, k), visit)
		}
	}
}

// mapTexts is a copy of a value with every text in it changed.
func mapTexts(v any, path []any, change func(path []any, s string) string) any {
	switch v := v.(type) {
	case string:
		return change(path, v)
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = mapTexts(e, append(path, i), change)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = mapTexts(e, append(path, k), change)
		}
		return out
	default:
		return v
	}
}

// inArgument reports whether a place is in the value of an argument of a task.
func inArgument(path []any) bool {
	return len(path) >= 6 && path[0] == "contents" && path[1] == "tasks" && path[3] == "arguments" && path[5] == "value"
}

// translationConnector reports whether a place is that of the connector which
// translates the screens. Descope: "manual" there stands for none.
func translationConnector(path []any) bool {
	return slices.Equal(path, []any{"metadata", "translation", "connectorId"})
}

// jsonPath writes a place in the document: contents.tasks["1.end"].name. Keys
// that are no plain word or number are quoted.
func jsonPath(path ...any) string {
	var b strings.Builder
	for _, e := range path {
		key, isKey := e.(string)
		if i, ok := e.(int); ok {
			key = itoa(i)
		}
		plain := key != "" && !strings.ContainsFunc(key, func(r rune) bool { return r != '_' && r != '-' && !letterOrDigit(r) })
		switch {
		case isKey && !plain:
			b.WriteString("[" + strconv.Quote(key) + "]")
		case b.Len() == 0:
			b.WriteString(key)
		default:
			b.WriteString("." + key)
		}
	}
	return b.String()
}
