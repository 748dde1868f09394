package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"pcconnect.ai/descope-mgmt/internal/flow"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/store"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

// The spellings in which flow export writes files.
const (
	spellingV2       = "v2"
	spellingSnapshot = "snapshot"
)

type flowExportOptions struct {
	*app
	out      string
	spelling string
	all      bool
}

func newFlowExportCmd(a *app) *cobra.Command {
	o := &flowExportOptions{app: a}
	cmd := &cobra.Command{
		Use:   "export [ID]",
		Short: "Print a live flow as Descope exports it, or write flows to files",
		Long: `Export prints one live flow, or writes it to --out. With --all it writes each flow of
the project to a file, or with --spelling snapshot to a directory, below --out. With
-o cue it prints the CUE that declares the flow. Equal flows give equal bytes.`,
		Example: `  descope-mgmt flow export sign-up-or-in --env dev | jq .metadata
  descope-mgmt flow export sign-up-or-in --env dev --out envs/flows/sign-up-or-in.json
  descope-mgmt flow export --all --env dev --spelling snapshot --out snapshot/flows
  descope-mgmt flow export sign-up-or-in --env dev -o cue`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: a.completeFlows,
		Annotations:       formats(formatJSON, formatYAML, formatCUE),
		RunE:              func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), args) },
	}
	cmd.Flags().StringVar(&o.out, "out", "", "write to this file instead, or below this directory")
	cmd.Flags().StringVar(&o.spelling, "spelling", spellingV2, "v2, as exported, or snapshot: a directory for each flow")
	cmd.Flags().BoolVar(&o.all, "all", false, "all flows of the project")
	must(cmd.RegisterFlagCompletionFunc("spelling", fixedCompletion(spellingV2, spellingSnapshot)))
	return cmd
}

func (o *flowExportOptions) run(ctx context.Context, args []string) error {
	switch {
	case o.all == (len(args) == 1):
		return configError("descope-mgmt flow list", "name one flow, or --all")
	case o.spelling != spellingV2 && o.spelling != spellingSnapshot:
		return configError("", "--spelling %s: allowed are %s and %s", o.spelling, spellingV2, spellingSnapshot)
	case o.out == "" && (o.all || o.spelling == spellingSnapshot):
		return configError("", "several files need a place: name it with --out")
	}
	return o.onConnection(ctx, func(c *connection) error {
		flows, err := o.flows(ctx, c, args)
		if err != nil {
			return err
		}
		if o.out == "" {
			return o.printFlow(c, flows[0])
		}
		for _, f := range flows {
			if err := o.write(f); err != nil {
				return configError("", "%w", err)
			}
		}
		if o.all || o.spelling == spellingSnapshot {
			o.note(fmt.Sprintf("Wrote %s below %s.\n", ui.Counted(len(flows), "flow"), ui.Safe(o.out)))
		} else {
			o.note(fmt.Sprintf("Wrote %s. %s\n", ui.Safe(o.out), ui.Safe(embedding(c.module, o.path(o.out), flows[0].ID()))))
		}
		return nil
	})
}

// flows reads the flow that is meant, or all.
func (o *flowExportOptions) flows(ctx context.Context, c *connection, args []string) ([]flow.Flow, error) {
	var live []model.Resource
	if o.all {
		state, err := c.read(ctx, model.Flow)
		if err != nil {
			return nil, err
		}
		live = slices.Clone(state.Resources())
	} else {
		r, found, err := c.client.Get(ctx, model.Key{Kind: model.Flow, ID: args[0]})
		if err != nil {
			return nil, err
		}
		if !found {
			return nil, &codedError{code: exitFailed, err: fmt.Errorf("project %s has no flow %q", c.project, args[0]), hint: "descope-mgmt flow list --env " + c.env}
		}
		live = append(live, r)
	}
	flows := make([]flow.Flow, 0, len(live))
	for _, r := range live {
		f, _, err := flow.FromValue(r.Attrs["definition"])
		if err != nil {
			return nil, fmt.Errorf("%s is not understood: %w", r.Key, err)
		}
		flows = append(flows, f)
	}
	return flows, nil
}

func (o *flowExportOptions) printFlow(c *connection, f flow.Flow) error {
	if o.flags.output != formatCUE {
		return o.encode(f.Value())
	}
	text, err := c.module.Declare(model.Key{Kind: model.Flow, ID: f.ID()}, map[string]any{"definition": f.Value()})
	if err != nil {
		return err
	}
	o.print(string(text))
	return nil
}

// write writes one flow to its file, or its directory.
func (o *flowExportOptions) write(f flow.Flow) error {
	if !isFileName(f.ID()) {
		return fmt.Errorf("flow %q cannot be the name of a file", f.ID())
	}
	place := o.path(o.out)
	if o.spelling == spellingV2 {
		if o.all {
			if err := os.MkdirAll(place, 0o755); err != nil { //nolint:gosec // source code, for everybody who works on it
				return err
			}
			place = filepath.Join(place, f.ID()+".json")
		}
		return store.WriteFileAtomic(place, f.V2())
	}
	place = filepath.Join(place, f.ID())
	files, err := f.Snapshot()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(place, 0o755); err != nil { //nolint:gosec // as above
		return err
	}
	for name, text := range files {
		if err := store.WriteFileAtomic(filepath.Join(place, name), text); err != nil {
			return err
		}
	}
	return nil
}
