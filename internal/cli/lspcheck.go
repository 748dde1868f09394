package cli

import (
	"context"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"pcconnect.ai/descope-mgmt/internal/compiler"
	"pcconnect.ai/descope-mgmt/internal/lsp"
	"pcconnect.ai/descope-mgmt/internal/model"
	src "pcconnect.ai/descope-mgmt/internal/source"
)

// lspChecker finds for the language server what validate finds.
type lspChecker struct {
	// slots are taken by evaluations. One cannot be interrupted: those that nobody waits
	// for any more must not fill the machine.
	slots chan struct{}
	// patience is how long to wait for a slot.
	patience time.Duration
	mu       sync.Mutex
	outlines map[string]outlined // by path
}

// outlined is the outline of a file with these contents.
type outlined struct {
	data     []byte
	declared []src.Declared
}

// maxEvaluations bounds the evaluations at once: one, and some that were given up.
const maxEvaluations = 3

func newLspChecker() *lspChecker {
	return &lspChecker{slots: make(chan struct{}, maxEvaluations), patience: 10 * time.Second, outlines: map[string]outlined{}}
}

// Root is the nearest directory that holds cue.mod and envs.
func (c *lspChecker) Root(file string) (string, bool) {
	for dir := filepath.Dir(file); ; dir = filepath.Dir(dir) {
		if isDirectory(filepath.Join(dir, "cue.mod")) {
			return dir, isDirectory(filepath.Join(dir, "envs"))
		}
		if dir == filepath.Dir(dir) {
			return "", false
		}
	}
}

func isDirectory(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// moduleWith is the module at root with files as they are in the editor.
func moduleWith(root string, unsaved map[string][]byte) (*compiler.Module, error) {
	m, err := compiler.Find(root)
	if err != nil {
		return nil, err
	}
	for path, data := range unsaved {
		rel, err := filepath.Rel(root, path)
		if err == nil && filepath.IsLocal(rel) {
			m = m.With(filepath.ToSlash(rel), data)
		}
	}
	return m, nil
}

// Check compiles the environments, the one in hand first.
func (c *lspChecker) Check(ctx context.Context, change lsp.Change, report func(lsp.Report)) lsp.Summary {
	select {
	case c.slots <- struct{}{}:
	case <-ctx.Done():
		return lsp.Summary{}
	case <-time.After(c.patience):
		return lsp.Summary{Notice: "descope-mgmt: earlier evaluations of the configuration do not end; restart the language server once it is mended"}
	}
	done := make(chan lsp.Summary, 1)
	go func() {
		defer func() { <-c.slots }()
		done <- c.check(ctx, change, report)
	}()
	select {
	case s := <-done:
		return s
	case <-ctx.Done():
		return lsp.Summary{}
	}
}

func (c *lspChecker) check(ctx context.Context, change lsp.Change, report func(lsp.Report)) lsp.Summary {
	broken := func(err error) lsp.Summary {
		report(lsp.Report{Main: "cue.mod/module.cue", Diagnostics: model.Diagnostics{{Severity: model.Error, Code: "module", Summary: err.Error()}}})
		return lsp.Summary{}
	}
	m, err := moduleWith(change.Root, change.Unsaved)
	if err != nil {
		return broken(err)
	}
	names, err := m.Environments()
	if err != nil {
		return broken(err)
	}
	const workers = 2 // each takes the memory of an environment
	// The evaluation is not ended with ctx, so that the slot is free when it is over.
	uninterrupted := context.WithoutCancel(ctx)
	if len(names) == 0 {
		_, diagnostics := compiler.CompileAll(uninterrupted, m)
		report(lsp.Report{Main: "cue.mod/module.cue", Diagnostics: diagnostics})
		return lsp.Summary{}
	}
	shared := compiler.CompileEach(uninterrupted, m, inHandFirst(change, names), workers, func(env string, r *compiler.Result, found model.Diagnostics) bool {
		if r != nil {
			valid, more := documents(r)
			found = append(found, more...)
			if valid != nil {
				_, more = acceptances(m, env)
				found = append(found, more...)
			}
		}
		if ctx.Err() == nil {
			report(lsp.Report{Environment: env, Diagnostics: found.Sort(), Main: mainFile(m, env)})
		}
		return ctx.Err() == nil
	})
	report(lsp.Report{Diagnostics: shared, Main: "cue.mod/module.cue"})
	return lsp.Summary{Environments: names, Notice: schemaNotice(m)}
}

// inHandFirst are the environments in the order in which they are checked: that of the
// file which was worked on last.
func inHandFirst(change lsp.Change, names []string) []string {
	for _, file := range change.Recent {
		rel, err := filepath.Rel(change.Root, file)
		if err != nil {
			continue
		}
		if env := overlayOf(filepath.ToSlash(rel)); slices.Contains(names, env) {
			rest := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == env })
			return append([]string{env}, rest...)
		}
	}
	return names
}

// overlayOf is the environment whose overlay a file is in, or "".
func overlayOf(file string) string {
	rest, ok := strings.CutPrefix(file, "envs/")
	if env, _, below := strings.Cut(rest, "/"); ok && below {
		return env
	}
	return ""
}

// mainFile is the file that shows what has no position in an environment.
func mainFile(m *compiler.Module, env string) string {
	name := path.Join("envs", env, env+".cue")
	if _, err := os.Stat(filepath.Join(m.Root(), filepath.FromSlash(name))); err == nil {
		return name
	}
	found, _ := filepath.Glob(filepath.Join(m.Root(), "envs", env, "*.cue"))
	if len(found) == 0 {
		return "cue.mod/module.cue"
	}
	return path.Join("envs", env, filepath.Base(found[0]))
}

func schemaNotice(m *compiler.Module) string {
	if status, _ := compiler.SchemaCopy(m); status == compiler.SchemaNone {
		return "This configuration has no copy of the schema, so editors can neither complete nor explain its fields. Write one: descope-mgmt schema sync"
	}
	return ""
}
