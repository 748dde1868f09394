package store

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// flowKeeping is what a program did with the history of flows, and which of it was
// acknowledged.
type flowKeeping struct {
	opened bool
	added  []keptVersion
	errs   []error
}

// keptVersion is a version that was acknowledged.
type keptVersion struct {
	project, id string
	FlowVersion
	doc int
}

func (k *flowKeeping) did(err error) bool {
	if err != nil {
		k.errs = append(k.errs, err)
	}
	return err == nil
}

// keepFlows is a program with all that is done with the history, in two projects:
// new flows, contents that are there, the newest once more, pruning, and contents
// that pruning removed. Two adds do not hinder one another.
func keepFlows(root string, disk Disk) (k flowKeeping) {
	d, err := OpenOn(filepath.Join(root, "state"), disk)
	if k.opened = k.did(err); !k.opened {
		return k
	}
	add := func(project, id string, doc int) {
		s, err := d.Scope("https://api.descope.com", project)
		var v FlowVersion
		if err == nil {
			v, err = s.AddFlowVersion(id, flowDoc(doc), deployed(flowsBegan()))
		}
		if k.did(err) {
			k.added = append(k.added, keptVersion{project, id, v, doc})
		}
	}
	add("P2abc", "f", 100)
	add("P2abc", "f", 100) // the newest once more, which may be there without being safe
	add("P9", "g", 100)
	add("P9", "g", 101)
	s, err := d.Scope("https://api.descope.com", "P2abc")
	if err == nil {
		_, err = s.PruneFlowHistory(flowsBegan().AddDate(2, 0, 0))
	}
	k.did(err)
	add("P9", "g", 0) // pruning removed it
	return k
}

// check: every index can be read, each version that one names has its content, and
// all that was acknowledged is there.
func (k *flowKeeping) check(t *testing.T, root string) {
	t.Helper()
	d, _ := openOn(t, root, OSDisk())
	for _, project := range []string{"P2abc", "P9"} {
		s, err := d.Scope("https://api.descope.com", project)
		must(t, err)
		for _, id := range []string{"f", "g"} {
			digests := map[string]bool{}
			for _, v := range mustHistory(t, s, id) {
				digests[v.Digest] = true
			}
			for digest := range digests {
				if _, err := d.flowContent(digest); err != nil {
					t.Errorf("%s %s: %v", project, id, err)
				}
			}
		}
	}
	for _, want := range k.added {
		s, err := d.Scope("https://api.descope.com", want.project)
		must(t, err)
		v, content, err := s.LoadFlowVersion(want.id, want.N)
		if err != nil || v != want.FlowVersion || string(content) != keptDoc(want.doc) {
			t.Errorf("%+v was acknowledged: %+v, %s, %v", want, v, content, err)
		}
	}
}

// again does it all once more where a crash has been: it comes to its end, and
// nothing that nobody uses is left.
func (k *flowKeeping) again(t *testing.T, root string) {
	t.Helper()
	if after := keepFlows(root, crashDisk(t, root, 1)); len(after.errs) > 0 {
		t.Errorf("the next run: %v", after.errs)
	}
	k.check(t, root)
	d, s := openOn(t, root, crashDisk(t, root, 1))
	_, err := s.PruneFlowHistory(flowsBegan())
	must(t, err)
	used, err := d.usedFlowContents()
	must(t, err)
	if n := len(flowObjects(t, d)); n != len(used) {
		t.Errorf("%d contents, %d are used", n, len(used))
	}
	for name := range tree(t, d.flowsPath()) {
		if strings.Contains(name, ".tmp-") {
			t.Errorf("left %s", name)
		}
	}
}

// keptFlows are directories on which keepFlows can begin: a new one, and one with a
// history of which the first versions are to be pruned.
func keptFlows(t *testing.T) (fresh func(t *testing.T, empty bool) string) {
	template := t.TempDir()
	_, s := openOn(t, template, crashDisk(t, template, 1))
	for i := range flowVersionsKept + 1 {
		addFlow(t, s, "f", min(i, 1+i%2), deployed(flowsBegan())) // that of the first is its own
	}
	return func(t *testing.T, empty bool) string {
		root := t.TempDir()
		if !empty {
			must(t, os.CopyFS(filepath.Join(root, "state"), os.DirFS(filepath.Join(template, "state"))))
			must(t, os.Chmod(filepath.Join(root, "state"), 0o700))
		}
		return root
	}
}

// TestFlowHistorySurvivesCrashes loses the power, or the process, before every
// operation on the disk.
func TestFlowHistorySurvivesCrashes(t *testing.T) {
	fresh, crashes := keptFlows(t), 0
	for _, empty := range []bool{true, false} {
		for n, last := 1, false; !last; n++ {
			for seed := range uint64(2) {
				root := fresh(t, empty)
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
				k := keepFlows(root, disk)
				last = disk.Operations() < n
				crashes++
				for _, err := range k.errs {
					if !errors.Is(err, ErrCrashed) {
						t.Errorf("%v", err)
					}
				}
				must(t, disk.Crash()) // a power failure after the last word
				k.check(t, root)
				if seed == uint64(n%2) { // each way to crash at every other operation
					k.again(t, root)
				}
				if t.Failed() {
					t.Fatalf("crashed at operation %d, empty: %t, seed %d: %+v", n, empty, seed, k)
				}
			}
		}
	}
	t.Logf("counts: %d crashes", crashes)
}

// TestFlowHistoryOnAFullDisk fails one operation, or all from it on; the program
// goes on, and then the power fails. All that was acknowledged is there, though
// what is there may have been made by an operation that failed before it was safe.
func TestFlowHistoryOnAFullDisk(t *testing.T) {
	fresh, failures := keptFlows(t), 0
	for _, empty := range []bool{true, false} {
		for n, last := 1, false; !last; n++ {
			for _, forever := range []bool{false, true} {
				root := fresh(t, empty)
				if empty { // who makes the state directory itself is Open
					openOn(t, root, OSDisk())
				}
				disk, failed := crashDisk(t, root, 1), ""
				disk.Before = func(i int, op, path string) error {
					if i == n {
						failed = op + " " + path
					}
					if i == n || forever && i > n {
						return &os.PathError{Op: op, Path: path, Err: syscall.ENOSPC}
					}
					return nil
				}
				k := keepFlows(root, disk)
				last = failed == ""
				failures++
				if len(k.errs) == 0 && !last {
					t.Errorf("nobody was told")
				}
				for _, err := range k.errs {
					if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "the disk is full") || !strings.Contains(err.Error(), root) {
						t.Errorf("it was told %v", err)
					}
				}
				disk.Before = nil
				must(t, disk.Crash())
				k.check(t, root)
				if forever == (n%2 == 0) {
					k.again(t, root)
				}
				if t.Failed() {
					t.Fatalf("operation %d (%s) failed, empty: %t, forever: %t: %+v", n, failed, empty, forever, k)
				}
			}
		}
	}
	t.Logf("counts: %d failures", failures)
}

// What is there because an operation failed, or its process was killed, just before
// it was safe, is made safe before anything counts on it.
func TestFlowHistoryCountsOnNothingUnsafe(t *testing.T) {
	later := flowsBegan().AddDate(2, 0, 0)
	for name, tc := range map[string]struct {
		unsafe func(s *Scope) string // the directory that cannot be synced at first
		do     func(s *Scope) error
	}{
		"an index": {(*Scope).flowIndexDir, func(s *Scope) error {
			_, err := s.AddFlowVersion("f", flowDoc(100), deployed(flowsBegan()))
			return err
		}},
		"a content": {func(s *Scope) string { return filepath.Dir(s.dir.flowContentPath("")) }, func(s *Scope) error {
			_, err := s.AddFlowVersion("f", flowDoc(100), deployed(flowsBegan()))
			return err
		}},
		"a pruned index": {(*Scope).flowIndexDir, func(s *Scope) error {
			_, err := s.PruneFlowHistory(later)
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			root := keptFlows(t)(t, false)
			disk := crashDisk(t, root, 1)
			d, s := openOn(t, root, disk)
			other, err := d.Scope("https://api.descope.com", "P9")
			must(t, err)
			if name == "a pruned index" {
				addFlow(t, s, "f", 100, deployed(flowsBegan()))
			}
			disk.Before = func(_ int, op, path string) error {
				if op == "sync dir" && path == tc.unsafe(s) {
					return syscall.EIO
				}
				return nil
			}
			if err := tc.do(s); !errors.Is(err, syscall.EIO) {
				t.Fatalf("at first: %v", err)
			}
			disk.Before = nil
			must(t, tc.do(s))
			k := flowKeeping{}
			if name != "a pruned index" {
				k.added = []keptVersion{{"P2abc", "f", mustHistory(t, s, "f")[0], 100}}
			} else { // what makes the removal of contents safe
				addFlow(t, other, "g", 200, deployed(flowsBegan()))
			}
			must(t, disk.Crash())
			k.check(t, root)
		})
	}
}
