package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"pcconnect.ai/descope-mgmt/internal/compiler"
	"pcconnect.ai/descope-mgmt/internal/scaffold"
	"pcconnect.ai/descope-mgmt/internal/ui"
	"pcconnect.ai/descope-mgmt/internal/yamlconfig"
)

// started is a configuration that is about to be made, or was.
type started struct {
	options scaffold.Options
	root    string
	// write are the files that are not there, keep the paths of those that are.
	files []scaffold.File
	keep  []string
}

// notAFile refuses a directory that is, or lies below, something else.
func notAFile(dir string) error {
	for path := dir; ; path = filepath.Dir(path) {
		info, err := os.Stat(path)
		switch {
		case err == nil && info.IsDir():
			return nil
		case err == nil:
			return configError("", "nothing was written: %s is not a directory", path)
		case errors.Is(err, fs.ErrNotExist):
			if _, dangling := os.Lstat(path); dangling == nil {
				return configError("", "nothing was written: %s is a link that leads nowhere", path)
			}
		case path == filepath.Dir(path) || !errors.Is(err, syscall.ENOTDIR):
			return configError("", "nothing was written: %w", err)
		}
	}
}

// nearest is a directory, or the nearest one above it that is there.
func nearest(dir string) string {
	for !isDir(dir) && dir != filepath.Dir(dir) {
		dir = filepath.Dir(dir)
	}
	return dir
}

// notWithin refuses a directory in which another configuration keeps its own files, such
// as envs/: a module there would take them from it.
func (o *initOptions) notWithin() error {
	for dir, below := filepath.Dir(o.root), o.root; dir != below; dir, below = filepath.Dir(dir), dir {
		name := filepath.Base(below)
		if !isDir(filepath.Join(dir, "cue.mod")) {
			continue
		}
		if !slices.Contains([]string{"envs", "schema", "cue.mod"}, name) {
			return nil // a configuration beside it, of its own
		}
		command := "descope-mgmt init " + shellQuote(o.relative(dir))
		if len(o.envs) > 0 {
			command += " --env " + shellQuote(strings.Join(o.envs, ","))
		}
		o.flags.dir = "" // the command names the directory
		return refusedError(command, "nothing was written: %s is in the %s/ of the configuration in %s; environments are added there, and another configuration goes beside it", o.name(), name, o.relative(dir))
	}
	return nil
}

// noYAML refuses a directory whose configuration is in YAML: a module beside it would
// count in its place.
func (o *initOptions) noYAML() error {
	found, err := yamlconfig.Find(o.root)
	if err != nil || found == "" {
		return nil //nolint:nilerr // two files of it are no less of a configuration, but for others to say
	}
	rel, err := filepath.Rel(o.root, found)
	if err != nil {
		rel = found
	}
	command := "descope-mgmt import --from-yaml " + shellQuote(filepath.Join(o.shown, rel))
	if o.shown != "" {
		command += " -C " + shellQuote(o.shown)
	}
	return refusedError(command, "nothing was written: %s is a configuration already, in YAML; import converts it to CUE", o.relative(found))
}

// below is where the configuration lies in its git repository, "" in the root of it or
// where there is none.
func (o *initOptions) below(ctx context.Context) string {
	top := o.git(ctx, "-C", nearest(o.root), "rev-parse", "--show-toplevel")
	base, err := filepath.EvalSymlinks(nearest(o.root))
	if top == "" || err != nil {
		return ""
	}
	rest, err := filepath.Rel(nearest(o.root), o.root)
	if err != nil {
		return ""
	}
	rel, err := filepath.Rel(filepath.FromSlash(top), filepath.Join(base, rest))
	if err != nil || rel == "." || !filepath.IsLocal(rel) || !plainWord().MatchString(filepath.ToSlash(rel)) {
		return ""
	}
	return filepath.ToSlash(rel)
}

// importable demands that there is a project for each environment to import.
func (o *initOptions) importable(wanted scaffold.Options) error {
	if !o.importing || o.flags.emulator {
		return nil
	}
	dotenv, err := readDotEnv(o.root)
	if err != nil {
		return err
	}
	v := variables{environ: o.environ, dotenv: dotenv}
	for _, e := range wanted.Environments {
		if e.ProjectID == "" && !slices.Contains(o.known, e.Name) && v.forEnvironment(e.Name, varProjectID).value == "" {
			return configError(o.unattended()+" --project-id "+e.Name+"=P2…", "nothing was written: --from-project reads the project of %s, and no project id is given", e.Name)
		}
	}
	return nil
}

// make makes the files, finds out which of them are there, and evaluates what will come
// of it.
func (o *initOptions) make(ctx context.Context, wanted scaffold.Options) (*started, error) {
	w := &started{options: wanted, root: o.root}
	all, err := scaffold.Files(wanted)
	if err != nil {
		return nil, err
	}
	for _, f := range all {
		if o.skips(f.Path) {
			continue
		}
		path := filepath.Join(o.root, filepath.FromSlash(f.Path))
		if _, err := os.Lstat(path); err == nil {
			w.keep = append(w.keep, f.Path)
			continue
		}
		if err := notAFile(filepath.Dir(path)); err != nil {
			return nil, err
		}
		w.files = append(w.files, f)
	}
	return w, o.evaluate(ctx, w)
}

// skips reports whether a file is not to be written into a configuration that is there.
// Its environments have files of other names, too.
func (o *initOptions) skips(path string) bool {
	if len(o.known) == 0 {
		return false
	}
	for _, name := range o.known {
		if strings.HasPrefix(path, "envs/"+name+"/") {
			return true
		}
	}
	overlay := strings.HasPrefix(path, "envs/") && strings.Count(path, "/") == 2
	return !overlay && !o.missing || path == "envs/tenants.cue" || path == "envs/flows.cue"
}

// evaluate compiles the configuration as it will be.
func (o *initOptions) evaluate(ctx context.Context, w *started) error {
	m := o.module
	for _, f := range w.files {
		if filepath.Ext(f.Path) == ".cue" && strings.HasPrefix(f.Path, "envs/") {
			m = m.With(f.Path, f.Text)
		}
	}
	if len(w.files) == 0 {
		return nil
	}
	if _, diagnostics := compiler.CompileAll(ctx, m); len(diagnostics.Errors()) > 0 {
		return &diagnosticsError{diagnostics: diagnostics.Errors(), what: "nothing was written: with what init would add, the configuration would not compile"}
	}
	return ctx.Err()
}

// agree asks before files are written.
func (o *initOptions) agree(ctx context.Context, w *started) error {
	if o.yes || len(w.files) == 0 {
		return nil
	}
	question := fmt.Sprintf("Write %s into %s?", ui.Counted(len(w.files), "file"), o.name())
	if err := o.prompter().Confirm(ctx, question); err != nil {
		return o.unasked(err)
	}
	return nil
}

// elsewhere says, where init may not write, what else can be done: a new configuration can
// be made in another directory, such as one in the home directory.
func (o *initOptions) elsewhere(err error) error {
	if !errors.Is(err, fs.ErrPermission) && !errors.Is(err, syscall.EROFS) {
		return err
	}
	if o.module != nil && len(o.known) > 0 {
		return configError("", "%w; make %s writable, or ask somebody who can write to it", err, o.name())
	}
	hint := ""
	if place := o.atHome(o.root); place != "" {
		hint = "descope-mgmt init " + shellQuote(place)
	}
	return configError(hint, "%w; name a directory that you can write to", err)
}

// name is the directory for people.
func (o *initOptions) name() string {
	if o.shown == "" {
		return "this directory"
	}
	return ui.Safe(o.shown)
}

// write writes the files: all of them, or after an error none.
func (w *started) write(ctx context.Context) (err error) {
	if len(w.files) == 0 {
		return nil
	}
	var made newFiles
	defer func() { err = made.undoneAfter(err) }()
	if err := made.directories(w.root); err != nil {
		return err
	}
	root, err := filepath.EvalSymlinks(w.root)
	if err != nil {
		return configError("", "nothing was written: %w", err)
	}
	for _, f := range w.files {
		if err := ctx.Err(); err != nil {
			return err
		}
		path := filepath.Join(w.root, filepath.FromSlash(f.Path))
		if err := inside(root, path); err != nil {
			return refusedError("", "nothing was written: %s: %w", f.Path, err)
		}
		if _, err := os.Lstat(path); err == nil {
			return configError("", "nothing was written: %s exists by now", f.Path)
		}
		if err := made.file(path, f.Text); err != nil {
			return err
		}
	}
	return nil
}
