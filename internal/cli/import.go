package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"pcconnect.ai/descope-mgmt/internal/compiler"
	"pcconnect.ai/descope-mgmt/internal/model"
	src "pcconnect.ai/descope-mgmt/internal/source"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

type importOptions struct {
	*app
	several severalFlags
	from    string
	targets []string
	// fromYAML is a configuration in YAML to convert, instead of a project to read.
	fromYAML string
	dryRun   bool
	yes      bool
}

func newImportCmd(a *app) *cobra.Command {
	o := &importOptions{app: a}
	cmd := &cobra.Command{
		Use:   "import",
		Short: "Write what a project has into the configuration",
		Long: `Import reads the project of an environment, or of several, and writes the tenants and
flows that the configuration does not have, as new files below envs/. Nothing that
is there already is changed, and nothing is written to Descope. It asks before it writes;
--dry-run shows it and stops.

What the configuration has already, and is otherwise in the project, is named and left
alone: drift --resolve decides that, and its answer adopt takes the project's values.
What was imported is not yet under management: the next change to it asks, unless
sync --adopt-existing has taken it there.

One environment is written into its overlay. Of several, what they share is written
once, into the shared definitions, and what differs into their overlays. Before a
file is written all of it is compiled and compared: what was imported has to be as it
is live, and every other environment as it was.

Sources: live, which is the default; backup:NAME, a backup of the environment, and
backup:latest; or a directory with flows, such as the snapshot of another tool, which
has no tenants.

With --from-yaml, a configuration in YAML is converted instead, all environments of it,
into the module of the working directory or into a new one there. It is written only if
both say the same. Variables are written as their values of now.`,
		Example: `  descope-mgmt import --env dev --dry-run
  descope-mgmt import --env dev,staging,prod
  descope-mgmt import --env dev --from backup:latest
  descope-mgmt import --env dev --target tenant/acme-corp --yes
  descope-mgmt import --from-yaml descope.yaml --dry-run`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context()) },
	}
	o.several.add(cmd)
	f := cmd.Flags()
	f.StringVar(&o.from, "from", fromLive, "live, backup:NAME, or a directory with flows")
	addList(f, &o.targets, "target", "only these resources, for example tenant/acme-corp (repeat, or separate by commas)")
	f.StringVar(&o.fromYAML, "from-yaml", "", "convert this configuration in YAML or JSON to CUE")
	f.BoolVar(&o.dryRun, "dry-run", false, "show what would be written and stop")
	f.BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	must(cmd.RegisterFlagCompletionFunc("from", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return []string{fromLive, fromBackup + latest}, cobra.ShellCompDirectiveDefault
	}))
	must(cmd.RegisterFlagCompletionFunc("target", cobra.NoFileCompletions))
	return cmd
}

func (o *importOptions) run(ctx context.Context) error {
	if o.fromYAML != "" {
		return o.convert(ctx)
	}
	targets, err := parseKeys(o.targets)
	if err != nil {
		return err
	}
	m, err := o.module()
	if err != nil {
		return err
	}
	if err := o.inCUE(m, "import"); err != nil {
		return err
	}
	v, err := o.variables(m)
	if err != nil {
		return err
	}
	environments, err := o.environments(m, v)
	if err != nil {
		return err
	}
	i, err := o.prepare(ctx, m, v, environments, targets)
	if err != nil {
		return err
	}
	return o.finish(ctx, i)
}

// prepare makes an import into some environments, and is sure of it; nothing is written.
func (o *importOptions) prepare(ctx context.Context, m *compiler.Module, v variables, environments []setting, targets []model.Key) (*imported, error) {
	read, err := o.read(ctx, m, v, environments)
	if err != nil {
		return nil, err
	}
	if err := onlyTargets(read, targets); err != nil {
		return nil, err
	}
	i, err := newImported(ctx, m, read)
	if err != nil {
		return nil, err
	}
	return i, i.check(ctx, targets)
}

// finish shows an import and, unless there is nothing to write, asks and writes it.
func (o *importOptions) finish(ctx context.Context, i *imported) error {
	o.note(ui.DiagnosticsText(i.notes, o.streams.ErrStyle()))
	text := i.text(o)
	switch {
	case o.flags.output == formatText:
		o.print(text)
	case !o.dryRun && !o.yes && o.streams.InTTY && len(i.files) > 0:
		o.note(text) // nobody can agree to what they have not seen
	}
	if len(i.files) > 0 && !o.dryRun {
		if !o.yes {
			if err := o.prompter().Confirm(ctx, fmt.Sprintf("Write %s?", ui.Counted(len(i.files), "file"))); err != nil {
				return declined(err, "nothing was written", "--yes")
			}
		}
		if err := i.write(ctx); err != nil {
			return err
		}
		i.written = true
	}
	if o.flags.output != formatText {
		return o.encode(i.document())
	}
	if i.written {
		o.print(fmt.Sprintf("Wrote %s.\n", ui.Counted(len(i.files), "file")))
		o.print(i.verdict(o))
	}
	return nil
}

// imported is an import that is made, but not written.
type imported struct {
	module *compiler.Module
	reads  []*readProject
	files  []src.File
	notes  model.Diagnostics
	// written: the files are there.
	written bool
}

// newImported makes the files of what some projects have and the configuration has not.
func newImported(ctx context.Context, m *compiler.Module, reads []*readProject) (*imported, error) {
	names, err := m.Environments()
	if err != nil {
		return nil, configError("", "%w", err)
	}
	of := src.Module{Path: m.Path(), Environments: names, Has: hasOther(m.Root())}
	if of.Declared, err = declared(ctx, m, names, reads); err != nil {
		return nil, err
	}
	i := &imported{module: m, reads: reads}
	var environments []src.Environment
	for _, r := range reads {
		e, notes := r.environment()
		environments = append(environments, e)
		for _, n := range notes {
			if len(reads) > 1 {
				n.Summary = r.env + ": " + n.Summary
			}
			i.notes = append(i.notes, n)
		}
	}
	if i.files, err = src.Generate(of, environments); err != nil {
		return nil, err
	}
	return i, nil
}

// declared are the resources that the module has in any of its environments. Only one
// environment alone can be imported where another one does not compile: it is written
// where the others do not look.
func declared(ctx context.Context, m *compiler.Module, names []string, reads []*readProject) (map[model.Key]bool, error) {
	known := map[model.Key]bool{}
	for _, name := range names {
		r := beforeOf(reads, name)
		if r == nil && len(reads) > 1 {
			var d model.Diagnostics
			if r, d = compile(ctx, m, name); r == nil {
				if ctx.Err() != nil {
					return nil, ctx.Err()
				}
				return nil, &diagnosticsError{diagnostics: d.Errors(), what: "nothing was written: environment " + name + " does not compile"}
			}
		}
		if r == nil {
			continue
		}
		for _, res := range r.State.Resources() {
			known[res.Key] = true
		}
		for _, k := range r.Excluded {
			known[k] = true
		}
	}
	return known, nil
}

func beforeOf(reads []*readProject, env string) *compiler.Result {
	for _, r := range reads {
		if r.env == env {
			return r.before
		}
	}
	return nil
}

// hasOther reports whether a file of the module must not be replaced by a text.
func hasOther(root string) func(string, []byte) bool {
	return func(path string, text []byte) bool {
		full := filepath.Join(root, filepath.FromSlash(path))
		if _, err := os.Lstat(full); err != nil {
			return false
		}
		is, err := os.ReadFile(full)
		return text == nil || err != nil || string(is) != string(text)
	}
}

// write writes the files. After an error none of them is there; a run that is killed
// may leave files, with which an environment does not compile as long as the shared
// definitions, which come last, are missing.
func (i *imported) write(ctx context.Context) (err error) {
	var w newFiles
	defer func() { err = w.undoneAfter(err) }()
	root := filepath.Join(i.module.Root(), "envs")
	if err := w.directories(root); err != nil { // of a module that is made along
		return err
	}
	envs, err := filepath.EvalSymlinks(root)
	if err != nil {
		return configError("", "nothing was written: %w", err)
	}
	for _, f := range i.files {
		if err := ctx.Err(); err != nil {
			return err
		}
		path := filepath.Join(i.module.Root(), filepath.FromSlash(f.Path))
		if err := inside(envs, path); err != nil && strings.HasPrefix(f.Path, "envs/") {
			return refusedError("", "nothing was written: %s: %w", f.Path, err)
		}
		if _, err := os.Lstat(path); err == nil {
			if f.Declares == nil && !hasOther(i.module.Root())(f.Path, f.Text) {
				continue // the same flow, exported before
			}
			return configError("", "nothing was written: %s exists by now", f.Path)
		}
		if err := w.file(path, f.Text); err != nil {
			return err
		}
	}
	return nil
}

// environments are those that the command is about.
func (o *importOptions) environments(m *compiler.Module, v variables) ([]setting, error) {
	names, err := o.several.names(o.app)
	if err != nil {
		return nil, err
	}
	if names == nil {
		env, err := o.environment(m, v)
		return []setting{env}, err
	}
	var out []setting
	for _, name := range names {
		out = append(out, setting{name, "--env", fromFlag})
	}
	return out, nil
}
