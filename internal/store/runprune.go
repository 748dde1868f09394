package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// PruneRuns removes the finished runs that began before a time, of every scope,
// and returns their ids, oldest first. A run that an unfinished one resumes or
// rolls back is kept, and so is one that is damaged. What a crash left of older
// runs that never began, or were being removed, goes too.
func (d *Dir) PruneRuns(before time.Time) ([]string, error) {
	runs, err := d.Runs()
	if err != nil {
		return nil, err
	}
	needed := map[string]bool{}
	for _, r := range runs {
		if r.Err == nil && r.Result == nil {
			needed[r.Info.Of] = true
		}
	}
	root := filepath.Join(d.path, runsDir)
	var removed []string
	for i := len(runs) - 1; i >= 0; i-- {
		r := runs[i]
		if r.Err != nil || r.Result == nil || needed[r.Info.ID] || !r.Info.Started.Before(before) {
			continue
		}
		if err := discardRun(d.disk, root, r.Info.ID); err != nil {
			return removed, err
		}
		removed = append(removed, r.Info.ID)
	}
	return removed, d.sweepRuns(root, before)
}

// sweepRuns removes the directories that are no runs, unless one may be of a run
// that just begins.
func (d *Dir) sweepRuns(root string, before time.Time) error {
	entries, err := os.ReadDir(root)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return explain("reading", root, err)
	}
	for _, e := range entries {
		id, isNew := strings.CutPrefix(e.Name(), newRun)
		isNew = isNew && runIDForm.MatchString(id) && runBegan(id).Before(before)
		id, isOld := strings.CutPrefix(e.Name(), oldRun)
		isOld = isOld && runIDForm.MatchString(id)
		if !isNew && !isOld {
			continue
		}
		if err := removeTree(d.disk, filepath.Join(root, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// discardRun removes the directory of a run. It is renamed first, durably, so
// that a crash in between leaves no run that looks damaged.
func discardRun(disk Disk, root, id string) error {
	old := filepath.Join(root, oldRun+id)
	err := disk.Rename(filepath.Join(root, id), old)
	if err == nil {
		err = disk.SyncDir(root)
	}
	if err != nil {
		return explain("removing", filepath.Join(root, id), err)
	}
	return removeTree(disk, old)
}

// removeTree removes a directory with the files in it. Another process may do so
// at the same time.
func removeTree(disk Disk, dir string) error {
	entries, err := os.ReadDir(dir)
	err = unlessGone(err)
	for _, e := range entries {
		if err == nil {
			err = unlessGone(disk.Remove(filepath.Join(dir, e.Name())))
		}
	}
	if err == nil {
		err = unlessGone(disk.Remove(dir))
	}
	return explain("removing", dir, err)
}

func unlessGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
