package cli

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"pcconnect.ai/descope-mgmt/internal/emulator"
)

// TestPruneOnAFullDisk: what makes room needs none.
func TestPruneOnAFullDisk(t *testing.T) {
	mount := t.TempDir()
	if err := syscall.Mount("tmpfs", mount, "tmpfs", 0, "size=1m,mode=700"); err != nil {
		t.Skipf("no file system can be mounted: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(mount, syscall.MNT_DETACH) })
	w := newWorld(t, emulator.Options{})
	w.env["DESCOPE_STATE_DIR"] = filepath.Join(mount, "state")
	w.mustRun(exitOK, "sync", "--env", "dev", "--yes")
	f, err := os.Create(filepath.Join(mount, "ballast"))
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = f.Write(make([]byte, 1024))
	}
	if !errors.Is(err, syscall.ENOSPC) || f.Close() != nil {
		t.Fatal(err)
	}
	w.edit("envs/tenants.cue", "standard", "premium")
	contains(t, w.mustRun(exitFailed, "sync", "--env", "dev", "--yes").err, "the disk is full")
	contains(t, w.mustRun(exitOK, "backup", "prune", "--env", "dev", "--older-than", "0h").out, "Removed ", "pre-sync")
}
