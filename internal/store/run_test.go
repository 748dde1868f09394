package store

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pcconnect.ai/descope-mgmt/internal/model"
)

func TestNewRunID(t *testing.T) {
	at := time.Date(2026, 11, 24, 22, 57, 3, 999, time.FixedZone("CET", 2*3600))
	id, err := NewRunID(at, bytes.NewReader([]byte{0x1f, 0x3a, 0x9c}))
	if id != "20261124T205703Z-1f3a9c" || err != nil || !runBegan(id).Equal(at.Truncate(time.Second)) {
		t.Errorf("%q, %v, began %s", id, err, runBegan(id))
	}
	if _, err := NewRunID(at, bytes.NewReader([]byte{1, 2})); err == nil || !strings.Contains(err.Error(), "making a run id") {
		t.Errorf("without chance: %v", err)
	}
	for _, id := range []string{"", "20269999T205703Z-1f3a9c"} {
		if !runBegan(id).IsZero() {
			t.Errorf("%q began %s", id, runBegan(id))
		}
	}
}

func TestRunRoundTrip(t *testing.T) {
	s := scope(t, open(t))
	p, desired := runPlan(t, 2)
	observed, _ := desired.Get(model.Key{Kind: model.Tenant, ID: "t000"})
	observed.Observed = &model.Observed{Fields: map[string]any{"secret": "x"}}
	r, err := s.BeginRun(runInfo(firstRun), p, desired.With(observed), desired)
	must(t, err)
	if r.ID() != firstRun || r.Dir() != filepath.Join(s.dir.path, "runs", firstRun) {
		t.Errorf("run %s in %s", r.ID(), r.Dir())
	}
	want := &RunRecord{Info: runInfo(firstRun), Plan: p, Desired: desired, Ours: desired}
	want.Info.PlanDigest = p.Digest()
	check := func(when string) {
		t.Helper()
		got, err := s.LoadRun(firstRun)
		must(t, err)
		if got.Plan.Digest() != p.Digest() {
			t.Errorf("%s: another plan", when)
		}
		if diff := cmp.Diff(want.Desired.Resources(), got.Desired.Resources()); diff != "" {
			t.Errorf("%s: desired state: %s", when, diff)
		}
		for _, was := range want.Ours.Resources() {
			is, _ := got.Ours.Get(was.Key)
			if diff := cmp.Diff(model.Resource{Key: was.Key, Attrs: was.Attrs, Policy: was.Policy}, is); diff != "" || got.Ours.Len() != want.Ours.Len() {
				t.Errorf("%s: what was ours: %s", when, diff)
			}
		}
		if diff := cmp.Diff([]any{want.Info, want.Journal, want.Torn, want.Post, want.Result}, []any{got.Info, untimed(got.Journal), got.Torn, got.Post, got.Result}); diff != "" {
			t.Errorf("%s: %s", when, diff)
		}
	}
	want.Journal = []Entry{}
	check("begun")
	must(t, r.Intent(0, 0), r.Ended(0, 0, 2, "done", ""), r.Intent(1, 1), r.Ended(1, 1, 5, "unknown", "reset \xff\n<&\u2028>"))
	first, second := model.Key{Kind: model.Tenant, ID: "t000"}, model.Key{Kind: model.Tenant, ID: "t001"}
	want.Journal = []Entry{
		{Seq: 1, Kind: EntryIntent, Key: first, Op: model.TenantCreate},
		{Seq: 2, Kind: EntryEnded, Key: first, Op: model.TenantCreate, Attempts: 2, Outcome: "done"},
		{Seq: 3, Kind: EntryIntent, Change: 1, Step: 1, Key: second, Op: model.TenantDefaultRoles},
		{Seq: 4, Kind: EntryEnded, Change: 1, Step: 1, Key: second, Op: model.TenantDefaultRoles, Attempts: 5, Outcome: "unknown", Reason: "reset \uFFFD\n<&\u2028>"},
	}
	check("under way")
	must(t, r.SavePost(nil), r.SavePost(postImage()))
	want.Post = postImage()
	check("read again")
	must(t, r.Finish(runResult("partly")), r.Close(), r.Close())
	result := runResult("partly")
	want.Result = &result
	check("finished")
	if err := r.Finish(runResult("done")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("finished twice: %v", err)
	}
	if err := r.Intent(0, 1); err == nil || !strings.Contains(err.Error(), journalFile) {
		t.Errorf("written after it was closed: %v", err)
	}
	if text, _ := os.ReadFile(filepath.Join(r.Dir(), desiredFile)); bytes.Contains(text, []byte("secret")) {
		t.Error("what was observed is kept with the desired state")
	}
}

func TestBeginRunRefuses(t *testing.T) {
	d := open(t)
	s := scope(t, d)
	p, desired := runPlan(t, 1)
	for _, id := range []string{"", "latest", "../x", firstRun + "/.."} {
		if _, err := s.BeginRun(runInfo(id), p, desired, model.State{}); err == nil || !strings.Contains(err.Error(), "is not the id") {
			t.Errorf("id %q: %v", id, err)
		}
	}
	bad, _ := runPlan(t, 1)
	bad.Changes[0].Moved = "nobody"
	if _, err := s.BeginRun(runInfo(firstRun), bad, desired, model.State{}); err == nil || !strings.Contains(err.Error(), "plan.json could not be read again") {
		t.Errorf("a plan that cannot be read again: %v", err)
	}
	if left, _ := d.Runs(); len(left) != 0 {
		t.Errorf("runs that were refused: %v", left)
	}
	begin(t, s, firstRun, 1)
	if _, err := s.BeginRun(runInfo(firstRun), p, desired, model.State{}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("an id that is taken: %v", err)
	}
	other, _ := d.Scope("https://api.descope.com", "P2other")
	if _, err := other.BeginRun(runInfo(firstRun), p, desired, model.State{}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("an id that another scope took: %v", err)
	}
	must(t, os.Mkdir(filepath.Join(d.path, runsDir, newRun+secondRun), 0o700))
	if _, err := s.BeginRun(runInfo(secondRun), p, desired, model.State{}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("an id that is being taken: %v", err)
	}
}

// Of many who want one id, one gets it.
func TestBeginRunIsExclusive(t *testing.T) {
	s := scope(t, open(t))
	p, desired := runPlan(t, 1)
	var wg sync.WaitGroup
	begun := make(chan *Run, 8)
	for range cap(begun) {
		wg.Go(func() {
			r, err := s.BeginRun(runInfo(firstRun), p, desired, model.State{})
			switch {
			case err == nil:
				begun <- r
			case !errors.Is(err, fs.ErrExist):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(begun) != 1 {
		t.Fatalf("%d began it", len(begun))
	}
	must(t, (<-begun).Close())
	if _, err := s.LoadRun(firstRun); err != nil {
		t.Error(err)
	}
}

func TestRunRefusesEntries(t *testing.T) {
	s := scope(t, open(t))
	r := begin(t, s, firstRun, 1)
	for want, err := range map[string]error{
		"no step 0 of change 1":  r.Intent(1, 0),
		"no step 0 of change -1": r.Intent(-1, 0),
		"no step 2 of change 0":  r.Intent(0, 2),
		"no step -1 of change 0": r.Ended(0, -1, 1, "done", ""),
		`"ok" is no outcome`:     r.Ended(0, 0, 1, "ok", ""),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	must(t, r.Intent(0, 0))
	if got, err := s.LoadRun(firstRun); err != nil || len(got.Journal) != 1 {
		t.Errorf("%d entries, %v", len(got.Journal), err)
	}
}

// Twenty workers write at once: all of it is there, in some order without gaps.
func TestRunConcurrently(t *testing.T) {
	const workers, each = 20, 10
	s := scope(t, open(t))
	r := begin(t, s, firstRun, workers*each)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range each {
				if err := errors.Join(r.Intent(w*each+i, 0), r.Ended(w*each+i, 0, 1, "done", fmt.Sprint(w))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	must(t, r.Finish(runResult("done")))
	got, err := s.LoadRun(firstRun)
	must(t, err)
	intents, ended := map[int]bool{}, 0
	for i, e := range got.Journal {
		switch {
		case e.Seq != i+1:
			t.Fatalf("entry %d has number %d", i, e.Seq)
		case e.Kind == EntryIntent:
			intents[e.Change] = true
		case !intents[e.Change]:
			t.Errorf("change %d ended before it began", e.Change)
		default:
			ended++
		}
	}
	if len(intents) != workers*each || ended != workers*each {
		t.Errorf("%d intents, %d ended", len(intents), ended)
	}
}

// Once the journal could not be written, it is not written any more: its end may
// be half a line.
func TestJournalStopsAtAnError(t *testing.T) {
	for _, failing := range []string{"write", "sync"} {
		t.Run(failing, func(t *testing.T) {
			disk := crashDisk(t, t.TempDir(), 1)
			_, s := openOn(t, disk.path, disk)
			r := begin(t, s, firstRun, 2)
			must(t, r.Intent(0, 0))
			full := true
			disk.Before = func(_ int, op, _ string) error {
				if full && op == failing {
					return syscall.ENOSPC
				}
				return nil
			}
			if err := r.Intent(0, 1); !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "journal.jsonl: the disk is full") {
				t.Errorf("full: %v", err)
			}
			full = false
			if err := r.Ended(0, 0, 1, "done", ""); !errors.Is(err, syscall.ENOSPC) {
				t.Errorf("written after an error: %v", err)
			}
			must(t, r.Finish(runResult("failed")))
			got, err := s.LoadRun(firstRun)
			if err != nil || len(got.Journal) < 1 || got.Torn != (failing == "write") || got.Result == nil {
				t.Errorf("%d entries, torn: %t, %v", len(got.Journal), got.Torn, err)
			}
		})
	}
}

func TestTeamSharesRuns(t *testing.T) {
	umask(t, 0o077)
	path := t.TempDir()
	must(t, os.Chmod(path, 0o770|fs.ModeSetgid))
	d, err := Open(path)
	must(t, err)
	finishedRun(t, scope(t, d), firstRun)
	err = filepath.WalkDir(filepath.Join(path, runsDir), func(path string, e fs.DirEntry, err error) error {
		want := os.FileMode(0o660)
		if e.IsDir() {
			want = 0o770
		}
		if got := mode(t, path); got != want {
			t.Errorf("%s has mode %04o", path, got)
		}
		return err
	})
	must(t, err)
}
