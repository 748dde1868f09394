package cli

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"pcconnect.ai/descope-mgmt/internal/api"
	"pcconnect.ai/descope-mgmt/internal/model"
)

// projectChange is a change of the project itself, as a plan of one change.
type projectChange struct {
	*app
	consent consentFlags
	remove  []string
	replace bool
}

func newProjectRenameCmd(a *app) *cobra.Command {
	o := &projectChange{app: a}
	cmd := &cobra.Command{
		Use:   "rename NAME",
		Short: "Rename the project of an environment",
		Long: `Rename gives the project another name, as a plan of one change: shown, asked, applied,
checked; rollback takes it back. A name has 1 to 100 letters, digits, spaces and hyphens.
It needs a management key of the whole company.`,
		Example: `  descope-mgmt project rename "Acme Development" --env dev
  descope-mgmt project rename Production --env prod --yes --confirm-project P2abc…`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkProjectName(args[0]); err != nil {
				return err
			}
			return o.run(cmd.Context(), func(c *connection, _ api.Project, all []api.Project) (map[string]any, error) {
				return map[string]any{"name": args[0]}, c.nameIsFree(all, args[0])
			})
		},
	}
	o.consent.addProject(cmd)
	return cmd
}

func newProjectTagCmd(a *app) *cobra.Command {
	o := &projectChange{app: a}
	cmd := &cobra.Command{
		Use:   "tag [TAG...]",
		Short: "Add tags to the project of an environment, or take some away",
		Long: `Tag adds tags to the project, takes those behind --remove away, or with --replace leaves
just those that are named, as a plan of one change. A tag has at most 50 characters. It
needs a management key of the whole company.`,
		Example: `  descope-mgmt project tag team-a eu --env dev
  descope-mgmt project tag --remove eu --env dev --yes
  descope-mgmt project tag team-a --replace --env dev`,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args)+len(o.remove) == 0 && !o.replace {
				return configError("descope-mgmt project tag --help", "name the tags to add, or those to take away with --remove")
			}
			if err := checkTags(append(slices.Clone(args), o.remove...)); err != nil {
				return err
			}
			return o.run(cmd.Context(), func(_ *connection, own api.Project, _ []api.Project) (map[string]any, error) {
				return map[string]any{"tags": o.tags(own.Tags, args)}, nil
			})
		},
	}
	cmd.Flags().StringSliceVar(&o.remove, "remove", nil, "take these tags away (repeat, or separate by commas)")
	cmd.Flags().BoolVar(&o.replace, "replace", false, "leave just the tags that are named")
	must(cmd.RegisterFlagCompletionFunc("remove", cobra.NoFileCompletions))
	o.consent.addProject(cmd)
	return cmd
}

func (o *projectChange) tags(now, add []string) []any {
	if o.replace {
		now = nil
	}
	all := []any{}
	for _, t := range append(slices.Clone(now), add...) {
		if !slices.Contains(o.remove, t) {
			all = append(all, t)
		}
	}
	return model.SortedSet(all)
}

func (o *projectChange) run(ctx context.Context, want func(c *connection, own api.Project, all []api.Project) (map[string]any, error)) (err error) {
	c, agreed, err := o.begin(ctx, &o.consent)
	if err != nil {
		return err
	}
	defer closing(c, &err)
	all, err := c.projects(ctx)
	if err != nil {
		return err
	}
	var own api.Project
	for _, p := range all {
		if p.ID == c.project {
			own = p
		}
	}
	attrs, err := want(c, own, all)
	if err != nil {
		return err
	}
	key := model.Key{Kind: model.Project, ID: c.project}
	desired, err := model.NewState([]model.Resource{{Key: key, Attrs: attrs}})
	if err != nil {
		return err
	}
	r := c.request(c.app.operation(), desired)
	r.only, r.options.Targets = model.Project, []model.Key{key}
	p, err := c.plan(ctx, &r)
	if err != nil {
		return err
	}
	return c.showAndRun(ctx, r, p, agreed, o.consent.dryRun)
}

// addProject adds the flags of consent that a change of the project itself can meet.
func (f *consentFlags) addProject(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "show what would be done and stop")
	cmd.Flags().BoolVarP(&f.yes, "yes", "y", false, "do not ask; what must be typed still needs --confirm-project")
	cmd.Flags().BoolVar(&f.yes, "auto-approve", false, "the same as --yes")
	cmd.Flags().StringVar(&f.confirmProject, "confirm-project", "", "project id, to confirm what must be confirmed by typing it")
	cmd.Flags().BoolVar(&f.reapply, "allow-reapply", false, "apply again what a rollback took back")
	cmd.Flags().StringVar(&f.forceUnlock, "force-unlock", "", "take the lock from the holder with this id, who must be dead (the refusal names the id)")
	must(cmd.RegisterFlagCompletionFunc("force-unlock", cobra.NoFileCompletions))
	must(cmd.RegisterFlagCompletionFunc("confirm-project", cobra.NoFileCompletions))
}
