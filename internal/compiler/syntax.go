package compiler

import (
	"slices"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"

	src "pcconnect.ai/descope-mgmt/internal/source"
)

// operands takes a & b & c apart.
func operands(e ast.Expr) []ast.Expr {
	var out []ast.Expr
	for {
		switch x := e.(type) {
		case *ast.ParenExpr:
			e = x.X
			continue
		case *ast.BinaryExpr:
			if x.Op == token.AND {
				out = append(out, operands(x.Y)...) // chains lean left
				e = x.X
				continue
			}
		}
		out = append(out, e)
		slices.Reverse(out)
		return out
	}
}

// references names the fields of the package that a value is unified with.
func references(value ast.Expr) []string {
	var names []string
	for _, e := range operands(value) {
		switch e := e.(type) {
		case *ast.Ident:
			names = append(names, e.Name)
		case *ast.StructLit:
			for _, d := range e.Elts {
				if embed, ok := d.(*ast.EmbedDecl); ok {
					names = append(names, references(embed.Expr)...)
				}
			}
		}
	}
	return names
}

// isValue tells a value, or a default, from a mere constraint.
func isValue(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.BasicLit, *ast.ListLit, *ast.Interpolation:
		return true
	case *ast.ParenExpr:
		return isValue(e.X)
	case *ast.UnaryExpr:
		return (e.Op == token.SUB || e.Op == token.MUL) && isValue(e.X)
	case *ast.BinaryExpr:
		return e.Op == token.OR && hasDefault(e)
	default:
		return false
	}
}

// hasDefault reports whether an expression is a disjunction with a default.
func hasDefault(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return hasDefault(e.X)
	case *ast.UnaryExpr:
		return e.Op == token.MUL
	case *ast.BinaryExpr:
		return e.Op == token.OR && (hasDefault(e.X) || hasDefault(e.Y))
	default:
		return false
	}
}

// hasFields reports whether a value may have fields that are worth a visit.
func hasFields(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.StructLit, *ast.Ident:
		return true
	case *ast.ParenExpr:
		return hasFields(e.X)
	case *ast.BinaryExpr:
		return e.Op == token.AND
	default:
		return false
	}
}

// isPlain tells a literal from what has to be evaluated.
func isPlain(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.BasicLit, *ast.ListLit, *ast.StructLit:
		return true
	case *ast.UnaryExpr:
		return e.Op == token.SUB && isPlain(e.X)
	default:
		return false
	}
}

// isLiteral tells the text of a value from that of a type.
func isLiteral(text string) bool {
	e, err := parser.ParseExpr("", text)
	plain := err == nil && isPlain(e)
	if plain {
		ast.Walk(e, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.Ellipsis:
				plain = false
			case *ast.Field:
				_, named := src.LabelName(n.Label)
				plain = plain && named && n.Constraint == token.ILLEGAL && isPlain(n.Value)
			}
			return plain
		}, nil)
	}
	return plain
}

func unquoteCUE(text string) (string, error) { return literal.Unquote(text) }

// defaultOf is the marked arm of a disjunction.
func defaultOf(e ast.Expr) ast.Expr {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return defaultOf(e.X)
	case *ast.UnaryExpr:
		if e.Op == token.MUL {
			return e.X
		}
	case *ast.BinaryExpr:
		if x := defaultOf(e.X); x != nil {
			return x
		}
		return defaultOf(e.Y)
	}
	return nil
}
