package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"pcconnect.ai/descope-mgmt/internal/compiler"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

func newEnvCmd(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "env",
		Short: "Environments: list, diff, promote",
		Example: `  descope-mgmt env list
  descope-mgmt env diff staging prod`,
	}
	cmd.AddCommand(&cobra.Command{
		Use:   "list",
		Short: "List the environments with their projects",
		Example: `  descope-mgmt env list
  descope-mgmt env list -o json | jq -r '.[] | select(.protected) | .name'`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.envList(cmd.Context()) },
	}, newEnvDiffCmd(a), newEnvPromoteCmd(a))
	return cmd
}

// envEntry is one environment in env list -o json.
type envEntry struct {
	Name      string `json:"name"`
	ProjectID string `json:"project_id"`
	Protected bool   `json:"protected"`
	BaseURL   string `json:"base_url,omitempty"`
	Tenants   int    `json:"tenants"`
	Flows     int    `json:"flows"`
	// LeftOut are those that enabled_in leaves out.
	LeftOut int  `json:"left_out"`
	Valid   bool `json:"valid"`
}

// envList lists what it can: an environment that does not compile is listed as
// invalid, since the others must still be found.
func (a *app) envList(ctx context.Context) error {
	m, err := a.module()
	if err != nil {
		return err
	}
	names, err := m.Environments()
	if err != nil {
		return configError("", "%w", err)
	}
	entries := make([]envEntry, 0, len(names))
	table := ui.NewTable("name", "project", "protected", "tenants", "flows", "left out")
	invalid := false
	for _, name := range names {
		r, diagnostics := compiler.Compile(ctx, m, name)
		if err := ctx.Err(); err != nil {
			return err
		}
		if len(diagnostics.Errors()) > 0 {
			invalid = true
			entries = append(entries, envEntry{Name: name})
			table.Add(name, "invalid: descope-mgmt validate "+name, "", "", "", "")
			continue
		}
		e := envEntry{
			Name: name, ProjectID: r.Environment.ProjectID, Protected: r.Environment.Protected, BaseURL: r.Environment.BaseURL,
			Tenants: len(r.State.Of(model.Tenant)), Flows: len(r.State.Of(model.Flow)), LeftOut: len(r.Excluded), Valid: true,
		}
		entries = append(entries, e)
		protected := ""
		if e.Protected {
			protected = "protected"
		}
		table.Add(e.Name, e.ProjectID, protected, fmt.Sprint(e.Tenants), fmt.Sprint(e.Flows), fmt.Sprint(e.LeftOut))
	}
	if a.flags.output != formatText {
		if err := a.encode(entries); err != nil {
			return err
		}
	} else {
		a.print(table.Text(a.streams.OutStyle()))
	}
	if invalid {
		return exitWith(exitConfig)
	}
	return nil
}
