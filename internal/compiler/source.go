package compiler

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// maxFileBytes is far above any configuration: 50 000 tenants take 12 MB.
const maxFileBytes = 64 << 20

// source is a file of the user, read and found fit to be parsed.
type source struct {
	path  string // absolute
	data  []byte
	pkg   string // package clause, "" without one
	pkgAt model.Origin
}

// Sources are the CUE files of all environments and those that they share, by their
// slash-separated paths relative to the root.
func (m *Module) Sources() (map[string][]byte, model.Diagnostics) {
	environments, err := m.Environments()
	if err != nil {
		return nil, model.Diagnostics{m.unreadable(filepath.Join(m.root, envsDir), err)}
	}
	out := map[string][]byte{}
	var diags model.Diagnostics
	for _, name := range append([]string{"."}, environments...) {
		sources, d := m.readSources(filepath.Join(m.root, envsDir, name))
		diags = append(diags, d...)
		for _, s := range sources {
			out[m.rel(s.path)] = s.data
		}
	}
	return out, diags.Sort()
}

// readSources reads the .cue files of a directory.
func (m *Module) readSources(dir string) ([]source, model.Diagnostics) {
	names, err := cueFiles(dir)
	if err != nil && (!errors.Is(err, fs.ErrNotExist) || len(m.unsaved) == 0) {
		return nil, model.Diagnostics{m.unreadable(dir, err)}
	}
	for path := range m.unsaved {
		if name := filepath.Base(path); filepath.Dir(path) == dir && filepath.Ext(name) == ".cue" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var out []source
	var diags model.Diagnostics
	for _, name := range names {
		path := filepath.Join(dir, name)
		data, d := m.readFile(path)
		if d != nil {
			diags = append(diags, *d)
			continue
		}
		s := source{path: path, data: data}
		if d := m.scan(&s); d != nil {
			diags = append(diags, *d)
			continue
		}
		out = append(out, s)
	}
	return out, diags
}

// readFile reads one file, refusing what is not a file of a sane size.
func (m *Module) readFile(path string) ([]byte, *model.Diagnostic) {
	if data, ok := m.unsaved[path]; ok {
		return data, nil
	}
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		d := m.fileError(path, "not-a-file", "%s is a directory", m.rel(path))
		d.Detail = "a name that ends in .cue must be a file"
		d.Hint = "rename the directory"
		return nil, &d
	}
	if err == nil && !info.Mode().IsRegular() {
		d := m.fileError(path, "not-a-file", "%s is not a regular file", m.rel(path))
		return nil, &d
	}
	if err == nil && info.Size() > maxFileBytes {
		d := m.tooBig(path, info.Size())
		return nil, &d
	}
	var data []byte
	if err == nil {
		data, err = os.ReadFile(path)
	}
	if err != nil {
		d := m.unreadable(path, err)
		return nil, &d
	}
	return data, nil
}

func (m *Module) tooBig(path string, size int64) model.Diagnostic {
	d := m.fileError(path, "too-large", "%s has %d MiB", m.rel(path), size>>20)
	d.Detail = fmt.Sprintf("allowed: at most %d MiB in one file", maxFileBytes>>20)
	d.Hint = "split the file"
	return d
}

func (m *Module) unreadable(path string, err error) model.Diagnostic {
	reason := err
	var pe *fs.PathError
	if errors.As(err, &pe) {
		reason = pe.Err
	}
	d := m.fileError(path, "unreadable", "cannot read %s: %s", m.rel(path), oneLine(reason.Error()))
	d.Raw = err.Error()
	return d
}

// fileError is an error about a file as a whole.
func (m *Module) fileError(path, code, format string, args ...any) model.Diagnostic {
	return model.Diagnostic{
		Severity: model.Error,
		Code:     code,
		Summary:  fmt.Sprintf(format, args...),
		Origin:   model.Origin{File: m.rel(path), Line: 1, Column: 1},
	}
}
