package scaffold

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"cuelang.org/go/mod/module"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// Options are what a new configuration is made for.
type Options struct {
	// Module is its import path, without a version.
	Module string
	// ModuleFile is the text of cue.mod/module.cue.
	ModuleFile []byte
	// Schema are the files of schema/, by name.
	Schema map[string][]byte
	// Environments are those that it gets, in their order; at least one.
	Environments []Environment
	// Example: there is a tenant to try things with.
	Example bool
	// Branch is the one that is applied when somebody pushes to it.
	Branch string
	// Below is where the configuration lies in its repository, with slashes, or "" in the
	// root of it.
	Below string
	// Action is the GitHub action that the workflow uses: OWNER/REPOSITORY@VERSION. An
	// owner in <> has to be written by somebody who knows it.
	Action string
}

// Environment is one environment.
type Environment struct {
	Name string
	// ProjectID is its Descope project, or "" where that is not known yet.
	ProjectID string
	Protected bool
}

// ActionKnown reports whether somebody has said whose action it is.
func (o Options) ActionKnown() bool { return !strings.HasPrefix(o.Action, "<") }

// DefaultEnvironments are the ones that somebody who names none gets, KnownEnvironments
// the names that the house has for them.
func DefaultEnvironments() []string { return []string{"dev", "staging", "prod"} }

// KnownEnvironments are usual names, in the order in which changes go through them.
func KnownEnvironments() []string { return []string{"test", "devtest", "dev", "staging", "prod"} }

// IsProtected reports whether an environment of this name is made with protection.
func IsProtected(name string) bool { return name == "prod" || name == "production" }

var environmentName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)

// maxEnvironmentName bounds the name of an environment, which is that of a directory and
// part of variables.
const maxEnvironmentName = 40

// CheckEnvironment says why an environment cannot have a name, or nil.
func CheckEnvironment(name string) error {
	switch {
	case name == "flows":
		return errors.New("an environment cannot be called flows: envs/flows/ is where exported flows lie")
	case len(name) > maxEnvironmentName:
		return fmt.Errorf("the name of an environment has at most %d characters, %q has %d", maxEnvironmentName, name, len(name))
	case environmentName.MatchString(name):
		return nil
	}
	meant := ""
	if near := model.Suggest(strings.ToLower(name), KnownEnvironments()); near != "" {
		meant = "; did you mean " + near + "?"
	}
	return fmt.Errorf("%q cannot be the name of an environment: it is a directory, of lower-case letters, digits and hyphens%s", name, meant)
}

// CheckModule says why a module cannot have a name, or nil.
func CheckModule(name string) error {
	if strings.Contains(name, "@") {
		return fmt.Errorf("the module %q has a version in its name; leave it out", name)
	}
	if err := module.CheckPathWithoutVersion(name); err != nil {
		var invalid *module.InvalidPathError
		if errors.As(err, &invalid) {
			err = invalid.Err
		}
		return fmt.Errorf("%q cannot be the name of a module (%w); it is like a path in lower case that begins with a host, such as %s", name, err, fallbackModule)
	}
	return nil
}

// fallbackModule is a name for a module that nothing gives one to.
const fallbackModule = "example.com/descope"

// ModuleName makes the name of a module of the address of a git remote, or where that
// gives none, of the name of a directory.
func ModuleName(remote, dir string) string {
	address := strings.TrimSuffix(strings.TrimSuffix(strings.ToLower(remote), "/"), ".git")
	if _, rest, ok := strings.Cut(address, "://"); ok {
		address = rest
	} else if host, path, ok := strings.Cut(address, ":"); ok { // git@host:path
		address = host + "/" + path
	}
	host, path, _ := strings.Cut(address, "/")
	if _, plain, ok := strings.Cut(host, "@"); ok { // who pulls, perhaps with a password
		host = plain
	}
	host, _, _ = strings.Cut(host, ":")
	if name := host + "/" + strings.Trim(path, "/"); strings.Contains(host, ".") && CheckModule(name) == nil {
		return name
	}
	word := strings.Trim(regexp.MustCompile(`[^a-z0-9]+`).ReplaceAllString(strings.ToLower(dir), "-"), "-")
	if name := "example.com/" + word; word != "" && CheckModule(name) == nil {
		return name
	}
	return fallbackModule
}

// Check says what is wrong with options, or nil.
func (o Options) Check() error {
	if err := CheckModule(o.Module); err != nil {
		return err
	}
	if len(o.Environments) == 0 {
		return errors.New("a configuration needs an environment")
	}
	var names []string
	projects := map[string]string{}
	for _, e := range o.Environments {
		if err := CheckEnvironment(e.Name); err != nil {
			return err
		}
		if slices.Contains(names, e.Name) {
			return fmt.Errorf("the environment %s is named twice", e.Name)
		}
		names = append(names, e.Name)
		if other, taken := projects[e.ProjectID]; taken && e.ProjectID != "" {
			return fmt.Errorf("%s and %s have the same project, %s: each environment is a project of its own", other, e.Name, e.ProjectID)
		}
		projects[e.ProjectID] = e.Name
	}
	return nil
}
