package model

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A value is one of nil, bool, string, [json.Number] in canonical spelling,
// []any and map[string]any. [Normalize] makes one of whatever encoding/json or
// a literal in a test yields; everything else in the project assumes that it
// has been called at the boundary.

// maxPlainDigits bounds how far an exponent is written out, so that a hostile
// 1e999999999 stays short.
const maxPlainDigits = 40

// Normalize returns v built from the value types only, with canonical numbers
// and non-nil lists and maps. It reports a type that JSON does not have and a
// number that is not one. The argument is not modified.
func Normalize(v any) (any, error) {
	switch v := v.(type) {
	case nil, bool, string:
		return v, nil
	case json.Number:
		return CanonicalNumber(v.String())
	case float64:
		return CanonicalNumber(strconv.FormatFloat(v, 'g', -1, 64))
	case int:
		return json.Number(strconv.Itoa(v)), nil
	case int64:
		return json.Number(strconv.FormatInt(v, 10)), nil
	case []string:
		out := make([]any, len(v))
		for i, s := range v {
			out[i] = s
		}
		return out, nil
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			n, err := Normalize(e)
			if err != nil {
				return nil, fmt.Errorf("[%d]: %w", i, err)
			}
			out[i] = n
		}
		return out, nil
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			n, err := Normalize(e)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", JoinPath(k), err)
			}
			out[k] = n
		}
		return out, nil
	default:
		return nil, fmt.Errorf("a value of type %T has no place in JSON", v)
	}
}

// CanonicalNumber gives the one spelling of a decimal number: 40.0, 40 and 4e1
// are all 40, at any size and without rounding. Numbers that would need more
// than 40 digits written out keep an exponent (1e1000).
func CanonicalNumber(s string) (json.Number, error) {
	bad := func() (json.Number, error) { return "", fmt.Errorf("%q is not a decimal number", s) }
	rest, neg := strings.CutPrefix(s, "-")
	mantissa, exponent := rest, 0
	if i := strings.IndexAny(rest, "eE"); i >= 0 {
		mantissa = rest[:i]
		e, err := strconv.Atoi(rest[i+1:])
		if err != nil || e > 1<<30 || e < -1<<30 {
			return bad()
		}
		exponent = e
	}
	whole, fraction, dotted := strings.Cut(mantissa, ".")
	if whole == "" || (dotted && fraction == "") {
		return bad()
	}
	digits := whole + fraction
	if strings.Trim(digits, "0123456789") != "" {
		return bad()
	}
	exponent -= len(fraction)
	trimmed := strings.TrimRight(digits, "0")
	exponent += len(digits) - len(trimmed)
	digits = strings.TrimLeft(trimmed, "0")
	if digits == "" {
		return "0", nil
	}
	sign := ""
	if neg {
		sign = "-"
	}
	point := len(digits) + exponent // digits before the decimal point
	switch {
	case exponent >= 0 && point <= maxPlainDigits:
		return json.Number(sign + digits + strings.Repeat("0", exponent)), nil
	case point > 0 && exponent < 0:
		return json.Number(sign + digits[:point] + "." + digits[point:]), nil
	case exponent < 0 && point > -maxPlainDigits:
		return json.Number(sign + "0." + strings.Repeat("0", -point) + digits), nil
	default:
		return json.Number(sign + digits + "e" + strconv.Itoa(exponent)), nil
	}
}

// Equal compares two normalised values.
func Equal(a, b any) bool {
	switch a := a.(type) {
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, Equal)
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for k, v := range a {
			w, ok := b[k]
			if !ok || !Equal(v, w) {
				return false
			}
		}
		return true
	default:
		switch b.(type) {
		case []any, map[string]any:
			return false
		}
		return a == b
	}
}

// Clone copies a normalised value deeply.
func Clone(v any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = Clone(e)
		}
		return out
	case map[string]any:
		return CloneMap(v)
	default:
		return v
	}
}

// CloneMap copies a map of normalised values deeply. The clone of nil is nil.
func CloneMap(m map[string]any) map[string]any {
	if m == nil {
		return nil
	}
	out := make(map[string]any, len(m))
	for k, v := range m {
		out[k] = Clone(v)
	}
	return out
}

// SortedSet returns the elements of a list sorted by their canonical JSON and
// without repeats: the normal form of a list whose order carries no meaning.
func SortedSet(list []any) []any {
	if isSortedSet(list) {
		return list
	}
	type element struct {
		text  string
		value any
	}
	elements := make([]element, len(list))
	for i, v := range list {
		elements[i] = element{string(CanonicalJSON(v)), v}
	}
	slices.SortFunc(elements, func(a, b element) int { return strings.Compare(a.text, b.text) })
	elements = slices.CompactFunc(elements, func(a, b element) bool { return a.text == b.text })
	out := make([]any, len(elements))
	for i, e := range elements {
		out[i] = e.value
	}
	return out
}

// isSortedSet reports whether a list is in that form already, where it is easy to tell:
// texts of letters, digits and the like, which JSON writes as they are.
func isSortedSet(list []any) bool {
	before := ""
	for i, v := range list {
		s, ok := v.(string)
		if !ok || i > 0 && s <= before || strings.ContainsFunc(s, func(r rune) bool { return r < '#' || r == '\\' || r >= utf8.RuneSelf }) {
			return false
		}
		before = s
	}
	return true
}

// CanonicalJSON writes a normalised value as JSON with sorted keys, no spaces
// and no HTML escapes: equal values give equal bytes. It panics on a value that
// is not normalised, which is a programming error.
func CanonicalJSON(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(fmt.Sprintf("model: value is not normalised: %v", err))
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// DecodeJSON reads one JSON value into normal form, keeping every digit of its
// numbers. Trailing content is an error.
func DecodeJSON(data []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("content after the JSON value at byte %d", d.InputOffset())
	}
	return Normalize(v)
}

// Texts are the strings of a list, without what is none; of anything else there are none.
func Texts(v any) []string {
	list, _ := v.([]any)
	var out []string
	for _, e := range list {
		if s, ok := e.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// Unset reports whether a JSON value is what an optional field has that nobody set:
// null, false, or something empty. Descope: one reply writes it out where another
// leaves the field away. A number never is.
func Unset(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case bool:
		return !v
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	default:
		return false
	}
}
