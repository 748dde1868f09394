package store

import (
	"os"
	"path/filepath"
)

// Forget removes what is known of the past of the scope, for a project that begins
// anew: its runs, finished or not, what was last applied, what rollbacks took back, and
// the history of its flows with the cache. Backups and the audit log stay, and so does a
// damaged run, whose scope cannot be told. It returns how many runs it removed, even with
// an error; what a crash leaves is removed by the next call. The caller holds the scope's
// lock.
func (s *Scope) Forget() (runs int, err error) {
	all, err := s.dir.listRuns(runFile)
	if err != nil {
		return 0, err
	}
	for _, r := range all {
		if r.scope != s.name {
			continue
		}
		if err := discardRun(s.dir.disk, filepath.Join(s.dir.path, runsDir), r.Info.ID); err != nil {
			return runs, err
		}
		runs++
	}
	for _, path := range []string{s.lastAppliedPath(), s.holdsPath()} {
		if err := remove(s.dir.disk, path); err != nil {
			return runs, err
		}
	}
	if _, err := os.Lstat(s.dir.flowsPath()); err != nil {
		return runs, explain("reading", s.dir.flowsPath(), unlessGone(err))
	}
	return runs, s.dir.lockFlows(func() error {
		if err := removeTree(s.dir.disk, s.flowIndexDir()); err != nil {
			return err
		}
		return removeTree(s.dir.disk, s.flowCacheDir())
	})
}

// remove removes a file that need not be there, durably.
func remove(disk Disk, path string) error {
	err := unlessGone(disk.Remove(path))
	if err == nil {
		err = unlessGone(disk.SyncDir(filepath.Dir(path)))
	}
	return explain("removing", path, err)
}
