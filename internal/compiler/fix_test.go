package compiler

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// TestFixes makes every replacement that a mistake of testdata/mistakes knows: its old
// text stands at its place, and without it that mistake is no more.
func TestFixes(t *testing.T) {
	files, err := filepath.Glob("testdata/mistakes/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]int{}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			root, options := unpack(t, archive)
			m, err := Find(filepath.Join(root, filepath.FromSlash(options["dir"])))
			if err != nil {
				return
			}
			compile := func(m *Module) model.Diagnostics {
				if options["all"] != "" {
					_, diags := CompileAll(t.Context(), m)
					return diags
				}
				_, diags := Compile(t.Context(), m, options["env"])
				return diags
			}
			for _, d := range compile(m) {
				if d.Fix == nil {
					if strings.Contains(d.Detail+d.Hint, "did you mean") {
						t.Logf("no fix for %s: %s %s", d.Summary, d.Detail, d.Hint)
					}
					continue
				}
				found[d.Code]++
				data, err := os.ReadFile(filepath.Join(m.Root(), filepath.FromSlash(d.Fix.At.File)))
				if err != nil {
					t.Fatal(err)
				}
				lines := bytes.SplitAfter(data, []byte("\n"))
				line := lines[d.Fix.At.Line-1]
				before, rest := line[:d.Fix.At.Column-1], line[d.Fix.At.Column-1:]
				if !bytes.HasPrefix(rest, []byte(d.Fix.Old)) {
					t.Errorf("%s is not at %s:\n%s", d.Fix.Old, d.Fix.At, line)
					continue
				}
				lines[d.Fix.At.Line-1] = bytes.Join([][]byte{before, []byte(d.Fix.New), rest[len(d.Fix.Old):]}, nil)
				for _, after := range compile(m.With(d.Fix.At.File, bytes.Join(lines, nil))) {
					if after.Code == d.Code && after.Summary == d.Summary && after.Origin.File == d.Origin.File {
						t.Errorf("%s for %s does not settle: %s", d.Fix.New, d.Fix.Old, d.Summary)
					}
				}
			}
		})
	}
	for _, code := range []string{"unknown-field", "wrong-value", "not-allowed", "undefined", "unknown-import", "missing-import", "enabled-in", "ignore", "no-parent"} {
		if found[code] == 0 {
			t.Errorf("no fix for any %s", code)
		}
	}
	t.Logf("counts: fixes by code: %v", found)
}
