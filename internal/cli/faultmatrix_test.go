package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pcconnect.ai/descope-mgmt/internal/api"
	"pcconnect.ai/descope-mgmt/internal/compiler"
	"pcconnect.ai/descope-mgmt/internal/emulator"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
	"pcconnect.ai/descope-mgmt/internal/store"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

// The sync of the matrix: three creates (one below another, one with roles), two
// updates (one of two calls), one delete, and two tenants that must stay as they
// are.
const (
	matrixConfig = `package envs

tenants: {
	"acme-corp": {name: "Acme", custom_attributes: plan: "enterprise"}
	"widget-inc": {name: "Widget Incorporated", default_roles: ["R2"]}
	"same-as-is": {name: "Same", disabled: false}
	"new-holding": {name: "Holding", domains: ["holding.com"], self_provisioning: true}
	"a-new-child": {name: "Child", parent: "new-holding", default_roles: ["R1"]}
	"new-other": {name: "Other"}
}
`
	matrixLive = `{"version": 1, "projects": {"` + devProject + `": {"tenants": [
		{"id": "acme-corp", "name": "Acme", "enforceSSO": true, "customAttributes": {"plan": "trial", "theirs": 1}},
		{"id": "widget-inc", "name": "Widget", "defaultRoles": ["R1"], "federatedAppIds": ["A1"]},
		{"id": "same-as-is", "name": "Same", "unknown": {"a": null}},
		{"id": "old-one", "name": "Old"},
		{"id": "theirs", "name": "By hand", "enforceSSO": true}]}}}`
)

// matrixScenario is a project and what a sync makes of it.
type matrixScenario struct {
	config, live string
	applied      []model.Resource // before
	allowed      plan.Allowed
}

func matrixOfEight() matrixScenario {
	return matrixScenario{config: matrixConfig, live: matrixLive, applied: matrixApplied()}
}

// matrixApplied is what was applied before: all but theirs.
func matrixApplied() []model.Resource {
	applied := func(id string, attrs map[string]any) model.Resource {
		return model.Resource{Key: model.Key{Kind: model.Tenant, ID: id}, Attrs: attrs}
	}
	return []model.Resource{
		applied("acme-corp", map[string]any{"name": "Acme", "custom_attributes": map[string]any{"plan": "trial"}}),
		applied("widget-inc", map[string]any{"name": "Widget", "default_roles": []any{"R1"}}),
		applied("same-as-is", map[string]any{"name": "Same", "disabled": false}),
		applied("old-one", map[string]any{"name": "Old"}),
	}
}

// matrixFaults are all faults of the emulator, all statuses that Descope and
// what stands in front of it may answer with, and those after which a write may
// have taken effect all the same.
func matrixFaults() []emulator.Fault {
	var faults []emulator.Fault
	for _, name := range emulator.FaultNames() {
		faults = append(faults, emulator.Fault{Name: name, Delay: time.Minute})
	}
	for _, status := range []int{400, 401, 403, 404, 409, 429, 500, 502, 503, 504, 520, 522, 524, 530} {
		faults = append(faults, emulator.Fault{Name: strconv.Itoa(status)})
	}
	for _, name := range []string{"500", "502", "503", "504", "52x", "html", lateReply, lateEffect} {
		faults = append(faults, emulator.Fault{Name: name, Applied: true})
	}
	return faults
}

// Two faults of the transport: the request takes effect at once and its answer
// comes when nobody waits any more, or the request itself arrives only then.
const (
	lateReply  = "late-reply"
	lateEffect = "late-effect"
)

// veryLate is when all that is late has arrived.
const veryLate = 30 * time.Minute

// matrixCase is one run of the sync with a fault at one request, or from there on.
type matrixCase struct {
	fault   emulator.Fault
	onError string
	workers int
	// brief: that nothing is left to do is not looked at by one more sync.
	brief bool
}

func (c matrixCase) String() string {
	how := "from then on"
	if c.fault.Count > 0 {
		how = "once"
	}
	if c.fault.Applied {
		how += ", applied"
	}
	if c.fault.Match != "" {
		how += ", only " + c.fault.Match
	}
	return fmt.Sprintf("%s at request %d, %s, --on-error %s, %d workers", c.fault.Name, c.fault.Skip, how, c.onError, c.workers)
}

// TestFaultMatrix meets every fault at every request of a sync and holds what is
// reported against what the emulator saw: nothing else may be written, nothing
// twice, and the sync that follows makes the rest true.
func TestFaultMatrix(t *testing.T) {
	t.Parallel()
	config := matrixCompile(t, matrixOfEight())
	matrixReached(t, config.want)
	var mu sync.Mutex
	n := matrixTally{codes: map[int]int{}, statuses: map[string]int{}}
	t.Run("faults", func(t *testing.T) {
		for _, f := range matrixFaults() {
			name := f.Name
			if f.Applied {
				name += ", applied"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				state := filepath.Join(scratch(t), "state")
				for i, c := range casesOf(f, config.requests) {
					if underRace && i%20 > 0 { // that is about other things
						continue
					}
					var r *matrixRun
					synctest.Test(t, func(t *testing.T) {
						r = newMatrixRun(t, config, state, c)
						r.check()
						time.Sleep(time.Hour) // for handlers that nobody waits for
					})
					if r.fired == 0 {
						continue // there is no such request
					}
					mu.Lock()
					n.add(r)
					mu.Unlock()
				}
			})
		}
	})
	t.Logf("counts: %d cases; exit codes %v; outcomes %v", n.cases, n.codes, n.statuses)
	if underRace {
		return // a part of the cases need not meet everything
	}
	for _, code := range []int{exitOK, exitFailed, exitPartly, exitAuth, exitInterrupted} {
		if n.codes[code] == 0 {
			t.Errorf("no case ended with code %d", code)
		}
	}
	for _, status := range []string{"done", "failed", "not_run", "unknown"} {
		if n.statuses[status] == 0 {
			t.Errorf("no change ended as %s", status)
		}
	}
}

// matrixTally is what the cases came to.
type matrixTally struct {
	cases    int
	codes    map[int]int
	statuses map[string]int
}

func (n *matrixTally) add(r *matrixRun) {
	n.cases++
	n.codes[r.first.code]++
	for _, o := range r.first.outcomes {
		n.statuses[o.Status]++
	}
}

func casesOf(f emulator.Fault, requests int) []matrixCase {
	var out []matrixCase
	if strings.HasSuffix(f.Name, "-list") {
		requests = 2 // it suits no others
	}
	for at := range requests { // every write from there on, and no read
		f := f
		f.Skip, f.Match = at, "POST "
		out = append(out, matrixCase{fault: f, onError: []string{onErrorStop, onErrorContinue}[at%2], workers: []int{1, 20}[at/2%2]})
	}
	for at := range requests {
		for _, count := range []int{0, 1} {
			f.Skip, f.Count = at, count
			out = append(out, matrixCase{
				fault: f, onError: []string{onErrorStop, onErrorContinue}[(at+count)%2], workers: []int{1, 20}[(at/2+count)%2],
			})
		}
	}
	return out
}

// matrixConfiguration is a scenario, compiled once, and what comes of it without a
// fault.
type matrixConfiguration struct {
	matrixScenario
	dir      string
	module   *compiler.Module
	compiled *compiler.Result
	before   []byte // the project, as the emulator writes it
	// requests is how many the sync takes, and want is the project afterwards.
	requests int
	want     map[string]string
}

func matrixCompile(t *testing.T, s matrixScenario) matrixConfiguration {
	t.Helper()
	w := newWorld(t, emulator.Options{})
	w.write("envs/tenants.cue", s.config)
	w.write("envs/prod/prod.cue", "package envs\nenvironment: name: \"prod\"\n")
	w.write("envs/staging/staging.cue", "package envs\nenvironment: name: \"staging\"\n")
	m, err := compiler.Find(w.dir)
	if err != nil {
		t.Fatal(err)
	}
	compiled, diagnostics := compiler.Compile(t.Context(), m, "dev")
	if compiled == nil {
		t.Fatal(diagnostics)
	}
	if err := w.server.Seed([]byte(s.live)); err != nil {
		t.Fatal(err)
	}
	config := matrixConfiguration{matrixScenario: s, dir: w.dir, module: m, compiled: compiled, before: w.server.Export()}
	state := filepath.Join(scratch(t), "state")
	synctest.Test(t, func(t *testing.T) {
		r := newMatrixRun(t, config, state, matrixCase{onError: onErrorStop, workers: 1})
		done := r.sync()
		r.account(done)
		if done.code != exitOK || r.sync().ran {
			t.Fatalf("without a fault: exit %d\n%s%s", done.code, done.out, done.err)
		}
		config.requests, config.want = len(done.requests), canonicalTenants(t, r.effects.latest())
	})
	return config
}

// scratch is a directory for a lot of small files, in memory where there is one.
func scratch(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "descope-mgmt-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// matrixReached holds what comes of the small scenario without a fault against what
// was meant, and what was not meant against what it was.
func matrixReached(t *testing.T, now map[string]string) {
	t.Helper()
	if len(now) != 7 || now["old-one"] != "" {
		t.Errorf("there are %d tenants: %v", len(now), now)
	}
	for id, parts := range map[string][]string{
		"acme-corp":   {`"name":"Acme"`, `"customAttributes":{"plan":"enterprise","theirs":1}`, `"enforceSSO":true`},
		"widget-inc":  {`"name":"Widget Incorporated"`, `"defaultRoles":["R2"]`, `"federatedAppIds":["A1"]`},
		"new-holding": {`"name":"Holding"`, `"selfProvisioningDomains":["holding.com"]`},
		"a-new-child": {`"name":"Child"`, `"parent":"new-holding"`, `"defaultRoles":["R1"]`},
		"new-other":   {`"name":"Other"`},
		"same-as-is":  {`"name":"Same"`, `"unknown":{"a":null}`},
		"theirs":      {`"name":"By hand"`, `"enforceSSO":true`},
	} {
		contains(t, now[id], parts...)
	}
}

// matrixRun is one case under way.
type matrixRun struct {
	*testing.T
	matrixCase
	config  matrixConfiguration
	state   string
	disk    store.Disk // of the first sync, or nil
	server  *emulator.Server
	effects *effects
	late    *lateness

	first syncRun
	fired int // how often the fault was met
}

func newMatrixRun(t *testing.T, config matrixConfiguration, state string, c matrixCase) *matrixRun {
	t.Helper()
	if err := os.RemoveAll(state); err != nil {
		t.Fatal(err)
	}
	r := &matrixRun{T: t, matrixCase: c, config: config, state: state, effects: newEffects(config.before)}
	var err error
	if r.server, err = emulator.New(emulator.Options{Storage: r.effects, Budgets: emulator.NoBudgets()}); err != nil {
		t.Fatal(err)
	}
	r.late = &lateness{RoundTripper: emulator.Transport(r.server)}
	last, err := model.NewState(config.applied)
	if err != nil {
		t.Fatal(err)
	}
	_, scope := r.open()
	if err := scope.SaveLastApplied(last, store.Meta{}); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *matrixRun) open() (*store.Dir, *store.Scope) {
	r.Helper()
	disk := r.disk
	if disk == nil {
		disk = unsynced{store.OSDisk()}
	}
	dir, err := store.OpenOn(r.state, disk)
	if err != nil {
		r.Fatal(err)
	}
	scope, err := dir.Scope(emulatorURL, devProject)
	if err != nil {
		r.Fatal(err)
	}
	return dir, scope
}

// syncRun is what a sync left behind.
type syncRun struct {
	code     int
	out, err string
	ran      bool // a plan was run: there is an account of it
	plan     *plan.Plan
	outcomes []ui.OutcomeDoc
	requests []emulator.Request
	effects  []effect

	interrupted bool
}

// sync is "sync --env dev --yes --prune --on-error … -o json", from the client
// to the exit code, with a transport that needs no socket. A run that waits for
// ever is interrupted.
func (r *matrixRun) sync() syncRun {
	r.Helper()
	if err := r.server.Reset(emulator.ResetRequests); err != nil {
		r.Fatal(err)
	}
	seen := r.effects.count()
	streams, captured := ui.Test("")
	a := &app{streams: streams, workDir: r.config.dir, now: time.Now, environ: func(string) (string, bool) { return "", false }, who: &identity{user: "matrix"}}
	a.flags.output, a.flags.parallelism, a.flags.quiet = formatJSON, r.workers, true
	streams.Quiet = true
	c := &connection{
		app: a, module: r.config.module, env: "dev", compiled: r.config.compiled,
		project: devProject, baseURL: emulatorURL, retention: time.Hour, log: slog.New(slog.DiscardHandler),
	}
	c.state, c.scope = r.open()
	c.backups = c.scope.Backups("")
	if err := c.dial(writing, api.Config{
		BaseURL: emulatorURL, ProjectID: devProject, Key: api.NewSecret(testKey),
		Transport: r.late, Workers: min(r.workers, 20), OnWait: c.wait,
	}); err != nil {
		r.Fatal(err)
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	stop := time.AfterFunc(20*time.Minute, cancel)
	defer stop.Stop()

	out := syncRun{}
	run := func() (err error) {
		defer closing(c, &err)
		request, err := (&scopeFlags{prune: []string{pruneAll}}).request(c)
		if err != nil {
			return err
		}
		if out.plan, err = c.plan(ctx, &request); err != nil {
			return err
		}
		return c.showAndRun(ctx, request, out.plan, consent{yes: true, onError: r.onError, allowed: r.config.allowed, retry: "retry"}, false)
	}
	err := run()
	a.fail(err)
	stop.Stop()
	time.Sleep(veryLate)
	out.code, out.out, out.err = exitCode(err), captured.Out(), captured.ErrOut()
	out.requests, out.effects = r.server.Requests(), r.effects.since(r.T, seen)
	var doc ui.ResultDoc
	if json.Unmarshal([]byte(out.out), &doc) == nil && len(doc.Outcomes) > 0 {
		out.ran, out.outcomes, out.interrupted = true, doc.Outcomes, doc.Interrupted
	}
	return out
}

// check runs the sync with the fault and then without.
func (r *matrixRun) check() {
	r.Helper()
	r.arm()
	r.first = r.sync()
	r.fired = r.disarm()
	r.account(r.first)
	r.exit(r.first)

	again := r.sync()
	if again.code != exitOK {
		r.Errorf("%s: the sync that follows ends with %d: %s%s", r, again.code, again.out, again.err)
	}
	r.account(again)
	if again.ran && !r.brief {
		again = r.sync()
	}
	if !r.brief && (again.code != exitOK || !again.plan.Empty() || len(again.effects) > 0) {
		r.Errorf("%s: a third sync has something to do, or fails (%d): %s%s", r, again.code, again.out, again.err)
	}
	r.recorded()
	r.reached()
	if r.Failed() {
		r.Logf("%s: first exit %d\n%s%s", r.matrixCase, r.first.code, r.first.out, r.first.err)
		for _, q := range r.first.requests {
			r.Logf("  %s %s?%s %d %s %s", q.Method, q.Path, q.Query, q.Status, q.Fault, q.Body)
		}
		r.FailNow()
	}
}

func (r *matrixRun) arm() {
	r.Helper()
	if r.fault.Name == lateReply || r.fault.Name == lateEffect {
		r.late.arm(r.fault)
		return
	}
	if err := r.server.SetFaults(r.fault); err != nil {
		r.Fatal(err)
	}
}

func (r *matrixRun) disarm() (fired int) {
	r.Helper()
	for _, f := range r.server.Faults() {
		fired += f.Fired
	}
	if err := r.server.SetFaults(); err != nil {
		r.Fatal(err)
	}
	return fired + r.late.disarm()
}

// account holds the account of a run against what the emulator saw.
func (r *matrixRun) account(s syncRun) {
	r.Helper()
	applied := map[string]int{} // calls that took effect, by tenant
	for _, e := range s.effects {
		if len(e.ids) == 0 && r.fault.Name == lateEffect {
			continue // nobody could know that the first try was on its way still
		}
		if len(e.ids) != 1 {
			r.Errorf("%s: a write changed %v: done twice, or more than it should", r, e.ids)
			continue
		}
		applied[e.ids[0]]++
	}
	sent := map[string]int{}
	for _, q := range s.requests {
		if id := writes(q); id != "" {
			sent[id]++
		}
	}
	if !s.ran {
		if len(applied)+len(sent) > 0 {
			r.Errorf("%s: nothing was run, and yet %v were sent and %v took effect", r, sent, applied)
		}
		return
	}
	steps, status := map[string]int{}, map[string]string{}
	for _, o := range s.outcomes {
		status[o.Address] = o.Status
	}
	for _, ch := range s.plan.Changes {
		steps[ch.Key.String()] = len(ch.Steps)
		for _, needed := range ch.DependsOn {
			if status[needed.String()] != "done" && status[ch.Key.String()] != "not_run" {
				r.Errorf("%s: %s needs %s, which is %s, and is itself %s", r, ch.Key, needed, status[needed.String()], status[ch.Key.String()])
			}
		}
	}
	if len(s.outcomes) != len(s.plan.Changes) {
		r.Errorf("%s: %d outcomes of %d changes", r, len(s.outcomes), len(s.plan.Changes))
	}
	for _, o := range s.outcomes {
		id := strings.TrimPrefix(o.Address, "tenant/")
		did := applied[id]
		delete(applied, id)
		if o.Attempts != sent[id] {
			r.Errorf("%s: %s reports %d attempts, %d were sent", r, o.Address, o.Attempts, sent[id])
		}
		delete(sent, id)
		right := false
		switch o.Status {
		case "done":
			right = did == steps[o.Address] && o.StepsDone == did
		case "failed":
			right = did == o.StepsDone && did < steps[o.Address] && o.Error != ""
		case "not_run":
			right = did == 0 && o.StepsDone == 0 && o.Attempts == 0 && o.Error != ""
		case "unknown":
			right = (did == o.StepsDone || did == o.StepsDone+1) && o.Attempts > 0 && o.Error != "" && r.inDoubt(s, id)
		}
		if !right {
			r.Errorf("%s: %s is reported as %s with %d steps done; %d of %d took effect: %s", r, o.Address, o.Status, o.StepsDone, did, steps[o.Address], o.Error)
		}
	}
	if len(applied)+len(sent) > 0 {
		r.Errorf("%s: beside what was reported, %v were sent and %v took effect", r, sent, applied)
	}
}

// inDoubt reports whether what became of the last write to a tenant cannot be
// known: its answer was lost, and then asking failed too, or the write may have
// been under way still.
func (r *matrixRun) inDoubt(s syncRun, id string) bool {
	last := -1
	for i, q := range s.requests {
		if writes(q) == id {
			last = i
		}
	}
	if last < 0 || !hit(s.requests[last]) {
		return false
	}
	status := s.requests[last].Status
	if status == 504 || status == 522 || status == 524 || r.fault.Name == "slow" || r.fault.Name == lateEffect {
		return true
	}
	return slices.ContainsFunc(s.requests[last:], func(q emulator.Request) bool {
		return q.Method == http.MethodGet && (q.Query == "id="+id || q.Path == "/v1/mgmt/tenant/all") && hit(q)
	})
}

// hit reports that a request met the fault.
func hit(q emulator.Request) bool { return q.Fault != "" || q.SDK != "" }

// exit holds the exit code against what happened.
func (r *matrixRun) exit(s syncRun) {
	r.Helper()
	want := []int{exitFailed}
	auth := r.fired > 0 && (r.fault.Name == "401" || r.fault.Name == "403")
	if auth {
		want = []int{exitAuth}
	}
	endless := r.fault.Name == "429" && r.fault.Count == 0 && r.fired > 0
	n := map[string]int{}
	touched := false
	for _, o := range s.outcomes {
		n[o.Status]++
		touched = touched || o.Status == "done" || o.Status == "unknown" || o.StepsDone > 0
	}
	all := s.ran && n["done"] == len(s.outcomes)
	switch {
	case endless && !all, s.interrupted && (r.fault.Name == lateReply || r.fault.Name == "slow") && r.fault.Count == 0: // it takes longer than the test waits
		want = []int{exitInterrupted}
	case s.ran && !all && touched:
		want = []int{exitPartly}
	case all && r.verified(s):
		want = []int{exitOK}
	}
	if !slices.Contains(want, s.code) {
		r.Errorf("%s: exit %d, want %v; outcomes %v\n%s%s", r, s.code, want, n, s.out, s.err)
	}
	if s.code == exitOK && (!all || s.err != "") || s.code != exitOK && !s.ran && s.err == "" {
		r.Errorf("%s: exit %d with %v and this on the error stream: %q", r, s.code, n, s.err)
	}
	if s.ran && s.interrupted != (s.code == exitInterrupted) {
		r.Errorf("%s: exit %d and interrupted %v", r, s.code, s.interrupted)
	}
}

// verified reports whether the last read of a run was a good one.
func (r *matrixRun) verified(s syncRun) bool {
	if r.fault.Name == lateEffect { // what was late comes last, whenever it was sent
		return r.fault.Count > 0 || r.fault.Match != ""
	}
	last := s.requests[len(s.requests)-1]
	return last.Path == "/v1/mgmt/tenant/all" && !hit(last) && last.Status == http.StatusOK
}

// reached holds the project against what it is after the same sync without a fault.
func (r *matrixRun) reached() {
	r.Helper()
	now := canonicalTenants(r.T, r.effects.latest())
	for id, want := range r.config.want {
		if now[id] != want {
			r.Errorf("%s: %s is %s, want %s", r, id, now[id], want)
		}
	}
	if len(now) != len(r.config.want) {
		r.Errorf("%s: there are %d tenants, want %d: %v", r, len(now), len(r.config.want), now)
	}
}

// recorded holds what is remembered as applied against the configuration.
func (r *matrixRun) recorded() {
	r.Helper()
	_, scope := r.open()
	last, err := scope.LoadLastApplied()
	if err != nil {
		r.Fatal(err)
	}
	for _, want := range r.config.compiled.State.Resources() {
		was, ours := last.Get(want.Key)
		right := ours
		for name, v := range want.Attrs {
			right = right && model.Equal(was.Attrs[name], v)
		}
		if !right {
			r.Errorf("%s: %s is not remembered as it was applied: %v", r, want.Key, was.Attrs)
		}
	}
	if last.Len() != r.config.compiled.State.Len() {
		r.Errorf("%s: %d objects are remembered: %v", r, last.Len(), last.Resources())
	}
}

// writes is the tenant that a request writes to, or "".
func writes(q emulator.Request) string {
	if q.Method != http.MethodPost {
		return ""
	}
	var body struct{ ID string }
	if json.Unmarshal(q.Body, &body) != nil {
		return ""
	}
	return body.ID
}

// effects is the storage of an emulator: it is told of every write that takes
// effect, before anybody is answered, and so knows better than any log.
type effects struct {
	mu       sync.Mutex
	document []byte
	tenants  map[string]json.RawMessage
	all      []effect
}

// effect is what one write changed.
type effect struct{ ids []string }

func newEffects(document []byte) *effects {
	e := &effects{}
	_ = e.Save("", document)
	e.all = nil
	return e
}

func (e *effects) Load(string) ([]byte, error) { return e.latest(), nil }

func (e *effects) Save(_ string, data []byte) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	now, err := readTenants(data)
	if err != nil {
		return err
	}
	var ids []string
	for id := range now {
		if string(now[id]) != string(e.tenants[id]) {
			ids = append(ids, id)
		}
	}
	for id := range e.tenants {
		if now[id] == nil {
			ids = append(ids, id)
		}
	}
	e.document, e.tenants, e.all = slices.Clone(data), now, append(e.all, effect{ids})
	return nil
}

func (e *effects) latest() []byte {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.document
}

func (e *effects) count() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.all)
}

// since are the effects after the first n. One without ids changed nothing.
func (e *effects) since(t *testing.T, n int) []effect {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.all[n:])
}

// readTenants are the tenants of a document of the emulator, by id.
func readTenants(document []byte) (map[string]json.RawMessage, error) {
	var d struct {
		Projects map[string]struct{ Tenants []json.RawMessage }
	}
	if err := json.Unmarshal(document, &d); err != nil {
		return nil, err
	}
	out := map[string]json.RawMessage{}
	for _, raw := range d.Projects[devProject].Tenants {
		var o struct{ ID string }
		if err := json.Unmarshal(raw, &o); err != nil {
			return nil, err
		}
		out[o.ID] = raw
	}
	return out, nil
}

// tenantsIn are those of [readTenants].
func tenantsIn(t *testing.T, document []byte) map[string]json.RawMessage {
	t.Helper()
	tenants, err := readTenants(document)
	if err != nil {
		t.Fatal(err)
	}
	return tenants
}

// lateness keeps answers, or the requests themselves, until nobody waits for them
// any more. What it hits bears the fault's name as that of its SDK.
type lateness struct {
	http.RoundTripper
	mu          sync.Mutex
	fault       *emulator.Fault
	seen, fired int
}

func (l *lateness) arm(f emulator.Fault) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fault, l.seen, l.fired = &f, 0, 0
}

func (l *lateness) disarm() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fault = nil
	return l.fired
}

// turn is the name of the fault if it is the turn of a request, or "".
func (l *lateness) turn(req *http.Request) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fault == nil || !strings.HasPrefix(req.Method+" "+req.URL.Path, l.fault.Match) {
		return ""
	}
	l.seen++
	if l.seen <= l.fault.Skip || l.fault.Count > 0 && l.fired >= l.fault.Count {
		return ""
	}
	l.fired++
	return l.fault.Name
}

func (l *lateness) RoundTrip(req *http.Request) (*http.Response, error) {
	fault := l.turn(req)
	if fault == "" {
		return l.RoundTripper.RoundTrip(req)
	}
	ctx := req.Context()
	in := req.Clone(context.WithoutCancel(ctx))
	in.Header.Set("x-descope-sdk-name", fault)
	go func() {
		if fault == lateEffect {
			time.Sleep(veryLate / 2)
		}
		if resp, err := l.RoundTripper.RoundTrip(in); err == nil {
			_ = resp.Body.Close()
		}
	}()
	<-ctx.Done()
	return nil, ctx.Err()
}
