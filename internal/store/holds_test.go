package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
)

func held() []plan.Held {
	key := model.Key{Kind: model.Tenant, ID: "acme"}
	return []plan.Held{
		{Key: key, Path: "name", Value: "Acme & Söhne <x>", Run: "r2", Of: "r1", GitCommit: "abc", At: meta().At},
		{Key: key, Path: "custom_attributes.seats", Value: json.Number("40"), Run: "r2", Of: "r1", At: meta().At},
		{Key: key, Path: "custom_attributes.plan", Value: plan.Absent{}, Run: "r2", Of: "r1", At: meta().At},
		{Key: key, Path: "parent", Value: nil, Run: "r2", Of: "r1", At: meta().At},
		{Key: model.Key{Kind: model.Tenant, ID: "new"}, Value: true, Run: "r2", Of: "r1", At: meta().At},
	}
}

func TestHolds(t *testing.T) {
	umask(t, 0)
	d := open(t)
	s := scope(t, d)
	if got, err := s.LoadHolds(); err != nil || got != nil {
		t.Errorf("got %v, %v", got, err)
	}
	for _, want := range [][]plan.Held{held(), held()[2:3], {}} {
		if err := s.SaveHolds(want); err != nil {
			t.Fatal(err)
		}
		got, err := s.LoadHolds()
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%v\n%s", err, diff)
		}
	}
	if got := mode(t, s.holdsPath()); got != 0o600 {
		t.Errorf("mode %04o", got)
	}
	other, _ := d.Scope("https://api.descope.com", "P3")
	if got, err := other.LoadHolds(); err != nil || got != nil {
		t.Errorf("another project: %v, %v", got, err)
	}
}

func TestHoldsDamaged(t *testing.T) {
	d := open(t)
	s := scope(t, d)
	if err := s.SaveHolds(held()); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(s.holdsPath())
	if err != nil {
		t.Fatal(err)
	}
	damaged := func(text []byte, path string, s *Scope) {
		t.Helper()
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		var corrupt *CorruptError
		if _, err := s.LoadHolds(); !errors.As(err, &corrupt) || corrupt.Path != path {
			t.Fatalf("got %v of\n%s", err, text)
		}
	}
	for i := range text {
		flipped := bytes.Clone(text)
		flipped[i] ^= 1
		damaged(flipped, s.holdsPath(), s)
	}
	damaged(nil, s.holdsPath(), s)
	other, _ := d.Scope("https://api.descope.com", "P3")
	damaged(text, other.holdsPath(), other)
	odd, err := seal(map[string]any{"base_url": s.baseURL, "project": s.project, "held": "x"})
	if err != nil {
		t.Fatal(err)
	}
	damaged(odd, s.holdsPath(), s)
	if err := os.Remove(s.holdsPath()); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(s.holdsPath(), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := s.LoadHolds(); err == nil || !strings.Contains(err.Error(), "reading "+s.holdsPath()) {
		t.Errorf("got %v", err)
	}
}

func TestHoldsNotSaved(t *testing.T) {
	s := scope(t, open(t))
	if err := s.SaveHolds(held()); err != nil {
		t.Fatal(err)
	}
	s.dir.disk = brokenDisk{write: syscall.ENOSPC}
	if err := s.SaveHolds(nil); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("got %v", err)
	}
	if got, err := s.LoadHolds(); err != nil || len(got) != len(held()) {
		t.Errorf("got %v, %v", got, err)
	}
	if err := os.RemoveAll(s.dir.path); err != nil {
		t.Fatal(err)
	}
	s.dir.disk = osDisk{}
	if err := s.SaveHolds(nil); err == nil {
		t.Error("saved in a directory that is gone")
	}
}
