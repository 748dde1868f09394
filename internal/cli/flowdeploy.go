package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"pcconnect.ai/descope-mgmt/internal/compiler"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

func newFlowDeployCmd(a *app) *cobra.Command {
	o := &syncOptions{app: a, scope: scopeFlags{kind: model.Flow}}
	cmd := &cobra.Command{
		Use:     "deploy [FLOW...]",
		Aliases: []string{"sync"},
		Short:   "Deploy the flows of an environment, or some of them",
		Long: `Deploy is sync for flows only: see descope-mgmt sync --help. Connectors and roles are
looked up by name in the project, screens keep the ids that they have there, and flows
that others run come first. What the project does not have is refused before any write.`,
		Example: `  descope-mgmt flow deploy --env dev
  descope-mgmt flow deploy sign-up-or-in mfa --env staging --dry-run`,
		ValidArgsFunction: a.completeFlows,
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, id := range args {
				o.scope.targets = append(o.scope.targets, model.Key{Kind: model.Flow, ID: id}.String())
			}
			return o.run(cmd.Context())
		},
	}
	cmd.Flags().StringSliceVar(&o.scope.prune, "prune", nil, "delete flows that were applied and are gone from the configuration")
	cmd.Flags().Lookup("prune").NoOptDefVal = string(model.Flow)
	o.consent.add(cmd)
	return cmd
}

// templateEntry is one template in flow list --templates -o json.
type templateEntry struct {
	Name       string                   `json:"name"`
	Definition string                   `json:"definition"`
	Summary    string                   `json:"summary"`
	Config     []compiler.TemplateField `json:"config"`
}

// flowTemplates lists what the schema can make flows of.
func (a *app) flowTemplates() error {
	entries := []templateEntry{}
	var b strings.Builder
	for _, t := range compiler.Templates() {
		entries = append(entries, templateEntry{t.Name, "schema." + t.Definition, t.Summary, append([]compiler.TemplateField{}, t.Fields...)})
		fmt.Fprintf(&b, "%s (schema.%s)\n    %s\n", t.Name, t.Definition, t.Summary)
		table := ui.NewTable("config", "type", "default", "what it is")
		for _, f := range t.Fields {
			value := f.Default
			if f.Required {
				value = "required"
			}
			table.Add(f.Name, f.Type, value, f.Doc)
		}
		b.WriteString(table.Text(a.streams.OutStyle()) + "\n")
	}
	if a.flags.output != formatText {
		return a.encode(entries)
	}
	a.print(b.String())
	return nil
}
