package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pcconnect.ai/descope-mgmt/internal/api"
	"pcconnect.ai/descope-mgmt/internal/compiler"
	"pcconnect.ai/descope-mgmt/internal/emulator"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
	"pcconnect.ai/descope-mgmt/internal/store"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

// crashGroup are tenants of the run that is crashed, by what becomes of them. In
// the texts, # is the number of the tenant.
type crashGroup struct {
	name string // of their ids: NAME-00 and so on
	n    int
	live string // as Descope sends them, without the id; "" is not there
	last string // as last applied, JSON; "" is never
	want string // the configuration, CUE; "" is not there
}

// crashGroups are 200 changes and what must stay as it is.
func crashGroups() []crashGroup {
	return []crashGroup{
		{name: "new-plain", n: 20, want: `name: "New #"`},
		{name: "new-roles", n: 20, want: `name: "New with roles #", default_roles: ["R1", "R2"]`},
		{name: "new-holding", n: 10, want: `name: "New holding #", domains: ["holding#.com"], self_provisioning: true`},
		{name: "a-new-child", n: 10, want: `name: "New child #", parent: "new-holding-#", default_roles: ["R1"]`},
		{name: "new-below", n: 10, want: `name: "New below #", parent: "same-#"`},
		{name: "new-attributes", n: 10, want: `name: "New with attributes #", custom_attributes: {plan: "trial", seats: #1, tags: ["a", "b"]}`},
		{
			name: "renamed", n: 20, live: `"name": "Old name #", "enforceSSO": true, "unknown": {"b": [1, 2.50], "a": null}`,
			last: `{"name": "Old name #"}`, want: `name: "Renamed #"`,
		},
		{
			name: "two-steps", n: 20, live: `"name": "Two steps #", "defaultRoles": ["R1"], "federatedAppIds": ["A1"]`,
			last: `{"name": "Two steps #", "default_roles": ["R1"]}`, want: `name: "In two steps #", default_roles: ["R2"]`,
		},
		{
			name: "other-roles", n: 10, live: `"name": "Roles #", "defaultRoles": ["R1", "R2"]`,
			last: `{"name": "Roles #", "default_roles": ["R1", "R2"]}`, want: `name: "Roles #", default_roles: []`,
		},
		{
			name: "attributes", n: 20, live: `"name": "Attributes #", "customAttributes": {"old": "x", "plan": "trial", "theirs": 1.0}`,
			last: `{"name": "Attributes #", "custom_attributes": {"old": "x", "plan": "trial"}}`,
			want: `name: "Attributes #", custom_attributes: {plan: "enterprise", added: true}`,
		},
		{
			name: "domains-on", n: 10, live: `"name": "Domains on #"`,
			last: `{"name": "Domains on #"}`, want: `name: "Domains on #", domains: ["on#.com", "on#.org"], self_provisioning: true`,
		},
		{
			name: "domains-off", n: 10, live: `"name": "Domains off #", "selfProvisioningDomains": ["off#.com"], "disabled": false`,
			last: `{"name": "Domains off #", "domains": ["off#.com"], "self_provisioning": true}`,
			want: `name: "Domains off #", domains: ["off#.com"], self_provisioning: false, disabled: true`,
		},
		{name: "gone", n: 10, live: `"name": "Gone #", "enforceSSO": true, "federatedAppIds": ["A1"], "selfProvisioningDomains": ["gone#.com"]`, last: `{"name": "Gone #"}`},
		{name: "gone-roles", n: 8, live: `"name": "Gone with roles #", "defaultRoles": ["R2"], "customAttributes": {"a": [1], "b": "c"}, "disabled": true`, last: `{"name": "Gone with roles #"}`},
		{name: "gone-holding", n: 6, live: `"name": "Gone holding #"`, last: `{"name": "Gone holding #"}`},
		{name: "gone-child", n: 6, live: `"name": "Gone child #", "parent": "gone-holding-#"`, last: `{"name": "Gone child #", "parent": "gone-holding-#"}`},
		{name: "same", n: 20, live: `"name": "Same #", "enforceSSO": true, "unknown": {"a": null}`, last: `{"name": "Same #"}`, want: `name: "Same #"`},
		{name: "theirs", n: 5, live: `"name": "By hand #", "defaultRoles": ["R1"]`},
	}
}

const crashChanges = 200

// crashWorld is what all crashes begin from.
type crashWorld struct {
	dir      string // the configuration
	module   *compiler.Module
	compiled *compiler.Result
	live     []byte // the project, as the emulator writes it
	state    string // a state directory that remembers what was applied
	// before and after are the project before the run and after one that nothing
	// happened to; applied is what is remembered then.
	before, after map[string]string
	applied       string
	// Of such a run, with one worker: the edges of its requests, and its operations
	// on the disk.
	edges, operations int
	steps             map[string]int // of its plan, by tenant
}

// crashGround is what a run begins from: a configuration, the tenants of a project
// and what was last applied.
type crashGround struct {
	config string
	live   []string
	last   model.State
}

// groundOf makes it of a share of the tenants of each group: one in so many.
func groundOf(t *testing.T, share int) crashGround {
	t.Helper()
	var g crashGround
	var last []model.Resource
	g.config = "package envs\n"
	for _, group := range crashGroups() {
		for i := range (group.n + share - 1) / share {
			number := fmt.Sprintf("%02d", i)
			id := group.name + "-" + number
			fill := func(s string) string { return replace(s, "#1", fmt.Sprint(i+1), "#", number) }
			if group.want != "" {
				g.config += fmt.Sprintf("tenants: %q: {%s}\n", id, fill(group.want))
			}
			if group.live != "" {
				g.live = append(g.live, fmt.Sprintf("{\"id\": %q, \"createdTime\": %d, %s}", id, 1700000000+len(g.live), fill(group.live)))
			}
			if group.last != "" {
				var attrs map[string]any
				if err := json.Unmarshal([]byte(fill(group.last)), &attrs); err != nil {
					t.Fatal(err)
				}
				last = append(last, model.Resource{Key: model.Key{Kind: model.Tenant, ID: id}, Attrs: attrs})
			}
		}
	}
	var err error
	if g.last, err = model.NewState(last); err != nil {
		t.Fatal(err)
	}
	return g
}

// lay puts it into a world.
func (g crashGround) lay(w *world) {
	w.t.Helper()
	w.write("envs/tenants.cue", g.config)
	w.write("envs/prod/prod.cue", "package envs\nenvironment: name: \"prod\"\n")
	w.write("envs/staging/staging.cue", "package envs\nenvironment: name: \"staging\"\n")
	w.live(devProject, g.live...)
}

// remember puts what was last applied into a state directory.
func (g crashGround) remember(t *testing.T, state, baseURL string) {
	t.Helper()
	_, s := openScope(t, state, baseURL)
	if err := s.SaveLastApplied(g.last, store.Meta{}); err != nil {
		t.Fatal(err)
	}
}

func openScope(t *testing.T, state, baseURL string) (*store.Dir, *store.Scope) {
	t.Helper()
	d, err := store.Open(state)
	if err != nil {
		t.Fatal(err)
	}
	s, err := d.Scope(baseURL, devProject)
	if err != nil {
		t.Fatal(err)
	}
	return d, s
}

func newCrashWorld(t *testing.T) *crashWorld {
	t.Helper()
	g := groundOf(t, 1)
	w := newWorld(t, emulator.Options{})
	g.lay(w)
	m, err := compiler.Find(w.dir)
	if err != nil {
		t.Fatal(err)
	}
	compiled, diagnostics := compiler.Compile(t.Context(), m, "dev")
	if compiled == nil {
		t.Fatal(diagnostics)
	}
	c := &crashWorld{dir: w.dir, module: m, compiled: compiled, live: w.server.Export(), state: filepath.Join(t.TempDir(), "state")}
	c.before = canonicalTenants(t, c.live)
	g.remember(t, c.state, emulatorURL)
	return c
}

// canonicalTenants are the tenants of a document of the emulator by id, as
// canonical JSON but for the time of their creation, which is the server's.
func canonicalTenants(t *testing.T, document []byte) map[string]string {
	t.Helper()
	out := map[string]string{}
	for id, raw := range tenantsIn(t, document) {
		v, err := model.DecodeJSON(raw)
		if err != nil {
			t.Fatal(err)
		}
		m := v.(map[string]any)
		delete(m, "createdTime")
		out[id] = string(model.CanonicalJSON(m))
	}
	return out
}

// crashSite is a project and a state directory on which commands are run one after
// the other, without a socket.
type crashSite struct {
	*testing.T
	world     *crashWorld
	root      string // holds the state directory
	disk      store.Disk
	server    *emulator.Server
	transport http.RoundTripper
	workers   int
}

// site is a copy of a state directory and of a project.
func (w *crashWorld) site(t *testing.T, state string, live []byte, workers int) *crashSite {
	t.Helper()
	s := &crashSite{T: t, world: w, root: t.TempDir(), workers: workers}
	if err := copyTree(state, s.state()); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(s.state(), 0o700); err != nil {
		t.Fatal(err)
	}
	s.serve(live)
	return s
}

// serve starts an emulator of the project.
func (s *crashSite) serve(live []byte) {
	s.Helper()
	var err error
	if s.server, err = emulator.New(emulator.Options{Budgets: emulator.NoBudgets()}); err != nil {
		s.Fatal(err)
	}
	if err := s.server.Seed(live); err != nil {
		s.Fatal(err)
	}
	s.transport = emulator.Transport(s.server)
}

func (s *crashSite) state() string { return filepath.Join(s.root, "state") }

// crashOutcome is what a command left behind.
type crashOutcome struct {
	code     int
	out, err string
	plan     *plan.Plan
	requests []emulator.Request
}

// do runs a command: everything from the client to the exit code.
func (s *crashSite) do(command func(context.Context, *connection) (request, *plan.Plan, error)) crashOutcome {
	s.Helper()
	if err := s.server.Reset(emulator.ResetRequests); err != nil {
		s.Fatal(err)
	}
	streams, captured := ui.Test("")
	streams.Quiet = true
	a := &app{
		streams: streams, workDir: s.world.dir, now: time.Now, environ: func(string) (string, bool) { return "", false },
		who: &identity{user: "crash", host: "here", pid: 1}, disk: s.disk,
	}
	a.flags.output, a.flags.parallelism, a.flags.quiet = formatJSON, s.workers, true
	c := &connection{
		app: a, module: s.world.module, env: "dev", compiled: s.world.compiled,
		project: devProject, baseURL: emulatorURL, retention: time.Hour, log: slog.New(slog.DiscardHandler),
	}
	out := crashOutcome{}
	run := func() (err error) {
		defer closing(c, &err)
		if c.state, err = a.open(s.state()); err != nil {
			return err
		}
		if c.scope, err = c.state.Scope(emulatorURL, devProject); err != nil {
			return err
		}
		c.backups = c.scope.Backups("")
		budgets := api.DefaultBudgets()
		for i := range budgets {
			budgets[i].Requests = 10_000 // it is not what this is about
		}
		if err := c.dial(writing, api.Config{
			BaseURL: emulatorURL, ProjectID: devProject, Key: api.NewSecret(testKey),
			Transport: s.transport, Workers: s.workers, Budgets: budgets, OnWait: c.wait,
		}); err != nil {
			return err
		}
		r, p, err := command(s.Context(), c)
		if err != nil {
			return err
		}
		out.plan = p
		agreed := consent{yes: true, retry: "retry", allowed: plan.Allowed{MassChange: true}}
		return c.showAndRun(s.Context(), r, p, agreed, false)
	}
	err := run()
	a.fail(err)
	out.code, out.out, out.err = exitCode(err), captured.Out(), captured.ErrOut()
	out.requests = s.server.Requests()
	return out
}

// sync is "sync --env dev --prune --yes --allow-mass-change".
func (s *crashSite) sync() crashOutcome {
	s.Helper()
	return s.do(func(ctx context.Context, c *connection) (request, *plan.Plan, error) {
		r, err := (&scopeFlags{prune: []string{pruneAll}}).request(c)
		if err != nil {
			return r, nil, err
		}
		p, err := c.plan(ctx, &r)
		return r, p, err
	})
}

// resume is "sync --resume RUN …".
func (s *crashSite) resume(id string) crashOutcome {
	s.Helper()
	return s.do(func(ctx context.Context, c *connection) (request, *plan.Plan, error) {
		rec, err := c.loadRun(id)
		if err != nil {
			return request{}, nil, err
		}
		r, err := c.resumption(ctx, rec)
		if err != nil {
			return r, nil, err
		}
		p, err := c.plan(ctx, &r)
		return r, p, err
	})
}

// rollback is "rollback RUN …".
func (s *crashSite) rollback(id string) crashOutcome {
	s.Helper()
	return s.do(func(ctx context.Context, c *connection) (request, *plan.Plan, error) {
		rec, err := c.loadRun(id)
		if err != nil {
			return request{}, nil, err
		}
		r, _, err := c.inverse(ctx, rec, nil)
		if err != nil {
			return r, nil, err
		}
		p, err := c.plan(ctx, &r)
		return r, p, err
	})
}

func (s *crashSite) open() (*store.Dir, *store.Scope) {
	s.Helper()
	return openScope(s.T, s.state(), emulatorURL)
}

// errCrashed is what requests of a process get that is no more.
var errCrashed = errors.New("the process crashed")

// boundaries are the edges of requests: each is about to be sent, and has taken
// effect without an answer yet.
type boundaries struct {
	http.RoundTripper
	// crash, if not nil, is called at each edge with its number, counted from 1,
	// and says whether that is where the process ends.
	crash func(n int) bool

	mu   sync.Mutex
	n    int
	dead bool
}

func (b *boundaries) edge() error {
	b.mu.Lock()
	b.n++
	n, dead := b.n, b.dead
	b.mu.Unlock()
	if dead || b.crash != nil && b.crash(n) {
		return errCrashed
	}
	return nil
}

// die fails all that is sent from now on.
func (b *boundaries) die() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.dead = true
}

func (b *boundaries) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := b.edge(); err != nil {
		return nil, err
	}
	resp, err := b.RoundTripper.RoundTrip(req)
	if e := b.edge(); e != nil {
		if err == nil {
			_ = resp.Body.Close()
		}
		return nil, e
	}
	return resp, err
}

// effective are the writes among requests that took effect, in words that two of
// the same share, and those that were refused.
func effective(requests []emulator.Request) (done map[string][]string, refused []string) {
	done = map[string][]string{}
	for _, q := range requests {
		id := writes(q)
		switch {
		case id == "" || strings.Contains(q.Path, "search"):
		case q.Status == http.StatusOK:
			done[id] = append(done[id], q.Path)
		default:
			refused = append(refused, fmt.Sprintf("%s %s %d", q.Path, id, q.Status))
		}
	}
	return done, refused
}

// differing are the tenants in which two projects differ, and how.
func differing(got, want map[string]string) []string {
	var out []string
	for id, w := range want {
		if got[id] != w {
			out = append(out, fmt.Sprintf("%s is %s instead of %s", id, got[id], w))
		}
	}
	for id, g := range got {
		if want[id] == "" {
			out = append(out, fmt.Sprintf("%s is %s and should not be", id, g))
		}
	}
	slices.Sort(out)
	return out
}
