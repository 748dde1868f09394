package cli

import (
	"errors"
	"os"
	"path/filepath"
	"slices"

	"pcconnect.ai/descope-mgmt/internal/store"
)

// newFiles are files and directories that a command makes: all of them, or after an
// error none. What was there before is not touched. The zero value is ready; it is not
// for several goroutines.
type newFiles struct{ made []string }

// directories makes a directory and those above it that are not there.
func (w *newFiles) directories(dir string) error {
	for _, dir := range missingDirs(dir) {
		if err := os.Mkdir(dir, 0o755); err != nil { //nolint:gosec // source code, for everybody who works on it
			return configError("", "nothing was written: %w", err)
		}
		w.made = append(w.made, dir)
	}
	return nil
}

// file writes a file that is not there, with its directory.
func (w *newFiles) file(path string, text []byte) error {
	if err := w.directories(filepath.Dir(path)); err != nil {
		return err
	}
	if err := store.ReplaceFile(path, text, 0o644); err != nil {
		return configError("", "nothing was written: %w", err)
	}
	w.made = append(w.made, path)
	return nil
}

// undoneAfter takes everything away again, unless err is nil. What cannot be taken away
// is said.
func (w *newFiles) undoneAfter(err error) error {
	if err == nil {
		return nil
	}
	for _, path := range slices.Backward(w.made) {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}

// missingDirs are a directory and those above it that are not there, the topmost first.
func missingDirs(dir string) []string {
	if isDir(dir) || dir == filepath.Dir(dir) {
		return nil
	}
	return append(missingDirs(filepath.Dir(dir)), dir)
}
