//go:build unix

package store

import (
	"syscall"
	"testing"
)

// umask decides which permissions new files lose. Tests that use it must not
// run in parallel.
func umask(t *testing.T, mask int) {
	t.Helper()
	old := syscall.Umask(mask)
	t.Cleanup(func() { syscall.Umask(old) })
}
