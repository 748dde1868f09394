package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pcconnect.ai/descope-mgmt/internal/api"
	"pcconnect.ai/descope-mgmt/internal/compiler"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
	"pcconnect.ai/descope-mgmt/internal/store"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

// scopeFlags say how much of an environment a plan is about.
type scopeFlags struct {
	kind           model.Kind // only this one; "" is all
	targets        []string
	prune          []string
	pruneUnmanaged []string
}

func (f *scopeFlags) add(a *app, cmd *cobra.Command) {
	addList(cmd.Flags(), &f.targets, "target", "only these resources, for example tenant/acme-corp (repeat, or separate by commas)")
	cmd.Flags().StringSliceVar(&f.prune, "prune", nil, "delete what was applied and is gone from the configuration, of all kinds or of these")
	addList(cmd.Flags(), &f.pruneUnmanaged, "prune-unmanaged", "delete exactly these resources, which were never applied by this tool; sync has their addresses typed")
	cmd.Flags().Lookup("prune").NoOptDefVal = pruneAll
	must(cmd.RegisterFlagCompletionFunc("target", a.completeAddresses))
	must(cmd.RegisterFlagCompletionFunc("prune", fixedCompletion(kindNames()...)))
	must(cmd.RegisterFlagCompletionFunc("prune-unmanaged", cobra.NoFileCompletions))
}

const pruneAll = "all"

func allKinds() []model.Kind {
	var kinds []model.Kind
	for _, spec := range model.Kinds() {
		kinds = append(kinds, spec.Kind)
	}
	return kinds
}

func kindNames() []string {
	var names []string
	for _, k := range allKinds() {
		names = append(names, string(k))
	}
	return names
}

// request turns the flags into a request for the whole environment.
func (f *scopeFlags) request(c *connection) (request, error) {
	desired := c.compiled.State
	if f.kind != "" {
		desired = desired.Filter(func(r model.Resource) bool { return r.Key.Kind == f.kind })
	}
	r := c.request(c.app.operation(), desired)
	r.only = f.kind
	var err error
	if r.options.Targets, err = parseKeys(f.targets); err != nil {
		return r, err
	}
	if r.options.PruneUnmanaged, err = parseKeys(f.pruneUnmanaged); err != nil {
		return r, err
	}
	for _, name := range f.prune {
		if name == pruneAll {
			r.options.Prune = allKinds()
			break
		}
		k, err := model.ParseKind(name)
		if err == nil && !model.Spec(k).Configured() {
			err = fmt.Errorf("a %s cannot be deleted by a plan; the kinds are %v", k, kindNames())
		}
		if err != nil {
			return r, configError("", "--prune: %w", err)
		}
		r.options.Prune = append(r.options.Prune, k)
	}
	return r, nil
}

func parseKeys(texts []string) ([]model.Key, error) {
	keys := make([]model.Key, 0, len(texts))
	for _, t := range texts {
		k, err := model.ParseKey(t)
		if err != nil {
			mistyped := &model.MistypedError{Text: err.Error(), Word: t}
			if !strings.Contains(t, "/") {
				mistyped.Meant = model.Key{Kind: model.Tenant, ID: t}.String()
			}
			return nil, configError("", "%w", mistyped)
		}
		keys = append(keys, k)
	}
	return keys, nil
}

// request is a request for a desired state in the environment of c.
func (c *connection) request(operation string, desired model.State) request {
	return request{
		operation: operation, desired: desired, written: desired,
		options: plan.Options{
			Tool: version(), Schema: compiler.SchemaHash(),
			Environment: c.env, Project: c.project, BaseURL: c.baseURL,
			Protected: c.compiled.Environment.Protected, Encode: api.Encode,
			Accepted: plan.Holding(c.accepted, c.app.now()),
		},
	}
}

// operation names the command as the record of runs has it: "tenant delete".
func (a *app) operation() string {
	if a.cmd == nil {
		return "sync"
	}
	_, operation, _ := strings.Cut(a.cmd.CommandPath(), " ")
	return operation
}

type planOptions struct {
	*app
	scope    scopeFlags
	several  severalFlags
	out      string
	detailed bool
}

func newPlanCmd(a *app) *cobra.Command {
	o := &planOptions{app: a}
	cmd := &cobra.Command{
		Use:     "plan",
		Aliases: []string{"diff"},
		Short:   "Show what sync would change",
		Long: `Plan evaluates an environment, reads its project and prints what differs. It
writes nothing to Descope. With --out it saves the plan, with the exact payloads,
for sync --plan; sync --plan FILE --dry-run shows it again.

A saved plan is sealed with a key that the state directory keeps. Edited since, or saved
with another state directory, it is refused.`,
		Example: `  descope-mgmt plan --env staging
  descope-mgmt plan --env prod --target tenant/acme-corp --out acme.plan
  descope-mgmt plan --all --detailed-exitcode
  descope-mgmt plan --all -o markdown > comment.md
  descope-mgmt plan --env prod -o json | jq '.resource_changes[].address'`,
		Args:        noArgs,
		Annotations: formats(formatText, formatJSON, formatYAML, formatMarkdown),
		RunE: func(cmd *cobra.Command, _ []string) error {
			names, err := o.several.names(a)
			if names != nil && o.out != "" {
				err = configError("", "--out is for one environment at a time: name one with --env")
			}
			if err != nil {
				return err
			}
			return a.each(cmd.Context(), o.several, nil, o.run)
		},
	}
	o.scope.add(a, cmd)
	o.several.add(cmd)
	cmd.Flags().StringVar(&o.out, "out", "", "save the plan to this file")
	cmd.Flags().BoolVar(&o.detailed, "detailed-exitcode", false, "exit 2 if there are changes")
	return cmd
}

func (o *planOptions) run(ctx context.Context) (err error) {
	c, err := o.connect(ctx)
	if err != nil {
		return err
	}
	defer closing(c, &err)
	c.tellWhatIsLost()
	r, err := o.scope.request(c)
	if err != nil {
		return err
	}
	p, err := c.plan(ctx, &r)
	if err != nil {
		return err
	}
	if o.out != "" {
		key, err := c.state.SealKey(true)
		if err != nil {
			return err
		}
		p.Sign(key)
		if err := savePlan(o.path(o.out), p); err != nil {
			return o.notWritten("saving the plan", o.out, err)
		}
	}
	if err := c.showPlan(p, consent{}); err != nil {
		return err
	}
	if o.out != "" {
		o.note("Saved. To apply it: " + ui.Safe(o.here("descope-mgmt sync --env "+c.env+" --plan "+shellQuote(o.out))) + "\n")
	}
	if o.detailed && !p.Empty() {
		return exitWith(exitDifferences)
	}
	return nil
}

// savePlan writes a plan file; it is private, since it shows the whole project.
func savePlan(path string, p *plan.Plan) error {
	data, err := p.MarshalJSON()
	if err != nil {
		return err
	}
	return store.WriteFileAtomic(path, append(data, '\n'))
}

// closing closes a connection; its error counts unless there is another one.
func closing(c *connection, err *error) {
	if e := c.close(); e != nil && *err == nil {
		*err = e
	}
}

// completeAddresses completes the addresses that the configuration knows. It
// compiles, but asks no network.
func (a *app) completeAddresses(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	var addresses []string
	for _, r := range a.configured(cmd.Context()) {
		addresses = append(addresses, r.Key.String())
	}
	slices.Sort(addresses)
	return addresses, cobra.ShellCompDirectiveNoFileComp
}

// completeTenants completes the ids of the configured tenants.
func (a *app) completeTenants(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var ids []string
	for _, r := range a.configured(cmd.Context()) {
		if r.Key.Kind == model.Tenant && !slices.Contains(args, r.Key.ID) {
			ids = append(ids, r.Key.ID+"\t"+strings.TrimSpace(nameOf(r)))
		}
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}

func nameOf(r model.Resource) string {
	s, _ := r.Attrs["name"].(string)
	return s
}
