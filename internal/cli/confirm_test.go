package cli

import (
	"context"
	"strings"
	"testing"

	"pcconnect.ai/descope-mgmt/internal/emulator"
	"pcconnect.ai/descope-mgmt/internal/store"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

// thinking is somebody at the terminal during whose thinking something happens:
// before the n-th answer, the n-th function runs.
type thinking struct {
	ui.FakePrompter
	meanwhile []func()
}

func (f *thinking) think() {
	if n := len(f.Questions); n < len(f.meanwhile) && f.meanwhile[n] != nil {
		f.meanwhile[n]()
	}
}

func (f *thinking) Confirm(ctx context.Context, question string) error {
	f.think()
	return f.FakePrompter.Confirm(ctx, question)
}

func (f *thinking) TypeToConfirm(ctx context.Context, question, want string) error {
	f.think()
	return f.FakePrompter.TypeToConfirm(ctx, question, want)
}

func (f *thinking) Select(ctx context.Context, question string, words ...string) (string, error) {
	f.think()
	return f.FakePrompter.Select(ctx, question, words...)
}

func answering(answers ...string) *thinking {
	return &thinking{FakePrompter: ui.FakePrompter{Answers: answers}}
}

const acmeByHand = `{"id": "acme-corp", "name": "Acme, by hand", "selfProvisioningDomains": ["acme.com"], "customAttributes": {"plan": "enterprise"}}`

// TestQuestions pins which questions a sync asks, what the answers do, and that
// nothing is written unless all are answered.
func TestQuestions(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name      string
		args      []string
		live      string
		answers   []string
		code      int
		writes    int
		questions []string
		says      []string
	}{
		{
			name: "yes", args: []string{"sync", "--env", "dev"}, answers: []string{"y"}, writes: 2,
			questions: []string{"Apply 2 changes to project " + devProject + " (dev)?"}, says: []string{"2 created"},
		},
		{
			name: "no", args: []string{"sync", "--env", "dev"}, answers: []string{"n"}, code: exitRefused,
			questions: []string{"Apply 2 changes"}, says: []string{"nothing was applied", "declined"},
		},
		{
			name: "end of input", args: []string{"sync", "--env", "dev"}, code: exitRefused,
			questions: []string{"Apply 2 changes"}, says: []string{"nothing was applied"},
		},
		{
			name: "yes beforehand", args: []string{"sync", "--env", "dev", "--yes"}, writes: 2,
		},
		{
			name: "protected", args: []string{"sync", "--env", "prod"}, answers: []string{prodProject, "y"}, writes: 2,
			questions: []string{"Environment prod is protected; its project is " + prodProject, "Apply 2 changes"},
		},
		{
			name: "protected, wrong id", args: []string{"sync", "--env", "prod"}, answers: []string{devProject, "y"}, code: exitRefused,
			questions: []string{"Environment prod is protected"}, says: []string{"nothing was applied"},
		},
		{
			name: "protected, id typed and then no", args: []string{"sync", "--env", "prod"}, answers: []string{prodProject, "n"}, code: exitRefused,
			questions: []string{"Environment prod is protected", "Apply 2 changes"},
		},
		{
			name: "protected, confirmed beforehand", args: []string{"sync", "--env", "prod", "--confirm-project", prodProject}, answers: []string{"y"}, writes: 2,
			questions: []string{"Apply 2 changes"},
		},
		{
			name: "--yes does not type the project", args: []string{"sync", "--env", "prod", "--yes"}, answers: []string{prodProject}, code: exitRefused,
			says: []string{"--confirm-project " + prodProject},
		},
		{
			name: "adopting", args: []string{"sync", "--env", "dev"}, live: acmeByHand, answers: []string{"y", "y"}, writes: 2,
			questions: []string{"acme-corp. Take", "Apply 2 changes"}, says: []string{"1 created, 1 updated"},
		},
		{
			name: "not adopting", args: []string{"sync", "--env", "dev"}, live: acmeByHand, answers: []string{"n"}, code: exitRefused,
			questions: []string{"acme-corp"}, says: []string{"nothing was applied"},
		},
		{
			name: "adopting beforehand", args: []string{"sync", "--env", "dev", "--adopt-existing"}, live: acmeByHand, answers: []string{"y"}, writes: 2,
			questions: []string{"Apply 2 changes"},
		},
		{
			name: "a taken name cannot be agreed to", args: []string{"sync", "--env", "dev"}, answers: []string{"y", "y"}, code: exitRefused,
			live: `{"id": "by-hand", "name": "Acme Corporation", "selfProvisioningDomains": []}`, says: []string{"taken", "tenant/by-hand"},
		},
		{
			name: "one change", args: []string{"sync", "--env", "dev", "--target", "tenant/acme-corp"}, answers: []string{"y"}, writes: 1,
			questions: []string{"Apply 1 change to"},
		},
		{
			name: "tenant create", args: []string{"tenant", "create", "try-out", "--name", "Try", "--env", "dev"}, answers: []string{"y"}, writes: 1,
			questions: []string{"Apply 1 change to"},
		},
		{
			name: "a dry run asks nothing", args: []string{"sync", "--env", "dev", "--dry-run"}, says: []string{"2 to create"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Options{})
			if tt.live != "" {
				w.live(devProject, tt.live)
			}
			asked := answering(tt.answers...)
			w.prompter = asked
			r := w.mustRun(tt.code, tt.args...)
			if n := w.writes(); n != tt.writes {
				t.Errorf("%d writes, want %d", n, tt.writes)
			}
			contains(t, r.out+r.err, tt.says...)
			if len(asked.Questions) != len(tt.questions) {
				t.Fatalf("asked %q, want %q", asked.Questions, tt.questions)
			}
			for i, q := range tt.questions {
				contains(t, asked.Questions[i], q)
			}
		})
	}
}

// TestMovedWhileAsked: whatever moves between the plan that was shown and the
// answer stops the run before the first write, and is named.
func TestMovedWhileAsked(t *testing.T) {
	t.Parallel()
	const acme = `{"id": "acme-corp", "name": "Acme", "selfProvisioningDomains": [], "customAttributes": {}%s}`
	with := func(extra string) string { return strings.Replace(acme, "%s", extra, 1) }
	tests := []struct {
		name   string
		before string
		after  []string
		says   string
	}{
		{"a field that nobody manages", with(""), []string{with(`, "enforceSSO": true`)}, "tenant/acme-corp"},
		{"a managed field", with(""), []string{with(`, "name": "Other"`)}, "tenant/acme-corp"},
		{"a name that is to be taken", with(""), []string{with(""), `{"id": "by-hand", "name": "Acme Corporation", "selfProvisioningDomains": []}`}, "tenant/by-hand"},
		{"gone", with(""), nil, "tenant/acme-corp"},
		{"done by somebody else", with(""), []string{
			`{"id": "acme-corp", "name": "Acme Corporation", "selfProvisioningDomains": ["acme.com"], "customAttributes": {"plan": "enterprise"}}`,
		}, "tenant/acme-corp"},
		{"appeared", with(""), []string{with(""), `{"id": "widget-inc", "name": "W", "selfProvisioningDomains": []}`}, "tenant/widget-inc"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Options{})
			w.live(devProject, tt.before)
			asked := answering("y")
			asked.meanwhile = []func(){func() { w.live(devProject, tt.after...) }}
			w.prompter = asked
			r := w.mustRun(exitRefused, "sync", "--env", "dev", "--adopt-existing")
			contains(t, r.err, "nothing was applied", "moved after the plan was made", tt.says)
			if n := w.writes(); n != 0 {
				t.Errorf("%d writes", n)
			}
		})
	}
	t.Run("an object outside the plan", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, emulator.Options{})
		asked := answering("y")
		asked.meanwhile = []func(){func() { w.live(devProject, `{"id": "other", "name": "Other", "selfProvisioningDomains": []}`) }}
		w.prompter = asked
		w.mustRun(exitOK, "sync", "--env", "dev")
	})
	t.Run("another run holds the lock by then", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, emulator.Options{})
		asked := answering("y")
		asked.meanwhile = []func(){func() { holdLock(w, store.Holder{Operation: "a colleague"}) }}
		w.prompter = asked
		r := w.mustRun(exitRefused, "sync", "--env", "dev")
		contains(t, r.err, "a colleague is running")
		if n := w.writes(); n != 0 {
			t.Errorf("%d writes", n)
		}
	})
}

// TestFailureAsks: at a terminal a failed change asks how to go on; in a script
// the flag decides.
func TestFailureAsks(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		args    []string
		answers []string
		code    int
		created int
		asked   int
	}{
		{"continue", nil, []string{"y", "continue"}, exitPartly, 2, 2},
		{"abort", nil, []string{"y", "abort"}, exitFailed, 0, 2},
		{"end of input aborts", nil, []string{"y"}, exitFailed, 0, 2},
		{"the flag answers: continue", []string{"--on-error", "continue"}, []string{"y"}, exitPartly, 2, 1},
		{"the flag answers: stop", []string{"--on-error", "stop"}, []string{"y"}, exitFailed, 0, 1},
		{"--yes stops", []string{"--yes"}, []string{"continue"}, exitFailed, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Options{Faults: []emulator.Fault{failing(t, "400,count=1,match=POST /v1/mgmt/tenant/create")}})
			w.write("envs/more.cue", "package envs\ntenants: \"third\": name: \"Third\"\n")
			asked := answering(tt.answers...)
			w.prompter = asked
			r := w.mustRun(tt.code, append([]string{"sync", "--env", "dev", "--parallelism", "1"}, tt.args...)...)
			if n := len(w.tenants()); n != tt.created {
				t.Errorf("%d tenants were created, want %d", n, tt.created)
			}
			if len(asked.Questions) != tt.asked {
				t.Errorf("asked %q, want %d questions", asked.Questions, tt.asked)
			}
			contains(t, r.out, "1 failed", "To continue: descope-mgmt sync ", "--env dev")
			if tt.asked == 2 {
				contains(t, asked.Questions[1], "tenant/acme-corp: Injected fault", "It failed. Continue with all the rest")
			}
		})
	}
}

// failing is a fault of the emulator, written as for its flag.
func failing(t *testing.T, spec string) emulator.Fault {
	t.Helper()
	f, err := emulator.ParseFault(spec)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestAskingInJSON: what is asked about must have been shown, also where the
// result goes to a program.
func TestAskingInJSON(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Options{})
	w.prompter = answering("y")
	r := w.mustRun(exitOK, "sync", "--env", "dev", "-o", "json")
	contains(t, r.err, "tenant/acme-corp", "+ create", "2 to create")
	lacks(t, r.out, "+ create")
	contains(t, r.out, `"status": "done"`)
}

// TestProgressOfWhatWasNotRun: the bar tells what failed from what was given up for it.
func TestProgressOfWhatWasNotRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Options{Faults: []emulator.Fault{failing(t, "400,count=1,match=POST /v1/mgmt/tenant/create")}})
	w.terminal = 100
	r := w.mustRun(exitFailed, "sync", "--env", "dev", "--yes", "--parallelism", "1")
	contains(t, r.err, "Created 0/2 tenants, 1 failed, 1 not run")
	lacks(t, r.err, "2 failed")
}
