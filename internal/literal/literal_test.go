package literal

import (
	"strings"
	"testing"

	"pcconnect.ai/descope-mgmt/internal/model"
)

const schemaPath = "example.com/acme/schema"

// TestWithout: what is left keeps its place, and nothing is left where all was taken.
func TestWithout(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{
			"some", "package envs\n\nimport \"" + schemaPath + "\"\n\ntenants: {acme: schema.#Tenant & {\n\tname: \"Ä\"}, other: name: \"x\" + \"y\"}\n",
			"package envs\n\n" + strings.Repeat(" ", len("import \""+schemaPath+"\"")) + "\n\ntenants: {" + strings.Repeat(" ", len("acme: schema.#Tenant & {")) + "\n" + strings.Repeat(" ", len("\tname: \"Ä\"},")) + " other: name: \"x\" + \"y\"}\n",
		},
		{"all", "@extern(embed)\n// about\npackage envs\n\nimport \"" + schemaPath + "\"\n\ntenants: acme: schema.#Tenant & {name: \"A\"}\ntenants: {other: {name: \"B\"}}\n", "package envs\n"},
		{"other fields", "package envs\nx: 1, tenants: acme: name: \"A\", y: 2\n", "package envs\nx: 1, " + strings.Repeat(" ", len("tenants: acme: name: \"A\",")) + " y: 2\n"},
		{"nothing", "package envs\ntenants: acme: name: string\n", "package envs\ntenants: acme: name: string\n"},
		{"an unused import", "package envs\nimport \"strings\"\ntenants: acme: name: \"A\"\n", "package envs\nimport \"strings\"\n" + strings.Repeat(" ", len("tenants: acme: name: \"A\"")) + "\n"},
	} {
		f := Read("a.cue", []byte(c.text), schemaPath)
		if got := string(without(f, Take([]*File{f}, nil))); got != c.want {
			t.Errorf("%s: got\n%q, want\n%q", c.name, got, c.want)
		}
		if string(f.text) != c.text {
			t.Errorf("%s: the text was changed", c.name)
		}
	}
}

func without(f *File, t Taken) []byte {
	return f.Without(func(id string) bool { return t.Tenants[id] != nil })
}

// TestTake: values, where they were written, and that two environments can share a file.
func TestTake(t *testing.T) {
	base := Read("envs/a.cue", []byte("package envs\ntenants: acme: {\n\tname: *\"A\" | string\n\tlifecycle: ignore: [\"name\"]\n}\n"), schemaPath)
	prod := Read("envs/prod/b.cue", []byte("package envs\ntenants: acme: name: \"P\"\n"), schemaPath)
	first := Take([]*File{base}, []*File{prod}).Tenants["acme"]
	second := Take([]*File{base}, nil).Tenants["acme"]
	if first == nil || second == nil || first.Fields["name"] != "P" || second.Fields["name"] != "A" {
		t.Fatalf("got %+v and %+v", first, second)
	}
	if first.Fields["id"] != "acme" || first.Origin != (model.Origin{File: "envs/a.cue", Line: 2, Column: 10}) {
		t.Errorf("got %+v", first)
	}
	for path, want := range map[string]string{"name": "envs/prod/b.cue:2:16", "lifecycle": "envs/a.cue:4:2", "lifecycle.ignore": "envs/a.cue:4:13"} {
		if got := first.Origins[path].String(); got != want {
			t.Errorf("%s: at %s, want %s", path, got, want)
		}
	}
}

func TestDomains(t *testing.T) {
	long := strings.Repeat("a", 63)
	for domain, want := range map[string]bool{
		"a.com": true, "a-b.c1": true, "1.c": true, long + ".com": true,
		strings.Repeat(long+".", 3) + strings.Repeat("b", 61): true,
		strings.Repeat(long+".", 3) + strings.Repeat("b", 62): false,
		"": false, "com": false, ".com": false, "a.": false, "a..b": false, "A.com": false, "a_b.com": false,
		"-a.com": false, "a-.com": false, "a.1m": false, "a.m-": false, "ä.com": false, long + "a.com": false, "a.com\n": false,
	} {
		if got := isDomain(domain); got != want {
			t.Errorf("%q: %v", domain, got)
		}
	}
}

// FuzzRead: no text makes the reader panic or loop, or blank what it must not.
func FuzzRead(f *testing.F) {
	for _, s := range []string{
		"package envs\nimport \"" + schemaPath + "\"\ntenants: acme: schema.#Tenant & {name: \"A\"}\n",
		"package envs\ntenants: {acme: {name: \"\\(x)\"}, other: name: \"A\"}\n", "@extern(embed)\npackage envs\n", "package envs\ntenants: }", "package envs\nimport (\"a\"",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		file := Read("a.cue", text, schemaPath)
		rest := without(file, Take([]*File{file}, nil))
		if len(rest) != len(text) {
			if !strings.HasPrefix(string(rest), "package ") || strings.Count(string(rest), "\n") != 1 {
				t.Errorf("%q became %q", text, rest)
			}
			return
		}
		for i := range rest {
			if rest[i] != text[i] && rest[i] != ' ' {
				t.Errorf("%q became %q", text, rest)
			}
		}
	})
}
