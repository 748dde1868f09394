package cli

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"pcconnect.ai/descope-mgmt/internal/emulator"
)

// hostile is text that does something to a terminal, a line or a parser.
const hostile = "a\x1b[2J\x1b]0;title\x07\u202egnp\u2028x\u200b\r\n\ttab\x7f\u009b31m é 漢字 👩‍👩‍👧 \"q\" \\ `b` <script> \ufeff end"

// TestHostileText: whatever a name or a value holds, in the project or in the
// configuration, it moves no terminal and breaks no line and no JSON.
func TestHostileText(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 10_000)
	w := newWorld(t, emulator.Options{})
	seeds := []string{
		mustJSON(t, map[string]any{"id": "evil", "name": hostile, "selfProvisioningDomains": []string{}, "customAttributes": map[string]any{"k\x1b[1m": hostile, "long": long}, "future\x1b[1m": hostile}),
		mustJSON(t, map[string]any{"id": "acme-corp", "name": "Acme " + hostile, "selfProvisioningDomains": []string{"acme.com"}, "customAttributes": map[string]any{"plan": long}}),
		mustJSON(t, map[string]any{"id": "id\x1b[1m \u202e", "name": "Odd id", "selfProvisioningDomains": []string{}}),
	}
	w.live(devProject, seeds...)
	quoted := strings.ReplaceAll(mustJSON(t, "Config "+strings.ReplaceAll(hostile, "\ufeff", "")), `\u003c`, "<")
	w.edit("envs/tenants.cue", `"Widget Inc"`, strings.ReplaceAll(quoted, `\u003e`, ">"))
	w.edit("envs/tenants.cue", `"standard"`, `"`+long+`"`)
	commands := [][]string{
		{"plan"},
		{"plan", "-v"},
		{"sync", "--yes"},
		{"sync", "--yes", "--adopt-existing"},
		{"plan"},
		{"tenant", "list"},
		{"tenant", "show", "evil"},
		{"tenant", "show", "acme-corp"},
		{"tenant", "show", "id\x1b[1m \u202e"},
		{"tenant", "show", "no\x1b[1m"},
		{"tenant", "delete", "no\x1b[1m"},
		{"tenant", "delete", "evil", "--dry-run"},
		{"tenant", "create", "new", "--name", hostile, "--dry-run"},
		{"doctor"},
		{"plan", "--target", "tenant/\x1b[1m"},
		{"plan\x1b[1m"},
		{"plan", "--\x1b[1m"},
		{"plan", "--out", "no\x1b[1m/such"},
		{"flow", "import", "no\x1b[1m"},
		{"plan", "--config", "no\x1b[1m"},
		{"plan", "--base-url", "http://no\x1b[1m"},
		{"sync", "--plan", "\x1b[1m"},
		{"fmt", "no\x1b[1m"},
		{"tenant", "create", "x", "--name", "x", "--attribute", "\x1b[1m"},
		{"plan", "--log-level", "\x1b[1m"},
	}
	for _, c := range commands {
		for _, form := range [][]string{nil, {"-o", "json"}, {"-o", "yaml"}} {
			args := slices.Concat(c, []string{"--env", "dev"}, form)
			for _, terminal := range []int{0, 40} {
				w.terminal = terminal
				w.forgetRate()
				r := w.run(args...)
				name := fmt.Sprintf("descope-mgmt %q (terminal %d)", args, terminal)
				calm(t, name, r.out)
				calm(t, name, r.err)
				if form == nil {
					continue
				}
				if form[1] == "yaml" {
					if err := yaml.Unmarshal([]byte(r.out), new(any)); err != nil {
						t.Errorf("%s: not YAML: %v", name, err)
					}
				} else if r.out != "" && !json.Valid([]byte(r.out)) {
					t.Errorf("%s: not JSON: %s", name, r.out)
				}
			}
		}
	}
	// What goes to a program is the text itself.
	w.terminal = 0
	var shown struct{ Name string }
	if err := json.Unmarshal([]byte(w.mustRun(exitOK, "tenant", "show", "evil", "--env", "dev", "-o", "json").out), &shown); err != nil || shown.Name != hostile {
		t.Errorf("%q (%v), want %q", shown.Name, err, hostile)
	}
	contains(t, w.mustRun(exitOK, "plan", "--env", "dev").out, "No changes.")
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// calm fails the test if a text would do more to a terminal than fill lines.
func calm(t *testing.T, name, text string) {
	t.Helper()
	if !utf8.ValidString(text) {
		t.Errorf("%s: invalid UTF-8", name)
	}
	// A status that is redrawn in place is our own doing.
	text = strings.ReplaceAll(text, "\r\x1b[K", "")
	for _, r := range text {
		switch {
		case r == '\n' || r == '\t':
		case r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0, r >= 0x200b && r <= 0x200f && r != 0x200d, r >= 0x2028 && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == 0xfeff:
			t.Errorf("%s prints %U:\n%.300q", name, r, text)
			return
		}
	}
}

// TestNarrowTerminal: what is printed fits 40 columns where it can be cut, and
// nothing panics at any width.
func TestNarrowTerminal(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Options{})
	w.edit("envs/tenants.cue", `"Widget Inc"`, `"`+strings.Repeat("Widget 漢字 ", 10)+`"`)
	for width := 0; width < 50; width += 7 {
		w.terminal = width
		for _, args := range [][]string{{"plan"}, {"sync", "--yes", "--dry-run"}, {"tenant", "list"}, {"doctor"}} {
			w.forgetRate()
			w.mustRun(exitOK, append(args, "--env", "dev")...)
		}
	}
	w.terminal = 0
	w.mustRun(exitOK, "sync", "--env", "dev", "--yes")
	run, _, _ := strings.Cut(w.mustRun(exitOK, "runs", "list").out, "\t")
	for w.terminal = 40; w.terminal < 80; w.terminal += 5 {
		r := w.mustRun(exitOK, "runs", "list", "--env", "dev")
		contains(t, r.out, "STATUS", run, "done")
	}
}

// TestNoColour: colours need a terminal that takes them and a user who wants
// them. The terminal itself is the business of the tests of internal/ui.
func TestNoColour(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Options{})
	for _, tt := range []struct {
		args  []string
		color bool
	}{
		{[]string{"plan"}, true},
		{[]string{"plan", "--no-color"}, false},
		{[]string{"plan", "-o", "json"}, false},
		{[]string{"plan", "-o", "yaml"}, false},
		{[]string{"tenant", "list", "-o", "json"}, false},
	} {
		a, captured := w.app()
		a.streams.OutTTY, a.streams.ErrTTY, a.streams.Color, a.streams.ErrColor, a.streams.Width = true, true, true, true, 80
		if code := a.run(t.Context(), append(tt.args, "--env", "dev")); code != exitOK {
			t.Fatalf("%v: exit %d", tt.args, code)
		}
		if got := strings.Contains(captured.Out(), "\x1b["); got != tt.color {
			t.Errorf("%v: colour %v, want %v:\n%q", tt.args, got, tt.color, captured.Out())
		}
	}
}
