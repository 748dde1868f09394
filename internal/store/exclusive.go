package store

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/gofrs/flock"
)

const (
	// A lock that is held is tried again this often, at first and at most; a
	// blocking lock could not be cancelled.
	pollFirst = 5 * time.Millisecond
	pollLast  = 80 * time.Millisecond
	// briefWait bounds the wait for a lock that is only held for a few
	// operations on the disk.
	briefWait = 10 * time.Second
)

// exclusively runs f while it holds a lock file, which is made if it is not
// there. It is for a few operations that must not be interleaved with those of
// another process or goroutine; a holder that does not come to its end is a
// [LockedError].
func (d *Dir) exclusively(ctx context.Context, path string, f func() error) error {
	return d.locked(ctx, path, briefWait, (*flock.Flock).TryLock, f)
}

// locked runs f while it holds a lock file as try takes it, alone or with others.
func (d *Dir) locked(ctx context.Context, path string, wait time.Duration, try func(*flock.Flock) (bool, error), f func() error) error {
	if err := d.touch(path); err != nil {
		return explain("locking", path, err)
	}
	l := flock.New(path, flock.SetFlag(os.O_RDWR)) // on NFS, what is locked exclusively must be open for writing
	if err := acquire(ctx, func() (bool, error) { return try(l) }, wait); err != nil {
		if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
			return &LockedError{Path: path}
		}
		return explain("locking", path, err)
	}
	return errors.Join(f(), l.Unlock())
}

// acquire tries until it succeeds, fails, or has waited long enough, which is
// context.DeadlineExceeded. It tries at least once.
func acquire(ctx context.Context, try func() (bool, error), wait time.Duration) error {
	timeout := time.NewTimer(wait)
	defer timeout.Stop()
	for pause := pollFirst; ; pause = min(2*pause, pollLast) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if ok, err := try(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
		case <-timeout.C:
			return context.DeadlineExceeded
		case <-time.After(pause):
		}
	}
}
