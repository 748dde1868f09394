package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// holder is a command that runs on this host.
func holder(operation string) Holder {
	return Holder{
		User: "ada", Host: "build-7", PID: 4711, Operation: operation,
		Since: time.Date(2026, 11, 24, 14, 30, 15, 0, time.UTC),
	}
}

func release(t *testing.T, l *Lock) {
	t.Helper()
	if err := l.Release(); err != nil {
		t.Error(err)
	}
}

func TestLock(t *testing.T) {
	d := open(t)
	s := scope(t, d)
	ctx := t.Context()
	l, err := s.Lock(ctx, holder("descope-mgmt sync"), 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Held(); err != nil {
		t.Error(err)
	}
	var locked *LockedError
	_, err = s.Lock(ctx, holder("another"), 0)
	if !errors.As(err, &locked) || locked.Holder != l.Holder() || locked.Free {
		t.Errorf("got %v", err)
	}
	want := "descope-mgmt sync (process 4711 of ada on build-7, since 2026-11-24T14:30:15Z, lock id " +
		l.Holder().ID + ") is running; lock file: " + filepath.Join(d.Path(), "locks", s.Name()+".lock")
	if err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	other, _ := d.Scope("https://api.descope.com", "P3")
	if free, err := other.Lock(ctx, holder("x"), 0); err != nil || free.Release() != nil {
		t.Errorf("another project is locked too: %v", err)
	}
	release(t, l)
	release(t, l)
	if err := l.Held(); err == nil || !strings.Contains(err.Error(), "it was given back or forced") {
		t.Errorf("released: got %v", err)
	}
	named := holder("third")
	named.ID = "mine"
	if l, err = s.Lock(ctx, named, 0); err != nil {
		t.Fatal(err)
	}
	defer release(t, l)
	if l.Holder() != named {
		t.Errorf("got %+v", l.Holder())
	}
	for _, path := range []string{locked.Path, guard(locked.Path)} {
		if got := mode(t, path); got != 0o600 {
			t.Errorf("%s has mode %04o", path, got)
		}
	}
}

func TestLockWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := scope(t, open(t))
		first, err := s.Lock(t.Context(), holder("first"), 0)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if _, err := s.Lock(t.Context(), holder("second"), time.Minute); err == nil || time.Since(start) != time.Minute {
			t.Errorf("gave up after %v with %v", time.Since(start), err)
		}
		time.AfterFunc(10*time.Second, func() { _ = first.Release() })
		start = time.Now()
		third, err := s.Lock(t.Context(), holder("third"), time.Minute)
		if err != nil || time.Since(start) > 11*time.Second {
			t.Fatalf("after %v: %v", time.Since(start), err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var locked *LockedError
		_, err = s.Lock(ctx, holder("fourth"), time.Minute)
		if !errors.Is(err, context.DeadlineExceeded) || errors.As(err, &locked) || !strings.HasPrefix(err.Error(), "locking ") {
			t.Errorf("cancelled: got %v", err)
		}
		release(t, third)
	})
}

func TestLockExcludes(t *testing.T) {
	s := scope(t, open(t))
	var wg sync.WaitGroup
	var inside atomic.Int32 // the race detector knows nothing of file locks
	for i := range 8 {
		wg.Go(func() {
			l, err := s.Lock(t.Context(), holder(fmt.Sprint(i)), time.Minute)
			if err != nil {
				t.Error(err)
				return
			}
			if n := inside.Add(1); n != 1 {
				t.Errorf("%d are inside", n)
			}
			if err := l.Held(); err != nil {
				t.Error(err)
			}
			inside.Add(-1)
			release(t, l)
		})
	}
	wg.Wait()
}

// TestLockHasOneWinner: of twenty at once one wins, and all others learn who.
func TestLockHasOneWinner(t *testing.T) {
	d := open(t)
	won, lost := make(chan *Lock, 20), make(chan error, 20)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			l, err := scope(t, d).Lock(t.Context(), holder(fmt.Sprint("run ", i)), 0)
			if err != nil {
				lost <- err
			} else {
				won <- l
			}
		})
	}
	wg.Wait()
	if len(won) != 1 {
		t.Fatalf("%d won", len(won))
	}
	winner := <-won
	defer release(t, winner)
	for range len(lost) {
		var locked *LockedError
		if err := <-lost; !errors.As(err, &locked) || locked.Holder != winner.Holder() {
			t.Errorf("got %v, and %s won", err, winner.Holder())
		}
	}
}

// TestLockOfADeadProcess: a lock ends with the process that holds it, however
// that ends, and what it said about itself does not keep the next one out.
func TestLockOfADeadProcess(t *testing.T) {
	if dir := os.Getenv("STORE_TEST_LOCK_DIR"); dir != "" {
		d, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := scope(t, d).Lock(t.Context(), holder("the child"), 0); err != nil {
			t.Fatal(err)
		}
		fmt.Println("locked")
		time.Sleep(time.Minute)
		return
	}
	d := open(t)
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestLockOfADeadProcess$")
	child.Env = append(os.Environ(), "STORE_TEST_LOCK_DIR="+d.Path())
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 64)); err != nil {
		t.Fatal(err)
	}
	var locked *LockedError
	_, err = scope(t, d).Lock(t.Context(), holder("parent"), 0)
	if !errors.As(err, &locked) || locked.Holder.Operation != "the child" {
		t.Fatalf("while the child lives: %v", err)
	}
	if _, err := scope(t, d).ForceUnlock(locked.Holder.ID, "build-7"); !errors.As(err, &locked) ||
		!strings.Contains(err.Error(), "its holder is alive, on this host: the child (process 4711") {
		t.Errorf("forced while the child lives: %v", err)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait()
	if _, err := scope(t, d).ForceUnlock(locked.Holder.ID, "build-7"); !errors.Is(err, ErrNotLocked) ||
		!strings.Contains(err.Error(), "is dead") {
		t.Errorf("forced after its death: %v", err)
	}
	l, err := scope(t, d).Lock(t.Context(), holder("parent"), time.Second)
	if err != nil {
		t.Fatalf("after its death: %v", err)
	}
	release(t, l)
}

// TestLockLeftOnAnotherHost: the kernel finds a lock free that a holder elsewhere
// did not give back. That is not taken for a dead process.
func TestLockLeftOnAnotherHost(t *testing.T) {
	s := scope(t, open(t))
	elsewhere := holder("descope-mgmt sync")
	elsewhere.ID, elsewhere.Host = "abc", "build-8"
	l, err := s.Lock(t.Context(), elsewhere, 0)
	if err != nil {
		t.Fatal(err)
	}
	path := l.path
	release(t, l)
	if err := writeHolder(path, elsewhere); err != nil {
		t.Fatal(err)
	}
	var locked *LockedError
	for range 2 {
		_, err := s.Lock(t.Context(), holder("here"), time.Minute)
		if !errors.As(err, &locked) || !locked.Free || locked.Holder != elsewhere ||
			!strings.HasPrefix(err.Error(), "descope-mgmt sync (process 4711 of ada on build-8, since 2026-11-24T14:30:15Z, lock id abc) did not give its lock back") {
			t.Fatalf("got %v", err)
		}
	}
	if l, err = s.Lock(t.Context(), Holder{Host: "build-8"}, 0); err != nil {
		t.Fatalf("its own host: %v", err)
	}
	release(t, l)
	if err := writeHolder(path, elsewhere); err != nil {
		t.Fatal(err)
	}
	if was, err := s.ForceUnlock("abc", "build-7"); err != nil || was != elsewhere {
		t.Errorf("got %+v, %v", was, err)
	}
	if l, err = s.Lock(t.Context(), holder("here"), 0); err != nil {
		t.Fatal(err)
	}
	release(t, l)
}

func TestForceUnlock(t *testing.T) {
	s := scope(t, open(t))
	if _, err := s.ForceUnlock("abc", "build-7"); !errors.Is(err, ErrNotLocked) {
		t.Errorf("never locked: got %v", err)
	}
	elsewhere := holder("descope-mgmt sync")
	elsewhere.Host = "build-8"
	old, err := s.Lock(t.Context(), elsewhere, 0)
	if err != nil {
		t.Fatal(err)
	}
	var locked *LockedError
	if _, err := s.ForceUnlock("abc", "build-7"); !errors.As(err, &locked) || locked.Holder != old.Holder() {
		t.Errorf("another id: got %v", err)
	}
	if _, err := s.ForceUnlock(old.Holder().ID, "build-8"); !errors.As(err, &locked) {
		t.Errorf("alive on its host: got %v", err)
	}
	if err := old.Held(); err != nil {
		t.Fatalf("refused, yet %v", err)
	}
	was, err := s.ForceUnlock(old.Holder().ID, "build-7")
	if err != nil || was != old.Holder() {
		t.Fatalf("got %v, %v", was, err)
	}
	if err := old.Held(); err == nil || !strings.Contains(err.Error(), "given back or forced") {
		t.Errorf("forced: got %v", err)
	}
	if _, err := s.ForceUnlock(old.Holder().ID, "build-7"); !errors.Is(err, ErrNotLocked) {
		t.Errorf("twice: got %v", err)
	}
	l, err := s.Lock(t.Context(), holder("next"), 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := old.Held(); err == nil || !strings.Contains(err.Error(), "it was forced, and next (process") {
		t.Errorf("taken by the next: got %v", err)
	}
	release(t, old) // must not touch what the next one holds
	if err := l.Held(); err != nil {
		t.Error(err)
	}
	if _, err := s.Lock(t.Context(), holder("third"), 0); !errors.As(err, &locked) || locked.Holder != l.Holder() {
		t.Errorf("got %v", err)
	}
	release(t, l)
	if _, err := s.ForceUnlock(l.Holder().ID, "build-7"); !errors.Is(err, ErrNotLocked) {
		t.Errorf("given back: got %v", err)
	}
}

// TestForceUnlockRaces: while others take a lock and give it back, somebody forces
// whoever has it. Only those that were named lose it, never the one after.
func TestForceUnlockRaces(t *testing.T) {
	s := scope(t, open(t))
	path, err := s.lockPath()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	var lost, forced sync.Map
	var taken, ended atomic.Int32
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for ctx.Err() == nil {
				l, err := s.Lock(t.Context(), holder("worker"), time.Minute)
				if err != nil {
					t.Error(err)
					return
				}
				taken.Add(1)
				time.Sleep(time.Duration(taken.Load()%4) * 100 * time.Microsecond)
				if l.Held() != nil {
					lost.Store(l.Holder().ID, true)
				}
				release(t, l)
			}
		})
	}
	wg.Go(func() {
		for ctx.Err() == nil {
			h, err := holderOf(path)
			if err != nil {
				t.Error(err)
				return
			}
			if was, err := s.ForceUnlock(h.ID, "elsewhere"); err == nil && was == h {
				forced.Store(h.ID, true)
				ended.Add(1)
			}
		}
	})
	wg.Wait()
	lost.Range(func(id, _ any) bool {
		if _, named := forced.Load(id); !named {
			t.Errorf("%s lost the lock, and nobody forced it", id)
		}
		return true
	})
	if taken.Load() < 5 || ended.Load() == 0 {
		t.Errorf("taken %d times, forced %d times: hardly a test", taken.Load(), ended.Load())
	}
}

// TestLockFileRemoved: whoever removes a lock file by hand lets a second one in;
// the first notices.
func TestLockFileRemoved(t *testing.T) {
	s := scope(t, open(t))
	first, err := s.Lock(t.Context(), holder("first"), 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(first.path); err != nil {
		t.Fatal(err)
	}
	if err := first.Held(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	second, err := s.Lock(t.Context(), holder("second"), 0)
	if err != nil {
		t.Fatal(err)
	}
	release(t, first)
	if err := second.Held(); err != nil {
		t.Error(err)
	}
	copied := *second
	copied.path = filepath.Join(t.TempDir(), "copy")
	text, err := os.ReadFile(second.path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(copied.path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := copied.Held(); err == nil {
		t.Error("a copy passes for the lock file")
	}
	release(t, second)
}

// TestLockFileOfAnOlderVersion: text that is no holder is a holder unknown.
func TestLockFileUnreadable(t *testing.T) {
	s := scope(t, open(t))
	l, err := s.Lock(t.Context(), holder("first"), 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(l.path, []byte("descope-mgmt sync, process 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var locked *LockedError
	if _, err := s.Lock(t.Context(), holder("second"), 0); !errors.As(err, &locked) || !strings.HasPrefix(err.Error(), "another process is running; lock file: ") {
		t.Errorf("got %v", err)
	}
	if err := l.Held(); err == nil {
		t.Error("its name is gone, yet it says that it holds the lock")
	}
	release(t, l)
}

func TestLockOfATeam(t *testing.T) {
	umask(t, 0o027)
	path := t.TempDir()
	if err := os.Chmod(path, 0o770|fs.ModeSetgid); err != nil {
		t.Fatal(err)
	}
	d, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := holder("x")
	elsewhere.Host = "build-8"
	l, err := scope(t, d).Lock(t.Context(), elsewhere, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer release(t, l)
	check := func() {
		t.Helper()
		for file, want := range map[string]fs.FileMode{l.path: 0o660, guard(l.path): 0o660, filepath.Dir(l.path): 0o770} {
			if got := mode(t, file); got != want {
				t.Errorf("%s has mode %04o", file, got)
			}
		}
	}
	check()
	if _, err := scope(t, d).ForceUnlock(l.Holder().ID, "build-7"); err != nil {
		t.Fatal(err)
	}
	check()
}

func TestLockErrors(t *testing.T) {
	d := open(t)
	s := scope(t, d)
	if err := os.MkdirAll(d.Path()+"/locks/"+s.Name()+".lock", 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Lock(t.Context(), holder("x"), 0); err == nil || !strings.Contains(err.Error(), "locking ") {
		t.Errorf("got %v", err)
	}
	if _, err := s.ForceUnlock("abc", "build-7"); err == nil {
		t.Error("a directory was unlocked")
	}
	if err := os.RemoveAll(d.Path()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Lock(t.Context(), holder("x"), 0); err == nil {
		t.Error("locked in a directory that is gone")
	}
	if _, err := s.ForceUnlock("abc", "build-7"); err == nil {
		t.Error("unlocked in a directory that is gone")
	}
	if _, err := d.EmulatorStorage(t.Context(), holder("x"), 0); err == nil {
		t.Error("opened in a directory that is gone")
	}
	slots := d.Slots(time.Now)
	if err := slots.Sent("b", "1", time.Now()); err == nil {
		t.Error("recorded in a directory that is gone")
	}
}
