package snapshot

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strconv"
	"unicode/utf8"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// form is how a file travels.
type form int

const (
	unsent form = iota // not at all
	object             // as a JSON object
	text               // as it is
	image              // in base64
)

// formOf goes by the name. Descope: its CLI sends these and skips all others.
func formOf(name string) form {
	switch path.Ext(name) {
	case ".json":
		return object
	case ".txt", ".html":
		return text
	case ".png", ".jpg", ".svg", ".webp":
		return image
	}
	return unsent
}

// Wire is the snapshot as the API takes it: path to object or text. own are files
// that are ours and not Descope's; they are left out, and so is what has no form
// there, whose paths are returned.
func (t Tree) Wire(own ...string) (files map[string]any, left []string, err error) {
	files = map[string]any{}
	for _, name := range t.Paths() {
		data := t.files[name]
		skip := false
		for _, o := range own {
			skip = skip || o == name
		}
		switch f := formOf(name); {
		case skip:
		case f == object:
			if files[name], err = t.object(name); err != nil {
				return nil, nil, err
			}
		case f == text && !utf8.Valid(data):
			return nil, nil, fmt.Errorf("%s: the text is not UTF-8", name)
		case f == text:
			files[name] = string(data)
		case f == image:
			files[name] = base64.StdEncoding.EncodeToString(data)
		default:
			left = append(left, name)
		}
	}
	return files, left, nil
}

// FromWire makes a tree of what the API sends. The bytes are those that Descope's CLI
// would write: JSON with two spaces and sorted keys, a line end after each text.
func FromWire(files map[string]json.RawMessage) (Tree, error) {
	out := map[string][]byte{}
	for name, raw := range files {
		v, err := decode(raw)
		if err != nil {
			return Tree{}, fmt.Errorf("%q: %w", name, err)
		}
		o, isObject := v.(map[string]any)
		s, isText := v.(string)
		switch {
		case isObject && formOf(name) == object:
			out[name] = JSON(o)
		case isText:
			out[name], err = ofText(name, s)
		default:
			err = errors.New("it is neither a text nor an object in a .json file")
		}
		if err != nil {
			return Tree{}, fmt.Errorf("%q: %w", name, err)
		}
	}
	return Parse(out)
}

func ofText(name, v string) ([]byte, error) {
	switch formOf(name) {
	case text:
		if v == "" || v[len(v)-1] != '\n' {
			v += "\n"
		}
		return []byte(v), nil
	case image:
		return base64.StdEncoding.DecodeString(v)
	default:
		return nil, errors.New("it is a text, and its name is not that of one")
	}
}

// object reads a file that holds a JSON object.
func (t Tree) object(name string) (map[string]any, error) {
	data, ok := t.files[name]
	if !ok {
		return nil, fmt.Errorf("%s is missing", name)
	}
	v, err := decode(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	o, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%s: it is no JSON object", name)
	}
	return o, nil
}

func decode(data []byte) (any, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !utf8.Valid(data) {
		return nil, errors.New("the text is not UTF-8")
	}
	return model.DecodeJSON(data)
}

func number(n int) json.Number { return json.Number(strconv.Itoa(n)) }

// JSON writes a value in normal form as Descope's CLI does: numbers go through a
// float there, which changes how some are spelt; one that would lose digits keeps
// them here.
func JSON(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	if err := e.Encode(spelt(v)); err != nil {
		panic(fmt.Sprintf("snapshot: the value is not in normal form: %v", err))
	}
	return b.Bytes()
}

func spelt(v any) any {
	switch v := v.(type) {
	case json.Number:
		f, err := v.Float64()
		if err != nil {
			return v
		}
		text, err := json.Marshal(f)
		if err != nil {
			return v
		}
		if back, err := model.CanonicalNumber(string(text)); err != nil || back != v {
			return v
		}
		return json.Number(text)
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = spelt(e)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, e := range v {
			out[name] = spelt(e)
		}
		return out
	}
	return v
}
