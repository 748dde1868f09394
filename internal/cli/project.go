package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"pcconnect.ai/descope-mgmt/internal/api"
	"pcconnect.ai/descope-mgmt/internal/compiler"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

func newProjectCmd(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "project",
		Short: "Projects themselves: list, show, rename, tag, clone, delete, export, import",
		Long: `Project is about the projects that environments live in. The project of an environment
is the one that its project_id names. Descope's API makes projects by cloning only, and
that needs a paid plan, as snapshots do: on the free plan make an empty project in
Descope's console, and bring tenants and flows over with export and import.`,
		Example: `  descope-mgmt project list --env dev
  descope-mgmt project export snapshot/dev --env dev
  descope-mgmt project import snapshot/dev --env staging --dry-run`,
	}
	cmd.AddCommand(newProjectListCmd(a), newProjectShowCmd(a), newProjectRenameCmd(a), newProjectTagCmd(a),
		newProjectCloneCmd(a), newProjectDeleteCmd(a), newProjectExportCmd(a), newProjectImportCmd(a))
	return cmd
}

// projectEntry is one project in project list -o json.
type projectEntry struct {
	api.Project
	// Environment is the name of ours whose project it is, or "".
	Environment string `json:"environment"`
	// Production is Descope's own label.
	Production bool `json:"production"`
}

// projectDetails is project show -o json.
type projectDetails struct {
	projectEntry
	BaseURL string `json:"base_url"`
	// Licence is tier1 (free) to tier4, or "".
	Licence string `json:"licence"`
	Tenants int    `json:"tenants"`
	Flows   int    `json:"flows"`
	Styles  int    `json:"styles"`
}

func newProjectListCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the projects of the company, with their environments",
		Long: `List shows all projects that the company has, and whose environment each is. It needs
a management key of the whole company; the environment says which key and server.`,
		Example: `  descope-mgmt project list --env dev
  descope-mgmt project list --env dev -o json | jq -r '.[] | select(.environment == "") | .id'`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.onConnection(cmd.Context(), func(c *connection) error { return c.projectList(cmd.Context()) })
		},
	}
}

func (c *connection) projectList(ctx context.Context) error {
	all, err := c.projects(ctx)
	if err != nil {
		return err
	}
	owners := c.environmentsByProject(ctx)
	entries := make([]projectEntry, 0, len(all))
	table := ui.NewTable("id", "name", "tags", "environment", "label")
	for _, p := range all {
		e := projectEntry{Project: p, Environment: strings.Join(owners[p.ID], " "), Production: p.Environment == "production"}
		entries = append(entries, e)
		table.Add(p.ID, p.Name, strings.Join(p.Tags, " "), e.Environment, p.Environment)
	}
	if c.app.flags.output != formatText {
		return c.app.encode(entries)
	}
	c.app.print(table.Text(c.app.streams.OutStyle()))
	return nil
}

// environmentsByProject are the names of the environments by the project that each
// names; those that do not compile are left out.
func (c *connection) environmentsByProject(ctx context.Context) map[string][]string {
	owners := map[string][]string{}
	names, err := c.module.Environments()
	if err != nil {
		return owners
	}
	for _, name := range names {
		id := ""
		if name == c.env { // which may have it from a variable
			id = c.project
		} else if r, _ := compiler.Compile(ctx, c.module, name); r != nil {
			id = r.Environment.ProjectID
		}
		if id != "" {
			owners[id] = append(owners[id], name)
		}
	}
	return owners
}

// projects lists the projects of the company.
func (c *connection) projects(ctx context.Context) ([]api.Project, error) {
	all, err := c.client.Projects(ctx)
	return all, c.companyKey(err)
}

// companyKey explains that the key is limited, if that is what an error says.
func (c *connection) companyKey(err error) error {
	if e, ok := errors.AsType[*api.Error](err); ok && api.IsAuth(err) && e.Status == 403 {
		return &codedError{
			code: exitAuth, hint: "descope-mgmt doctor --env " + c.env,
			err: fmt.Errorf("listing projects, with their names and tags, needs a management key of the whole company, and this one is limited to some projects: %w", err),
		}
	}
	return err
}

func newProjectShowCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "show",
		Short: "Show the project of an environment",
		Example: `  descope-mgmt project show --env prod
  descope-mgmt project show --env prod -o json | jq -r .licence`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.onConnection(cmd.Context(), func(c *connection) error { return c.projectShow(cmd.Context()) })
		},
	}
}

func (c *connection) projectShow(ctx context.Context) error {
	d := projectDetails{projectEntry: projectEntry{Project: api.Project{ID: c.project, Tags: []string{}}, Environment: c.env}, BaseURL: c.baseURL}
	all, err := c.client.Projects(ctx)
	known := err == nil
	if err != nil && !api.IsAuth(err) {
		return err
	}
	for _, p := range all {
		if p.ID == c.project {
			d.Project, d.Production = p, p.Environment == "production"
		}
	}
	licence, err := c.client.License(ctx)
	if err != nil {
		return err
	}
	d.Licence = licence.Tier
	live, err := c.read(ctx, model.Tenant, model.Flow, model.Theme)
	if err != nil {
		return err
	}
	d.Tenants, d.Flows = len(live.Of(model.Tenant)), len(live.Of(model.Flow))
	theme, _ := live.Get(model.Key{Kind: model.Theme, ID: model.ThemeID})
	styles, _ := theme.Attrs["styles"].(map[string]any)
	d.Styles = len(styles)
	if !known {
		c.app.note("The key is limited to some projects, so the name and tags of this one cannot be read.\n")
	}
	if c.app.flags.output != formatText {
		return c.app.encode(d)
	}
	label := "none"
	if d.Production {
		label = "production"
	}
	for _, line := range [][2]string{
		{"id", d.ID},
		{"name", d.Name},
		{"tags", strings.Join(d.Tags, " ")},
		{"label", label},
		{"environment", d.Environment},
		{"base URL", d.BaseURL},
		{"licence", tierName(d.Licence)},
		{"tenants", fmt.Sprint(d.Tenants)},
		{"flows", fmt.Sprint(d.Flows)},
		{"styles", fmt.Sprint(d.Styles)},
	} {
		if line[1] != "" {
			c.app.print(fmt.Sprintf("%-12s %s\n", line[0], ui.Safe(line[1])))
		}
	}
	return nil
}

// freeTier is the licence that has neither clones nor snapshots.
const freeTier = "tier1"

func tierName(tier string) string {
	names := map[string]string{freeTier: "free", "tier2": "pro", "tier3": "growth", "tier4": "enterprise"}
	switch name := names[tier]; {
	case tier == "":
		return "not told"
	case name == "":
		return tier
	default:
		return tier + " (" + name + ")"
	}
}

// paid refuses what the licence of the project does not have, before anything runs.
// Where Descope does not tell the licence, it decides itself.
func (c *connection) paid(ctx context.Context, what, instead string) error {
	licence, err := c.client.License(ctx)
	if err != nil {
		return err
	}
	if licence.Tier != freeTier {
		return nil
	}
	return refusedError(instead, "%s needs a paid plan (Pro or above), and the licence of project %s is %s; nothing was done", what, c.project, tierName(licence.Tier))
}

// checkProjectName keeps the rule for names of projects.
func checkProjectName(name string) error {
	allowed := func(r rune) bool { return r == ' ' || r == '-' || unicode.IsLetter(r) || unicode.IsDigit(r) }
	switch n := len([]rune(name)); {
	case n == 0 || n > 100:
		return configError("", "the name of a project has 1 to 100 characters; this one has %d", n)
	case strings.TrimSpace(name) != name:
		return configError("", "the name %q begins or ends with a space", name)
	}
	if i := strings.IndexFunc(name, func(r rune) bool { return !allowed(r) }); i >= 0 {
		return configError("", "the name %q has a %q; letters, digits, spaces and hyphens are allowed", name, []rune(name[i:])[0])
	}
	return nil
}

// nameIsFree refuses a name that another project has: nobody could tell them apart.
func (c *connection) nameIsFree(all []api.Project, name string) error {
	i := slices.IndexFunc(all, func(p api.Project) bool { return p.ID != c.project && strings.EqualFold(p.Name, name) })
	if i < 0 {
		return nil
	}
	return refusedError("descope-mgmt project list --env "+c.env, "project %s has the name %q already", all[i].ID, all[i].Name)
}

// maxTag is how long a tag may be. Descope: the official Terraform provider says so.
const maxTag = 50

func checkTags(tags []string) error {
	for _, t := range tags {
		if n := len([]rune(t)); n == 0 || n > maxTag || strings.TrimSpace(t) != t || strings.ContainsFunc(t, unicode.IsControl) {
			return configError("", "the tag %q: a tag has 1 to %d characters, and no space before or behind", t, maxTag)
		}
	}
	return nil
}
