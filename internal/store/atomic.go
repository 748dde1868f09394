package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// WriteFileAtomic replaces a file, or makes it, for its owner alone (0600).
// After an error, and after a crash at any moment, the file is either as it was
// or complete; once it returns nil, it survives a power failure. A symbolic link
// is followed; what is not a regular file (a device) is refused.
func WriteFileAtomic(path string, data []byte) error {
	return replace(osDisk{}, path, data, 0o600, true)
}

// ReplaceFile is [WriteFileAtomic] for a file that others may read: a file that is
// there keeps its mode, a new one gets this one.
func ReplaceFile(path string, data []byte, mode fs.FileMode) error {
	if info, err := os.Stat(path); err == nil {
		mode = info.Mode().Perm()
	}
	return replace(osDisk{}, path, data, mode, true)
}

// withoutPath is an error without the name of a file that nobody has seen.
func withoutPath(err error) error {
	if named, ok := errors.AsType[*fs.PathError](err); ok {
		return named.Err
	}
	return err
}

// replace writes a file atomically; durable decides whether it also waits for
// the disk.
func replace(d Disk, path string, data []byte, mode fs.FileMode, durable bool) error {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return explain("writing", path, errors.New("it is not a regular file"))
	}
	dir := filepath.Dir(path)
	f, err := d.CreateTemp(dir, "."+filepath.Base(path)+".tmp-*")
	if err != nil {
		return explain("writing", path, withoutPath(err))
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
		return d.Rename(f.Name(), path)
	}()
	if err != nil {
		_ = d.Remove(f.Name()) // what went wrong before matters more
		return explain("writing", path, err)
	}
	if durable {
		err = d.SyncDir(dir)
	}
	return explain("writing", path, err)
}
