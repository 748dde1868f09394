package store

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// history is what a program did with the runs of a directory, and which of it
// was acknowledged.
type history struct {
	opened, began, postSaved, finished, oldFinished, pruned bool
	attempted                                               []Entry // in order
	acknowledged                                            int     // how many of them
	errs                                                    []error
}

func (h *history) did(err error) bool {
	if err != nil {
		h.errs = append(h.errs, err)
	}
	return err == nil
}

// keepRuns is a program with all that is done with runs: it removes the first one,
// finishes the second, which was killed, and does a third. Like an apply it
// stops sending once the journal fails, and still says how it ended.
func keepRuns(t *testing.T, root string, disk Disk) (h history) {
	d, err := OpenOn(filepath.Join(root, "state"), disk)
	if h.opened = h.did(err); !h.opened {
		return h
	}
	s := scope(t, d)
	_, err = d.PruneRuns(runBegan(secondRun))
	h.pruned = h.did(err)
	h.oldFinished = h.did(s.FinishRun(secondRun, postImage(), runResult("killed")))
	p, desired := runPlan(t, 2)
	r, err := s.BeginRun(runInfo(thirdRun), p, desired, model.State{})
	if h.began = h.did(err); !h.began {
		return h
	}
	record := func(e Entry, err error) bool {
		e.Seq, e.Key, e.Op = len(h.attempted)+1, p.Changes[e.Change].Key, p.Changes[e.Change].Steps[e.Step].Op
		h.attempted = append(h.attempted, e)
		if !h.did(err) {
			return false
		}
		h.acknowledged++
		return true
	}
	for i := range 4 {
		change, step := i/2, i%2
		if !record(Entry{Kind: EntryIntent, Change: change, Step: step}, r.Intent(change, step)) ||
			!record(Entry{Kind: EntryEnded, Change: change, Step: step, Attempts: 1, Outcome: "failed", Reason: "no"}, r.Ended(change, step, 1, "failed", "no")) {
			break
		}
	}
	h.postSaved = h.did(r.SavePost(postImage()))
	h.finished = h.did(r.Finish(runResult("partly")))
	h.did(r.Close())
	return h
}

// check compares what is there with what was acknowledged.
func (h *history) check(t *testing.T, root string) {
	t.Helper()
	d, s := openOn(t, root, OSDisk())
	all, err := d.Runs()
	must(t, err)
	for _, r := range all {
		must(t, r.Err)
	}
	r, err := s.LoadRun(thirdRun)
	var missing *NotFoundError
	switch {
	case errors.As(err, &missing):
		if h.began {
			t.Errorf("the run is gone")
		}
	case err != nil:
		t.Error(err)
	default:
		if n := len(r.Journal); n < h.acknowledged || n > len(h.attempted) {
			t.Errorf("%d entries, %d acknowledged, %d attempted", n, h.acknowledged, len(h.attempted))
		} else if diff := cmp.Diff(h.attempted[:n], untimed(r.Journal), cmpopts.EquateEmpty()); diff != "" {
			t.Error(diff)
		}
		if h.postSaved && cmp.Diff(postImage(), r.Post) != "" || h.finished && r.Result == nil {
			t.Errorf("acknowledged and not there: post %v, result %v", r.Post, r.Result)
		}
	}
	old, err := s.LoadRun(secondRun)
	if err != nil || len(old.Journal) != 1 || h.oldFinished && (old.Result == nil || len(old.Post) != 2) {
		t.Errorf("the run that was killed: %+v, %v", old, err)
	}
	_, err = s.LoadRun(firstRun)
	if gone := errors.As(err, &missing); !gone && (err != nil || h.pruned) {
		t.Errorf("the run to be removed: %v", err)
	}
	must(t, func() error { _, err := s.UnfinishedRuns(); return err }())
}

// keptRuns is a directory on which keepRuns can begin, made once.
func keptRuns(t *testing.T) (fresh func(t *testing.T) string) {
	template := t.TempDir()
	_, s := openOn(t, template, OSDisk())
	finishedRun(t, s, firstRun)
	must(t, begin(t, s, secondRun, 1).Intent(0, 0))
	return func(t *testing.T) string {
		root := t.TempDir()
		must(t, os.CopyFS(filepath.Join(root, "state"), os.DirFS(filepath.Join(template, "state"))))
		must(t, os.Chmod(filepath.Join(root, "state"), 0o700))
		return root
	}
}

// TestRunsSurviveCrashes loses the power, or the process, before every operation
// on the disk. All that was acknowledged is there, nothing is damaged, and the
// program can be started again.
func TestRunsSurviveCrashes(t *testing.T) {
	fresh, crashes := keptRuns(t), 0
	for n, last := 1, false; !last; n++ {
		for seed := range uint64(4) {
			root := fresh(t)
			disk := crashDisk(t, root, seed)
			disk.Before = func(i int, _, _ string) error {
				switch {
				case i == n && seed == 0:
					disk.Kill()
				case i == n:
					return disk.Crash()
				}
				return nil
			}
			h := keepRuns(t, root, disk)
			last = disk.Operations() < n
			crashes++
			for _, err := range h.errs {
				if !errors.Is(err, ErrCrashed) {
					t.Errorf("operation %d: %v", n, err)
				}
			}
			must(t, disk.Crash()) // a power failure after the last word
			h.check(t, root)
			if !h.finished {
				h.again(t, root)
			}
			if t.Failed() {
				t.Fatalf("crashed at operation %d, seed %d: %+v", n, seed, h)
			}
		}
	}
	t.Logf("%d crashes", crashes)
}

// again starts the program anew, which finds what the crash left.
func (h *history) again(t *testing.T, root string) {
	t.Helper()
	d, s := openOn(t, root, crashDisk(t, root, 1))
	unfinished, err := s.UnfinishedRuns()
	must(t, err)
	for _, r := range unfinished {
		must(t, s.FinishRun(r.Info.ID, nil, runResult("killed")))
	}
	removed, err := d.PruneRuns(time.Now())
	must(t, err)
	entries, err := os.ReadDir(filepath.Join(d.path, runsDir))
	if err != nil || len(entries) != 0 || h.began && !strings.Contains(fmt.Sprint(removed), thirdRun) {
		t.Errorf("left %v after removing %v, %v", entries, removed, err)
	}
	finishedRun(t, s, firstRun)
}

// TestRunsOnAFullDisk fails one operation, or all from it on: what is not
// acknowledged is refused in plain words, what is acknowledged is there, and a
// run that did not begin has left nothing.
func TestRunsOnAFullDisk(t *testing.T) {
	fresh, failures := keptRuns(t), 0
	for n, last := 1, false; !last; n++ {
		for _, forever := range []bool{false, true} {
			root := fresh(t)
			disk := crashDisk(t, root, 1)
			failed := ""
			disk.Before = func(i int, op, path string) error {
				if i == n {
					failed = op + " " + path
				}
				if i == n || forever && i > n {
					return &os.PathError{Op: op, Path: path, Err: syscall.ENOSPC}
				}
				return nil
			}
			h := keepRuns(t, root, disk)
			last = failed == ""
			failures++
			if len(h.errs) == 0 && !last {
				t.Errorf("nobody was told")
			}
			for _, err := range h.errs {
				if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "the disk is full") || !strings.Contains(err.Error(), root) && !strings.Contains(err.Error(), "run 2025") {
					t.Errorf("it was told %v", err)
				}
			}
			if unfinished := filepath.Join(root, "state", runsDir, thirdRun); h.opened && !h.began && !forever {
				if _, err := os.Lstat(unfinished); !errors.Is(err, os.ErrNotExist) {
					t.Errorf("a run that was refused is there: %v", err)
				}
			}
			h.check(t, root)
			if t.Failed() {
				t.Fatalf("operation %d (%s) failed, forever: %t: %+v", n, failed, forever, h)
			}
		}
	}
	t.Logf("%d failures", failures)
}

// TestRunEveryByte changes each byte of each file of a run: it is noticed, or the
// last line of the journal counts as torn.
func TestRunEveryByte(t *testing.T) {
	s := scope(t, open(t))
	r := begin(t, s, firstRun, 1)
	must(t, r.Intent(0, 0), r.Ended(0, 0, 1, "done", ""), r.Intent(0, 1), r.SavePost(postImage()), r.Close())
	unfinished, err := s.LoadRun(firstRun)
	must(t, err)
	flips := flipEach(t, s, unfinished, runFile, planFile, desiredFile, journalFile, postFile)
	must(t, r.Finish(runResult("partly")))
	whole, err := s.LoadRun(firstRun)
	must(t, err)
	flips += flipEach(t, s, whole, journalFile, resultFile)
	t.Logf("%d flips", flips)
}

func flipEach(t *testing.T, s *Scope, whole *RunRecord, names ...string) (flips int) {
	for _, name := range names {
		path := filepath.Join(s.dir.runDir(firstRun), name)
		text, err := os.ReadFile(path)
		must(t, err)
		lastLine := bytes.LastIndexByte(text[:len(text)-1], '\n') + 1
		for i := range text {
			for _, bits := range []byte{0x01, 0x20, 0x2a, 0x80, 0xff} {
				flips++
				flipped := bytes.Clone(text)
				flipped[i] ^= bits
				got := *whole
				if got.parse(name, firstRun, flipped) != "" {
					continue
				}
				torn := name == journalFile && i >= lastLine && got.Torn && len(got.Journal) >= len(whole.Journal)-1 &&
					cmp.Diff(whole.Journal[:len(got.Journal)], got.Journal) == ""
				if !torn {
					t.Fatalf("%s: byte %d of %d (%q) ^ %02x is not noticed", name, i, len(text), text[i], bits)
				}
				if got.Result != nil && len(got.Journal) < len(whole.Journal) {
					t.Fatalf("the journal of a finished run lost a line unnoticed")
				}
			}
		}
		text[len(text)/2] ^= 1
		must(t, os.WriteFile(path, text, 0o600))
		var corrupt *CorruptError
		if _, err := s.LoadRun(firstRun); !errors.As(err, &corrupt) || corrupt.Path != path {
			t.Errorf("%s damaged: %v", name, err)
		}
		text[len(text)/2] ^= 1
		must(t, os.WriteFile(path, text, 0o600))
	}
	return flips
}

// TestRunCrashesAmongWorkers crashes while many write at once and share their
// waits for the disk: what any of them was told is there.
func TestRunCrashesAmongWorkers(t *testing.T) {
	const workers = 20
	for seed := range uint64(40) {
		root := t.TempDir()
		disk := crashDisk(t, root, seed)
		_, s := openOn(t, root, disk)
		r := begin(t, s, firstRun, workers)
		crashAt := disk.Operations() + 5 + int(seed)
		disk.Before = func(i int, _, _ string) error {
			if i == crashAt {
				return disk.Crash()
			}
			return nil
		}
		var wg sync.WaitGroup
		told := make([][]string, workers)
		for w := range workers {
			wg.Go(func() {
				for step := range 2 {
					if r.Intent(w, step) != nil {
						return
					}
					told[w] = append(told[w], fmt.Sprint(EntryIntent, w, step))
					if r.Ended(w, step, 1, "done", "") != nil {
						return
					}
					told[w] = append(told[w], fmt.Sprint(EntryEnded, w, step))
				}
			})
		}
		wg.Wait()
		must(t, disk.Crash())
		_, s = openOn(t, root, OSDisk())
		got, err := s.LoadRun(firstRun)
		must(t, err)
		there := map[string]bool{}
		for _, e := range got.Journal {
			there[fmt.Sprint(e.Kind, e.Change, e.Step)] = true
		}
		for _, lines := range told {
			for _, line := range lines {
				if !there[line] {
					t.Fatalf("seed %d: %q was acknowledged and is not among %d entries", seed, line, len(got.Journal))
				}
			}
		}
	}
}

// A run that is finished by another process counts on lines that its own never
// saw reach the disk.
func TestFinishRunSyncsTheJournal(t *testing.T) {
	for seed := range uint64(10) {
		root := t.TempDir()
		disk := crashDisk(t, root, seed)
		_, s := openOn(t, root, disk)
		r := begin(t, s, firstRun, 1)
		disk.Before = func(_ int, op, path string) error {
			if op == "sync" && filepath.Base(path) == journalFile {
				return syscall.EIO
			}
			return nil
		}
		if err := r.Intent(0, 0); !errors.Is(err, syscall.EIO) {
			t.Fatal(err)
		}
		disk.Before = nil
		must(t, s.FinishRun(firstRun, nil, runResult("killed")), disk.Crash())
		_, s = openOn(t, root, OSDisk())
		if got, err := s.LoadRun(firstRun); err != nil || len(got.Journal) != 1 {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

// The directories that hold what is saved survive with it.
func TestSavedStateSurvivesACrash(t *testing.T) {
	root := t.TempDir()
	disk := crashDisk(t, root, 1)
	_, s := openOn(t, root, disk)
	want := state(t, tenant("a", map[string]any{"name": "A"}))
	must(t, s.SaveLastApplied(want, meta()), disk.Crash())
	_, s = openOn(t, root, OSDisk())
	if got, err := s.LoadLastApplied(); err != nil || got.Digest() != want.Digest() {
		t.Errorf("%d resources, %v", got.Len(), err)
	}
}
