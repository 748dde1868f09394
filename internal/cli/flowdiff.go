package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pcconnect.ai/descope-mgmt/internal/flow"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

type flowDiffOptions struct {
	*app
	flow  string
	noise bool
}

func newFlowDiffCmd(a *app) *cobra.Command {
	o := &flowDiffOptions{app: a}
	cmd := &cobra.Command{
		Use:   "diff A B",
		Short: "Show how flows differ in what they mean",
		Long: `Diff compares flows by what they do: tasks, edges, conditions, error handling,
screens and their components. Stamps, ids of screens and connectors, layout, order and
copies of data do not count; --show-noise shows what was left out.

A and B are each one of:

  FILE, DIRECTORY  a flow in any spelling; a directory of flows, or of a snapshot
  live             the project of --env; live:staging is that of staging
  env:staging      what the configuration says in staging
  backup:NAME      a backup of --env, backup:latest the newest
  history:N        version N of --flow, as "flow history" lists them

Sides with several flows are compared flow by flow. Exit 2 if anything differs.`,
		Example: `  descope-mgmt flow diff old.json new.json
  descope-mgmt flow diff live env:dev --env dev
  descope-mgmt flow diff live:staging live:prod --flow sign-up-or-in -o markdown
  descope-mgmt flow diff backup:latest live --env dev --flow sign-in`,
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: o.complete,
		Annotations:       formats(formatText, formatJSON, formatYAML, formatMarkdown),
		RunE:              func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), args) },
	}
	cmd.Flags().StringVar(&o.flow, "flow", "", "only the flow with this id")
	cmd.Flags().BoolVar(&o.noise, "show-noise", false, "show what differs without meaning anything, too")
	return cmd
}

// complete offers the words that a side may begin with, and files.
func (o *flowDiffOptions) complete(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 1 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return []string{"live", "env:", "backup:latest", "history:"}, cobra.ShellCompDirectiveDefault
}

// flowDiffEntry is one flow in flow diff -o json.
type flowDiffEntry struct {
	Flow string `json:"flow"`
	// Only says which side has the flow, "a" or "b", where one lacks it.
	Only   string       `json:"only,omitempty"`
	Report *flow.Report `json:"report,omitempty"`
	Counts *flow.Counts `json:"counts,omitempty"`
}

func (o *flowDiffOptions) run(ctx context.Context, args []string) error {
	var sides [2]map[string]flow.Flow
	var single [2]bool
	for i, arg := range args {
		found, one, err := o.side(ctx, arg)
		if err != nil {
			return err
		}
		sides[i], single[i] = found, one
	}
	entries := compareSides(sides, single)
	if len(entries) == 0 {
		return configError("", "neither side has a flow to compare")
	}
	if err := o.show(entries); err != nil {
		return err
	}
	for _, e := range entries {
		if e.Only != "" || !e.Report.Equal() {
			return exitWith(exitDifferences)
		}
	}
	return nil
}

// compareSides compares flow by flow. A single flow in a file is compared with the
// single one of the other side, whatever their ids are; else with the one of its id.
func compareSides(sides [2]map[string]flow.Flow, single [2]bool) []flowDiffEntry {
	for i := range sides {
		other := sides[1-i]
		if !single[i] || len(other) == 1 && single[1-i] {
			continue
		}
		for id := range sides[i] { // the other side has many: only this one matters
			if f, ok := other[id]; ok {
				sides[1-i] = map[string]flow.Flow{id: f}
			}
		}
	}
	if a, b := onlyFlow(sides[0]), onlyFlow(sides[1]); a != "" && b != "" {
		report := flow.Diff(sides[0][a], sides[1][b])
		counts := report.Counts()
		return []flowDiffEntry{{Flow: b, Report: &report, Counts: &counts}}
	}
	ids := map[string]bool{}
	for _, side := range sides {
		for id := range side {
			ids[id] = true
		}
	}
	entries := []flowDiffEntry{}
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		a, inA := sides[0][id]
		b, inB := sides[1][id]
		e := flowDiffEntry{Flow: id}
		switch {
		case !inB:
			e.Only = "a"
		case !inA:
			e.Only = "b"
		default:
			report := flow.Diff(a, b)
			counts := report.Counts()
			e.Report, e.Counts = &report, &counts
		}
		entries = append(entries, e)
	}
	return entries
}

// onlyFlow is the id of the only flow of a side, or "".
func onlyFlow(side map[string]flow.Flow) string {
	if len(side) != 1 {
		return ""
	}
	for id := range side {
		return id
	}
	return ""
}

func (o *flowDiffOptions) show(entries []flowDiffEntry) error {
	markdown := o.flags.output == formatMarkdown
	if o.flags.output != formatText && !markdown {
		return o.encode(entries)
	}
	var b strings.Builder
	style := o.streams.OutStyle()
	for _, e := range entries {
		if len(entries) > 1 && markdown {
			b.WriteString("## " + ui.MarkdownCode(e.Flow) + "\n\n")
		} else if len(entries) > 1 {
			fmt.Fprintf(&b, "flow/%s\n", ui.Safe(e.Flow))
		}
		switch {
		case e.Only != "":
			fmt.Fprintf(&b, "Only in %s.\n", map[string]string{"a": "the first", "b": "the second"}[e.Only])
		case markdown:
			b.WriteString(ui.FlowReportMarkdown(*e.Report, o.noise))
		default:
			b.WriteString(ui.FlowReportText(*e.Report, o.noise, style))
		}
		if len(entries) > 1 && markdown {
			b.WriteString("\n")
		}
	}
	o.print(b.String())
	return nil
}

// side reads the flows of one side, by id; one says that it is a single file.
func (o *flowDiffOptions) side(ctx context.Context, arg string) (found map[string]flow.Flow, one bool, err error) {
	word, rest, _ := strings.Cut(arg, ":")
	switch {
	case word == "live" || word == "env":
		found, err = o.project(ctx, word, rest)
	case word == "backup" && rest != "":
		err = o.onDisk(ctx, func(c *connection) error {
			b, err := c.loadBackup(rest)
			if err != nil {
				return err
			}
			state, err := stateOfBackup(b, false)
			found = flow.FlowsOf(state)
			return err
		})
	case word == "history" && rest != "":
		found, err = o.version(ctx, rest)
		one = true
	default:
		var flows []namedFlow
		flows, err = o.readFlows(arg)
		found = map[string]flow.Flow{}
		for _, f := range flows {
			id := f.ID()
			if id == "" {
				id = f.name
			}
			found[id] = f.Flow
		}
		one = len(found) == 1
	}
	if err != nil {
		return nil, false, err
	}
	if o.flow != "" && !one {
		f, ok := found[o.flow]
		if !ok {
			return nil, false, configError("", "%s has no flow %q", arg, o.flow)
		}
		found = map[string]flow.Flow{o.flow: f}
	}
	return found, one, nil
}

// project reads the flows of a live project, or of the configuration of an environment.
func (o *flowDiffOptions) project(ctx context.Context, word, env string) (found map[string]flow.Flow, err error) {
	there := *o.app
	if env != "" {
		there.flags.env = env
	}
	if word == "env" {
		err = there.onDisk(ctx, func(c *connection) error {
			found = flow.FlowsOf(c.compiled.State)
			return nil
		})
		return found, err
	}
	err = there.onConnection(ctx, func(c *connection) error {
		live, err := c.read(ctx, model.Flow)
		found = flow.FlowsOf(live)
		return err
	})
	return found, err
}
