package scaffold

import (
	"bytes"
	"embed"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"text/template"
)

//go:embed templates
var templates embed.FS

// File is a file of a new configuration.
type File struct {
	// Path is relative to its root, with slashes.
	Path string
	Text []byte
}

// layout is which template makes which file, in the order in which they are written:
// what a reader wants first comes last, so that a run that is killed leaves no
// environment without what it needs.
func layout() [][2]string {
	return [][2]string{
		{"gitignore", ".gitignore"},
		{"env.example", envExample},
		{"settings.json", ".vscode/settings.json"},
		{"extensions.json", ".vscode/extensions.json"},
		{"tasks.json", ".vscode/tasks.json"},
		{"workflow.yml", WorkflowFile},
		{"pre-commit.yaml", ".pre-commit-config.yaml"},
		{"README.md", "README.md"},
		{"environment.cue", "envs/environment.cue"},
		{"tenants.cue", "envs/tenants.cue"},
		{"flows.cue", "envs/flows.cue"},
	}
}

// Files makes the files of a new configuration. The options have been checked; an error
// is a mistake of ours.
func Files(o Options) ([]File, error) {
	all, err := parse()
	if err != nil {
		return nil, err
	}
	files := []File{{"cue.mod/module.cue", o.ModuleFile}}
	for _, name := range slices.Sorted(maps.Keys(o.Schema)) {
		files = append(files, File{"schema/" + name, o.Schema[name]})
	}
	for _, l := range layout() {
		text, err := fill(all, l[0], o)
		if err != nil {
			return nil, err
		}
		files = append(files, File{l[1], text})
	}
	for _, e := range o.Environments {
		f, err := Overlay(e)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

// Overlay is the file of one environment.
func Overlay(e Environment) (File, error) {
	all, err := parse()
	if err != nil {
		return File{}, err
	}
	text, err := fill(all, "overlay.cue", e)
	return File{path.Join("envs", e.Name, e.Name+".cue"), text}, err
}

// Files that name every environment, and that nobody writes over.
const (
	WorkflowFile = ".github/workflows/descope.yml"
	envExample   = ".env.example"
)

// Addition is what a file that is there lacks of an environment that is new.
type Addition struct {
	// Path is that of the file, relative to the root of the configuration, with slashes.
	Path string
	// Where in it the lines belong, in words.
	Where string
	// Lines are as they stand in the file, each with its line end.
	Lines string
	// Variable is that of the management key: a file that names it has the lines.
	Variable string
}

// Additions are the lines to add to the files of a configuration for an environment that
// is new. An error is a mistake of ours.
func Additions(e Environment) ([]Addition, error) {
	all, err := parse()
	if err != nil {
		return nil, err
	}
	o, key := Options{Environments: []Environment{e}}, "DESCOPE_"+variable(e.Name)+"_MANAGEMENT_KEY"
	additions := []Addition{
		{Path: WorkflowFile, Where: "in the matrix of each job", Variable: key},
		{Path: envExample, Where: "at its end", Variable: key},
	}
	for i, name := range []string{"matrix", "variables"} {
		var b strings.Builder
		if err := all.ExecuteTemplate(&b, name, o); err != nil {
			return nil, fmt.Errorf("making the lines for %s: %w", additions[i].Path, err)
		}
		additions[i].Lines = strings.TrimPrefix(b.String(), "\n") + "\n"
	}
	return additions, nil
}

func parse() (*template.Template, error) {
	// GitHub's own ${{ }} stays as it is.
	t := template.New("").Delims("<<", ">>").Option("missingkey=error").Funcs(template.FuncMap{"variable": variable, "pattern": regexp.QuoteMeta})
	return t.ParseFS(templates, "templates/*.tmpl")
}

func fill(all *template.Template, name string, data any) ([]byte, error) {
	var b bytes.Buffer
	if err := all.ExecuteTemplate(&b, name+".tmpl", data); err != nil {
		return nil, fmt.Errorf("making %s: %w", name, err)
	}
	return b.Bytes(), nil
}

// variable is the part of a variable's name that stands for an environment.
func variable(env string) string { return strings.ToUpper(strings.ReplaceAll(env, "-", "_")) }
