package compiler

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
)

// FuzzCompile changes the mistakes of testdata at random: whatever comes out,
// the compiler does not panic, has a result exactly if there are no errors, has the
// same one where CUE evaluates everything, and says everything in at most three lines at a place of the user.
func FuzzCompile(f *testing.F) {
	files, err := filepath.Glob("testdata/mistakes/*.txtar")
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		base, overlay := "package envs\n", "package envs\nenvironment: name: \"dev\"\n"
		for _, part := range archive.Files {
			switch part.Name {
			case "envs/tenants.cue", "envs/flows.cue", "envs/a.cue":
				base = string(part.Data)
			case "envs/dev/dev.cue":
				overlay = string(part.Data)
			}
		}
		f.Add(base, overlay)
	}
	f.Fuzz(func(t *testing.T, base, overlay string) {
		root := t.TempDir()
		for name, text := range map[string]string{
			"cue.mod/module.cue": "module: \"example.com/acme@v0\"\nlanguage: version: \"v0.17.0\"\n",
			"envs/tenants.cue":   base,
			"envs/dev/dev.cue":   overlay,
		} {
			path := filepath.Join(root, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		m, err := Find(root)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		r, diags := Compile(ctx, m, "dev")
		if (r == nil) != (len(diags.Errors()) > 0) {
			t.Errorf("result %v with %v", r, diags)
		}
		if !underRace {
			bothWays(t, m, "dev")
		}
		for _, d := range diags {
			text := printed(d)
			if d.Code == "internal" || strings.Count(text, "\n") > 3 || strings.Contains(text, root) || strings.HasPrefix(d.Origin.File, "schema/") {
				t.Errorf("%s\n%s", text, d.Raw)
			}
		}
	})
}
