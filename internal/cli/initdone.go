package cli

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/compiler"
	"pcconnect.ai/descope-mgmt/internal/scaffold"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

// initDoc is a new configuration as JSON.
type initDoc struct {
	Directory    string     `json:"directory"`
	Module       string     `json:"module"`
	Environments []string   `json:"environments"`
	Existing     bool       `json:"existing"`
	Written      []string   `json:"written"`
	Kept         []string   `json:"kept"`
	ToAdd        []toAdd    `json:"to_add"`
	Import       *importDoc `json:"import,omitempty"`
}

// toAdd are the lines that a file lacks, which init does not write to since it is there.
type toAdd struct {
	File  string `json:"file"`
	Where string `json:"where"`
	Lines string `json:"lines"`
}

// finish says what was written, and imports.
func (o *initOptions) finish(ctx context.Context, w *started) error {
	d := initDoc{Directory: o.root, Module: w.options.Module, Environments: []string{}, Existing: len(o.known) > 0, Written: []string{}, Kept: append([]string{}, w.keep...), ToAdd: []toAdd{}}
	for _, e := range w.options.Environments {
		d.Environments = append(d.Environments, e.Name)
	}
	for _, f := range w.files {
		d.Written = append(d.Written, f.Path)
	}
	if d.Existing {
		var err error
		if d.ToAdd, err = o.toAdd(w); err != nil {
			return err
		}
	}
	// From here on, the commands that are named and run are those of the new configuration.
	o.flags.dir = o.shown
	if _, elsewhere := o.environ(varPrefix + varConfig); elsewhere {
		o.flags.config = o.root
	}
	if o.flags.output == formatText {
		o.print(o.written(d))
	}
	for _, warning := range o.warnings(w) {
		o.note("warning: " + ui.Safe(warning) + "\n")
	}
	var failed error
	if o.importing {
		if d.Import, failed = o.importInto(ctx, d.Environments); failed != nil && o.flags.output == formatText {
			o.note(ui.Safe(fmt.Sprintf("The files of %s are written; what is left: %s", o.name(), o.here("descope-mgmt import --env "+strings.Join(d.Environments, ",")))) + "\n")
		}
	}
	if o.flags.output != formatText {
		if err := o.encode(d); err != nil {
			return err
		}
		return failed
	}
	if failed == nil {
		o.print(o.next(d))
	}
	return failed
}

// importInto imports what the projects have.
func (o *initOptions) importInto(ctx context.Context, environments []string) (*importDoc, error) {
	defer func(env string) { o.flags.env = env }(o.flags.env)
	o.flags.env = strings.Join(environments, ",")
	m, err := compiler.Find(o.root)
	if err != nil {
		return nil, configError("", "%w", err)
	}
	imports := &importOptions{app: o.app, from: fromLive, yes: true}
	v, err := o.variables(m)
	if err != nil {
		return nil, err
	}
	var settings []setting
	for _, name := range environments {
		settings = append(settings, setting{name, "--env", fromFlag})
	}
	i, err := imports.prepare(ctx, m, v, settings, nil)
	if err != nil {
		return nil, err
	}
	o.note(ui.DiagnosticsText(i.notes, o.streams.ErrStyle()))
	if o.flags.output == formatText {
		o.print(i.text(imports))
	}
	if len(i.files) > 0 {
		if err := i.write(ctx); err != nil {
			return nil, err
		}
		i.written = true
	}
	d := i.document()
	return &d, nil
}

// written says in words what is there now.
func (o *initOptions) written(d initDoc) string {
	var b strings.Builder
	environments := strings.Join(d.Environments, ", ")
	switch {
	case d.Existing && len(d.Written) == 0:
		fmt.Fprintf(&b, "%s is a configuration already: module %s, environments %s. Nothing was written.\n", upperFirst(o.name()), ui.Safe(d.Module), ui.Safe(strings.Join(o.known, ", ")))
	case len(d.Written) == 0:
		fmt.Fprintf(&b, "Nothing was written: all files of a new configuration are in %s.\n", o.name())
	case d.Existing:
		fmt.Fprintf(&b, "Wrote %s into %s.\n", ui.Counted(len(d.Written), "file"), o.name())
	default:
		fmt.Fprintf(&b, "Wrote %s into %s: module %s, environments %s.\n", ui.Counted(len(d.Written), "file"), o.name(), ui.Safe(d.Module), ui.Safe(environments))
	}
	listed(&b, "  + ", d.Written)
	if len(d.Kept) > 0 {
		b.WriteString("Left alone, since there are such files:\n")
		listed(&b, "  = ", d.Kept)
	}
	for _, a := range d.ToAdd {
		fmt.Fprintf(&b, "Add to %s, %s:\n%s", ui.Safe(a.File), a.Where, a.Lines)
	}
	return b.String()
}

// toAdd are the lines that the files of the configuration lack of its new environments.
// The workflow may lie in the root of the repository.
func (o *initOptions) toAdd(w *started) ([]toAdd, error) {
	out := []toAdd{}
	top := strings.TrimSuffix(filepath.ToSlash(w.root), "/"+w.options.Below)
	for _, e := range w.options.Environments {
		if slices.Contains(o.known, e.Name) {
			continue
		}
		additions, err := scaffold.Additions(e)
		if err != nil {
			return nil, err
		}
		for _, a := range additions {
			path := filepath.Join(w.root, filepath.FromSlash(a.Path))
			text, err := os.ReadFile(path)
			if err != nil && w.options.Below != "" {
				path = filepath.Join(top, filepath.FromSlash(a.Path))
				text, err = os.ReadFile(path)
			}
			if err != nil || bytes.Contains(text, []byte(a.Variable)) {
				continue // there is none, or it has them
			}
			file := o.relative(path)
			i := slices.IndexFunc(out, func(t toAdd) bool { return t.File == file })
			if i < 0 {
				out = append(out, toAdd{file, a.Where, a.Lines})
				continue
			}
			out[i].Lines += a.Lines
		}
	}
	return out, nil
}

// listed lists paths, the copy of the schema as one.
func listed(b *strings.Builder, sign string, paths []string) {
	schema := 0
	for _, p := range paths {
		if strings.HasPrefix(p, "schema/") {
			schema++
			continue
		}
		b.WriteString(sign + ui.Safe(p) + "\n")
	}
	if schema > 0 {
		fmt.Fprintf(b, "%sschema/ (%s, for editors)\n", sign, ui.Counted(schema, "file"))
	}
}

func upperFirst(s string) string {
	if strings.HasPrefix(s, "this ") {
		return "T" + s[1:]
	}
	return s
}

// next are the commands that one goes on with.
func (o *initOptions) next(d initDoc) string {
	env := d.Environments[0]
	commands := []string{"descope-mgmt plan --env " + env + " --emulator", "descope-mgmt sync --env " + env + " --emulator"}
	head := "Try it on the emulator, without a project:"
	switch {
	case o.importing:
		head, commands = "Read the files, then:", []string{"descope-mgmt plan --env " + env}
	case d.Existing && len(d.Written) == 0:
		commands = []string{"descope-mgmt init --env NAME", "descope-mgmt init --missing", "descope-mgmt schema sync", "descope-mgmt import --env " + env}
		says := []string{"adds an environment", "writes the files of a new configuration that it lacks", "brings the copy of the schema up to date", "writes what a project has into it"}
		table := ui.NewTable("command", "what it does")
		for i, c := range commands {
			if strings.Contains(c, " init ") && o.shown != "" {
				c = strings.Replace(c, " init ", " init "+shellQuote(o.shown)+" ", 1)
			} else {
				c = o.here(c)
			}
			table.Add(c, says[i])
		}
		return table.Text(o.streams.OutStyle())
	}
	var b strings.Builder
	if slices.Contains(d.Written, scaffold.WorkflowFile) && strings.HasPrefix(o.action, unknownOwner) {
		b.WriteString("The workflow uses this tool's action: write into " + scaffold.WorkflowFile + ", in place of " + unknownOwner + ", which account has it.\n")
	}
	b.WriteString(head + "\n")
	fixed := func(path string) bool { return path == "" || filepath.IsAbs(path) }
	if o.shown != "" && fixed(o.flags.stateDir) && fixed(o.flags.keyFile) {
		b.WriteString("  cd " + ui.Safe(shellQuote(o.shown)) + "\n")
		o.flags.dir = ""
	}
	for _, c := range commands {
		b.WriteString("  " + ui.Safe(o.here(c)) + "\n")
	}
	return b.String()
}

// warnings are what somebody should know of the files that were left alone, and of where
// the new ones lie.
func (o *initOptions) warnings(w *started) []string {
	var out []string
	if slices.Contains(w.keep, ".gitignore") {
		text, err := os.ReadFile(filepath.Join(o.root, ".gitignore"))
		if err == nil && !ignoresDotEnv(text) {
			out = append(out, ".gitignore does not name .env, where management keys may stand: add the line /.env")
		}
	}
	if w.options.Below != "" && slices.ContainsFunc(w.files, func(f scaffold.File) bool {
		return strings.HasPrefix(f.Path, ".github/") || f.Path == ".pre-commit-config.yaml"
	}) {
		out = append(out, "GitHub and pre-commit read their files in the root of the repository: move .github/ and .pre-commit-config.yaml there from "+w.options.Below)
	}
	return out
}

// ignoresDotEnv reports whether a .gitignore has a line for .env.
func ignoresDotEnv(text []byte) bool {
	for line := range bytes.Lines(text) {
		switch strings.TrimPrefix(strings.TrimSpace(string(line)), "/") {
		case ".env", ".env*", "*.env", "**/.env":
			return true
		}
	}
	return false
}
