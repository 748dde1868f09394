package schemadoc

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestReference holds docs/schema-reference.md to the schema; UPDATE=1 writes it.
func TestReference(t *testing.T) {
	const path = "../../docs/schema-reference.md"
	want, err := read(t).Markdown()
	if err != nil {
		t.Fatal(err)
	}
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(path, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if have, err := os.ReadFile(path); err != nil || string(have) != want {
		t.Errorf("%s is not what the schema says (%v); UPDATE=1 go test ./internal/schemadoc -run TestReference", path, err)
	}
}

// TestConfigurationAgrees holds the table of docs/configuration.md to the rules: what is
// required there is so in the schema, and a default is the schema's.
func TestConfigurationAgrees(t *testing.T) {
	page, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for section, name := range map[string]string{"environment": "#Environment", "tenants": "#Tenant", "flows": "#Flow", "lifecycle": "#Lifecycle"} {
		_, text, found := strings.Cut(string(page), "\n## "+section+"\n")
		text, _, _ = strings.Cut(text, "\n## ")
		for _, f := range read(t).Definition(name).Fields {
			row := regexp.MustCompile("(?m)^\\| `" + regexp.QuoteMeta(f.Name) + "` \\|.*$").FindString(text)
			rule, err := f.rule(read(t).Definition(name))
			if err != nil || !found || row == "" {
				t.Errorf("%s.%s: %v, row %q", name, f.Name, err, row)
				continue
			}
			checked++
			if strings.Contains(row, "required") != f.Required {
				t.Errorf("%s.%s: the schema says required is %v, the page\n%s", name, f.Name, f.Required, row)
			}
			if isBool := rule == "`bool`"; isBool != strings.Contains(row, "| `true` or `false` |") {
				t.Errorf("%s.%s is %s in the schema, on the page\n%s", name, f.Name, rule, row)
			}
		}
	}
	if checked < 30 {
		t.Errorf("only %d fields were looked at", checked)
	}
}
