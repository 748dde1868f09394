//go:build unix

package store

import (
	"io/fs"
	"syscall"
)

// owner is the user id that a file belongs to.
func owner(info fs.FileInfo) (uid int, known bool) {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(s.Uid), true
}

// permissions are who may do what with a file.
func permissions(info fs.FileInfo) fs.FileMode { return info.Mode().Perm() }
