package compiler

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/format"
	"cuelang.org/go/cue/token"
	"go.yaml.in/yaml/v3"
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
	switch v := v.(type) {
	case document:
		return &ast.StructLit{Elts: documentDecls(v)}
	case map[string]any:
		s := &ast.StructLit{}
		if len(v) > 0 { // braces even around a single field
			s.Lbrace, s.Rbrace = token.Blank.Pos(), token.Newline.Pos()
		}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			s.Elts = append(s.Elts, field(name, v[name]))
		}
		return s
	case []any:
		list := &ast.ListLit{}
		for _, e := range v {
			list.Elts = append(list.Elts, exprOf(e))
		}
		return list
	case string:
		return ast.NewString(v)
	case bool:
		return ast.NewBool(v)
	case json.Number:
		return &ast.BasicLit{Kind: token.FLOAT, Value: v.String()}
	default:
		return ast.NewNull()
	}
}

func documentDecls(d document) []ast.Decl {
	return []ast.Decl{field("environment", d.Environment), field("tenants", d.Tenants), field("flows", d.Flows)}
}

func field(name string, v any) *ast.Field {
	f := &ast.Field{Label: exact(ast.NewStringLabel(name)), Value: exprOf(v)}
	ast.SetRelPos(f, token.Newline)
	return f
}
