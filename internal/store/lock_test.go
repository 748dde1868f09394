package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestLock(t *testing.T) {
	d := open(t)
	s := scope(t, d)
	ctx := t.Context()
	release, err := s.Lock(ctx, "descope-mgmt sync, process 1", 0)
	if err != nil {
		t.Fatal(err)
	}
	var locked *LockedError
	if _, err := s.Lock(ctx, "another", 0); !errors.As(err, &locked) || !strings.Contains(err.Error(), "in use by descope-mgmt sync, process 1") {
		t.Errorf("got %v", err)
	}
	other, _ := d.Scope("https://api.descope.com", "P3")
	if free, err := other.Lock(ctx, "x", 0); err != nil || free() != nil {
		t.Errorf("another project is locked too: %v", err)
	}
	if err := errors.Join(release(), release()); err != nil {
		t.Error(err)
	}
	release, err = s.Lock(ctx, "third", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer release() //nolint:errcheck // the test is over
	if got := mode(t, locked.Path); got != 0o600 {
		t.Errorf("lock file has mode %04o", got)
	}
}

func TestLockWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := scope(t, open(t))
		release, err := s.Lock(t.Context(), "first", 0)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if _, err := s.Lock(t.Context(), "second", time.Minute); err == nil || time.Since(start) != time.Minute {
			t.Errorf("gave up after %v with %v", time.Since(start), err)
		}
		time.AfterFunc(10*time.Second, func() { _ = release() })
		start = time.Now()
		again, err := s.Lock(t.Context(), "third", time.Minute)
		if err != nil || time.Since(start) > 11*time.Second {
			t.Fatalf("after %v: %v", time.Since(start), err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var locked *LockedError
		if _, err := s.Lock(ctx, "fourth", time.Minute); !errors.Is(err, context.DeadlineExceeded) || errors.As(err, &locked) {
			t.Errorf("cancelled: got %v", err)
		}
		if err := again(); err != nil {
			t.Error(err)
		}
	})
}

func TestLockExcludes(t *testing.T) {
	s := scope(t, open(t))
	var wg sync.WaitGroup
	var inside atomic.Int32 // the race detector knows nothing of file locks
	for i := range 8 {
		wg.Go(func() {
			release, err := s.Lock(t.Context(), fmt.Sprint(i), time.Minute)
			if err != nil {
				t.Error(err)
				return
			}
			if n := inside.Add(1); n != 1 {
				t.Errorf("%d are inside", n)
			}
			inside.Add(-1)
			if err := release(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// TestLockOfADeadProcess shows that a lock ends with the process that holds it.
func TestLockOfADeadProcess(t *testing.T) {
	if dir := os.Getenv("STORE_TEST_LOCK_DIR"); dir != "" {
		d, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := scope(t, d).Lock(t.Context(), "the child", 0); err != nil {
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
	if _, err := scope(t, d).Lock(t.Context(), "parent", 0); err == nil || !strings.Contains(err.Error(), "in use by the child") {
		t.Errorf("while the child lives: %v", err)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait()
	release, err := scope(t, d).Lock(t.Context(), "parent", time.Second)
	if err != nil {
		t.Fatalf("after its death: %v", err)
	}
	if err := release(); err != nil {
		t.Error(err)
	}
}

func TestLockErrors(t *testing.T) {
	if got := (&LockedError{Path: "x"}).Error(); got != "x is in use by another process" {
		t.Errorf("got %q", got)
	}
	d := open(t)
	s := scope(t, d)
	if err := os.MkdirAll(d.Path()+"/locks/"+s.Name()+".lock", 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Lock(t.Context(), "x", 0); err == nil || !strings.Contains(err.Error(), "locking") {
		t.Errorf("got %v", err)
	}
	if err := os.RemoveAll(d.Path()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Lock(t.Context(), "x", 0); err == nil {
		t.Error("locked in a directory that is gone")
	}
	if _, err := d.EmulatorStorage(t.Context(), "x", 0); err == nil {
		t.Error("opened in a directory that is gone")
	}
	slots := d.Slots(time.Now)
	if err := slots.Sent("b", "1", time.Now()); err == nil {
		t.Error("recorded in a directory that is gone")
	}
}
