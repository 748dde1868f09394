package store

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"
)

// pollEvery is how often a lock that is held is tried again. A blocking lock
// could not be cancelled.
const pollEvery = 5 * time.Millisecond

// Lock keeps every other run, in this process or another, from writing to the
// project until release is called. It waits at most as long as given, then
// returns a [LockedError] with what the holder said about itself. The lock ends
// with the process, however that ends. holder is one line, for example
// "descope-mgmt sync, process 4711, since 14:30".
func (s *Scope) Lock(ctx context.Context, holder string, wait time.Duration) (release func() error, err error) {
	dir, err := s.dir.sub("locks")
	if err != nil {
		return nil, err
	}
	return s.dir.lock(ctx, dir+string(os.PathSeparator)+s.name+".lock", holder, wait)
}

// lock takes a lock file exclusively. The file stays, since removing one that
// others wait for would let two of them in.
func (d *Dir) lock(ctx context.Context, path, holder string, wait time.Duration) (release func() error, err error) {
	if err := d.touch(path); err != nil {
		return nil, explain("locking", path, err)
	}
	l := flock.New(path, flock.SetFlag(os.O_RDWR))
	if err := acquire(ctx, l.TryLock, wait); err != nil {
		if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
			text, _ := os.ReadFile(path)
			return nil, &LockedError{Path: path, Holder: strings.TrimSpace(string(text))}
		}
		return nil, explain("locking", path, err)
	}
	write := func(text string) error { return os.WriteFile(path, []byte(text), d.fileMode()) }
	if err := write(holder + "\n"); err != nil {
		return nil, errors.Join(explain("locking", path, err), l.Unlock())
	}
	return sync.OnceValue(func() error {
		return errors.Join(write(""), l.Unlock())
	}), nil
}

// acquire tries until it succeeds, fails, or has waited long enough, which is
// context.DeadlineExceeded. It tries at least once.
func acquire(ctx context.Context, try func() (bool, error), wait time.Duration) error {
	timeout := time.NewTimer(wait)
	defer timeout.Stop()
	for {
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
		case <-time.After(pollEvery):
		}
	}
}
