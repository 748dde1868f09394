package schemadoc

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"

	"pcconnect.ai/descope-mgmt/schema"
)

// Document is the schema, taken apart.
type Document struct {
	definitions []*Definition
	byName      map[string]*Definition
	// packages are those of CUE's library that are imported, by the name of their use.
	packages map[string]string
}

// Definition is one definition of the schema, such as #Tenant.
type Definition struct {
	// Name has the #.
	Name string
	// Doc is its comment.
	Doc string
	// Fields are those of a struct, in the order of the schema.
	Fields []Field

	// decls are all declarations of it: the first one has the comment.
	decls []*ast.Field
}

// Field is one field of a definition.
type Field struct {
	Name string
	// Doc is its comment, one line for each of the schema's.
	Doc string
	// Required: it has to be written.
	Required bool

	value ast.Expr
}

// Definition finds a definition by its name, or nil.
func (d *Document) Definition(name string) *Definition { return d.byName[name] }

// Public are the definitions that users can write, in the order of their files.
func (d *Document) Public() []*Definition {
	return slices.DeleteFunc(slices.Clone(d.definitions), func(def *Definition) bool {
		return strings.HasPrefix(def.Name, "_")
	})
}

// sources are the files of the schema by name.
func sources() (map[string][]byte, error) {
	entries, err := schema.FS.ReadDir(".")
	if err != nil {
		return nil, fmt.Errorf("reading the schema: %w", err)
	}
	files := map[string][]byte{}
	for _, e := range entries {
		if files[e.Name()], err = schema.FS.ReadFile(e.Name()); err != nil {
			return nil, fmt.Errorf("reading the schema: %w", err)
		}
	}
	return files, nil
}

// parse reads files, in the order of their names. What the same file says twice of a
// definition, or two files do, is one definition.
func parse(files map[string][]byte) (*Document, error) {
	d := &Document{byName: map[string]*Definition{}, packages: map[string]string{}}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		file, err := parser.ParseFile(name, files[name], parser.ParseComments)
		if err != nil {
			return nil, fmt.Errorf("reading the schema: %w", err)
		}
		for spec := range file.ImportSpecs() {
			imported, err := literal.Unquote(spec.Path.Value)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", spec.Pos(), err)
			}
			d.packages[path.Base(imported)] = imported
		}
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.Field)
			if !ok {
				continue
			}
			label, _, err := ast.LabelName(f.Label)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", f.Pos(), err)
			}
			def, again := d.byName[label]
			if !again {
				def = &Definition{Name: label, Doc: comment(f)}
				d.definitions, d.byName[label] = append(d.definitions, def), def
				def.Fields = fields(f.Value)
			}
			def.decls = append(def.decls, f)
		}
	}
	return d, nil
}

// fields are those that a struct names, hidden ones excepted: nobody writes them.
func fields(e ast.Expr) []Field {
	s, ok := e.(*ast.StructLit)
	if !ok {
		return nil
	}
	var out []Field
	for _, decl := range s.Elts {
		f, ok := decl.(*ast.Field)
		if !ok {
			continue
		}
		name, _, err := ast.LabelName(f.Label)
		if err != nil || strings.HasPrefix(name, "_") {
			continue // a pattern, or hidden
		}
		out = append(out, Field{Name: name, Doc: comment(f), Required: f.Constraint == token.NOT, value: f.Value})
	}
	return out
}

// comment is what stands above a declaration.
func comment(n ast.Node) string {
	var text []string
	for _, group := range ast.Comments(n) {
		if group.Doc {
			text = append(text, strings.TrimSpace(group.Text()))
		}
	}
	return strings.Join(text, "\n")
}

// paragraph is a comment in one line.
func paragraph(comment string) string { return strings.Join(strings.Fields(comment), " ") }
