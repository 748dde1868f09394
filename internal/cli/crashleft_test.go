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
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pcconnect.ai/descope-mgmt/internal/store"
)

// leftover is what a crash left: of the state directory, twice, and of the project.
type leftover struct {
	crashPoint
	world *crashWorld
	root  string
	where string // the point is, or ""
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
	resumed, rolledBack := l.site(t, l.copies()[0]), l.site(t, l.copies()[1])
	c.look(resumed, l.first)
	resumed.finish(&c, l.first)
	rolledBack.undo(&c)
	return c
}

// tell says of a test that failed what it was about.
func (l leftover) tell(t *testing.T) {
	t.Helper()
	if t.Failed() {
		t.Logf("that was %s (%s); what crashed ended with %d\n%s", l.crashPoint, l.where, l.first.code, l.first.err)
	}
}

// site is one copy with a project of its own.
func (l leftover) site(t *testing.T, root string) *crashSite {
	t.Helper()
	s := &crashSite{T: t, world: l.world, root: root, workers: l.workers}
	if err := os.Chmod(s.state(), 0o700); err != nil {
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
func (s *crashSite) undo(c *crashed) {
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
