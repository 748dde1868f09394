package store

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// quickFlows is a scope on a disk that waits for nothing.
func quickFlows(t *testing.T) (*Dir, *Scope) {
	root := t.TempDir()
	return openOn(t, root, crashDisk(t, root, 1))
}

func numbers(versions []FlowVersion) (ns []int) {
	for _, v := range versions {
		ns = append(ns, v.N)
	}
	return ns
}

func TestPruneFlowHistory(t *testing.T) {
	d, s := quickFlows(t)
	if removed, err := s.PruneFlowHistory(flowsBegan()); err != nil || removed != (PrunedFlows{}) {
		t.Errorf("nothing yet: %+v, %v", removed, err)
	}
	other, err := d.Scope("https://api.descope.com", "P3")
	must(t, err)
	now := flowsBegan().AddDate(1, 0, 30) // flowsBegan is a year and 30 days ago
	for i := range 60 {
		addFlow(t, s, "old", i, deployed(flowsBegan()))                                             // 50 stay
		addFlow(t, s, "young", 1000+i, deployed(flowsBegan().AddDate(0, 0, 31)))                    // all
		addFlow(t, s, "mixed", 2000+i, deployed(flowsBegan().Add(time.Duration(i)*6*24*time.Hour))) // but 6, by time
	}
	addFlow(t, other, "shared", 3, deployed(flowsBegan()))
	addFlow(t, s, "also", 4, deployed(flowsBegan()))
	leftovers := []string{
		filepath.Join(d.flowsPath(), "objects", ".x.json.tmp-1"),
		filepath.Join(s.flowIndexDir(), ".x.json.tmp-1"),
		filepath.Join(other.flowIndexDir(), ".x.json.tmp-1"),
	}
	foreign := []string{
		filepath.Join(d.flowsPath(), "objects", "README"),
		filepath.Join(s.flowIndexDir(), ".hidden.json"),
		filepath.Join(s.flowIndexDir(), "x.json.old"),
	}
	for _, path := range append(leftovers, foreign...) {
		must(t, os.WriteFile(path, nil, 0o600))
	}
	removed, err := s.PruneFlowHistory(now)
	if err != nil || removed != (PrunedFlows{Versions: 16, Contents: 14}) {
		t.Errorf("removed %+v, %v", removed, err)
	}
	for id, want := range map[string]struct{ newest, oldest, n int }{
		"old": {60, 11, 50}, "young": {60, 1, 60}, "mixed": {60, 7, 54}, "also": {1, 1, 1},
	} {
		ns := numbers(mustHistory(t, s, id))
		if len(ns) != want.n || ns[0] != want.newest || ns[len(ns)-1] != want.oldest {
			t.Errorf("%s: %v", id, ns)
		}
		for _, n := range ns {
			_, _, err := s.LoadFlowVersion(id, n)
			must(t, err)
		}
	}
	if _, content, err := other.LoadFlowVersion("shared", 1); err != nil || string(content) != keptDoc(3) {
		t.Errorf("that of another project: %s, %v", content, err)
	}
	for _, path := range leftovers {
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: %v", path, err)
		}
	}
	for _, path := range foreign {
		_, err := os.Stat(path)
		must(t, err)
	}
	if v := addFlow(t, s, "old", 0, deployed(now)); v.N != 61 {
		t.Errorf("a removed content again: %+v", v)
	}
	again, err := s.PruneFlowHistory(now)
	if err != nil || again != (PrunedFlows{1, 1}) {
		t.Errorf("again: %+v, %v", again, err)
	}
	must(t, func() error { _, err := s.PruneFlowHistory(now.AddDate(100, 0, 0)); return err }())
	if ns := numbers(mustHistory(t, s, "young")); len(ns) != 50 || ns[0] != 60 {
		t.Errorf("after a century: %v", ns)
	}
}

func mustHistory(t testing.TB, s *Scope, id string) []FlowVersion {
	t.Helper()
	history, err := s.FlowHistory(id)
	must(t, err)
	return history
}

// What stays: all if there are few, the newest always, nothing removed that is
// young, and the order.
func TestKeptFlowVersions(t *testing.T) {
	now := flowsBegan()
	rapid.Check(t, func(t *rapid.T) {
		days := rapid.SliceOfN(rapid.IntRange(-400, 1), 0, 120).Draw(t, "days")
		var versions []FlowVersion
		for i, n := range days {
			versions = append(versions, FlowVersion{N: 2*i + 1, At: now.AddDate(0, 0, n)})
		}
		kept := map[int]bool{}
		last := 0
		for _, v := range keptFlowVersions(versions, now.AddDate(-1, 0, 0)) {
			if v.N <= last {
				t.Fatalf("%d after %d", v.N, last)
			}
			last, kept[v.N] = v.N, true
		}
		for i, v := range versions {
			if want := i >= len(versions)-50 || days[i] > -365; kept[v.N] != want {
				t.Fatalf("version %d of %d, %d days: kept %t", i, len(versions), days[i], kept[v.N])
			}
		}
	})
}

// As long as an index is damaged, of whichever project, no content goes: it may be
// the one that the index names.
func TestPruneFlowHistoryDamaged(t *testing.T) {
	d, s := quickFlows(t)
	for i := range 52 {
		addFlow(t, s, "f", i, deployed(flowsBegan()))
	}
	other, err := d.Scope("https://api.descope.com", "P3")
	must(t, err)
	addFlow(t, other, "g", 100, deployed(flowsBegan()))
	path := other.flowIndexPath("g")
	whole, err := os.ReadFile(path)
	must(t, err, os.WriteFile(path, whole[1:], 0o600))
	removed, err := s.PruneFlowHistory(flowsBegan().AddDate(2, 0, 0))
	var corrupt *CorruptError
	if !errors.As(err, &corrupt) || corrupt.Path != path || removed != (PrunedFlows{2, 0}) || len(flowObjects(t, d)) != 53 {
		t.Errorf("removed %+v, %v", removed, err)
	}
	must(t, os.WriteFile(path, whole, 0o600))
	moved := filepath.Join(s.flowIndexDir(), "moved.json") // an index in another's place is left alone, and counts
	must(t, os.WriteFile(moved, whole, 0o600))
	if removed, err := s.PruneFlowHistory(flowsBegan().AddDate(2, 0, 0)); err != nil || removed != (PrunedFlows{0, 2}) {
		t.Errorf("once it is mended: %+v, %v", removed, err)
	}
	if text, err := os.ReadFile(moved); err != nil || string(text) != string(whole) {
		t.Errorf("the other's index: %v", err)
	}
	own := s.flowIndexPath("f")
	must(t, os.WriteFile(own, whole, 0o600))
	if _, err := s.FlowHistory("f"); !errors.As(err, &corrupt) || corrupt.Path != own {
		t.Errorf("got %v", err)
	}
}

// A version that is pruned between the index and its content is not there, rather
// than damaged.
func TestLoadFlowVersionWhilePruned(t *testing.T) {
	_, s := quickFlows(t)
	for i := range 51 {
		addFlow(t, s, "f", i, deployed(flowsBegan()))
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, err := s.PruneFlowHistory(flowsBegan().AddDate(2, 0, 0))
		must(t, err)
	}()
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		_, content, err := s.LoadFlowVersion("f", 1)
		var missing *NotFoundError
		if err == nil && string(content) != keptDoc(0) || err != nil && !errors.As(err, &missing) {
			t.Fatalf("%s, %v", content, err)
		}
	}
}

// Each thing that cannot be read or written is named.
func TestFlowHistoryErrors(t *testing.T) {
	inTheWay := func(t *testing.T, path string) {
		must(t, os.RemoveAll(path), os.MkdirAll(filepath.Join(path, "x"), 0o700))
	}
	for name, tc := range map[string]struct {
		spoil func(t *testing.T, d *Dir, s *Scope) (path string)
		// which of adding, reading and pruning fail
		add, load, prune bool
	}{
		"the index is a directory": {func(t *testing.T, _ *Dir, s *Scope) string {
			inTheWay(t, s.flowIndexPath("f"))
			return s.flowIndexPath("f")
		}, true, true, true},
		"a content is a directory": {func(t *testing.T, d *Dir, _ *Scope) string {
			path := d.flowContentPath(flowDigest([]byte(keptDoc(1))))
			inTheWay(t, path)
			return path
		}, true, true, false},
		"an unused content cannot be removed": {func(t *testing.T, d *Dir, _ *Scope) string {
			path := d.flowContentPath("0")
			inTheWay(t, path)
			return path
		}, false, false, true},
		"a leftover cannot be removed": {func(t *testing.T, _ *Dir, s *Scope) string {
			path := filepath.Join(s.flowIndexDir(), ".x.json.tmp-1")
			inTheWay(t, path)
			return path
		}, false, false, true},
		"contents are in no directory": {func(t *testing.T, d *Dir, _ *Scope) string {
			path := filepath.Join(d.flowsPath(), "objects")
			must(t, os.RemoveAll(path), os.WriteFile(path, nil, 0o600))
			return path
		}, true, true, true},
		"indexes are in no directory": {func(t *testing.T, _ *Dir, s *Scope) string {
			must(t, os.RemoveAll(s.flowIndexDir()), os.WriteFile(s.flowIndexDir(), nil, 0o600))
			return s.flowIndexDir()
		}, true, true, true},
		"nothing is in a directory": {func(t *testing.T, d *Dir, _ *Scope) string {
			must(t, os.RemoveAll(d.flowsPath()), os.WriteFile(d.flowsPath(), nil, 0o600))
			return d.flowsPath()
		}, true, true, true},
		"the disk is full": {func(_ *testing.T, d *Dir, _ *Scope) string {
			d.disk = brokenDisk{write: syscall.ENOSPC}
			return "the disk is full"
		}, true, false, true},
		"directories cannot be synced": {func(_ *testing.T, d *Dir, _ *Scope) string {
			d.disk = brokenDisk{syncing: syscall.EIO}
			return d.path
		}, true, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			d, s := quickFlows(t)
			for i := range 51 {
				addFlow(t, s, "f", i, deployed(flowsBegan()))
			}
			addFlow(t, s, "f", 1, deployed(flowsBegan()))
			d.disk = OSDisk()
			path := tc.spoil(t, d, s)
			_, _, loadErr := s.LoadFlowVersion("f", 52)
			_, addErr := s.AddFlowVersion("f", flowDoc(1), FlowVersion{At: flowsBegan(), Note: FlowSeen})
			_, pruneErr := s.PruneFlowHistory(flowsBegan().AddDate(2, 0, 0))
			for what, got := range map[string]struct {
				err  error
				want bool
			}{"add": {addErr, tc.add}, "load": {loadErr, tc.load}, "prune": {pruneErr, tc.prune}} {
				if (got.err != nil) != got.want || got.want && !strings.Contains(got.err.Error(), path) {
					t.Errorf("%s: %v", what, got.err)
				}
			}
		})
	}
}
