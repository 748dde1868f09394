package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"pcconnect.ai/descope-mgmt/internal/api"
	"pcconnect.ai/descope-mgmt/internal/compiler"
	"pcconnect.ai/descope-mgmt/internal/model"
	src "pcconnect.ai/descope-mgmt/internal/source"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

type tenantCreateOptions struct {
	*app
	consent          consentFlags
	name             string
	domains          []string
	selfProvisioning bool
	attributes       []string
	parent           string
	disabled         bool
	roleInheritance  string
	defaultRoles     []string
	write            bool
}

func newTenantCreateCmd(a *app) *cobra.Command {
	o := &tenantCreateOptions{app: a}
	cmd := &cobra.Command{
		Use:   "create ID",
		Short: "Create a tenant that the configuration does not know",
		Long: `Create makes one tenant in the live project, as a plan of one change: shown,
asked, applied, checked. It must keep the rules of the configuration, which does
not know it afterwards. With --write the tenant is also written into the overlay,
as envs/<environment>/<id>.cue, so that the next sync has it.`,
		Example: `  descope-mgmt tenant create try-out --name "Try Out" --env dev --write
  descope-mgmt tenant create try-out --name "Try Out" --domain try.example --self-provisioning --attribute plan=trial --env dev --yes`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              o.run,
	}
	f := cmd.Flags()
	f.StringVar(&o.name, "name", "", "name of the tenant, unique in the project")
	f.StringSliceVar(&o.domains, "domain", nil, "e-mail domains for self-provisioning (repeat, or separate by commas)")
	f.BoolVar(&o.selfProvisioning, "self-provisioning", false, "let people with an address in --domain join by themselves")
	f.StringArrayVar(&o.attributes, "attribute", nil, "custom attribute as NAME=VALUE; true, false and numbers are taken as such (repeat)")
	f.StringVar(&o.parent, "parent", "", "id of the tenant above; cannot be changed later")
	f.BoolVar(&o.disabled, "disabled", false, "users cannot sign in to the tenant")
	f.StringVar(&o.roleInheritance, "role-inheritance", "", "roles from the parent: none or userOnly (default: all)")
	f.StringSliceVar(&o.defaultRoles, "default-role", nil, "roles that new users get (repeat, or separate by commas)")
	f.BoolVar(&o.write, "write", false, "also write the tenant into the configuration of the environment")
	must(cmd.RegisterFlagCompletionFunc("role-inheritance", fixedCompletion("none", "userOnly")))
	must(cmd.RegisterFlagCompletionFunc("parent", a.completeTenants))
	o.consent.add(cmd)
	return cmd
}

func (o *tenantCreateOptions) run(cmd *cobra.Command, args []string) (err error) {
	id := args[0]
	attrs, err := o.written(cmd)
	if err != nil {
		return err
	}
	ctx := cmd.Context()
	c, agreed, err := o.begin(ctx, &o.consent)
	if err != nil {
		return err
	}
	defer closing(c, &err)
	if o.write {
		if err := o.inCUE(c.module, "--write"); err != nil {
			return err
		}
	}
	key := model.Key{Kind: model.Tenant, ID: id}
	if configured, ok := c.compiled.State.Get(key); ok {
		return refusedError("descope-mgmt tenant sync "+id+" --env "+c.env, "%s is in the configuration (%s), which decides what it is", key, configured.Origin)
	}
	_, exists, err := c.client.Get(ctx, key)
	if err != nil {
		return err
	}
	if exists {
		return refusedError("descope-mgmt tenant show "+id+" --env "+c.env, "%s exists already in project %s", key, c.project)
	}
	file := filepath.ToSlash(filepath.Join("envs", c.env, id+".cue"))
	text, desired, err := o.declare(ctx, c, key, attrs, file)
	if err != nil {
		return err
	}
	r := c.request(c.app.operation(), desired)
	r.only, r.options.Targets = model.Tenant, []model.Key{key}
	p, err := c.planToRun(ctx, &r, agreed, o.consent.dryRun)
	if err != nil {
		return err
	}
	if err := c.showAndRun(ctx, r, p, agreed, o.consent.dryRun); err != nil || o.consent.dryRun {
		return err
	}
	if !o.write {
		o.note(fmt.Sprintf("Note: the configuration does not know %s, so that sync --prune would delete it. To keep it, write it into envs/; with --write, create does that itself.\n", key))
		return nil
	}
	if err := writeNew(filepath.Join(c.module.Root(), file), text); err != nil {
		return fmt.Errorf("%s was created, but not written into the configuration: %w", key, err)
	}
	o.note("Wrote " + ui.Safe(file) + ".\n")
	return nil
}

// declare writes the tenant as CUE and compiles the environment with it: a tenant
// made by hand keeps the rules of all others.
func (o *tenantCreateOptions) declare(ctx context.Context, c *connection, key model.Key, attrs map[string]any, file string) ([]byte, model.State, error) {
	if !isFileName(key.ID) {
		return nil, model.State{}, configError("", "%q cannot be the id of a tenant", key.ID)
	}
	if _, err := os.Lstat(filepath.Join(c.module.Root(), file)); err == nil {
		return nil, model.State{}, configError("", "%s exists already", file)
	}
	text, err := c.module.Declare(key, attrs)
	if err != nil {
		return nil, model.State{}, err
	}
	compiled, diagnostics := compiler.Compile(ctx, c.module.With(file, text), c.env)
	if len(diagnostics.Errors()) > 0 {
		return nil, model.State{}, &diagnosticsError{diagnostics: diagnostics.Errors()}
	}
	return text, compiled.State.Filter(func(r model.Resource) bool { return r.Key == key }), ctx.Err()
}

// writeNew writes a file of the configuration that is not there yet.
func writeNew(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644) //nolint:gosec // source code, for everybody who works on it
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}

// written are the attributes that the flags give; the rules are those of the
// schema, since a hand-made tenant is no different from a written one.
func (o *tenantCreateOptions) written(cmd *cobra.Command) (map[string]any, error) {
	if o.name == "" {
		return nil, configError("descope-mgmt tenant create --help", "a tenant needs a name: --name")
	}
	attrs := map[string]any{"name": o.name}
	changed := cmd.Flags().Changed
	if changed("domain") {
		attrs["domains"] = o.domains
	}
	if changed("self-provisioning") {
		attrs["self_provisioning"] = o.selfProvisioning
	}
	if changed("parent") {
		attrs["parent"] = o.parent
	}
	if changed("disabled") {
		attrs["disabled"] = o.disabled
	}
	if changed("role-inheritance") {
		attrs["role_inheritance"] = o.roleInheritance
	}
	if changed("default-role") {
		attrs["default_roles"] = o.defaultRoles
	}
	if len(o.attributes) > 0 {
		custom := map[string]any{}
		for _, a := range o.attributes {
			name, value, ok := strings.Cut(a, "=")
			if !ok || name == "" {
				return nil, configError("", "--attribute %q: write NAME=VALUE", a)
			}
			custom[name] = scalar(value)
		}
		attrs["custom_attributes"] = custom
	}
	normal, err := model.Normalize(attrs)
	if err != nil {
		return nil, configError("", "%w", err)
	}
	return model.Sorted(model.Tenant, normal.(map[string]any)), nil
}

// scalar reads true, false and numbers as such, and everything else as text.
func scalar(s string) any {
	switch s {
	case "true":
		return true
	case "false":
		return false
	}
	if n, err := model.CanonicalNumber(s); err == nil && json.Valid([]byte(s)) { // 007 is no number
		return n
	}
	return s
}

type tenantDeleteOptions struct {
	*app
	consent   consentFlags
	cascade   bool
	write     bool
	allowBase bool
}

func newTenantDeleteCmd(a *app) *cobra.Command {
	o := &tenantDeleteOptions{app: a}
	cmd := &cobra.Command{
		Use:   "delete ID",
		Short: "Delete a live tenant",
		Long: `Delete removes one tenant from the live project, as a plan of one change. A rollback
makes it again, without its users, access keys and SSO configuration: those are lost.
If the configuration has the tenant, the next sync brings it back, as empty: with
--write the tenant is also taken out of it, in this environment. Where others have it,
that says in the shared files which ones (enabled_in), and asks (--allow-base).`,
		Example: `  descope-mgmt tenant delete try-out --env dev
  descope-mgmt tenant delete try-out --env dev --write
  descope-mgmt tenant delete try-out --env dev --cascade --yes`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeTenants,
		RunE:              o.run,
	}
	addDeleteInUse(cmd, &o.consent)
	cmd.Flags().BoolVar(&o.cascade, "cascade", false, "delete also the users and access keys that belong to no other tenant")
	cmd.Flags().BoolVar(&o.write, "write", false, "also take the tenant out of the configuration of the environment")
	cmd.Flags().BoolVar(&o.allowBase, "allow-base", false, "with --write: edit files that all environments share, where nothing changes for the others")
	o.consent.add(cmd)
	return cmd
}

func (o *tenantDeleteOptions) run(cmd *cobra.Command, args []string) (err error) {
	ctx, id := cmd.Context(), args[0]
	c, agreed, err := o.begin(ctx, &o.consent)
	if err != nil {
		return err
	}
	defer closing(c, &err)
	if o.write {
		if err := o.inCUE(c.module, "--write"); err != nil {
			return err
		}
	}
	key := model.Key{Kind: model.Tenant, ID: id}
	configured, ok := c.compiled.State.Get(key)
	if ok && configured.Policy.PreventDestroy {
		return refusedError("", "%s has lifecycle.prevent_destroy (%s); remove that from the configuration first", key, configured.Origin)
	}
	_, exists, err := c.client.Get(ctx, key)
	if err != nil {
		return err
	}
	if !exists {
		return c.noTenant(id)
	}
	without, err := o.without(ctx, c, key, ok)
	if err != nil {
		return err
	}
	r := c.request(c.app.operation(), model.State{})
	r.only, r.options.Targets, r.remove = model.Tenant, []model.Key{key}, []model.Key{key}
	r.options.Encode = func(t model.Transition) ([]model.Step, error) {
		t.Cascade = o.cascade
		return api.Encode(t)
	}
	p, err := c.planToRun(ctx, &r, agreed, o.consent.dryRun)
	if err != nil {
		return err
	}
	if ok && without == nil {
		o.note(fmt.Sprintf("Warning: %s is in the configuration (%s); the next sync brings it back, without its users. With --write it is taken out of it.\n", key, configured.Origin))
	}
	if without != nil {
		o.note(without.diff(o.streams.ErrStyle()))
		if o.consent.dryRun {
			without.show()
		} else if err := without.agree(ctx, agreed.yes, o.allowBase); err != nil {
			return err
		}
	}
	if err := c.showAndRun(ctx, r, p, agreed, o.consent.dryRun); err != nil || o.consent.dryRun || without == nil {
		return err
	}
	if err := without.write(); err != nil {
		return fmt.Errorf("%s was deleted, but is still in the configuration: %w", key, err)
	}
	o.note("Wrote " + ui.Safe(strings.Join(without.paths(), ", ")) + ".\n")
	return nil
}

// without is the configuration without the tenant; nil if it is not to be changed, or
// does not have it.
func (o *tenantDeleteOptions) without(ctx context.Context, c *connection, key model.Key, configured bool) (*adoption, error) {
	if !o.write || !configured {
		return nil, nil
	}
	return o.adopt(ctx, c.module, c.env, []src.Edit{{Key: key, Absent: true}}, true)
}

func newTenantSyncCmd(a *app) *cobra.Command {
	o := &syncOptions{app: a, scope: scopeFlags{kind: model.Tenant}}
	cmd := &cobra.Command{
		Use:   "sync [ID...]",
		Short: "Sync the tenants of an environment, or some of them",
		Long:  `Sync for tenants only: see descope-mgmt sync --help.`,
		Example: `  descope-mgmt tenant sync --env dev
  descope-mgmt tenant sync acme-corp widget-inc --env staging`,
		ValidArgsFunction: a.completeTenants,
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, id := range args {
				o.scope.targets = append(o.scope.targets, model.Key{Kind: model.Tenant, ID: id}.String())
			}
			return o.run(cmd.Context())
		},
	}
	cmd.Flags().StringSliceVar(&o.scope.prune, "prune", nil, "delete tenants that were applied and are gone from the configuration")
	cmd.Flags().Lookup("prune").NoOptDefVal = string(model.Tenant)
	o.consent.add(cmd)
	addDeleteInUse(cmd, &o.consent)
	return cmd
}
