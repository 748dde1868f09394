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

func newFlowLintCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "lint FILE...",
		Short: "Find what is wrong with flows, in files",
		Long: `Lint reads flows in any spelling (exported, console, snapshot directory) and names
what would break when they are imported or run, and what looks like a mistake, each
with its place. Flows that are given together may run each other. With --env, addresses
that are those of another environment (environment: urls) are named, too.

Every plan does the same with the flows that it changes. Exit 2 if there are errors.`,
		Example: `  descope-mgmt flow lint envs/flows/*.json
  descope-mgmt flow lint envs/flows/*.json -o sarif > flows.sarif
  descope-mgmt flow lint snapshot/ -o json | jq '.[] | select(.severity == "error")'
  descope-mgmt flow export sign-in --env dev | descope-mgmt flow lint -`,
		Args:        cobra.MinimumNArgs(1),
		Annotations: formats(formatText, formatJSON, formatYAML, formatMarkdown, formatSARIF),
		RunE:        func(cmd *cobra.Command, args []string) error { return a.flowLint(cmd.Context(), args) },
	}
}

func (a *app) flowLint(ctx context.Context, names []string) error {
	var flows []namedFlow
	siblings := map[string]flow.Flow{}
	for _, name := range names {
		found, err := a.readFlows(name)
		if err != nil {
			return err
		}
		flows = append(flows, found...)
		for _, f := range found {
			siblings[f.ID()] = f.Flow
		}
	}
	var others map[string]string
	if a.flags.env != "" {
		m, err := a.module()
		if err != nil {
			return err
		}
		others = elsewhere(ctx, m, a.flags.env)
	}
	entries := []ui.FlowProblem{}
	errors := 0
	var b strings.Builder
	style := a.streams.OutStyle()
	for _, f := range flows {
		for _, p := range flow.Lint(f.Flow, flow.LintOptions{ID: f.ID(), Siblings: siblings, Elsewhere: others}) {
			entries = append(entries, ui.FlowProblem{File: f.name, Flow: f.ID(), Problem: p})
			b.WriteString(ui.FlowProblemText(f.name, p, style))
			if p.Severity == model.Error {
				errors++
			}
		}
	}
	switch a.flags.output {
	default:
		if err := a.encode(entries); err != nil {
			return err
		}
	case formatSARIF:
		if err := a.flowFindings(entries); err != nil {
			return err
		}
	case formatMarkdown:
		a.print(ui.MarkdownDocument(ui.MarkdownMarker(markerFlowLint, nil), ui.FlowProblemsMarkdown(len(flows), entries)))
	case formatText:
		fmt.Fprintf(&b, "%s: %s, %s.\n", ui.Counted(len(flows), "flow"), ui.Counted(errors, "error"), ui.Counted(len(entries)-errors, "warning"))
		a.print(b.String())
	}
	if errors > 0 {
		return exitWith(exitDifferences)
	}
	return nil
}
