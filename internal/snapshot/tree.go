// Package snapshot reads and writes project snapshots, the trees of files that
// Descope's own CLI keeps: flows, connectors, styles and settings of a project, in
// the layout of version 5. It is pure: files come in and go out as a map.
package snapshot

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// Version is the version of the layout that is read and written.
const Version = 5

// VersionFile says of what version a snapshot is, and by it a directory is known as
// one.
const VersionFile = "snapshot.json"

// MaxBytes is how large all files of a snapshot may be together; real ones have some
// hundred kilobytes.
const MaxBytes = 256 << 20

// Tree is a snapshot. Its files stay byte for byte as they were read, those that
// nobody here knows too. It is immutable; the zero value is empty.
type Tree struct {
	files map[string][]byte
}

// ErrNoSnapshot says that some files are no snapshot.
var ErrNoSnapshot = errors.New("there is no " + VersionFile)

// Parse takes files by path, with slashes whatever the system. Names that begin with
// a dot or __MACOSX are left out, as Descope's CLI does. It is an error if a path
// leads out of the tree or the version is another one; what else is in the files is
// looked at when it is asked for.
func Parse(files map[string][]byte) (Tree, error) {
	t := Tree{files: map[string][]byte{}}
	size := 0
	for name, data := range files {
		if err := CheckPath(name); err != nil {
			return Tree{}, err
		}
		if Ignored(name) {
			continue
		}
		if size += len(data); size > MaxBytes {
			return Tree{}, fmt.Errorf("the snapshot has more than %d MB", MaxBytes>>20)
		}
		t.files[name] = bytes.Clone(data)
	}
	for name := range t.files {
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			if _, both := t.files[dir]; both {
				return Tree{}, fmt.Errorf("%q is a file and a directory", dir)
			}
		}
	}
	if !t.Has(VersionFile) {
		return Tree{}, ErrNoSnapshot
	}
	about, err := t.object(VersionFile)
	if err != nil {
		return Tree{}, err
	}
	if v := about["version"]; !model.Equal(v, number(Version)) {
		return Tree{}, fmt.Errorf("%s: version %v, and only %d is known here", VersionFile, v, Version)
	}
	return t, nil
}

// CheckPath refuses what is no path of a file below the tree.
func CheckPath(name string) error {
	bad := name == "" || path.Clean(name) != name || path.IsAbs(name) || name == "." || name == ".." || strings.HasPrefix(name, "../")
	if bad || strings.ContainsAny(name, "\\:\x00") || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' }) {
		return fmt.Errorf("%q is no path in a snapshot", name)
	}
	return nil
}

// Ignored reports whether Descope's CLI leaves a path out.
func Ignored(name string) bool {
	for element := range strings.SplitSeq(name, "/") {
		if strings.HasPrefix(element, ".") || strings.HasPrefix(element, "__MACOSX") {
			return true
		}
	}
	return false
}

// Files are the files by path. The caller owns the map, but not what is in it.
func (t Tree) Files() map[string][]byte { return maps.Clone(t.files) }

// Paths are the paths of the files, sorted.
func (t Tree) Paths() []string { return slices.Sorted(maps.Keys(t.files)) }

// Has reports whether there is a file of that path.
func (t Tree) Has(name string) bool {
	_, ok := t.files[name]
	return ok
}

// With is the tree with another file in place of the one of that path. Paths are the
// caller's own, such as tenants.json.
func (t Tree) With(name string, data []byte) Tree {
	files := maps.Clone(t.files)
	if files == nil {
		files = map[string][]byte{}
	}
	files[name] = bytes.Clone(data)
	return Tree{files: files}
}

// File is a file of the tree.
func (t Tree) File(name string) (data []byte, ok bool) {
	data, ok = t.files[name]
	return bytes.Clone(data), ok
}

// Change is one file that differs between two trees.
type Change struct {
	Path string `json:"path"`
	// What is added, removed or changed.
	What string `json:"what"`
}

// The words of [Change].
const (
	Added   = "added"
	Removed = "removed"
	Changed = "changed"
)

// Diff says which files make one tree the other, by path. JSON counts by its value:
// another order of keys is no change.
func Diff(from, to Tree) []Change {
	out := []Change{}
	all := maps.Clone(from.files)
	if all == nil {
		all = map[string][]byte{}
	}
	maps.Copy(all, to.files)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		a, was := from.files[name]
		b, is := to.files[name]
		switch {
		case !was:
			out = append(out, Change{name, Added})
		case !is:
			out = append(out, Change{name, Removed})
		case !same(name, a, b):
			out = append(out, Change{name, Changed})
		}
	}
	return out
}

func same(name string, a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	if path.Ext(name) != ".json" {
		return false
	}
	x, errX := decode(a)
	y, errY := decode(b)
	return errX == nil && errY == nil && model.Equal(x, y)
}
