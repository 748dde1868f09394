package compiler

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	cueerrors "cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/format"
	"cuelang.org/go/cue/parser"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// Format brings .cue files into CUE's own format. A path is a file or a
// directory, which stands for all .cue files below it except those under
// cue.mod; relative paths count from the working directory. It returns the
// files that are not in the format, sorted within each path as given, and
// writes them unless check is set. A file is replaced as a whole, keeping its
// mode, or not at all. A file that cannot be read, parsed or written is
// described by an error and left as it is; the others are done all the same.
func Format(paths []string, check bool) (changed []string, diags model.Diagnostics) {
	for _, path := range paths {
		files, err := filesToFormat(path)
		if err != nil {
			diags = append(diags, formatError(path, err))
		}
		for _, file := range files {
			different, err := formatFile(file, check)
			if err != nil {
				diags = append(diags, formatError(file, err))
			} else if different {
				changed = append(changed, file)
			}
		}
	}
	return changed, diags.Sort()
}

func filesToFormat(path string) ([]string, error) {
	if !isDir(path) {
		return []string{path}, nil
	}
	var files []string
	err := filepath.WalkDir(path, func(p string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && p != path && (e.Name() == "cue.mod" || strings.HasPrefix(e.Name(), ".") || e.Name() == "node_modules"):
			return filepath.SkipDir
		case !e.IsDir() && filepath.Ext(p) == ".cue" && !strings.HasPrefix(e.Name(), "."):
			files = append(files, p)
		}
		return nil
	})
	return files, err
}

func formatFile(path string, check bool) (different bool, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return false, err
	}
	if len(data) > maxFileBytes {
		return false, fmt.Errorf("more than %d MiB", maxFileBytes>>20)
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return false, err
	}
	if d := (&Module{root: filepath.Dir(abs)}).scan(&source{path: abs, data: data}); d != nil {
		return false, refusal{*d}
	}
	// Not format.Source: its errors have no position.
	file, err := parser.ParseFile(path, data, parser.ParseComments)
	if err != nil {
		return false, refusal{syntaxError(data, err)}
	}
	formatted, err := format.Node(file)
	if err != nil {
		return false, err
	}
	if bytes.Equal(data, formatted) {
		return false, nil
	}
	if again, err := format.Source(formatted); err != nil || len(formatted) == 0 && len(bytes.TrimSpace(data)) > 0 {
		return false, fmt.Errorf("the formatter would damage the file: %d bytes, %w", len(again), err)
	}
	if check {
		return true, nil
	}
	return true, replaceFile(path, formatted)
}

// refusal is a diagnostic as an error.
type refusal struct{ diagnostic model.Diagnostic }

func (r refusal) Error() string { return r.diagnostic.Summary }

// replaceFile writes a file by renaming over it, so that nobody sees half of
// it. A link is followed: it stays one.
func replaceFile(path string, data []byte) (err error) {
	path, err = filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(path), ".fmt-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(temp.Name()))
		}
	}()
	_, err = temp.Write(data)
	if err == nil {
		err = temp.Chmod(info.Mode().Perm())
	}
	if err == nil {
		err = temp.Sync()
	}
	if err = errors.Join(err, temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), path)
}

func formatError(path string, err error) model.Diagnostic {
	shown := filepath.ToSlash(path)
	d := model.Diagnostic{Severity: model.Error, Code: "fmt", Origin: model.Origin{File: shown, Line: 1, Column: 1}, Raw: err.Error()}
	var r refusal
	var pe *fs.PathError
	switch {
	case errors.As(err, &r):
		d = r.diagnostic
		d.Origin.File = shown
		if d.Fix != nil {
			d.Fix.At.File = shown
		}
	case errors.As(err, &pe):
		d.Code = "unreadable"
		d.Summary = fmt.Sprintf("cannot %s %s: %s", pe.Op, short(shown), oneLine(pe.Err.Error()))
	default:
		d.Summary = fmt.Sprintf("cannot format %s: %s", short(shown), oneLine(err.Error()))
	}
	return d
}

// syntaxError is the first of the parser's errors in a file.
func syntaxError(data []byte, err error) model.Diagnostic {
	first := cueerrors.Errors(err)[0]
	d := model.Diagnostic{Severity: model.Error, Code: "syntax", Origin: model.Origin{Line: 1, Column: 1}, Raw: err.Error()}
	d.Summary = "syntax error: " + strings.ReplaceAll(oneLine(first.Error()), "'EOF'", "the end of the file")
	if p := first.Position(); p.IsValid() {
		d.Origin.Line, d.Origin.Column = p.Line(), p.Column()
	}
	unquoted(data, &d)
	return d
}
