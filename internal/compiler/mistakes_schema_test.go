package compiler

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// TestMistakesOnTheSchema writes the tenants and flows of testdata/mistakes as
// editors like them, schema.#Tenant & {...}: the mistakes stay the same, on the
// same lines.
func TestMistakesOnTheSchema(t *testing.T) {
	files, err := filepath.Glob("testdata/mistakes/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	resource := regexp.MustCompile(`(?m)\b(tenants|flows)(: (?:"[^"]*"|\w+|\(\w+\)): )(\{|\w.*$)`)
	definitions := map[string]string{"tenants": "schema.#Tenant & ", "flows": "schema.#Flow & "}
	rewrite := func(text string) string {
		return resource.ReplaceAllStringFunc(text, func(s string) string {
			part := resource.FindStringSubmatch(s)
			switch value := part[3]; {
			case strings.Contains(value, `"""`):
				return s
			case value != "{" && value != "null":
				part[3] = "{" + value + "}"
			}
			return part[1] + part[2] + definitions[part[1]] + part[3]
		})
	}
	column := regexp.MustCompile(`(\.cue:\d+):\d+`)
	rewritten := 0
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		changed := false
		for i, f := range archive.Files {
			text := rewrite(string(f.Data))
			if strings.HasPrefix(f.Name, "envs/") && text != string(f.Data) && strings.Contains(text, "package envs\n\n") && !strings.Contains(text, "import ") {
				// The empty line makes place for the import.
				archive.Files[i].Data = []byte(strings.Replace(text, "package envs\n\n", "package envs\nimport \"example.com/acme/schema\"\n", 1))
				changed = true
			}
		}
		want := string(archive.Files[len(archive.Files)-1].Data)
		if !changed || strings.Contains(want, "[syntax]") || strings.Contains(want, "[missing-import]") {
			continue
		}
		rewritten++
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			got := describe(t, archive)
			if diff := cmp.Diff(column.ReplaceAllString(want, "$1"), column.ReplaceAllString(got, "$1")); diff != "" {
				t.Error(diff)
			}
		})
	}
	if rewritten < 30 {
		t.Errorf("only %d rewritten", rewritten)
	}
}
