package compiler

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/parser"
	"github.com/google/go-cmp/cmp"

	src "pcconnect.ai/descope-mgmt/internal/source"
)

func TestSchemaHash(t *testing.T) {
	if !regexp.MustCompile(`^sha256:[0-9a-f]{64}$`).MatchString(SchemaHash()) || SchemaHash() != SchemaHash() { //nolint:staticcheck // twice on purpose
		t.Errorf("hash %s", SchemaHash())
	}
}

// TestSchemaIsExplained holds that every field of the schema has a comment for
// editors and words for error messages, and that there are no words for fields
// that are gone.
func TestSchemaIsExplained(t *testing.T) {
	fields := schemaFields()
	words := allowedValues()
	for name, data := range schemaFiles() {
		file, err := parser.ParseFile(name, data, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			definition, ok := d.(*ast.Field)
			if !ok {
				continue
			}
			nodes := []ast.Node{definition}
			// A hidden definition is not for users, but its comment is for us.
			label, _ := src.LabelName(definition.Label)
			if s, ok := definition.Value.(*ast.StructLit); ok && !strings.HasPrefix(label, "_") && name != "flow_templates.cue" {
				for _, e := range s.Elts {
					if f, ok := e.(*ast.Field); ok {
						if _, named := src.LabelName(f.Label); named {
							nodes = append(nodes, f)
						}
					}
				}
			}
			for _, n := range nodes {
				if len(ast.Comments(n)) == 0 {
					t.Errorf("%s has no comment", n.Pos())
				}
			}
		}
	}
	known := map[string]bool{}
	explained := []string{"#Config", "#Environment", "#Tenant", "#Lifecycle", "#Flow"}
	for _, template := range templates() {
		explained = append(explained, template.config)
	}
	for _, definition := range explained {
		if len(fields[definition]) == 0 {
			t.Errorf("%s has no fields", definition)
		}
		known[definition+" "] = true
		for _, f := range fields[definition] {
			known[definition+" "+f] = true
			if words[definition+" "+f] == "" {
				t.Errorf("nothing says what %s %s may be", definition, f)
			}
		}
	}
	for _, f := range fields["#Flow"] {
		if !slices.Contains(fields["_#Template"], f) && f != "definition" && f != "steps" {
			t.Errorf("_#Template lacks %s, so that no flow with a template could have it", f)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(words)) {
		if !known[strings.TrimRight(key, "[]")] {
			t.Errorf("%s is no field of the schema", key)
		}
	}
}

// TestDomainsAgree compares the two spellings of the rule for domains.
func TestDomainsAgree(t *testing.T) {
	if text := string(schemaFiles()["tenant.cue"]); !strings.Contains(text, strings.ReplaceAll(domainPattern, `\`, `\\`)) {
		t.Error("the schema has another expression for domains")
	}
}

func TestFind(t *testing.T) {
	m := moduleOf(t, "-- envs/dev/sub/x.txt --\n-- envs/.hidden/x.cue --\n-- envs/only_test/x_test.cue --\n-- envs/flows/x.json --\n")
	for _, dir := range []string{".", "envs", "envs/dev/sub"} {
		found, err := Find(filepath.Join(m.Root(), dir))
		if err != nil || found.Root() != m.Root() {
			t.Errorf("from %s: %v, %v", dir, found, err)
		}
	}
	environments, err := m.Environments()
	if err != nil || !cmp.Equal(environments, []string{"dev"}) {
		t.Errorf("environments %q, %v", environments, err)
	}
	for _, bad := range []string{"missing", "envs/dev/dev.cue"} {
		if _, err := Find(filepath.Join(m.Root(), bad)); err == nil {
			t.Errorf("%s is found", bad)
		}
	}
	for text, want := range map[string]string{
		"language: version: \"v0.17.0\"\n": "empty module path",
		"module: {\n":                      "is not a valid module file",
	} {
		if err := os.WriteFile(filepath.Join(m.Root(), "cue.mod/module.cue"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Find(m.Root()); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v", text, err)
		}
	}
	if err := os.Remove(filepath.Join(m.Root(), "cue.mod/module.cue")); err != nil {
		t.Fatal(err)
	}
	if _, err := Find(m.Root()); err == nil || !strings.Contains(err.Error(), "without a module.cue") {
		t.Errorf("%v", err)
	}
}

func TestText(t *testing.T) {
	for in, want := range map[string]string{
		"":                              `""`,
		"acme":                          `"acme"`,
		"a\nb\x1b[31m":                  `"a\nb\u001b[31m"`,
		"\u202Eevil":                    `"\u202eevil"`,
		strings.Repeat("x", 70):         `"` + strings.Repeat("x", 58) + `…"`,
		"ünï 日本":                        `"ünï 日本"`,
		"\u200b":                        `"\u200b"`,
		strings.Repeat("日", 70):         `"` + strings.Repeat("日", 58) + `…"`,
		"back\\slash and \"quotation\"": `"back\\slash and \"quotation\""`,
	} {
		if got := quoted(in); got != want {
			t.Errorf("quoted(%q) = %s, want %s", in, got, want)
		}
	}
	if got := short("a\n\tb\x1b " + strings.Repeat("y", 5000)); !strings.HasPrefix(got, `a b\x1b yyy`) || len([]rune(got)) > maxShown {
		t.Errorf("short: %q", got)
	}
}

func TestTrustedURL(t *testing.T) {
	for url, want := range map[string]bool{
		"https://api.descope.com": true, "https://api.euc1.descope.com/": true, "https://descope.com": true, "https://API.Descope.com": true,
		"http://127.0.0.1:8080": true, "http://localhost:1": true, "http://[::1]:80": true, "https://127.9.9.9": true,
		"http://api.descope.com": false, "https://descope.com.evil.com": false, "https://evildescope.com": false, "https://user@api.descope.com": false,
		"https://10.0.0.1": false, "http://localhost.evil.com": false, "ftp://x": false, "%": false, "https://api.descope.com@evil.com": false,
	} {
		if got := trustedURL(url); got != want {
			t.Errorf("trustedURL(%q) = %v", url, got)
		}
	}
}
