package ui

import (
	"strings"
	"testing"

	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
)

// TestComparisonIsSafe compares what is made to break out of a line, a table or a
// terminal.
func TestComparisonIsSafe(t *testing.T) {
	hostile := "a|b`c\n\x1b[31m<script>\u202e"
	c := Compared{
		Names: [2]string{"dev", "prod"}, Counts: true,
		Comparison: plan.Comparison{Same: 1, Objects: []plan.ObjectDifference{
			{Key: model.Key{Kind: model.Tenant, ID: hostile}, On: [2]bool{true, true}, Fields: []plan.FieldDifference{
				{Path: hostile, Values: [2]any{hostile, plan.Absent{}}, Origins: [2]model.Origin{{File: hostile, Line: 3, Column: 1}}},
				{Path: "secret", Values: [2]any{"hidden-a", "hidden-b"}, Sensitive: true},
				{Path: "null", Values: [2]any{nil, map[string]any{hostile: []any{hostile}}}},
			}},
			{Key: model.Key{Kind: model.Tenant, ID: "one"}, On: [2]bool{false, true}, Origins: [2]model.Origin{1: {File: "f.cue", Line: 1, Column: 1}}},
		}},
		Missing: func(int, model.Key) string { return hostile },
		Facts:   []plan.FieldDifference{{Path: "protected", Values: [2]any{plan.Absent{}, true}}},
	}
	text, markdown := ComparisonText(c, Style{Width: 60}), ComparisonMarkdown(c)
	for name, out := range map[string]string{"text": text, "markdown": markdown} {
		if strings.ContainsAny(out, "\x1b\u202e") || strings.Contains(out, "hidden-") {
			t.Errorf("%s lets through:\n%q", name, out)
		}
	}
	if strings.Contains(markdown, "<script>") {
		t.Errorf("Markdown holds a tag:\n%s", markdown)
	}
	columns := 0
	for line := range strings.Lines(markdown) {
		if !strings.HasPrefix(line, "|") {
			columns = 0
			continue
		}
		n := strings.Count(strings.ReplaceAll(line, `\|`, ""), "|")
		if columns == 0 {
			columns = n
		}
		if n != columns {
			t.Errorf("a row has %d columns of %d: %s", n-1, columns-1, line)
		}
	}
	for _, want := range []string{"tenant/one  only in prod (", "f.cue:1", "Differences: 1 object differs, 0 only in dev, 1 only in prod. 1 the same. 1 fact of the environments.\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("the text lacks %q:\n%s", want, text)
		}
	}
	if out := ComparisonText(Compared{Names: c.Names}, Style{}); out != "No differences. 0 objects compared.\n" {
		t.Errorf("nothing is %q", out)
	}
}
