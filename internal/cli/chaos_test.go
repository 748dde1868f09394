package cli

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pcconnect.ai/descope-mgmt/internal/emulator"
)

// TestChaos kills processes (SIGKILL) in the middle of a sync, at random instants,
// and makes the project with other processes what it was to be, or what it was; some
// of those are killed too. Now and then the logs get half a line more, as a power
// failure leaves them. CHAOS is how many, CHAOS_SEED repeats what was drawn, though
// not what the machine makes of it.
func TestChaos(t *testing.T) {
	campaign(t)
	t.Parallel()
	usual := 30
	if underRace {
		usual = 10
	}
	kills, seed := number(t, "CHAOS", usual), uint64(number(t, "CHAOS_SEED", int(time.Now().UnixNano()%1_000_000)))
	t.Logf("CHAOS=%d CHAOS_SEED=%d", kills, seed)
	ground := groundOf(t, 10)
	whole := newChaos(t, ground, nil)
	whole.mustRun(exitOK, whole.sync()...)
	n := chaosTally{n: map[string]int{}}
	t.Run("kill", func(t *testing.T) {
		for i := range kills {
			t.Run(strconv.Itoa(i), func(t *testing.T) {
				t.Parallel()
				c := newChaos(t, ground, rand.New(rand.NewPCG(seed, uint64(i))))
				c.run(whole, &n)
			})
		}
	})
	t.Logf("counts: %s", &n)
}

func number(t *testing.T, variable string, otherwise int) int {
	t.Helper()
	s := os.Getenv(variable)
	if s == "" {
		return otherwise
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		t.Fatalf("%s is %q: write a number", variable, s)
	}
	return n
}

// chaos is one world in which processes are killed.
type chaos struct {
	*world
	random  *rand.Rand
	before  map[string]string
	effects *effects
	laid    int    // how many effects there are before any process
	whole   *chaos // the world of a sync that nobody kills
	killed  int
}

func newChaos(t *testing.T, ground crashGround, random *rand.Rand) *chaos {
	t.Helper()
	e := &effects{}
	w := newWorld(t, emulator.Options{Latency: 4 * time.Millisecond, Jitter: 4 * time.Millisecond, Storage: e})
	ground.lay(w)
	ground.remember(t, w.env["DESCOPE_STATE_DIR"], w.env["DESCOPE_BASE_URL"])
	return &chaos{world: w, random: random, before: canonicalTenants(t, w.server.Export()), effects: e, laid: e.count()}
}

func (c *chaos) sync() []string {
	return []string{"sync", "--env", "dev", "--prune", "--yes", "--allow-mass-change"}
}

// run kills a sync and recovers.
func (c *chaos) run(whole *chaos, n *chaosTally) {
	c.whole = whole
	requests := whole.server.Requests()
	workers := []string{"1", "5", "20"}[c.random.IntN(3)]
	from := 0
	if c.random.IntN(4) > 0 { // where there is more to lose
		from = slices.IndexFunc(requests, func(q emulator.Request) bool { return writes(q) != "" })
	}
	c.kill(from, append(c.sync(), "--parallelism", workers)...)
	ids := c.runs()
	n.add("kills", 1)
	if len(ids) == 0 {
		n.add("before the run was on record", 1)
	} else if _, err := os.Stat(filepath.Join(c.env["DESCOPE_STATE_DIR"], "runs", ids[0], "result.json")); err == nil {
		n.add("after its end", 1)
	}
	written := c.did()
	n.add("changes under way or done", len(written))
	if len(ids) == 0 && len(written) > 0 {
		c.t.Errorf("no run is on record, and %v was written", written)
	}
	if c.random.IntN(3) == 0 {
		n.add("torn logs", c.tear(ids))
	}
	if back := c.random.IntN(2) == 0; back && len(ids) > 0 {
		n.add("rolled back", 1)
		c.rollBack(ids[0])
	} else {
		n.add("resumed", 1)
		c.resume()
	}
	n.add("kills while recovering", c.killed-1)
	dir, _ := openScope(c.t, c.env["DESCOPE_STATE_DIR"], c.env["DESCOPE_BASE_URL"])
	allClosed(c.t, dir, "recovering")
	c.mustRun(exitOK, "audit", "verify")
	if c.t.Failed() {
		c.t.Logf("%d requests; of the run: %s", len(c.server.Requests()), c.record(ids))
	}
}

// record is the record of the first run, for whoever looks into a failure.
func (c *chaos) record(ids []string) string {
	if len(ids) == 0 {
		return "nothing is on record"
	}
	return c.world.run("runs", "show", ids[0]).out
}

// kill starts a process and kills it once the server has seen some of the requests
// that it will make, at least the given number, and a moment more has passed.
func (c *chaos) kill(from int, args ...string) {
	c.t.Helper()
	c.forgetRate()
	now := len(c.server.Requests())
	at := now + from + c.random.IntN(len(c.whole.server.Requests())-from+1)
	moment := time.Duration(c.random.IntN(12_000)) * time.Microsecond
	if at == now { // it may not have begun to ask
		moment = time.Duration(c.random.IntN(300)) * time.Millisecond
	}
	p := c.start(args...)
	for len(c.server.Requests()) < at {
		select {
		case <-p.done:
		case <-time.After(200 * time.Microsecond):
			continue
		}
		break
	}
	time.Sleep(moment)
	_ = p.cmd.Process.Signal(syscall.SIGKILL) // or it was quicker
	if code := p.wait(20 * time.Second); code > 0 {
		c.t.Fatalf("%v ends with %d before it is killed\n%s%s", args, code, &p.out, &p.err)
	}
	c.killed++
	eventually(c.t, "that the server has done what was under way", func() bool { return c.inFlight() == 0 })
}

// again runs a command to its end, after having killed it now and then.
func (c *chaos) again(args ...string) {
	c.t.Helper()
	for c.random.IntN(3) == 0 {
		c.kill(0, args...)
	}
	c.forgetRate()
	p := c.start(args...)
	if code := p.wait(2 * time.Minute); code != exitOK {
		c.t.Fatalf("%v ends with %d\n%s%s", args, code, &p.out, &p.err)
	}
}

// did is how often each tenant was changed. A write that changed nothing is one that
// was done twice.
func (c *chaos) did() map[string]int {
	c.t.Helper()
	n := map[string]int{}
	for _, e := range c.effects.since(c.t, c.laid) {
		if len(e.ids) != 1 {
			c.t.Errorf("a write changed %v", e.ids)
		}
		for _, id := range e.ids {
			n[id]++
		}
	}
	return n
}

// resume makes the project what it was to be.
func (c *chaos) resume() {
	c.t.Helper()
	args := c.sync()
	if len(c.runs()) > 0 {
		args = []string{"sync", "--resume", "latest", "--env", "dev", "--yes", "--allow-mass-change"}
	}
	c.again(args...)
	c.is(canonicalTenants(c.t, c.whole.server.Export()))
	if diff := cmp.Diff(c.whole.did(), c.did()); diff != "" {
		c.t.Errorf("how often each tenant was changed, in one piece and now:\n%s", diff)
	}
	c.forgetRate()
	contains(c.t, c.mustRun(exitOK, "plan", "--env", "dev", "--prune").out, "No changes.")
}

// rollBack makes the project what it was.
func (c *chaos) rollBack(id string) {
	c.t.Helper()
	c.again("rollback", id, "--env", "dev", "--yes", "--allow-mass-change")
	c.is(c.before)
}

func (c *chaos) is(want map[string]string) {
	c.t.Helper()
	if diff := differing(canonicalTenants(c.t, c.server.Export()), want); len(diff) > 0 {
		c.t.Errorf("the project differs in %d tenants: %s", len(diff), strings.Join(diff[:min(3, len(diff))], "\n"))
	}
}

// runs are the ids of the runs on record, oldest first.
func (c *chaos) runs() []string {
	c.t.Helper()
	entries, err := os.ReadDir(filepath.Join(c.env["DESCOPE_STATE_DIR"], "runs"))
	if err != nil && !os.IsNotExist(err) {
		c.t.Fatal(err)
	}
	var ids []string
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") {
			ids = append(ids, e.Name())
		}
	}
	return ids
}

// tear adds the beginning of one more line to the audit log and to the journal of a
// run that goes on, and says to how many.
func (c *chaos) tear(ids []string) (torn int) {
	c.t.Helper()
	state := c.env["DESCOPE_STATE_DIR"]
	logs := []string{filepath.Join(state, "audit.jsonl")}
	for _, id := range ids {
		if _, err := os.Stat(filepath.Join(state, "runs", id, "result.json")); os.IsNotExist(err) {
			logs = append(logs, filepath.Join(state, "runs", id, "journal.jsonl"))
		}
	}
	for _, log := range logs {
		text, err := os.ReadFile(log)
		if err != nil || len(text) == 0 || text[len(text)-1] != '\n' {
			continue // there is none yet, or it is torn already
		}
		last := text[bytes.LastIndexByte(text[:len(text)-1], '\n')+1:]
		half := last[:1+c.random.IntN(len(last)-3)] // without its end, or it would be whole
		if err := os.WriteFile(log, append(text, half...), 0o600); err != nil {
			c.t.Fatal(err)
		}
		torn++
	}
	return torn
}

// chaosTally counts. It is safe for concurrent use.
type chaosTally struct {
	mu sync.Mutex
	n  map[string]int
}

func (n *chaosTally) add(what string, by int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.n[what] += by
}

func (n *chaosTally) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var parts []string
	for _, what := range slices.Sorted(maps.Keys(n.n)) {
		parts = append(parts, fmt.Sprintf("%s: %d", what, n.n[what]))
	}
	return strings.Join(parts, ", ")
}
