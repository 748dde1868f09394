package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pcconnect.ai/descope-mgmt/internal/api"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/snapshot"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

type projectImportOptions struct {
	*app
	consent  consentFlags
	snapshot bool
	backup   string
	targets  []string
}

func newProjectImportCmd(a *app) *cobra.Command {
	o := &projectImportOptions{app: a}
	cmd := &cobra.Command{
		Use:   "import [DIR]",
		Short: "Bring tenants, flows and styles from files into a project",
		Long: `Import takes the tree that project export or Descope's own CLI wrote as what is wanted of
the environment's project, as a plan like any other: shown, asked, backed up, applied,
verified. It works on every plan. What is in the project and not in the tree stays.
Connectors and roles are found by name, so that a tree of one project fits another.
Tenants get the fields that the configuration can say.

With --snapshot the whole tree, settings and connectors included, goes in by Descope's own
import, which overrides what the project has and needs a paid plan. It is validated first,
what differs is listed, and the project's id must be typed. A snapshot of the project as
it was is in the backup; --backup NAME brings that back.`,
		Example: `  descope-mgmt project import snapshot/dev --env staging --dry-run
  descope-mgmt project import snapshot/dev --env staging --yes --adopt-existing
  descope-mgmt project import snapshot/dev --snapshot --env staging
  descope-mgmt project import --snapshot --backup latest --env staging`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), args) },
	}
	o.consent.add(cmd)
	cmd.Flags().BoolVar(&o.snapshot, "snapshot", false, "import the whole tree with Descope's own import, which overrides the project (paid plan)")
	cmd.Flags().StringVar(&o.backup, "backup", "", "with --snapshot: take the snapshot that is in this backup instead of a directory")
	addList(cmd.Flags(), &o.targets, "target", "only these resources, for example flow/sign-in (repeat, or separate by commas)")
	must(cmd.RegisterFlagCompletionFunc("backup", a.completeBackups))
	must(cmd.RegisterFlagCompletionFunc("target", a.completeAddresses))
	return cmd
}

func (o *projectImportOptions) run(ctx context.Context, args []string) (err error) {
	switch {
	case o.backup != "" && !o.snapshot:
		return configError("descope-mgmt backup restore --help", "--backup belongs to --snapshot; tenants and flows of a backup come back with backup restore")
	case (o.backup != "") == (len(args) == 1):
		return configError("descope-mgmt project import --help", "name a directory, or a backup with --snapshot --backup")
	case o.snapshot && len(o.targets) > 0:
		return configError("", "a snapshot is imported as a whole: leave --target out")
	}
	targets, err := parseKeys(o.targets)
	if err != nil {
		return err
	}
	var tree snapshot.Tree
	if o.backup == "" { // before anything is asked for
		if tree, err = loadTree(o.path(args[0]), args[0]); err != nil {
			return err
		}
	}
	c, agreed, err := o.begin(ctx, &o.consent)
	if err != nil {
		return err
	}
	defer closing(c, &err)
	if o.snapshot {
		return o.whole(ctx, c, tree, agreed)
	}
	desired, err := c.stateOfTree(tree, args[0])
	if err != nil {
		return err
	}
	for _, k := range targets {
		if _, ok := desired.Get(k); !ok {
			return configError("", "%s is not in %s", k, args[0])
		}
	}
	r := c.request(c.app.operation(), desired)
	r.options.Targets = targets
	p, err := c.plan(ctx, &r)
	if err != nil {
		return err
	}
	p.Orphans, p.Unmanaged = nil, nil // the tree is not all there is to be
	if err := c.showAndRun(ctx, r, p, agreed, o.consent.dryRun); err != nil || o.consent.dryRun {
		return err
	}
	c.noteUnwritten(desired)
	return nil
}

// noteUnwritten says which objects the configuration does not know.
func (c *connection) noteUnwritten(desired model.State) {
	var unknown []string
	for _, r := range desired.Resources() {
		if _, ok := c.compiled.State.Get(r.Key); !ok && model.Spec(r.Key.Kind).Configured() {
			unknown = append(unknown, r.Key.String())
		}
	}
	if len(unknown) == 0 {
		return
	}
	shown := strings.Join(unknown[:min(len(unknown), 5)], ", ")
	if more := len(unknown) - 5; more > 0 {
		shown += fmt.Sprintf(" and %d more", more)
	}
	c.app.note(ui.Safe("Note: the configuration of "+c.env+" does not know "+shown+", so that sync --prune would delete them. To keep them, write them into envs/.") + "\n")
}

// stateOfTree is the tree as a desired state: tenants, flows and theme.
func (c *connection) stateOfTree(tree snapshot.Tree, dir string) (model.State, error) {
	bad := func(err error) (model.State, error) { return model.State{}, configError("", "%s: %w", dir, err) }
	var resources []model.Resource
	tenants, _, err := tree.Tenants()
	if err != nil {
		return bad(err)
	}
	origin := func(file string) model.Origin { return model.Origin{File: dir + "/" + file, Line: 1, Column: 1} }
	for i, raw := range tenants {
		r, err := api.Decode(model.Tenant, model.CanonicalJSON(raw))
		if err != nil {
			return bad(fmt.Errorf("%s: tenants.%d: %w", snapshot.TenantsFile, i, err))
		}
		resources = append(resources, model.Resource{
			Key: r.Key, Attrs: r.Attrs, Origin: origin(snapshot.TenantsFile), Policy: model.Policy{Imported: true}, // made elsewhere, by other rules
		})
	}
	flows, err := tree.Flows()
	if err != nil {
		return bad(err)
	}
	for _, id := range flows {
		f, err := tree.Flow(id)
		if err != nil {
			return bad(err)
		}
		resources = append(resources, model.Resource{
			Key: model.Key{Kind: model.Flow, ID: id}, Attrs: map[string]any{"definition": f.Value()}, Origin: origin("flows/" + id + "/metadata.json"),
		})
	}
	theme, err := tree.Theme()
	if err != nil {
		return bad(err)
	}
	if r, ok := c.themeOf(theme); ok {
		resources = append(resources, r)
	}
	if len(resources) == 0 {
		return bad(fmt.Errorf("there are no tenants, flows or styles in it"))
	}
	state, err := model.NewState(resources)
	if err != nil {
		return bad(err)
	}
	return state, nil
}

// themeOf is a theme as a desired resource. A style that refers to files beside it
// cannot go this way: only a snapshot takes them along.
func (c *connection) themeOf(theme snapshot.Theme) (model.Resource, bool) {
	styles := map[string]any{}
	for id, style := range theme.Styles {
		if strings.Contains(string(model.CanonicalJSON(style)), `"asset:`) {
			c.app.note(ui.Safe("warning: style "+id+" uses files in assets/, which only --snapshot can bring over; it is left out") + "\n")
			continue
		}
		styles[id] = style
	}
	return model.Resource{
		Key:   model.Key{Kind: model.Theme, ID: model.ThemeID},
		Attrs: map[string]any{"styles": styles, "components_version": theme.ComponentsVersion},
	}, len(styles) > 0
}

// snapshotImport is project import --snapshot -o json.
type snapshotImport struct {
	Project string            `json:"project"`
	Backup  string            `json:"backup"`
	Changes []snapshot.Change `json:"changes"`
	// Left are the files that differ afterwards all the same: ids, versions, secrets.
	Left []snapshot.Change `json:"left"`
}

// whole imports a snapshot by Descope's own import.
func (o *projectImportOptions) whole(ctx context.Context, c *connection, tree snapshot.Tree, agreed consent) error {
	if err := c.paid(ctx, "a snapshot", "descope-mgmt project import DIR --env "+c.env); err != nil {
		return err
	}
	if o.backup != "" {
		var err error
		if tree, err = c.treeOfBackup(o.backup); err != nil {
			return err
		}
	}
	files, left, err := tree.Wire(snapshot.TenantsFile)
	if err != nil {
		return configError("", "%w", err)
	}
	if len(left) > 0 {
		o.note(ui.Safe("warning: Descope does not take these files, so they are left out: "+strings.Join(left, ", ")) + "\n")
	}
	report, err := c.client.ValidateSnapshot(ctx, files)
	if err != nil {
		return err
	}
	if err := refusal(report); err != nil {
		return err
	}
	now, err := c.ownSnapshot(ctx)
	if err != nil {
		return err
	}
	changes := snapshot.Diff(now, sentOf(tree))
	if len(changes) == 0 {
		if o.flags.output != formatText {
			return o.encode(snapshotImport{Project: c.project, Changes: changes, Left: changes})
		}
		o.print("No changes. The project is as in the snapshot.\n")
		return nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Import a snapshot into project %s (%s), which overrides what is there: %s.\n", c.project, c.env, ui.Counted(len(changes), "file"))
	for _, ch := range changes {
		fmt.Fprintf(&b, "  %-8s %s\n", ch.What, ui.Safe(ch.Path))
	}
	return c.operate(ctx, operation{
		shown: b.String(), question: fmt.Sprintf("Override project %s?", c.project), typed: true, update: 1, settings: false, snapshot: true,
		do: func(ctx context.Context, backup string) error {
			if err := c.owner.ImportSnapshot(ctx, files); err != nil {
				return err
			}
			after, err := c.ownSnapshot(ctx)
			if err != nil {
				return fmt.Errorf("the snapshot was imported, but the project could not be read again: %w", err)
			}
			return c.overridden(snapshotImport{Project: c.project, Backup: backup, Changes: changes, Left: snapshot.Diff(after, sentOf(tree))})
		},
	}, agreed, o.consent.dryRun)
}

func (c *connection) overridden(r snapshotImport) error {
	if c.app.flags.output != formatText {
		if err := c.app.encode(r); err != nil {
			return err
		}
	} else {
		c.app.print(fmt.Sprintf("Imported. %s of the snapshot still differ (ids, versions, secrets).\n", ui.Counted(len(r.Left), "file")))
	}
	c.app.note(ui.Safe("To bring back what was there: "+c.app.here("descope-mgmt project import --snapshot --backup "+r.Backup+" --env "+c.env)) + "\n")
	return nil
}

// sentOf is a tree without what is ours.
func sentOf(tree snapshot.Tree) snapshot.Tree {
	files := tree.Files()
	delete(files, snapshot.TenantsFile)
	out, err := snapshot.Parse(files)
	if err != nil { // it was a tree before
		return tree
	}
	return out
}

// refusal says why Descope would refuse a snapshot.
func refusal(report api.SnapshotReport) error {
	why := slices.Clone(report.Failures)
	for _, kind := range slices.Sorted(maps.Keys(report.Missing)) {
		for _, s := range report.Missing[kind] {
			why = append(why, fmt.Sprintf("the secret %s of %s in %s is missing: make that in the project's console first, then its secret stays", s.Type, s.Name, kind))
		}
	}
	if len(why) == 0 {
		return nil
	}
	return refusedError("", "nothing was done, Descope would refuse the snapshot: %s", strings.Join(why, "; "))
}

// treeOfBackup is the snapshot that a backup has.
func (c *connection) treeOfBackup(name string) (snapshot.Tree, error) {
	name, err := c.backupNow(name)
	if err != nil {
		return snapshot.Tree{}, err
	}
	b, err := c.loadBackup(name)
	if err != nil {
		return snapshot.Tree{}, err
	}
	if len(b.Snapshot) == 0 {
		return snapshot.Tree{}, configError("descope-mgmt backup restore "+shellQuote(name)+" --env "+c.env, "backup %s has no snapshot; its tenants and flows come back with backup restore", name)
	}
	files := map[string]json.RawMessage{}
	for path, raw := range b.Snapshot {
		files[path] = raw
	}
	return snapshot.FromWire(files)
}
