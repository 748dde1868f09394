package store

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
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
	// Holder is what the holder said about itself; zero if it is not known.
	Holder Holder
	// Free: the kernel finds the lock free, but its holder, on another host, did
	// not give it back. See [Scope.Lock].
	Free bool
}

func (e *LockedError) Error() string {
	if e.Free {
		return fmt.Sprintf("%s did not give its lock back: it died, or its host does not share locks with this one; lock file: %s", e.Holder, e.Path)
	}
	return fmt.Sprintf("%s is running; lock file: %s", e.Holder, e.Path)
}

// NotFoundError is a name that nothing kept on disk answers to, or too much does.
type NotFoundError struct {
	// What kind of thing was looked for ("backup", "run"), and under which name.
	What, Name string
	// Known are the names there are, newest first; of an ambiguous name those
	// that it may mean.
	Known     []string
	Ambiguous bool
}

func (e *NotFoundError) Error() string {
	const shown = 5
	known := strings.Join(e.Known[:min(len(e.Known), shown)], ", ")
	if more := len(e.Known) - shown; more > 0 {
		known += fmt.Sprintf(" and %d more", more)
	}
	switch {
	case e.Ambiguous:
		return fmt.Sprintf("%s %q may be any of %s", e.What, e.Name, known)
	case known == "":
		return fmt.Sprintf("there is no %s %q: there are none", e.What, e.Name)
	default:
		return fmt.Sprintf("there is no %s %q; there are, newest first: %s", e.What, e.Name, known)
	}
}

// latest is the name of the newest of whatever is looked for.
const latest = "latest"

// find returns the index of the one that a name means among known names, newest
// first: "latest", the whole name, or a beginning that only one has. The error is
// a [NotFoundError].
func find(what, name string, known []string) (int, error) {
	if name == latest && len(known) > 0 {
		return 0, nil
	}
	if i := slices.Index(known, name); i >= 0 {
		return i, nil
	}
	var found []int
	var candidates []string
	for i, k := range known {
		if name != "" && strings.HasPrefix(k, name) {
			found = append(found, i)
			candidates = append(candidates, k)
		}
	}
	switch len(found) {
	case 0:
		return 0, &NotFoundError{What: what, Name: name, Known: known}
	case 1:
		return found[0], nil
	default:
		return 0, &NotFoundError{What: what, Name: name, Known: candidates, Ambiguous: true}
	}
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
	case doing == "writing" && errors.Is(err, fs.ErrNotExist):
		cause = "there is no such directory: "
	}
	return fmt.Errorf("%s %s: %s%w", doing, path, cause, err)
}
