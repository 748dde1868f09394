package cli

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pcconnect.ai/descope-mgmt/internal/store"
)

// TestCrashes ends a sync of 200 changes at every edge of a request and at every
// operation on the disk: from there on nothing is sent and nothing written, and of
// what was written only what was synced is left, of an appended line any part. On a
// copy of what is left the run is resumed: the project becomes what it was to be, and
// nothing is done twice. On another copy it is rolled back: the project becomes what
// it was. The disk is lost once more after each of these commands.
//
// Some crashes leave the same, byte for byte; one of those is recovered from.
func TestCrashes(t *testing.T) {
	t.Parallel()
	w := newCrashWorld(t)
	w.reference(t)
	every := everySoManieth(t)
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // it is about half of the time else
	n := crashTally{n: map[string]int{}, seen: map[string]bool{}}
	leftovers, root := make(chan leftover), t.TempDir()
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			defer func() { // the run must not wait for ever
				for l := range leftovers {
					l.remove(t)
				}
			}()
			for l := range leftovers {
				if n.fresh(t, l) {
					synctest.Test(t, func(t *testing.T) { n.add(l.recover(t)) })
				}
				l.remove(t)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		w.crashEverywhere(t, root, every, func(l leftover) { leftovers <- l })
	})
	close(leftovers)
	wg.Wait()
	t.Logf("%s", &n)
}

// TestCrashesAmongWorkers crashes the run with 20 workers: of what is under way at
// the same time, some is done and some is not.
func TestCrashesAmongWorkers(t *testing.T) {
	t.Parallel()
	w := newCrashWorld(t)
	w.reference(t)
	every := 10 * everySoManieth(t)
	n := crashTally{n: map[string]int{}}
	root := t.TempDir()
	for i := 1; i <= w.edges+len(w.operations); i += every {
		p := crashPoint{n: i, seed: uint64(i), workers: 20}
		if i > w.edges {
			p = crashPoint{operation: true, n: i - w.edges, seed: uint64(i), workers: 20}
		}
		synctest.Test(t, func(t *testing.T) {
			if l, reached := w.crash(t, filepath.Join(root, strconv.Itoa(i)), p); reached {
				n.add(l.recover(t))
				l.remove(t)
			}
		})
	}
	t.Logf("%s", &n)
}

// everySoManieth is which of the points are tried: all of them would take most of
// the time of all tests together. CRASH_EVERY says otherwise.
func everySoManieth(t *testing.T) int {
	t.Helper()
	every := 41 // no multiple of what a step takes
	if s := os.Getenv("CRASH_EVERY"); s != "" {
		var err error
		if every, err = strconv.Atoi(s); err != nil || every < 1 {
			t.Fatalf("CRASH_EVERY is %q: write a number", s)
		}
	}
	return every
}

// crashPoint is where a run ends.
type crashPoint struct {
	operation bool // at an operation on the disk, else at an edge of a request
	n         int  // its number, from 1
	seed      uint64
	workers   int // of the commands that recover
}

func (p crashPoint) String() string {
	if p.operation {
		return fmt.Sprintf("operation-%d-%d", p.n, p.seed)
	}
	return fmt.Sprintf("edge-%d", p.n)
}

// reference does the run without a crash.
func (w *crashWorld) reference(t *testing.T) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := w.site(t, 1)
		disk := s.crashDisk(0)
		disk.Before = func(_ int, op, path string) error {
			rel, _ := filepath.Rel(s.state(), path)
			w.operations = append(w.operations, op+" "+filepath.ToSlash(rel))
			return nil
		}
		b := &boundaries{RoundTripper: s.transport}
		s.transport = b
		out := s.sync()
		if out.code != exitOK || len(out.plan.Changes) != crashChanges {
			t.Fatalf("exit %d: %s%s", out.code, out.out, out.err)
		}
		w.edges, w.after, w.applied = b.n, canonicalTenants(t, s.server.Export()), s.remembered()
		w.steps = map[string]int{}
		for _, ch := range out.plan.Changes {
			w.steps[ch.Key.ID] = len(ch.Steps)
		}
		done, refused := effective(out.requests)
		for id, n := range w.steps {
			if len(done[id]) != n || len(refused) > 0 {
				t.Fatalf("%s took %v instead of %d calls; refused: %v", id, done[id], n, refused)
			}
		}
		s.quiet()
	})
}

// crashEverywhere does the run, and yields what a crash would leave of it at every
// so manieth of its points.
func (w *crashWorld) crashEverywhere(t *testing.T, root string, every int, yield func(leftover)) {
	t.Helper()
	s := w.site(t, 1)
	disk := s.crashDisk(0)
	points := 0
	leave := func(p crashPoint) {
		if points++; points%every != 0 {
			return
		}
		p.workers = []int{1, 20}[points/every%2]
		l := leftover{crashPoint: p, world: w, root: filepath.Join(root, p.String()), live: s.server.Export(), first: crashOutcome{code: -1, requests: s.server.Requests()}}
		for _, copied := range l.copies() {
			if err := disk.Leftover(copied, p.seed); err != nil {
				t.Error(err)
			}
		}
		yield(l)
	}
	disk.Before = func(n int, op, path string) error {
		for again := range uint64(5) {
			if again > 0 && !strings.Contains(path, "audit") {
				break // only of those there are few
			}
			leave(crashPoint{operation: true, n: n, seed: uint64(n) + again*10_000})
		}
		return nil
	}
	s.transport = &boundaries{RoundTripper: s.transport, crash: func(n int) bool {
		leave(crashPoint{n: n, seed: uint64(n)})
		return false
	}}
	out := s.sync()
	if out.code != exitOK {
		t.Errorf("exit %d: %s", out.code, out.err)
	}
	s.quiet()
}

// crash does the run and crashes it, if there is such a point. Every other time the
// process alone dies, and what it wrote stays.
func (w *crashWorld) crash(t *testing.T, root string, p crashPoint) (l leftover, reached bool) {
	t.Helper()
	s := w.site(t, p.workers)
	l = leftover{crashPoint: p, world: w, root: root}
	disk := s.crashDisk(p.seed)
	b := &boundaries{RoundTripper: s.transport}
	s.transport = b
	die := sync.OnceFunc(func() {
		reached = true
		b.die()
		if p.n%2 == 0 {
			disk.Kill()
		} else if err := disk.Crash(); err != nil {
			t.Error(err)
		}
		for _, copied := range l.copies() { // with the locks as they are
			if err := copyTree(s.root, copied); err != nil {
				t.Error(err)
			}
		}
	})
	if p.operation {
		disk.Before = func(n int, _, _ string) error {
			if n == p.n {
				die()
			}
			return nil
		}
	} else {
		b.crash = func(n int) bool {
			if n == p.n {
				die()
			}
			return n == p.n
		}
	}
	l.first = s.sync()
	s.quiet() // what was under way has come to its end
	l.live, l.first.requests = s.server.Export(), s.server.Requests()
	return l, reached
}

func (s *crashSite) crashDisk(seed uint64) *store.CrashDisk {
	s.Helper()
	disk, err := store.NewCrashDisk(s.root, seed)
	if err != nil {
		s.Fatal(err)
	}
	s.disk = disk
	return disk
}

// crashed is what one crash came to.
type crashed struct {
	crashPoint
	begun bool // the run is on record
	ended bool // and came to its end
	// tornJournal and tornAudit: the last line was not written whole.
	tornJournal, tornAudit bool
	undone                 int // changes that were taken back
}

// leftover is what a crash left: of the state directory, twice, and of the project.
type leftover struct {
	crashPoint
	world *crashWorld
	root  string
	live  []byte
	first crashOutcome // of the run that crashed; its code is -1 where it went on
}

// copies are two directories with what is left of the state.
func (l leftover) copies() []string {
	return []string{filepath.Join(l.root, "resume"), filepath.Join(l.root, "rollback")}
}

func (l leftover) remove(t *testing.T) {
	t.Helper()
	if err := os.RemoveAll(l.root); err != nil {
		t.Error(err)
	}
}

// digest is different for everything that is left but locks, of which a copy is free.
func (l leftover) digest(t *testing.T) string {
	t.Helper()
	sum := sha256.New()
	sum.Write(l.live)
	root := l.copies()[0]
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || strings.Contains(d.Name(), ".lock") {
			return err
		}
		fmt.Fprintf(sum, "\n%s\n", strings.TrimPrefix(path, root))
		if !d.IsDir() {
			var text []byte
			text, err = os.ReadFile(path)
			sum.Write(text)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	return string(sum.Sum(nil))
}

// recover recovers from a crash, twice.
func (l leftover) recover(t *testing.T) crashed {
	c := crashed{crashPoint: l.crashPoint}
	defer func() {
		if t.Failed() {
			t.Logf("that was %s%s; the run that crashed ended with %d\n%s", l.crashPoint, l.at(), l.first.code, l.first.err)
		}
	}()
	resumed, rolledBack := l.site(t, l.copies()[0]), l.site(t, l.copies()[1])
	c.look(resumed, l.first)
	resumed.finish(&c, l.first)
	rolledBack.undo(&c, l.first)
	return c
}

// at says where the point is.
func (l leftover) at() string {
	switch {
	case !l.operation:
		return fmt.Sprintf(" (request %d, %s)", (l.n+1)/2, []string{"answered", "before it is sent"}[l.n%2])
	case l.first.code == -1:
		return fmt.Sprintf(" (before %s)", l.world.operations[l.n-1])
	}
	return ""
}

// site is one copy with a project of its own.
func (l leftover) site(t *testing.T, root string) *crashSite {
	t.Helper()
	s := &crashSite{T: t, world: l.world, root: root, workers: l.workers}
	if err := os.Chmod(s.state(), 0o700); err != nil { //nolint:gosec // a directory
		t.Fatal(err)
	}
	s.serve(l.live)
	s.crashDisk(l.seed)
	return s
}

// look finds out what is left of a run: of each call that took effect the intent, a
// backup, and of a run that said that it was done its end.
func (c *crashed) look(s *crashSite, first crashOutcome) {
	s.Helper()
	audit, _ := os.ReadFile(filepath.Join(s.state(), "audit.jsonl"))
	c.tornAudit = len(audit) > 0 && audit[len(audit)-1] != '\n'
	done, _ := effective(first.requests)
	runs, err := filepath.Glob(filepath.Join(s.state(), "runs", "2*"))
	if err != nil || len(runs) > 1 {
		s.Fatalf("the runs %v, %v", runs, err)
	}
	if c.begun = len(runs) == 1; !c.begun {
		if len(done) > 0 {
			s.Errorf("no run is on record, and %v was written", done)
		}
		return
	}
	_, err = os.Stat(filepath.Join(runs[0], "result.json"))
	c.ended = err == nil
	if first.code == exitOK && !c.ended {
		s.Errorf("the run said that it was done, and has no end")
	}
	journal, err := os.ReadFile(filepath.Join(runs[0], "journal.jsonl"))
	if err != nil {
		s.Fatal(err)
	}
	c.tornJournal = len(journal) > 0 && journal[len(journal)-1] != '\n'
	intended := map[string]int{}
	for line := range bytes.Lines(journal) {
		var e store.Entry
		if json.Unmarshal(line, &e) == nil && e.Kind == store.EntryIntent {
			intended[e.Key.ID]++
		}
	}
	for id, paths := range done {
		if len(paths) > intended[id] {
			s.Errorf("%s took %v, and the journal has %d intents", id, paths, intended[id])
		}
	}
	_, scope := s.open()
	if backups, err := scope.Backups("").List(); err != nil || len(backups) != 1 || backups[0].Err != nil {
		s.Errorf("the backup of the run: %+v, %v", backups, err)
	}
}

// finish makes the project what it was to be.
func (s *crashSite) finish(c *crashed, first crashOutcome) {
	s.Helper()
	again := s.sync
	if c.begun {
		again = func() crashOutcome { return s.resume("latest") }
	}
	out := again()
	s.lose(c.seed)
	if out.code != exitOK {
		s.Fatalf("resuming ends with %d: %s%s", out.code, out.out, out.err)
	}
	s.closed("resuming")
	before, _ := effective(first.requests)
	since, refused := effective(out.requests)
	if len(refused) > 0 {
		s.Errorf("resuming was refused %v", refused)
	}
	for id, n := range s.world.steps {
		paths := append(slices.Clone(before[id]), since[id]...)
		distinct := slices.Compact(slices.Sorted(slices.Values(paths)))
		if len(paths) != n || len(distinct) != n {
			s.Errorf("%s took %v, and then %v, instead of %d calls", id, before[id], since[id], n)
		}
		delete(before, id)
		delete(since, id)
	}
	if len(before)+len(since) > 0 {
		s.Errorf("beside what was planned, %v and %v were written", before, since)
	}
	s.is(s.world.after, "resuming")
	// The plan is made of this, the project and the configuration, and is empty then.
	if got := s.remembered(); got != s.world.applied {
		s.Errorf("after resuming, something else is remembered as applied than after a run in one piece")
	}
	if c.n%8 == 0 {
		third := s.sync()
		if third.code != exitOK || third.plan == nil || !third.plan.Empty() {
			s.Errorf("a sync after that has something to do (exit %d): %s%s", third.code, third.out, third.err)
		}
	}
}

// undo makes the project what it was.
func (s *crashSite) undo(c *crashed, first crashOutcome) {
	s.Helper()
	if c.begun {
		out := s.rollback("latest")
		s.lose(c.seed)
		if out.code != exitOK {
			s.Fatalf("rolling back ends with %d: %s%s", out.code, out.out, out.err)
		}
		if out.plan != nil {
			c.undone = len(out.plan.Changes)
		}
		if _, refused := effective(out.requests); len(refused) > 0 {
			s.Errorf("rolling back was refused %v", refused)
		}
		s.closed("rolling back")
	}
	s.is(s.world.before, "rolling back")
}

// lose lets the power fail once a command has had its last word.
func (s *crashSite) lose(seed uint64) {
	s.Helper()
	if err := s.disk.(*store.CrashDisk).Crash(); err != nil {
		s.Fatal(err)
	}
	s.crashDisk(seed)
}

// is holds the project against what it is to be.
func (s *crashSite) is(want map[string]string, after string) {
	s.Helper()
	if diff := differing(canonicalTenants(s.T, s.server.Export()), want); len(diff) > 0 {
		s.Errorf("after %s the project differs in %d tenants: %s", after, len(diff), strings.Join(diff[:min(3, len(diff))], "\n"))
	}
}

// closed demands that every run has an end, and that the audit log is whole and
// says so.
func (s *crashSite) closed(after string) {
	s.Helper()
	d, _ := s.open()
	allClosed(s.T, d, after)
}

func allClosed(t *testing.T, d *store.Dir, after string) {
	t.Helper()
	runs, err := d.Runs()
	if err != nil {
		t.Fatal(err)
	}
	records, err := d.Audit().Records()
	if err != nil {
		t.Errorf("after %s: %v", after, err)
	}
	phases := map[string]int{}
	for _, r := range records {
		phases[r.Run+" "+r.Phase]++
	}
	for _, r := range runs {
		if r.Err != nil || r.Result == nil {
			t.Errorf("after %s run %s is left open, or damaged (%v)", after, r.Info.ID, r.Err)
		}
		if intents, outcomes := phases[r.Info.ID+" intent"], phases[r.Info.ID+" outcome"]; intents != 1 || outcomes != 1 {
			t.Errorf("after %s run %s has %d intents and %d outcomes in the audit log", after, r.Info.ID, intents, outcomes)
		}
	}
}

// remembered is what was last applied.
func (s *crashSite) remembered() string {
	s.Helper()
	_, scope := s.open()
	last, err := scope.LoadLastApplied()
	if err != nil {
		s.Fatal(err)
	}
	return last.Digest()
}

// quiet waits until nothing is under way.
func (s *crashSite) quiet() { time.Sleep(time.Hour) }

// crashTally is what all crashes came to. It is safe for concurrent use.
type crashTally struct {
	mu   sync.Mutex
	n    map[string]int
	seen map[string]bool
}

// fresh counts a crash and reports whether no other left the same.
func (n *crashTally) fresh(t *testing.T, l leftover) bool {
	t.Helper()
	digest := l.digest(t)
	n.mu.Lock()
	defer n.mu.Unlock()
	seen := n.seen[digest]
	n.seen[digest] = true
	if seen {
		n.n["that left what another did"]++
		n.count(l.crashPoint)
	}
	return !seen
}

func (n *crashTally) count(p crashPoint) {
	kind := "at edges of requests"
	if p.operation {
		kind = "at operations on the disk"
	}
	n.n["crashes"]++
	n.n[kind]++
}

func (n *crashTally) add(c crashed) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.count(c.crashPoint)
	for what, is := range map[string]bool{
		"before the run was on record": !c.begun, "after its end": c.ended,
		"with a torn journal": c.tornJournal, "with a torn audit log": c.tornAudit,
	} {
		if is {
			n.n[what]++
		}
	}
	n.n["changes taken back"] += c.undone
}

func (n *crashTally) String() string {
	var parts []string
	for _, what := range slices.Sorted(maps.Keys(n.n)) {
		parts = append(parts, fmt.Sprintf("%s: %d", what, n.n[what]))
	}
	return strings.Join(parts, ", ")
}
