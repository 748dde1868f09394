package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pcconnect.ai/descope-mgmt/internal/emulator"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

// mishap is a command that fails, on a world to which something was done before.
type mishap struct {
	line string // the command line, in words
	do   func(w *world)
}

// edited is a mistake in the configuration, which validate finds.
func edited(file, old, replacement string) mishap {
	return mishap{"validate", func(w *world) { w.edit(file, old, replacement) }}
}

// mishaps are what goes wrong for people, from the first command line to a damaged
// state directory.
func mishaps() []mishap {
	const tenants, dev = "envs/tenants.cue", "envs/dev/dev.cue"
	synced := func(w *world) { w.mustRun(exitOK, "sync", "--env", "dev", "--yes") }
	after := func(f ...func(w *world)) func(w *world) {
		return func(w *world) {
			for _, f := range f {
				f(w)
			}
		}
	}
	unset := func(name string) func(w *world) { return func(w *world) { delete(w.env, name) } }
	set := func(name, value string) func(w *world) { return func(w *world) { w.env[name] = value } }
	state := func(w *world, pattern string) string {
		found, err := filepath.Glob(filepath.Join(w.env["DESCOPE_STATE_DIR"], filepath.FromSlash(pattern)))
		if err != nil || len(found) == 0 {
			w.t.Fatalf("no %s in the state directory (%v)", pattern, err)
		}
		return found[0]
	}
	damage := func(pattern string) func(w *world) {
		return func(w *world) {
			path := state(w, pattern)
			text, err := os.ReadFile(path)
			if err != nil {
				w.t.Fatal(err)
			}
			text[len(text)/2] ^= 1
			if err := os.WriteFile(path, text, 0o600); err != nil {
				w.t.Fatal(err)
			}
		}
	}
	renamed := func(w *world) {
		w.live(devProject, `{"id": "acme-corp", "name": "By hand", "selfProvisioningDomains": ["acme.com"], "customAttributes": {"plan": "enterprise"}}`,
			`{"id": "widget-inc", "name": "Widget Inc", "customAttributes": {"plan": "standard"}}`)
	}
	return []mishap{
		// The command line.
		{line: "synk --env dev"},
		{line: "tenant lsit --env dev"},
		{line: "flow depoly --env dev"},
		{line: "sync --enw dev"},
		{line: "sync --env dev --dryrun"},
		{line: "plan --env dev --yes"},
		{line: "plan --env dev -o jsn"},
		{line: "plan --env dev --log-level loud"},
		{line: "plan --env dev --parallelism 0"},
		{line: "plan --env dev extra"},
		{line: "plan --env dev --target acme-corp"},
		{line: "plan --env dev --target tenant/acme-crop"},
		{line: "plan --env dev --prune tenant"},
		{line: "sync --env dev --yes --emulator --base-url https://api.descope.com"},
		{line: "tenant show --env dev"},
		{line: "env diff dev"},
		{line: "help synk"},
		// The environment.
		{line: "plan"},
		{line: "plan --env prd"},
		{line: "validate prd"},
		{line: "env diff dev stagin"},
		{line: "eval --env qa"},
		// What is not there.
		{line: "tenant show acme-crop --env dev", do: synced},
		{line: "flow show sign-in --env dev"},
		{line: "flow deploy sign-in --env dev --yes"},
		{line: "explain tenant/acme-crop --env dev --no-live"},
		{line: "explain tenant/nothing-like-it --env dev --no-live"},
		{line: "explain acme-corp --env dev --no-live"},
		{line: "explain nonsense --env dev --no-live"},
		{line: "explain tenant/acme-corp.nmae --env dev --no-live"},
		{line: "explain tenant/acme-corp.nonsense --env dev --no-live"},
		{line: "explain tenant/acme-corp..name --env dev --no-live"},
		{line: "rollback 20260101T000000Z-abcdef --env dev --yes"},
		{line: "rollback latest --env dev --yes"},
		{line: "runs show nonsense"},
		{line: "backup show nonsense --env dev"},
		{line: "backup restore latest --env dev --yes"},
		{line: "sync --env dev --resume latest --yes"},
		{line: "sync --env dev --plan missing.plan --yes"},
		{line: "flow lint missing.json"},
		{line: "fmt missing.cue"},
		{line: "fmt envs/tenant.cue"},
		{line: "fmt --check envs/qa/qa.cue"},
		{"validate", func(w *world) { _ = os.RemoveAll(w.dir); _ = os.MkdirAll(w.dir, 0o700) }},
		{line: "validate --config nowhere"},
		// The configuration.
		edited(tenants, "self_provisioning", "self_provisoning"),
		edited(tenants, `name: "Widget Inc"`, `nam: "Widget Inc"`),
		edited(dev, "project_id:", "project:"),
		edited(tenants, `tenants: "widget-inc"`, `tenats: "widget-inc"`),
		edited(tenants, `plan: "standard"`, `plan: {}`),
		edited("envs/staging/staging.cue", `"acme-corp"`, `"widget-inc"`), // plan is no default in the base
		edited("envs/staging/staging.cue", `P2stagingstagingstagingstagi`, devProject),
		edited(tenants, `name: "Widget Inc"`, `name: "Widget Inc", enabled_in: ["dve"]`),
		edited(tenants, `name: "Widget Inc"`, `name: "Widget Inc", parent: "acme-crop"`),
		edited("envs/staging/staging.cue", "package envs", "package staging"),
		edited(tenants, `name: "Widget Inc"`, `name: Widget Inc`),
		edited(tenants, `name: "Widget Inc"`, `name: Widgets`),
		edited(tenants, `name: "Widget Inc"`, `name: "Widget Inc", disabled: off`),
		edited(tenants, `tenants: "widget-inc"`, `tenants: widget-inc`),
		// Key and server.
		{"plan --env dev", unset("DESCOPE_MANAGEMENT_KEY")},
		{"plan --env dev --management-key-file nowhere.key", nil},
		{"plan --env dev", set("DESCOPE_BASE_URL", "http://127.0.0.1:1")},
		{"plan --env dev", set("DESCOPE_PROJECT_ID", prodProject)},
		{"plan --env dev", set("DESCOPE_STATE_DIR", "/dev/null/state")},
		// What is refused.
		{line: "sync --env dev"},
		{"sync --env dev --yes", renamed},
		{"sync --env dev --yes", after(synced, renamed)},
		{"sync --env prod --yes", nil},
		{"sync --env prod --yes --confirm-project P2wrong", nil},
		{"tenant delete acme-corp --env dev", synced},
		{"tenant create acme-corp --env dev --name X --yes", synced},
		{"sync --env dev --plan saved.plan --yes", func(w *world) {
			w.mustRun(exitOK, "plan", "--env", "dev", "--out", "saved.plan")
			w.edit(tenants, "standard", "premium")
		}},
		{"rollback latest --env dev --yes", after(synced, renamed)},
		{"project delete --env dev --yes", func(w *world) {
			if err := w.server.Seed([]byte(`{"version": 1, "projects": {"` + devProject + `": {}, "` + stagingProject + `": {}}}`)); err != nil {
				w.t.Fatal(err)
			}
		}},
		{"schema sync", func(w *world) { w.write("schema/mine.cue", "package schema\n") }},
		// The state directory.
		{"backup show latest --env dev", after(synced, damage("backups/*/*.json"))},
		{"plan --env dev", after(synced, damage("last-applied/*.json"))},
		{"audit verify", after(synced, damage("audit.jsonl"))},
		{"runs show latest", after(synced, damage("runs/*/plan.json"))},
		{"plan --env dev", after(synced, set("DESCOPE_BACKUP_RETENTION_DAYS", "soon"))},
	}
}

// TestNextStep provokes errors, and pastes what they say is to be done next: a command
// must do what it is for, a replacement must settle the mistake. Of all, 90 % must have
// such a step.
func TestNextStep(t *testing.T) {
	t.Parallel()
	cases := mishaps()
	stepped := 0
	for _, m := range cases {
		w := newWorld(t, emulator.Options{})
		if m.do != nil {
			m.do(w)
		}
		r := w.run(strings.Fields(m.line)...)
		if r.code == exitOK {
			t.Errorf("%s: nothing went wrong", m.line)
			continue
		}
		step, why := paste(w, m, r)
		if why != "" {
			t.Logf("%s: exit %d: %s: %s\n%.300s", m.line, r.code, why, step, r.err)
			continue
		}
		stepped++
	}
	if len(cases) < 60 || 100*stepped < 90*len(cases) {
		t.Errorf("of %d errors, %d have a next step that works", len(cases), stepped)
	}
	t.Logf("counts: errors: %d, with a next step that works: %d", len(cases), stepped)
}

// paste does what an error says; why is empty if that was of use.
func paste(w *world, m mishap, r ran) (step, why string) {
	w.prompter = &ui.FakePrompter{Answers: slices.Repeat([]string{"y"}, 20)} // it is typed at a terminal
	if s := regexp.MustCompile(`(?m)^\s+unset (\w+)$`).FindStringSubmatch(r.err); s != nil {
		delete(w.env, s[1])
		if again := w.run(strings.Fields(m.line)...); again.code != exitOK {
			return "unset " + s[1], "does not work: " + again.err
		}
		return "unset " + s[1], ""
	}
	if s := regexp.MustCompile(`(?m)^\s+(descope-mgmt .*)$`).FindStringSubmatch(r.err + r.out); s != nil {
		step = s[1]
		if strings.ContainsAny(step, "…<") || regexp.MustCompile(`\b[A-Z]{2,}\b`).MatchString(strings.ReplaceAll(step, "P2", "")) {
			return step, "is not to be pasted as it is"
		}
		words := shellWords(step)
		if words[1] == "init" { // takes what it suggests
			words = append(words, "--yes")
		}
		again := w.run(words[1:]...)
		if words[1] == "doctor" { // which finds what is wrong
			return step, map[bool]string{true: "", false: "finds nothing: " + again.out}[again.code != exitOK]
		}
		if again.code != exitOK && again.code != exitDifferences {
			return step, "does not work: " + again.err
		}
		return step, ""
	}
	var found struct{ Diagnostics []model.Diagnostic }
	if json.Unmarshal([]byte(w.run("validate", "-o", "json").out), &found) == nil && len(found.Diagnostics) > 0 {
		if fix := found.Diagnostics[0].Fix; fix != nil {
			return fix.New, applyFix(w, found.Diagnostics[0])
		}
	}
	return "", "has no step"
}

// applyFix replaces what a diagnostic says is to be replaced, and validates again.
func applyFix(w *world, d model.Diagnostic) string {
	path := filepath.Join(w.dir, filepath.FromSlash(d.Fix.At.File))
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	lines := strings.SplitAfter(string(text), "\n")
	line := lines[d.Fix.At.Line-1]
	rest, ok := strings.CutPrefix(line[d.Fix.At.Column-1:], d.Fix.Old)
	if !ok {
		return "the text to be replaced is not there"
	}
	lines[d.Fix.At.Line-1] = line[:d.Fix.At.Column-1] + d.Fix.New + rest
	if err := os.WriteFile(path, []byte(strings.Join(lines, "")), 0o600); err != nil {
		return err.Error()
	}
	if again := w.run("validate"); again.code != exitOK {
		return "does not settle it: " + again.err
	}
	return ""
}

// shellWords takes a command apart as a shell would, quotes included.
func shellWords(command string) []string {
	var words []string
	for _, m := range regexp.MustCompile(`'([^']*)'|(\S+)`).FindAllStringSubmatch(command, -1) {
		words = append(words, m[1]+m[2])
	}
	return words
}
