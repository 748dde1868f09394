package compiler

import (
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"cuelang.org/go/cue/ast"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// embedArgument is what an @embed names: a file, or a pattern of files, in quotes or not.
var embedArgument = regexp.MustCompile(`\b(file|glob)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,()"]+)`)

// embedsOutside finds an @embed of a file that a link has elsewhere. A configuration
// that was checked out must not put files of this machine, such as keys, into a tenant:
// CUE keeps a path within the module, but follows links.
func (m *Module) embedsOutside(file *ast.File) *model.Diagnostic {
	root, err := filepath.EvalSymlinks(m.root)
	if err != nil {
		return nil // nothing can be read there
	}
	var found *model.Diagnostic
	ast.Walk(file, func(n ast.Node) bool {
		a, ok := n.(*ast.Attribute)
		if !ok || found != nil || a.Name() != "embed" {
			return found == nil
		}
		_, arguments := a.Split()
		for _, path := range embedded(filepath.Dir(file.Filename), arguments) {
			target, err := filepath.EvalSymlinks(path)
			if err != nil {
				continue // CUE says that it is not there
			}
			if rel, err := filepath.Rel(root, target); err == nil && filepath.IsLocal(rel) {
				continue
			}
			d := m.fileError(file.Filename, "embed-outside", "%s is not embedded: a link leads out of the module", m.rel(path))
			d.Origin = m.origin(a.Pos())
			d.Detail = "what is embedded ends up in Descope, and a configuration must not take files of this machine there"
			d.Hint = "put the file itself into the module"
			found = &d
		}
		return found == nil
	}, nil)
	return found
}

// embedded are the files that the arguments of an @embed name, relative to a directory.
func embedded(dir, arguments string) []string {
	var paths []string
	for _, a := range embedArgument.FindAllStringSubmatch(arguments, -1) {
		name := a[2]
		if strings.HasPrefix(name, `"`) {
			text, err := strconv.Unquote(name)
			if err != nil {
				continue // for CUE, too
			}
			name = text
		}
		path := filepath.Join(dir, filepath.FromSlash(name))
		if a[1] == "file" {
			paths = append(paths, path)
			continue
		}
		matches, _ := filepath.Glob(path) // a bad pattern is one for CUE, too
		paths = append(paths, matches...)
	}
	return paths
}
