package store

import (
	"cmp"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// RunSummary is a run in a list.
type RunSummary struct {
	Info RunInfo
	// Result is nil for a run that did not come to its end: it goes on, or was
	// killed.
	Result *RunResult
	// Err is not nil if the run cannot be read, a [CorruptError]; only Info.ID and
	// Info.Started are known then.
	Err error

	scope string
}

// Runs are all runs of the directory, of every scope, newest first. What is
// damaged is in the list and keeps nothing else from it.
func (d *Dir) Runs() ([]RunSummary, error) { return d.listRuns(runFile, resultFile) }

// listRuns lists the runs by some of their files.
func (d *Dir) listRuns(names ...string) ([]RunSummary, error) {
	ids, err := d.runIDs()
	if err != nil {
		return nil, err
	}
	out := make([]RunSummary, 0, len(ids))
	for _, id := range ids {
		var r RunRecord
		err := r.load(d.runDir(id), names...)
		if _, gone := os.Lstat(d.runDir(id)); err != nil && errors.Is(gone, fs.ErrNotExist) {
			continue // removed meanwhile
		}
		s := RunSummary{Info: r.Info, Result: r.Result, scope: r.scope}
		if err != nil {
			s = RunSummary{Info: RunInfo{ID: id, Started: runBegan(id)}, Err: err}
		}
		out = append(out, s)
	}
	slices.SortStableFunc(out, func(a, b RunSummary) int {
		return cmp.Or(b.Info.Started.Compare(a.Info.Started), cmp.Compare(b.Info.ID, a.Info.ID))
	})
	return out, nil
}

func (d *Dir) runDir(id string) string { return filepath.Join(d.path, runsDir, id) }

// runIDs are the ids of all runs, oldest first.
func (d *Dir) runIDs() ([]string, error) {
	path := filepath.Join(d.path, runsDir)
	entries, err := os.ReadDir(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, explain("reading", path, err)
	}
	var ids []string
	for _, e := range entries {
		if runIDForm.MatchString(e.Name()) {
			ids = append(ids, e.Name())
		}
	}
	return ids, nil
}

// LoadRun reads a run of the scope, by its id, a beginning that no other has, or
// "latest". If there is none, the error is a [NotFoundError]; one that is damaged
// is a [CorruptError], for "latest" too, since an older one is not what was meant.
func (s *Scope) LoadRun(name string) (*RunRecord, error) {
	ids, err := s.dir.runIDs()
	if err != nil {
		return nil, err
	}
	if slices.Contains(ids, name) {
		if r, err := s.dir.readRun(name); err != nil || r.scope == s.name {
			return r, err
		}
	}
	all, err := s.dir.listRuns(runFile)
	if err != nil {
		return nil, err
	}
	ids = nil
	for _, r := range all {
		if r.scope == s.name || r.Err != nil {
			ids = append(ids, r.Info.ID)
		}
	}
	i, err := find("run", name, ids)
	if err != nil {
		return nil, err
	}
	return s.dir.readRun(ids[i])
}

// readRun reads a whole run. Those who read it share its plan.
func (d *Dir) readRun(id string) (*RunRecord, error) {
	r, err := d.begun.read(d.runDir(id))
	if err != nil {
		return nil, err
	}
	if err := r.load(d.runDir(id), postFile, resultFile, journalFile); err != nil {
		return nil, err
	}
	return &r, nil
}

// UnfinishedRuns are the runs of the scope that have no result, oldest first. The
// caller holds the scope's lock: without it, one of them may be going on. A
// damaged one is a [CorruptError], even if its scope cannot be told.
func (s *Scope) UnfinishedRuns() ([]*RunRecord, error) {
	ids, err := s.dir.runIDs()
	if err != nil {
		return nil, err
	}
	var out []*RunRecord
	for _, id := range ids {
		if done, err := s.dir.finished(id); done || err != nil {
			if err != nil {
				return nil, err
			}
			continue
		}
		r := &RunRecord{}
		if err := r.load(s.dir.runDir(id), runFile); err != nil {
			return nil, err
		}
		if r.scope != s.name {
			continue
		}
		if r, err = s.dir.readRun(id); err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	slices.SortStableFunc(out, func(a, b *RunRecord) int { return a.Info.Started.Compare(b.Info.Started) })
	return out, nil
}

// finished reports whether a run has a result, without reading it.
func (d *Dir) finished(id string) (bool, error) {
	path := filepath.Join(d.runDir(id), resultFile)
	_, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, explain("reading", path, err)
}

// FinishRun records how a run ended whose process did not live to do so. post is
// as in [Run.SavePost]; nil keeps what was recorded. The caller holds the scope's
// lock. A run that has a result is fs.ErrExist.
func (s *Scope) FinishRun(id string, post map[model.Key]json.RawMessage, result RunResult) error {
	r, err := s.LoadRun(id)
	if err != nil {
		return err
	}
	id, disk, mode := r.Info.ID, s.dir.disk, s.dir.fileMode()
	dir := s.dir.runDir(id)
	if r.Result != nil {
		return explain("finishing run", id, fs.ErrExist)
	}
	// What was read of the journal may not have reached the disk yet.
	journal, err := disk.Append(filepath.Join(dir, journalFile), mode)
	if err == nil {
		err = errors.Join(journal.Sync(), journal.Close())
	}
	if err != nil {
		return explain("finishing run", id, err)
	}
	if post != nil {
		if err := savePost(disk, dir, id, post, mode); err != nil {
			return err
		}
	}
	return finish(disk, dir, id, savedResult{Entries: len(r.Journal), Result: result}, mode)
}
