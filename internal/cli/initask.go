package cli

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"pcconnect.ai/descope-mgmt/internal/api"
	"pcconnect.ai/descope-mgmt/internal/scaffold"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

var actionName = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(\./[\w./-]*|[\w.-]+/[\w./-]+@[\w./-]+)$`)
})

var releaseVersion = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^v\d+\.\d+\.\d+$`) })

// checkEnvironments says what is wrong with names of environments, or nil.
func checkEnvironments(names []string) error {
	for i, name := range names {
		if err := scaffold.CheckEnvironment(name); err != nil {
			return err
		}
		if slices.Contains(names[:i], name) {
			return fmt.Errorf("it names %s twice", name)
		}
	}
	return nil
}

// checkProjectID says what is wrong with a project id, or nil.
func checkProjectID(id string) error {
	_, err := api.BaseURL(id)
	return err
}

// ask asks until the answer is one that check takes; an empty one is the default.
func (o *initOptions) ask(ctx context.Context, question, fallback string, check func(string) error) (string, error) {
	for {
		answer, err := o.prompter().Input(ctx, question)
		if err != nil {
			return "", o.unasked(err)
		}
		if answer == "" {
			answer = fallback
		}
		if err = check(answer); err == nil {
			return answer, nil
		}
		o.note(ui.Safe(err.Error()) + "\n")
	}
}

// unasked is the error of a question that was not answered.
func (o *initOptions) unasked(err error) error {
	if errors.Is(err, ui.ErrNoTerminal) {
		return refusedError(o.unattended(), "nothing was written: %w", err)
	}
	return declined(err, "nothing was written", "--yes")
}

// unattended is the command that does the same and asks nothing.
func (o *initOptions) unattended() string {
	command := o.again("")
	if len(o.envs) > 0 {
		command += " --env " + shellQuote(strings.Join(o.envs, ","))
	}
	return command + " --yes"
}

func (o *initOptions) askModule(ctx context.Context) error {
	name, err := o.ask(ctx, fmt.Sprintf("Name of the module [%s]:", o.moduleName), o.moduleName, scaffold.CheckModule)
	o.moduleName = name
	return err
}

func (o *initOptions) askEnvironments(ctx context.Context, offered []string) ([]string, error) {
	var names []string
	all := strings.Join(offered, ",")
	_, err := o.ask(ctx, fmt.Sprintf("Environments [%s]:", all), all, func(answer string) error {
		names = strings.FieldsFunc(answer, func(r rune) bool { return r == ',' || r == ' ' })
		return checkEnvironments(names)
	})
	return names, err
}

func (o *initOptions) askProject(ctx context.Context, env string) (string, error) {
	return o.ask(ctx, fmt.Sprintf("Project id of %s [none yet]:", env), "", func(id string) error {
		if id == "" {
			return nil
		}
		return o.addProject(env, id)
	})
}

func (o *initOptions) askImport(ctx context.Context) error {
	err := o.prompter().Confirm(ctx, "Import what the projects have? It needs a management key.")
	if errors.Is(err, ui.ErrDeclined) {
		return nil
	}
	if err != nil {
		return o.unasked(err)
	}
	o.importing = true
	return nil
}
