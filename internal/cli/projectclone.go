package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"pcconnect.ai/descope-mgmt/internal/api"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

type projectCloneOptions struct {
	*app
	consent    consentFlags
	production bool
	tags       []string
}

func newProjectCloneCmd(a *app) *cobra.Command {
	o := &projectCloneOptions{app: a}
	cmd := &cobra.Command{
		Use:   "clone NAME",
		Short: "Make a new project like the one of an environment, without its tenants (paid plan)",
		Long: `Clone makes a project with the settings, flows and styles of this one, and with the
secrets of its connectors, but without tenants, users and access keys. It is the only way
in which Descope's API makes projects, and needs a paid plan and a management key of the
whole company. The new project belongs to no environment until one names its id.`,
		Example: `  descope-mgmt project clone "Acme Staging" --env dev
  descope-mgmt project clone "Acme Production" --production --tag eu --env staging --yes`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), args[0]) },
	}
	cmd.Flags().BoolVar(&o.production, "production", false, "label the new project as production")
	cmd.Flags().StringSliceVar(&o.tags, "tag", nil, "tags of the new project (repeat, or separate by commas)")
	must(cmd.RegisterFlagCompletionFunc("tag", cobra.NoFileCompletions))
	o.consent.addProject(cmd)
	return cmd
}

func (o *projectCloneOptions) run(ctx context.Context, name string) (err error) {
	if err := errors.Join(checkProjectName(name), checkTags(o.tags)); err != nil {
		return err
	}
	c, agreed, err := o.begin(ctx, &o.consent)
	if err != nil {
		return err
	}
	defer closing(c, &err)
	instead := "descope-mgmt project export DIR --include-tenants --include-flows --env " + c.env
	err = c.paid(ctx, "project clone", instead)
	if err != nil {
		o.note("On the free plan: make an empty project in Descope's console, write its id into an environment, and bring\n" +
			"tenants and flows over with project export --include-tenants --include-flows and project import.\n")
		return err
	}
	all, err := c.projects(ctx)
	if err != nil {
		return err
	}
	if err := c.nameIsFree(all, name); err != nil {
		return err
	}
	label := ""
	if o.production {
		label = "production"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Clone project %s (%s) as %q", c.project, c.env, name)
	if label != "" {
		b.WriteString(", labelled production")
	}
	if len(o.tags) > 0 {
		b.WriteString(", tags " + strings.Join(o.tags, " "))
	}
	b.WriteString(".\nSettings, flows, styles and the secrets of connectors go along; tenants, users and access keys do not.\n")
	return c.operate(ctx, operation{
		shown: b.String(), question: fmt.Sprintf("Make project %q?", name), create: 1,
		do: func(ctx context.Context, _ string) error {
			made, err := c.owner.Clone(ctx, name, label, o.tags)
			if e, ok := errors.AsType[*api.Error](err); ok && e.Unanswered() {
				return &codedError{code: exitFailed, err: err, hint: "descope-mgmt project list --env " + c.env}
			}
			if err != nil {
				return err
			}
			return c.cloned(made)
		},
	}, agreed, o.consent.dryRun)
}

func (c *connection) cloned(made api.Project) error {
	if c.app.flags.output != formatText {
		if err := c.app.encode(projectEntry{Project: made, Production: made.Environment == "production"}); err != nil {
			return err
		}
	} else {
		c.app.print(ui.Safe(fmt.Sprintf("Made project %s (%s).", made.ID, made.Name)) + "\n")
	}
	c.app.note(ui.Safe(fmt.Sprintf("It has no tenants yet. To make it an environment, write project_id: %q into envs/NAME/NAME.cue, then: descope-mgmt plan --env NAME", made.ID)) + "\n")
	return nil
}
