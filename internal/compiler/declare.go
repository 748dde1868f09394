package compiler

import (
	"fmt"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/format"
	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/token"
	cuejson "cuelang.org/go/encoding/json"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// Declare writes a file of the package envs that declares one resource with
// these attributes, formatted. The attributes are normalised values; what they
// say comes back from [Compile] when the file lies in an overlay.
func (m *Module) Declare(key model.Key, attrs map[string]any) ([]byte, error) {
	definitions := map[model.Kind]string{model.Tenant: "#Tenant", model.Flow: "#Flow"}
	definition, ok := definitions[key.Kind]
	if !ok {
		return nil, fmt.Errorf("%s: nothing is known of the kind", key)
	}
	value, err := cuejson.Extract(key.String(), model.CanonicalJSON(attrs))
	if err != nil {
		return nil, fmt.Errorf("writing %s as CUE: %w", key, err)
	}
	ast.Walk(value, func(n ast.Node) bool {
		if f, ok := n.(*ast.Field); ok {
			f.Label = exact(f.Label)
		}
		return true
	}, nil)
	label := &ast.BasicLit{Kind: token.STRING, Value: literal.String.Quote(key.ID)}
	file := &ast.File{Decls: []ast.Decl{
		&ast.Package{Name: ast.NewIdent(envsDir)},
		&ast.ImportDecl{Specs: []*ast.ImportSpec{ast.NewImport(nil, m.path+"/"+schemaDir)}},
		&ast.Field{
			Label: ast.NewIdent(model.Spec(key.Kind).Field),
			Value: ast.NewStruct(&ast.Field{
				Label: exact(label),
				Value: ast.NewBinExpr(token.AND, &ast.SelectorExpr{X: ast.NewIdent(schemaDir), Sel: ast.NewIdent(definition)}, value),
			}),
		},
	}}
	text, err := format.Node(file, format.Simplify())
	if err != nil {
		return nil, fmt.Errorf("writing %s as CUE: %w", key, err)
	}
	return text, nil
}
