package compiler

import (
	"slices"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"

	src "pcconnect.ai/descope-mgmt/internal/source"
)

// maxSources bounds how many places one contribution is followed to.
const maxSources = 50

// sources collects the places that expressions refer to.
type sources struct {
	*tracer
	found []Source
}

// add notes a place, and reports whether it is new.
func (s *sources) add(n ast.Node, text string) bool {
	at := s.pos(n.Pos())
	if at.IsZero() || len(s.found) >= maxSources || slices.ContainsFunc(s.found, func(o Source) bool { return o.Origin == at }) {
		return false
	}
	s.found = append(s.found, Source{Origin: at, Text: text})
	return true
}

// expr follows the references in an expression.
func (s *sources) expr(e ast.Node, depth int) {
	if depth > maxReferences {
		return
	}
	ast.Walk(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			s.expr(n.Value, depth) // its label refers to nothing
			return false
		case *ast.Ident, *ast.SelectorExpr, *ast.IndexExpr:
			root, path, index := chain(n.(ast.Expr))
			for _, e := range index {
				s.expr(e, depth)
			}
			if root == nil {
				return true
			}
			s.reference(root, path, depth+1)
			return false
		}
		return true
	}, nil)
}

// clause follows what a loop or a condition depends on.
func (s *sources) clause(c ast.Clause, depth int) {
	if s.add(c, s.text(c)) {
		s.expr(clauseExpr(c), depth)
	}
}

func clauseExpr(c ast.Clause) ast.Node {
	switch c := c.(type) {
	case *ast.ForClause:
		return c.Source
	case *ast.IfClause:
		return c.Condition
	case *ast.LetClause:
		return c.Expr
	}
	return ast.NewNull()
}

// reference follows a name to the fields or the let that it stands for.
func (s *sources) reference(root *ast.Ident, path []string, depth int) {
	switch n := root.Node.(type) {
	case *ast.LetClause:
		if s.add(n, s.text(n)) {
			s.expr(n.Expr, depth)
		}
		return
	case *ast.ForClause, *ast.ImportSpec:
		return // the clause is noted with what stands in it
	}
	if len(s.index.top[root.Name]) == 0 {
		return
	}
	s.target(lookup(s.root, append([]string{root.Name}, path...)), depth)
}

// target notes where a value is written that another one refers to.
func (s *sources) target(v cue.Value, depth int) {
	for _, f := range s.written(v) {
		if s.add(f, s.text(f)) {
			s.expr(f.Value, depth)
			for _, c := range s.surroundings(f.Pos()).clauses {
				s.clause(c, depth)
			}
		}
	}
}

// written are the fields of the user that a value is made of.
func (s *sources) written(v cue.Value) []*ast.Field {
	if !v.Exists() {
		return nil
	}
	var fields []*ast.Field
	for _, p := range conjuncts(v) {
		if f, ok := p.Source().(*ast.Field); ok && s.module.isUserFile(f.Pos().Filename()) {
			fields = append(fields, f)
		}
	}
	return fields
}

// lookup finds a value by names, those of hidden fields and definitions included.
func lookup(v cue.Value, path []string) cue.Value {
	for _, name := range path {
		next := v.LookupPath(cue.MakePath(cue.Str(name)))
		if !next.Exists() {
			iter, err := v.Fields(cue.All())
			for err == nil && iter.Next() {
				if sel := iter.Selector(); !sel.IsString() && sel.String() == name {
					next = iter.Value()
				}
			}
		}
		if !next.Exists() {
			return v // as far as it goes: an element of a list, say
		}
		v = next
	}
	return v
}

// chain takes a.b["c"] apart. What stands in brackets and is no text is an
// expression of its own.
func chain(e ast.Expr) (root *ast.Ident, path []string, index []ast.Expr) {
	for {
		switch n := e.(type) {
		case *ast.Ident:
			slices.Reverse(path)
			return n, path, index
		case *ast.SelectorExpr:
			name, _ := src.LabelName(n.Sel)
			path, e = append(path, name), n.X
		case *ast.IndexExpr:
			if name, ok := unquoteLiteral(n.Index); ok {
				path = append(path, name)
			} else {
				path, index = nil, append(index, n.Index) // all of what is indexed
			}
			e = n.X
		default:
			return nil, nil, nil
		}
	}
}

func unquoteLiteral(e ast.Expr) (string, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok {
		return "", false
	}
	return src.LabelName(lit)
}
