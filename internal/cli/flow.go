package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/store"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

func newFlowCmd(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "flow",
		Short: "Flows of a project: list, export, import",
		Long: `Flows are handled as whole documents in this version: listed, exported, imported,
and synced from a definition in the configuration.`,
		Example: `  descope-mgmt flow list --env dev
  descope-mgmt flow export sign-up-or-in --env dev --out envs/flows/sign-up-or-in.json`,
	}
	cmd.AddCommand(newFlowListCmd(a), newFlowExportCmd(a), newFlowImportCmd(a))
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
	return &cobra.Command{
		Use:   "list",
		Short: "List the live flows of an environment",
		Example: `  descope-mgmt flow list --env dev
  descope-mgmt flow list --env dev -o json | jq -r '.[].id'`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.flowList(cmd.Context()) },
	}
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

func newFlowExportCmd(a *app) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "export ID",
		Short: "Print a live flow as Descope exports it",
		Example: `  descope-mgmt flow export sign-up-or-in --env dev | jq .metadata
  descope-mgmt flow export sign-up-or-in --env dev --out envs/flows/sign-up-or-in.json`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: cobra.NoFileCompletions,
		Annotations:       formats(formatJSON, formatYAML),
		RunE:              func(cmd *cobra.Command, args []string) error { return a.flowExport(cmd.Context(), args[0], out) },
	}
	cmd.Flags().StringVar(&out, "out", "", "write to this file instead")
	return cmd
}

func (a *app) flowExport(ctx context.Context, id, out string) (err error) {
	c, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer closing(c, &err)
	r, found, err := c.client.Get(ctx, model.Key{Kind: model.Flow, ID: id})
	if err != nil {
		return err
	}
	if !found {
		return &codedError{code: exitFailed, err: fmt.Errorf("project %s has no flow %q", c.project, id), hint: "descope-mgmt flow list --env " + c.env}
	}
	if out == "" {
		return a.encode(r.Attrs["definition"])
	}
	var b strings.Builder
	if err := ui.WriteJSON(&b, r.Attrs["definition"]); err != nil {
		return err
	}
	if err := store.WriteFileAtomic(a.path(out), []byte(b.String())); err != nil {
		return configError("", "%w", err)
	}
	a.note(fmt.Sprintf("Wrote %s. %s\n", ui.Safe(out), ui.Safe(embedding(c.module.Root(), a.path(out), id))))
	return nil
}

// embedding says what to write to bring an exported flow under management. CUE
// embeds no file from outside the directory of the file that asks for it.
func embedding(root, file, id string) string {
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
	definition, err := readFlow(o.path(file))
	if err != nil {
		return err
	}
	id := o.id
	if id == "" {
		if id, _ = definition["flowId"].(string); id == "" {
			return configError("", "%s has no flowId; name the flow with --id", file)
		}
	}
	definition["flowId"] = id
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

// maxFlowFile bounds a flow file; real flows are 3 to 153 KB.
const maxFlowFile = 16 << 20

// readFlow reads an exported flow. Only what every export has is checked.
func readFlow(path string) (map[string]any, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, configError("", "there is no file %s", path)
	}
	if err != nil {
		return nil, configError("", "%w", err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxFlowFile {
		return nil, configError("", "%s is not a file of at most %d MB", path, maxFlowFile>>20)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, configError("", "%w", err)
	}
	v, err := model.DecodeJSON(data)
	definition, isObject := v.(map[string]any)
	if err == nil && (!isObject || definition["metadata"] == nil || definition["contents"] == nil) {
		err = errors.New("it has no metadata and contents")
	}
	if err != nil {
		return nil, configError("", "%s is not an exported flow: %w", filepath.Base(path), err)
	}
	return definition, nil
}
