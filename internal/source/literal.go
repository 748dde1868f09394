package source

import (
	"encoding/json"
	"maps"
	"slices"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/format"
	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/token"
)

// Literal is a normalised value (see package model) as an expression that
// evaluates to it: strings in quotes, numbers with all their digits, structs with
// their fields sorted and one to a line. What is none of them is null.
func Literal(v any) ast.Expr {
	switch v := v.(type) {
	case map[string]any:
		s := &ast.StructLit{}
		if len(v) > 0 { // braces even around a single field
			s.Lbrace, s.Rbrace = token.Blank.Pos(), token.Newline.Pos()
		}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			s.Elts = append(s.Elts, Field(name, Literal(v[name])))
		}
		return s
	case []any:
		list := &ast.ListLit{}
		for _, e := range v {
			list.Elts = append(list.Elts, Literal(e))
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

// LiteralText is [Literal] as text, in the format of cue fmt and without a
// newline at the end. Lines after the first are indented as at the left margin.
func LiteralText(v any) (string, error) {
	text, err := format.Node(Literal(v))
	return string(text), err
}

// Field is a field of a struct, on a line of its own.
func Field(name string, value ast.Expr) *ast.Field {
	f := &ast.Field{Label: Label(name), Value: value}
	ast.SetRelPos(f, token.Newline)
	return f
}

// Label is a label that stands for exactly this key. It is a plain name where that
// means the same and hides nothing, else a string.
func Label(name string) ast.Label {
	if ast.StringLabelNeedsQuoting(name) || predeclared(name) {
		return Quoted(name)
	}
	return ast.NewIdent(name)
}

// predeclared are the names that a plain label would hide from the values beside
// and below it.
func predeclared(name string) bool {
	switch name {
	case "string", "bytes", "bool", "number", "int", "float", "len", "close", "and", "or", "div", "mod", "quo", "rem", "error", "matchN", "matchIf", "self":
		return true
	}
	return false
}

// Quoted is [Label] in quotes always, as ids are written. CUE brings the
// characters of a key into their composed form: a key that this would change is
// computed, in parentheses, which keeps it.
func Quoted(name string) ast.Label {
	lit := &ast.BasicLit{Kind: token.STRING, Value: literal.String.Quote(name)}
	if KeptLabel(name) != name {
		return &ast.ParenExpr{X: lit}
	}
	return lit
}

// KeptLabel is the key that CUE makes of a label that is written as a string.
func KeptLabel(name string) string {
	if isASCII(name) {
		return name
	}
	v := cuecontext.New().BuildExpr(ast.NewStruct(&ast.Field{Label: ast.NewString(name), Value: ast.NewBool(true)}))
	iter, err := v.Fields()
	if err != nil || !iter.Next() {
		return name
	}
	return iter.Selector().Unquoted()
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// LabelName is the name of a field, as written for a definition or a hidden
// field and unquoted otherwise. A computed label has none.
func LabelName(l ast.Label) (string, bool) {
	switch l := l.(type) {
	case *ast.Ident:
		return l.Name, true
	case *ast.BasicLit:
		if l.Kind == token.STRING {
			s, err := literal.Unquote(l.Value)
			return s, err == nil
		}
	case *ast.Alias:
		if inner, ok := l.Expr.(ast.Label); ok {
			return LabelName(inner)
		}
	}
	return "", false
}
