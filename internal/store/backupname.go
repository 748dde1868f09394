package store

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A backup's name is when, of which run and before what:
// 2025-11-10T14-30-15Z_20251110T143014Z-1f3a9c_pre-tenant-sync. It sorts by time,
// and no part of it holds an underscore.
const (
	backupTime = "2006-01-02T15-04-05Z"
	backupExt  = ".json"
	// manualRun stands for the run of a backup that precedes none.
	manualRun = "manual"
)

func backupName(m BackupMeta) string {
	run := plain(m.Run)
	if run == "" {
		run = manualRun
	}
	return m.Timestamp.UTC().Format(backupTime) + "_" + run + "_pre-" + plain(m.Operation)
}

// backupFile is a file that may be a backup, by its name alone.
type backupFile struct {
	name, path string
	size       int64
	// at is from the name; for a file that somebody named otherwise, when it was
	// written. modified tells two of the same second apart.
	at, modified time.Time
	run          string
}

func newBackupFile(dir string, info fs.FileInfo) backupFile {
	name := strings.TrimSuffix(info.Name(), backupExt)
	f := backupFile{
		name: name, path: filepath.Join(dir, info.Name()), size: info.Size(),
		at: info.ModTime(), modified: info.ModTime(),
	}
	when, rest, _ := strings.Cut(name, "_")
	if at, err := time.Parse(backupTime, when); err == nil {
		f.at = at
		f.run, _, _ = strings.Cut(rest, "_")
	}
	return f
}

// backupFiles lists a directory, newest first. A directory that is not there is
// empty.
func backupFiles(dir string) ([]backupFile, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, explain("reading", dir, err)
	}
	var files []backupFile
	for _, e := range entries {
		if !e.Type().IsRegular() || filepath.Ext(e.Name()) != backupExt || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // pruned meanwhile
		}
		if err != nil {
			return nil, explain("reading", dir, err)
		}
		files = append(files, newBackupFile(dir, info))
	}
	slices.SortFunc(files, func(a, b backupFile) int {
		return cmp.Or(b.at.Compare(a.at), b.modified.Compare(a.modified), cmp.Compare(b.name, a.name))
	})
	return files, nil
}

// findBackup finds the file that a name means: "latest", the name or the run, or
// a beginning of either that only one has. The error is a [NotFoundError].
func findBackup(name string, files []backupFile) (backupFile, error) {
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = f.name
	}
	i, err := find("backup", name, names)
	if stem, cut := strings.CutSuffix(name, backupExt); cut && err != nil {
		if i := slices.Index(names, stem); i >= 0 {
			return files[i], nil
		}
	}
	if err == nil {
		return files[i], nil
	}
	if missing := (*NotFoundError)(nil); errors.As(err, &missing) && missing.Ambiguous || name == "" {
		return backupFile{}, err
	}
	for _, matches := range []func(run string) bool{
		func(run string) bool { return run == name },
		func(run string) bool { return strings.HasPrefix(run, name) },
	} {
		var found []backupFile
		var candidates []string
		for _, f := range files {
			if matches(f.run) {
				found, candidates = append(found, f), append(candidates, f.name)
			}
		}
		switch len(found) {
		case 0:
		case 1:
			return found[0], nil
		default:
			return backupFile{}, &NotFoundError{What: "backup", Name: name, Known: candidates, Ambiguous: true}
		}
	}
	return backupFile{}, err
}
