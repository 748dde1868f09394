package cli

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pcconnect.ai/descope-mgmt/internal/ui"
)

// severalFlags let a command work on more than one environment.
type severalFlags struct{ all bool }

func (f *severalFlags) add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.all, "all", false, "all environments; --env a,b is some of them")
}

// names are the environments that a command is to work on one after the other, or none
// where it is about a single one.
func (f *severalFlags) names(a *app) ([]string, error) {
	if !f.all && !strings.Contains(a.flags.env, ",") {
		return nil, nil
	}
	if f.all && a.flags.env != "" {
		return nil, configError("", "--all and --env %s contradict each other", a.flags.env)
	}
	m, err := a.module()
	if err != nil {
		return nil, err
	}
	all, err := m.Environments()
	if err != nil {
		return nil, configError("", "%w", err)
	}
	if f.all {
		return all, nil
	}
	var names []string
	for name := range strings.SplitSeq(a.flags.env, ",") {
		if err := known(name, fromEnvFlag, all); err != nil {
			return nil, err
		}
		if slices.Contains(names, name) {
			return nil, configError("", "--env names %s twice", name)
		}
		names = append(names, name)
	}
	return names, nil
}

// each runs f in every environment that the command is about, in the order of --env or
// of their names. Where there are several, what f prints gets a heading, and what it
// encodes becomes one object by environment. f is asked to go on after an environment
// unless stop says otherwise.
//
// The error is that of a single environment; of several, each error is told when it
// occurs, and the exit code is that of the first that failed, or says that there are
// differences.
func (a *app) each(ctx context.Context, s severalFlags, stop func(error) bool, f func(context.Context) error) error {
	names, err := s.names(a)
	if err != nil {
		return err
	}
	if names == nil {
		return f(ctx)
	}
	defer func() { a.documents, a.parts = nil, nil }()
	a.documents = map[string]any{}
	code, last := exitOK, len(names)-1
	err = a.visit(names, func(i int, name string) (bool, error) {
		err := f(ctx)
		if ctx.Err() != nil {
			return false, errors.Join(err, ctx.Err())
		}
		a.fail(err)
		if n := exitCode(err); n != exitOK && n != exitDifferences {
			a.parts = append(a.parts, ui.FailedMarkdown("Plan for", name, messageOf(err)))
		}
		code = worse(code, exitCode(err))
		stopped := stop != nil && stop(err)
		if stopped && i < last {
			a.note("Not run, since " + name + " comes first: " + strings.Join(names[i+1:], ", ") + "\n")
		}
		return !stopped, nil
	})
	if err != nil {
		return err
	}
	if a.flags.output == formatMarkdown {
		a.print(ui.MarkdownDocument(s.marker(markerPlan, names...), a.parts...))
	}
	if documents := a.documents; a.flags.output == formatJSON || a.flags.output == formatYAML {
		a.documents = nil
		if err := a.encode(documents); err != nil {
			return err
		}
	}
	return exitWith(code)
}

// visit runs f in environments one after the other, each under a heading, as long as f
// says that there is more to do.
func (a *app) visit(names []string, f func(i int, name string) (more bool, err error)) error {
	given := a.flags.env
	defer func() { a.flags.env = given }()
	for i, name := range names {
		a.flags.env = name
		if a.flags.output == formatText {
			a.print(ui.Heading("Environment "+name, i > 0, a.streams.OutStyle()))
		}
		if more, err := f(i, name); err != nil || !more {
			return err
		}
	}
	return nil
}

// worse is the exit code of two together: that of the first failure, else that of
// differences.
func worse(a, b int) int {
	if a == exitOK || a == exitDifferences && b != exitOK {
		return b
	}
	return a
}
