package cli

import (
	"fmt"
	"io/fs"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"pcconnect.ai/descope-mgmt/internal/store"
)

// diskFailure is a disk that fails at one operation of a sync, or from there on.
type diskFailure struct {
	at      int
	forever bool
	// full fails only what takes room; otherwise nothing at all can be changed.
	full    bool
	workers int
}

func (d diskFailure) String() string {
	how := "at operation"
	if d.forever {
		how = "from operation"
	}
	what := "damaged"
	switch {
	case d.full:
		what = "full"
	case d.forever:
		what = "read-only"
	}
	return fmt.Sprintf("%s %s %d, %d workers", what, how, d.at, d.workers)
}

// err is the error of an operation, or nil.
func (d diskFailure) err(n int, op string) error {
	if n < d.at || !d.forever && n > d.at {
		return nil
	}
	switch {
	case d.full && slices.Contains([]string{"create", "append", "write", "mkdir", "rename", "sync"}, op):
		return syscall.ENOSPC
	case d.full:
		return nil
	case d.forever:
		return syscall.EROFS
	default:
		return syscall.EIO
	}
}

// diskRun is a sync on a disk that fails.
type diskRun struct {
	*matrixRun
	failure diskFailure
	// operation is what failed first, "" if nothing did, and sent is how many writes
	// had been sent by then.
	operation string
	sent      int
	// operations is how many there were.
	operations int
	// ended is how the sync ended, in a word.
	ended string
}

// fail runs the sync on a disk that fails, and then on one that does not.
func (r *diskRun) fail() {
	r.Helper()
	disk, err := store.NewCrashDisk(r.state, 0)
	if err != nil {
		r.Fatal(err)
	}
	var mu sync.Mutex
	disk.Before = func(n int, op, path string) error {
		err := r.failure.err(n, op)
		if err == nil {
			return nil
		}
		mu.Lock()
		defer mu.Unlock()
		if r.operation == "" {
			r.operation, r.sent = op+" "+strings.TrimPrefix(path, r.state+"/"), r.writes()
		}
		return &fs.PathError{Op: op, Path: path, Err: err}
	}
	r.disk = disk
	r.first = r.sync()
	r.disk, r.operations = nil, disk.Operations()
	r.failed()
	r.clean()

	again := r.sync()
	if again.code != exitOK {
		r.Errorf("%s: the sync that follows ends with %d: %s%s", r, again.code, again.out, again.err)
	}
	r.account(again)
	r.recorded()
	r.reached()
	r.whole()
}

func (r *diskRun) String() string { return r.failure.String() + " (" + r.operation + ")" }

// writes counts the writes of the sync under way.
func (r *diskRun) writes() int {
	n := 0
	for _, q := range r.server.Requests() {
		if writes(q) != "" {
			n++
		}
	}
	return n
}

// failed holds what the sync did and said against what happened.
func (r *diskRun) failed() {
	r.Helper()
	s := r.first
	r.account(s)
	total := 0
	for _, q := range s.requests {
		if q.Method == http.MethodPost && writes(q) != "" {
			total++
		}
	}
	// With one worker nothing is under way when the disk fails but the call of
	// which the answer was to be recorded; others may have been announced before.
	if after := total - r.sent; r.operation != "" && after > r.failure.workers-1 {
		r.Errorf("%s: %d writes were sent after the disk failed", r, after)
	}
	n := map[string]int{}
	for _, o := range s.outcomes {
		n[o.Status]++
	}
	touched := n["done"]+n["failed"] > 0 && total > 0
	all := s.ran && n["done"] == len(s.outcomes)
	var want int
	switch {
	case r.operation == "":
		r.ended, want = "did not fail", exitOK
	case s.code == exitOK:
		// Something failed without which all is well.
		r.ended, want = "was not harmed", exitOK
		if !all {
			r.Errorf("%s: exit 0 and outcomes %v", r, n)
		}
		r.recorded()
	case !s.ran:
		r.ended, want = "was not begun", exitFailed
		if total > 0 {
			r.Errorf("%s: it says that nothing was applied, and %d writes were sent", r, total)
		}
	case all:
		r.ended, want = "was done and not recorded", exitFailed
	case touched:
		r.ended, want = "stopped", exitPartly
	default:
		r.ended, want = "stopped before the first call", exitFailed
	}
	if s.code != want {
		r.Errorf("%s: exit %d, want %d; outcomes %v\n%s%s", r, s.code, want, n, s.out, s.err)
	}
	if s.code != exitOK && !slices.ContainsFunc([]string{"no space left", "read-only file system", "input/output error", "the disk is full", "you may not"}, func(part string) bool {
		return strings.Contains(s.err+s.out, part)
	}) {
		r.Errorf("%s: the reason is not told: %s%s", r, s.out, s.err)
	}
}

// clean looks for files that a failure left lying about, where they could be removed.
func (r *diskRun) clean() {
	r.Helper()
	if !r.failure.full {
		return
	}
	_ = filepath.WalkDir(r.state, func(path string, _ fs.DirEntry, _ error) error {
		if name := filepath.Base(path); strings.Contains(name, ".tmp-") || strings.HasPrefix(name, ".new-") {
			r.Errorf("%s: %s is left", r, path)
		}
		return nil
	})
}

// whole checks all that is on record at the end.
func (r *diskRun) whole() {
	r.Helper()
	dir, scope := r.open()
	if _, err := dir.Audit().Verify(); err != nil {
		r.Errorf("%s: %v", r, err)
	}
	runs, err := dir.Runs()
	if err != nil {
		r.Errorf("%s: %v", r, err)
	}
	for _, s := range runs {
		if s.Err != nil || s.Result == nil {
			r.Errorf("%s: run %s: %v, result %v", r, s.Info.ID, s.Err, s.Result)
		}
	}
	infos, err := scope.Backups("").List()
	if err != nil {
		r.Errorf("%s: %v", r, err)
	}
	for _, b := range infos {
		if b.Err != nil {
			r.Errorf("%s: %v", r, b.Err)
		}
	}
	if open, err := scope.UnfinishedRuns(); err != nil || len(open) > 0 {
		r.Errorf("%s: %d runs are open (%v)", r, len(open), err)
	}
}

// TestFullDisk fills up the disk, makes it read-only, or fails one operation, at every
// operation of a sync. Before the first call that means that there is none; later the
// sync stops there and says exactly what it did; the sync that follows does the rest.
func TestFullDisk(t *testing.T) {
	campaign(t)
	t.Parallel()
	config := matrixCompile(t, matrixOfEight())
	run := func(t *testing.T, state string, failure diskFailure) *diskRun {
		var r *diskRun
		synctest.Test(t, func(t *testing.T) {
			r = &diskRun{matrixRun: newMatrixRun(t, config, state, matrixCase{workers: failure.workers}), failure: failure}
			r.fail()
			time.Sleep(time.Hour)
		})
		return r
	}
	operations := run(t, filepath.Join(scratch(t), "state"), diskFailure{at: 1 << 20, workers: 1}).operations
	var mu sync.Mutex
	ended, harmless := map[string]int{}, map[string]int{}
	t.Run("failures", func(t *testing.T) {
		for _, failure := range []diskFailure{
			{forever: true, full: true, workers: 1},
			{forever: true, full: true, workers: 20},
			{forever: true, workers: 1},
			{workers: 1},
			{full: true, workers: 1},
			{workers: 20},
		} {
			t.Run(failure.String(), func(t *testing.T) {
				t.Parallel()
				state := filepath.Join(scratch(t), "state")
				for failure.at = 1; failure.at <= operations && !t.Failed(); failure.at++ {
					r := run(t, state, failure)
					mu.Lock()
					ended[r.ended]++
					if r.ended == "was not harmed" {
						harmless[strings.Fields(r.operation)[0]+" "+filepath.Base(r.operation)]++
					}
					mu.Unlock()
				}
			})
		}
	})
	t.Logf("counts: %d operations; a sync %v; harmless: %v", operations, ended, harmless)
}
