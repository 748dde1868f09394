package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

type request struct{ Sent, Done time.Time }

func remembered(t *testing.T, s *Slots, budget string) ([]request, error) {
	t.Helper()
	var got []request
	err := s.Open(budget, func(sent, done time.Time) { got = append(got, request{sent, done}) })
	return got, err
}

func logPath(d *Dir, budget string) string {
	return filepath.Join(d.Path(), "rate", fileName(budget)+".log")
}

func TestSlotsOutliveTheProcess(t *testing.T) {
	d := open(t)
	now := time.Unix(1_700_000_000, 0)
	clock := func() time.Time { return now }
	s := d.Slots(clock)
	if got, err := remembered(t, s, "tenant-writes/P2"); err != nil || len(got) != 0 {
		t.Fatalf("at first: %v, %v", got, err)
	}
	record := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	record(s.Sent("tenant-writes/P2", "r-1", now))
	record(s.Sent("tenant-writes/P2", "r-2", now.Add(time.Second)))
	record(s.Done("tenant-writes/P2", "r-1", now.Add(2*time.Second)))
	record(s.Done("tenant-writes/P2", "forgotten", now))
	record(s.Sent("tenant-writes/P3", "r-3", now))
	got, err := remembered(t, d.Slots(clock), "tenant-writes/P2")
	want := []request{{now, now.Add(2 * time.Second)}, {now.Add(time.Second), time.Time{}}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	for _, id := range []string{"", "a b", "a\nb"} {
		if err := s.Sent("b", id, now); err == nil {
			t.Errorf("the id %q is accepted", id)
		}
	}
}

func TestSlotsForgetAndStayBounded(t *testing.T) {
	d := open(t)
	start := time.Unix(1_700_000_000, 0)
	now := start
	s := d.Slots(func() time.Time { return now })
	for i := range 500 {
		at := start.Add(time.Duration(i) * time.Second)
		if err := errors.Join(s.Sent("b", fmt.Sprint(i), at), s.Done("b", fmt.Sprint(i), at)); err != nil {
			t.Fatal(err)
		}
	}
	now = start.Add(slotMemory + 489500*time.Millisecond)
	got, err := remembered(t, s, "b")
	if err != nil || len(got) != 10 || !got[0].Sent.Equal(start.Add(490*time.Second)) {
		t.Errorf("%d remembered, %v", len(got), err)
	}
	if text, _ := os.ReadFile(logPath(d, "b")); strings.Count(string(text), "\n") != 20 {
		t.Errorf("the log was not compacted:\n%s", text)
	}
	now = now.Add(-24 * time.Hour) // a clock that was set back
	if got, err := remembered(t, s, "b"); err != nil || len(got) != 0 {
		t.Errorf("from the future: %d remembered, %v", len(got), err)
	}
}

func TestSlotsCompactWhileWriting(t *testing.T) {
	d := open(t)
	now := time.Unix(1_700_000_000, 0)
	s := d.Slots(func() time.Time { return now })
	if err := s.Sent("b", "old", now.Add(-2*slotMemory)); err != nil {
		t.Fatal(err)
	}
	old := strings.Repeat(slotLine(markDone, strings.Repeat("x", 1000), now), slotLogBytes/1000)
	if err := os.WriteFile(logPath(d, "b"), []byte(old), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Sent("b", "new", now); err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(logPath(d, "b")); string(text) != slotLine(markSent, "new", now) {
		t.Errorf("%d bytes left", len(text))
	}
}

func TestSlotsTornLine(t *testing.T) {
	d := open(t)
	now := time.Unix(1_700_000_000, 0)
	s := d.Slots(func() time.Time { return now })
	if err := errors.Join(s.Sent("b", "one", now), s.Sent("b", "two", now)); err != nil {
		t.Fatal(err)
	}
	whole, _ := os.ReadFile(logPath(d, "b"))
	first := strings.Index(string(whole), "\n") + 1
	for cut := first; cut < len(whole); cut++ {
		if err := os.WriteFile(logPath(d, "b"), whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := remembered(t, s, "b"); err != nil || len(got) != 1 {
			t.Errorf("cut at %d: %d remembered, %v", cut, len(got), err)
		}
		if err := s.Sent("b", "three", now); err != nil {
			t.Fatal(err)
		}
		if got, err := remembered(t, s, "b"); err != nil || len(got) != 2 {
			t.Errorf("cut at %d, then written: %d remembered, %v", cut, len(got), err)
		}
	}
}

func TestSlotsDamaged(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	good := slotLine(markSent, "one", now)
	for name, bad := range map[string]string{
		"no fields": "\n", "mark": "lost 1 x\n", "time": "sent 1x x\n", "no id": "sent 1 \n",
		"binary": "\x00\x01\x02\n", "too many": "sent 1 a b\n", "overflow": "sent 99999999999999999999 a\n",
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t)
			s := d.Slots(func() time.Time { return now })
			if _, err := d.sub("rate"); err != nil {
				t.Fatal(err)
			}
			text := good + bad + slotLine(markSent, "two", now)
			if err := os.WriteFile(logPath(d, "b"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := remembered(t, s, "b")
			var corrupt *CorruptError
			if !errors.As(err, &corrupt) || !strings.Contains(err.Error(), "line 2") || len(got) != 2 {
				t.Fatalf("%d remembered, %v", len(got), err)
			}
			if aside, err := os.ReadFile(corrupt.Path); err != nil || string(aside) != text {
				t.Errorf("set aside: %q, %v", aside, err)
			}
			if got, err := remembered(t, s, "b"); err != nil || len(got) != 2 {
				t.Errorf("afterwards: %d remembered, %v", len(got), err)
			}
		})
	}
}

func TestSlotsErrors(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	d := open(t)
	s := d.Slots(func() time.Time { return now })
	if err := s.Sent("b", "1", now); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(logPath(d, "b"), []byte("bad\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d.disk = brokenDisk{renaming: syscall.EROFS}
	if _, err := remembered(t, s, "b"); err == nil || !strings.Contains(err.Error(), "setting aside") {
		t.Errorf("got %v", err)
	}
	if err := os.MkdirAll(logPath(d, "dir"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := remembered(t, s, "dir"); err == nil || !strings.Contains(err.Error(), "reading") {
		t.Errorf("got %v", err)
	}
	if err := s.Sent("dir", "1", now); err == nil || !strings.Contains(err.Error(), "writing") {
		t.Errorf("got %v", err)
	}
}

// TestSlotsConcurrently lets several processes' worth of writers and readers
// share a log: nothing is lost, compaction included.
func TestSlotsConcurrently(t *testing.T) {
	d := open(t)
	now := time.Now()
	var wg sync.WaitGroup
	const writers, each = 4, 50
	for w := range writers {
		s := d.Slots(func() time.Time { return now })
		wg.Go(func() {
			for i := range each {
				id := fmt.Sprintf("%d-%d", w, i)
				if err := errors.Join(s.Sent("b", id, now), s.Done("b", id, now)); err != nil {
					t.Error(err)
				}
				if i%20 == 0 {
					stale := errors.Join(s.Sent("b", "old-"+id, now.Add(-2*slotMemory)))
					if err := errors.Join(stale, s.Open("b", func(time.Time, time.Time) {})); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	got, err := remembered(t, d.Slots(func() time.Time { return now }), "b")
	if err != nil || len(got) != writers*each {
		t.Errorf("%d of %d remembered, %v", len(got), writers*each, err)
	}
}

func TestSlotsLockedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := open(t)
		s := d.Slots(time.Now)
		if err := s.Sent("b", "1", time.Now()); err != nil {
			t.Fatal(err)
		}
		l, err := d.lock(t.Context(), strings.TrimSuffix(logPath(d, "b"), "log")+"lock", holder("x"), 0, false)
		if err != nil {
			t.Fatal(err)
		}
		defer release(t, l)
		start := time.Now()
		var locked *LockedError
		if err := s.Sent("b", "2", time.Now()); !errors.As(err, &locked) || time.Since(start) != slotLockWait {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
	})
}

func BenchmarkSlots(b *testing.B) {
	d, err := Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	s := d.Slots(time.Now)
	n := 0
	for b.Loop() {
		n++
		id := fmt.Sprint(n)
		if err := errors.Join(s.Sent("b", id, time.Now()), s.Done("b", id, time.Now())); err != nil {
			b.Fatal(err)
		}
	}
}
