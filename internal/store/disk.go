package store

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"runtime"
	"syscall"
)

// Disk is what writing needs of the file system; whatever must survive a crash
// is written through it, so that tests can make it fail and crash (see
// [CrashDisk]). Reading goes to the file system itself. It is safe for
// concurrent use.
//
// What a file holds is safe once its Sync returned; that it exists, or was
// renamed or removed, is safe once SyncDir of its directory returned.
type Disk interface {
	// CreateTemp makes a file of a new name, as os.CreateTemp does.
	CreateTemp(dir, pattern string) (File, error)
	// Create makes a file with exactly this mode; one that is there is
	// fs.ErrExist.
	Create(path string, mode fs.FileMode) (File, error)
	// Append opens a file to write at its end. It makes one that is not there,
	// with exactly this mode.
	Append(path string, mode fs.FileMode) (File, error)
	// Rename moves a file or a directory; a file in its way is replaced.
	Rename(from, to string) error
	// Remove removes a file or an empty directory.
	Remove(path string) error
	// Mkdir makes a directory with exactly this mode; one that is there is
	// fs.ErrExist.
	Mkdir(path string, mode fs.FileMode) error
	SyncDir(dir string) error
}

// File is a file that is being written. One goroutine at a time writes to it;
// Sync may run meanwhile.
type File interface {
	io.Writer
	Name() string
	Chmod(fs.FileMode) error
	// Truncate cuts the file, or fills it up with zeros.
	Truncate(size int64) error
	Sync() error
	Close() error
}

// OSDisk is the real disk.
func OSDisk() Disk { return osDisk{} }

type osDisk struct{}

func (osDisk) CreateTemp(dir, pattern string) (File, error) { return os.CreateTemp(dir, pattern) }

func (osDisk) Create(path string, mode fs.FileMode) (File, error) {
	return create(path, os.O_WRONLY, mode)
}

func (osDisk) Append(path string, mode fs.FileMode) (File, error) {
	f, err := create(path, os.O_APPEND|os.O_WRONLY, mode)
	if errors.Is(err, fs.ErrExist) {
		return os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	}
	return f, err
}

func create(path string, flags int, mode fs.FileMode) (File, error) {
	f, err := os.OpenFile(path, flags|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return nil, err
	}
	if err := f.Chmod(mode); err != nil { // whatever the umask made of it
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func (osDisk) Rename(from, to string) error { return os.Rename(from, to) }

func (osDisk) Remove(path string) error { return os.Remove(path) }

func (osDisk) Mkdir(path string, mode fs.FileMode) error {
	err := os.Mkdir(path, mode.Perm())
	if err == nil {
		err = os.Chmod(path, mode) // whatever the umask made of it
	}
	return err
}

func (osDisk) SyncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil // which flushes no directory, and keeps names in the journal of its file system
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(ignoreUnsupported(d.Sync()), d.Close())
}

// ignoreUnsupported forgives file systems that cannot sync a directory: they
// have nothing to lose by it.
func ignoreUnsupported(err error) error {
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EINVAL) {
		return nil
	}
	return err
}
