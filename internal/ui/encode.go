package ui

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"unicode/utf16"
	"unicode/utf8"
)

// WriteJSON writes v as indented JSON: fields in the order of the type, map keys
// sorted, no HTML escapes, [] for a nil list, and everything that could move a
// terminal escaped, so that the text is safe and still the same JSON.
func WriteJSON(w io.Writer, v any) error {
	raw, err := encodeJSON(v, "  ")
	if err != nil {
		return err
	}
	_, err = w.Write(escapeJSON(raw))
	return err
}

func encodeJSON(v any, indent string) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	if err := e.Encode(withoutNil(v)); err != nil {
		return nil, fmt.Errorf("writing JSON: %w", err)
	}
	return b.Bytes(), nil
}

// escapeJSON escapes the runes of a JSON text that encoding/json leaves as they
// are but a terminal would obey. Outside of strings JSON has none.
func escapeJSON(text []byte) []byte {
	var b bytes.Buffer
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		if r == '\n' || harmless(r) {
			b.Write(text[:n])
		} else {
			b.WriteString(jsonEscape(r))
		}
		text = text[n:]
	}
	return b.Bytes()
}

// jsonEscape is a rune as JSON's \u escape.
func jsonEscape(r rune) string {
	if high, low := utf16.EncodeRune(r); high != utf8.RuneError {
		return fmt.Sprintf(`\u%04x\u%04x`, high, low)
	}
	return fmt.Sprintf(`\u%04x`, r)
}

// withoutNil is v with empty lists for nil ones, at any depth. Types that write
// their own JSON, and raw bytes, stay as they are. v is not modified.
func withoutNil(v any) any {
	if v == nil {
		return nil
	}
	return fillNil(reflect.ValueOf(v)).Interface()
}

func fillNil(v reflect.Value) reflect.Value {
	t := v.Type()
	if t.Implements(reflect.TypeFor[json.Marshaler]()) || reflect.PointerTo(t).Implements(reflect.TypeFor[json.Marshaler]()) {
		return v
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return v
		}
		inner := fillNil(v.Elem())
		if v.Kind() == reflect.Interface {
			return inner
		}
		p := reflect.New(t.Elem())
		p.Elem().Set(inner)
		return p
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			return v
		}
		out := reflect.New(t).Elem()
		if v.Kind() == reflect.Slice {
			out = reflect.MakeSlice(t, v.Len(), v.Len())
		}
		for i := range v.Len() {
			out.Index(i).Set(fillNil(v.Index(i)))
		}
		return out
	case reflect.Map:
		if v.IsNil() {
			return v
		}
		out := reflect.MakeMapWithSize(t, v.Len())
		for k, e := range v.Seq2() {
			out.SetMapIndex(k, fillNil(e))
		}
		return out
	case reflect.Struct:
		out := reflect.New(t).Elem()
		out.Set(v)
		for i := range t.NumField() {
			if t.Field(i).IsExported() {
				out.Field(i).Set(fillNil(v.Field(i)))
			}
		}
		return out
	default:
		return v
	}
}
