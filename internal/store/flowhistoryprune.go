package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Of each flow the history keeps the newest versions, so many, and besides them
// those of the last year.
const (
	flowVersionsKept = 50
	flowYearsKept    = 1
)

// PrunedFlows is what was removed from the history: versions of the scope's flows,
// and contents that no version of any scope had.
type PrunedFlows struct {
	Versions, Contents int
}

// PruneFlowHistory removes the versions of the scope's flows that are older than a
// year and not among the newest 50 of their flow. Then it removes the contents that
// no version of any scope has, and what crashes left half written. It returns what
// was removed, even with an error.
//
// It holds the lock that additions hold from before they write a content until an
// index names it, so that it never takes a content for unused that is about to be
// used. Where an index of any scope is damaged, so that nobody knows what it uses,
// no content is removed, and the error is a [CorruptError].
func (s *Scope) PruneFlowHistory(now time.Time) (removed PrunedFlows, err error) {
	if _, err := os.Lstat(s.dir.flowsPath()); errors.Is(err, fs.ErrNotExist) {
		return PrunedFlows{}, nil
	}
	err = s.dir.lockFlows(func() error {
		removed.Versions, err = s.pruneFlowVersions(now)
		used, usedErr := s.dir.usedFlowContents()
		if err := errors.Join(err, usedErr); err != nil {
			return err
		}
		removed.Contents, err = s.dir.sweepFlowContents(used)
		return err
	})
	return removed, err
}

// pruneFlowVersions shortens the scope's indexes. It goes on after one that is
// damaged.
func (s *Scope) pruneFlowVersions(now time.Time) (removed int, err error) {
	paths, err := s.dir.flowFiles(s.flowIndexDir())
	if err != nil {
		return 0, err
	}
	for _, path := range paths {
		index, indexErr := loadFlowIndex(path)
		if indexErr != nil || !s.isFlowIndex(index, index.Flow) || s.flowIndexPath(index.Flow) != path {
			continue // usedFlowContents says what is damaged
		}
		kept := keptFlowVersions(index.Versions, now.AddDate(-flowYearsKept, 0, 0))
		if len(kept) == len(index.Versions) {
			continue
		}
		if writeErr := s.writeFlowIndex(index.Flow, kept); writeErr != nil {
			err = errors.Join(err, writeErr)
			continue
		}
		removed += len(index.Versions) - len(kept)
	}
	return removed, err
}

// keptFlowVersions are those of an index, oldest first, that are to stay.
func keptFlowVersions(versions []FlowVersion, after time.Time) []FlowVersion {
	var kept []FlowVersion
	for i, v := range versions {
		if i >= len(versions)-flowVersionsKept || v.At.After(after) {
			kept = append(kept, v)
		}
	}
	return kept
}

// usedFlowContents are the digests that the indexes of all scopes name. What they
// say is safe afterwards, so that no crash brings back one that names more.
func (d *Dir) usedFlowContents() (map[string]bool, error) {
	entries, err := os.ReadDir(d.flowsPath())
	if err != nil {
		return nil, explain("reading", d.flowsPath(), err)
	}
	used := map[string]bool{}
	for _, e := range entries {
		dir := filepath.Join(d.flowsPath(), e.Name())
		if !e.IsDir() || e.Name() == flowObjectsDir || e.Name() == flowCacheDir {
			continue
		}
		paths, dirErr := d.flowFiles(dir)
		err = errors.Join(err, dirErr)
		for _, path := range paths {
			index, indexErr := loadFlowIndex(path)
			err = errors.Join(err, indexErr)
			for _, v := range index.Versions {
				used[v.Digest] = true
			}
		}
		err = errors.Join(err, d.syncFlowDir(dir))
	}
	return used, err
}

// sweepFlowContents removes the contents that are not used. A removal that a crash
// undoes is done again by the next.
func (d *Dir) sweepFlowContents(used map[string]bool) (removed int, err error) {
	paths, err := d.flowFiles(filepath.Join(d.flowsPath(), flowObjectsDir))
	for _, path := range paths {
		if used[strings.TrimSuffix(filepath.Base(path), flowExt)] {
			continue
		}
		if removeErr := unlessGone(d.disk.Remove(path)); removeErr != nil {
			err = errors.Join(err, explain("removing", path, removeErr))
			continue
		}
		removed++
	}
	return removed, err
}

// flowFiles lists the files of the history in a directory, and removes what crashes
// left there half written: who has the lock is the only one who writes. A directory
// that is not there is empty.
func (d *Dir) flowFiles(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	err = explain("reading", dir, unlessGone(err))
	var paths []string
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch {
		case halfWritten(e.Name()):
			err = errors.Join(err, explain("removing", path, unlessGone(d.disk.Remove(path))))
		case filepath.Ext(path) == flowExt && !strings.HasPrefix(e.Name(), "."):
			paths = append(paths, path)
		}
	}
	return paths, err
}

// halfWritten reports whether a name is one that replace gives to what it has not
// finished.
func halfWritten(name string) bool {
	return strings.HasPrefix(name, ".") && strings.Contains(name, flowExt+".tmp-")
}
