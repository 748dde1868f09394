package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/api"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

// request is what a command wants done: a desired state, and how far the plan
// may go. Every command that writes is a request; there is no other way.
type request struct {
	// operation is the command, as the record of runs and the audit log have it.
	operation string
	// written is what is wanted, and desired the same with its flows made to fit the
	// project, once that has been read.
	written, desired model.State
	options          plan.Options
	// only restricts the request to one kind; "" is all kinds.
	only model.Kind
	// also are kinds that are read although nothing of them is wanted.
	also []model.Kind
	// remove are objects that the command itself names for deletion, whether they
	// were ever ours or not.
	remove []model.Key
	// base stands in for what was last applied, given what is live and what was:
	// it decides what counts as moved by somebody. nil is what was last applied.
	base func(live, last model.State) model.State
	// exact: the targets are all that the request is about, and those that are on no
	// side any more are done with.
	exact bool
	// whole: fields that the configuration cannot say count too.
	whole bool
	// ours are records of objects that have none any more, since they were deleted:
	// where the request makes them again, they are ours again.
	ours model.State
	// of is the run that this one resumes or takes back, or "".
	of string
	// changedSince says what of an object that the request deletes was changed
	// since it was made; nil where nobody knows.
	changedSince func(k model.Key, live model.State) []string
}

// The operations whose desired state is a saved one and not the configuration. Of
// what they did, only what was ours already is recorded as applied.
const (
	operationRollback = "rollback"
	operationRestore  = "backup restore"
	// operationFlowRollback goes back to a version of one flow.
	operationFlowRollback = "flow rollback"
)

func restores(operation string) bool {
	return operation == operationRollback || operation == operationRestore || operation == operationFlowRollback
}

// about restricts a request to what a saved plan is about, so that the plan can be
// made once more and held against it, guards and all.
func (r request) about(p *plan.Plan) request {
	r.exact = true
	r.options.Targets, r.options.Prune, r.options.PruneUnmanaged = nil, nil, nil
	for _, ch := range p.Changes {
		r.options.Targets = append(r.options.Targets, ch.Key)
		switch {
		case ch.Action != plan.Delete:
		case ch.Moved == plan.Unknown:
			r.options.PruneUnmanaged = append(r.options.PruneUnmanaged, ch.Key)
		case !slices.Contains(r.options.Prune, ch.Key.Kind):
			r.options.Prune = append(r.options.Prune, ch.Key.Kind)
		}
	}
	return r
}

// baseline is what the plan takes for last applied.
func (r request) baseline(live, last model.State) model.State {
	if r.base != nil {
		last = r.base(live, last)
	}
	// What the configuration cannot name is never ours, and nobody's drift.
	for _, is := range live.Resources() {
		if !model.Spec(is.Key.Kind).Configured() {
			last = last.With(model.Resource{Key: is.Key, Attrs: is.Attrs})
		}
	}
	return last
}

// kinds are the kinds worth reading: tenants always, others where the
// configuration or the record of what was applied knows any, or the request says so.
func (r request) kinds(rec record) []model.Kind {
	if r.only != "" {
		return []model.Kind{r.only}
	}
	var kinds []model.Kind
	for _, spec := range model.Table() {
		if spec.Kind == model.Tenant || len(r.desired.Of(spec.Kind)) > 0 || rec.has(spec.Kind) || slices.Contains(r.also, spec.Kind) {
			kinds = append(kinds, spec.Kind)
		}
	}
	return kinds
}

// consent is what the user has agreed to beforehand.
type consent struct {
	yes     bool
	allowed plan.Allowed
	onError string
	// retry is the command that does again what failed, for the summary.
	retry       string
	forceUnlock string
	// flags are those that were given, for the record.
	flags []string
}

// The values of --on-error.
const (
	onErrorStop     = "stop"
	onErrorContinue = "continue"
)

// plan reads the live project, makes the request fit it, and computes what it needs.
func (c *connection) plan(ctx context.Context, r *request) (*plan.Plan, error) {
	return c.planUnless(ctx, r, func(*plan.Plan) bool { return false })
}

// planToRun is plan for a run. A plan that will be refused in any case is refused at
// once: whether what it deletes is in use takes reads of each tenant, which would only
// keep somebody waiting for a refusal. What is only shown, shows all of it.
func (c *connection) planToRun(ctx context.Context, r *request, agreed consent, dryRun bool) (*plan.Plan, error) {
	return c.planUnless(ctx, r, func(p *plan.Plan) bool {
		return !dryRun && slices.ContainsFunc(p.Gate(agreed.allowed), func(g plan.Guard) bool { return !c.asks(g, agreed) })
	})
}

// planUnless is plan, but for what would be lost with what is deleted where the plan is
// refused without that.
func (c *connection) planUnless(ctx context.Context, r *request, refused func(*plan.Plan) bool) (*plan.Plan, error) {
	rec, err := c.record()
	if err != nil {
		return nil, err
	}
	kinds := r.kinds(rec)
	live, err := c.readFor(ctx, *r, kinds)
	if err != nil {
		return nil, err
	}
	if err := c.notShort(ctx, live, rec.last, kinds); err != nil {
		return nil, err
	}
	c.live, c.kinds = live, kinds
	if err := c.fit(ctx, r); err != nil {
		return nil, err
	}
	seen, err := c.withOpen(ctx, rec)
	if err != nil {
		return nil, err
	}
	last, err := rec.settle(seen)
	if err != nil {
		return nil, err
	}
	c.last = last
	c.tellOpen(rec, *r, seen)
	last = r.baseline(live, last)
	if r.exact && !r.left(live, last) {
		return plan.Compute(model.State{}, model.State{}, model.State{}, withoutTargets(r.options))
	}
	o := r.options
	if o.Saved = restores(r.operation); !o.Saved {
		o.Held = rec.held
	}
	for _, k := range r.remove {
		if _, ours := last.Get(k); ours {
			o.Prune = append(o.Prune, k.Kind)
		} else {
			o.PruneUnmanaged = append(o.PruneUnmanaged, k)
		}
	}
	p, err := plan.Compute(r.desired, live, last, o)
	if err != nil {
		return nil, configError("", "%w", err)
	}
	if deleted := deletedTenants(p); len(deleted) > 0 && refused(p) {
		o.Warnings = append(slices.Clone(o.Warnings), notAsked(len(deleted)))
	} else if o.InUse, err = c.inUse(ctx, *r, deleted); err != nil {
		return nil, err
	}
	if len(o.InUse) > 0 || len(o.Warnings) > len(r.options.Warnings) {
		if p, err = plan.Compute(r.desired, live, last, o); err != nil {
			return nil, configError("", "%w", err)
		}
	}
	return p, nil
}

// left drops from an exact request the targets that are on no side any more, and
// reports whether there are others.
func (r *request) left(live, last model.State) bool {
	r.options.Targets = slices.DeleteFunc(slices.Clone(r.options.Targets), func(k model.Key) bool {
		_, wanted := r.desired.Get(k)
		_, exists := live.Get(k)
		_, known := last.Get(k)
		return !wanted && !exists && !known
	})
	r.remove = slices.DeleteFunc(slices.Clone(r.remove), func(k model.Key) bool {
		_, exists := live.Get(k)
		return !exists
	})
	return len(r.options.Targets) > 0
}

func withoutTargets(o plan.Options) plan.Options {
	o.Targets, o.Prune, o.PruneUnmanaged = nil, nil, nil
	return o
}

// readFor reads kinds of the live project as a request needs them.
func (c *connection) readFor(ctx context.Context, r request, kinds []model.Kind) (model.State, error) {
	live, err := c.read(ctx, kinds...)
	if err != nil || !r.whole {
		return live, err
	}
	resources := slices.Clone(live.Resources())
	for i := range resources {
		resources[i] = api.WithUnmanaged(resources[i])
	}
	return model.NewState(resources)
}

// read reads kinds of the live project.
func (c *connection) read(ctx context.Context, kinds ...model.Kind) (model.State, error) {
	spinner := ui.NewSpinner(c.app.streams, "Reading project "+c.project, c.app.now)
	defer spinner.Stop()
	return c.client.Read(ctx, kinds...)
}

// maxLookups bounds how many objects that are missing are looked up one by one.
const maxLookups = 10

// notShort asks for objects that we applied and that the list does not have. One
// that is still there proves that the list is not the whole project; a plan made
// from it would create what exists, or take what is missing for deleted.
func (c *connection) notShort(ctx context.Context, live, last model.State, kinds []model.Kind) error {
	lookups := 0
	for _, r := range last.Resources() {
		if _, there := live.Get(r.Key); there || !slices.Contains(kinds, r.Key.Kind) {
			continue
		}
		if lookups++; lookups > maxLookups {
			return nil
		}
		_, found, err := c.client.Get(ctx, r.Key)
		if err != nil {
			return fmt.Errorf("%s is missing from the list, and asking for it alone failed: %w", r.Key, err)
		}
		if found {
			return fmt.Errorf("reading project %s: the list is short: %s is not in it and exists; nothing can be planned from it, try again", c.project, r.Key)
		}
	}
	return nil
}

// showPlan prints a plan in the form that was asked for, with what is agreed to.
func (c *connection) showPlan(p *plan.Plan, agreed consent) error {
	switch c.app.flags.output {
	case formatText:
	case formatMarkdown:
		part := ui.PlanMarkdown(c.warned(p), agreed.allowed, c.forecast(p, agreed))
		if c.app.documents != nil { // of several environments: one document
			c.app.parts = append(c.app.parts, part)
			return nil
		}
		c.app.print(ui.MarkdownDocument(ui.MarkdownMarker(markerPlan, []string{c.env}), part))
		return nil
	default:
		return c.app.encode(c.warned(p))
	}
	c.app.print(ui.PlanText(p, agreed.allowed, c.forecast(p, agreed), c.app.streams.OutStyle()))
	return nil
}

// forecast is what running a plan takes from now on.
func (c *connection) forecast(p *plan.Plan, agreed consent) ui.Forecast {
	var steps []model.Step
	for _, ch := range p.Changes {
		steps = append(steps, ch.Steps...)
	}
	reads := c.readsFor(p, agreed)
	f := c.client.Forecast(steps, reads)
	return ui.Forecast{Calls: f.Calls, Reads: reads, Took: f.Duration}
}

// run takes a plan that has been shown through the gate, the question, the
// calls and the check afterwards.
func (c *connection) run(ctx context.Context, r request, p *plan.Plan, agreed consent) error {
	if err := c.pass(ctx, p, &agreed); err != nil {
		return err
	}
	if err := c.confirmUnmanaged(ctx, r, p); err != nil {
		return err
	}
	if !agreed.yes {
		question := fmt.Sprintf("Apply %s to project %s (%s)?", ui.Counted(len(p.Changes), "change"), c.project, c.env)
		if err := c.prompter().Confirm(ctx, question); err != nil {
			return declined(err, "nothing was applied", "--yes")
		}
	}
	// The lock is taken once there is nothing more to wait for.
	if err := c.lock(ctx, agreed); err != nil {
		return err
	}
	rec, err := c.record()
	if err != nil {
		return err
	}
	if err := c.stillTrue(ctx, r, p, agreed, rec); err != nil {
		return err
	}
	if err := c.settleOpen(ctx, rec); err != nil {
		return err
	}
	return c.apply(ctx, r, p, agreed)
}

// confirmUnmanaged has the addresses typed of objects that would be deleted though
// they were never ours. No flag answers that: what somebody else made may be
// somebody else's customer.
func (c *connection) confirmUnmanaged(ctx context.Context, r request, p *plan.Plan) error {
	var foreign []string
	for _, ch := range p.Changes {
		if ch.Action == plan.Delete && ch.Moved == plan.Unknown && !slices.Contains(r.remove, ch.Key) {
			foreign = append(foreign, ch.Key.String())
		}
	}
	if len(foreign) == 0 {
		return nil
	}
	err := c.prompter().TypeToConfirm(ctx, "These were never applied by this tool and will be deleted:", strings.Join(foreign, " "))
	if errors.Is(err, ui.ErrNoTerminal) {
		return refusedError("", "nothing was applied: deleting %s, which was never applied by this tool, must be confirmed by typing at a terminal", strings.Join(foreign, ", "))
	}
	if err != nil {
		return declined(err, "nothing was applied", "")
	}
	return nil
}

// pass asks about the guards that the plan meets, or refuses.
func (c *connection) pass(ctx context.Context, p *plan.Plan, agreed *consent) error {
	for {
		left := p.Gate(agreed.allowed)
		if len(left) == 0 {
			return nil
		}
		g := left[0]
		if c.asks(g, *agreed) {
			if err := c.askGuard(ctx, g, &agreed.allowed); err != nil {
				return declined(err, "nothing was applied", g.Allow)
			}
			continue
		}
		var lines []string
		hint := c.app.onward(c.env)
		for _, g := range left {
			line := fmt.Sprintf("%s: %s", g.Rule, g.Detail)
			switch {
			case g.Allow == "": // no flag helps, so none is named
				hint = ""
			case hint != "" && !strings.Contains(hint, g.Allow):
				hint += " " + g.Allow
			}
			if g.Allow != "" {
				line += " (to allow it: " + g.Allow + ")"
			}
			lines = append(lines, line)
		}
		return refusedError(hint, "nothing was applied, the plan is blocked: %s", strings.Join(lines, "; "))
	}
}

// asks reports whether a guard can be agreed to at the terminal; the others need their
// flag.
func (c *connection) asks(g plan.Guard, agreed consent) bool {
	return !agreed.yes && c.app.streams.InTTY && (g.Rule == plan.RuleAdopt || g.Rule == plan.RuleProtected)
}

func (c *connection) askGuard(ctx context.Context, g plan.Guard, allowed *plan.Allowed) error {
	if g.Rule == plan.RuleProtected {
		question := fmt.Sprintf("Environment %s is protected; its project is %s.", c.env, c.project)
		if err := c.prompter().TypeToConfirm(ctx, question, c.project); err != nil {
			return err
		}
		allowed.ConfirmProject = c.project
		return nil
	}
	if err := c.prompter().Confirm(ctx, g.Detail+". Take them under management?"); err != nil {
		return err
	}
	allowed.AdoptExisting = true
	return nil
}

// declined turns a refusal at the prompt into one that names the flag.
func declined(err error, what, flag string) error {
	switch {
	case errors.Is(err, ui.ErrNoTerminal):
		return refusedError("", "%s: %w; %s answers beforehand", what, &answerable{err, flag}, flag)
	case errors.Is(err, ui.ErrDeclined):
		return refusedError("", "%s: %w", what, err)
	default:
		return err
	}
}
