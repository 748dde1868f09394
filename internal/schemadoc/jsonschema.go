package schemadoc

import (
	"bytes"
	"encoding/json"
)

// Schema is a JSON Schema, of the keywords that are needed here. The zero value accepts
// everything. Its keywords are written in the order of the fields.
type Schema struct {
	Dialect     string     `json:"$schema,omitempty"`
	Comment     string     `json:"$comment,omitempty"`
	Title       string     `json:"title,omitempty"`
	Description string     `json:"description,omitempty"`
	Deprecated  bool       `json:"deprecated,omitempty"`
	Ref         string     `json:"$ref,omitempty"`
	Type        string     `json:"type,omitempty"`
	Const       rawMessage `json:"const,omitempty"`
	// Enum are the allowed values as JSON.
	Enum       []rawMessage `json:"enum,omitempty"`
	Default    rawMessage   `json:"default,omitempty"`
	Pattern    string       `json:"pattern,omitempty"`
	MinLength  json.Number  `json:"minLength,omitempty"`
	MaxLength  json.Number  `json:"maxLength,omitempty"`
	Minimum    json.Number  `json:"minimum,omitempty"`
	Maximum    json.Number  `json:"maximum,omitempty"`
	Items      *Schema      `json:"items,omitempty"`
	MinItems   json.Number  `json:"minItems,omitempty"`
	Unique     bool         `json:"uniqueItems,omitempty"`
	Required   []string     `json:"required,omitempty"`
	Properties Properties   `json:"properties,omitempty"`
	Patterns   Properties   `json:"patternProperties,omitempty"`
	Names      *Schema      `json:"propertyNames,omitempty"`
	Additional *Schema      `json:"additionalProperties,omitempty"`
	MinProps   json.Number  `json:"minProperties,omitempty"`
	AllOf      []*Schema    `json:"allOf,omitempty"`
	AnyOf      []*Schema    `json:"anyOf,omitempty"`
	OneOf      []*Schema    `json:"oneOf,omitempty"`
	Not        *Schema      `json:"not,omitempty"`
	If         *Schema      `json:"if,omitempty"`
	Then       *Schema      `json:"then,omitempty"`
	Else       *Schema      `json:"else,omitempty"`
	Defs       Properties   `json:"$defs,omitempty"`

	// never is the schema that accepts nothing.
	never bool
}

// Property is a schema with a name.
type Property struct {
	Name   string
	Schema *Schema
}

// rawMessage is JSON that is written as it is.
type rawMessage = json.RawMessage

// Properties are schemas by name, in the order in which they are written.
type Properties []Property

// get finds a schema by its name, or nil.
func (p Properties) get(name string) *Schema {
	for _, e := range p {
		if e.Name == name {
			return e.Schema
		}
	}
	return nil
}

// nothing is the schema that accepts no value.
func nothing() *Schema { return &Schema{never: true} }

// MarshalJSON writes false for the schema that accepts nothing.
func (s *Schema) MarshalJSON() ([]byte, error) {
	if s.never {
		return []byte("false"), nil
	}
	type plain Schema
	return marshal((*plain)(s))
}

// MarshalJSON keeps the order.
func (p Properties) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, e := range p {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := marshal(e.Name)
		if err != nil {
			return nil, err
		}
		value, err := marshal(e.Schema)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// marshal is JSON for people: < and > stay as they are.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSpace(b.Bytes()), nil
}

// Text is the schema as an indented document.
func (s *Schema) Text() ([]byte, error) {
	compact, err := marshal(s)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := json.Indent(&b, compact, "", "  "); err != nil {
		return nil, err
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}
