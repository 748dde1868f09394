package store

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
)

// CorruptError is a file that does not hold what was written to it.
type CorruptError struct {
	Path string
	// Reason says what does not fit; Advice what the user can do.
	Reason, Advice string
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("%s is damaged (%s); %s", e.Path, e.Reason, e.Advice)
}

// LockedError is a lock that somebody else holds.
type LockedError struct {
	Path string
	// Holder is what the holder said about itself, or "".
	Holder string
}

func (e *LockedError) Error() string {
	if e.Holder == "" {
		return fmt.Sprintf("%s is in use by another process", e.Path)
	}
	return fmt.Sprintf("%s is in use by %s", e.Path, e.Holder)
}

// explain names what was being done to which file, and puts the common causes
// in plain words.
func explain(doing, path string, err error) error {
	if err == nil {
		return nil
	}
	cause := ""
	switch {
	case errors.Is(err, syscall.ENOSPC):
		cause = "the disk is full: "
	case errors.Is(err, syscall.EDQUOT):
		cause = "the disk quota is used up: "
	case errors.Is(err, syscall.EROFS):
		cause = "the file system is read-only: "
	case errors.Is(err, syscall.ENOTDIR):
		cause = "a part of the path is a file, not a directory: "
	case errors.Is(err, fs.ErrPermission):
		cause = "you may not: "
	}
	return fmt.Errorf("%s %s: %s%w", doing, path, cause, err)
}
