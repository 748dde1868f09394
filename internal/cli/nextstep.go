package cli

import (
	"context"
	"errors"
	"slices"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/api"
	"pcconnect.ai/descope-mgmt/internal/model"
)

// answerable is a question that nobody could be asked, and that a flag answers.
type answerable struct {
	err  error  // why not, or nil where the flag says it all
	flag string // with its value
}

func (e *answerable) Error() string {
	if e.err == nil {
		return e.flag
	}
	return e.err.Error()
}

func (e *answerable) Unwrap() error { return e.err }

// nextStep is the command to type after an error, or "": the one that the error names,
// what was typed with the mistake put right, or what looks into it.
func (a *app) nextStep(err error) string {
	if hint := hintOf(err); hint != "" {
		return a.here(hint)
	}
	if errors.Is(err, context.Canceled) {
		return "" // who interrupts knows why
	}
	var diagnostics *diagnosticsError
	if mistyped, ok := errors.AsType[*model.MistypedError](err); ok && mistyped.Meant != "" {
		return a.retyped(mistyped.Word, mistyped.Meant)
	}
	if question, ok := errors.AsType[*answerable](err); ok {
		return a.retyped("", "") + " " + question.flag
	}
	switch {
	case errors.As(err, &diagnostics) || a.cmd == nil && exitCode(err) != exitConfig:
		return ""
	case exitCode(err) == exitConfig && a.cmd == nil:
		return "descope-mgmt --help"
	case exitCode(err) == exitConfig:
		return a.cmd.CommandPath() + " --help"
	case api.IsUnreachable(err) && a.cmd.Name() != "doctor":
		return a.here("descope-mgmt doctor")
	}
	return ""
}

// hintOf is the next command that an error names, or "".
func hintOf(err error) string {
	var coded *codedError
	if errors.As(err, &coded) && coded.hint != "" {
		return coded.hint
	}
	if api.IsAuth(err) {
		return "descope-mgmt doctor"
	}
	return ""
}

// retyped is the command line as it was typed, with one word instead of another. Flags
// whose value may be a secret are left out.
func (a *app) retyped(word, instead string) string {
	line := slices.Clone(a.line)
	for i := 0; i < len(line); i++ {
		switch arg := line[i]; {
		case secretFlag(arg):
			n := 1
			if !strings.Contains(arg, "=") && i+1 < len(line) && !strings.HasPrefix(line[i+1], "-") {
				n = 2
			}
			line = slices.Delete(line, i, i+n)
			i--
		case word == "":
		case arg == word:
			line[i] = instead
		case strings.HasSuffix(arg, "="+word) || strings.HasSuffix(arg, ","+word):
			line[i] = strings.TrimSuffix(arg, word) + instead
		case strings.HasPrefix(arg, word+"=") || strings.HasPrefix(arg, word+","):
			line[i] = instead + strings.TrimPrefix(arg, word)
		}
	}
	for i, arg := range line {
		line[i] = shellQuote(arg)
	}
	return "descope-mgmt " + strings.Join(line, " ")
}

// secretFlag reports whether a flag as it is typed, known or not, may have a key or the
// like for its value.
func secretFlag(arg string) bool {
	name, _, _ := strings.Cut(arg, "=")
	if !strings.HasPrefix(name, "--") || name == "--management-key-file" {
		return false
	}
	return len(name) > len("--m") && strings.HasPrefix("--management-key", name) ||
		slices.ContainsFunc([]string{"key", "token", "secret", "password"}, func(word string) bool { return strings.Contains(name, word) })
}
