package ui

import (
	"strings"
	"testing"

	"pcconnect.ai/descope-mgmt/internal/model"
)

func sampleDiagnostics() model.Diagnostics {
	at := func(line int) model.Origin { return model.Origin{File: "envs/prod/prod.cue", Line: line, Column: 3} }
	k := key("acme-corp")
	return model.Diagnostics{
		{Severity: model.Error, Code: "unknown-field", Summary: `unknown field "protcted"`, Detail: `did you mean "protected"?`, Hint: "descope-mgmt schema environment", Origin: at(9), Raw: "raw\n\x1b[31mtext\n"},
		{Severity: model.Warning, Code: "long-id", Summary: "the id has 31 characters", Origin: at(2)},
		{Severity: model.Error, Code: "conflict", Summary: "2 conflicts with 1", Origin: at(30), Also: []model.Origin{at(1), at(2)}},
		{Severity: model.Error, Code: "conflict", Summary: "3 conflicts with 4", Detail: "give the base a default", Origin: at(31), Also: []model.Origin{at(1)}},
		{Severity: model.Error, Code: "gone", Summary: "the parent is gone", Key: &k},
		{Severity: model.Error, Code: "x", Summary: "no cue.mod\nhere"},
	}
}

func TestDiagnostics(t *testing.T) {
	golden(t, "diagnostics.txt", DiagnosticsText(sampleDiagnostics(), Style{Width: 80}))
	golden(t, "diagnostics-verbose.txt", DiagnosticsText(sampleDiagnostics(), Style{Width: 80, Verbose: true}))
	var b strings.Builder
	if err := WriteJSON(&b, DiagnosticsJSON(sampleDiagnostics(), false)); err != nil {
		t.Fatal(err)
	}
	golden(t, "diagnostics.json", b.String())
	if doc := DiagnosticsJSON(sampleDiagnostics(), true); doc.Diagnostics[3].Raw == "" {
		t.Errorf("verbose drops the raw error: %+v", doc.Diagnostics)
	}
}

func TestDiagnosticsTakeThreeLinesAtMost(t *testing.T) {
	for _, d := range sampleDiagnostics() {
		d.Detail, d.Hint = "a\nb", "c\nd"
		text := DiagnosticsText(model.Diagnostics{d}, Style{})
		if n := strings.Count(text, "\n"); n > 4 { // and the count
			t.Errorf("%d lines:\n%s", n, text)
		}
	}
}

func TestNoDiagnostics(t *testing.T) {
	if got := DiagnosticsText(nil, Style{}); got != "" {
		t.Errorf("got %q", got)
	}
	var b strings.Builder
	if err := WriteJSON(&b, DiagnosticsJSON(nil, false)); err != nil || !strings.Contains(b.String(), `"diagnostics": []`) {
		t.Errorf("%v\n%s", err, b.String())
	}
	if got := DiagnosticsCount(model.Diagnostics{{Severity: model.Warning}}); got != "1 warning" {
		t.Errorf("got %q", got)
	}
}

func TestErrorText(t *testing.T) {
	if got, want := ErrorText("not recorded\nnot audited", "", Style{}), "Error: not recorded; not audited\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := ErrorText("no\x1b key", "descope-mgmt doctor", Style{}), "Error: no\\x1b key\n    descope-mgmt doctor\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := ErrorText("x", "", Style{Color: true}); got != "\x1b[31mError:\x1b[0m x\n" {
		t.Errorf("got %q", got)
	}
	var b strings.Builder
	if err := WriteJSON(&b, ErrorDoc{ErrorBody{Message: "m", ExitCode: 5}}); err != nil {
		t.Fatal(err)
	}
	if want := "{\n  \"error\": {\n    \"message\": \"m\",\n    \"exit_code\": 5\n  }\n}\n"; b.String() != want {
		t.Errorf("got %s", b.String())
	}
}
