// Package internal_test holds the rules that concern the repository as a whole:
// which package may import what, how big a file may be, and whether the
// documents still say the truth.
package internal_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "pcconnect.ai/descope-mgmt"

// maxLines is how long a file may be. The median should be near 120: a file
// that comes close to this has two subjects.
const maxLines = 450

// pkg is one row of the import table: what a package may import besides the
// standard library. docs/architecture.md shows the same table.
type pkg struct {
	dir string
	// ours are packages of this module, named as in the table.
	ours []string
	// third are import paths of others; "path/..." stands for all below it. A
	// package that is not listed here may not be used, so each dependency has
	// exactly the owners that the table gives it.
	third []string
	// pure packages compute: no file, network, process, clock or chance.
	pure bool
}

// everything stands for all packages below internal/ and the schema, but for the
// one that only the program itself may link.
const everything = "all"

func table() []pkg {
	return []pkg{
		{dir: "cmd/descope-mgmt", ours: []string{"cli", "quickhelp"}},
		{dir: "internal/quickhelp"},
		{dir: "schema"},
		{dir: "internal/model", third: []string{"github.com/agnivade/levenshtein"}, pure: true},
		{dir: "internal/source", ours: []string{"model"}, third: []string{"cuelang.org/go/..."}, pure: true},
		{dir: "internal/yamlconfig", ours: []string{"model"}, third: []string{"go.yaml.in/yaml/v3"}},
		{dir: "internal/scaffold", ours: []string{"model"}, third: []string{"cuelang.org/go/mod/module"}, pure: true},
		{dir: "internal/schemadoc", ours: []string{"schema"}, third: []string{"cuelang.org/go/..."}},
		{dir: "internal/literal", ours: []string{"model"}, third: []string{"cuelang.org/go/cue/literal", "cuelang.org/go/cue/scanner", "cuelang.org/go/cue/token"}, pure: true},
		{dir: "internal/compiler", ours: []string{"literal", "model", "schema", "source", "yamlconfig"}, third: []string{"cuelang.org/go/...", "go.yaml.in/yaml/v3"}},
		{dir: "internal/plan", ours: []string{"model", "flow"}, third: []string{"github.com/r3labs/diff/v3"}, pure: true},
		{dir: "internal/apply", ours: []string{"model", "plan"}},
		{dir: "internal/flow", ours: []string{"model"}, pure: true},
		{dir: "internal/snapshot", ours: []string{"model", "flow"}, pure: true},
		{dir: "internal/api", ours: []string{"model"}, third: []string{"golang.org/x/time/rate", "github.com/cenkalti/backoff/v4"}},
		{dir: "internal/emulator", ours: []string{"model"}},
		{dir: "internal/store", ours: []string{"model", "plan"}, third: []string{"github.com/gofrs/flock"}},
		{dir: "internal/ui", ours: []string{"model", "plan", "apply", "flow"}, third: []string{"github.com/pterm/pterm", "golang.org/x/term", "go.yaml.in/yaml/v3", "github.com/rogpeppe/go-internal/diff"}},
		{dir: "internal/sarif", ours: []string{"model"}, pure: true},
		{dir: "internal/report", ours: []string{"model", "plan", "flow"}},
		{dir: "internal/lsp", ours: []string{"model"}},
		{dir: "internal/cli", ours: []string{everything}, third: []string{"cuelang.org/go/cmd/cue/cmd", "github.com/spf13/cobra", "github.com/spf13/pflag", "github.com/joho/godotenv"}},
		{dir: "internal/manual", ours: []string{"cli"}, third: []string{"github.com/spf13/cobra/...", "github.com/spf13/pflag"}},
	}
}

// impureImports are what a pure package may not import.
var impureImports = []string{
	"os", "os/exec", "os/signal", "os/user", "io/ioutil", "syscall", "net", "net/http",
	"log", "log/slog", "math/rand", "math/rand/v2", "crypto/rand", "testing", "unsafe",
}

// clockCalls are the functions of package time that a pure package may not call.
var clockCalls = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTicker", "NewTimer"}

// TestImports holds every package to its row of the table. Tests are free: the
// client's tests need the emulator.
func TestImports(t *testing.T) {
	rows := map[string]pkg{}
	for _, p := range table() {
		rows[p.dir] = p
	}
	files := sources(t, "cmd", "internal", "schema")
	if len(files) < 10 {
		t.Fatalf("found only %d Go files: the test looks in the wrong place", len(files))
	}
	unknown, used := map[string]bool{}, map[string]bool{}
	for _, f := range files {
		row, ok := rows[f.dir]
		if !ok {
			if !unknown[f.dir] {
				t.Errorf("%s: unknown package: add it to the table in internal/arch_test.go and to docs/architecture.md", f.dir)
			}
			unknown[f.dir] = true
			continue
		}
		for _, spec := range f.ast.Imports {
			imported, _ := strconv.Unquote(spec.Path.Value)
			used[f.dir] = true
			if allowed := row.allows(imported); allowed != "" {
				used[f.dir+" "+allowed] = true
			}
			if reason := row.refuses(imported); reason != "" {
				t.Errorf("%s: %s may not import %s: %s", f.at(spec), f.dir, imported, reason)
			}
		}
		if row.pure {
			ast.Inspect(f.ast, func(n ast.Node) bool {
				if name, ok := selector(n, "time"); ok && slices.Contains(clockCalls, name) {
					t.Errorf("%s: %s is pure: time comes in as a parameter, not from time.%s", f.at(n), f.dir, name)
				}
				return true
			})
		}
	}
	for dir, row := range rows {
		for _, allowed := range row.third {
			if used[dir] && !used[dir+" "+allowed] {
				t.Errorf("%s does not use %s: take it out of the table", dir, allowed)
			}
		}
	}
}

// refuses says why the package may not import a path, or "" if it may.
func (p pkg) refuses(imported string) string {
	if ours, ok := strings.CutPrefix(imported, module+"/"); ok {
		ours = strings.TrimPrefix(ours, "internal/")
		if slices.Contains(p.ours, ours) || slices.Contains(p.ours, everything) && ours != "quickhelp" {
			return ""
		}
		return "the table allows " + list(p.ours)
	}
	first, _, _ := strings.Cut(imported, "/")
	if strings.Contains(first, ".") && p.allows(imported) == "" {
		return "of others' packages the table allows " + list(p.third)
	}
	if p.pure && slices.Contains(impureImports, imported) {
		return "the package is pure"
	}
	return ""
}

// allows returns the entry of third that covers an import, or "".
func (p pkg) allows(imported string) string {
	for _, allowed := range p.third {
		below, tree := strings.CutSuffix(allowed, "/...")
		if imported == below || tree && strings.HasPrefix(imported, below+"/") {
			return allowed
		}
	}
	return ""
}

// TestArchitectureDocument compares the table above with the one that people read.
func TestArchitectureDocument(t *testing.T) {
	_, section, _ := strings.Cut(readFile(t, "docs/architecture.md"), "\n## Packages\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var documented []string
	for line := range strings.Lines(section) {
		cells := strings.Split(strings.ReplaceAll(strings.TrimSpace(line), "`", ""), "|")
		if len(cells) != 6 || strings.Contains(line, "---") || strings.TrimSpace(cells[1]) == "package" {
			continue
		}
		documented = append(documented, strings.TrimSpace(cells[1])+" | "+strings.TrimSpace(cells[3])+" | "+strings.TrimSpace(cells[4]))
	}
	var want []string
	for _, p := range table() {
		want = append(want, p.dir+" | "+list(p.ours)+" | "+list(p.third))
	}
	for _, row := range want {
		if !slices.Contains(documented, row) {
			t.Errorf("docs/architecture.md lacks the row (package, may import, others' packages):\n\t%s", row)
		}
	}
	for _, row := range documented {
		if !slices.Contains(want, row) {
			t.Errorf("docs/architecture.md has a row that the test does not know:\n\t%s", row)
		}
	}
}

// list prints names for people; it is also the spelling of the document.
func list(names []string) string {
	if len(names) == 0 {
		return "–"
	}
	return strings.Join(names, ", ")
}

// source is one parsed Go file that is not a test.
type source struct {
	path, dir string // slash-separated, from the root of the repository
	lines     int
	fset      *token.FileSet
	ast       *ast.File
}

func (s source) at(n ast.Node) string {
	return s.path + ":" + strconv.Itoa(s.fset.Position(n.Pos()).Line)
}

// sources parses the Go files below some directories, tests and test data
// excepted. Build constraints do not count: a file for another system is held
// to the rules too.
func sources(t *testing.T, dirs ...string) []source {
	t.Helper()
	var out []source
	for _, dir := range dirs {
		err := filepath.WalkDir(filepath.Join("..", dir), func(name string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && (d.Name() == "testdata" || d.Name() == "node_modules"):
				return filepath.SkipDir
			case d.IsDir() || filepath.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go"):
				return nil
			}
			text, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			fset := token.NewFileSet()
			file, err := parser.ParseFile(fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			slash := strings.TrimPrefix(filepath.ToSlash(name), "../")
			out = append(out, source{
				path: slash, dir: path.Dir(slash), lines: strings.Count(string(text), "\n"), fset: fset, ast: file,
			})
			return nil
		})
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	return out
}

// selector reports the name in an expression such as time.Now.
func selector(n ast.Node, pkg string) (name string, ok bool) {
	sel, ok := n.(*ast.SelectorExpr)
	if !ok {
		return "", false
	}
	id, ok := sel.X.(*ast.Ident)
	return sel.Sel.Name, ok && id.Name == pkg
}

// readFile reads a file by its path from the root of the repository.
func readFile(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
