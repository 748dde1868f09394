package source

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/format"
	"cuelang.org/go/cue/token"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// The names that every configuration has: see docs/architecture.md.
const (
	envsDir   = "envs"
	schemaDir = "schema"
)

// definition is the name that the schema has for a kind, "" if it has none.
func definition(k model.Kind) string {
	return map[model.Kind]string{model.Tenant: "#Tenant", model.Flow: "#Flow"}[k]
}

// Declare writes a file of a module that declares one resource with these
// attributes. The attributes are normalised values.
func Declare(module string, key model.Key, attrs map[string]any) ([]byte, error) {
	if definition(key.Kind) == "" {
		return nil, fmt.Errorf("%s: nothing is known of the kind", key)
	}
	f := file{module: module}
	f.entry(entry{key: key, value: tree(leavesOf(model.Resource{Key: key, Attrs: attrs})), whole: true})
	text, err := f.text()
	if err != nil {
		return nil, fmt.Errorf("writing %s as CUE: %w", key, err)
	}
	return text, nil
}

// file is a file of the configuration in the making.
type file struct {
	// module is the import path of the module.
	module string
	// comment stands at the top, a line each; embeds makes it begin with what lets it
	// embed files.
	comment []string
	embeds  bool
	decls   []ast.Decl
	schema  bool // something refers to the schema
}

// entry adds a resource. The whole of a tenant is checked by the schema's definition,
// which also lets editors complete; what an overlay adds to one need not be.
func (f *file) entry(e entry) {
	var value ast.Expr = e.value
	switch {
	case e.key.Kind == model.Flow && hasAttributes(e.value):
		f.embeds = true
	case e.whole:
		f.schema = true
		of := &ast.SelectorExpr{X: ast.NewIdent(schemaDir), Sel: ast.NewIdent(definition(e.key.Kind))}
		value = ast.NewBinExpr(token.AND, of, value)
	}
	// A struct without braces: tenants: "acme": …
	inner := &ast.StructLit{Elts: []ast.Decl{&ast.Field{Label: Quoted(e.key.ID), Value: value}}}
	f.add(&ast.Field{Label: ast.NewIdent(model.Spec(e.key.Kind).Field), Value: inner}, e.remarks)
}

func hasAttributes(s *ast.StructLit) bool {
	return slices.ContainsFunc(s.Elts, func(d ast.Decl) bool {
		f, ok := d.(*ast.Field)
		return ok && len(f.Attrs) > 0
	})
}

// connectors adds the names of connectors to the environment.
func (f *file) connectors(ids map[string]string) {
	value := braces()
	for _, name := range slices.Sorted(maps.Keys(ids)) {
		value.Elts = append(value.Elts, &ast.Field{Label: Quoted(name), Value: ast.NewString(ids[name])})
		ast.SetRelPos(value.Elts[len(value.Elts)-1], token.Newline)
	}
	inner := &ast.StructLit{Elts: []ast.Decl{&ast.Field{Label: ast.NewIdent("connectors"), Value: value}}}
	f.add(&ast.Field{Label: ast.NewIdent("environment"), Value: inner}, nil)
}

// add adds a declaration under comments.
func (f *file) add(decl *ast.Field, remarks []string) {
	ast.SetRelPos(decl, token.NewSection)
	if len(remarks) > 0 {
		doc := &ast.CommentGroup{Doc: true}
		for _, line := range remarks {
			doc.List = append(doc.List, &ast.Comment{Text: "// " + line})
		}
		ast.AddComment(decl, doc)
		ast.SetRelPos(doc, token.NewSection)
	}
	f.decls = append(f.decls, decl)
}

// braces is a struct that is written over several lines.
func braces() *ast.StructLit {
	return &ast.StructLit{Lbrace: token.Blank.Pos(), Rbrace: token.Newline.Pos()}
}

// inOrder sorts names of attributes: those of a tenant as its definition has them,
// what is a map last, and all others behind.
func inOrder(names []string) []string {
	known := []string{"name", "domains", "self_provisioning", "parent", "disabled", "role_inheritance", "default_roles", "custom_attributes", "custom_attributes_exclusive", "template", "config"}
	place := func(name string) int {
		if i := slices.Index(known, name); i >= 0 {
			return i
		}
		return len(known)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(place(a), place(b)), strings.Compare(a, b)) })
	return names
}

// text is the file, in the format of cue fmt.
func (f *file) text() ([]byte, error) {
	var b bytes.Buffer
	if f.embeds {
		b.WriteString("@extern(embed)\n\n")
	}
	for _, line := range f.comment {
		b.WriteString("// " + line + "\n")
	}
	if len(f.comment) > 0 {
		b.WriteString("\n")
	}
	decls := []ast.Decl{&ast.Package{Name: ast.NewIdent(envsDir)}}
	if f.schema {
		decls = append(decls, &ast.ImportDecl{Specs: []*ast.ImportSpec{ast.NewImport(nil, f.module+"/"+schemaDir)}})
	}
	body, err := format.Node(&ast.File{Decls: append(decls, f.decls...)})
	if err != nil {
		return nil, err
	}
	b.Write(body)
	return format.Source(b.Bytes())
}
