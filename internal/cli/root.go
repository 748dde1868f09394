package cli

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

const rootLong = `descope-mgmt keeps the tenants and flows of Descope projects as they are written
in CUE: shared definitions, unified with one overlay per environment.

It reads the live project, shows what differs, asks, applies the difference and
reads again to see that nothing is left.`

// newRootCmd builds the whole command tree.
func newRootCmd(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:           "descope-mgmt",
		Short:         "Manage Descope tenants and flows from CUE",
		Long:          rootLong,
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,
		Example: `  descope-mgmt plan --env dev
  descope-mgmt sync --env staging
  descope-mgmt tenant list --env prod -o json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return cmd.Help()
		},
	}
	root.SetIn(a.streams.In)
	root.SetOut(a.streams.Out)
	root.SetErr(a.streams.ErrOut)
	root.SetVersionTemplate("{{.Name}} {{.Version}}\n")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
			return unknownFlag(cmd, unknown.GetSpecifiedName())
		}
		if _, ok := errors.AsType[*pflag.InvalidSyntaxError](err); ok { // which repeats what was typed
			return configError(cmd.CommandPath()+" --help", "bad flag syntax: a flag is --name or --name=value")
		}
		return configError(cmd.CommandPath()+" --help", "%w", err)
	})
	a.addGlobalFlags(root)
	root.PersistentPreRunE = func(cmd *cobra.Command, args []string) error {
		a.cmd, a.args = cmd, args
		return a.checkGlobalFlags(cmd)
	}
	inGroup(root, "To begin", newInitCmd(a), newImportCmd(a), newDoctorCmd(a), newEmulatorCmd(a))
	inGroup(root, "Every day", newPlanCmd(a), newSyncCmd(a), newDriftCmd(a))
	inGroup(root, "To take back and look back", newRollbackCmd(a), newRunsCmd(a), newBackupCmd(a), newAuditCmd(a), newReportCmd(a))
	inGroup(root, "What there is", newTenantCmd(a), newFlowCmd(a), newProjectCmd(a), newEnvCmd(a))
	inGroup(root, "The configuration", newEvalCmd(a), newValidateCmd(a), newExplainCmd(a), newFmtCmd(a), newSchemaCmd(a), newLspCmd(a))
	root.AddCommand(newVersionCmd(a))
	otherWords(root)
	helpKnowsCommands(root)
	completionExamples(root)
	usageIsConfig(root)
	return root
}

// inGroup adds commands that stand together in the help.
func inGroup(root *cobra.Command, title string, commands ...*cobra.Command) {
	root.AddGroup(&cobra.Group{ID: title, Title: title + ":"})
	for _, c := range commands {
		c.GroupID = title
		root.AddCommand(c)
	}
}

// otherWords are what people type who know another tool: the command is suggested.
func otherWords(root *cobra.Command) {
	words := map[string][]string{
		"init": {"new", "start", "setup", "scaffold"}, "sync": {"apply", "up", "push", "update", "resume"},
		"plan": {"preview", "changes"}, "rollback": {"undo", "revert", "restore"}, "import": {"adopt", "pull", "manage"},
		"audit": {"log", "who", "blame"}, "runs": {"history"}, "explain": {"why", "origin", "where"},
		"emulator": {"mock", "serve", "try"}, "doctor": {"check", "status", "debug"}, "validate": {"lint", "vet", "test"},
		"lsp": {"editor", "ide"}, "eval": {"show", "render", "export", "print"},
	}
	for _, c := range root.Commands() {
		c.SuggestFor = words[c.Name()]
	}
}

func (a *app) addGlobalFlags(root *cobra.Command) {
	f := root.PersistentFlags()
	f.StringVarP(&a.flags.env, "env", "e", "", "environment: a directory under envs/ (default: DESCOPE_ENVIRONMENT, or the git branch)")
	f.StringVarP(&a.flags.dir, "dir", "C", "", "work in this directory")
	f.StringVar(&a.flags.config, "config", "", "directory of the configuration, or a YAML file (default: DESCOPE_CONFIG, or upwards from the working directory)")
	f.StringVar(&a.flags.stateDir, "state-dir", "", "state directory (default: DESCOPE_STATE_DIR, or ~/.descope-mgmt)")
	f.StringVar(&a.flags.backupDir, "backup-dir", "", "directory of the backups (default: DESCOPE_BACKUP_DIR, or backups in the state directory)")
	f.StringVar(&a.flags.baseURL, "base-url", "", "address of Descope's API (default: DESCOPE_BASE_URL, or by the project id)")
	f.StringVar(&a.flags.keyFile, "management-key-file", "", "file that holds the management key (default: DESCOPE_MANAGEMENT_KEY_FILE, or the key in DESCOPE_MANAGEMENT_KEY)")
	f.StringVar(&a.flags.keyCommand, "management-key-command", "", "shell command that prints the management key (default: DESCOPE_MANAGEMENT_KEY_COMMAND)")
	f.BoolVar(&a.flags.emulator, "emulator", false, "use the embedded emulator instead of Descope; its data stays in the state directory")
	f.StringVarP(&a.flags.output, "output", "o", "", "form of the result: text, json or yaml; for CI also markdown and sarif, where the command has them")
	f.BoolVar(&a.flags.noColor, "no-color", false, "no colours (also: NO_COLOR)")
	f.BoolVarP(&a.flags.quiet, "quiet", "q", false, "no progress")
	f.BoolVarP(&a.flags.verbose, "verbose", "v", false, "long values, the raw errors of CUE, and how it was evaluated")
	f.StringVar(&a.flags.logLevel, "log-level", "warning", "debug, info, warning or error")
	f.StringVar(&a.flags.logFile, "log-file", "", "write the log to this file, as JSON lines (default: to the error stream)")
	f.IntVar(&a.flags.parallelism, "parallelism", 20, "changes under way at once, 1 to 50")
	f.DurationVar(&a.flags.timeout, "timeout", 30*time.Second, "longest time to wait for one answer of Descope")
	root.SetGlobalNormalizationFunc(aliases())
	must(root.RegisterFlagCompletionFunc("env", a.completeEnvironments))
	must(root.RegisterFlagCompletionFunc("management-key-command", cobra.NoFileCompletions))
	must(root.RegisterFlagCompletionFunc("output", completeFormats))
	must(root.RegisterFlagCompletionFunc("log-level", fixedCompletion("debug", "info", "warning", "error")))
}

// checkGlobalFlags applies the flags that concern every command.
func (a *app) checkGlobalFlags(cmd *cobra.Command) error {
	a.streams.Quiet, a.streams.Verbose = a.flags.quiet, a.flags.verbose
	if a.flags.noColor {
		a.streams.NoColor()
	}
	if err := emptyFlags(cmd); err != nil {
		return err
	}
	if a.flags.parallelism < 1 || a.flags.parallelism > 50 {
		return configError("", "--parallelism %d: allowed are 1 to 50", a.flags.parallelism)
	}
	if a.flags.timeout < time.Second {
		return configError("", "--timeout %s: at least 1s", a.flags.timeout)
	}
	if a.flags.emulator && a.flags.baseURL != "" {
		return configError("", "--emulator and --base-url name two servers; choose one")
	}
	if _, err := ui.ParseLevel(a.flags.logLevel); err != nil {
		return configError("", "--log-level: %w", err)
	}
	allowed := formatsOf(cmd)
	if a.flags.output == "" {
		a.flags.output, a.defaultOutput = allowed[0], true
	}
	if !slices.Contains(allowed, a.flags.output) {
		bad := a.flags.output
		a.flags.output = formatText
		return configError("", "%w", &model.MistypedError{
			Text: fmt.Sprintf("%s has no output format %q; choose one of %s", cmd.CommandPath(), bad, strings.Join(allowed, ", ")),
			Word: bad, Meant: model.Suggest(bad, allowed),
		})
	}
	return nil
}

// emptyFlags refuses flags that restrict a command and were given nothing: a variable
// of a script that is not set must not turn a part into the whole.
func emptyFlags(cmd *cobra.Command) error {
	restricting := []string{"target", "from", "plan", "resume", "prune", "prune-unmanaged", "confirm-project", "out", "env"}
	var err error
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if err != nil || !slices.Contains(restricting, f.Name) {
			return
		}
		values := []string{f.Value.String()}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		if len(values) == 0 || slices.Contains(values, "") {
			err = configError(cmd.CommandPath()+" --help", "--%s was given nothing; leave it out, or name something", f.Name)
		}
	})
	return err
}

// usageIsConfig makes wrong arguments of every command an error of the usage
// (exit 5), and unknown subcommands an error with a suggestion.
func usageIsConfig(cmd *cobra.Command) {
	if args := cmd.Args; args != nil {
		cmd.Args = func(c *cobra.Command, a []string) error {
			err := args(c, a)
			var coded *codedError
			if err == nil || errors.As(err, &coded) {
				return err
			}
			return configError(c.CommandPath()+" --help", "%w", err)
		}
	}
	if cmd.HasSubCommands() && cmd.RunE == nil {
		cmd.Args = cobra.ArbitraryArgs
		cmd.RunE = func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(c, args[0])
			}
			return c.Help()
		}
	}
	for _, sub := range cmd.Commands() {
		usageIsConfig(sub)
	}
}

// noArgs refuses arguments. One behind --prune is likely meant as its value, which
// needs "=", since the flag can stand alone.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := cmd.CommandPath() + " --help"
	if f := cmd.Flags().Lookup("prune"); f != nil && f.Changed && slices.Contains(kindNames(), args[0]) {
		hint = cmd.CommandPath() + " --prune=" + args[0]
	}
	return configError(hint, "%s takes no argument %q", cmd.CommandPath(), args[0])
}

// helpKnowsCommands makes help for a command that does not exist an error.
func helpKnowsCommands(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	for _, cmd := range root.Commands() {
		if cmd.Name() != "help" {
			continue
		}
		cmd.Run = nil
		cmd.RunE = func(_ *cobra.Command, args []string) error {
			target, rest, err := root.Find(args)
			if err != nil {
				return configError("", "%w", err)
			}
			if len(rest) > 0 {
				return unknownCommand(target, rest[0])
			}
			target.InitDefaultHelpFlag()
			return target.Help()
		}
	}
}

// unknownWithHelp refuses a command that there is none of, where help is asked for: what
// is printed would be about something else.
func unknownWithHelp(root *cobra.Command, args []string) error {
	if !slices.Contains(args, "--help") && !slices.Contains(args, "-h") {
		return nil
	}
	target, rest, err := root.Find(args)
	if err != nil || !target.HasSubCommands() || len(rest) == 0 || strings.HasPrefix(rest[0], "-") {
		return nil
	}
	return unknownCommand(target, rest[0])
}

func unknownCommand(parent *cobra.Command, word string) error {
	parent.SuggestionsMinimumDistance = 2
	text := fmt.Sprintf("there is no command %q", parent.CommandPath()+" "+word)
	if s := parent.SuggestionsFor(word); len(s) > 0 {
		return configError("", "%w", &model.MistypedError{Text: text, Word: word, Meant: s[0]})
	}
	return configError(parent.CommandPath()+" --help", "%s", text)
}

// unknownFlag suggests the flag of the command that was meant, or else the command that
// has such a flag.
func unknownFlag(cmd *cobra.Command, name string) error {
	if len(name) == 1 {
		return configError(cmd.CommandPath()+" --help", "there is no flag -%s", name)
	}
	if secretFlag("--"+name) && cmd.Flags().Lookup("key") == nil {
		return configError(cmd.CommandPath()+" --help", "there is no flag --%s, since others can read what is on a command line; a key is given by DESCOPE_MANAGEMENT_KEY, --management-key-file or --management-key-command", name)
	}
	names := []string{"environment", "format"} // see aliases
	add := func(f *pflag.Flag) { names = append(names, f.Name) }
	cmd.LocalFlags().VisitAll(add)
	cmd.InheritedFlags().VisitAll(add)
	if s := model.Suggest(name, names); s != "" {
		return configError("", "%w", &model.MistypedError{
			Text: fmt.Sprintf("there is no flag --%s; did you mean --%s?", name, s), Word: "--" + name, Meant: "--" + s,
		})
	}
	var others []string
	for _, c := range cmd.Root().Commands() {
		if f := c.LocalNonPersistentFlags().Lookup(name); f != nil && !f.Hidden && c.IsAvailableCommand() {
			others = append(others, c.CommandPath()+" --"+name)
		}
	}
	if len(others) > 0 {
		return configError(cmd.CommandPath()+" --help", "%s has no flag --%s; there is %s", cmd.CommandPath(), name, strings.Join(others, ", "))
	}
	return configError(cmd.CommandPath()+" --help", "there is no flag --%s", name)
}

// completionExamples shows how the completion of each shell is put to use.
func completionExamples(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.Name() != "completion" {
			continue
		}
		c.Short = "Print the completion of bash, zsh, fish or PowerShell"
		c.Example = "  source <(descope-mgmt completion bash)\n  descope-mgmt completion fish > ~/.config/fish/completions/descope-mgmt.fish"
		for _, shell := range c.Commands() {
			name := "  descope-mgmt completion " + shell.Name()
			shell.Example = name + map[string]string{
				"bash":       " > ~/.local/share/bash-completion/completions/descope-mgmt",
				"zsh":        ` > "${fpath[1]}/_descope-mgmt"`,
				"fish":       " > ~/.config/fish/completions/descope-mgmt.fish",
				"powershell": " | Out-String | Invoke-Expression",
			}[shell.Name()] + "\n" + name + " --no-descriptions"
		}
	}
}

// writeAll writes text; a stream that cannot be written to is no reason to stop
// what is being done, and there is nobody left to tell.
func writeAll(w io.Writer, text string) { _, _ = io.WriteString(w, text) }

// must panics on errors that only a programming mistake can cause.
func must(err error) {
	if err != nil {
		panic(fmt.Sprintf("cli: %v", err))
	}
}
