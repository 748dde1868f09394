package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

func newTenantCmd(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "tenant",
		Short: "Tenants of a project: list, show, create, delete, sync",
		Example: `  descope-mgmt tenant list --env dev
  descope-mgmt tenant show acme-corp --env prod`,
	}
	cmd.AddCommand(newTenantListCmd(a), newTenantShowCmd(a), newTenantCreateCmd(a), newTenantDeleteCmd(a), newTenantSyncCmd(a))
	return cmd
}

// tenantEntry is one tenant in tenant list -o json and tenant show -o json:
// what is live, and whether the configuration of the environment knows it.
type tenantEntry struct {
	ID               string         `json:"id"`
	Name             any            `json:"name"`
	Domains          any            `json:"domains"`
	SelfProvisioning any            `json:"self_provisioning"`
	CustomAttributes any            `json:"custom_attributes"`
	Parent           any            `json:"parent"`
	Disabled         any            `json:"disabled"`
	RoleInheritance  any            `json:"role_inheritance"`
	DefaultRoles     any            `json:"default_roles"`
	Configured       bool           `json:"configured"`
	Origin           model.Origin   `json:"origin,omitzero"`
	Observed         map[string]any `json:"observed,omitempty"`
}

func (c *connection) tenantEntry(r model.Resource) tenantEntry {
	written, configured := c.compiled.State.Get(r.Key)
	return tenantEntry{
		ID: r.Key.ID, Name: r.Attrs["name"], Domains: r.Attrs["domains"], SelfProvisioning: r.Attrs["self_provisioning"],
		CustomAttributes: r.Attrs["custom_attributes"], Parent: r.Attrs["parent"], Disabled: r.Attrs["disabled"],
		RoleInheritance: r.Attrs["role_inheritance"], DefaultRoles: r.Attrs["default_roles"],
		Configured: configured, Origin: written.Origin,
	}
}

func newTenantListCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the live tenants of an environment",
		Example: `  descope-mgmt tenant list --env prod
  descope-mgmt tenant list --env prod -o json | jq -r '.[] | select(.configured | not) | .id'`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.tenantList(cmd.Context()) },
	}
}

func (a *app) tenantList(ctx context.Context) (err error) {
	c, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer closing(c, &err)
	live, err := c.read(ctx, model.Tenant)
	if err != nil {
		return err
	}
	entries := make([]tenantEntry, 0, live.Len())
	table := ui.NewTable("id", "name", "domains", "parent", "configured")
	for _, r := range live.Of(model.Tenant) {
		e := c.tenantEntry(r)
		entries = append(entries, e)
		where := "no"
		if e.Configured {
			where = fmt.Sprintf("%s:%d", e.Origin.File, e.Origin.Line)
		}
		table.Add(e.ID, text(e.Name), strings.Join(texts(e.Domains), " "), text(e.Parent), where)
	}
	if a.flags.output != formatText {
		return a.encode(entries)
	}
	if table.Len() == 0 {
		a.note("Project " + c.project + " has no tenants.\n")
	}
	a.print(table.Text(a.streams.OutStyle()))
	return nil
}

func newTenantShowCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "show ID",
		Short: "Show a live tenant with every field that Descope has of it",
		Example: `  descope-mgmt tenant show acme-corp --env prod
  descope-mgmt tenant show acme-corp --env prod -o json | jq .observed.enforceSSO`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeTenants,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.tenantShow(cmd.Context(), args[0]) },
	}
}

func (a *app) tenantShow(ctx context.Context, id string) (err error) {
	c, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer closing(c, &err)
	r, found, err := c.client.Get(ctx, model.Key{Kind: model.Tenant, ID: id})
	if err != nil {
		return err
	}
	if !found {
		return c.noTenant(id)
	}
	e := c.tenantEntry(r)
	e.Observed = r.Observed.Fields
	if a.flags.output != formatText {
		return a.encode(e)
	}
	var b strings.Builder
	row := func(name, value string) { fmt.Fprintf(&b, "%-24s %s\n", ui.Safe(name), value) }
	row("id", ui.Safe(id))
	if e.Configured {
		row("configured", ui.Safe(e.Origin.String()))
	} else {
		row("configured", "no")
	}
	for _, name := range sortedKeys(r.Attrs) {
		row(name, ui.Value(r.Attrs[name], 0))
	}
	b.WriteString("as Descope has it\n")
	for _, name := range sortedKeys(e.Observed) {
		row("  "+name, ui.Value(e.Observed[name], 0))
	}
	a.print(b.String())
	return nil
}

// noTenant says that a tenant does not exist.
func (c *connection) noTenant(id string) error {
	return &codedError{code: exitFailed, err: fmt.Errorf("project %s has no tenant %q", c.project, id), hint: "descope-mgmt tenant list --env " + c.env}
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// text is a value as a cell of a table.
func text(v any) string {
	s, _ := v.(string)
	return s
}

func texts(v any) []string {
	list, _ := v.([]any)
	out := make([]string, len(list))
	for i, e := range list {
		out[i] = text(e)
	}
	return out
}
