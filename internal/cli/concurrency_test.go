package cli

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pcconnect.ai/descope-mgmt/internal/emulator"
	"pcconnect.ai/descope-mgmt/internal/store"
)

// betweenReadAndLock runs something once, after the project was read and before the
// lock is asked for.
type betweenReadAndLock struct {
	http.RoundTripper
	once sync.Once
	do   func()
}

func (b *betweenReadAndLock) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := b.RoundTripper.RoundTrip(req)
	if req.URL.Path == "/v1/mgmt/tenant/all" {
		b.once.Do(b.do)
	}
	return resp, err
}

// TestNoLostUpdate: a run that read the project before another one changed it, and
// gets the lock after that one gave it back, looks again, whatever was agreed to
// beforehand. Its update would carry all fields back to what they were.
func TestNoLostUpdate(t *testing.T) {
	t.Parallel()
	for name, other := range map[string][]string{
		"another sync":        {"tenant", "sync", "acme-corp", "--env", "dev", "--yes"},
		"a restore":           {"backup", "restore", "latest", "--env", "dev", "--yes", "--full", "--confirm-project", devProject},
		"of something else":   {"tenant", "sync", "widget-inc", "--env", "dev", "--yes"},
		"no change":           {"tenant", "sync", "acme-corp", "--env", "dev", "--dry-run"},
		"a tenant is created": {"tenant", "create", "more", "--name", "More", "--env", "dev", "--yes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Options{})
			w.live(devProject, acme("Old"), widget("old"))
			w.mustRun(exitOK, "backup", "create", "--env", "dev")
			w.mustRun(exitOK, "sync", "--env", "dev", "--yes", "--adopt-existing")
			mine := filepath.Join(t.TempDir(), "mine")
			if err := copyTree(w.dir, mine); err != nil {
				t.Fatal(err)
			}
			w.edit("envs/tenants.cue", "Acme Corporation", "Acme by another")
			w.edit("envs/tenants.cue", `"Widget Inc"`, `"Widget by another"`)
			theirs := w.dir
			w.dir = mine
			w.edit("envs/tenants.cue", `"enterprise"`, `"premium"`)
			var was ran
			a, captured := w.app()
			a.transport = &betweenReadAndLock{RoundTripper: emulator.Transport(w.server), do: func() {
				b, captured := w.app()
				b.workDir = theirs
				was = ran{b.run(t.Context(), other), captured.Out(), captured.ErrOut()}
			}}
			code := a.run(t.Context(), []string{"sync", "--env", "dev", "--yes", "--target", "tenant/acme-corp"})
			if was.code != exitOK {
				t.Fatalf("the other one: exit %d: %s%s", was.code, was.out, was.err)
			}
			want := map[string]int{"another sync": exitRefused, "a restore": exitRefused}[name]
			if code != want {
				t.Errorf("exit %d, want %d: %s%s", code, want, captured.Out(), captured.ErrOut())
			}
			names := w.tenants()
			if want == exitRefused {
				contains(t, captured.ErrOut(), "nothing was applied", "tenant/acme-corp", "after the plan was made")
				if names["acme-corp"] == "Acme Corporation" {
					t.Errorf("what the other one did is lost: %v", names)
				}
			}
		})
	}
}

// TestRollbackUnderWay: of a run that is under way, a rollback takes back all or
// nothing: it waits for the end, or gives up.
func TestRollbackUnderWay(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		command []string
		hold    time.Duration
		code    int
		left    int
	}{
		"rollback, in time":  {[]string{"rollback", "latest"}, 200 * time.Millisecond, exitOK, 0},
		"rollback, too soon": {[]string{"rollback", "latest"}, 2 * lockWait, exitRefused, 8},
		"resume, in time":    {[]string{"sync", "--resume", "latest"}, 200 * time.Millisecond, exitOK, 8},
		"resume, too soon":   {[]string{"sync", "--resume", "latest"}, 2 * lockWait, exitRefused, 8},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Options{})
			w.write("envs/tenants.cue", many(8, "standard"))
			w.write("envs/staging/staging.cue", "package envs\nenvironment: name: \"staging\"\n")
			half, other := make(chan struct{}), make(chan struct{})
			var creates atomic.Int64
			w.onRequest(func(r *http.Request) {
				if r.Method+" "+r.URL.Path == createPath && creates.Add(1) == 5 {
					close(half)
					<-other
					time.Sleep(tt.hold)
				}
			})
			p := w.start("sync", "--env", "dev", "--yes", "--parallelism", "1")
			<-half
			close(other)
			r := w.run(append(tt.command, "--env", "dev", "--yes")...)
			if code := p.wait(20 * time.Second); code != exitOK {
				t.Fatalf("the sync: exit %d: %s%s", code, &p.out, &p.err)
			}
			busy := r.code == exitRefused && strings.Contains(r.err, "process "+strconv.Itoa(p.cmd.Process.Pid))
			if left := len(w.tenants()); busy && left != 8 || !busy && (left != tt.left || r.code != exitOK) {
				t.Errorf("exit %d, and %d of 8 tenants are left\n%s%s", r.code, left, r.out, r.err)
			}
			if tt.code == exitRefused && !busy {
				t.Errorf("exit %d: %s%s", r.code, r.out, r.err)
			}
			w.onRequest(nil)
			if busy { // once it is over, it can be taken back
				w.mustRun(exitOK, "rollback", "latest", "--env", "dev", "--yes")
				if left := len(w.tenants()); left != 0 {
					t.Errorf("%d tenants are left", left)
				}
			}
		})
	}
}

// watched is a server that knows which process each write came from, and from when to
// when it went on. Each process has a key of its own.
type watched struct {
	*world
	mu     sync.Mutex
	delay  time.Duration // of each write
	writes []watchedWrite
}

type watchedWrite struct {
	key, path string
	from, to  time.Time
}

func newWatched(t *testing.T) *watched {
	t.Helper()
	w := &watched{world: newWorld(t, emulator.Options{})}
	w.env["DESCOPE_BASE_URL"] = w.serve(w)
	return w
}

func (w *watched) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	_, key, _ := strings.Cut(r.Header.Get("Authorization"), ":")
	if !strings.HasPrefix(r.URL.Path, "/v1/mgmt/tenant/") || r.Method != http.MethodPost {
		w.world.ServeHTTP(rw, r)
		return
	}
	w.mu.Lock()
	delay := w.delay
	w.mu.Unlock()
	write := watchedWrite{key: key, path: r.URL.Path, from: time.Now()}
	time.Sleep(delay)
	w.world.ServeHTTP(rw, r)
	write.to = time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.writes = append(w.writes, write)
}

// slow sets how long writes take, and forgets the earlier ones.
func (w *watched) slow(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.delay, w.writes = d, nil
}

// winners are the keys of the processes that wrote, in order. Two that wrote at the
// same time, or by turns, fail the test.
func (w *watched) winners() []string {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	slices.SortFunc(w.writes, func(a, b watchedWrite) int { return a.from.Compare(b.from) })
	var keys []string
	var ended time.Time
	for _, write := range w.writes {
		if n := len(keys); n == 0 || keys[n-1] != write.key {
			if slices.Contains(keys, write.key) || write.from.Before(ended) {
				w.t.Errorf("%s writes to %s while another process is at it: %v", write.key, write.path, w.writes)
			}
			keys = append(keys, write.key)
		}
		if write.to.After(ended) {
			ended = write.to
		}
	}
	return keys
}

// startAs starts a process with a key of its own.
func (w *watched) startAs(key string, args ...string) *process {
	w.t.Helper()
	env := maps.Clone(w.env)
	w.env["DESCOPE_MANAGEMENT_KEY"] = key
	defer func() { w.env = env }()
	return w.start(args...)
}

// clean checks what many processes leave behind: a whole audit log, of each run
// how it ended, and no lock.
func (w *watched) clean() {
	w.t.Helper()
	dir, err := store.Open(w.env["DESCOPE_STATE_DIR"])
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := dir.Audit().Verify(); err != nil {
		w.t.Error(err)
	}
	records, err := dir.Audit().Records()
	if err != nil {
		w.t.Error(err)
	}
	phases := map[string]string{}
	for _, r := range records {
		phases[r.Run] += r.Phase + " "
	}
	runs, err := dir.Runs()
	if err != nil {
		w.t.Error(err)
	}
	for _, s := range runs {
		if s.Err != nil || s.Result == nil || s.Result.Status != statusDone || phases[s.Info.ID] != "intent outcome " {
			w.t.Errorf("run %s (%s): %v, %+v, %q in the audit log", s.Info.ID, s.Info.Operation, s.Err, s.Result, phases[s.Info.ID])
		}
		delete(phases, s.Info.ID)
	}
	if len(phases) > 0 {
		w.t.Errorf("the audit log has others than the runs: %v", phases)
	}
	locks, err := filepath.Glob(filepath.Join(dir.Path(), "locks", "*.lock"))
	if err != nil || len(locks) == 0 {
		w.t.Errorf("%d locks, %v", len(locks), err)
	}
	for _, path := range locks {
		if text, err := os.ReadFile(path); err != nil || len(text) > 0 {
			w.t.Errorf("an orphan lock: %s: %s (%v)", path, text, err)
		}
	}
	scope, err := dir.Scope(w.env["DESCOPE_BASE_URL"], devProject)
	if err != nil {
		w.t.Fatal(err)
	}
	l, err := scope.Lock(w.ctx, store.Holder{}, 0)
	if err != nil {
		w.t.Error(err)
		return
	}
	if err := l.Release(); err != nil {
		w.t.Error(err)
	}
}

// contestant is one command of a round.
type contestant struct {
	key     string
	args    []string
	process *process
}

// judge says how a command ended: it "ran", "found nothing to do", was "busy", which
// names the one who was at it, was "outrun" by another that changed what it had read,
// was "refused" for what it was to do, or "looked".
func (c contestant) judge(t *testing.T, code int, others []contestant, wrote bool) string {
	t.Helper()
	out, stderr := c.process.out.String(), c.process.err.String()
	writes := strings.Contains(strings.Join(c.args, " "), "--yes")
	verdict := ""
	switch {
	case code == exitOK && !writes:
		verdict = "looked"
	case code == exitOK && wrote:
		verdict = "ran"
	case code == exitOK:
		verdict = "found nothing to do"
		contains(t, out, "No changes.")
	case code == exitRefused && strings.Contains(stderr, " is running in project "):
		verdict = "busy"
		if !slices.ContainsFunc(others, func(o contestant) bool {
			return strings.Contains(stderr, "process "+strconv.Itoa(o.process.cmd.Process.Pid)+" ") && strings.Contains(stderr, "descope-mgmt "+o.args[0])
		}) {
			t.Errorf("%v names nobody who could have the lock: %s", c.args, stderr)
		}
		contains(t, stderr, "nothing was applied", "since 2", "lock id ")
	case code == exitRefused && strings.Contains(stderr, "since the project moved after the plan was made: "):
		verdict = "outrun"
	case code == exitFailed && strings.Contains(stderr, "is in use cannot be told") && strings.Contains(stderr, "not found"):
		verdict = "outrun" // what was to be deleted was deleted while this one looked at it
	case code == exitRefused && wrote:
		verdict = ""
	case code == exitRefused || code == exitConfig && strings.Contains(stderr, "there is no run"):
		verdict = "refused"
	}
	if verdict == "" || wrote != (verdict == "ran") {
		t.Errorf("%v: exit %d, wrote %v\n%s%s", c.args, code, wrote, out, stderr)
	}
	return verdict
}

// round runs commands at once and tallies how they end.
func (w *watched) round(random *rand.Rand, tally map[string]int, commands ...[]string) {
	w.t.Helper()
	w.forgetRate()
	contestants := make([]contestant, len(commands))
	for i, args := range commands {
		c := contestant{key: fmt.Sprintf("K%d-%s", i, strings.Join(args[:1], "")), args: append(args, "--env", "dev")}
		c.process = w.startAs(c.key, c.args...)
		contestants[i] = c
		time.Sleep(time.Duration(random.IntN(40)) * time.Millisecond)
	}
	codes := make([]int, len(contestants))
	for i, c := range contestants {
		codes[i] = c.process.wait(2 * time.Minute)
	}
	winners := w.winners()
	for i, c := range contestants {
		others := slices.Concat(contestants[:i], contestants[i+1:])
		tally[c.judge(w.t, codes[i], others, slices.Contains(winners, c.key))]++
	}
}

// TestManyProcesses runs all kinds of commands on one project at once, again and
// again: one writes at a time, whoever waits in vain is told for whom, and what is on
// record is whole. PROCESSES says how many rounds.
func TestManyProcesses(t *testing.T) {
	campaign(t)
	t.Parallel()
	rounds, err := strconv.Atoi(cmp.Or(os.Getenv("PROCESSES"), "30"))
	if err != nil {
		t.Fatal(err)
	}
	if testing.Short() || underRace {
		rounds = 5
	}
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	tally := map[string]int{}
	var w *watched
	for i := range rounds {
		if i%10 == 0 {
			if w != nil {
				w.clean()
			}
			w = newWatched(t)
			w.write("envs/staging/staging.cue", "package envs\nenvironment: name: \"staging\"\n")
		}
		w.write("envs/tenants.cue", many(4+random.IntN(3), fmt.Sprintf("plan-%d", random.IntN(3))))
		w.slow(oneOf(random, 0, 30*time.Millisecond, 200*time.Millisecond, 1200*time.Millisecond))
		sync := []string{"sync", "--yes", "--allow-mass-change", "--overwrite-drift", "--allow-reapply", "--adopt-existing", "--parallelism", "2"}
		commands := [][]string{
			sync,
			append(slices.Clone(sync), "--prune"),
			{"tenant", "create", fmt.Sprintf("made-%d", i), "--name", fmt.Sprintf("Made %d", i), "--yes"},
			{"rollback", "latest", "--yes", "--allow-mass-change", "--overwrite-drift", "--allow-delete-created"},
			{"runs", "list"},
			{"audit", "list"},
			oneOf(random, []string{"plan"}, []string{"backup", "list"}, []string{"audit", "verify"}, []string{"backup", "create"}, []string{"runs", "show", "latest"}),
		}
		random.Shuffle(len(commands), func(i, j int) { commands[i], commands[j] = commands[j], commands[i] })
		w.round(random, tally, commands...)
		if t.Failed() {
			t.Fatalf("round %d of seed %d", i, seed)
		}
	}
	w.clean()
	t.Logf("counts: %d rounds of 7 commands (seed %d): %v", rounds, seed, tally)
}

// TestManyProcessesOneSync: of twenty syncs of one configuration at once one does the work.
func TestManyProcessesOneSync(t *testing.T) {
	campaign(t)
	t.Parallel()
	w := newWatched(t)
	w.write("envs/tenants.cue", many(10, "standard"))
	w.write("envs/staging/staging.cue", "package envs\nenvironment: name: \"staging\"\n")
	random := rand.New(rand.NewPCG(1, 0))
	tally := map[string]int{}
	w.slow(600 * time.Millisecond)
	commands := make([][]string, 20)
	for i := range commands {
		commands[i] = []string{"sync", "--yes", "--parallelism", "2"}
	}
	w.round(random, tally, commands...)
	if tally["ran"] != 1 || tally["refused"] > 0 || len(w.tenants()) != 10 {
		t.Errorf("%v, and there are %d tenants", tally, len(w.tenants()))
	}
	w.clean()
	t.Logf("counts: 20 syncs: %v", tally)
}
