// Package cli is the command line: cobra commands, one file per noun, each a
// thin layer of flags over one function. It alone touches the process: the
// environment, the working directory, signals and the exit code.
package cli

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"pcconnect.ai/descope-mgmt/internal/api"
	"pcconnect.ai/descope-mgmt/internal/compiler"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/store"
	"pcconnect.ai/descope-mgmt/internal/ui"
	"pcconnect.ai/descope-mgmt/internal/yamlconfig"
)

// app is what commands need from outside, and the flags that all of them share.
type app struct {
	streams *ui.Streams
	environ func(string) (string, bool)
	workDir string
	home    string
	now     func() time.Time
	flags   globalFlags
	// defaultOutput: nobody asked for this form of output, so errors are text.
	defaultOutput bool
	asks          ui.Prompter
	// disk is where state is written; nil is the file system.
	disk store.Disk
	// transport carries the requests; nil is the network.
	transport http.RoundTripper
	// key is the management key, once it is known: what must not be shown.
	key api.Secret
	// documents are what was encoded so far, by environment, while a command works on
	// several; else nil.
	documents map[string]any
	// parts are the parts of a document of Markdown, while a command works on several
	// environments.
	parts []ui.MarkdownPart
	// reported are the warnings that the user has been told of.
	reported map[string]bool
	// running is the id of the run that is under way, or "".
	running atomic.Value
	// who runs the command, once that has been found out.
	who *identity
	// line is the command line as it was typed.
	line []string
	// cmd and args are what is being run, once the command line has been read.
	cmd  *cobra.Command
	args []string
}

// globalFlags are the flags of every command.
type globalFlags struct {
	env         string
	dir         string
	config      string
	stateDir    string
	backupDir   string
	baseURL     string
	keyFile     string
	keyCommand  string
	emulator    bool
	output      string
	noColor     bool
	quiet       bool
	verbose     bool
	logLevel    string
	logFile     string
	parallelism int
	timeout     time.Duration
}

// newApp reads what the process was started with.
func newApp() (*app, error) {
	a := &app{environ: os.LookupEnv, now: time.Now}
	a.streams = ui.System(os.Stdin, os.Stdout, os.Stderr, os.LookupEnv)
	var err error
	if a.workDir, err = os.Getwd(); err != nil {
		return a, configError("", "the working directory cannot be read: %w", err)
	}
	// Without a home directory the state directory must be named; whoever needs
	// it says so.
	a.home, _ = os.UserHomeDir()
	return a, nil
}

// open opens a state directory.
func (a *app) open(path string) (*store.Dir, error) {
	if a.disk != nil {
		return store.OpenOn(path, a.disk)
	}
	return store.Open(path)
}

// dir is the directory that the command works in.
func (a *app) dir() string { return a.path(a.flags.dir) }

// path makes a path from the command line absolute.
func (a *app) path(p string) string {
	if p == "" {
		return a.workDir
	}
	if filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(a.workDir, p)
}

// relative shortens a path for people: as seen from the working directory, if it
// is below it.
func (a *app) relative(path string) string {
	if rel, err := filepath.Rel(a.workDir, path); err == nil && filepath.IsLocal(rel) {
		return filepath.ToSlash(rel)
	}
	return path
}

// isFileName reports whether an id can be the name of a file, and of nothing above or
// below its directory.
func isFileName(id string) bool { return filepath.IsLocal(id) && !strings.ContainsAny(id, `/\`) }

// variables are the settings of the environment and of the module's .env.
func (a *app) variables(m *compiler.Module) (variables, error) {
	dotenv, err := readDotEnv(m.Root())
	return variables{environ: a.environ, dotenv: dotenv, module: m}, err
}

// place is where a command on a single environment works: the configuration, the settings
// beside it, and the environment that they choose.
func (a *app) place() (m *compiler.Module, v variables, env setting, err error) {
	if m, err = a.module(); err != nil {
		return nil, v, env, err
	}
	if v, err = a.variables(m); err != nil {
		return nil, v, env, err
	}
	env, err = a.environment(m, v)
	return m, v, env, err
}

// environment chooses the environment to work on; see [chooseEnvironment].
func (a *app) environment(m *compiler.Module, v variables) (setting, error) {
	names, err := m.Environments()
	if err != nil {
		return setting{}, configError("", "%w", err)
	}
	if m.YAML() != "" && len(names) == 1 && names[0] == yamlconfig.DefaultEnvironment && a.flags.env == "" && v.general(varEnv).value == "" {
		return setting{names[0], m.YAML(), fromConfig}, nil // it names none: there is no choice
	}
	return chooseEnvironment(a.flags.env, names, v, gitBranch(a.dir()))
}

// report shows diagnostics, each of them once in a command, and turns errors among them
// into an error.
func (a *app) report(d model.Diagnostics) error {
	if len(d.Errors()) > 0 {
		return &diagnosticsError{diagnostics: a.placed(d)}
	}
	var fresh model.Diagnostics
	for _, x := range d {
		said := x.Origin.String() + "\x00" + x.Code + "\x00" + x.Path + "\x00" + x.Summary
		if !a.reported[said] {
			fresh = append(fresh, x)
		}
		if a.reported == nil {
			a.reported = map[string]bool{}
		}
		a.reported[said] = true
	}
	a.note(ui.DiagnosticsText(folded(fresh), a.streams.ErrStyle()))
	return nil
}

// placed completes the commands that mistakes name, so that they go to the same place.
func (a *app) placed(d model.Diagnostics) model.Diagnostics {
	d = slices.Clone(d)
	for i := range d {
		if d[i].Severity == model.Error {
			d[i].Hint = a.here(d[i].Hint)
		}
	}
	return d
}

// folded has one line for all imported tenants that break rules of the house: a console
// makes many of them, and their ids stay.
func folded(d model.Diagnostics) model.Diagnostics {
	var out model.Diagnostics
	tenants := map[model.Key]bool{}
	for _, x := range d {
		if compiler.OfImported(x) {
			tenants[*x.Key] = true
		} else {
			out = append(out, x)
		}
	}
	if n := len(tenants); n > 0 {
		verb := "break"
		if n == 1 {
			verb = "breaks"
		}
		out = append(out, model.Diagnostic{
			Severity: model.Warning, Code: "imported",
			Summary: ui.Counted(n, "imported tenant") + " " + verb + " rules for new ones (ids, names, domains, levels); descope-mgmt validate -v lists them",
		})
	}
	return out
}

// note writes text to the error stream, unless it is empty.
func (a *app) note(text string) {
	if text != "" {
		writeAll(a.streams.ErrOut, text)
	}
}

// print writes a result.
func (a *app) print(text string) { writeAll(a.streams.Out, text) }
