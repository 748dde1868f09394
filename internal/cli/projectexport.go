package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pcconnect.ai/descope-mgmt/internal/flow"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/snapshot"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

type projectExportOptions struct {
	*app
	tenants, flows, snapshot bool
}

func newProjectExportCmd(a *app) *cobra.Command {
	o := &projectExportOptions{app: a}
	cmd := &cobra.Command{
		Use:   "export [DIR]",
		Short: "Write a project to files, in the layout of Descope's snapshots",
		Long: `Export writes tenants, flows and styles of the live project below DIR (snapshot/ and the
environment if it is left out), in the layout of Descope's own snapshots, with
tenants.json beside it. That works on every plan. With --snapshot it takes Descope's own
snapshot, with connectors, roles and settings but no secrets, which needs a paid plan.

Equal projects give equal bytes. Files of flows, styles and the like that are not in the
project any more are removed from DIR; all others stay. A flow whose id cannot be the
name of a directory is left out with a warning, and the exit code is 1 then.`,
		Example: `  descope-mgmt project export --env dev
  descope-mgmt project export snapshot/dev --include-tenants --include-flows --env dev
  descope-mgmt project export snapshot/dev --snapshot --env dev -o json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.onConnection(cmd.Context(), func(c *connection) error {
				dir := "snapshot/" + c.env
				if len(args) == 1 {
					dir = args[0]
				}
				return o.run(cmd.Context(), c, dir)
			})
		},
	}
	cmd.Flags().BoolVar(&o.tenants, "include-tenants", false, "tenants (default: tenants, flows and styles)")
	cmd.Flags().BoolVar(&o.flows, "include-flows", false, "flows and styles (default: tenants, flows and styles)")
	cmd.Flags().BoolVar(&o.snapshot, "snapshot", false, "Descope's own snapshot instead of flows and styles (paid plan)")
	return cmd
}

// exportResult is project export -o json.
type exportResult struct {
	Project string   `json:"project"`
	Dir     string   `json:"dir"`
	Tenants int      `json:"tenants"`
	Flows   []string `json:"flows"`
	Styles  []string `json:"styles"`
	// LeftOut are the ids of flows that cannot be the name of a directory.
	LeftOut []string `json:"left_out"`
	Files   int      `json:"files"`
	written
}

func (o *projectExportOptions) run(ctx context.Context, c *connection, dir string) error {
	if !o.tenants && !o.flows && !o.snapshot {
		o.tenants, o.flows = true, true
	}
	if o.snapshot {
		if err := c.paid(ctx, "a snapshot", "descope-mgmt project export "+shellQuote(dir)+" --include-tenants --include-flows --env "+c.env); err != nil {
			return err
		}
	}
	tree, areas, left, err := o.tree(ctx, c)
	if err != nil {
		return err
	}
	result := exportResult{Project: c.project, Dir: dir, Flows: []string{}, Styles: []string{}, Files: len(tree.Paths())}
	if result.written, err = writeTree(o.path(dir), dir, tree, areas); err != nil {
		return err
	}
	tenants, _, err := tree.Tenants()
	if err != nil {
		return err
	}
	result.Tenants = len(tenants)
	flows, err := tree.Flows()
	if err != nil {
		return err
	}
	theme, err := tree.Theme()
	if err != nil {
		return err
	}
	result.Flows, result.Styles = append(result.Flows, flows...), slices.AppendSeq(result.Styles, maps.Keys(theme.Styles))
	slices.Sort(result.Styles)
	result.LeftOut = append([]string{}, left...)
	for _, id := range left {
		o.note("warning: " + ui.Safe(fmt.Sprintf("flow %q is left out: its id cannot be the name of a directory", id)) + "\n")
	}
	if o.flags.output != formatText {
		return errors.Join(o.encode(result), leftOut(c.env, left))
	}
	o.print(ui.Safe(fmt.Sprintf("Wrote %s to %s: %s, %s, %s; %s changed, %d removed.",
		c.project, dir, ui.Counted(result.Tenants, "tenant"), ui.Counted(len(flows), "flow"), ui.Counted(len(result.Styles), "style"),
		ui.Counted(len(result.Changed), "file"), len(result.Removed))) + "\n")
	return leftOut(c.env, left)
}

// leftOut is the error of an export without some flows, or nil.
func leftOut(env string, left []string) error {
	if len(left) == 0 {
		return nil
	}
	return &codedError{
		code: exitFailed, err: fmt.Errorf("%s left out of the export; flow export prints a single one", ui.Counted(len(left), "flow")),
		hint: "descope-mgmt flow export " + shellQuote(left[0]) + " --env " + env,
	}
}

// tree reads what is to be written, and says which areas of a directory it is all of,
// and which flows are not in it.
func (o *projectExportOptions) tree(ctx context.Context, c *connection) (tree snapshot.Tree, areas, left []string, err error) {
	if o.snapshot {
		if tree, err = c.ownSnapshot(ctx); err != nil {
			return tree, nil, nil, err
		}
		areas = []string{"flows", "styles", "connectors", "widgets", "assets", "auth"}
	}
	var kinds []model.Kind
	if o.tenants {
		kinds = append(kinds, model.Tenant)
	}
	if o.flows && !o.snapshot {
		kinds = append(kinds, model.Flow, model.Theme)
	}
	if len(kinds) == 0 {
		return tree, areas, nil, nil
	}
	live, err := c.read(ctx, kinds...)
	if err != nil {
		return tree, nil, nil, err
	}
	if !o.snapshot {
		if tree, left, err = treeOf(live, o.flows); err != nil {
			return tree, nil, nil, err
		}
	}
	if o.flows && !o.snapshot {
		areas = []string{"flows", "styles"}
	}
	if o.tenants {
		tree = tree.WithTenants(tenantsOf(live))
	}
	return tree, areas, left, nil
}

// ownSnapshot is the project's snapshot as Descope makes it.
func (c *connection) ownSnapshot(ctx context.Context) (snapshot.Tree, error) {
	files, err := c.client.ExportSnapshot(ctx)
	if err != nil {
		return snapshot.Tree{}, err
	}
	tree, err := snapshot.FromWire(files)
	if err != nil {
		return tree, fmt.Errorf("the snapshot of project %s is not understood: %w", c.project, err)
	}
	return tree, nil
}

// treeOf is a snapshot of the flows and the theme of a state. Flows that have no place
// in one are left out.
func treeOf(live model.State, withFlows bool) (tree snapshot.Tree, left []string, err error) {
	var flows []flow.Flow
	if withFlows {
		flows = []flow.Flow{}
	}
	for _, r := range live.Of(model.Flow) {
		if snapshot.CheckName(r.Key.ID) != nil {
			left = append(left, r.Key.ID)
			continue
		}
		f, _, err := flow.FromValue(r.Attrs["definition"])
		if err != nil {
			return tree, nil, fmt.Errorf("%s is not understood: %w", r.Key, err)
		}
		flows = append(flows, f.WithID(r.Key.ID))
	}
	theme, _ := live.Get(model.Key{Kind: model.Theme, ID: model.ThemeID})
	styles, _ := theme.Attrs["styles"].(map[string]any)
	version, _ := theme.Attrs["components_version"].(string)
	tree, err = snapshot.New(flows, snapshot.Theme{Styles: styles, ComponentsVersion: version})
	return tree, left, err
}

// tenantsOf are the tenants of a state as Descope has them, without what it sets itself.
func tenantsOf(live model.State) []map[string]any {
	var out []map[string]any
	for _, r := range live.Of(model.Tenant) {
		tenant := model.CloneMap(r.Observed.Fields)
		maps.DeleteFunc(tenant, func(name string, _ any) bool { return strings.HasPrefix(name, "created") || name == "successors" })
		out = append(out, tenant)
	}
	return out
}
