package internal_test

import (
	"go/ast"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestFileLength keeps files at one subject each.
func TestFileLength(t *testing.T) {
	for _, f := range sources(t, "cmd", "internal", "schema") {
		if f.lines > maxLines {
			t.Errorf("%s has %d lines, the limit is %d: split it by subject", f.path, f.lines, maxLines)
		}
	}
}

// TestNoInit forbids work at import time: it costs every start of the program,
// cannot return an error, and its order is nobody's. The one exception is there
// for its order: docs/adr/0007-quick-help.md.
func TestNoInit(t *testing.T) {
	for _, f := range sources(t, "cmd", "internal", "schema") {
		if f.dir == "internal/quickhelp" {
			continue
		}
		for _, d := range f.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s: no init functions: construct it where it is needed", f.at(fn))
			}
		}
	}
}

// TestNoGlobals forbids package variables that could change. What is allowed
// is made once and never assigned: errors, compiled patterns, memoised
// functions, embedded files, and the version, commit and date that the linker fills in.
func TestNoGlobals(t *testing.T) {
	constructors := []string{
		"errors.New", "fmt.Errorf", "regexp.MustCompile", "strings.NewReplacer",
		"sync.OnceValue", "sync.OnceValues", "sync.OnceFunc",
	}
	for _, f := range sources(t, "cmd", "internal", "schema") {
		for _, d := range f.ast.Decls {
			decl, ok := d.(*ast.GenDecl)
			if !ok || decl.Tok != token.VAR {
				continue
			}
			for _, s := range decl.Specs {
				spec := s.(*ast.ValueSpec)
				for i, name := range spec.Names {
					switch {
					case name.Name == "_":
					case f.dir == "internal/cli" && slices.Contains([]string{"buildVersion", "buildCommit", "buildDate"}, name.Name):
					case embedded(decl, spec):
					case i < len(spec.Values) && slices.Contains(constructors, called(spec.Values[i])):
					default:
						t.Errorf("%s: package variable %s: pass it as a parameter, or make it a constant or a function that returns the table", f.at(name), name.Name)
					}
				}
			}
		}
	}
}

// embedded reports whether a declaration is filled in by go:embed.
func embedded(decl *ast.GenDecl, spec *ast.ValueSpec) bool {
	for _, group := range []*ast.CommentGroup{decl.Doc, spec.Doc} {
		if group == nil {
			continue
		}
		for _, c := range group.List {
			if strings.HasPrefix(c.Text, "//go:embed ") {
				return true
			}
		}
	}
	return false
}

// called is the spelling of the function that an expression calls, or "".
func called(e ast.Expr) string {
	call, ok := e.(*ast.CallExpr)
	if !ok {
		return ""
	}
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	id, ok := sel.X.(*ast.Ident)
	if !ok {
		return ""
	}
	return id.Name + "." + sel.Sel.Name
}

// TestNoMachinePaths keeps the repository free of what is true on one machine
// only: absolute paths of somebody's checkout and the hosts of package
// registries, which a lock file likes to record.
func TestNoMachinePaths(t *testing.T) {
	// Written in pieces, so that this file passes its own test.
	forbidden := regexp.MustCompile(`(^|[^\w.$}/])/(` + `work|root|home/\w+|Users/\w+)/` +
		`|registry\.` + `npmjs|proxy\.` + `golang\.org|deb\.` + `debian\.org`)
	checked := 0
	eachFile(t, func(name, text string) {
		checked++
		for i, line := range strings.Split(text, "\n") {
			if m := forbidden.FindString(line); m != "" {
				t.Errorf("%s:%d mentions %q, which belongs to one machine", name, i+1, strings.TrimSpace(m))
			}
		}
	})
	if checked < 20 {
		t.Fatalf("looked at only %d files", checked)
	}
}

// eachFile calls f with every text file of the repository, its path
// slash-separated from the root. What git ignores by name is left out.
func eachFile(t *testing.T, f func(name, text string)) {
	t.Helper()
	skip := []string{".git", "node_modules", "bin", "dist"}
	err := filepath.WalkDir("..", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if slices.Contains(skip, d.Name()) {
				return filepath.SkipDir
			}
			return nil
		}
		if !d.Type().IsRegular() {
			return nil
		}
		b, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if !strings.Contains(string(b), "\x00") {
			f(strings.TrimPrefix(filepath.ToSlash(name), "../"), string(b))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
