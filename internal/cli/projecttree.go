package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/snapshot"
)

// readTree reads the files below a directory, by path with slashes. Anything but files
// and directories is refused: a link may lead anywhere.
func readTree(dir string) (map[string][]byte, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close() //nolint:errcheck // only read from
	files, size := map[string][]byte{}, int64(0)
	err = fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name != "." && snapshot.Ignored(name) && d.IsDir():
			return fs.SkipDir
		case d.IsDir() || snapshot.Ignored(name):
			return nil
		case !d.Type().IsRegular():
			return fmt.Errorf("%s is no regular file", name)
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if size += info.Size(); size > snapshot.MaxBytes {
			return fmt.Errorf("there are more than %d MB in it", snapshot.MaxBytes>>20)
		}
		files[name], err = root.ReadFile(name)
		return err
	})
	return files, err
}

// loadTree reads a snapshot.
func loadTree(dir, shown string) (snapshot.Tree, error) {
	files, err := readTree(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return snapshot.Tree{}, configError("descope-mgmt project export "+shellQuote(shown), "there is no directory %s", shown)
	}
	if err != nil {
		return snapshot.Tree{}, configError("", "reading %s: %w", shown, err)
	}
	tree, err := snapshot.Parse(files)
	if err != nil {
		return tree, configError("", "%s is no snapshot of a project: %w", shown, err)
	}
	return tree, nil
}

// written is what was done to a directory.
type written struct {
	Changed []string `json:"changed"`
	Removed []string `json:"removed"`
}

// writeTree makes a directory a tree: files that are as they should be are not touched,
// and files in areas that the tree does not have any more are removed. A directory with
// something else in it is refused.
func writeTree(dir, shown string, tree snapshot.Tree, areas []string) (written, error) {
	w := written{Changed: []string{}, Removed: []string{}}
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // source code, for everybody who works on it
		return w, configError("", "%w", err)
	}
	was, err := readTree(dir)
	if err != nil {
		return w, configError("", "reading %s: %w", shown, err)
	}
	if _, ours := was[snapshot.VersionFile]; len(was) > 0 && !ours {
		return w, configError("", "%s has files in it and is no snapshot (no %s); name an empty directory", shown, snapshot.VersionFile)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return w, configError("", "%w", err)
	}
	defer root.Close() //nolint:errcheck // every file has been closed
	for _, name := range tree.Paths() {
		data, _ := tree.File(name)
		if old, there := was[name]; there && bytes.Equal(old, data) {
			continue
		}
		if err := putFile(root, name, data); err != nil {
			return w, configError("", "writing %s: %w", shown, err)
		}
		w.Changed = append(w.Changed, name)
	}
	for name := range was {
		area, _, _ := strings.Cut(name, "/")
		if tree.Has(name) || !slices.Contains(areas, area) {
			continue
		}
		if err := root.Remove(name); err != nil {
			return w, configError("", "removing from %s: %w", shown, err)
		}
		w.Removed = append(w.Removed, name)
		_ = root.Remove(path.Dir(name)) // fails while something is in it
	}
	slices.Sort(w.Removed)
	return w, nil
}

// putFile writes a file as a whole.
func putFile(root *os.Root, name string, data []byte) error {
	if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	temporary := path.Join(path.Dir(name), ".new-"+path.Base(name))
	if err := root.WriteFile(temporary, data, 0o644); err != nil {
		return err
	}
	return root.Rename(temporary, name)
}
