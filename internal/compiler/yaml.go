package compiler

import (
	"path/filepath"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/token"

	"pcconnect.ai/descope-mgmt/internal/model"
	src "pcconnect.ai/descope-mgmt/internal/source"
	"pcconnect.ai/descope-mgmt/internal/yamlconfig"
)

const (
	// yamlRoot stands for the root of a module that is not written in CUE. No such
	// directory exists: its files are syntax trees in memory.
	yamlRoot = ".descope-mgmt-yaml"
	// yamlFile is the name of those files, in envs/ and in envs/<env>/.
	yamlFile = "configuration.cue"
	// yamlModule is the path of such a module.
	yamlModule = "descope.invalid/yaml"
)

// OfYAML is the module that a configuration in YAML stands for. Everything works on it
// as on one in CUE, and all positions are those of the YAML.
func OfYAML(c *yamlconfig.Config) (*Module, error) {
	root, err := filepath.Abs(filepath.Join(c.Root(), yamlRoot))
	if err != nil {
		return nil, err
	}
	return &Module{root: root, path: yamlModule, yaml: c}, nil
}

// YAML is the file that the configuration is written in, relative to the root, or ""
// if it is written in CUE.
func (m *Module) YAML() string {
	if m.yaml == nil {
		return ""
	}
	return m.yaml.File()
}

// KeyVariable is the variable that the configuration names for the management key of an
// environment. Only YAML can name one.
func (m *Module) KeyVariable(env string) string {
	if m.yaml == nil {
		return ""
	}
	return m.yaml.KeyVariable(env)
}

// Place is where an environment is written, in words: "envs/dev".
func (m *Module) Place(env string) string {
	if m.yaml == nil {
		return envsDir + "/" + env
	}
	return "environments." + env + " of " + m.yaml.File()
}

// addYAML puts an environment that is written in YAML in the place of files: the
// resources into the shared definitions, so that enabled_in may stand there, and the
// environment itself into the overlay.
func (l *loaded) addYAML(tree *yamlconfig.Tree) {
	m := l.module
	w := &writer{files: map[string]*token.File{}, extents: map[string]extent{}}
	for _, n := range []*yamlconfig.Node{tree.Environment, tree.Tenants, tree.Flows} {
		w.measure(n)
	}
	l.syntax = map[string]*ast.File{}
	add := func(dir string, fields ...ast.Decl) {
		path := filepath.Join(dir, yamlFile)
		pkg := &ast.Package{Name: ast.NewIdent(envsDir)}
		l.syntax[path] = &ast.File{Filename: path, Decls: append([]ast.Decl{pkg}, fields...)}
		l.sources = append(l.sources, source{path: path, pkg: envsDir})
	}
	section := func(name string, n *yamlconfig.Node) ast.Decl {
		return w.field(yamlconfig.Field{Name: name, At: n.At, Value: n})
	}
	var resources []ast.Decl
	if l.resources {
		resources = append(resources, section("tenants", tree.Tenants), section("flows", tree.Flows))
	}
	add(filepath.Join(m.root, envsDir), resources...)
	add(l.overlayDir(), section("environment", tree.Environment))
	for _, f := range tree.Flows.Fields {
		l.templates = l.templates || f.Value.Get("template") != nil
	}
}

// writer makes syntax of values.
type writer struct {
	files   map[string]*token.File
	extents map[string]extent
}

// extent is how far the positions of a file go. CUE's positions are offsets; these are
// those of a file in which all lines have one length, which give line and column back.
type extent struct{ lines, columns int }

func (w *writer) measure(n *yamlconfig.Node) {
	note := func(at model.Origin) {
		e := w.extents[at.File]
		w.extents[at.File] = extent{max(e.lines, at.Line), max(e.columns, at.Column)}
	}
	note(n.At)
	for _, item := range n.Items {
		w.measure(item)
	}
	for _, f := range n.Fields {
		note(f.At)
		w.measure(f.Value)
	}
}

func (w *writer) pos(at model.Origin) token.Pos {
	if at.IsZero() {
		return token.NoPos
	}
	e := w.extents[at.File]
	f := w.files[at.File]
	if f == nil {
		lines := make([]int, e.lines)
		for i := range lines {
			lines[i] = i * e.columns
		}
		f = token.NewFile(at.File, -1, e.lines*e.columns+1)
		f.SetLines(lines)
		w.files[at.File] = f
	}
	return f.Pos((at.Line-1)*e.columns+at.Column-1, token.NoRelPos)
}

func (w *writer) field(f yamlconfig.Field) *ast.Field {
	lit := &ast.BasicLit{ValuePos: w.pos(f.At), Kind: token.STRING, Value: literal.String.Quote(f.Name)}
	label := ast.Label(lit)
	if src.KeptLabel(f.Name) != f.Name {
		label = &ast.ParenExpr{Lparen: lit.ValuePos, X: lit}
	}
	return &ast.Field{Label: label, Value: w.expr(f.Value)}
}

func (w *writer) expr(n *yamlconfig.Node) ast.Expr {
	pos := w.pos(n.At)
	switch n.Kind {
	case yamlconfig.Null:
		return &ast.BasicLit{ValuePos: pos, Kind: token.NULL, Value: "null"}
	case yamlconfig.Bool:
		kind := token.FALSE
		if n.Text == "true" {
			kind = token.TRUE
		}
		return &ast.BasicLit{ValuePos: pos, Kind: kind, Value: n.Text}
	case yamlconfig.Number:
		return w.number(pos, n.Text)
	case yamlconfig.List:
		list := &ast.ListLit{Lbrack: pos, Rbrack: pos}
		for _, item := range n.Items {
			list.Elts = append(list.Elts, w.expr(item))
		}
		return list
	case yamlconfig.Map:
		s := &ast.StructLit{Lbrace: pos, Rbrace: pos}
		for _, f := range n.Fields {
			s.Elts = append(s.Elts, w.field(f))
		}
		return s
	default:
		return &ast.BasicLit{ValuePos: pos, Kind: token.STRING, Value: literal.String.Quote(n.Text)}
	}
}

func (w *writer) number(pos token.Pos, text string) ast.Expr {
	text, negative := strings.CutPrefix(text, "-")
	kind := token.INT
	if strings.ContainsAny(text, ".e") {
		kind = token.FLOAT
	}
	lit := &ast.BasicLit{ValuePos: pos, Kind: kind, Value: text}
	if !negative {
		return lit
	}
	return &ast.UnaryExpr{OpPos: pos, Op: token.SUB, X: lit}
}

// yamlProject is the project of another environment of the same YAML.
func (m *Module) yamlProject(env string) project {
	tree, _ := m.yaml.Environment(env)
	if tree == nil {
		return project{} // its mistakes are its own, and without a project until they are gone
	}
	id := tree.Environment.Get(projectID)
	if id == nil {
		return project{}
	}
	p := project{id: id.Text, at: id.At}
	for _, f := range tree.Environment.Fields {
		if f.Name == projectID {
			p.at = f.At
		}
	}
	return p
}

// inYAML words a diagnostic for somebody who writes YAML.
func (m *Module) inYAML(diags model.Diagnostics) model.Diagnostics {
	for i := range diags {
		d := &diags[i]
		if d.Key != nil && d.Key.Kind == model.Flow && strings.Contains(d.Detail, "@embed") {
			d.Detail = "expected: an exported flow, as a mapping"
		}
		switch d.Code {
		case "template-or-definition", "empty-definition":
			if strings.Contains(d.Hint, "@extern") {
				d.Hint = ""
			}
		case "shared-project":
			if d.Hint != "" {
				d.Hint = "give each of the environments its own project_id: what auth says, all of them have"
			}
		}
	}
	return diags
}
