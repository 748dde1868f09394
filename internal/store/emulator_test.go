package store

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func TestEmulatorStorage(t *testing.T) {
	d := open(t)
	e, err := d.EmulatorStorage(t.Context(), holder("descope-mgmt emulator, process 7"), 0)
	if err != nil {
		t.Fatal(err)
	}
	if data, err := e.Load("P2"); data != nil || err != nil {
		t.Errorf("never saved: %q, %v", data, err)
	}
	if err := errors.Join(e.Save("P2", []byte("one")), e.Save("../P3", []byte("three")), e.Save("P2", []byte("two"))); err != nil {
		t.Fatal(err)
	}
	var locked *LockedError
	if _, err := d.EmulatorStorage(t.Context(), holder("second"), 20*time.Millisecond); !errors.As(err, &locked) || !strings.Contains(err.Error(), "process 7") {
		t.Errorf("opened twice: %v", err)
	}
	if err := errors.Join(e.Close(), e.Close()); err != nil {
		t.Error(err)
	}
	if err := e.Save("P2", nil); err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("saved after close: %v", err)
	}
	again, err := d.EmulatorStorage(t.Context(), holder("second"), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close() //nolint:errcheck // the test is over
	for project, want := range map[string]string{"P2": "two", "../P3": "three", "p2": ""} {
		if got, err := again.Load(project); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", project, got, err)
		}
	}
	if got := mode(t, again.file("P2")); got != 0o600 {
		t.Errorf("mode %04o", got)
	}
	if err := errors.Join(again.Remove("P2"), again.Remove("never")); err != nil {
		t.Error(err)
	}
	if got, err := again.Load("P2"); got != nil || err != nil {
		t.Errorf("removed: %q, %v", got, err)
	}
}

func TestEmulatorStorageFails(t *testing.T) {
	d := open(t)
	e, err := d.EmulatorStorage(t.Context(), holder("x"), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close() //nolint:errcheck // the test is over
	if err := e.Save("P2", []byte("old")); err != nil {
		t.Fatal(err)
	}
	d.disk = brokenDisk{write: syscall.ENOSPC}
	if err := e.Save("P2", []byte("new")); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("got %v", err)
	}
	if got, _ := e.Load("P2"); string(got) != "old" {
		t.Errorf("holds %q", got)
	}
	if err := os.Mkdir(e.file("P4"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Load("P4"); err == nil || !strings.Contains(err.Error(), "reading") {
		t.Errorf("got %v", err)
	}
}

func TestEmulatorStorageConcurrently(t *testing.T) {
	e, err := open(t).EmulatorStorage(t.Context(), holder("x"), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close() //nolint:errcheck // the test is over
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 20 {
				want := strings.Repeat(fmt.Sprint(i), 1000+n)
				if err := e.Save("P2", []byte(want)); err != nil {
					t.Error(err)
				}
				got, err := e.Load("P2")
				if err != nil || strings.Trim(string(got), string(got[:1])) != "" {
					t.Errorf("read a mixture: %v", err)
				}
			}
		})
	}
	wg.Wait()
}

func TestEmulatorStorageProjects(t *testing.T) {
	e, err := open(t).EmulatorStorage(t.Context(), holder("emulator"), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close() //nolint:errcheck // the test is over
	for _, id := range []string{"P2b", "P2a"} {
		if err := e.Save(id, fmt.Appendf(nil, `{"projects":{%q:{}}}`, id)); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := e.Projects(); err != nil || fmt.Sprint(got) != "[P2a P2b]" {
		t.Errorf("%v, %v", got, err)
	}
	if err := e.Save("P2c", []byte("broken")); err != nil {
		t.Fatal(err)
	}
	if got, err := e.Projects(); err == nil {
		t.Errorf("a broken file gave %v", got)
	}
}
