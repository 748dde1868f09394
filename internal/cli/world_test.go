package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pcconnect.ai/descope-mgmt/internal/emulator"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

// The projects of testdata/base.
const (
	devProject     = "P2devdevdevdevdevdevdevdevde"
	stagingProject = "P2stagingstagingstagingstagi"
	prodProject    = "P2prodprodprodprodprodprodpr"
)

// testKey is the management key of a world. It has characters that shells, JSON
// and URLs treat specially.
const testKey = `K2canary"'<&>%41;$(x)\n{}` + "`~|+/=zzzz"

// world is what surrounds the program in a test: a configuration, a state
// directory, an environment and an emulator behind a socket. Commands run in the
// process of the test; for a process of its own see [world.command].
type world struct {
	t      *testing.T
	dir    string // the configuration: a copy of testdata/base
	env    map[string]string
	server *emulator.Server
	// answers are typed at the prompts; nil means that there is no terminal.
	prompter ui.Prompter
	input    string
	terminal int // columns of a terminal, or 0
	ctx      context.Context

	before            atomic.Value // func(*http.Request), see onRequest
	arrived, answered atomic.Int64
}

func newWorld(t *testing.T, o emulator.Options) *world {
	t.Helper()
	if o.Budgets == nil {
		o.Budgets = emulator.NoBudgets()
	}
	server, err := emulator.New(o)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, server: server, ctx: t.Context()}
	w.prepare()
	w.env["DESCOPE_BASE_URL"] = w.serve(w)
	return w
}

// prepare makes the configuration and the environment.
func (w *world) prepare() {
	w.t.Helper()
	w.dir = filepath.Join(w.t.TempDir(), "module")
	if err := copyTree("testdata/base", w.dir); err != nil {
		w.t.Fatal(err)
	}
	w.env = map[string]string{
		"HOME":                   filepath.Join(filepath.Dir(w.dir), "home"),
		"DESCOPE_STATE_DIR":      filepath.Join(filepath.Dir(w.dir), "state"),
		"DESCOPE_MANAGEMENT_KEY": testKey,
	}
}

// inFlight is how many requests have arrived and not been answered.
func (w *world) inFlight() int64 { return w.arrived.Load() - w.answered.Load() }

func (w *world) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w.arrived.Add(1)
	defer w.answered.Add(1)
	if f, _ := w.before.Load().(func(*http.Request)); f != nil {
		f(r)
	}
	w.server.ServeHTTP(rw, r)
}

// onRequest runs a function before each request is answered from now on; nil is
// none.
func (w *world) onRequest(f func(*http.Request)) { w.before.Store(f) }

// serve puts a handler behind a socket and returns its address.
func (w *world) serve(h http.Handler) string {
	s := httptest.NewServer(h)
	w.t.Cleanup(s.Close)
	return s.URL
}

// ran is what a command left behind.
type ran struct {
	code     int
	out, err string
}

// app is the program before it is run.
func (w *world) app() (*app, *ui.Captured) {
	streams, captured := ui.Test(w.input)
	if w.terminal > 0 {
		streams, captured = ui.TestTerminal(w.input, w.terminal, false)
	}
	if w.prompter != nil {
		streams.InTTY = true
	}
	environ := maps.Clone(w.env)
	return &app{
		streams: streams, workDir: w.dir, home: w.env["HOME"], now: time.Now, asks: w.prompter,
		environ: func(name string) (string, bool) { v, ok := environ[name]; return v, ok },
	}, captured
}

// run runs one command line.
func (w *world) run(args ...string) ran {
	w.t.Helper()
	a, captured := w.app()
	code := a.run(w.ctx, args)
	return ran{code, captured.Out(), captured.ErrOut()}
}

// forgetRate makes the program forget the calls that it has made: with more than
// 100 in a minute it would wait.
func (w *world) forgetRate() {
	w.t.Helper()
	if err := os.RemoveAll(filepath.Join(w.env["DESCOPE_STATE_DIR"], "rate")); err != nil {
		w.t.Fatal(err)
	}
}

// mustRun runs a command line that has to end with a code.
func (w *world) mustRun(code int, args ...string) ran {
	w.t.Helper()
	r := w.run(args...)
	if r.code != code {
		w.t.Fatalf("descope-mgmt %s: exit %d, want %d\n%s%s", strings.Join(args, " "), r.code, code, r.out, r.err)
	}
	return r
}

// write replaces a file of the configuration.
func (w *world) write(name, text string) {
	w.t.Helper()
	path := filepath.Join(w.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// edit replaces a text that must be there.
func (w *world) edit(name, old, replacement string) {
	w.t.Helper()
	text, err := os.ReadFile(filepath.Join(w.dir, filepath.FromSlash(name)))
	if err != nil {
		w.t.Fatal(err)
	}
	if !strings.Contains(string(text), old) {
		w.t.Fatalf("%s does not contain %q", name, old)
	}
	w.write(name, strings.ReplaceAll(string(text), old, replacement))
}

// live puts tenants, given as JSON, into a project, in the place of all others.
func (w *world) live(project string, tenants ...string) {
	w.t.Helper()
	seed := fmt.Sprintf(`{"version": 1, "projects": {%q: {"tenants": [%s]}}}`, project, strings.Join(tenants, ","))
	if err := w.server.Seed([]byte(seed)); err != nil {
		w.t.Fatal(err)
	}
}

// tenants are the names of the live tenants of dev by id.
func (w *world) tenants() map[string]string {
	w.t.Helper()
	var document struct {
		Projects map[string]struct {
			Tenants []struct{ ID, Name string }
		}
	}
	if err := json.Unmarshal(w.server.Export(), &document); err != nil {
		w.t.Fatal(err)
	}
	names := map[string]string{}
	for _, t := range document.Projects[devProject].Tenants {
		names[t.ID] = t.Name
	}
	return names
}

// writes counts the requests that could have changed something.
func (w *world) writes() int { return w.requests("POST ") }

// requests counts the requests that begin with a method and path.
func (w *world) requests(prefix string) int {
	n := 0
	for _, r := range w.server.Requests() {
		if strings.HasPrefix(r.Method+" "+r.Path, prefix) {
			n++
		}
	}
	return n
}

// contains fails the test unless a text has all of some parts.
func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("this lacks %q:\n%s", p, text)
		}
	}
}

// lacks fails the test if a text has one of some parts.
func lacks(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if strings.Contains(text, p) {
			t.Errorf("this contains %q:\n%s", p, text)
		}
	}
}

// replace replaces pairs of texts.
func replace(s string, pairs ...string) string { return strings.NewReplacer(pairs...).Replace(s) }

// many is the CUE of n tenants, t0000 and so on.
func many(n int, plan string) string {
	var b strings.Builder
	b.WriteString("package envs\n")
	for i := range n {
		fmt.Fprintf(&b, "tenants: \"t%05d\": {name: \"Tenant %05d\", custom_attributes: plan: %q}\n", i, i, plan)
	}
	return b.String()
}

// environ is the environment of a world as a process takes it, which adds its
// share to a measurement of coverage.
func (w *world) environ() []string {
	out := []string{"GOCOVERDIR=" + os.Getenv("GOCOVERDIR")}
	for _, name := range slices.Sorted(maps.Keys(w.env)) {
		out = append(out, name+"="+w.env[name])
	}
	return out
}
