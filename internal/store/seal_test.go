package store

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
)

func TestSealKey(t *testing.T) {
	umask(t, 0)
	d := open(t)
	if _, err := d.SealKey(false); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no key: got %v", err)
	}
	keys := make([][]byte, 8)
	var wg sync.WaitGroup
	for i := range keys {
		wg.Go(func() {
			var err error
			if keys[i], err = d.SealKey(true); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, key := range keys {
		if len(key) != 32 || !bytes.Equal(key, keys[0]) {
			t.Fatalf("keys %x", keys)
		}
	}
	if again, err := d.SealKey(false); err != nil || !bytes.Equal(again, keys[0]) {
		t.Errorf("got %x, %v", again, err)
	}
	if got := mode(t, d.sealKeyPath()); got != 0o600 {
		t.Errorf("mode %04o", got)
	}
	if other, err := open(t).SealKey(true); err != nil || bytes.Equal(other, keys[0]) {
		t.Errorf("another directory has the same key (%v)", err)
	}
}

func TestSealKeyErrors(t *testing.T) {
	d := open(t)
	if err := os.WriteFile(d.sealKeyPath(), []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	var corrupt *CorruptError
	for _, create := range []bool{false, true} {
		if _, err := d.SealKey(create); !errors.As(err, &corrupt) || corrupt.Path != d.sealKeyPath() || !strings.Contains(err.Error(), "5 bytes") {
			t.Errorf("got %v", err)
		}
	}
	d = open(t)
	d.disk = brokenDisk{write: syscall.ENOSPC}
	if key, err := d.SealKey(true); key != nil || !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "the disk is full") {
		t.Errorf("got %x, %v", key, err)
	}
	if _, err := d.SealKey(false); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("something was left: %v", err)
	}
	if err := os.RemoveAll(d.Path()); err != nil {
		t.Fatal(err)
	}
	if _, err := d.SealKey(true); err == nil {
		t.Error("a key was made in a directory that is gone")
	}
}
