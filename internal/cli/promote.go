package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pcconnect.ai/descope-mgmt/internal/compiler"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
	src "pcconnect.ai/descope-mgmt/internal/source"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

type promoteOptions struct {
	*app
	targets   []string
	fields    []string
	yes       bool
	dryRun    bool
	allowBase bool
	noPlan    bool
}

func newEnvPromoteCmd(a *app) *cobra.Command {
	o := &promoteOptions{app: a}
	cmd := &cobra.Command{
		Use:   "promote FROM TO",
		Short: "Give an environment the values that another one has, in the configuration",
		Long: `Promote compares what the configuration says about two environments, and edits the
files of TO so that it says the same as FROM: of the resources and fields that are
named, or of all that FROM has. It shows the edit, asks, writes the files, and shows
the plan of TO. Descope is not written to: sync does that.

Nothing else of TO may change, and no other environment: all of them are evaluated
before a file is written. What only TO has is left alone. Where a shared value stands in
the way, it is made a default, which asks (--allow-base).

Exit 6: refused, nothing written.`,
		Example: `  descope-mgmt env promote staging prod --target tenant/acme-corp
  descope-mgmt env promote staging prod --field custom_attributes.plan --dry-run
  descope-mgmt env promote dev staging --target flow/sign-in --yes --no-plan`,
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: a.completeTwoEnvironments,
		RunE:              func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), args[0], args[1]) },
	}
	f := cmd.Flags()
	addList(f, &o.targets, "target", "only these resources, for example tenant/acme-corp (repeat, or separate by commas)")
	addList(f, &o.fields, "field", "only these fields, for example custom_attributes.plan (repeat, or separate by commas)")
	f.BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	f.BoolVar(&o.dryRun, "dry-run", false, "show the edit and stop")
	f.BoolVar(&o.allowBase, "allow-base", false, "edit files that all environments share, where nothing changes for the others")
	f.BoolVar(&o.noPlan, "no-plan", false, "do not read the project of TO: needs no key and no network")
	must(cmd.RegisterFlagCompletionFunc("target", a.completeAddresses))
	must(cmd.RegisterFlagCompletionFunc("field", cobra.NoFileCompletions))
	return cmd
}

// completeTwoEnvironments completes the first two arguments.
func (a *app) completeTwoEnvironments(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	if len(args) >= 2 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return a.completeEnvironments(cmd, args, word)
}

// promotionDoc is env promote -o json.
type promotionDoc struct {
	From string `json:"from"`
	adoptionDoc
	// Plan is that of the environment with the files as they would be written, if it
	// was asked for and made.
	Plan *plan.Plan `json:"plan,omitempty"`
}

func (o *promoteOptions) run(ctx context.Context, from, to string) error {
	m, err := o.module()
	if err != nil {
		return err
	}
	names, err := m.Environments()
	if err != nil {
		return configError("", "%w", err)
	}
	for _, name := range []string{from, to} {
		if err := known(name, "", names); err != nil {
			return err
		}
	}
	if from == to {
		return configError("", "%s cannot be promoted to itself", from)
	}
	if o.flags.env != "" && o.flags.env != to {
		return configError("", "promote names both environments itself: leave out --env %s", o.flags.env)
	}
	edits, err := o.edits(ctx, m, from, to)
	if err != nil {
		return err
	}
	d, err := o.adopt(ctx, m, to, edits, true)
	if err != nil {
		return err
	}
	written, err := o.write(ctx, d, from)
	if err != nil {
		return err
	}
	return o.report(ctx, d, from, written)
}

// write shows the edit, asks and writes it.
func (o *promoteOptions) write(ctx context.Context, d *adoption, from string) (bool, error) {
	if o.flags.output == formatText {
		if d.empty() {
			o.print(fmt.Sprintf("No changes. The configuration of %s says already what %s does.\n", d.env, from))
			return false, nil
		}
		o.print(d.diff(o.streams.OutStyle()))
	} else if !o.yes && o.streams.InTTY {
		o.note(d.diff(o.streams.ErrStyle()))
	}
	if d.empty() {
		return false, nil
	}
	if o.dryRun {
		d.show()
		return false, nil
	}
	if err := d.agree(ctx, o.yes, o.allowBase); err != nil {
		return false, err
	}
	if err := d.write(); err != nil {
		return false, err
	}
	o.note("Wrote " + ui.Safe(strings.Join(d.paths(), ", ")) + ".\n")
	return true, nil
}

// report ends with the plan of the environment, which is read and not written to.
func (o *promoteOptions) report(ctx context.Context, d *adoption, from string, written bool) (err error) {
	doc := promotionDoc{From: from, adoptionDoc: d.document(written)}
	if !o.noPlan && (written || d.empty()) {
		o.flags.env = d.env
		c, err := o.connect(ctx)
		if err != nil {
			return planLess(err, written)
		}
		defer closing(c, &err)
		r := c.request("plan", c.compiled.State)
		if doc.Plan, err = c.plan(ctx, &r); err != nil {
			return planLess(err, written)
		}
		if o.flags.output == formatText {
			if err := c.showPlan(doc.Plan, consent{}); err != nil {
				return err
			}
			if !doc.Plan.Empty() {
				next := "descope-mgmt sync --env " + d.env
				if c.compiled.Environment.Protected {
					next += " --confirm-project " + shellQuote(c.project)
				}
				o.note("To apply it: " + ui.Safe(o.here(next)) + "\n")
			}
		}
	}
	if o.flags.output != formatText {
		return o.encode(doc)
	}
	return nil
}

// planLess says of a plan that could not be made what was done all the same.
func planLess(err error, written bool) error {
	if !written {
		return err
	}
	return fmt.Errorf("the files were written, but the plan could not be made (--no-plan leaves it out): %w", err)
}

// edits are what has to be said of one environment for it to say the same as another
// one.
func (o *promoteOptions) edits(ctx context.Context, m *compiler.Module, from, to string) ([]src.Edit, error) {
	a, b := evaluate(ctx, m, from), evaluate(ctx, m, to)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if d := append(slices.Clone(a.diagnostics), b.diagnostics...); len(d) > 0 {
		return nil, &diagnosticsError{diagnostics: d.Sort()}
	}
	keys, err := o.keys(a, b, from, to)
	if err != nil {
		return nil, err
	}
	for _, f := range o.fields {
		if elements, ok := model.SplitPath(f); !ok || isPolicyField(elements[0]) {
			return nil, configError("", "--field %q is no field that a resource can be promoted by; write for example custom_attributes.plan", f)
		}
	}
	var edits []src.Edit
	found := map[string]bool{}
	for _, key := range keys {
		more, err := o.editsOf(key, a.object(key), b.object(key), to, found)
		if err != nil {
			return nil, err
		}
		edits = append(edits, more...)
	}
	for _, f := range o.fields {
		if !found[f] {
			return nil, configError("", "--field %s: none of the resources has it, in %s or in %s", f, from, to)
		}
	}
	return edits, nil
}

// keys are the resources that are asked for.
func (o *promoteOptions) keys(a, b evaluated, from, to string) ([]model.Key, error) {
	if len(o.targets) == 0 {
		return a.keys(), nil
	}
	keys, err := parseKeys(o.targets)
	if err != nil {
		return nil, err
	}
	for _, key := range keys {
		switch {
		case a.object(key) != nil:
		case b.object(key) != nil && key.Kind == model.Tenant:
			return nil, refusedError("descope-mgmt tenant delete "+key.ID+" --env "+to+" --write", "%s is not in %s, only in %s: there is nothing to promote", key, from, to)
		case b.object(key) != nil:
			return nil, refusedError("", "%s is not in %s, only in %s: there is nothing to promote", key, from, to)
		default:
			var all []string
			for _, k := range a.keys() {
				all = append(all, k.String())
			}
			meant := ""
			if near := model.Suggest(key.String(), all); near != "" {
				meant = "; did you mean " + near + "?"
			}
			return nil, configError("", "%s is not in the configuration of %s%s", key, from, meant)
		}
	}
	return keys, nil
}

// keys are the resources of an environment, sorted.
func (e evaluated) keys() []model.Key {
	var keys []model.Key
	for _, spec := range model.Kinds() {
		all, _ := e.doc[spec.Field].(map[string]any)
		for _, id := range slices.Sorted(maps.Keys(all)) {
			keys = append(keys, model.Key{Kind: spec.Kind, ID: id})
		}
	}
	return keys
}

// editsOf are the edits of one resource. found collects the fields of the request
// that there are.
func (o *promoteOptions) editsOf(key model.Key, a, b map[string]any, to string, found map[string]bool) ([]src.Edit, error) {
	want, have := intent(key, a), intent(key, b)
	asked := func(path string) bool {
		ok := len(o.fields) == 0
		for _, f := range o.fields {
			if covers(f, path) {
				found[f], ok = true, true
			}
		}
		return ok
	}
	if b == nil {
		some := false
		for p := range want {
			some = asked(p) || some
		}
		switch {
		case len(o.fields) > 0 && some:
			return nil, refusedError("", "%s is not in %s: promote it whole first, without --field", key, to)
		case len(o.fields) > 0:
			return nil, nil
		}
		return []src.Edit{{Key: key, Value: declarable(a)}}, nil
	}
	if a["template"] != b["template"] {
		return nil, refusedError("", "%s is made from %s in one environment and from %s in the other; write it in envs/%s by hand", key, madeFrom(a), madeFrom(b), to)
	}
	var edits []src.Edit
	for _, p := range slices.Sorted(maps.Keys(union(want, have))) {
		w, wanted := want[p]
		h, has := have[p]
		if !asked(p) || wanted == has && model.Equal(w, h) {
			continue
		}
		if a["template"] != nil && follows(p) && wanted != has {
			continue // comes and goes with the options of the template
		}
		edits = append(edits, src.Edit{Key: key, Path: p, Value: w, Absent: !wanted})
	}
	return edits, nil
}

func madeFrom(fields map[string]any) string {
	if t, ok := fields["template"].(string); ok {
		return "the template " + t
	}
	return "a definition"
}

// intent are the values that a resource is to have, by path: not how it may be
// treated, and not what a template makes of the rest.
func intent(key model.Key, fields map[string]any) map[string]any {
	out := leavesOf(key, fields)
	for p := range out {
		if isPolicyField(p) || p == "definition" && fields["template"] != nil {
			delete(out, p)
		}
	}
	return out
}

// declarable are the fields with which a resource can be declared elsewhere.
func declarable(fields map[string]any) map[string]any {
	out := map[string]any{}
	for name, v := range fields {
		switch {
		case name == "imported", !isPolicyField(model.JoinPath(name)):
			out[name] = v
		}
	}
	if out["template"] != nil {
		delete(out, "definition")
		delete(out, "steps")
	}
	return out
}
