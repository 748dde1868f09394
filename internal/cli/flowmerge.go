package cli

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"pcconnect.ai/descope-mgmt/internal/flow"
	"pcconnect.ai/descope-mgmt/internal/store"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

// The exit codes of a merge are those that git expects of a driver.
const (
	mergeConflicts = 1
	mergeFailed    = 129
)

func newFlowMergeCmd(a *app) *cobra.Command {
	out := ""
	cmd := &cobra.Command{
		Use:   "merge BASE OURS THEIRS",
		Short: "Merge two versions of a flow by what they mean",
		Long: `Merge makes one flow of two that were changed independently: by tasks, edges,
conditions, screens and components, not by lines. The result is a valid flow in any
case. Where both changed the same in different ways it has what OURS has, and the
conflict is named on stderr.

As a merge driver of git, for flows in envs/flows, with two lines of set-up:

  echo 'envs/flows/*.json merge=descope-flow' >>.gitattributes
  git config merge.descope-flow.driver 'descope-mgmt flow merge %O %A %B --out %A'

Exit 0: merged. 1: conflicts. 129: an input is no flow; OURS is left as it is.`,
		Example: `  descope-mgmt flow merge base.json ours.json theirs.json >merged.json
  descope-mgmt flow merge base.json ours.json theirs.json --out ours.json`,
		Args:        cobra.ExactArgs(3),
		Annotations: formats(formatText, formatJSON),
		RunE:        func(_ *cobra.Command, args []string) error { return a.flowMerge(args, out) },
	}
	cmd.Flags().StringVar(&out, "out", "", "write the merged flow to this file instead of stdout")
	return cmd
}

// mergeDoc is flow merge -o json.
type mergeDoc struct {
	Flow      map[string]any  `json:"flow"`
	Conflicts []flow.Conflict `json:"conflicts"`
}

func (a *app) flowMerge(names []string, out string) error {
	var versions [3]flow.Flow
	for i, name := range names {
		f, err := a.readFlow(name)
		if err != nil {
			return &codedError{code: mergeFailed, err: err}
		}
		versions[i] = f
	}
	merged, conflicts := flow.Merge(versions[0], versions[1], versions[2])
	for _, c := range conflicts {
		a.note(fmt.Sprintf("conflict: %s: %s\n", ui.Safe(c.Path), ui.Safe(c.Message)))
	}
	// Each side can be right and both together not: two edges to one task, each taken away.
	before := flow.Lint(versions[1], flow.LintOptions{ID: versions[1].ID()})
	for _, p := range flow.Lint(merged, flow.LintOptions{ID: merged.ID()}) {
		if !slices.ContainsFunc(before, func(had flow.Problem) bool { return had.Rule == p.Rule && had.Path == p.Path }) {
			a.note("merged: " + ui.FlowProblemText("the result", p, a.streams.ErrStyle()))
		}
	}
	if out != "" {
		if err := store.WriteFileAtomic(a.path(out), merged.V2()); err != nil {
			return &codedError{code: mergeFailed, err: err}
		}
	}
	switch {
	case a.flags.output == formatJSON:
		if err := a.encode(mergeDoc{Flow: merged.Value(), Conflicts: append([]flow.Conflict{}, conflicts...)}); err != nil {
			return err
		}
	case out == "":
		a.print(string(merged.V2()))
	}
	if len(conflicts) > 0 {
		return exitWith(mergeConflicts)
	}
	return nil
}
