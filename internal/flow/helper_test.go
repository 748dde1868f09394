package flow

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// fixture is the flow that most tests begin with: our own, in the shape of a
// real one, with a key that nobody knows at every level.
func fixture(t testing.TB) Flow {
	t.Helper()
	f, _, err := Parse(readFile(t, filepath.Join("testdata", "sign-in.json")))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// change is the flow after an edit of its document.
func change(t testing.TB, f Flow, edit func(doc map[string]any)) Flow {
	t.Helper()
	doc := f.Value()
	edit(doc)
	out, _, err := FromValue(doc)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// at walks into a document by keys and list indexes.
func at(v any, path ...any) any {
	for _, p := range path {
		switch p := p.(type) {
		case string:
			v = v.(map[string]any)[p]
		case int:
			v = v.([]any)[p]
		}
	}
	return v
}

func obj(v any, path ...any) map[string]any { return at(v, path...).(map[string]any) }

func taskOf(doc map[string]any, id string) map[string]any { return obj(doc, "contents", "tasks", id) }

// nodeOf is a node of the fixture's screens.
func nodeOf(doc map[string]any, screen int, id string) map[string]any {
	return obj(doc, "screens", screen, "contents", id)
}

// value decodes a literal.
func value(t testing.TB, s string) any {
	t.Helper()
	var v any
	d := json.NewDecoder(bytes.NewReader([]byte(s)))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// corpus is the directory of real exports, or the test is skipped.
func corpus(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("DESCOPE_MGMT_CORPUS")
	if dir == "" {
		t.Skip("DESCOPE_MGMT_CORPUS does not name a directory of real exports")
	}
	return dir
}

// directory reads the files of one directory.
func directory(t testing.TB, dir string) map[string][]byte {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, e := range entries {
		files[e.Name()] = readFile(t, filepath.Join(dir, e.Name()))
	}
	return files
}
