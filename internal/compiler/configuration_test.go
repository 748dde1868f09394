package compiler

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestConfigurationDocument holds the reference of fields to the schema: each table has
// the fields of its definition, all of them and no other.
func TestConfigurationDocument(t *testing.T) {
	page, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	fields := schemaFields()
	for section, definition := range map[string]string{"environment": "#Environment", "tenants": "#Tenant", "flows": "#Flow", "lifecycle": "#Lifecycle"} {
		var documented []string
		for _, row := range rows(string(page), section) {
			documented = append(documented, row[0])
		}
		same(t, section, documented, fields[definition])
	}
	documented := map[string][]string{}
	name := ""
	for _, row := range rows(string(page), "Templates") {
		if row[0] != "" {
			name = row[0]
		}
		documented[name] = append(documented[name], row[1])
	}
	if len(documented) != len(Templates()) {
		t.Errorf("%d templates are documented, the schema has %d", len(documented), len(Templates()))
	}
	for _, template := range Templates() {
		var want []string
		for _, f := range template.Fields {
			want = append(want, f.Name)
		}
		same(t, template.Name, documented[template.Name], want)
	}
}

func same(t *testing.T, what string, documented, schema []string) {
	t.Helper()
	documented, schema = slices.Sorted(slices.Values(documented)), slices.Sorted(slices.Values(schema))
	if !slices.Equal(documented, schema) || len(schema) == 0 {
		t.Errorf("%s: docs/configuration.md has %v, the schema %v", what, documented, schema)
	}
}

// rows are the cells, without code marks, of the table below a heading.
func rows(page, heading string) [][]string {
	_, section, _ := strings.Cut(page, "\n## "+heading+"\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var out [][]string
	for line := range strings.Lines(section) {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| ---") || regexp.MustCompile(`^\| (field|template) `).MatchString(line) {
			continue
		}
		var cells []string
		for cell := range strings.SplitSeq(strings.Trim(strings.TrimSpace(line), "|"), "|") {
			cells = append(cells, strings.Trim(strings.TrimSpace(cell), "`"))
		}
		out = append(out, cells)
	}
	return out
}
