package store

import (
	"encoding/json"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestForget: nothing of the past of a project is left but its backups, and nothing of
// another project is touched.
func TestForget(t *testing.T) {
	d := open(t)
	s := scope(t, d)
	other, err := d.Scope("https://api.descope.com", "P3")
	if err != nil {
		t.Fatal(err)
	}
	if runs, err := s.Forget(); runs != 0 || err != nil {
		t.Errorf("nothing to forget: %d, %v", runs, err)
	}
	stamp := FlowStamp{ETag: "e"}
	ids := map[*Scope][]string{s: {"20261124T205703Z-00000a", "20261124T205703Z-00000b"}, other: {"20261124T205703Z-00000c", "20261124T205703Z-00000d"}}
	for sc, id := range ids {
		finishedRun(t, sc, id[0])
		begin(t, sc, id[1], 1)
		if err := sc.SaveLastApplied(state(t, tenant("acme", nil)), meta()); err != nil {
			t.Fatal(err)
		}
		if err := sc.SaveHolds(held()); err != nil {
			t.Fatal(err)
		}
		addFlow(t, sc, "sign-in", 1, deployed(flowsBegan()))
		if err := sc.PutCachedFlow("sign-in", stamp, json.RawMessage(`{}`), flowsBegan()); err != nil {
			t.Fatal(err)
		}
	}
	if runs, err := s.Forget(); runs != 2 || err != nil {
		t.Errorf("forgot %d runs, %v", runs, err)
	}
	type kept struct{ Applied, Held, Versions, Open int }
	known := func(s *Scope) kept {
		t.Helper()
		last, err := s.LoadLastApplied()
		if err != nil {
			t.Fatal(err)
		}
		holds, err := s.LoadHolds()
		if err != nil {
			t.Fatal(err)
		}
		versions, err := s.FlowHistory("sign-in")
		if err != nil {
			t.Fatal(err)
		}
		open, err := s.UnfinishedRuns()
		if err != nil {
			t.Fatal(err)
		}
		return kept{last.Len(), len(holds), len(versions), len(open)}
	}
	if diff := cmp.Diff(kept{}, known(s)); diff != "" {
		t.Errorf("still known:\n%s", diff)
	}
	if diff := cmp.Diff(kept{1, len(held()), 1, 1}, known(other)); diff != "" {
		t.Errorf("of the other project:\n%s", diff)
	}
	if left, err := filepath.Glob(filepath.Join(s.flowCacheDir(), "*")); len(left) > 0 || err != nil {
		t.Errorf("the cache holds %v, %v", left, err)
	}
}

func TestForgetFails(t *testing.T) {
	d := open(t)
	s := scope(t, d)
	finishedRun(t, s, "20261124T205703Z-00000a")
	d.disk = brokenDisk{renaming: syscall.EROFS}
	if runs, err := s.Forget(); runs != 0 || err == nil {
		t.Errorf("forgot %d runs, %v", runs, err)
	}
	if all, err := d.Runs(); len(all) != 1 || err != nil {
		t.Errorf("%d runs, %v", len(all), err)
	}
}
