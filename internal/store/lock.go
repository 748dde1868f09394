package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gofrs/flock"
)

// Lock is a lock that this process holds. It is safe for concurrent use.
type Lock struct {
	path   string
	holder Holder
	// file is the file that is locked, whatever has its name by now.
	file    *os.File
	release func() error
}

// Lock keeps every other run, in this process or another, from writing to the
// project until it is released. It waits at most as long as given, then returns
// a [LockedError] that names the holder. h.ID is made up if it is empty.
//
// The lock is the kernel's (flock), so it ends with the process, however that
// ends: that of a dead process on this host (h.Host) is taken over without a
// word. Where a holder on another host left its name, although the kernel finds
// the lock free, it died there, or the mount does not carry locks from host to
// host, and nobody can tell which: that is a [LockedError] with Free set, at
// once, and [Scope.ForceUnlock] is the way out.
//
// The lock covers all who use the same state directory, and nobody else: a
// colleague or a runner with a directory of its own is not kept out.
//
// On NFS the server carries flock out as a lock on a range of bytes (Linux since
// 2.6.12). That needs NFS 4, or NFS 3 with lockd and statd at both ends, mounted
// without nolock and local_lock, which keep locks on one host. When a host loses
// its power, NFS 4 keeps its locks until their lease ends, usually 90 seconds,
// and NFS 3 until it is back.
func (s *Scope) Lock(ctx context.Context, h Holder, wait time.Duration) (*Lock, error) {
	path, err := s.lockPath()
	if err != nil {
		return nil, err
	}
	return s.dir.lock(ctx, path, h, wait, true)
}

func (s *Scope) lockPath() (string, error) {
	dir, err := s.dir.sub("locks")
	return filepath.Join(dir, s.name+".lock"), err
}

// Holder is who holds the lock, with its id.
func (l *Lock) Holder() Holder { return l.holder }

// Release lets others take the lock. Only the first call does something; all
// return its error.
func (l *Lock) Release() error { return l.release() }

// Held returns nil while the lock is ours, and an error once it was released or
// forced by somebody. It opens and reads one small file; on NFS that asks the
// server, so that it notices what was done on another host.
func (l *Lock) Held() error {
	now, same, err := l.look()
	switch {
	case err != nil:
		return fmt.Errorf("the lock is lost (%s): %w", l.path, err)
	case now.ID == "":
		return fmt.Errorf("the lock is lost: it was given back or forced (%s)", l.path)
	case now.ID != l.holder.ID || !same:
		return fmt.Errorf("the lock is lost: it was forced, and %s has it now (%s)", now, l.path)
	default:
		return nil
	}
}

// look returns who has the lock by its file, and whether that is the file that
// was locked.
func (l *Lock) look() (now Holder, same bool, err error) {
	f, err := os.Open(l.path)
	if err != nil {
		return Holder{}, false, err
	}
	defer f.Close() //nolint:errcheck // nothing was written
	if now, err = readHolder(f); err != nil || now.ID == "" {
		return now, false, err
	}
	same, err = sameFile(f, l.file)
	return now, same, err
}

// lock takes a lock file exclusively. The file stays, since removing one that
// others wait for would let two of them in. strict refuses a lock that is free
// but for the name of a holder on another host.
//
// Whatever is done to a lock file but giving it back is done under a second lock,
// its guard, so that a lock that is held always says by whom, and nobody takes a
// file that is being replaced.
func (d *Dir) lock(ctx context.Context, path string, h Holder, wait time.Duration, strict bool) (*Lock, error) {
	if h.ID == "" {
		h.ID = rand.Text()[:12]
	}
	var l *Lock
	var other Holder
	err := acquire(ctx, func() (bool, error) {
		err := d.exclusively(ctx, guard(path), func() (err error) {
			l, other, err = d.tryLock(path, h, strict)
			return err
		})
		return l != nil, err
	}, wait)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		err = &LockedError{Path: path, Holder: other}
	}
	if locked := (*LockedError)(nil); err != nil && !errors.As(err, &locked) {
		err = explain("locking", path, err)
	}
	return l, err
}

func guard(path string) string { return path + ".guard" }

// tryLock takes a lock, under its guard. No lock and no error: the other holder
// has it.
func (d *Dir) tryLock(path string, h Holder, strict bool) (l *Lock, other Holder, err error) {
	if err := d.touch(path); err != nil {
		return nil, Holder{}, err
	}
	fl := flock.New(path, flock.SetFlag(os.O_RDWR))
	locked, err := fl.TryLock()
	if err != nil {
		return nil, Holder{}, err
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, Holder{}, errors.Join(err, fl.Unlock())
	}
	other, err = readHolder(f)
	if locked && err == nil {
		locked, err = sameFile(f, fl) // or somebody removed it by hand
	}
	if locked && err == nil && strict && other.ID != "" && other.Host != h.Host {
		err = &LockedError{Path: path, Holder: other, Free: true}
	}
	if locked && err == nil {
		err = writeHolder(path, h)
	}
	if !locked || err != nil {
		return nil, other, errors.Join(err, fl.Unlock(), f.Close())
	}
	return &Lock{path: path, holder: h, file: f, release: sync.OnceValue(func() error {
		return explain("unlocking", path, errors.Join(f.Truncate(0), fl.Unlock(), f.Close()))
	})}, Holder{}, nil
}

type stater interface{ Stat() (os.FileInfo, error) }

func sameFile(a, b stater) (bool, error) {
	x, err := a.Stat()
	if err != nil {
		return false, err
	}
	y, err := b.Stat()
	return err == nil && os.SameFile(x, y), err
}
