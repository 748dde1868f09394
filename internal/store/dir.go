package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Dir is a state directory that was found fit to use. It is safe for concurrent
// use, by several processes too.
type Dir struct {
	path    string
	notices []string
	// shared: a team uses the directory, through its group.
	shared bool
	// made: it was not there before, or empty.
	made  bool
	disk  Disk
	begun begunRuns
}

// Open makes the state directory, with its parents, if it is not there, and
// checks it. It belongs to its owner alone (0700); one that is open to others is
// closed to them, with a notice. A directory that everybody can write to, or
// that belongs to somebody else, is refused: what it holds could be planted.
// A directory with the setgid bit, group permissions and none for others (2770)
// is meant to be shared by a team and stays so.
func Open(path string) (*Dir, error) { return OpenOn(path, osDisk{}) }

// OpenOn is [Open] with all writing that must survive a crash done through a
// disk, for tests.
func OpenOn(path string, disk Disk) (*Dir, error) {
	d := &Dir{path: filepath.Clean(path), disk: disk}
	entries, err := os.ReadDir(d.path)
	d.made = errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0
	if err := mkdirAll(disk, d.path); err != nil {
		return nil, explain("making the state directory", d.path, err)
	}
	if err := d.check(); err != nil {
		return nil, explain("opening the state directory", d.path, err)
	}
	return d, nil
}

// mkdirAll makes a directory and those above it, private and durable.
func mkdirAll(disk Disk, path string) error {
	_, err := os.Stat(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	parent := filepath.Dir(path)
	if err := mkdirAll(disk, parent); err != nil {
		return err
	}
	if err := disk.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return disk.SyncDir(parent)
}

// Path is the directory.
func (d *Dir) Path() string { return d.path }

// Made reports that the directory was not there when it was opened, or that it was empty:
// nothing is known of earlier runs.
func (d *Dir) Made() bool { return d.made }

// Notices are what a user should know about how the directory was found.
func (d *Dir) Notices() []string { return d.notices }

// Writable reports why nothing can be written to the directory, or nil.
func (d *Dir) Writable() error {
	f, err := d.disk.CreateTemp(d.path, ".probe-*")
	if err != nil {
		return explain("writing to the state directory", d.path, err)
	}
	_, err = f.Write([]byte("probe"))
	err = errors.Join(err, f.Close(), d.disk.Remove(f.Name()))
	if err != nil {
		return explain("writing to the state directory", d.path, err)
	}
	return nil
}

func (d *Dir) check() error {
	info, err := os.Stat(d.path)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return errors.New("it is a file, not a directory")
	}
	perm := permissions(info)
	if perm&0o002 != 0 {
		return fmt.Errorf("every user can write to it (mode %04o), so what it holds cannot be trusted; chmod 700 it", perm)
	}
	d.shared = info.Mode()&fs.ModeSetgid != 0 && perm&0o077 == 0o070
	if d.shared {
		return nil
	}
	if uid, known := owner(info); known && uid != os.Geteuid() {
		if os.Geteuid() != 0 {
			return fmt.Errorf("it belongs to another user (id %d)", uid)
		}
		d.notices = append(d.notices, fmt.Sprintf("the state directory %s belongs to another user (id %d)", d.path, uid))
	}
	if perm&0o077 != 0 {
		if err := os.Chmod(d.path, 0o700); err != nil { //nolint:gosec // a directory needs the x bit
			return err
		}
		d.notices = append(d.notices, fmt.Sprintf("the state directory %s was open to other users (mode %04o) and is now private", d.path, perm))
	}
	return nil
}

// sub makes a directory below the state directory, durably, and returns its
// path.
func (d *Dir) sub(elements ...string) (string, error) {
	path := d.path
	for _, e := range elements {
		path = filepath.Join(path, e)
		err := d.disk.Mkdir(path, d.dirMode())
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err == nil {
			err = d.disk.SyncDir(filepath.Dir(path))
		}
		if err != nil {
			return "", explain("making", path, err)
		}
	}
	return path, nil
}

func (d *Dir) dirMode() fs.FileMode {
	if d.shared {
		return 0o770 | fs.ModeSetgid
	}
	return 0o700
}

func (d *Dir) fileMode() fs.FileMode {
	if d.shared {
		return 0o660
	}
	return 0o600
}

// touch makes an empty file, unless it is there, that whoever uses the directory
// can open: files that stay in place have their mode from here.
func (d *Dir) touch(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, d.fileMode())
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(f.Chmod(d.fileMode()), f.Close()) // whatever the umask made of it
}
