package source

import (
	"slices"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/token"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// formKind is what an expression says about a value.
type formKind int

const (
	constraint formKind = iota // what the value must be like: gives none
	concrete                   // a literal
	defaulted                  // a literal that another one may replace
	computed                   // a value that is no literal
	unclear                    // only the evaluation can tell
)

// form is what the expression of a field says.
type form struct {
	kind formKind
	// node is the literal of what is concrete or defaulted.
	node ast.Expr
	// whole is the disjunction of a default, arms are its other arms.
	whole ast.Expr
	arms  []ast.Expr
	// and: the literal is one operand of several.
	and bool
	// what says in words what computes a value.
	what string
}

// classify says what the expression at a place gives. Of the operands of &, the one
// that decides most counts.
func (e *editor) classify(p place) form {
	all := operands(p.value)
	out := form{}
	for _, x := range all {
		f := e.formOf(x, p.file, 0)
		f.and = len(all) > 1
		if rank(f.kind) > rank(out.kind) {
			out = f
		}
	}
	return out
}

func rank(k formKind) int {
	return slices.Index([]formKind{constraint, unclear, defaulted, concrete, computed}, k)
}

func (e *editor) formOf(x ast.Expr, file *editedFile, depth int) form {
	switch x := x.(type) {
	case *ast.ParenExpr:
		return e.formOf(x.X, file, depth)
	case *ast.BasicLit, *ast.ListLit, *ast.StructLit:
		return literalForm(x)
	case *ast.UnaryExpr:
		if x.Op == token.SUB || x.Op == token.ADD {
			return literalForm(x)
		}
		return form{} // a bound
	case *ast.BinaryExpr:
		switch x.Op {
		case token.OR:
			return disjunction(x)
		case token.AND:
			return form{kind: unclear}
		default:
			return form{kind: computed, what: "computed by an expression"}
		}
	case *ast.Interpolation:
		return form{kind: computed, what: "an interpolation"}
	case *ast.Ident:
		return e.identForm(x, file, depth)
	case *ast.SelectorExpr:
		if id, ok := x.X.(*ast.Ident); ok && isSchema(file.imports[id.Name]) {
			return form{}
		}
		return form{kind: computed, what: "a reference"}
	}
	return form{kind: unclear}
}

// literalForm is the form of what looks like a literal; one that holds something
// else inside is computed, and a mere type gives no value.
func literalForm(x ast.Expr) form {
	if _, ok := valueOf(x); ok {
		return form{kind: concrete, node: x}
	}
	if list, ok := x.(*ast.ListLit); ok {
		if len(list.Elts) == 1 {
			if _, open := list.Elts[0].(*ast.Ellipsis); open {
				return form{}
			}
		}
		return form{kind: computed, what: "a list with elements that are no literals"}
	}
	if _, ok := x.(*ast.StructLit); ok {
		return form{kind: unclear}
	}
	return form{kind: computed, what: "no literal of JSON"}
}

// disjunction is the form of *x | T, or of a choice without a default.
func disjunction(x ast.Expr) form {
	f := form{whole: x}
	for _, arm := range arms(x) {
		if u, ok := arm.(*ast.UnaryExpr); ok && u.Op == token.MUL && f.node == nil {
			f.node = u.X
			continue
		}
		f.arms = append(f.arms, arm)
	}
	if f.node == nil {
		return form{}
	}
	if _, ok := valueOf(f.node); !ok {
		return form{kind: unclear}
	}
	f.kind = defaulted
	return f
}

func arms(x ast.Expr) []ast.Expr {
	if b, ok := x.(*ast.BinaryExpr); ok && b.Op == token.OR {
		return append(arms(b.X), arms(b.Y)...)
	}
	return []ast.Expr{x}
}

func (e *editor) identForm(id *ast.Ident, file *editedFile, depth int) form {
	if predeclared(id.Name) || id.Name == "_" || isNumberType(id.Name) {
		return form{}
	}
	kind := "a reference"
	if isDefinitionName(id.Name) {
		kind = "a definition"
	}
	targets := e.named(id.Name, file)
	if len(targets) == 0 || depth == maxReferences {
		return form{kind: unclear}
	}
	out := form{}
	for _, t := range targets {
		for _, x := range operands(t.value) {
			if f := e.formOf(x, t.file, depth+1); rank(f.kind) > rank(out.kind) {
				out = f
			}
		}
	}
	switch out.kind {
	case concrete, computed:
		return form{kind: computed, what: kind + " to " + id.Name + " (" + targets[0].origin().String() + ")"}
	case constraint:
		return out
	default:
		return form{kind: unclear} // an overlay may say something else
	}
}

// isNumberType tells the types of numbers that have a width.
func isNumberType(name string) bool {
	for _, prefix := range []string{"uint", "int", "float", "rune"} {
		if rest, ok := strings.CutPrefix(name, prefix); ok && strings.Trim(rest, "0123456789") == "" {
			return true
		}
	}
	return false
}

// valueOf is the value of a literal, if the expression is one.
func valueOf(x ast.Expr) (any, bool) {
	switch x := x.(type) {
	case *ast.ParenExpr:
		return valueOf(x.X)
	case *ast.BasicLit:
		return basicValue(x)
	case *ast.UnaryExpr:
		lit, ok := x.X.(*ast.BasicLit)
		if !ok || lit.Kind != token.INT && lit.Kind != token.FLOAT {
			return nil, false
		}
		return number(x.Op.String() + lit.Value)
	case *ast.ListLit:
		out := []any{}
		for _, e := range x.Elts {
			v, ok := valueOf(e)
			if !ok {
				return nil, false
			}
			out = append(out, v)
		}
		return out, true
	case *ast.StructLit:
		out := map[string]any{}
		for _, d := range x.Elts {
			f, ok := d.(*ast.Field)
			if !ok || f.Constraint != token.ILLEGAL {
				return nil, false
			}
			name, named := labelName(f.Label)
			v, literal := valueOf(f.Value)
			if _, twice := out[name]; !named || !literal || twice || len(f.Attrs) > 0 {
				return nil, false
			}
			out[name] = v
		}
		return out, true
	}
	return nil, false
}

func basicValue(x *ast.BasicLit) (any, bool) {
	switch x.Kind {
	case token.STRING:
		if strings.HasPrefix(strings.TrimLeft(x.Value, "#"), "'") {
			return nil, false // bytes
		}
		s, err := literal.Unquote(x.Value)
		return s, err == nil
	case token.TRUE, token.FALSE:
		return x.Kind == token.TRUE, true
	case token.NULL:
		return nil, true
	case token.INT, token.FLOAT:
		return number(x.Value)
	default:
		return nil, false
	}
}

// number is a number in its canonical spelling. One that JSON does not spell, such as
// 0x10 or 1M, is a literal without a known value.
func number(text string) (any, bool) {
	n, err := model.CanonicalNumber(strings.TrimPrefix(strings.ReplaceAll(text, "_", ""), "+"))
	if err != nil {
		return text, true
	}
	return n, true
}

// kindOf names the type of a value as CUE writes it.
func kindOf(v any) string {
	switch v := v.(type) {
	case string:
		return "string"
	case bool:
		return "bool"
	case nil:
		return "null"
	case map[string]any:
		return "{...}"
	case []any:
		for _, e := range v {
			if _, ok := e.(string); !ok {
				return "[...]"
			}
		}
		return "[...string]"
	}
	return "number"
}

// admits reports whether one of the arms of a disjunction takes a value, as far as
// that can be told without evaluating it.
func admits(arms []ast.Expr, v any) bool {
	kind := kindOf(v)
	for _, arm := range arms {
		switch x := arm.(type) {
		case *ast.ParenExpr:
			if admits(disjuncts(x.X), v) {
				return true
			}
		case *ast.Ident:
			if x.Name == "_" || x.Name == kind || !predeclared(x.Name) && !isNumberType(x.Name) || kind == "number" && isNumberType(x.Name) {
				return true
			}
		case *ast.ListLit:
			if strings.HasPrefix(kind, "[") {
				return true
			}
		case *ast.StructLit:
			if kind == "{...}" {
				return true
			}
		default:
			if w, ok := valueOf(x); !ok || model.Equal(v, w) {
				return true // what cannot be told is left to the evaluation
			}
		}
	}
	return false
}

func disjuncts(x ast.Expr) []ast.Expr { return arms(x) }
