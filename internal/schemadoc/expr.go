package schemadoc

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/token"
)

// translator makes JSON Schemas of expressions. It knows what the schema is written
// with; anything else is an error, so that no rule is lost in silence.
type translator struct {
	document *Document
	// used are the definitions that were referred to.
	used []string
}

// refPrefix is where the definitions of a JSON Schema stand.
const refPrefix = "#/$defs/"

// ref refers to a definition.
func (t *translator) ref(definition string) *Schema {
	if !slices.Contains(t.used, definition) {
		t.used = append(t.used, definition)
	}
	return &Schema{Ref: refPrefix + strings.TrimPrefix(definition, "#")}
}

// unknown is a construct that has no counterpart yet.
func unknown(n ast.Node) error {
	return fmt.Errorf("%s: no JSON Schema is known for this (%T)", n.Pos(), n)
}

// expr translates an expression.
func (t *translator) expr(e ast.Expr) (*Schema, error) {
	switch e := e.(type) {
	case *ast.Ident:
		return t.ident(e)
	case *ast.BasicLit:
		if e.Kind == token.NULL {
			return &Schema{Type: "null"}, nil
		}
		value, err := jsonLiteral(e)
		return &Schema{Const: value}, err
	case *ast.ParenExpr:
		return t.expr(e.X)
	case *ast.UnaryExpr:
		return unary(e)
	case *ast.BinaryExpr:
		if e.Op == token.AND {
			return t.both(e)
		}
		if e.Op == token.OR {
			return t.either(e)
		}
	case *ast.CallExpr:
		return call(e)
	case *ast.ListLit:
		if len(e.Elts) == 1 {
			if rest, ok := e.Elts[0].(*ast.Ellipsis); ok && rest.Type != nil {
				items, err := t.expr(rest.Type)
				return &Schema{Type: "array", Items: items}, err
			}
		}
	case *ast.StructLit:
		return t.object(e)
	}
	return nil, unknown(e)
}

func (t *translator) ident(e *ast.Ident) (*Schema, error) {
	types := map[string]string{"string": "string", "bool": "boolean", "number": "number", "int": "integer"}
	switch name := types[e.Name]; {
	case name != "":
		return &Schema{Type: name}, nil
	case e.Name == "_":
		return &Schema{}, nil
	case t.document.byName[e.Name] != nil && strings.HasPrefix(e.Name, "#"):
		return t.ref(e.Name), nil
	}
	return nil, unknown(e)
}

// unary translates a bound.
func unary(e *ast.UnaryExpr) (*Schema, error) {
	lit, ok := e.X.(*ast.BasicLit)
	if !ok {
		return nil, unknown(e)
	}
	switch e.Op { //nolint:exhaustive // the rest is unknown
	case token.MAT:
		pattern, err := literal.Unquote(lit.Value)
		return &Schema{Type: "string", Pattern: pattern}, err
	case token.GEQ:
		return &Schema{Type: "number", Minimum: json.Number(lit.Value)}, nil
	case token.LEQ:
		return &Schema{Type: "number", Maximum: json.Number(lit.Value)}, nil
	}
	return nil, unknown(e)
}

// call translates a validator of CUE's library.
func call(e *ast.CallExpr) (*Schema, error) {
	s, ok := e.Fun.(*ast.SelectorExpr)
	if !ok {
		return nil, unknown(e)
	}
	pkg, isIdent := s.X.(*ast.Ident)
	name, _, err := ast.LabelName(s.Sel)
	if !isIdent || err != nil {
		return nil, unknown(e)
	}
	limit := json.Number("")
	if len(e.Args) == 1 {
		if lit, ok := e.Args[0].(*ast.BasicLit); ok && lit.Kind == token.INT {
			limit = json.Number(lit.Value)
		}
	}
	switch full := pkg.Name + "." + name; {
	case full == "list.UniqueItems" && len(e.Args) == 0:
		return &Schema{Type: "array", Unique: true}, nil
	case limit == "":
	case full == "strings.MinRunes":
		return &Schema{Type: "string", MinLength: limit}, nil
	case full == "strings.MaxRunes":
		return &Schema{Type: "string", MaxLength: limit}, nil
	case full == "list.MinItems":
		return &Schema{Type: "array", MinItems: limit}, nil
	}
	return nil, unknown(e)
}

// both is a conjunction: one schema with the keywords of both, if they differ.
func (t *translator) both(e *ast.BinaryExpr) (*Schema, error) {
	x, err := t.expr(e.X)
	y, err2 := t.expr(e.Y)
	if err := errors.Join(err, err2); err != nil {
		return nil, err
	}
	// int & >=1 is an integer: one type of numbers is enough.
	if x.Type == "integer" && y.Type == "number" {
		y.Type = "integer"
	}
	if x.Type != "" && x.Type != y.Type {
		return &Schema{AllOf: []*Schema{x, y}}, nil
	}
	merged := *x
	for _, k := range []struct{ to, from *string }{{&merged.Type, &y.Type}, {&merged.Pattern, &y.Pattern}} {
		if *k.to != "" && *k.from != "" && *k.to != *k.from {
			return &Schema{AllOf: []*Schema{x, y}}, nil
		}
		*k.to += strings.TrimPrefix(*k.from, *k.to)
	}
	for _, k := range []struct{ to, from *json.Number }{
		{&merged.MinLength, &y.MinLength},
		{&merged.MaxLength, &y.MaxLength},
		{&merged.Minimum, &y.Minimum},
		{&merged.Maximum, &y.Maximum},
		{&merged.MinItems, &y.MinItems},
	} {
		if *k.to != "" && *k.from != "" {
			return &Schema{AllOf: []*Schema{x, y}}, nil
		}
		*k.to += *k.from
	}
	merged.Unique = x.Unique || y.Unique
	for _, s := range []*Schema{x, y} {
		if s.Ref != "" || s.AnyOf != nil || s.Enum != nil || s.Const != nil || s.Properties != nil || s == y && s.Items != nil {
			return &Schema{AllOf: []*Schema{x, y}}, nil
		}
	}
	return &merged, nil
}

// either is a disjunction. A default that one of the other alternatives accepts, as in
// *true | bool, is no alternative of its own.
func (t *translator) either(e *ast.BinaryExpr) (*Schema, error) {
	out := &Schema{}
	var arms []*Schema
	for _, arm := range alternatives(e) {
		mark, marked := arm.(*ast.UnaryExpr)
		if !marked || mark.Op != token.MUL {
			s, err := t.expr(arm)
			if err != nil {
				return nil, err
			}
			arms = append(arms, s)
			continue
		}
		lit, ok := mark.X.(*ast.BasicLit)
		if !ok {
			return nil, unknown(arm)
		}
		value, err := jsonLiteral(lit)
		if err != nil {
			return nil, err
		}
		out.Default = value
		arms = append([]*Schema{{Const: value}}, arms...)
	}
	if out.Default != nil && slices.ContainsFunc(arms[1:], func(s *Schema) bool { return s.accepts(out.Default) }) {
		arms = arms[1:]
	}
	switch {
	case len(arms) == 1:
		one := *arms[0]
		one.Default = out.Default
		return &one, nil
	case !slices.ContainsFunc(arms, func(s *Schema) bool { return s.Const == nil }):
		for _, s := range arms {
			out.Enum = append(out.Enum, s.Const)
		}
	default:
		out.AnyOf = arms
	}
	return out, nil
}

// accepts reports whether a schema that has nothing but a type takes a scalar.
func (s *Schema) accepts(value json.RawMessage) bool {
	switch value[0] {
	case 't', 'f':
		return s.Type == "boolean"
	case '"':
		return s.Type == "string" && s.Pattern == "" && s.MinLength == ""
	}
	return false
}

// alternatives are the arms of a disjunction.
func alternatives(e ast.Expr) []ast.Expr {
	if b, ok := e.(*ast.BinaryExpr); ok && b.Op == token.OR {
		return append(alternatives(b.X), alternatives(b.Y)...)
	}
	return []ast.Expr{e}
}

// jsonLiteral is a literal as JSON.
func jsonLiteral(lit *ast.BasicLit) (json.RawMessage, error) {
	switch lit.Kind { //nolint:exhaustive // the rest is unknown
	case token.STRING:
		if strings.HasPrefix(lit.Value, "'") {
			return nil, unknown(lit) // bytes
		}
		text, err := literal.Unquote(lit.Value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", lit.Pos(), err)
		}
		return marshal(text)
	case token.INT, token.TRUE, token.FALSE:
		return json.RawMessage(lit.Value), nil
	}
	return nil, unknown(lit)
}
