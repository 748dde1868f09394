package compiler

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/format"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"

	src "pcconnect.ai/descope-mgmt/internal/source"
)

// Template is a flow that the schema can make: {template: Name, config: {...}},
// or schema.Definition & {config: {...}}.
type Template struct {
	Name       string
	Definition string // "#MFALogin"
	// Summary says what the flow does, in one line.
	Summary string
	// Fields are the options of the template, in the order of the schema.
	Fields []TemplateField

	config string // the definition of config
}

// TemplateField is an option of a template.
type TemplateField struct {
	Name string
	// Type is what may be written, as CUE says it.
	Type string
	// Default is what counts where nothing is written, "" where that is nothing.
	Default  string
	Required bool
	// Doc is what the schema says about the option, in one line.
	Doc string
}

// Templates returns the flow templates of the schema, by name. Everything in
// them is read from the schema's own definitions.
func Templates() []Template {
	all := templates()
	out := slices.Clone(all)
	for i := range out {
		out[i].Fields = slices.Clone(out[i].Fields)
	}
	return out
}

// templates are read once; nobody may modify them.
var templates = sync.OnceValue(readTemplates)

func readTemplates() []Template {
	definitions := map[string]*ast.Field{}
	files := schemaFiles()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		file, err := parser.ParseFile(name, files[name], parser.ParseComments)
		if err != nil {
			continue // a test parses the schema
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.Field); ok {
				if label, ok := src.LabelName(f.Label); ok && definitions[label] == nil {
					definitions[label] = f
				}
			}
		}
	}
	var out []Template
	for label, f := range definitions {
		t := Template{Definition: label}
		decl{value: f.Value}.members(func(field string, m decl) {
			switch field {
			case "template":
				t.Name, _ = unquoteCUE(text(m.value))
			case "config":
				t.config = text(m.value)
			}
		})
		config, ok := definitions[t.config]
		if t.Name == "" || !ok {
			continue
		}
		t.Summary = documented(f, label+" is a flow: ")
		if s, ok := config.Value.(*ast.StructLit); ok {
			for _, e := range s.Elts {
				if option, ok := e.(*ast.Field); ok {
					t.Fields = append(t.Fields, optionOf(option, definitions))
				}
			}
		}
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b Template) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// optionOf reads an option: *default | type, or a type with validators.
func optionOf(f *ast.Field, definitions map[string]*ast.Field) TemplateField {
	o := TemplateField{Required: f.Constraint == token.NOT}
	o.Name, _ = src.LabelName(f.Label)
	o.Doc = documented(f, o.Name+" ")
	var types, literals []string
	for _, arm := range arms(f.Value) {
		if u, ok := arm.(*ast.UnaryExpr); ok && u.Op == token.MUL {
			o.Default = text(u.X)
			literals = append(literals, text(u.X))
			continue
		}
		types = append(types, typeText(arm, definitions))
	}
	if slices.ContainsFunc(types, func(s string) bool { return strings.HasPrefix(s, `"`) && !strings.Contains(s, "=~") }) {
		types = append(literals, types...)
	}
	o.Type = strings.Join(types, " | ")
	if _, list := f.Value.(*ast.ListLit); o.Default == "" && !o.Required && (list || strings.HasPrefix(o.Type, "[...")) {
		o.Default = "[]" // what CUE makes of an open list
	}
	return o
}

// arms are the alternatives of an expression.
func arms(e ast.Expr) []ast.Expr {
	if b, ok := e.(*ast.BinaryExpr); ok && b.Op == token.OR {
		return append(arms(b.X), arms(b.Y)...)
	}
	return []ast.Expr{e}
}

// typeText is a type without validators that are calls, and with what the
// definitions in it stand for.
func typeText(e ast.Expr, definitions map[string]*ast.Field) string {
	switch e := e.(type) {
	case *ast.BinaryExpr:
		if _, call := e.Y.(*ast.CallExpr); call && e.Op == token.AND {
			return typeText(e.X, definitions)
		}
	case *ast.ListLit:
		if len(e.Elts) == 1 {
			if rest, ok := e.Elts[0].(*ast.Ellipsis); ok && rest.Type != nil {
				return "[..." + typeText(rest.Type, definitions) + "]"
			}
		}
	case *ast.Ident:
		if d, ok := definitions[e.Name]; ok {
			return text(d.Value)
		}
	}
	return text(e)
}

// documented is the comment of a field in one line, without its first words.
func documented(f *ast.Field, without string) string {
	var words []string
	for _, group := range ast.Comments(f) {
		if group.Doc {
			words = append(words, strings.Fields(group.Text())...)
		}
	}
	return strings.TrimPrefix(strings.Join(words, " "), without)
}

// text is an expression in one line.
func text(e ast.Node) string {
	b, err := format.Node(e)
	if err != nil {
		return ""
	}
	return oneLine(string(b))
}

// templateNamed finds a template by its name.
func templateNamed(name string) (Template, bool) {
	all := templates()
	i := slices.IndexFunc(all, func(t Template) bool { return t.Name == name })
	if i < 0 {
		return Template{}, false
	}
	return all[i], true
}
