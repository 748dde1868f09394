package cli

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"pcconnect.ai/descope-mgmt/internal/api"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

func newProjectDeleteCmd(a *app) *cobra.Command {
	f := &consentFlags{}
	cmd := &cobra.Command{
		Use:   "delete",
		Short: "Delete the project of an environment, with everything in it",
		Long: `Delete removes the project with its tenants, flows, users, access keys and settings.
Nothing brings users, keys and secrets back, and no rollback the project. So the project's
id must be typed, or given with --confirm-project; --yes alone is never enough, and the
project of a protected environment is refused. Before that, all that can be read is backed
up: tenants with their settings and SSO settings, flows, styles and, if the licence has it,
Descope's own snapshot.`,
		Example: `  descope-mgmt project delete --env dev --dry-run
  descope-mgmt project delete --env dev`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.projectDelete(cmd.Context(), f) },
	}
	f.addProject(cmd)
	return cmd
}

func (a *app) projectDelete(ctx context.Context, f *consentFlags) (err error) {
	c, agreed, err := a.begin(ctx, f)
	if err != nil {
		return err
	}
	defer closing(c, &err)
	if c.compiled.Environment.Protected {
		return refusedError("", "nothing was done: environment %s is protected, and its project %s is not deleted; take protected out of envs/%s first, in a change of its own", c.env, c.project, c.env)
	}
	all, err := c.client.Projects(ctx)
	if err != nil && !api.IsAuth(err) {
		return err
	}
	name := ""
	for _, p := range all {
		if p.ID == c.project {
			name = fmt.Sprintf(" %q", p.Name)
		}
	}
	live, err := c.read(ctx, model.Tenant, model.Flow)
	if err != nil {
		return err
	}
	shown := fmt.Sprintf("Delete project %s%s (%s): %s, %s, all users, access keys and settings. It cannot be undone.\n", c.project, ui.Safe(name), c.env,
		ui.Counted(len(live.Of(model.Tenant)), "tenant"), ui.Counted(len(live.Of(model.Flow)), "flow"))
	return c.operate(ctx, operation{
		shown: shown, question: fmt.Sprintf("Delete project %s?", c.project), typed: true, remove: 1, settings: true, snapshot: true,
		do: func(ctx context.Context, backup string) error {
			if err := c.owner.DeleteProject(ctx); err != nil {
				return err
			}
			return c.deleted(ctx, backup)
		},
	}, agreed, f.dryRun)
}

// goneWait is how long a project is waited for to disappear from the list. Descope: it
// is deleted in the background.
const goneWait = time.Minute

func (c *connection) deleted(ctx context.Context, backup string) error {
	gone := c.untilGone(ctx)
	if c.app.flags.output != formatText {
		if err := c.app.encode(map[string]any{"project": c.project, "backup": backup, "gone": gone}); err != nil {
			return err
		}
	} else {
		c.app.print("Deleted project " + c.project + ".\n")
	}
	if !gone {
		c.app.note("Descope still lists it, or cannot be asked: that may take a while.\n")
	}
	c.app.note(ui.Safe(fmt.Sprintf("Environment %s still names it: take envs/%s away, or give it another project_id.", c.env, c.env)) + "\n")
	return nil
}

func (c *connection) untilGone(ctx context.Context) bool {
	for end := c.app.now().Add(goneWait); ; {
		all, err := c.client.Projects(ctx)
		if err != nil {
			return false
		}
		if !slices.ContainsFunc(all, func(p api.Project) bool { return p.ID == c.project }) {
			return true
		}
		if c.app.now().After(end) {
			return false
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(3 * time.Second):
		}
	}
}
