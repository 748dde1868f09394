package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/gofrs/flock"
)

// ErrNotLocked is a lock that nobody holds.
var ErrNotLocked = errors.New("nobody holds the lock")

// ForceUnlock takes the lock away from a holder on another host that is known to
// be dead, and returns who that was. id is the holder's, from the [LockedError];
// host is this one. It refuses
//
//   - if nobody holds the lock, or a process of this host that died, so that the
//     lock is free already: [ErrNotLocked];
//   - if somebody else holds it than id says: a [LockedError];
//   - if the holder is on this host and alive, which the kernel knows: a
//     [LockedError]; end that process instead.
//
// The lock file is replaced. Should the holder be alive after all, its
// [Lock.Held] fails from then on; a write that it has begun is not undone.
func (s *Scope) ForceUnlock(id, host string) (Holder, error) {
	path, err := s.lockPath()
	if err != nil {
		return Holder{}, err
	}
	var holder Holder
	err = s.dir.exclusively(context.Background(), guard(path), func() (err error) {
		if holder, err = holderOf(path); err != nil {
			return explain("unlocking", path, err)
		}
		if err := mayForce(path, holder, id, host); err != nil {
			return err
		}
		return replace(s.dir.disk, path, nil, s.dir.fileMode(), true)
	})
	if err != nil {
		return Holder{}, err
	}
	return holder, nil
}

// holderOf is who the lock file says holds it, nobody being the zero Holder.
func holderOf(path string) (Holder, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Holder{}, nil
	}
	if err != nil {
		return Holder{}, err
	}
	defer f.Close() //nolint:errcheck // nothing was written
	return readHolder(f)
}

func mayForce(path string, holder Holder, id, host string) error {
	if holder.ID == "" {
		return fmt.Errorf("%w (%s)", ErrNotLocked, path)
	}
	if holder.ID != id {
		return fmt.Errorf("%q is not the id of who holds the lock now: %w", id, &LockedError{Path: path, Holder: holder})
	}
	if holder.Host != host {
		return nil
	}
	l := flock.New(path, flock.SetFlag(os.O_RDWR))
	free, err := l.TryLock()
	switch {
	case err != nil:
		return explain("unlocking", path, err)
	case free:
		err = fmt.Errorf("%w any more: its holder, on this host, is dead (%s)", ErrNotLocked, path)
		return errors.Join(err, l.Unlock())
	default:
		return fmt.Errorf("its holder is alive, on this host: %w", &LockedError{Path: path, Holder: holder})
	}
}
