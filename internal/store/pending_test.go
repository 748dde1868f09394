package store

import (
	"os"
	"testing"
)

func TestPending(t *testing.T) {
	s := scope(t, open(t))
	if got, err := s.LoadPending(); err != nil || got.Len() != 0 {
		t.Fatalf("nothing pending: %d, %v", got.Len(), err)
	}
	want := state(t, tenant("a", map[string]any{"name": "A"}))
	if err := s.SavePending(want, meta()); err != nil {
		t.Fatal(err)
	}
	if got, err := s.LoadPending(); err != nil || got.Digest() != want.Digest() {
		t.Errorf("came back as %d resources, %v", got.Len(), err)
	}
	if got, err := s.LoadLastApplied(); err != nil || got.Len() != 0 {
		t.Errorf("pending counts as applied: %d, %v", got.Len(), err)
	}
	for range 2 {
		if err := s.ClearPending(); err != nil {
			t.Error(err)
		}
	}
	if got, err := s.LoadPending(); err != nil || got.Len() != 0 {
		t.Errorf("cleared: %d, %v", got.Len(), err)
	}
	if err := os.MkdirAll(s.pendingPath()+"/x", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := s.ClearPending(); err == nil {
		t.Error("a directory in its place is removed")
	}
}
