package cli

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"pcconnect.ai/descope-mgmt/internal/compiler"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

func newFlowCmd(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "flow",
		Short: "Flows of a project: list, show, deploy, lint, diff, merge, export, import, history, rollback",
		Long: `Flows are written in the configuration, from a template or as a definition that was
exported; sync and flow deploy bring them into a project. They are compared by what they
do, not by their bytes.`,
		Example: `  descope-mgmt flow list --env dev
  descope-mgmt flow export sign-up-or-in --env dev --out envs/flows/sign-up-or-in.json
  descope-mgmt flow deploy sign-up-or-in --env dev`,
	}
	cmd.AddCommand(
		newFlowListCmd(a), newFlowShowCmd(a), newFlowDeployCmd(a), newFlowExportCmd(a), newFlowImportCmd(a), newFlowLintCmd(a),
		newFlowDiffCmd(a), newFlowMergeCmd(a), newFlowHistoryCmd(a), newFlowRollbackCmd(a),
	)
	return cmd
}

// flowEntry is one flow in flow list -o json.
type flowEntry struct {
	ID         string       `json:"id"`
	Name       any          `json:"name"`
	Tasks      int          `json:"tasks"`
	Screens    int          `json:"screens"`
	Configured bool         `json:"configured"`
	Origin     model.Origin `json:"origin,omitzero"`
}

func newFlowListCmd(a *app) *cobra.Command {
	templates := false
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the live flows of an environment, or the templates",
		Example: `  descope-mgmt flow list --env dev
  descope-mgmt flow list --env dev -o json | jq -r '.[].id'
  descope-mgmt flow list --templates`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if templates {
				return a.flowTemplates()
			}
			return a.flowList(cmd.Context())
		},
	}
	cmd.Flags().BoolVar(&templates, "templates", false, "list the templates that flows can be made from, with their options")
	return cmd
}

func (a *app) flowList(ctx context.Context) (err error) {
	c, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer closing(c, &err)
	live, err := c.read(ctx, model.Flow)
	if err != nil {
		return err
	}
	entries := make([]flowEntry, 0, live.Len())
	table := ui.NewTable("id", "name", "tasks", "screens", "configured")
	for _, r := range live.Of(model.Flow) {
		e := c.flowEntry(r)
		entries = append(entries, e)
		where := "no"
		if e.Configured {
			where = fmt.Sprintf("%s:%d", e.Origin.File, e.Origin.Line)
		}
		table.Add(e.ID, text(e.Name), fmt.Sprint(e.Tasks), fmt.Sprint(e.Screens), where)
	}
	if a.flags.output != formatText {
		return a.encode(entries)
	}
	if table.Len() == 0 {
		a.note("Project " + c.project + " has no flows.\n")
	}
	a.print(table.Text(a.streams.OutStyle()))
	return nil
}

func (c *connection) flowEntry(r model.Resource) flowEntry {
	written, configured := c.compiled.State.Get(r.Key)
	definition, _ := r.Attrs["definition"].(map[string]any)
	metadata, _ := definition["metadata"].(map[string]any)
	contents, _ := definition["contents"].(map[string]any)
	tasks, _ := contents["tasks"].(map[string]any)
	screens, _ := definition["screens"].([]any)
	return flowEntry{
		ID: r.Key.ID, Name: metadata["name"], Tasks: len(tasks), Screens: len(screens),
		Configured: configured, Origin: written.Origin,
	}
}

// embedding says what to write to bring an exported flow under management. CUE
// embeds no file from outside the directory of the file that asks for it.
func embedding(m *compiler.Module, file, id string) string {
	if m.YAML() != "" {
		return fmt.Sprintf("To bring the flow under management, write it into %s: under flows, id: %s with it as definition.", m.YAML(), id)
	}
	root := m.Root()
	rel, err := filepath.Rel(filepath.Join(root, "envs"), file)
	if err != nil || !filepath.IsLocal(rel) {
		return "To bring the flow under management, export it to a file below envs/."
	}
	return fmt.Sprintf("To bring the flow under management, write in envs/flows.cue, which must begin with @extern(embed): flows: %q: definition: _ @embed(file=%s)", id, filepath.ToSlash(rel))
}

type flowImportOptions struct {
	*app
	consent consentFlags
	id      string
}

func newFlowImportCmd(a *app) *cobra.Command {
	o := &flowImportOptions{app: a}
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Put an exported flow into a project",
		Long: `Import replaces a flow of the live project, or makes it, from a file that was
exported: a plan of one change. A flow that the configuration has is refused,
since the configuration decides what it is.`,
		Example: `  descope-mgmt flow import sign-up-or-in.json --env dev
  descope-mgmt flow import new.json --id sign-up --env dev --dry-run`,
		Args: cobra.ExactArgs(1),
		RunE: o.run,
	}
	cmd.Flags().StringVar(&o.id, "id", "", "id of the flow (default: the flowId in the file)")
	o.consent.add(cmd)
	return cmd
}

func (o *flowImportOptions) run(cmd *cobra.Command, args []string) (err error) {
	ctx, file := cmd.Context(), args[0]
	f, err := o.readFlow(file)
	if err != nil {
		return err
	}
	id := cmp.Or(o.id, f.ID())
	if id == "" {
		return configError("", "%s has no flowId; name the flow with --id", file)
	}
	definition := f.WithID(id).Value()
	c, agreed, err := o.begin(ctx, &o.consent)
	if err != nil {
		return err
	}
	defer closing(c, &err)
	key := model.Key{Kind: model.Flow, ID: id}
	if configured, ok := c.compiled.State.Get(key); ok {
		return refusedError("descope-mgmt sync --target "+key.String()+" --env "+c.env, "%s is in the configuration (%s), which decides what it is", key, configured.Origin)
	}
	desired, err := model.NewState([]model.Resource{{Key: key, Attrs: map[string]any{"definition": definition}}})
	if err != nil {
		return err
	}
	r := c.request(c.app.operation(), desired)
	r.only, r.options.Targets = model.Flow, []model.Key{key}
	p, err := c.plan(ctx, &r)
	if err != nil {
		return err
	}
	return c.showAndRun(ctx, r, p, agreed, o.consent.dryRun)
}
