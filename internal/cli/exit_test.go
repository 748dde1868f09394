package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"pcconnect.ai/descope-mgmt/internal/api"
	"pcconnect.ai/descope-mgmt/internal/apply"
	"pcconnect.ai/descope-mgmt/internal/emulator"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
	"pcconnect.ai/descope-mgmt/internal/store"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

func TestExitCode(t *testing.T) {
	t.Parallel()
	auth := &api.Error{Kind: api.KindAuth, Status: 401}
	locked := &store.LockedError{Path: "p"}
	for name, tt := range map[string]struct {
		err  error
		want int
	}{
		"nothing":                  {nil, exitOK},
		"anything":                 {errors.New("x"), exitFailed},
		"config":                   {configError("", "x"), exitConfig},
		"config, wrapped":          {fmt.Errorf("y: %w", configError("", "x")), exitConfig},
		"refused":                  {refusedError("", "x"), exitRefused},
		"diagnostics":              {&diagnosticsError{}, exitConfig},
		"diagnostics, joined":      {errors.Join(errors.New("x"), &diagnosticsError{}), exitConfig},
		"interrupted":              {context.Canceled, exitInterrupted},
		"interrupted, wrapped":     {fmt.Errorf("x: %w", context.Canceled), exitInterrupted},
		"a timeout is a failure":   {context.DeadlineExceeded, exitFailed},
		"auth":                     {auth, exitAuth},
		"auth, wrapped":            {fmt.Errorf("x: %w", auth), exitAuth},
		"another error of Descope": {&api.Error{Kind: api.KindServer, Status: 500}, exitFailed},
		"rate":                     {&api.Error{Kind: api.KindRate, Status: 429}, exitFailed},
		"locked":                   {locked, exitRefused},
		"locked, joined":           {errors.Join(fmt.Errorf("x: %w", locked), nil), exitRefused},
		"corrupt":                  {&store.CorruptError{Path: "p"}, exitFailed},
		"no terminal":              {ui.ErrNoTerminal, exitRefused},
		"declined":                 {fmt.Errorf("x: %w", ui.ErrDeclined), exitRefused},
		"said already":             {exitWith(exitPartly), exitPartly},
		"fine":                     {exitWith(exitOK), exitOK},
	} {
		if got := exitCode(tt.err); got != tt.want {
			t.Errorf("%s: %d, want %d", name, got, tt.want)
		}
	}
}

func TestDiagnosticsErrorCounts(t *testing.T) {
	t.Parallel()
	mistake := model.Diagnostic{Severity: model.Error}
	for n, want := range map[int]string{1: "the configuration has 1 mistake", 2: "the configuration has 2 mistakes"} {
		err := &diagnosticsError{diagnostics: slices.Repeat(model.Diagnostics{mistake, {Severity: model.Warning}}, n)}
		if got := err.Error(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestHintOf(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		err  error
		want string
	}{
		"none":    {errors.New("x"), ""},
		"its own": {fmt.Errorf("y: %w", configError("do this", "x")), "do this"},
		"auth":    {&api.Error{Kind: api.KindAuth}, "descope-mgmt doctor"},
		"auth with a hint of its own": {
			&codedError{code: exitAuth, hint: "do this", err: &api.Error{Kind: api.KindAuth}}, "do this",
		},
	} {
		if got := hintOf(tt.err); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

// TestOutcome: the exit code of a run, and that no trouble afterwards is lost.
func TestOutcome(t *testing.T) {
	t.Parallel()
	key := model.Key{Kind: model.Tenant, ID: "a"}
	ended := func(status apply.Status, err error) apply.Outcome {
		return apply.Outcome{Key: key, Action: plan.Create, Status: status, Err: err}
	}
	result := func(o ...apply.Outcome) apply.Result { return apply.Result{Outcomes: o} }
	interrupted := func(o ...apply.Outcome) apply.Result { return apply.Result{Outcomes: o, Interrupted: true} }
	boom := errors.New("boom")
	auth := &api.Error{Kind: api.KindAuth, Status: 401}
	done, failed, unclear := ended(apply.Done, nil), ended(apply.Failed, boom), ended(apply.Unclear, boom)
	notRun := ended(apply.NotRun, apply.ErrInterrupted)
	half := ended(apply.Failed, boom)
	half.StepsDone = 1
	for name, tt := range map[string]struct {
		result apply.Result
		left   []string
		verify error
		want   int
		says   string
	}{
		"done":                           {result: result(done, done), want: exitOK},
		"something is left":              {result: result(done), left: []string{"tenant/a name is x"}, want: exitFailed, says: "tenant/a name is x"},
		"could not be checked":           {result: result(done), verify: boom, want: exitFailed, says: "boom"},
		"all failed":                     {result: result(failed, failed), want: exitFailed},
		"some failed":                    {result: result(done, failed), want: exitPartly},
		"half a change":                  {result: result(half), want: exitPartly},
		"no answer":                      {result: result(unclear), want: exitPartly},
		"some failed, something is left": {result: result(done, failed), left: []string{"x"}, want: exitPartly, says: "x"},
		"some failed, and no check":      {result: result(done, failed), verify: boom, want: exitPartly, says: "boom"},
		"key refused":                    {result: result(ended(apply.Failed, auth)), want: exitAuth},
		"key refused half way":           {result: result(done, ended(apply.Failed, auth)), want: exitPartly},
		"stale":                          {result: result(ended(apply.Failed, &apply.StaleError{Key: key, Gone: true})), want: exitRefused},
		"interrupted":                    {result: interrupted(done, notRun), want: exitInterrupted},
		"interrupted before the first":   {result: interrupted(notRun), want: exitInterrupted},
		"interrupted, and not recorded":  {result: interrupted(done, notRun), verify: boom, want: exitInterrupted, says: "boom"},
	} {
		err := outcome(tt.result, &checked{differences: tt.left}, tt.verify)
		if got := exitCode(err); got != tt.want {
			t.Errorf("%s: exit %d, want %d", name, got, tt.want)
		}
		text := ""
		if err != nil {
			text = err.Error()
		}
		if tt.says == "" && text != "" {
			t.Errorf("%s: says %q after the account of the run", name, text)
		}
		contains(t, text, tt.says)
	}
}

// TestAuthEverywhere: a refused key is exit 4 in every command that uses one.
func TestAuthEverywhere(t *testing.T) {
	t.Parallel()
	for _, args := range commandsThatConnect() {
		t.Run(args[0], func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Options{Keys: []emulator.Key{{Key: "another"}}})
			w.write("flow.json", `{"flowId": "f", "metadata": {"name": "F"}, "contents": {"tasks": {}}}`)
			r := w.mustRun(exitAuth, append(args, "--env", "dev")...)
			contains(t, r.out+r.err, "refused for project "+devProject)
			if n := w.writes(); n > 1 { // listing flows is a POST
				t.Errorf("%d writes", n)
			}
		})
	}
}

// commandsThatConnect are command lines, without the environment, that read or
// write a project. Some need flow.json.
func commandsThatConnect() [][]string {
	return [][]string{
		{"plan"},
		{"sync", "--yes"},
		{"doctor"},
		{"tenant", "list"},
		{"tenant", "show", "acme-corp"},
		{"tenant", "create", "new", "--name", "New", "--yes"},
		{"tenant", "delete", "acme-corp", "--yes"},
		{"tenant", "sync", "--yes"},
		{"flow", "list"},
		{"flow", "export", "f"},
		{"flow", "import", "flow.json", "--yes"},
	}
}
