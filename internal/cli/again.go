package cli

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/pflag"
)

// flagsOfOneRun are left out of a command that is printed for later: consent to
// what was shown then, the id of a lock, the form of the output, and a command that
// may hold a secret.
func flagsOfOneRun() []string {
	return []string{
		"yes", "auto-approve", "confirm-project", "plan", "dry-run", "force-unlock",
		"output", "quiet", "verbose", "no-color", "log-level", "log-file",
		"management-key-command",
	}
}

// again is the command line that does what this run was asked to, or what is left
// of it, in an environment: the same place and the same scope.
func (a *app) again(env string) string { return a.without(env, flagsOfOneRun()) }

// onward is the command line as it was given, for whoever adds the flag that a guard
// wants: of a saved plan too, since nothing was done with it. Where there is no terminal
// nobody can be asked, and what was agreed to beforehand is as true of the plan that was
// stopped.
func (a *app) onward(env string) string {
	if a.cmd == nil {
		return ""
	}
	given := []string{"plan"}
	if !a.streams.InTTY {
		given = append(given, "yes", "auto-approve", "confirm-project")
	}
	return a.without(env, slices.DeleteFunc(flagsOfOneRun(), func(name string) bool { return slices.Contains(given, name) }))
}

// without is the command line in an environment without some flags.
func (a *app) without(env string, skip []string) string {
	words := strings.Fields(a.cmd.CommandPath())
	for _, arg := range a.args {
		words = append(words, shellQuote(arg))
	}
	if env != "" {
		words = append(words, "--env", env)
	}
	a.cmd.Flags().Visit(func(f *pflag.Flag) {
		if f.Name != "env" && !slices.Contains(skip, f.Name) {
			words = append(words, flagWords(f)...)
		}
	})
	return strings.Join(words, " ")
}

// given are the arguments and flags of this run as they were typed, for the record:
// which backup was restored, and what was agreed to. Those of the key and of the form
// of the output are nobody's business later.
func (a *app) given() []string {
	words := []string{}
	if a.cmd == nil {
		return words
	}
	for _, arg := range a.args {
		words = append(words, shellQuote(arg))
	}
	a.cmd.Flags().Visit(func(f *pflag.Flag) {
		if !strings.HasPrefix(f.Name, "management-key") && f.Name != "output" && f.Name != "no-color" {
			given := flagWords(f)
			if f.Name == "attribute" { // what it sets is in the plan
				given = []string{"--attribute"}
			}
			words = append(words, strings.Join(given, " "))
		}
	})
	return words
}

// passing are the flags of this run that let it past guards, and how it goes on
// after a failure: what continues or undoes it will need the same.
func (a *app) passing() string {
	text := ""
	if a.cmd == nil {
		return text
	}
	a.cmd.Flags().Visit(func(f *pflag.Flag) {
		switch f.Name {
		case "allow-mass-change", "allow-delete-in-use", "allow-reapply", "allow-broken-flows", "overwrite-drift", "adopt-existing", "on-error", "parallelism", "timeout", "backup-dir":
			text += " " + strings.Join(flagWords(f), " ")
		}
	})
	return text
}

// flagWords is a flag as it can be typed.
func flagWords(f *pflag.Flag) []string {
	values := []string{f.Value.String()}
	if list, ok := f.Value.(pflag.SliceValue); ok {
		values = list.GetSlice()
	}
	var words []string
	for _, v := range values {
		switch {
		case f.Value.Type() == "bool" && v == "true":
			words = append(words, "--"+f.Name)
		case f.NoOptDefVal != "": // a value of its own would be an argument
			words = append(words, "--"+f.Name+"="+shellQuote(v))
		default:
			words = append(words, spelt(f.Name), shellQuote(v))
		}
	}
	return words
}

// spelt is a flag as it is written in commands and texts: by its name, but -C, which
// everybody knows from git and make, as that.
func spelt(flag string) string {
	if flag == "dir" {
		return "-C"
	}
	return "--" + flag
}

// here completes a command that a message names with the flags that say where
// this run works, so that it goes to the same place when it is pasted.
func (a *app) here(command string) string {
	if !strings.HasPrefix(command, "descope-mgmt ") || strings.HasSuffix(command, " --help") {
		return command
	}
	whole := strings.Contains(command, " --from-yaml ") // of all environments
	has := func(flag string) bool { return strings.Contains(command+" ", " "+spelt(flag)+" ") }
	for _, f := range []struct{ name, value string }{
		{"env", a.flags.env}, {"dir", a.flags.dir}, {"config", a.flags.config}, {"state-dir", a.flags.stateDir}, {"management-key-file", a.flags.keyFile},
	} {
		if f.value != "" && !has(f.name) && (f.name != "env" || !whole) {
			command += " " + spelt(f.name) + " " + shellQuote(f.value)
		}
	}
	switch {
	case has("emulator") || has("base-url"):
	case a.flags.emulator:
		command += " --emulator"
	case a.flags.baseURL != "":
		command += " --base-url " + shellQuote(a.flags.baseURL)
	}
	return command
}

var plainWord = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[\w./:=,@%+-]+$`) })

// shellQuote makes a text one word of a POSIX shell.
func shellQuote(s string) string {
	if plainWord().MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
