package sarif

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// official is the schema of the standard.
func official(t testing.TB) *jsonschema.Schema {
	t.Helper()
	data, err := os.ReadFile("testdata/sarif-schema-2.1.0.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("sarif.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("sarif.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func written(log Log) (any, []byte) {
	data, err := json.MarshalIndent(log, "", "  ")
	if err != nil {
		panic(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		panic(err)
	}
	return doc, append(data, '\n')
}

func sample() Run {
	return Run{
		Command: "validate", Version: "1.2.3",
		Rules: []Rule{rule("taken-*", "Taken.", "Change one."), rule("wrong-value", "Wrong.", "See the docs."), warning("long-id", "Long.", "Shorten it.")},
		Findings: []Finding{
			{Rule: "wrong-value", Severity: model.Error, Message: "no [link](https://example.com)\nmore", Place: model.Origin{File: "envs/dev/a b.cue", Line: 2, Column: 9}, Object: "tenant/a.name", Same: "x"},
			{Rule: "taken-domain", Severity: model.Error, Message: "taken", Place: model.Origin{File: "envs/a.cue", Line: 1, Column: 1}, Also: []model.Origin{{File: "envs/b.cue", Line: 7, Column: 3}, {}}},
			{Rule: "long-id", Severity: model.Warning, Message: "long", Object: "tenant/b"},
			{Rule: "new-one", Severity: model.Warning, Message: "unheard of"},
			{Rule: "new-one", Severity: model.Warning, Message: "unheard of"},
		},
		Line: func(file string, line int) string {
			if file == "envs/dev/a b.cue" && line == 2 {
				return "\tn: \"é𝄞\", x: 1" // 1 + 4 + 2 + 4 bytes before the quote; 1 + 4 + 1 + 2 units
			}
			return ""
		},
	}
}

func TestDocumentGolden(t *testing.T) {
	doc, data := written(Document(sample()))
	if err := official(t).Validate(doc); err != nil {
		t.Error(err)
	}
	if os.Getenv("UPDATE") == "1" {
		if err := os.WriteFile("testdata/sample.sarif", data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/sample.sarif")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(data)); diff != "" {
		t.Errorf("testdata/sample.sarif (UPDATE=1 rewrites it):\n%s", diff)
	}
}

// TestSchemaRefuses: the schema is one that notices.
func TestSchemaRefuses(t *testing.T) {
	for name, spoil := range map[string]func(*Log){
		"version":   func(l *Log) { l.Version = "2.0.0" },
		"level":     func(l *Log) { l.Runs[0].Results[0].Level = "fatal" },
		"line":      func(l *Log) { l.Runs[0].Results[0].Locations[0].Physical.Region.StartLine = 0 },
		"column":    func(l *Log) { l.Runs[0].Results[0].Locations[0].Physical.Region.StartColumn = -1 },
		"uri":       func(l *Log) { l.Runs[0].Results[0].Locations[0].Physical.Artifact.URI = "%zz" },
		"columns":   func(l *Log) { l.Runs[0].ColumnKind = "bytes" },
		"no driver": func(l *Log) { l.Runs[0].Tool.Driver.Name = "" },
	} {
		log := Document(sample())
		spoil(&log)
		doc, _ := written(log)
		if name == "no driver" {
			delete(doc.(map[string]any)["runs"].([]any)[0].(map[string]any)["tool"].(map[string]any), "driver")
		}
		if official(t).Validate(doc) == nil {
			t.Errorf("%s: it is taken for valid", name)
		}
	}
}

// TestDocumentProperty: whatever is found, the document is valid, each result has its
// rule, and fingerprints are distinct and do not depend on lines.
func TestDocumentProperty(t *testing.T) {
	schema := official(t)
	rules := append(ConfigurationRules(), FlowRules()...)
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "[x](1)", "{0}", "a:b", "../x", "\x00", "%zz", "é"}))
		run := Run{Command: "validate", Version: text.Draw(t, "version"), Rules: rules, Line: func(string, int) string { return "é𝄞abc" }}
		for range rapid.IntRange(0, 20).Draw(t, "findings") {
			run.Findings = append(run.Findings, Finding{
				Rule:     rapid.OneOf(rapid.SampledFrom([]string{"wrong-value", "taken-name", "dangling-task"}), rapid.StringMatching(`[a-z]+-[a-z]+`)).Draw(t, "rule"),
				Severity: rapid.SampledFrom([]model.Severity{model.Error, model.Warning}).Draw(t, "severity"),
				Message:  text.Draw(t, "message"), Object: text.Draw(t, "object"), Same: text.Draw(t, "same"),
				Place: model.Origin{File: text.Draw(t, "file"), Line: rapid.IntRange(0, 9).Draw(t, "line"), Column: rapid.IntRange(0, 30).Draw(t, "column")},
				Also:  []model.Origin{{File: text.Draw(t, "also"), Line: 1, Column: 1}},
			})
		}
		log := Document(run)
		doc, _ := written(log)
		if err := schema.Validate(doc); err != nil {
			t.Fatal(err)
		}
		prints := map[string]bool{}
		for i, r := range log.Runs[0].Results {
			if rule := log.Runs[0].Tool.Driver.Rules[r.RuleIndex]; rule.ID != r.RuleID || r.RuleID != run.Findings[i].Rule {
				t.Fatalf("the rule of %s is %s", r.RuleID, rule.ID)
			}
			prints[r.Fingerprints[fingerprint]] = true
			run.Findings[i].Place.Line += 5
		}
		if len(prints) != len(run.Findings) {
			t.Fatalf("%d fingerprints for %d findings", len(prints), len(run.Findings))
		}
		for i, r := range Document(run).Runs[0].Results {
			if r.Fingerprints[fingerprint] != log.Runs[0].Results[i].Fingerprints[fingerprint] {
				t.Fatal("the fingerprint moves with the line")
			}
		}
	})
}

// TestColumn: at every rune of a line the column counts UTF-16 code units.
func TestColumn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		line := strings.ReplaceAll(rapid.String().Draw(t, "line"), "\n", "")
		r := Run{Line: func(string, int) string { return line }}
		for at := range line {
			want := len(utf16.Encode([]rune(line[:at]))) + 1
			if got := r.column(model.Origin{File: "x", Line: 1, Column: at + 1}); got != want {
				t.Fatalf("byte %d of %q is column %d, want %d", at, line, got, want)
			}
		}
		if got := r.column(model.Origin{File: "x", Line: 1, Column: len(line) + 3}); got != len(utf16.Encode([]rune(line)))+3 {
			t.Fatalf("behind the end of %q: %d", line, got)
		}
	})
}

func TestLocate(t *testing.T) {
	doc := "{\n  \"metadata\": {\"id\": \"x\"},\n  \"contents\": {\n    \"tasks\": {\n      \"0\": {\"next\": {\"rules\": [{\"a\": 1}, {\"taskId\": \"9\"}]}},\n      \"a key\": 3\n    }\n  }\n}"
	for path, want := range map[string][2]int{
		"":                                     {1, 1},
		"metadata.id":                          {2, 22},
		"contents.tasks.0.next.rules.1.taskId": {5, 53},
		"contents.tasks.0.next.rules.7":        {5, 31},
		`contents.tasks["a key"]`:              {6, 16},
		`contents.tasks["a key"].x`:            {6, 16},
		"nothing":                              {1, 1},
		"contents.[":                           {3, 15},
		`contents["tasks`:                      {3, 15},
	} {
		line, column := Locate([]byte(doc), path)
		if got := [2]int{line, column}; got != want {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
	if line, column := Locate([]byte("{\"flow\":\n {\"metadata\": 1}}"), "metadata"); line != 2 || column != 15 {
		t.Errorf("below flow: %d:%d", line, column)
	}
	rapid.Check(t, func(t *rapid.T) {
		data := rapid.OneOf(rapid.SliceOf(rapid.Byte()), rapid.Just([]byte(doc[:rapid.IntRange(0, len(doc)).Draw(t, "cut")]))).Draw(t, "data")
		if line, column := Locate(data, rapid.String().Draw(t, "path")); line < 1 || column < 1 {
			t.Fatalf("%d:%d", line, column)
		}
	})
}
