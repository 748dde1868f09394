package compiler

import (
	"bytes"
	"encoding/json"
	"fmt"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/format"
	"go.yaml.in/yaml/v3"

	src "pcconnect.ai/descope-mgmt/internal/source"
)

// encode writes a normalised value, or a document, with a final newline.
func encode(v any, f EvalFormat) ([]byte, error) {
	switch f {
	case "", FormatJSON:
		return encodeJSON(v)
	case FormatYAML:
		return encodeYAML(v)
	case FormatCUE:
		return encodeCUE(v)
	default:
		return nil, fmt.Errorf("no format %q; the formats are cue, json and yaml", string(f))
	}
}

func encodeJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// encodeYAML leaves strings to the library, which knows what needs quotes, and
// keeps every digit of the numbers.
func encodeYAML(v any) ([]byte, error) {
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(yamlOf(v)); err != nil {
		return nil, err
	}
	return b.Bytes(), e.Close()
}

func yamlOf(v any) any {
	switch v := v.(type) {
	case document:
		return struct{ Environment, Tenants, Flows any }{yamlOf(v.Environment), yamlOf(v.Tenants), yamlOf(v.Flows)}
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, e := range v {
			out[name] = yamlOf(e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = yamlOf(e)
		}
		return out
	case json.Number:
		return &yaml.Node{Kind: yaml.ScalarNode, Value: v.String()}
	default:
		return v
	}
}

// encodeCUE writes a struct as a file, without its braces.
func encodeCUE(v any) ([]byte, error) {
	node := ast.Node(exprOf(v))
	if s, ok := node.(*ast.StructLit); ok {
		node = &ast.File{Decls: s.Elts}
	}
	out, err := format.Node(node)
	if err != nil {
		return nil, err
	}
	return append(bytes.TrimRight(out, "\n"), '\n'), nil
}

// exprOf is the literal of a normalised value, or of a document.
func exprOf(v any) ast.Expr {
	if d, ok := v.(document); ok {
		return &ast.StructLit{Elts: documentDecls(d)}
	}
	return src.Literal(v)
}

func documentDecls(d document) []ast.Decl {
	return []ast.Decl{
		src.Field("environment", src.Literal(d.Environment)),
		src.Field("tenants", src.Literal(d.Tenants)),
		src.Field("flows", src.Literal(d.Flows)),
	}
}
