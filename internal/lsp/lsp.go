package lsp

import (
	"context"
	"errors"
	"io"
	"time"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// Checker knows the configuration that files belong to. Its methods are called from
// several goroutines at once. All paths of files are absolute; those of origins are
// relative to the root of the module.
type Checker interface {
	// Root is the directory of the module that a file belongs to; ok is false for a
	// file of no configuration.
	Root(file string) (root string, ok bool)
	// Check says what is wrong with a configuration: one report for each environment,
	// as soon as it is known, that of the environment in hand first. It stops when ctx
	// ends; then its result does not count.
	Check(ctx context.Context, c Change, report func(Report)) Summary
	// Outline says where in a file something can be done.
	Outline(ctx context.Context, file string, unsaved map[string][]byte) Outline
	// MakeDefault are the files, by origin, as they would be if the value that a
	// diagnostic of the code [NeedsDefault] is about were a default in the base. It
	// returns nothing where that cannot be written.
	MakeDefault(ctx context.Context, root string, d model.Diagnostic, unsaved map[string][]byte) map[string][]byte
}

// NeedsDefault is the code of the diagnostics that [Checker.MakeDefault] settles.
const NeedsDefault = "needs-default"

// Change is the state of the files to check.
type Change struct {
	Root string
	// Recent are the files that were worked on, the last one first: the first that
	// belongs to an environment says which one is in hand.
	Recent []string
	// Unsaved are the contents of files that differ from those on disk.
	Unsaved map[string][]byte
}

// Report is what is wrong with one environment.
type Report struct {
	// Environment is its name; "" is what concerns no single one.
	Environment string
	Diagnostics model.Diagnostics
	// Main is the file that shows what has no position, slash-separated and relative to
	// the root.
	Main string
}

// Summary ends a check.
type Summary struct {
	// Environments are all there are; reports on others no longer count.
	Environments []string
	// Notice is something that the user should be told once, or "".
	Notice string
}

// Outline are the places of a file where something can be done.
type Outline struct {
	Root   string
	Lenses []Lens
	Links  []Link
}

// Lens is a line above a place. Either Plan is the environment to plan, or Target the
// place to open.
type Lens struct {
	At     model.Origin
	Title  string
	Plan   string
	Target model.Origin
}

// Link makes Text, which stands at a place, lead to another one.
type Link struct {
	At     model.Origin
	Text   string
	Title  string
	Target model.Origin
}

// Server is a running language server, which the proxy stands in front of.
type Server struct {
	In  io.WriteCloser
	Out io.Reader
	// Wait returns when the server has ended.
	Wait func() error
	// Kill ends it; it may be called more than once.
	Kill func()
}

// Options are what the proxy needs from outside.
type Options struct {
	// In and Out are the editor.
	In  io.Reader
	Out io.Writer
	// Start starts the server behind the proxy. Where that fails, the proxy goes on
	// with what it has itself.
	Start   func() (*Server, error)
	Checker Checker
	// Plan plans an environment of the module at root: the text that the command line
	// prints, and an error where it could not.
	Plan func(ctx context.Context, root, env string) (string, error)
	// Log takes lines for whoever looks into a problem; nil is nowhere.
	Log func(format string, args ...any)
	// Pause is how long nobody types before what is not yet saved is checked; 0 is
	// [DefaultPause], less is never.
	Pause time.Duration
	// Windows tells how paths are written in addresses.
	Windows bool
	// Version is that of the program.
	Version string
}

// DefaultPause is [Options.Pause] unless set.
const DefaultPause = 400 * time.Millisecond

// The ways in which a session ends badly.
var (
	// ErrExit: the editor said exit without shutdown, or went away.
	ErrExit = errors.New("the editor ended the session without shutdown")
	// ErrFrame: what the editor sent is no message.
	ErrFrame = errors.New("the editor does not speak the language server protocol")
)

// Run serves one editor until it says exit, goes away, or ctx ends. It returns nil
// after shutdown and exit. When it returns, the server behind it has ended; the
// goroutine that reads In ends with the next read, or when In is closed.
func Run(ctx context.Context, o Options) error {
	if o.Log == nil {
		o.Log = func(string, ...any) {}
	}
	if o.Pause == 0 {
		o.Pause = DefaultPause
	}
	h := newHub(o)
	return h.run(ctx)
}
