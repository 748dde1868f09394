package store

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// EmulatorStorage keeps the data of an emulator's projects. While it is open no
// other process can open it, so that two emulators never lose each other's
// writes. It is safe for concurrent use.
type EmulatorStorage struct {
	dir  *Dir
	path string
	lock *Lock

	mu     sync.Mutex
	closed bool
}

// EmulatorStorage opens the emulator's data below the state directory. Where
// another process has it open, it waits at most as long as given, then returns a
// [LockedError] that names the holder. See [Scope.Lock]; here the kernel alone
// decides whether the lock is free.
func (d *Dir) EmulatorStorage(ctx context.Context, h Holder, wait time.Duration) (*EmulatorStorage, error) {
	path, err := d.sub("emulator")
	if err != nil {
		return nil, err
	}
	l, err := d.lock(ctx, filepath.Join(path, "lock"), h, wait, false)
	if err != nil {
		return nil, err
	}
	return &EmulatorStorage{dir: d, path: path, lock: l}, nil
}

// Close lets others open the storage. It may be called more than once.
func (e *EmulatorStorage) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
	return e.lock.Release()
}

// Load returns what was last saved for a project, and nil without an error for
// one that never was.
func (e *EmulatorStorage) Load(project string) ([]byte, error) {
	path := e.file(project)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return data, explain("reading", path, err)
}

// Save replaces the data of a project: after a crash of the process it is the
// old or the new. It does not wait for the disk, since the emulator saves within
// every request and its data can be made again.
func (e *EmulatorStorage) Save(project string, data []byte) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	path := e.file(project)
	if e.closed {
		return explain("writing", path, errors.New("the storage is closed"))
	}
	return replace(e.dir.disk, path, data, e.dir.fileMode(), false)
}

// Remove forgets a project: the next who asks for it finds it empty.
func (e *EmulatorStorage) Remove(project string) error { return remove(e.dir.disk, e.file(project)) }

// Projects lists those that were ever saved, sorted.
func (e *EmulatorStorage) Projects() ([]string, error) {
	entries, err := os.ReadDir(e.path)
	if err != nil {
		return nil, explain("reading", e.path, err)
	}
	var ids []string
	for _, entry := range entries {
		path := filepath.Join(e.path, entry.Name())
		if filepath.Ext(path) != ".json" {
			continue
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, explain("reading", path, err)
		}
		var saved struct {
			Projects map[string]json.RawMessage `json:"projects"`
		}
		if err := json.Unmarshal(data, &saved); err != nil {
			return nil, explain("reading", path, err)
		}
		ids = slices.AppendSeq(ids, maps.Keys(saved.Projects))
	}
	slices.Sort(ids)
	return ids, nil
}

func (e *EmulatorStorage) file(project string) string {
	return filepath.Join(e.path, fileName(project)+".json")
}
