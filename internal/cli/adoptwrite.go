package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/model"
	src "pcconnect.ai/descope-mgmt/internal/source"
	"pcconnect.ai/descope-mgmt/internal/store"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

// empty reports that no file has to change.
func (d *adoption) empty() bool { return len(d.after) == 0 }

// paths are the files that change, sorted.
func (d *adoption) paths() []string { return slices.Sorted(maps.Keys(d.after)) }

// diff is the change as a unified diff.
func (d *adoption) diff(s ui.Style) string {
	var b strings.Builder
	for _, path := range d.paths() {
		b.WriteString(ui.FileDiff(path, d.before[path], d.after[path], s))
	}
	return b.String()
}

// adoptionDoc is the JSON form of an adoption.
type adoptionDoc struct {
	Environment string         `json:"environment"`
	Files       []adoptionFile `json:"files"`
	// Base are the places that all environments share.
	Base    []src.BaseEdit    `json:"base"`
	Notes   model.Diagnostics `json:"notes"`
	Written bool              `json:"written"`
}

type adoptionFile struct {
	Path   string `json:"path"`
	Action string `json:"action"` // create, update, delete
	Diff   string `json:"diff"`
}

func (d *adoption) document(written bool) adoptionDoc {
	doc := adoptionDoc{Environment: d.env, Files: []adoptionFile{}, Base: append([]src.BaseEdit{}, d.base...), Notes: append(model.Diagnostics{}, d.notes...), Written: written}
	for _, path := range d.paths() {
		f := adoptionFile{Path: path, Action: "update", Diff: ui.FileDiff(path, d.before[path], d.after[path], ui.Style{})}
		switch {
		case d.before[path] == nil:
			f.Action = "create"
		case d.after[path] == nil:
			f.Action = "delete"
		}
		doc.Files = append(doc.Files, f)
	}
	return doc
}

// show notes what the diff does not say: the places that are shared, and what is left
// behind.
func (d *adoption) show() {
	var all model.Diagnostics
	for _, b := range d.base {
		all = append(all, baseDiagnostic(b))
	}
	d.app.note(ui.DiagnosticsText(append(all, d.notes...), d.app.streams.ErrStyle()))
}

// agree shows what the diff does not say, and asks whether the files may be changed,
// and whether those may that are shared. yes and allowBase answer beforehand.
func (d *adoption) agree(ctx context.Context, yes, allowBase bool) error {
	if len(d.base) > 0 && !allowBase {
		if yes || !d.app.streams.InTTY {
			return d.needsBase()
		}
		d.show()
		question := "1 place that all environments share would change. Nothing else changes for them. Edit it?"
		if n := len(d.base); n > 1 {
			question = fmt.Sprintf("%d places that all environments share would change. Nothing else changes for them. Edit them?", n)
		}
		if err := d.app.prompter().Confirm(ctx, question); err != nil {
			return declined(err, "nothing was written", "--allow-base")
		}
	} else {
		d.show()
	}
	if yes {
		return nil
	}
	question := fmt.Sprintf("Write %s?", ui.Counted(len(d.after), "file"))
	return declined(d.app.prompter().Confirm(ctx, question), "nothing was written", "--yes")
}

// write writes the files: all of them, or, if one fails, none. A file that is not
// any more as it was read is refused, and so is one that a link leads out of envs/ to,
// and one that its owner may not write.
func (d *adoption) write() error {
	root := filepath.Join(d.module.Root(), "envs")
	dir, err := filepath.EvalSymlinks(root)
	if err != nil {
		return configError("", "nothing was written: %w", err)
	}
	for _, path := range d.paths() {
		full := filepath.Join(d.module.Root(), filepath.FromSlash(path))
		if err := inside(dir, full); err != nil {
			return refusedError("", "nothing was written: %s: %w", path, err)
		}
		if err := writable(full); err != nil {
			return refusedError("", "nothing was written: %s: %w", path, err)
		}
		now, err := os.ReadFile(full)
		if errors.Is(err, fs.ErrNotExist) {
			now, err = nil, nil
		}
		if err != nil {
			return configError("", "nothing was written: %w", err)
		}
		if !bytes.Equal(now, d.before[path]) || (now == nil) != (d.before[path] == nil) {
			return refusedError("", "nothing was written: %s has changed since it was read; run the command again", path)
		}
	}
	var done []string
	for _, path := range d.paths() {
		if err := d.put(path, d.after[path]); err != nil {
			for _, back := range done {
				err = errors.Join(err, d.put(back, d.before[back]))
			}
			return configError("", "the files are as they were: %w", err)
		}
		done = append(done, path)
	}
	return nil
}

// put writes a file, or removes it.
func (d *adoption) put(path string, text []byte) error {
	full := filepath.Join(d.module.Root(), filepath.FromSlash(path))
	if text == nil {
		return os.Remove(full)
	}
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil { //nolint:gosec // source code, for everybody who works on it
		return err
	}
	return store.ReplaceFile(full, text, 0o644)
}

// writable refuses a file that its owner may not write: it would be replaced, which
// asks its directory alone. One that is not there is no reason.
func writable(path string) error {
	if info, err := os.Stat(path); err == nil && info.Mode().Perm()&0o200 == 0 {
		return fmt.Errorf("it is read-only (mode %04o)", info.Mode().Perm())
	}
	return nil
}

// inside refuses a path that does not lie in a directory once its links are followed.
func inside(dir, path string) error {
	for p := path; ; p = filepath.Dir(p) {
		followed, err := filepath.EvalSymlinks(p)
		if errors.Is(err, fs.ErrNotExist) && p != filepath.Dir(p) {
			if _, dangling := os.Lstat(p); dangling == nil {
				return errors.New("it is a link that leads nowhere")
			}
			continue // the nearest directory that there is
		}
		if err != nil {
			return err
		}
		if rel, err := filepath.Rel(dir, followed); err != nil || !filepath.IsLocal(rel) {
			return fmt.Errorf("a link leads out of %s/", filepath.Base(dir))
		}
		return nil
	}
}
