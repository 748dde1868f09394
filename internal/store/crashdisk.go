package store

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// ErrCrashed is the error of every operation on a disk that crashed.
var ErrCrashed = errors.New("the disk crashed")

// CrashDisk is a disk for tests of what survives. It works on a real directory
// and remembers what of it was synced. A crash leaves exactly that, as a power
// failure may: files have the content of their last Sync, and of what was
// appended since then a part of random length, of which the end may be zeros;
// what was made, renamed or removed in a directory is undone if the directory
// was not synced. What was there before, and what was written past the disk,
// counts as synced.
//
// The disk is safe for concurrent use. Its fields are set before its first use.
type CrashDisk struct {
	// Before, if not nil, is called before each operation with its number,
	// counted from 1, and its name: "create", "append", "write", "chmod",
	// "truncate", "sync", "close", "rename", "remove", "mkdir" or "sync dir". What
	// it returns is the result of the operation, which is not done then; of a
	// write, half is. It may call Crash or Kill. Where calls are concurrent, so
	// are those of Before.
	Before func(n int, op, path string) error

	given, path string // the directory, as given and without links
	mu          sync.Mutex
	random      *rand.Rand
	root        *node
	n           int
	crashed     bool
}

// NewCrashDisk is a disk on a directory that exists; operations elsewhere fail.
// The seed decides what is left of unsynced appends.
func NewCrashDisk(dir string, seed uint64) (*CrashDisk, error) {
	path, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil, err
	}
	root, err := adopt(path)
	if err != nil {
		return nil, err
	}
	return &CrashDisk{given: dir, path: path, random: seeded(seed), root: root}, nil
}

func seeded(seed uint64) *rand.Rand {
	return rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // a test repeats it
}

// Operations is how many operations were asked for so far.
func (c *CrashDisk) Operations() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

// Crash restores on the directory what was synced; from then on every operation
// fails with [ErrCrashed]. The second crash does nothing.
func (c *CrashDisk) Crash() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.crashed {
		return nil
	}
	c.crashed = true
	return c.root.restore(c.path, false, c.random)
}

// Leftover makes a directory, which is not there yet, that holds what a crash now
// would leave; the disk goes on. The seed takes the place of the disk's.
func (c *CrashDisk) Leftover(dir string, seed uint64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.crashed {
		return ErrCrashed
	}
	if err := os.CopyFS(dir, os.DirFS(c.path)); err != nil {
		return err
	}
	return c.root.restore(dir, false, seeded(seed))
}

// Kill is a crash of the process alone: all that was written stays, and from
// then on every operation fails with [ErrCrashed].
func (c *CrashDisk) Kill() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.crashed = true
}

// before counts an operation and says whether it may be done.
func (c *CrashDisk) before(op, path string) error {
	c.mu.Lock()
	c.n++
	n, crashed := c.n, c.crashed
	c.mu.Unlock()
	if crashed {
		return ErrCrashed
	}
	if c.Before == nil {
		return nil
	}
	return c.Before(n, op, path)
}

// do does an operation unless the disk has crashed or Before has a word to say.
func (c *CrashDisk) do(op, path string, f func() error) error {
	if err := c.before(op, path); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.crashed {
		return ErrCrashed
	}
	return f()
}

// at is what is known of a path; what came there past the disk is learnt.
func (c *CrashDisk) at(path string) (*node, error) {
	rel, err := filepath.Rel(c.path, path)
	if err != nil || strings.HasPrefix(rel, "..") {
		rel, err = filepath.Rel(c.given, path)
	}
	if err != nil || strings.HasPrefix(rel, "..") {
		return nil, fmt.Errorf("%s is not on the disk at %s", path, c.given)
	}
	n, at := c.root, c.path
	for name := range strings.SplitSeq(filepath.Clean(rel), string(filepath.Separator)) {
		if name == "." {
			break
		}
		at = filepath.Join(at, name)
		if err := n.learn(name, at); err != nil {
			return nil, err
		}
		if n = n.names[name]; n == nil {
			return nil, &fs.PathError{Op: "find", Path: path, Err: fs.ErrNotExist}
		}
	}
	return n, nil
}

// entry is the directory that holds a path, and its name there. What is there
// already is learnt.
func (c *CrashDisk) entry(path string) (dir *node, name string, err error) {
	name = filepath.Base(path)
	if dir, err = c.at(filepath.Dir(path)); err == nil {
		err = dir.learn(name, path)
	}
	return dir, name, err
}

// CreateTemp is part of [Disk].
func (c *CrashDisk) CreateTemp(dir, pattern string) (File, error) {
	return c.open("create", filepath.Join(dir, pattern), func() (File, error) { return osDisk{}.CreateTemp(dir, pattern) })
}

// Create is part of [Disk].
func (c *CrashDisk) Create(path string, mode fs.FileMode) (File, error) {
	return c.open("create", path, func() (File, error) { return osDisk{}.Create(path, mode) })
}

// Append is part of [Disk].
func (c *CrashDisk) Append(path string, mode fs.FileMode) (File, error) {
	return c.open("append", path, func() (File, error) { return osDisk{}.Append(path, mode) })
}

func (c *CrashDisk) open(op, path string, open func() (File, error)) (File, error) {
	var f *crashFile
	err := c.do(op, path, func() error {
		dir, _, err := c.entry(path)
		if err != nil {
			return err
		}
		opened, err := open()
		if err != nil {
			return err
		}
		name := filepath.Base(opened.Name())
		n := dir.names[name]
		if n == nil {
			n = &node{mode: 0o600, dirty: true}
			dir.names[name] = n
		}
		f = &crashFile{File: opened, disk: c, node: n}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return f, nil
}

// Rename is part of [Disk].
func (c *CrashDisk) Rename(from, to string) error {
	return c.do("rename", from, func() error {
		fromDir, fromName, err := c.entry(from)
		if err != nil {
			return err
		}
		toDir, toName, err := c.entry(to)
		if err != nil {
			return err
		}
		if err := os.Rename(from, to); err != nil {
			return err
		}
		n := fromDir.names[fromName]
		delete(fromDir.names, fromName)
		toDir.names[toName] = n
		return nil
	})
}

// Remove is part of [Disk].
func (c *CrashDisk) Remove(path string) error {
	return c.do("remove", path, func() error {
		dir, name, err := c.entry(path)
		if err == nil {
			err = os.Remove(path)
		}
		if err == nil {
			delete(dir.names, name)
		}
		return err
	})
}

// Mkdir is part of [Disk].
func (c *CrashDisk) Mkdir(path string, mode fs.FileMode) error {
	return c.do("mkdir", path, func() error {
		dir, name, err := c.entry(path)
		if err == nil {
			err = osDisk{}.Mkdir(path, mode)
		}
		if err == nil {
			dir.names[name] = &node{mode: mode, names: map[string]*node{}}
		}
		return err
	})
}

// SyncDir is part of [Disk].
func (c *CrashDisk) SyncDir(path string) error {
	return c.do("sync dir", path, func() error {
		n, err := c.at(path)
		if err == nil {
			n.safe = maps.Clone(n.names)
		}
		return err
	})
}
