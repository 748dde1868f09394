package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// Backups are the backups of one project. It is safe for concurrent use, by
// several processes too.
type Backups struct {
	scope *Scope
	root  string // "" is below the state directory
}

// BackupInfo is one backup of a list.
type BackupInfo struct {
	// Name is that of the file without .json. Size is in bytes.
	Name, Path string
	Size       int64
	Meta       BackupMeta
	// Kinds are those that were read, Tenants and Flows how many it holds.
	Kinds          []model.Kind
	Tenants, Flows int
	// Err says why the backup is of no use, often a [CorruptError]. Meta then
	// tells no more than the file's name: Timestamp and Run.
	Err error
}

// Backups are kept in a directory of the scope's name below root, which need not
// be in the state directory; "" is its directory "backups".
func (s *Scope) Backups(root string) *Backups { return &Backups{scope: s, root: root} }

// Save writes a backup and returns its name. It is complete and survives a power
// failure, or there is an error and nothing under that name, except where only
// the last step failed, to make sure of the directory. It never replaces another
// one. Where the project or base URL is left open it is the scope's.
func (b *Backups) Save(backup Backup) (name string, err error) {
	s := b.scope
	if backup.Meta.ProjectID == "" {
		backup.Meta.ProjectID = s.project
	}
	if backup.Meta.BaseURL == "" {
		backup.Meta.BaseURL = s.baseURL
	}
	text, err := seal(backup)
	if err != nil {
		return "", fmt.Errorf("writing a backup of project %s: %w", s.project, err)
	}
	// As it will be read: what cannot be restored must not pass for a backup.
	if _, reason := b.parse(text); reason != "" {
		return "", fmt.Errorf("writing a backup of project %s: %s", s.project, reason)
	}
	dir, err := b.makeDir()
	if err != nil {
		return "", err
	}
	err = s.dir.exclusively(context.Background(), lockOf(dir), func() error {
		if name, err = freeName(dir, backupName(backup.Meta)); err != nil {
			return err
		}
		return replace(s.dir.disk, filepath.Join(dir, name+backupExt), text, s.dir.fileMode(), true)
	})
	if err != nil {
		return "", err
	}
	return name, nil
}

// List reads all backups, newest first. One that is damaged is in the list, with
// its error.
func (b *Backups) List() ([]BackupInfo, error) {
	files, err := backupFiles(b.dir())
	if err != nil {
		return nil, err
	}
	infos := make([]BackupInfo, len(files))
	var wg sync.WaitGroup
	workers := runtime.GOMAXPROCS(0) // checking a large file takes the processor, not the disk
	for w := range workers {
		wg.Go(func() {
			for i := w; i < len(files); i += workers {
				infos[i] = b.info(files[i])
			}
		})
	}
	wg.Wait()
	return infos, nil
}

// Load reads a backup by its name, the id of its run, a beginning of either that
// no other has, "latest", or the path of a file. What is not there is a
// [NotFoundError]; what is damaged, or in this directory but of another project,
// a [CorruptError]. A file given by its path may be of any project: the caller
// compares Meta.
func (b *Backups) Load(name string) (Backup, error) {
	files, err := backupFiles(b.dir())
	if err != nil {
		return Backup{}, err
	}
	isPath := strings.ContainsRune(name, filepath.Separator)
	if !isPath {
		f, err := findBackup(name, files)
		if err == nil {
			return b.read(f.path, b.parse)
		}
		if info, statErr := os.Stat(name); statErr != nil || !info.Mode().IsRegular() {
			return Backup{}, err
		}
	}
	backup, err := b.read(name, parseBackup)
	if errors.Is(err, fs.ErrNotExist) {
		_, err = findBackup(name, files)
	}
	return backup, err
}

// Prune removes the backups that were made before a time, but for those that keep
// wants to keep (nil: none); damaged ones stay, to be looked at. It returns what
// was removed, even with an error; in a dry run, what would be.
func (b *Backups) Prune(before time.Time, keep func(BackupInfo) bool, dryRun bool) (removed []BackupInfo, err error) {
	dir := b.dir()
	files, err := backupFiles(dir)
	if err != nil {
		return nil, err
	}
	disk := b.scope.dir.disk
	for _, f := range files {
		if !f.at.Before(before) {
			continue // a second is rounded down: what the name says is not too late
		}
		info := b.info(f)
		if info.Err != nil || !info.Meta.Timestamp.Before(before) || keep != nil && keep(info) {
			continue
		}
		if !dryRun {
			err := disk.Remove(f.path)
			if errors.Is(err, fs.ErrNotExist) {
				continue // by somebody else
			}
			if err != nil {
				return removed, explain("removing", f.path, err)
			}
		}
		removed = append(removed, info)
	}
	if len(removed) > 0 && !dryRun {
		err = explain("removing backups in", dir, disk.SyncDir(dir))
	}
	return removed, err
}

// info reads a file for a list.
func (b *Backups) info(f backupFile) BackupInfo {
	info := BackupInfo{Name: f.name, Path: f.path, Size: f.size, Meta: BackupMeta{Timestamp: f.at, Run: f.run}}
	backup, err := b.read(f.path, b.parse)
	if err != nil {
		info.Err = err
		return info
	}
	info.Kinds = backup.Kinds()
	info.Meta, info.Tenants, info.Flows = backup.Meta, len(backup.Tenants), len(backup.Flows)
	return info
}

func (b *Backups) read(path string, parse func([]byte) (Backup, string)) (Backup, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Backup{}, explain("reading", path, err)
	}
	backup, reason := parse(text)
	if reason != "" {
		return Backup{}, &CorruptError{Path: path, Reason: reason, Advice: "use another backup, or a copy of this one"}
	}
	return backup, nil
}

// parse is parseBackup for a backup of this project only.
func (b *Backups) parse(text []byte) (Backup, string) {
	backup, reason := parseBackup(text)
	m := backup.Meta
	if reason == "" && (m.ProjectID != b.scope.project || canonicalURL(m.BaseURL) != b.scope.baseURL) {
		return Backup{}, fmt.Sprintf("it is of project %q at %s", m.ProjectID, m.BaseURL)
	}
	return backup, reason
}

func (b *Backups) dir() string {
	if b.root == "" {
		return filepath.Join(b.scope.dir.path, "backups", b.scope.name)
	}
	return filepath.Join(b.root, b.scope.name)
}

// makeDir makes the directory, durably.
func (b *Backups) makeDir() (string, error) {
	d := b.scope.dir
	if b.root == "" {
		return d.sub("backups", b.scope.name)
	}
	dir := b.dir()
	if err := mkdirAll(d.disk, b.root); err != nil {
		return "", explain("making", b.root, err)
	}
	if info, err := os.Stat(b.root); err == nil && permissions(info)&0o002 != 0 {
		return "", fmt.Errorf("writing a backup to %s: every user can write to it (mode %04o), so what it holds cannot be trusted", b.root, permissions(info))
	}
	err := d.disk.Mkdir(dir, d.dirMode())
	if errors.Is(err, fs.ErrExist) {
		return dir, nil
	}
	if err == nil {
		err = d.disk.SyncDir(b.root)
	}
	return dir, explain("making", dir, err)
}

func lockOf(dir string) string { return filepath.Join(dir, ".lock") }

// freeName is a name in dir that no file has. The caller keeps others out.
func freeName(dir, name string) (string, error) {
	for n, try := 2, name; ; n, try = n+1, fmt.Sprintf("%s-%d", name, n) {
		path := filepath.Join(dir, try+backupExt)
		_, err := os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) {
			return try, nil
		}
		if err != nil {
			return "", explain("writing", path, err)
		}
	}
}
