package ui

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

// WriteYAML writes v as YAML with exactly the content, names and order that
// [WriteJSON] gives it.
func WriteYAML(w io.Writer, v any) error {
	raw, err := encodeJSON(v, "")
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	node, err := yamlNode(d)
	if err != nil {
		return fmt.Errorf("writing YAML: %w", err)
	}
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(node); err != nil {
		return fmt.Errorf("writing YAML: %w", err)
	}
	_, err = w.Write(escapeYAML(b.Bytes()))
	return err
}

// yamlNode reads the next JSON value as a YAML node, keeping the order of keys
// and the spelling of numbers.
func yamlNode(d *json.Decoder) (*yaml.Node, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch token := token.(type) {
	case json.Delim:
		n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		if token == '[' {
			n = &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		}
		for d.More() { // keys and values alternate
			child, err := yamlNode(d)
			if err != nil {
				return nil, err
			}
			n.Content = append(n.Content, child)
		}
		if len(n.Content) == 0 {
			n.Style = yaml.FlowStyle
		}
		_, err := d.Token() // the closing delimiter
		return n, err
	case string:
		return yamlString(token), nil
	case json.Number:
		tag := "!!int"
		if strings.ContainsAny(token.String(), ".eE") {
			tag = "!!float"
		}
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: token.String()}, nil
	case bool:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: fmt.Sprint(token)}, nil
	default:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}, nil
	}
}

// yamlString quotes what must be escaped; a text of several lines that is
// otherwise harmless becomes a block.
func yamlString(s string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
	switch {
	case ambiguous(s):
		n.Style = yaml.DoubleQuotedStyle
	case clean(s):
	case clean(strings.ReplaceAll(s, "\n", "")) && strings.TrimSpace(s) != "":
		n.Style = yaml.LiteralStyle
	default:
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

// ambiguous reports texts that the encoder would write without quotes and that
// some reader takes for something else: a merge, the switches of YAML 1.1, and
// its numbers in other bases.
func ambiguous(s string) bool {
	switch strings.ToLower(s) {
	case "<<", "y", "yes", "n", "no", "on", "off":
		return true
	case "":
		return false // is quoted anyway
	}
	return strings.ContainsRune("0123456789+-.", rune(s[0])) && strings.Trim(s, "0123456789+-._:abcdefxoABCDEFXO") == ""
}

// escapeYAML escapes what the encoder takes for printable and a terminal would
// obey (direction overrides); yamlString has put all of it in double quotes.
func escapeYAML(text []byte) []byte {
	var b bytes.Buffer
	for _, r := range string(text) {
		switch {
		case r == '\n' || harmless(r):
			b.WriteRune(r)
		case r <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	return b.Bytes()
}
