package cli

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"pcconnect.ai/descope-mgmt/internal/compiler"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
	src "pcconnect.ai/descope-mgmt/internal/source"
	"pcconnect.ai/descope-mgmt/internal/store"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

// TestDocumentedJSON holds the tables of docs/json.md to the documents: each field that
// is printed stands there, and no other.
func TestDocumentedJSON(t *testing.T) {
	page, err := os.ReadFile("../../docs/json.md")
	if err != nil {
		t.Fatal(err)
	}
	tables := tablesOf(string(page))
	documents := []any{
		ui.ResultDoc{},
		ui.OutcomeDoc{},
		runEntry{},
		nil,
		backupEntry{},
		store.AuditRecord{},
		plan.Drift{},
		plan.ObjectDrift{},
		plan.FieldDriftDoc{},
		resolution{},
		tenantEntry{},
		envEntry{},
		projectDetails{},
		exportResult{},
		snapshotImport{},
		check{},
		initDoc{},
		schemaDoc{},
		ui.DiagnosticsDoc{},
		model.Diagnostic{},
		explainDoc{},
		explainEntry{},
		compiler.Contribution{},
		envDiffDoc{},
		envDiffObject{},
		envDiffField{},
		envDiffSide{},
		promotionDoc{},
		adoptionFile{},
		src.BaseEdit{},
		importDoc{},
		importedEnv{},
	}
	if len(tables) != len(documents) {
		t.Fatalf("%d tables, want %d", len(tables), len(documents))
	}
	n := 0
	for i, d := range documents {
		want := map[string]bool{}
		if d == nil { // what runs show adds
			fieldsOf(reflect.TypeFor[runDoc](), want)
			for name := range tables[i-1] {
				delete(want, name)
			}
		} else {
			fieldsOf(reflect.TypeOf(d), want)
		}
		n += len(want)
		for name := range want {
			if !tables[i][name] {
				t.Errorf("table %d lacks %s of %T", i+1, name, d)
			}
		}
		for name := range tables[i] {
			if !want[name] {
				t.Errorf("table %d has %s, which %T has not", i+1, name, d)
			}
		}
	}
	t.Logf("counts: %d fields in %d tables", n, len(tables))
}

// tablesOf are the names in the first column of each table of a page.
func tablesOf(page string) []map[string]bool {
	name := regexp.MustCompile("`([a-z_]+)`")
	var tables []map[string]bool
	for line := range strings.Lines(page) {
		switch {
		case strings.HasPrefix(line, "| field"):
			tables = append(tables, map[string]bool{})
		case strings.HasPrefix(line, "| `"):
			column, _, _ := strings.Cut(line[1:], "|")
			for _, m := range name.FindAllStringSubmatch(column, -1) {
				tables[len(tables)-1][m[1]] = true
			}
		}
	}
	return tables
}

// fieldsOf are the names under which a type is printed, embedded structs included.
func fieldsOf(typ reflect.Type, names map[string]bool) {
	for f := range typ.Fields() {
		tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && tag == "":
			fieldsOf(f.Type, names)
		case tag != "" && tag != "-":
			names[tag] = true
		}
	}
}
