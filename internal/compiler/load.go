package compiler

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/load"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"
	"cuelang.org/go/mod/modfile"
	"cuelang.org/go/mod/module"

	"pcconnect.ai/descope-mgmt/internal/literal"
	"pcconnect.ai/descope-mgmt/internal/model"
	src "pcconnect.ai/descope-mgmt/internal/source"
)

// generatedFile is what the loader adds to envs/, in memory only.
const generatedFile = "zz_descope_mgmt_gen.cue"

// loaded is an environment whose files are read and parsed, not yet evaluated.
type loaded struct {
	module       *Module
	env          string
	environments []string
	resources    bool                       // whether tenants and flows are wanted too
	templates    bool                       // whether the flow templates are part of the schema
	taken        map[string]*literal.Tenant // what was read from the text and is not in the instance
	shards       [][]string                 // ids of tenants that are not in the instance either
	files        []*literal.File            // the sources, where there are shards
	config       parser.Config              // how CUE parses files of the user
	pkg          string
	instance     *build.Instance
	index        *index
	sources      []source
	mu           sync.Mutex        // guards the next two: CUE may parse concurrently
	contents     map[string][]byte // of every file, as it was read
	refused      model.Diagnostics // files that were not accepted
	warnings     model.Diagnostics
	generated    map[model.Origin]positions // by the label of their comprehension
	// syntax are the files of a configuration that is not written in CUE, by path.
	syntax map[string]*ast.File
}

// wants are the parts of an environment that are worth their time.
type wants struct {
	// resources are the tenants and flows.
	resources bool
	// templates are those of the schema. They are loaded in any case where the
	// environment seems to use one: see [usesTemplates].
	templates bool
	// whole leaves everything to CUE, also what needs no evaluation: for whoever asks
	// CUE about it later.
	whole bool
	// together has CUE evaluate at once what it evaluates.
	together bool
}

// load reads and parses an environment.
func (m *Module) load(env string, want wants) (*loaded, model.Diagnostics) {
	environments, err := m.Environments()
	if err != nil {
		return nil, model.Diagnostics{{Severity: model.Error, Code: "unreadable", Summary: oneLine(err.Error())}}
	}
	if !slices.Contains(environments, env) {
		return nil, model.Diagnostics{m.unknownEnvironment(env, environments)}
	}
	l := &loaded{module: m, env: env, environments: environments, resources: want.resources, contents: map[string][]byte{}, generated: map[model.Origin]positions{}, templates: want.templates}
	diags := l.read()
	if len(diags) > 0 {
		return nil, diags
	}
	overlay := map[string]load.Source{
		filepath.Join(m.root, envsDir, generatedFile): load.FromString(l.threeLines()),
	}
	if m.yaml != nil {
		overlay[filepath.Join(m.root, moduleFile)] = load.FromString(fmt.Sprintf("module: %q\n%s\n", m.path+"@v0", languageVersion))
	}
	for path, data := range m.unsaved { // also what is embedded
		overlay[path] = load.FromBytes(data)
	}
	for _, s := range l.sources {
		l.contents[s.path] = s.data
		overlay[s.path] = load.FromBytes(s.data)
	}
	if want.resources && !want.whole && m.yaml == nil {
		for path, text := range l.takeLiterals(want.together) {
			overlay[path] = load.FromBytes(text)
		}
	}
	for path, data := range m.unsaved {
		if filepath.Ext(path) != ".cue" || m.rel(path) == moduleFile { // what is embedded, and the module itself
			overlay[path] = load.FromBytes(data)
		}
	}
	m.overlaySchema(overlay, l.templates)
	l.instance = load.Instances([]string{"."}, &load.Config{
		Dir:        l.overlayDir(),
		ModuleRoot: m.root,
		Package:    l.pkg,
		Overlay:    overlay,
		ParseFile:  l.parse,
		Registry:   noRegistry{},
		Env:        []string{"CUE_REGISTRY=none"},
	})[0]
	if err := l.instance.Err; err != nil {
		return nil, l.loadErrors(err)
	}
	l.index = newIndex(m, l.instance.Files)
	return l, nil
}

// read takes the files of the environment, found fit to be parsed, and their package.
func (l *loaded) read() (diags model.Diagnostics) {
	m := l.module
	if m.yaml != nil {
		tree, diags := m.yaml.Environment(l.env)
		if tree == nil {
			return diags
		}
		l.warnings, l.pkg = diags, envsDir
		l.addYAML(tree)
		return nil
	}
	shared, diags := m.readSources(filepath.Join(m.root, envsDir))
	own, d := m.readSources(l.overlayDir())
	if diags = append(diags, d...); len(diags) > 0 {
		return diags
	}
	l.sources = slices.Concat(shared, own)
	l.warnings = m.schemaWarning()
	l.templates = l.templates || slices.ContainsFunc(l.sources, usesTemplates)
	l.pkg, diags = m.packageName(shared, own)
	return diags
}

// threeLines make misspelt fields an error even where the user forgot them.
func (l *loaded) threeLines() string {
	lines := fmt.Sprintf("package %s\n\nimport schema %q\n\nenvironment: schema.#Environment\n", l.pkg, l.module.path+"/"+schemaDir)
	if l.resources {
		lines += "tenants: schema.#Tenants\nflows: schema.#Flows\n"
	}
	return lines
}

func (m *Module) unknownEnvironment(env string, environments []string) model.Diagnostic {
	d := model.Diagnostic{Severity: model.Error, Code: "unknown-environment", Summary: fmt.Sprintf("there is no environment %s", quoted(env))}
	dir := filepath.Join(m.root, envsDir, env)
	switch {
	case len(environments) == 0:
		if !isPlainName(env) {
			env = "dev"
		}
		d.Summary = "envs/ holds no environment"
		d.Detail = "an environment is a directory under envs/ with a .cue file"
		d.Hint = writeEnvironment(env)
	case filepath.IsLocal(env) && env != "." && isDir(dir):
		d.Summary = fmt.Sprintf("%s holds no .cue file", m.rel(dir))
		d.Detail = "an environment is a directory with a .cue file; there are: " + strings.Join(environments, ", ")
		d.Hint = writeEnvironment(env)
	default:
		d.Detail = didYouMean(env, environments, "there are: "+strings.Join(environments, ", "))
	}
	return d
}

// writeEnvironment says how to make an environment.
func writeEnvironment(env string) string {
	return fmt.Sprintf("write envs/%s/%s.cue: package envs, and below it environment: name: %q", env, env, env)
}

// isPlainName tells what can be the name of a directory, and stand in a message,
// as it is.
func isPlainName(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == ""
}

// packageName is the package of the environment. Files of another package
// would be left out without a word, and an overlay of another package would
// come without the shared definitions, so neither is accepted.
func (m *Module) packageName(shared, own []source) (string, model.Diagnostics) {
	var diags model.Diagnostics
	name, from := "", ""
	for _, s := range slices.Concat(shared, own) {
		switch {
		case s.pkg == "":
			d := m.fileError(s.path, "no-package", "%s has no package clause", m.rel(s.path))
			d.Hint = fmt.Sprintf("write package %s in its first line", orElse(name, envsDir))
			diags = append(diags, d)
		case name == "":
			name, from = s.pkg, s.path
		case s.pkg != name:
			d := m.fileError(s.path, "wrong-package", "%s is package %s, but %s is package %s", m.rel(s.path), s.pkg, m.rel(from), name)
			d.Origin = s.pkgAt
			d.Detail = "CUE would leave one of them out without a word"
			d.Hint = "write package " + name
			d.Fix = &model.Fix{At: d.Origin, Old: s.pkg, New: name}
			diags = append(diags, d)
		}
	}
	return name, diags
}

// parse is what CUE calls for each file that it reads.
func (l *loaded) parse(name string, src any, cfg parser.Config) (*ast.File, error) {
	if file, ok := l.syntax[name]; ok {
		return file, nil
	}
	data, _ := src.([]byte)
	l.mu.Lock()
	if l.module.isUserFile(name) {
		l.config = cfg
	}
	if _, known := l.contents[name]; !known {
		l.contents[name] = data
	}
	l.mu.Unlock()
	if d := l.refuse(name, data); d != nil {
		return nil, l.reject(*d)
	}
	file, err := parser.ParseFile(name, src, cfg)
	if err != nil || !l.module.isUserFile(name) {
		return file, err
	}
	if bytes.Contains(data, []byte("@embed")) {
		if d := l.module.embedsNothing(file); d != nil {
			return nil, l.reject(*d)
		}
		if d := l.module.embedsOutside(file); d != nil {
			return nil, l.reject(*d)
		}
	}
	if diags := l.module.changedLabels(file, data); len(diags) > 0 {
		return nil, l.reject(diags...)
	}
	if !l.resources {
		setAside(file.Decls)
	}
	return file, nil
}

// reject notes why a file is not accepted.
func (l *loaded) reject(diags ...model.Diagnostic) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refused = append(l.refused, diags...)
	return errors.New(diags[0].Summary)
}

// setAside puts the fields that hold resources under a condition that is false,
// so that CUE does not evaluate them, as it does what is optional. Imports stay
// used, and names known; what refers to a resource becomes an error.
func setAside(decls []ast.Decl) {
	for _, d := range decls {
		switch d := d.(type) {
		case *ast.Field:
			name, ok := src.LabelName(d.Label)
			if ok && slices.ContainsFunc(model.Kinds(), func(s model.KindSpec) bool { return s.Field == name }) {
				never := &ast.IfClause{Condition: ast.NewBool(false)}
				value := &ast.StructLit{Elts: []ast.Decl{&ast.EmbedDecl{Expr: d.Value}}}
				d.Value = &ast.StructLit{Elts: []ast.Decl{&ast.Comprehension{Clauses: []ast.Clause{never}, Value: value}}}
			}
		case *ast.Comprehension:
			if s, ok := d.Value.(*ast.StructLit); ok {
				setAside(s.Elts)
			}
		}
	}
}

// refuse applies to files of other packages what [Module.readSources] applies
// to those of the environment.
func (l *loaded) refuse(name string, data []byte) *model.Diagnostic {
	if !l.module.isUserFile(name) || slices.ContainsFunc(l.sources, func(s source) bool { return s.path == name }) {
		return nil
	}
	if len(data) > maxFileBytes {
		d := l.module.tooBig(name, int64(len(data)))
		return &d
	}
	return l.module.scan(&source{path: name, data: data})
}

// loadErrors explains why files could not be loaded: one mistake per file,
// since what the parser says after the first is guesswork.
func (l *loaded) loadErrors(err error) model.Diagnostics {
	if len(l.refused) > 0 {
		return l.refused // the rest follows from it
	}
	var diags model.Diagnostics
	seen := map[string]bool{}
	for _, e := range errors.Errors(err) {
		d := l.loadError(e)
		if seen[d.Origin.File] {
			continue
		}
		seen[d.Origin.File] = true
		diags = append(diags, d)
	}
	return diags
}

func (l *loaded) loadError(e errors.Error) model.Diagnostic {
	inner := innermost(e)
	text := strings.ReplaceAll(inner.Error(), l.module.root+string(filepath.Separator), "")
	d := model.Diagnostic{Severity: model.Error, Code: "load", Summary: oneLine(text), Raw: details(l.module, e)}
	for _, pos := range errors.Positions(e) {
		if o := l.pos(pos); !o.IsZero() {
			d.Origin = o // the last one is where the trouble is, not who imports it
		}
	}
	if _, rest, ok := strings.Cut(text, "cannot find package "); ok {
		if path, err := strconv.QuotedPrefix(rest); err == nil {
			l.importError(&d, strings.Trim(path, `"`))
			return d
		}
	}
	if !d.Origin.IsZero() && inner.Position().IsValid() && !strings.Contains(text, "import path") {
		d.Code = "syntax"
		d.Summary = "syntax error: " + strings.ReplaceAll(oneLine(text), "'EOF'", "the end of the file")
		if line := l.line(inner.Position()); line != "" {
			d.Detail = "in: " + line
		}
		unquoted(l.contents[inner.Position().Filename()], &d)
	}
	return d
}

// innermost is the error that an import error wraps.
func innermost(e errors.Error) errors.Error {
	for {
		inner := errors.Error(nil)
		if !errors.As(errors.Unwrap(e), &inner) {
			return e
		}
		e = inner
	}
}

// importError explains an import that found nothing.
func (l *loaded) importError(d *model.Diagnostic, path string) {
	ours := l.module.path + "/" + schemaDir
	d.Code = "unknown-import"
	d.Summary = fmt.Sprintf("import %s: there is no such package", quoted(path))
	d.Detail = didYouMean(path, append(builtinPackages(), ours), fmt.Sprintf("known: %q, packages of %s, and those of CUE; nothing is downloaded", ours, l.module.path))
	meant := model.Suggest(path, append(builtinPackages(), ours))
	if strings.HasSuffix(path, "/"+schemaDir) {
		d.Detail, meant = fmt.Sprintf("did you mean %q?", ours), ours
	}
	l.rename(d, path, meant)
}

// line is the text of the line of a position, for messages.
func (l *loaded) line(pos token.Pos) string {
	content, ok := l.contents[pos.Filename()]
	if !ok {
		return ""
	}
	lines := bytes.SplitN(content, []byte("\n"), pos.Line()+1)
	return short(string(lines[min(pos.Line(), len(lines))-1]))
}

// noRegistry refuses to fetch anything.
type noRegistry struct{}

func (noRegistry) ModFile(_ context.Context, v module.Version) (*modfile.File, error) {
	return nil, fmt.Errorf("module %s is not fetched: descope-mgmt uses no registry", v)
}

func (noRegistry) Fetch(_ context.Context, v module.Version) (module.SourceLoc, error) {
	return module.SourceLoc{}, fmt.Errorf("module %s is not fetched: descope-mgmt uses no registry", v)
}

func (noRegistry) ModuleVersions(context.Context, string) ([]string, error) {
	return nil, nil
}

// details is CUE's own account of an error, with paths relative to the module.
func details(m *Module, err error) string {
	return strings.TrimSpace(errors.Details(err, &errors.Config{Cwd: m.root, ToSlash: true}))
}

func (l *loaded) pos(p token.Pos) model.Origin { return l.module.userOrigin(p) }

func (l *loaded) overlayDir() string { return filepath.Join(l.module.root, envsDir, l.env) }
