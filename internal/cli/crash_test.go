package cli

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

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
	campaign(t)
	t.Parallel()
	w := newCrashWorld(t)
	w.reference(t)
	n := w.campaign(t, oneIn(t), func(t *testing.T) (*crashSite, func() crashOutcome) {
		s := w.site(t, w.state, w.live, 1)
		return s, s.sync
	}, leftover.recover)
	t.Logf("counts: %s", n)
}

// TestCrashesOfRecoveries crashes what recovers from a crash: to resume a run that
// was half done, and to roll back one that was done but for its end. Given once
// more, the command does what it was to do.
func TestCrashesOfRecoveries(t *testing.T) {
	campaign(t)
	t.Parallel()
	w := newCrashWorld(t)
	w.reference(t)
	for _, tt := range []struct {
		name  string
		at    int // the operation of the first crash
		again func(s *crashSite, first string) crashOutcome
		want  map[string]string
	}{
		{"resume", w.operations / 2, func(s *crashSite, _ string) crashOutcome { return s.resume("latest") }, w.after},
		{"rollback", w.operations - 20, func(s *crashSite, first string) crashOutcome { return s.rollback(first) }, w.before},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var half leftover
			root := filepath.Join(t.TempDir(), "first")
			synctest.Test(t, func(t *testing.T) {
				half, _ = w.crash(t, root, crashPoint{operation: true, n: tt.at, workers: 1})
			})
			state := filepath.Join(half.copies()[0], "state")
			runs, err := filepath.Glob(filepath.Join(state, "runs", "2*"))
			if err != nil || len(runs) != 1 {
				t.Fatalf("the runs %v, %v", runs, err)
			}
			first := filepath.Base(runs[0])
			n := w.campaign(t, 10*oneIn(t), func(t *testing.T) (*crashSite, func() crashOutcome) {
				s := w.site(t, state, half.live, 1)
				return s, func() crashOutcome { return tt.again(s, first) }
			}, func(l leftover, t *testing.T) crashed {
				s := l.site(t, l.copies()[0])
				out := tt.again(s, first)
				s.lose(l.seed)
				if out.code != exitOK {
					t.Fatalf("the second %s ends with %d: %s%s", tt.name, out.code, out.out, out.err)
				}
				s.closed("the second " + tt.name)
				s.is(tt.want, "the second "+tt.name)
				return crashed{crashPoint: l.crashPoint, begun: true}
			})
			t.Logf("counts: %s", n)
		})
	}
}

// campaign does something in a bubble, and recovers from what a crash would have
// left of it at one point in so many, in other bubbles meanwhile.
func (w *crashWorld) campaign(t *testing.T, every int, begin func(*testing.T) (*crashSite, func() crashOutcome), recovery func(leftover, *testing.T) crashed) *crashTally {
	t.Helper()
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // it is about half of the time else
	n := &crashTally{n: map[string]int{}, seen: map[string]bool{}}
	leftovers, root := make(chan leftover), t.TempDir()
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			defer func() { // whoever sends must not wait for ever
				for l := range leftovers {
					l.remove(t)
				}
			}()
			for l := range leftovers {
				if n.fresh(t, l) {
					synctest.Test(t, func(t *testing.T) {
						defer l.tell(t)
						n.add(recovery(l, t))
					})
				}
				l.remove(t)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		s, command := begin(t)
		w.crashEverywhere(s, command, root, every, func(l leftover) { leftovers <- l })
	})
	close(leftovers)
	wg.Wait()
	return n
}

// TestCrashesAmongWorkers crashes the run with 20 workers: of what is under way at
// the same time, some is done and some is not.
func TestCrashesAmongWorkers(t *testing.T) {
	campaign(t)
	t.Parallel()
	w := newCrashWorld(t)
	w.reference(t)
	n := crashTally{n: map[string]int{}}
	root := t.TempDir()
	for i := 1; i <= w.edges+w.operations; i += 10*oneIn(t) + 1 {
		p := crashPoint{n: i, seed: uint64(i), workers: 20}
		if i > w.edges {
			p = crashPoint{operation: true, n: i - w.edges, seed: uint64(i), workers: 20}
		}
		synctest.Test(t, func(t *testing.T) {
			l, reached := w.crash(t, filepath.Join(root, strconv.Itoa(i)), p)
			defer l.tell(t)
			if reached {
				n.add(l.recover(t))
				l.remove(t)
			}
		})
	}
	t.Logf("counts: %s", &n)
}

// oneIn is how many points there are to each that is tried: all would take most of
// the time of all tests together. CRASH_EVERY says otherwise; 1 is all.
func oneIn(t *testing.T) int {
	t.Helper()
	every := 41
	if underRace {
		every = 103
	}
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
		s := w.site(t, w.state, w.live, 1)
		disk := s.crashDisk(0)
		b := &boundaries{RoundTripper: s.transport}
		s.transport = b
		out := s.sync()
		if out.code != exitOK || len(out.plan.Changes) != crashChanges {
			t.Fatalf("exit %d: %s%s", out.code, out.out, out.err)
		}
		w.edges, w.operations = b.n, disk.Operations()
		w.after, w.applied = canonicalTenants(t, s.server.Export()), s.remembered()
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

// crashEverywhere runs a command, and yields what a crash would leave of it at one
// in so many of its points.
func (w *crashWorld) crashEverywhere(s *crashSite, command func() crashOutcome, root string, every int, yield func(leftover)) {
	s.Helper()
	disk := s.crashDisk(0)
	// Drawn and not counted off: what a run does repeats itself.
	random := rand.New(rand.NewPCG(uint64(every), 0))
	leave := func(p crashPoint, where string) {
		if random.IntN(every) != 0 {
			return
		}
		p.workers = []int{1, 20}[random.IntN(2)]
		l := leftover{
			crashPoint: p, world: w, root: filepath.Join(root, p.String()), where: where,
			live: s.server.Export(), first: crashOutcome{code: -1, requests: s.server.Requests()},
		}
		for _, copied := range l.copies() {
			if err := disk.Leftover(copied, p.seed); err != nil {
				s.Error(err)
			}
		}
		yield(l)
	}
	disk.Before = func(n int, op, path string) error {
		for again := range uint64(5) {
			if again > 0 && !strings.Contains(path, "audit") {
				break // only of those there are few
			}
			leave(crashPoint{operation: true, n: n, seed: uint64(n) + again*10_000}, "before "+op+" "+path)
		}
		return nil
	}
	s.transport = &boundaries{RoundTripper: s.transport, crash: func(n int) bool {
		leave(crashPoint{n: n, seed: uint64(n)}, fmt.Sprintf("request %d, %s", (n+1)/2, []string{"answered", "before it is sent"}[n%2]))
		return false
	}}
	if out := command(); out.code != exitOK {
		s.Errorf("exit %d: %s", out.code, out.err)
	}
	s.quiet()
}

// crash does the run and crashes it, if there is such a point. Every other time the
// process alone dies, and what it wrote stays.
func (w *crashWorld) crash(t *testing.T, root string, p crashPoint) (l leftover, reached bool) {
	t.Helper()
	s := w.site(t, w.state, w.live, p.workers)
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
