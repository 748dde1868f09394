package compiler

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// TestMistakes compiles every module of testdata/mistakes and compares the
// diagnostics with its section "want". UPDATE=1 writes that section.
//
// The comment of an archive may hold, a line each: env NAME (dev), dir PATH
// (.), all, bare (no default files), mkdir PATH, symlink TARGET PATH,
// chain PATH COUNT, bytes PATH "GO STRING", repeat PATH COUNT "BEFORE" "MIDDLE" "AFTER".
func TestMistakes(t *testing.T) {
	files, err := filepath.Glob("testdata/mistakes/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 30 {
		t.Errorf("only %d kinds of mistake; at least 30 must be covered", len(files))
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := describe(t, archive)
			last := len(archive.Files) - 1
			if last < 0 || archive.Files[last].Name != "want" {
				archive.Files = append(archive.Files, txtar.File{Name: "want"})
				last++
			}
			if os.Getenv("UPDATE") != "" && !bytes.Equal(archive.Files[last].Data, []byte(got)) {
				archive.Files[last].Data = []byte(got)
				if err := os.WriteFile(file, txtar.Format(archive), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(archive.Files[last].Data), got); diff != "" {
				t.Errorf("want (-), got (+); UPDATE=1 accepts:\n%s", diff)
			}
		})
	}
}

func describe(t *testing.T, archive *txtar.Archive) string {
	t.Helper()
	root, options := unpack(t, archive)
	m, err := Find(filepath.Join(root, filepath.FromSlash(options["dir"])))
	if err != nil {
		return "find: " + strings.ReplaceAll(err.Error(), root, "$ROOT") + "\n"
	}
	var diags model.Diagnostics
	if options["all"] != "" {
		var results []*Result
		results, diags = CompileAll(context.Background(), m)
		if len(results) == 0 != (len(diags.Errors()) > 0) && options["all"] != "some" {
			t.Errorf("%d results with %d errors", len(results), len(diags.Errors()))
		}
	} else {
		var result *Result
		result, diags = Compile(context.Background(), m, options["env"])
		if result == nil != (len(diags.Errors()) > 0) {
			t.Errorf("result %v with %d errors", result, len(diags.Errors()))
		}
	}
	if diff := cmp.Diff(diags.Sort(), diags); diff != "" {
		t.Errorf("the diagnostics are not sorted:\n%s", diff)
	}
	var b strings.Builder
	for _, d := range diags {
		text := printed(d)
		if n := strings.Count(text, "\n"); n > 3 {
			t.Errorf("%d lines for one mistake:\n%s", n, text)
		}
		if strings.HasPrefix(d.Origin.File, "schema/") && d.Code != "schema-copy" || filepath.IsAbs(d.Origin.File) || strings.HasSuffix(d.Origin.File, generatedFile) {
			t.Errorf("position %s is not the user's", d.Origin)
		}
		if d.Origin.IsZero() && !positionless[d.Code] {
			t.Errorf("%s has no position", d.Code)
		}
		told := map[string]bool{}
		for _, at := range regexp.MustCompile(`[^ (:]+\.cue:\d+:\d+`).FindAllString(text, -1) {
			if told[at] {
				t.Errorf("%s is told twice:\n%s", at, text)
			}
			told[at] = true
		}
		if strings.Contains(text, root) {
			t.Errorf("the path of the module is shown:\n%s", text)
		}
		b.WriteString(text)
	}
	if b.Len() == 0 {
		return "no mistake\n"
	}
	return b.String()
}

// positionless are the mistakes that are in no file.
var positionless = map[string]bool{"unknown-environment": true, "schema-copy": true, "interrupted": true}

// printed is a plain rendering of a diagnostic, as the user sees it: what it
// takes is at most three lines.
func printed(d model.Diagnostic) string {
	var b strings.Builder
	at := d.Origin.String()
	if at == "" {
		at = "-"
	}
	fmt.Fprintf(&b, "%s: %s: %s [%s]\n", at, d.Severity, d.Summary, d.Code)
	detail := d.Detail
	for i, o := range d.Also {
		detail += []string{" (see ", ", "}[min(i, 1)] + o.String()
	}
	if len(d.Also) > 0 {
		detail = strings.TrimSpace(detail + ")")
	}
	for _, s := range []string{detail, d.Hint} {
		if s != "" {
			fmt.Fprintf(&b, "    %s\n", s)
		}
	}
	return b.String()
}

func unpack(t *testing.T, archive *txtar.Archive) (root string, options map[string]string) {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	options = map[string]string{"env": "dev", "dir": "."}
	write := func(name string, data []byte) {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	files := map[string][]byte{
		"cue.mod/module.cue": []byte("module: \"example.com/acme@v0\"\nlanguage: version: \"v0.17.0\"\n"),
		"envs/dev/dev.cue":   []byte("package envs\n\nenvironment: name: \"dev\"\n"),
	}
	for line := range strings.Lines(string(archive.Comment)) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		args := strings.Fields(rest)
		switch word {
		case "env", "dir", "all":
			options[word] = rest + map[bool]string{true: "yes"}[rest == ""]
		case "bare":
			clear(files)
		case "mkdir":
			if err := os.MkdirAll(filepath.Join(root, rest), 0o750); err != nil {
				t.Fatal(err)
			}
		case "symlink":
			if err := os.Symlink(args[0], filepath.Join(root, args[1])); err != nil {
				t.Fatal(err)
			}
		case "bytes":
			write(args[0], []byte(unquote(t, args[1])))
		case "chain":
			n, err := strconv.Atoi(args[1])
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			b.WriteString("package envs\n")
			for i := range n {
				fmt.Fprintf(&b, "_x%d: {a: _x%d}\n", i, i+1)
			}
			fmt.Fprintf(&b, "_x%d: 1\nflows: deep: definition: _x0\n", n)
			write(args[0], []byte(b.String()))
		case "repeat":
			n, err := strconv.Atoi(args[1])
			if err != nil {
				t.Fatal(err)
			}
			text := strings.Repeat(unquote(t, args[2]), n) + unquote(t, args[3]) + strings.Repeat(unquote(t, args[4]), n)
			write(args[0], []byte("package envs\n"+text+"\n"))
		}
	}
	for _, f := range archive.Files {
		files[f.Name] = f.Data
	}
	delete(files, "want")
	for name, data := range files {
		write(name, data)
	}
	return root, options
}

func unquote(t *testing.T, s string) string {
	t.Helper()
	u, err := strconv.Unquote(s)
	if err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return u
}
