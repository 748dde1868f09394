package cli

import (
	"os"
	"path/filepath"
)

// notWritten is the error of a file that could not be written where --out names it, with
// the command that writes it into the home directory.
func (a *app) notWritten(doing, out string, err error) error {
	hint := ""
	if place := a.atHome(a.path(out)); place != "" {
		hint = a.without("", []string{"out", "management-key-command"}) + " --out " + shellQuote(place)
	}
	return configError(hint, "%s: %w; choose a directory that is there and that you can write to", doing, err)
}

// atHome is the path that a file or directory which cannot be where it was to be would
// have in the home directory, or "" if there is something.
func (a *app) atHome(path string) string {
	place := filepath.Join(a.home, filepath.Base(path))
	if _, err := os.Lstat(place); a.home == "" || !isDir(a.home) || place == path || !os.IsNotExist(err) {
		return ""
	}
	return place
}
