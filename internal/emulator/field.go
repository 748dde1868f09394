package emulator

import (
	"encoding/json"
	"slices"
	"strconv"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// fieldType is what a request may put into a field. In every field null means
// that it is not set. Descope: official SDKs send null for what is empty.
type fieldType int

const (
	text       fieldType = iota
	flag                 // bool
	count                // 32-bit integer
	texts                // list of strings
	attributes           // map of string, number, bool or list of those
	opaque               // any object
)

// field is one field of a request or of a stored object.
type field struct {
	name string
	kind fieldType
	zero any // what absent means, where that is not the empty value
}

func fieldNames(fields []field) []string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.name
	}
	return names
}

// empty is the value that an unset field reads as. Descope: replies spell
// empty values out.
func (f field) empty() any {
	if f.zero != nil {
		return f.zero
	}
	switch f.kind {
	case text:
		return ""
	case flag:
		return false
	case count:
		return json.Number("0")
	case texts:
		return []any{}
	case attributes:
		return map[string]any{}
	default:
		return nil
	}
}

// read checks the value of the field in a request; null reads as empty.
func (f field) read(v any) (any, *apiError) {
	if v == nil {
		return f.empty(), nil
	}
	ok := false
	switch f.kind {
	case text:
		var s string
		if s, ok = v.(string); ok && s == "" {
			return f.empty(), nil
		}
	case flag:
		_, ok = v.(bool)
	case count:
		var n json.Number
		if n, ok = v.(json.Number); ok {
			_, err := strconv.ParseInt(n.String(), 10, 32)
			ok = err == nil
		}
	case texts:
		ok = isTexts(v)
	case attributes:
		return f.readAttributes(v)
	case opaque:
		_, ok = v.(map[string]any)
	}
	if !ok {
		return nil, badRequest("The %s field has the wrong type", f.name)
	}
	return model.Clone(v), nil
}

func isTexts(v any) bool {
	list, ok := v.([]any)
	return ok && !slices.ContainsFunc(list, func(e any) bool { _, text := e.(string); return !text })
}

func (f field) readAttributes(v any) (any, *apiError) {
	m, ok := v.(map[string]any)
	if !ok {
		return nil, badRequest("The %s field has the wrong type", f.name)
	}
	out := make(map[string]any, len(m))
	for name, value := range m {
		switch value.(type) {
		case nil:
			continue
		case map[string]any:
			return nil, badRequest("The custom attribute %q has the wrong type", name)
		}
		out[name] = model.Clone(value)
	}
	return out, nil
}

// overlay writes the fields of a request onto a stored object. A field that
// the request leaves out becomes empty, unless merge keeps it.
func overlay(onto map[string]any, fields []field, request map[string]any, merge bool) *apiError {
	for _, f := range fields {
		v, present := request[f.name]
		if _, stored := onto[f.name]; !present && merge && stored {
			continue
		}
		value, e := f.read(v)
		if e != nil {
			return e
		}
		onto[f.name] = value
	}
	return nil
}

// unknownFields lists the fields of a request that its endpoint does not take.
func unknownFields(request map[string]any, known []string) []string {
	var unknown []string
	for name := range request {
		if !slices.Contains(known, name) {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	return unknown
}
