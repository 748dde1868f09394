package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/compiler"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/sarif"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

// findings writes SARIF. Its files are relative to the root of the repository, as forges
// want them, or else to the directory of the configuration.
type findings struct {
	root  string
	files map[string][]byte
}

// findingsIn is for what is below a directory.
func findingsIn(dir string) *findings {
	root := dir
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, ".git")); err == nil {
			root = at
			break
		}
		if at == filepath.Dir(at) {
			break
		}
	}
	return &findings{root: root, files: map[string][]byte{}}
}

// rel is an absolute path as the document has it.
func (f *findings) rel(path string) string {
	if rel, err := filepath.Rel(f.root, path); err == nil && filepath.IsLocal(rel) {
		return filepath.ToSlash(rel)
	}
	return filepath.ToSlash(path)
}

// data is a file, and nil if it cannot be read.
func (f *findings) data(file string) []byte {
	data, known := f.files[file]
	if !known {
		path := filepath.FromSlash(file)
		if !filepath.IsAbs(path) {
			path = filepath.Join(f.root, path)
		}
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Size() <= maxFlowFile {
			data, _ = os.ReadFile(path) // without it columns count bytes
		}
		f.files[file] = data
	}
	return data
}

func (f *findings) line(file string, line int) string {
	lines := bytes.SplitN(f.data(file), []byte{'\n'}, line+1)
	if line < 1 || len(lines) < line {
		return ""
	}
	return string(bytes.TrimSuffix(lines[line-1], []byte{'\r'}))
}

func (a *app) writeFindings(f *findings, command string, rules []sarif.Rule, found []sarif.Finding) error {
	return ui.WriteJSON(a.streams.Out, sarif.Document(sarif.Run{Command: command, Version: version(), Rules: rules, Findings: found, Line: f.line}))
}

// configurationFindings writes what is wrong with a configuration.
func (a *app) configurationFindings(m *compiler.Module, d model.Diagnostics) error {
	root, whole := a.dir(), ""
	if m != nil {
		root, whole = m.Root(), "cue.mod/module.cue"
		if m.YAML() != "" {
			whole = m.YAML()
		}
	}
	f := findingsIn(root)
	place := func(o model.Origin) model.Origin {
		if o.File == "" {
			return o
		}
		if path := filepath.FromSlash(o.File); !filepath.IsAbs(path) {
			o.File = f.rel(filepath.Join(root, path))
		}
		return o
	}
	var found []sarif.Finding
	for _, x := range d.Sort() {
		lines := []string{ui.Safe(x.Summary)}
		for _, more := range []string{x.Detail, x.Hint} {
			if more != "" {
				lines = append(lines, ui.Safe(more))
			}
		}
		one := sarif.Finding{Rule: x.Code, Severity: x.Severity, Message: strings.Join(lines, "\n"), Object: x.Path, Same: x.Summary}
		if x.Key != nil {
			one.Object = strings.TrimSuffix(x.Key.String()+"."+x.Path, ".")
		}
		if x.Origin.File == "" && whole != "" { // forges show nothing that is in no file
			x.Origin = model.Origin{File: whole, Line: 1}
		}
		one.Place = place(x.Origin)
		for _, o := range x.Also {
			one.Also = append(one.Also, place(o))
		}
		found = append(found, one)
	}
	return a.writeFindings(f, markerValidate, sarif.ConfigurationRules(), found)
}

// flowFindings writes what is wrong with flows.
func (a *app) flowFindings(problems []ui.FlowProblem) error {
	f := findingsIn(a.dir())
	var found []sarif.Finding
	for _, p := range problems {
		one := sarif.Finding{
			Rule: string(p.Rule), Severity: p.Severity, Message: ui.Safe(p.Message),
			Object: p.Path, Same: p.Message,
		}
		if p.Flow != "" {
			one.Object = "flow/" + p.Flow + ": " + p.Path
		}
		if len(p.Candidates) > 0 {
			one.Message += "\nthere are: " + ui.Safe(strings.Join(p.Candidates, ", "))
		}
		if p.File != "-" {
			one.Place = f.flowPlace(a.path(p.File), p.Path)
		}
		found = append(found, one)
	}
	return a.writeFindings(f, markerFlowLint, sarif.FlowRules(), found)
}

// flowPlace is where a path of a flow stands in its file. In a directory of a snapshot the
// top of the flow is a file of its own.
func (f *findings) flowPlace(path, at string) model.Origin {
	if isDir(path) {
		top, rest, _ := strings.Cut(at, ".")
		path, at = filepath.Join(path, top+".json"), rest
		if _, err := os.Stat(path); err != nil {
			path, at = filepath.Join(filepath.Dir(path), "contents.json"), ""
		}
	}
	o := model.Origin{File: f.rel(path)}
	o.Line, o.Column = sarif.Locate(f.data(o.File), at)
	return o
}
