package flow

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"pcconnect.ai/descope-mgmt/internal/model"
)

const (
	// MaxBytes is the size of the largest document that is read. Descope: the
	// largest of 153 exports had 153 KB.
	MaxBytes = 32 << 20
	// maxDepth is how deep objects and lists may be nested; exports have 12.
	maxDepth = 100
	// maxValues bounds the memory that a document of tiny values can take; the
	// largest export has 3 thousand.
	maxValues = 1 << 18
)

// decode reads one JSON value in the normal form of package model. Unlike
// encoding/json it refuses an object that has a key twice, of which one would
// be lost, text that is not UTF-8, and what is too large or too deep.
func decode(data []byte) (any, error) {
	if len(data) > MaxBytes {
		return nil, fmt.Errorf("%d bytes are too many for a flow: at most %d are read", len(data), MaxBytes)
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !utf8.Valid(data) {
		return nil, errors.New("the text is not UTF-8")
	}
	r := &reader{data: data, tokens: json.NewDecoder(bytes.NewReader(data))}
	r.tokens.UseNumber()
	v, err := r.value()
	if err != nil {
		return nil, err
	}
	if _, err := r.tokens.Token(); !errors.Is(err, io.EOF) {
		return nil, r.fail(r.tokens.InputOffset(), "more text after the end of the document")
	}
	return v, nil
}

// reader is one run of decode.
type reader struct {
	data   []byte
	tokens *json.Decoder
	path   []string
	values int
}

func (r *reader) value() (any, error) {
	if r.values++; r.values > maxValues {
		return nil, r.fail(r.tokens.InputOffset(), "the document has more than %d values", maxValues)
	}
	token, err := r.token()
	if err != nil {
		return nil, err
	}
	switch token := token.(type) {
	case json.Delim:
		if len(r.path) >= maxDepth {
			return nil, r.fail(r.tokens.InputOffset(), "the document is nested more than %d deep", maxDepth)
		}
		if token == '{' {
			return r.object()
		}
		return r.list()
	case json.Number:
		n, err := model.CanonicalNumber(token.String())
		if err != nil {
			return nil, r.fail(r.tokens.InputOffset(), "%v", err)
		}
		return n, nil
	default:
		return token, nil
	}
}

func (r *reader) object() (any, error) {
	out := map[string]any{}
	for r.tokens.More() {
		token, err := r.token()
		if err != nil {
			return nil, err
		}
		key, _ := token.(string)
		r.path = append(r.path, key)
		if _, twice := out[key]; twice {
			return nil, r.fail(r.tokens.InputOffset(), "%s is there twice", model.JoinPath(r.path...))
		}
		if out[key], err = r.value(); err != nil {
			return nil, err
		}
		r.path = r.path[:len(r.path)-1]
	}
	_, err := r.token()
	return out, err
}

func (r *reader) list() (any, error) {
	out := []any{}
	r.path = append(r.path, "")
	for r.tokens.More() {
		r.path[len(r.path)-1] = itoa(len(out))
		v, err := r.value()
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	r.path = r.path[:len(r.path)-1]
	_, err := r.token()
	return out, err
}

func (r *reader) token() (json.Token, error) {
	token, err := r.tokens.Token()
	if err == nil {
		return token, nil
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, r.fail(int64(len(r.data)), "the document ends too early")
	}
	offset := r.tokens.InputOffset()
	// The offset in an error of Token counts from the last value; that of a
	// whole document is the place.
	var syntax *json.SyntaxError
	if errors.As(json.Unmarshal(r.data, new(json.RawMessage)), &syntax) {
		offset = syntax.Offset - 1
	}
	return nil, r.fail(offset, "not JSON: %v", err)
}

// fail is an error with its place, as editors count it.
func (r *reader) fail(offset int64, format string, args ...any) error {
	before := r.data[:min(max(offset, 0), int64(len(r.data)))]
	line := bytes.Count(before, []byte("\n")) + 1
	column := utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]) + 1
	return fmt.Errorf("line %d, column %d: %s", line, column, fmt.Sprintf(format, args...))
}
