package store

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRunReadTwice: the plan of a run is read once, its journal each time, and a
// file that is not the one that was read any more is read again.
func TestRunReadTwice(t *testing.T) {
	s := scope(t, open(t))
	r := begin(t, s, firstRun, 1)
	first, err := s.LoadRun(firstRun)
	must(t, err, r.Intent(0, 0), r.Close())
	second, err := s.LoadRun(firstRun)
	must(t, err)
	if first.Plan != second.Plan || len(first.Journal) != 0 || len(second.Journal) != 1 {
		t.Errorf("the same plan: %t; %d and %d entries", first.Plan == second.Plan, len(first.Journal), len(second.Journal))
	}
	if diff := cmp.Diff(first.Info, second.Info); diff != "" {
		t.Error(diff)
	}
	must(t, os.Remove(filepath.Join(r.Dir(), planFile)))
	if _, err := s.LoadRun(firstRun); err == nil {
		t.Error("a plan that is gone is not noticed")
	}
}
