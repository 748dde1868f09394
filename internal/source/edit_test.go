package source

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/diff"
	"github.com/rogpeppe/go-internal/txtar"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// editCase is a file of testdata/edit: edits as JSON lines, the files that they are
// made to, and a last file "want" with what comes of it.
func editCase(t *testing.T, archive *txtar.Archive) (string, error) {
	t.Helper()
	files := map[string][]byte{}
	env, o := "dev", Options{AllowBase: true, Environments: []string{"dev", "prod", "test"}}
	var edits []Edit
	for _, f := range archive.Files {
		switch f.Name {
		case "edits":
			for line := range strings.Lines(string(f.Data)) {
				var e struct {
					Address, Path string
					Value         any
					Absent        bool
				}
				d := json.NewDecoder(strings.NewReader(line))
				d.UseNumber()
				if err := d.Decode(&e); err != nil {
					t.Fatal(err)
				}
				key, err := model.ParseKey(e.Address)
				if err != nil {
					t.Fatal(err)
				}
				v, err := model.Normalize(e.Value)
				if err != nil {
					t.Fatal(err)
				}
				edits = append(edits, Edit{key, e.Path, v, e.Absent})
			}
		case "want":
		default:
			data := f.Data
			if strings.Contains(string(archive.Comment), "CRLF") {
				data = bytes.ReplaceAll(data, []byte("\n"), []byte("\r\n"))
			}
			if strings.Contains(string(archive.Comment), "BOM") {
				data = append([]byte("\ufeff"), data...)
			}
			files[f.Name] = data
		}
	}
	out, err := Apply(files, env, edits, o)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, path := range slices.Sorted(maps.Keys(out.Files)) {
		text := diff.Diff(path, files[path], path, out.Files[path])
		if strings.Contains(string(archive.Comment), "CRLF") {
			if bytes.Count(out.Files[path], []byte("\n")) != bytes.Count(out.Files[path], []byte("\r\n")) {
				t.Error("a line does not end as the others do")
			}
			text = bytes.ReplaceAll(text, []byte("\r"), nil)
		}
		_, text, _ = bytes.Cut(text, []byte("\n"))
		b.Write(text)
		if out.Files[path] == nil {
			b.WriteString("gone: " + path + "\n")
		}
	}
	for _, x := range out.Base {
		fmt.Fprintf(&b, "base: %s: %s: %s\n\t%s\n\t%s\n", x.Origin, model.JoinPath(x.Key.String()), x.Why, strings.TrimSpace(x.Before), strings.TrimSpace(x.After))
	}
	for _, d := range out.Refused {
		fmt.Fprintf(&b, "refused: %s: %s\n", d.Origin, d.Summary)
	}
	for _, d := range out.Suspects {
		fmt.Fprintf(&b, "suspect: %s: %s\n", d.Origin, d.Summary)
	}
	for _, d := range out.Notes {
		fmt.Fprintf(&b, "note: %s: %s\n", d.Origin, d.Summary)
	}
	return b.String(), nil
}

// TestEdits holds each case to its golden; UPDATE=1 writes them.
func TestEdits(t *testing.T) {
	paths, err := filepath.Glob("testdata/edit/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no cases (%v)", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got, err := editCase(t, archive)
			if err != nil {
				t.Fatal(err)
			}
			last := &archive.Files[len(archive.Files)-1]
			if last.Name != "want" {
				t.Fatal("the last file is not want")
			}
			if os.Getenv("UPDATE") != "" {
				last.Data = []byte(got)
				if err := os.WriteFile(path, txtar.Format(archive), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if d := cmp.Diff(string(last.Data), got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestApplyRefusesWhatDoesNotParse(t *testing.T) {
	_, err := Apply(map[string][]byte{"envs/a.cue": []byte("package envs\n"), "envs/dev/dev.cue": []byte("package envs\ntenants: {")}, "dev", nil, Options{})
	if err == nil || !strings.HasPrefix(err.Error(), "envs/dev/dev.cue: ") {
		t.Errorf("%v", err)
	}
}

// TestApplyLeavesTheBase makes no edit of shared files unless it is allowed, and tells
// of it in any case.
func TestApplyLeavesTheBase(t *testing.T) {
	files := map[string][]byte{"envs/a.cue": []byte("package envs\ntenants: a: name: \"A\"\n"), "envs/prod/prod.cue": []byte("package envs\n")}
	edit := []Edit{{Key: model.Key{Kind: model.Tenant, ID: "a"}, Path: "name", Value: "B"}}
	out, err := Apply(files, "dev", edit, Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]byte{"envs/dev/dev.cue": []byte("package envs\n\ntenants: \"a\": name: \"B\"\n")}
	if d := cmp.Diff(want, out.Files); d != "" || len(out.Base) != 1 {
		t.Errorf("%s %v", d, out.Base)
	}
}

// TestApplyTwice finds nothing to do the second time.
func TestApplyTwice(t *testing.T) {
	files := map[string][]byte{
		"envs/a.cue":       []byte("package envs\ntenants: a: {name: \"A\", domains: [\"b.com\", \"a.com\"], custom_attributes: n: 4e1}\n"),
		"envs/dev/dev.cue": []byte("package envs\n"),
	}
	key := model.Key{Kind: model.Tenant, ID: "a"}
	edits := []Edit{
		{Key: key, Path: "name", Value: "A"},
		{Key: key, Path: "domains", Value: []any{"a.com", "b.com"}},
		{Key: key, Path: "custom_attributes.n", Value: json.Number("40")},
		{Key: key, Path: "custom_attributes.none", Absent: true},
		{Key: model.Key{Kind: model.Tenant, ID: "nobody"}, Absent: true},
	}
	out, err := Apply(files, "dev", edits, Options{AllowBase: true})
	if err != nil || len(out.Files)+len(out.Base)+len(out.Refused) > 0 {
		t.Errorf("%v %v", out, err)
	}
	edits[0].Value = "B"
	edits[2].Value = json.Number("41")
	out, err = Apply(files, "dev", edits, Options{AllowBase: true})
	if err != nil || len(out.Files) != 2 {
		t.Fatalf("%v %v", out, err)
	}
	out, err = Apply(out.Files, "dev", edits, Options{AllowBase: true})
	if err != nil || len(out.Files)+len(out.Base)+len(out.Refused) > 0 {
		t.Errorf("%v %v", out, err)
	}
}

// TestRemovalAtTheEnd takes a comment along that no line feed ends.
func TestRemovalAtTheEnd(t *testing.T) {
	for _, eol := range []string{"\n", "\r\n"} {
		for _, end := range []string{"", eol} {
			text := strings.ReplaceAll("package envs\n\ntenants: b: name: \"B\"\n\n// Of a.\ntenants: a: name: \"A\", // a", "\n", eol) + end
			out, err := Apply(map[string][]byte{"envs/dev/dev.cue": []byte(text)}, "dev", []Edit{{Key: model.Key{Kind: model.Tenant, ID: "a"}, Absent: true}}, Options{})
			want := strings.ReplaceAll("package envs\n\ntenants: b: name: \"B\"\n", "\n", eol)
			if got := string(out.Files["envs/dev/dev.cue"]); err != nil || got != want || len(out.Notes) != 2 {
				t.Errorf("%q, %v, %v", got, out.Notes, err)
			}
		}
	}
}

// FuzzApply edits whatever can be parsed: what comes out can be, and keeps every comment
// that is not said to be lost.
func FuzzApply(f *testing.F) {
	paths, _ := filepath.Glob("testdata/edit/*.txtar")
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range archive.Files {
			if strings.HasSuffix(file.Name, ".cue") {
				f.Add(file.Data, "acme-corp", "custom_attributes.plan", "x")
				f.Add(bytes.ReplaceAll(file.Data, []byte("\n"), []byte("\r\n")), "a", "domains", "")
			}
		}
	}
	f.Fuzz(func(t *testing.T, text []byte, id, path, value string) {
		key := model.Key{Kind: model.Tenant, ID: id}
		v := any(value)
		if value == "" {
			v = []any{"n.com"}
		}
		for _, file := range []string{"envs/dev/dev.cue", "envs/base.cue"} {
			before, err := parseFile(file, text, "dev")
			if err != nil {
				return
			}
			out, err := Apply(map[string][]byte{file: text}, "dev", []Edit{{key, path, v, false}, {key, "name", nil, true}}, Options{AllowBase: true, Environments: []string{"dev", "prod"}})
			if err != nil {
				continue // refused: nothing is written
			}
			lost := 0
			for _, n := range out.Notes {
				if n.Code == "lost-comment" {
					lost++
				}
			}
			for name, text := range out.Files {
				after, err := parseFile(name, text, "dev")
				if err != nil {
					t.Fatalf("%v\n%s", err, text)
				}
				if name == file && len(lostComments(before, after)) != lost {
					t.Fatalf("a comment is lost:\n%s", text)
				}
			}
		}
	})
}
