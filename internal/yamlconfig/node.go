package yamlconfig

import (
	"strings"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// Kind says what a value is.
type Kind int

// The kinds of values: those of JSON.
const (
	Null Kind = iota
	Bool
	Number
	Text
	List
	Map
)

// String names a kind in the words of YAML.
func (k Kind) String() string {
	return [...]string{"null", "true or false", "a number", "text", "a list", "a mapping"}[k]
}

// Node is a value with the place where it was written. It is immutable once a
// [Config] gave it away.
type Node struct {
	Kind Kind
	// Text is the value of a scalar: "true", a number in canonical spelling, or text.
	Text string
	// At is where the value begins.
	At model.Origin
	// Items are those of a list, Fields those of a mapping, in the order of the file.
	Items  []*Node
	Fields []Field
	// Comment is what stands above or beside the value, without #.
	Comment string
}

// Field is one key of a mapping, at its own place.
type Field struct {
	Name  string
	At    model.Origin
	Value *Node
}

// Get returns the value of a field, or nil; it works on nil, too.
func (n *Node) Get(name string) *Node {
	if n == nil {
		return nil
	}
	for _, f := range n.Fields {
		if f.Name == name {
			return f.Value
		}
	}
	return nil
}

// Value is the node as a normalised value.
func (n *Node) Value() any {
	switch n.Kind {
	case Null:
		return nil
	case Bool:
		return n.Text == "true"
	case Number:
		return jsonNumber(n.Text)
	case List:
		out := make([]any, len(n.Items))
		for i, item := range n.Items {
			out[i] = item.Value()
		}
		return out
	case Map:
		out := make(map[string]any, len(n.Fields))
		for _, f := range n.Fields {
			out[f.Name] = f.Value.Value()
		}
		return out
	default:
		return n.Text
	}
}

// Comments are those of the value and of all below it, line by line.
func (n *Node) Comments() []string {
	var out []string
	for line := range strings.Lines(n.Comment) {
		out = append(out, strings.TrimSpace(line))
	}
	for _, item := range n.Items {
		out = append(out, item.Comments()...)
	}
	for _, f := range n.Fields {
		out = append(out, f.Value.Comments()...)
	}
	return out
}

func (n *Node) withoutComment() *Node {
	out := *n
	out.Comment = ""
	return &out
}

// without is a mapping that lacks some fields.
func (n *Node) without(names ...string) *Node {
	out := *n
	out.Fields = nil
	for _, f := range n.Fields {
		if !contains(names, f.Name) {
			out.Fields = append(out.Fields, f)
		}
	}
	return &out
}

// with is a mapping with a field added at its end.
func (n *Node) with(fields ...Field) *Node {
	out := *n
	out.Fields = append(append([]Field(nil), n.Fields...), fields...)
	return &out
}
