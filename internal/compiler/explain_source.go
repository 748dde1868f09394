package compiler

import (
	"fmt"
	"slices"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/format"
	"cuelang.org/go/cue/token"
)

// valuePos is where the user wrote the value that a group refuses: a literal
// before the field that refers to it, and that before what brought the constraint
// there.
func (x *explainer) valuePos(g *group) token.Pos {
	var all, literals []token.Pos
	for _, f := range g.errors {
		for _, pos := range f.user {
			all = append(all, pos.WithRel(0))
			if x.literalAt(pos) != nil {
				literals = append(literals, pos.WithRel(0))
			}
		}
	}
	var fields []token.Pos
	for _, w := range x.index.find(g.path...) {
		if pos := w.value.Pos().WithRel(0); slices.Contains(literals, pos) {
			return pos
		} else if slices.Contains(all, pos) {
			fields = append(fields, pos)
		}
	}
	switch {
	case len(literals) > 0:
		return slices.MinFunc(literals, token.Pos.Compare) // a list comes before its elements
	case len(fields) > 0:
		return fields[0]
	case len(all) > 0:
		return slices.MaxFunc(all, token.Pos.Compare)
	default:
		return token.NoPos
	}
}

// literalAt is the literal at a position, if there is one.
func (x *explainer) literalAt(pos token.Pos) ast.Expr {
	if e := x.exprAt(pos); e != nil && isPlain(e) {
		return e
	}
	return nil
}

// valueOf is the text of the value that a finding refuses: the user's own
// spelling where it is a literal.
func (x *explainer) valueOf(f *finding, g *group, pos token.Pos) string {
	if f.format == formatBound || f.format == formatValidator {
		return fmt.Sprint(f.args[0])
	}
	if e := x.literalAt(pos); e != nil {
		return x.source(e)
	}
	var conflicts []*finding
	for i := range g.errors {
		if c := &g.errors[i]; c.format == formatConflict || c.format == formatMismatch {
			conflicts = append(conflicts, c)
		}
	}
	if len(conflicts) > 0 {
		if value, _ := splitArguments(conflicts); value != "" {
			return value
		}
	}
	for _, w := range x.index.find(g.path...) {
		return x.source(w.value)
	}
	if len(f.args) > 0 {
		return fmt.Sprint(f.args[0])
	}
	return "this"
}

// source is an expression as the user wrote it, show the same for a message.
func (x *explainer) source(e ast.Expr) string {
	b, err := format.Node(e)
	if err != nil {
		return "?"
	}
	return string(b)
}

func (x *explainer) show(e ast.Expr) string { return short(x.source(e)) }

// exprAt finds the innermost expression of the user that starts at a position.
func (x *explainer) exprAt(pos token.Pos) ast.Expr {
	if x.expressions == nil {
		x.expressions = map[token.Pos]ast.Expr{}
		for _, f := range x.instance.Files {
			if x.module.isUserFile(f.Filename) {
				x.note(f)
			}
		}
	}
	return x.expressions[pos.WithRel(0)]
}

func (x *explainer) note(n ast.Node) {
	ast.Walk(n, func(n ast.Node) bool {
		if f, ok := n.(*ast.Field); ok { // not its label, which is an expression too
			x.note(f.Value)
			return false
		}
		e, ok := n.(ast.Expr)
		if ok {
			x.expressions[e.Pos().WithRel(0)] = e
		}
		switch e := e.(type) { // the operands of what is computed are not the value
		case *ast.BinaryExpr:
			return e.Op == token.AND || e.Op == token.OR
		case *ast.IndexExpr, *ast.SliceExpr, *ast.SelectorExpr, *ast.CallExpr, *ast.Interpolation:
			return false
		}
		return true
	}, nil)
}
