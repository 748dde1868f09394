package cli

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/pflag"
)

// flagsOfOneRun are left out of a command that is printed for later: consent to
// what was shown then, and the form of the output.
func flagsOfOneRun() []string {
	return []string{
		"yes", "auto-approve", "confirm-project", "plan", "dry-run",
		"output", "quiet", "verbose", "no-color", "log-level", "log-file",
	}
}

// again is the command line that does what this run was asked to, or what is left
// of it, in an environment: the same place and the same scope.
func (a *app) again(env string) string {
	words := strings.Fields(a.cmd.CommandPath())
	for _, arg := range a.args {
		words = append(words, shellQuote(arg))
	}
	if env != "" {
		words = append(words, "--env", env)
	}
	skip := append(flagsOfOneRun(), "env")
	a.cmd.Flags().Visit(func(f *pflag.Flag) {
		if !slices.Contains(skip, f.Name) {
			words = append(words, flagWords(f)...)
		}
	})
	return strings.Join(words, " ")
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
			words = append(words, "--"+f.Name, shellQuote(v))
		}
	}
	return words
}

// here completes a command that a message names with the flags that say where
// this run works, so that it goes to the same place when it is pasted.
func (a *app) here(command string) string {
	if !strings.HasPrefix(command, "descope-mgmt ") || strings.HasSuffix(command, " --help") {
		return command
	}
	has := func(flag string) bool { return strings.Contains(command+" ", " --"+flag+" ") }
	for _, f := range []struct{ name, value string }{
		{"env", a.flags.env}, {"dir", a.flags.dir}, {"config", a.flags.config}, {"state-dir", a.flags.stateDir},
	} {
		if f.value != "" && !has(f.name) {
			command += " --" + f.name + " " + shellQuote(f.value)
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
