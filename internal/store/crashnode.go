package store

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
)

// node is what a [CrashDisk] knows of a file or a directory.
type node struct {
	mode fs.FileMode
	// data is what a file holds, synced what it held when it was last synced;
	// dirty says that they may differ.
	data, synced []byte
	dirty        bool
	// names is what a directory holds, safe what it held when it was last
	// synced; names is nil for a file.
	names, safe map[string]*node
}

// adopt reads a file or a directory with all that is in it, as synced.
func adopt(path string) (*node, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	n := &node{mode: info.Mode().Perm() | info.Mode()&fs.ModeSetgid}
	if !info.IsDir() {
		if info.Mode().IsRegular() {
			n.synced, err = os.ReadFile(path)
		}
		n.data = bytes.Clone(n.synced)
		return n, err
	}
	entries, err := os.ReadDir(path)
	n.names, n.safe = map[string]*node{}, map[string]*node{}
	for _, e := range entries {
		err = errors.Join(err, n.learn(e.Name(), filepath.Join(path, e.Name())))
	}
	return n, err
}

// learn adopts what is in a directory under a name that is not known, if
// anything is.
func (n *node) learn(name, path string) error {
	if n.names == nil || n.names[name] != nil {
		return nil
	}
	child, err := adopt(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		n.names[name] = child
		if n.safe == nil {
			n.safe = map[string]*node{}
		}
		n.safe[name] = child
	}
	return err
}

// restore makes a directory what it was when last synced. fresh says that it was
// made again and is empty. What is not known of is left alone.
func (n *node) restore(path string, fresh bool, random *rand.Rand) error {
	for name, child := range n.names {
		if n.safe[name] != child {
			if err := os.RemoveAll(filepath.Join(path, name)); err != nil {
				return err
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(n.safe)) {
		child, at := n.safe[name], filepath.Join(path, name)
		moved := fresh || n.names[name] != child
		var err error
		switch {
		case child.names != nil && moved:
			if err = (osDisk{}).Mkdir(at, child.mode); err == nil {
				err = child.restore(at, true, random)
			}
		case child.names != nil:
			err = child.restore(at, false, random)
		case moved || child.dirty:
			err = rewrite(at, child.survivor(random), child.mode)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// survivor is what a crash leaves of a file.
func (n *node) survivor(random *rand.Rand) []byte {
	if !n.dirty || !bytes.HasPrefix(n.data, n.synced) {
		return n.synced
	}
	left := bytes.Clone(n.data[:len(n.synced)+random.IntN(len(n.data)-len(n.synced)+1)])
	if tail := left[len(n.synced):]; len(tail) > 0 && random.IntN(4) == 0 {
		clear(tail[random.IntN(len(tail)):]) // the size was written, the data was not
	}
	return left
}

// rewrite makes a file anew, so that whoever has the old one open does not see it.
func rewrite(path string, data []byte, mode fs.FileMode) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := create(path, os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

// crashFile is an open file of a [CrashDisk].
type crashFile struct {
	File
	disk *CrashDisk
	node *node
}

func (f *crashFile) Write(p []byte) (int, error) {
	if err := f.disk.before("write", f.Name()); err != nil {
		if !errors.Is(err, ErrCrashed) {
			n, _ := f.write(p[:len(p)/2])
			return n, err
		}
		return 0, err
	}
	return f.write(p)
}

func (f *crashFile) write(p []byte) (written int, err error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if f.disk.crashed {
		return 0, ErrCrashed
	}
	written, err = f.File.Write(p)
	f.node.data, f.node.dirty = append(f.node.data, p[:written]...), true
	return written, err
}

func (f *crashFile) Chmod(mode fs.FileMode) error {
	return f.disk.do("chmod", f.Name(), func() error {
		f.node.mode = mode
		return f.File.Chmod(mode)
	})
}

func (f *crashFile) Truncate(size int64) error {
	return f.disk.do("truncate", f.Name(), func() error {
		if err := f.File.Truncate(size); err != nil {
			return err
		}
		grown := append(f.node.data, make([]byte, max(0, int(size)-len(f.node.data)))...)
		f.node.data, f.node.dirty = grown[:size:size], true
		return nil
	})
}

// Sync does not wait for the real disk: the tests need it to be quick only.
func (f *crashFile) Sync() error {
	return f.disk.do("sync", f.Name(), func() error {
		// What follows is appended, and to a copy after a Truncate.
		f.node.synced, f.node.dirty = slices.Clip(f.node.data), false
		return nil
	})
}

// Close closes the file even where the disk has crashed.
func (f *crashFile) Close() error {
	return errors.Join(f.disk.do("close", f.Name(), func() error { return nil }), f.File.Close())
}
