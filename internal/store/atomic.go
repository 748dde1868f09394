package store

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// disk is what writing needs of the file system. Tests make it fail.
type disk interface {
	createTemp(dir, pattern string) (file, error)
	rename(from, to string) error
	syncDir(dir string) error
}

// file is a file that is being written.
type file interface {
	io.Writer
	Name() string
	Chmod(fs.FileMode) error
	Sync() error
	Close() error
}

type osDisk struct{}

func (osDisk) createTemp(dir, pattern string) (file, error) { return os.CreateTemp(dir, pattern) }

func (osDisk) rename(from, to string) error { return os.Rename(from, to) }

func (osDisk) syncDir(dir string) error {
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

// WriteFileAtomic replaces a file, or makes it, for its owner alone (0600).
// After an error, and after a crash at any moment, the file is either as it was
// or complete; once it returns nil, it survives a power failure. A symbolic link
// is followed; what is not a regular file (a device) is refused.
func WriteFileAtomic(path string, data []byte) error {
	return replace(osDisk{}, path, data, 0o600, true)
}

// replace writes a file atomically; durable decides whether it also waits for
// the disk.
func replace(d disk, path string, data []byte, mode fs.FileMode, durable bool) error {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return explain("writing", path, errors.New("it is not a regular file"))
	}
	dir := filepath.Dir(path)
	f, err := d.createTemp(dir, "."+filepath.Base(path)+".tmp-*")
	if err != nil {
		return explain("writing", path, err)
	}
	err = func() error {
		_, err := f.Write(data)
		if err == nil {
			err = f.Chmod(mode)
		}
		if err == nil && durable {
			err = f.Sync()
		}
		if err = errors.Join(err, f.Close()); err != nil {
			return err
		}
		return d.rename(f.Name(), path)
	}()
	if err != nil {
		_ = os.Remove(f.Name()) // what went wrong before matters more
		return explain("writing", path, err)
	}
	if durable {
		err = d.syncDir(dir)
	}
	return explain("writing", path, err)
}
