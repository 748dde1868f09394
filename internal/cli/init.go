package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pcconnect.ai/descope-mgmt/internal/compiler"
	"pcconnect.ai/descope-mgmt/internal/scaffold"
)

// unknownOwner stands for the owner of the action where none was given. It cannot be the
// name of anybody: whoever had that name would get the keys.
const unknownOwner = "<OWNER>"

// exampleAction is what an action looks like.
const exampleAction = "acme/descope-mgmt@v1.2.3"

// defaultAction is the GitHub action that the workflow of a new configuration uses: this
// version of it.
func defaultAction() string {
	ref := version()
	if !releaseVersion().MatchString(ref) {
		ref = "main"
	}
	return unknownOwner + "/descope-mgmt@" + ref
}

type initOptions struct {
	*app
	envs       []string
	moduleName string
	projects   []string
	action     string
	importing  bool
	missing    bool
	yes        bool

	// root is the directory, absolute, and shown how it was named.
	root, shown string
	// module is the configuration as it is: one that is yet to be made, or that lacks its
	// environments, or, with known environments, a whole one.
	module *compiler.Module
	known  []string
	// projectOf are the project ids that were given, by environment.
	projectOf map[string]string
}

func newInitCmd(a *app) *cobra.Command {
	o := &initOptions{app: a}
	cmd := &cobra.Command{
		Use:   "init [DIRECTORY]",
		Short: "Make a configuration of your own, with CI and editor settings",
		Long: `Init makes a configuration in the working directory, or in the one that is named, which
is made if it is not there: a CUE module with the schema for editors, shared definitions
and environments, .env.example, settings of VS Code, a workflow for GitHub, hooks for
pre-commit and a README. It asks what it is not told; --yes takes what it would offer.

No file is written over. In a directory that is a configuration already it adds the
environments that --env names and that are not there, says what to add to the workflow and
.env.example, and with --missing writes every other file that a new one has. Before a file
is written, all of it is evaluated.

The environments are dev, staging and prod unless --env says others; prod is protected.
An environment without a project can be planned with --emulator. --from-project imports
what the projects have, as import does; it needs a management key.`,
		Example: `  descope-mgmt init
  descope-mgmt init identity --yes
  descope-mgmt init --yes --env dev,prod --project-id dev=P2… --project-id prod=P2…
  descope-mgmt init --yes --env prod --project-id prod=P2… --from-project
  descope-mgmt init --env qa`,
		Annotations: formats(formatText, formatJSON, formatYAML),
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return configError(cmd.CommandPath()+" --help", "%s takes one directory, not %q too", cmd.CommandPath(), args[1])
			}
			return nil
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), args) },
	}
	f := cmd.Flags()
	f.VarP(listFlag{&o.envs}, "env", "e", "environments (repeat, or separate by commas; default: dev, staging, prod)")
	f.StringVar(&o.moduleName, "module", "", "name of the module (default: by the git remote, or the directory)")
	addList(f, &o.projects, "project-id", "project of an environment, as dev=P2… (repeat, or separate by commas)")
	f.BoolVar(&o.importing, "from-project", false, "import what the projects of the environments have")
	f.BoolVar(&o.missing, "missing", false, "in a configuration that is there: write all files of a new one that it lacks")
	f.StringVar(&o.action, "action", "", "GitHub action that the workflow uses, as OWNER/REPOSITORY@VERSION (default: to be written into it)")
	f.BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	must(cmd.RegisterFlagCompletionFunc("env", fixedCompletion(scaffold.KnownEnvironments()...)))
	for _, name := range []string{"module", "project-id", "action"} {
		must(cmd.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions))
	}
	return cmd
}

func (o *initOptions) run(ctx context.Context, args []string) error {
	if err := o.place(args); err != nil {
		return err
	}
	if err := o.given(); err != nil {
		return err
	}
	wanted, err := o.options(ctx)
	if err != nil {
		return err
	}
	w, err := o.make(ctx, wanted)
	if err != nil {
		return err
	}
	if err := o.agree(ctx, w); err != nil {
		return err
	}
	if err := w.write(ctx); err != nil {
		return o.elsewhere(err)
	}
	return o.finish(ctx, w)
}

// place decides which directory it is about, and what is there.
func (o *initOptions) place(args []string) error {
	if o.flags.config != "" {
		return configError("descope-mgmt init --help", "--config has no meaning here: init makes a configuration in a directory, which is its argument")
	}
	if o.flags.dir != "" && !isDir(o.dir()) {
		dir := o.flags.dir
		o.flags.dir = "" // the command names it
		return configError("descope-mgmt init "+shellQuote(dir), "-C %s: there is no such directory; as the argument, init makes it", dir)
	}
	o.root, o.shown = o.dir(), o.flags.dir
	if len(args) > 0 {
		if args[0] == "" {
			return configError("descope-mgmt init --help", "the directory was given as nothing; leave it out, or name one")
		}
		if filepath.IsAbs(args[0]) {
			o.root, o.shown = args[0], args[0]
		} else {
			o.root, o.shown = filepath.Join(o.root, args[0]), filepath.Join(o.flags.dir, args[0])
		}
	}
	o.root = filepath.Clean(o.root)
	if err := notAFile(o.root); err != nil {
		return err
	}
	return o.look()
}

// look finds out whether the directory is a configuration.
func (o *initOptions) look() error {
	if !isDir(filepath.Join(o.root, "cue.mod")) {
		o.module = nil
		if err := o.notWithin(); err != nil {
			return err
		}
		return o.noYAML()
	}
	m, err := compiler.New(o.root)
	if err != nil {
		return configError("", "nothing was written: %w", err)
	}
	o.module = m
	if isDir(filepath.Join(o.root, "envs")) {
		if o.known, err = m.Environments(); err != nil {
			return configError("", "nothing was written: %w", err)
		}
	}
	return nil
}

// given reads the flags, before anybody is asked anything.
func (o *initOptions) given() error {
	if o.action == "" {
		o.action = defaultAction()
	} else if !actionName().MatchString(o.action) {
		return configError("descope-mgmt init --help", "--action %q: it is OWNER/REPOSITORY@VERSION, such as %s", o.action, exampleAction)
	}
	if o.moduleName != "" {
		if o.module != nil && o.moduleName != o.module.Path() {
			return configError("", "--module %s: the module is %s already, by its cue.mod/module.cue", o.moduleName, o.module.Path())
		}
		if err := scaffold.CheckModule(o.moduleName); err != nil {
			return configError("descope-mgmt init --help", "--module: %w", err)
		}
	}
	if err := checkEnvironments(o.envs); err != nil {
		return configError("descope-mgmt init --help", "--env: %w", err)
	}
	o.projectOf = map[string]string{}
	for _, text := range o.projects {
		env, id, ok := strings.Cut(text, "=")
		if !ok || env == "" || id == "" {
			return configError("descope-mgmt init --help", "--project-id %s: it is an environment and its project, as dev=P2…", text)
		}
		if err := o.addProject(env, id); err != nil {
			return configError("descope-mgmt init --help", "--project-id %s: %w", text, err)
		}
	}
	return nil
}

// addProject notes the project of an environment.
func (o *initOptions) addProject(env, id string) error {
	if err := checkProjectID(id); err != nil {
		return err
	}
	if _, again := o.projectOf[env]; again {
		return fmt.Errorf("%s has two projects", env)
	}
	for other, taken := range o.projectOf {
		if taken == id {
			return fmt.Errorf("%s has this project already, and each environment is a project of its own", other)
		}
	}
	o.projectOf[env] = id
	return nil
}

// options are what is asked for, after all questions.
func (o *initOptions) options(ctx context.Context) (scaffold.Options, error) {
	wanted := scaffold.Options{Action: o.action, Schema: compiler.SchemaCopyFiles(), Branch: "main"}
	if branch := gitBranch(o.root); branch == "master" || branch == "trunk" {
		wanted.Branch = branch
	}
	wanted.Below = o.below(ctx)
	if o.module == nil && o.moduleName == "" {
		o.moduleName = scaffold.ModuleName(o.git(ctx, "-C", nearest(o.root), "config", "--get", "remote.origin.url"), filepath.Base(o.root))
		if !o.yes {
			if err := o.askModule(ctx); err != nil {
				return wanted, err
			}
		}
	}
	if o.module == nil {
		o.module = compiler.Make(o.root, o.moduleName)
	}
	wanted.Module, wanted.ModuleFile = o.module.Path(), compiler.ModuleFile(o.module.Path())
	if err := o.chooseEnvironments(ctx, &wanted); err != nil {
		return wanted, err
	}
	wanted.Example = !o.importing
	if err := wanted.Check(); err != nil {
		return wanted, configError("descope-mgmt init --help", "%w", err)
	}
	return wanted, o.importable(wanted)
}

// chooseEnvironments decides which there are to be, and their projects. Those of a
// configuration that is there are as they are.
func (o *initOptions) chooseEnvironments(ctx context.Context, wanted *scaffold.Options) error {
	names := o.envs
	if len(o.known) == 0 && len(names) == 0 {
		names = scaffold.DefaultEnvironments()
		if !o.yes {
			var err error
			if names, err = o.askEnvironments(ctx, names); err != nil {
				return err
			}
		}
	}
	for _, name := range o.known {
		if !slices.Contains(names, name) && (len(o.envs) == 0 || o.missing) {
			names = append(names, name)
		}
	}
	for env := range o.projectOf {
		if !slices.Contains(names, env) {
			return configError("descope-mgmt init --help", "--project-id %s=…: there is no environment %s among %s", env, env, strings.Join(names, ", "))
		}
		if slices.Contains(o.known, env) {
			return configError("", "--project-id %s=…: the environment is there already, in envs/%s; write it there", env, env)
		}
	}
	for _, name := range names {
		e := scaffold.Environment{Name: name, ProjectID: o.projectOf[name], Protected: scaffold.IsProtected(name)}
		if e.ProjectID == "" && !o.yes && !slices.Contains(o.known, name) {
			var err error
			if e.ProjectID, err = o.askProject(ctx, name); err != nil {
				return err
			}
		}
		wanted.Environments = append(wanted.Environments, e)
	}
	if !o.importing && !o.yes && len(o.known) == 0 && len(o.projectOf) > 0 {
		return o.askImport(ctx)
	}
	return nil
}
