package cli

import (
	"io/fs"

	"pcconnect.ai/descope-mgmt/internal/store"
)

// unsynced is a disk that does not wait: for tests that write a lot and are about
// something else.
type unsynced struct{ store.Disk }

func (u unsynced) CreateTemp(dir, pattern string) (store.File, error) {
	return lazy(u.Disk.CreateTemp(dir, pattern))
}

func (u unsynced) Create(path string, mode fs.FileMode) (store.File, error) {
	return lazy(u.Disk.Create(path, mode))
}

func (u unsynced) Append(path string, mode fs.FileMode) (store.File, error) {
	return lazy(u.Disk.Append(path, mode))
}

func (unsynced) SyncDir(string) error { return nil }

type lazyFile struct{ store.File }

func (lazyFile) Sync() error { return nil }

func lazy(f store.File, err error) (store.File, error) {
	if err != nil {
		return nil, err
	}
	return lazyFile{f}, nil
}
