package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"pcconnect.ai/descope-mgmt/internal/flow"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

// The drawings of flow show --graph.
const (
	graphMermaid = "mermaid"
	graphDOT     = "dot"
)

type flowShowOptions struct {
	*app
	graph   string
	version int
	written bool
}

func newFlowShowCmd(a *app) *cobra.Command {
	o := &flowShowOptions{app: a}
	cmd := &cobra.Command{
		Use:   "show ID|FILE",
		Short: "Show what a flow does, task by task or as a graph",
		Long: `Show lists the tasks of a flow with where they lead, or draws them. It shows the live
flow of an environment, with --configured what the configuration makes of it (also of a
template), with --version an earlier version, or a file.`,
		Example: `  descope-mgmt flow show sign-up-or-in --env dev
  descope-mgmt flow show mfa --env dev --configured --graph >mfa.mmd
  descope-mgmt flow show sign-in.json --graph=dot | dot -Tsvg >sign-in.svg
  descope-mgmt flow show sign-in --env prod --version 3 -o json`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeFlows,
		RunE:              func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), args[0]) },
	}
	cmd.Flags().StringVar(&o.graph, "graph", "", "draw it, for Mermaid or with =dot for Graphviz")
	cmd.Flags().Lookup("graph").NoOptDefVal = graphMermaid
	cmd.Flags().IntVar(&o.version, "version", 0, "this version of its history")
	cmd.Flags().BoolVar(&o.written, "configured", false, "what the configuration says, not what is live")
	must(cmd.RegisterFlagCompletionFunc("graph", fixedCompletion(graphMermaid, graphDOT)))
	return cmd
}

func (o *flowShowOptions) run(ctx context.Context, name string) error {
	switch {
	case o.graph != "" && o.graph != graphMermaid && o.graph != graphDOT:
		return configError("", "--graph %s: allowed are %s and %s", o.graph, graphMermaid, graphDOT)
	case o.version < 0 || o.version > 0 && o.written:
		return configError("", "--version is a number from 1, and goes without --configured")
	}
	f, err := o.find(ctx, name)
	if err != nil {
		return err
	}
	switch {
	case o.graph == graphMermaid:
		o.print(f.Mermaid())
	case o.graph == graphDOT:
		o.print(f.DOT())
	case o.flags.output != formatText:
		return o.encode(f.Value())
	default:
		o.print(flowText(f, o.streams.OutStyle()))
	}
	return nil
}

// find is the flow that is meant: that of a file if there is such a file.
func (o *flowShowOptions) find(ctx context.Context, name string) (found flow.Flow, err error) {
	if name == "-" || strings.ContainsAny(name, "./\\") {
		return o.readFlow(name)
	}
	pick := func(flows map[string]flow.Flow, where, hint string) error {
		f, ok := flows[name]
		if !ok {
			return &codedError{code: exitFailed, err: fmt.Errorf("%s has no flow %q", where, name), hint: hint}
		}
		found = f
		return nil
	}
	switch {
	case o.version > 0:
		err = o.onDisk(ctx, func(c *connection) error {
			f, err := c.flowVersion(name, o.version)
			found = f
			return err
		})
	case o.written:
		err = o.onDisk(ctx, func(c *connection) error {
			return pick(flow.FlowsOf(c.compiled.State), "the configuration of "+c.env, "descope-mgmt flow list --env "+c.env)
		})
	default:
		err = o.onConnection(ctx, func(c *connection) error {
			r, exists, err := c.client.Get(ctx, model.Key{Kind: model.Flow, ID: name})
			if err != nil {
				return err
			}
			state := model.State{}
			if exists {
				state = state.With(r)
			}
			return pick(flow.FlowsOf(state), "project "+c.project, "descope-mgmt flow list --env "+c.env)
		})
	}
	return found, err
}

// flowText lists the tasks of a flow.
func flowText(f flow.Flow, s ui.Style) string {
	var b strings.Builder
	state := "enabled"
	if f.Disabled() {
		state = "disabled"
	}
	for _, line := range [][2]string{
		{"flow", f.ID()}, {"name", f.Name()}, {"description", f.Description()}, {"state", state}, {"components", f.ComponentsVersion()},
	} {
		if line[1] != "" {
			fmt.Fprintf(&b, "%-12s %s\n", line[0], ui.Safe(line[1]))
		}
	}
	table := ui.NewTable("task", "name", "does", "leads to")
	for _, t := range f.Tasks() {
		does := t.Type
		if t.Action != "" {
			does = t.Action
		}
		var to []string
		for _, r := range t.Rules {
			if r.Interaction == "" {
				to = append(to, r.To)
			} else {
				to = append(to, r.Interaction+" → "+r.To)
			}
		}
		table.Add(t.ID, t.Name, does, strings.Join(to, ", "))
	}
	return b.String() + "\n" + table.Text(s)
}

// completeFlows completes the ids of the flows that the configuration has.
func (a *app) completeFlows(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var ids []string
	if len(args) == 0 {
		for _, r := range a.configured(cmd.Context()) {
			if r.Key.Kind == model.Flow {
				ids = append(ids, r.Key.ID)
			}
		}
	}
	return ids, cobra.ShellCompDirectiveDefault
}
