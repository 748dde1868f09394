package sarif

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// codesIn finds the codes of diagnostics in the sources of a package: what is given to a
// field Code, or to a parameter named code.
func codesIn(t *testing.T, dir string) []string {
	t.Helper()
	fset := token.NewFileSet()
	var files []*ast.File
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no sources in %s (%v)", dir, err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	takes := map[string]int{} // functions by name, and which argument is the code
	note := func(name string, params *ast.FieldList) {
		i := 0
		for _, field := range params.List {
			for _, n := range field.Names {
				if n.Name == "code" {
					takes[name] = i
				}
				i++
			}
		}
	}
	var found []string
	literal := func(e ast.Expr) {
		switch e := e.(type) {
		case *ast.BasicLit:
			if s, err := strconv.Unquote(e.Value); err == nil && e.Kind == token.STRING {
				found = append(found, s)
			}
		case *ast.BinaryExpr: // the start of it
			if b, ok := e.X.(*ast.BasicLit); ok {
				s, _ := strconv.Unquote(b.Value)
				found = append(found, s+"*")
			}
		}
	}
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				note(n.Name.Name, n.Type.Params)
			case *ast.AssignStmt:
				for i, l := range n.Lhs {
					if i >= len(n.Rhs) {
						break
					}
					if id, ok := l.(*ast.Ident); ok {
						if fn, ok := n.Rhs[i].(*ast.FuncLit); ok {
							note(id.Name, fn.Type.Params)
						}
						if id.Name == "code" {
							literal(n.Rhs[i])
						}
					}
					if sel, ok := l.(*ast.SelectorExpr); ok && sel.Sel.Name == "Code" {
						literal(n.Rhs[i])
					}
				}
			case *ast.KeyValueExpr:
				if id, ok := n.Key.(*ast.Ident); ok && id.Name == "Code" {
					literal(n.Value)
				}
			}
			return true
		})
	}
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			name := ""
			switch fn := call.Fun.(type) {
			case *ast.Ident:
				name = fn.Name
			case *ast.SelectorExpr:
				name = fn.Sel.Name
			}
			if i, ok := takes[name]; ok && i < len(call.Args) {
				literal(call.Args[i])
			}
			return true
		})
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// TestRulesKnowEveryCode: each code that a diagnostic can have is a rule with a text that
// helps, and so is each rule of the lint.
func TestRulesKnowEveryCode(t *testing.T) {
	rules := ConfigurationRules()
	var codes []string
	for _, dir := range []string{"compiler", "yamlconfig", "flow"} {
		found := codesIn(t, filepath.Join("..", dir))
		if len(found) < 5 {
			t.Errorf("only %d codes in %s: the test does not see them", len(found), dir)
		}
		codes = append(codes, found...)
	}
	for _, code := range append(codes, "accepted-drift", "imported") {
		if find(rules, strings.TrimSuffix(code, "*")+"x") < 0 && find(rules, code) < 0 {
			t.Errorf("no rule says what %s is", code)
		}
	}
	lint := FlowRules()
	names := lintRules(t)
	if len(names) < 20 {
		t.Errorf("only %d rules of the lint: the test does not see them", len(names))
	}
	for _, name := range names {
		if find(lint, name) < 0 {
			t.Errorf("no rule says what %s is", name)
		}
	}
	seen := map[string]bool{}
	for i, r := range append(rules, lint...) {
		id := fmt.Sprint(i < len(rules), r.ID)
		if r.Text == "" || r.Help == "" || seen[id] {
			t.Errorf("%+v has no text, or is there twice", r)
		}
		seen[id] = true
	}
}

// lintRules are the constants of the type LintRule.
func lintRules(t *testing.T) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "flow", "lint.go"), nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	ast.Inspect(f, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if id, ok := spec.Type.(*ast.Ident); ok && id.Name == "LintRule" && len(spec.Values) == 1 {
			if lit, ok := spec.Values[0].(*ast.BasicLit); ok {
				s, _ := strconv.Unquote(lit.Value)
				names = append(names, s)
			}
		}
		return true
	})
	return names
}
