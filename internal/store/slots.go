package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"
)

const (
	// slotMemory is how long a request is remembered at least.
	slotMemory = time.Hour
	// slotLogBytes is the size at which a log is compacted while it is written.
	slotLogBytes = 4 << 20
	// slotLockWait bounds how long a request waits for another process.
	slotLockWait = 2 * time.Second
)

// Slots is the rate limiter's memory of the requests that were sent, one log per
// budget, shared by all processes that use the state directory. A record is in
// the hands of the system before the call returns, so that killing the process
// does not lose it; it need not survive a power failure. Safe for concurrent use.
type Slots struct {
	dir *Dir
	now func() time.Time
	mu  sync.Mutex // orders the writers of this process
}

// Slots is the memory kept in the directory. now tells what may be forgotten.
func (d *Dir) Slots(now func() time.Time) *Slots { return &Slots{dir: d, now: now} }

// Open calls yield for each remembered request of a budget, oldest first; done
// is zero where no answer was recorded. What is too old is dropped from the log.
// A last line that a crash cut short is dropped silently. Any other damage sets
// the log aside under another name and is reported in a [CorruptError], after
// yield has seen all that could be read.
func (s *Slots) Open(budget string, yield func(sent, done time.Time)) error {
	var entries []slot
	err := s.locked(budget, true, func(path string) error {
		var err error
		entries, err = s.compact(path)
		return err
	})
	for _, e := range entries {
		yield(e.sent, e.done)
	}
	return err
}

// Sent records that a request is about to be sent. id is unique across
// processes and holds no spaces.
func (s *Slots) Sent(budget, id string, at time.Time) error {
	return s.record(budget, markSent, id, at)
}

// Done records that a request was answered.
func (s *Slots) Done(budget, id string, at time.Time) error {
	return s.record(budget, markDone, id, at)
}

// record appends one line. Writers share the lock: a short append is atomic, and
// only compaction must be alone.
func (s *Slots) record(budget, mark, id string, at time.Time) error {
	if id == "" || strings.ContainsAny(id, " \t\r\n") {
		return fmt.Errorf("recording a request: %q is not an id", id)
	}
	var size int64
	err := s.locked(budget, false, func(path string) error {
		if err := s.dir.touch(path); err != nil {
			return explain("writing", path, err)
		}
		f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			return explain("writing", path, err)
		}
		_, err = f.WriteString(slotLine(mark, id, at))
		if info, statErr := f.Stat(); statErr == nil {
			size = info.Size()
		}
		return explain("writing", path, errors.Join(err, f.Close()))
	})
	if err == nil && size > slotLogBytes {
		err = s.Open(budget, func(time.Time, time.Time) {})
	}
	return err
}

// locked runs f on the log of a budget, alone or together with other writers.
func (s *Slots) locked(budget string, alone bool, f func(path string) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	dir, err := s.dir.sub("rate")
	if err != nil {
		return err
	}
	path := filepath.Join(dir, fileName(budget))
	try := (*flock.Flock).TryRLock
	if alone {
		try = (*flock.Flock).TryLock
	}
	return s.dir.locked(context.Background(), path+".lock", slotLockWait, try, func() error { return f(path + ".log") })
}

// compact reads a log and drops what is forgotten or damaged from it.
func (s *Slots) compact(path string) ([]slot, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, explain("reading", path, err)
	}
	entries, lines, bad := parseSlots(string(text))
	now := s.now()
	kept := entries[:0]
	for _, e := range entries {
		if age := now.Sub(e.last()); age < slotMemory && age > -slotMemory {
			kept = append(kept, e)
		}
	}
	var damage error
	if bad > 0 {
		aside := fmt.Sprintf("%s.damaged-%d", path, now.UnixNano())
		if err := s.dir.disk.Rename(path, aside); err != nil {
			return kept, explain("setting aside", path, err)
		}
		damage = &CorruptError{
			Path: aside, Reason: fmt.Sprintf("line %d is none of ours", bad),
			Advice: "it was set aside; the rate limit may be met once, and the file can be deleted",
		}
	}
	torn := len(text) > 0 && text[len(text)-1] != '\n'
	if bad == 0 && !torn && lines <= 4*len(kept)+64 {
		return kept, nil // not worth a write at every start
	}
	var b strings.Builder
	for _, e := range kept {
		b.WriteString(e.lines())
	}
	return kept, errors.Join(damage, replace(s.dir.disk, path, []byte(b.String()), s.dir.fileMode(), false))
}
