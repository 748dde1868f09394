package store

import (
	"errors"
	"io/fs"
	"path/filepath"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// Pending is what a run is about to apply. It is written before the run's first
// call and removed once what was applied is recorded, so that a run that was
// killed in between leaves word of what it may have done: whoever reads the
// project next can see which of it is there. Its rules are those of the last
// applied state: the caller holds the lock, and a damaged file is a
// [CorruptError].

// LoadPending returns what a run that did not come to its end was about to apply;
// the empty state if there is none.
func (s *Scope) LoadPending() (model.State, error) { return s.loadState(s.pendingPath()) }

// SavePending replaces it.
func (s *Scope) SavePending(state model.State, meta Meta) error {
	return s.saveState(s.pendingPath(), state, meta)
}

// ClearPending removes it.
func (s *Scope) ClearPending() error {
	path := s.pendingPath()
	err := s.dir.disk.Remove(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return explain("removing", path, err)
}

func (s *Scope) pendingPath() string {
	return filepath.Join(s.dir.path, lastAppliedDir, s.name+".pending.json")
}
