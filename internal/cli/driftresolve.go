package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
	src "pcconnect.ai/descope-mgmt/internal/source"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

// resolution is what became of the differences, for JSON.
type resolution struct {
	Applied []plan.FieldKey `json:"applied"`
	Adopted []plan.FieldKey `json:"adopted"`
	Ignored []plan.FieldKey `json:"ignored"`
	Left    []plan.FieldKey `json:"left"`
	// Files are those that adopt wrote.
	Files []string `json:"files"`
	// Run is the document of the run that applied, or null.
	Run any `json:"run"`

	// adoption and accepted are what the configuration will be, also in a dry run.
	adoption *adoption
	accepted []plan.Acceptance
}

// resolveAll decides what becomes of each difference and does it: first what changes
// the configuration, then what changes the project.
func (o *driftOptions) resolveAll(ctx context.Context, c *connection, d *plan.Drift) error {
	decisions, err := o.choose(ctx, d)
	if err != nil {
		return err
	}
	done := resolution{Applied: []plan.FieldKey{}, Adopted: []plan.FieldKey{}, Ignored: []plan.FieldKey{}, Left: []plan.FieldKey{}, Files: []string{}, accepted: c.accepted}
	by := map[choice][]decided{}
	for _, x := range decisions {
		by[x.choice] = append(by[x.choice], x)
	}
	for _, x := range by[chooseSkip] {
		done.Left = append(done.Left, x.key())
	}
	if err := o.adoptDrift(ctx, c, by[chooseAdopt], &done); err != nil {
		return err
	}
	if err := o.ignoreDrift(ctx, c, by[chooseIgnore], &done); err != nil {
		return err
	}
	// The run reports for itself; what it leaves undone is its exit code.
	runErr := o.applyDrift(ctx, c, by[chooseApply], &done)
	if o.flags.output == formatJSON || o.flags.output == formatYAML {
		if err := o.encode(done); err != nil {
			return err
		}
	}
	if runErr != nil {
		return runErr
	}
	if len(done.Left) > 0 {
		return exitWith(exitDifferences)
	}
	return nil
}

// adoptDrift writes live values into the configuration. Afterwards they are what was
// applied last: the project is as configured, and whoever moves it next has moved it.
func (o *driftOptions) adoptDrift(ctx context.Context, c *connection, chosen []decided, done *resolution) error {
	if len(chosen) == 0 {
		return nil
	}
	wanted, err := o.edits(ctx, c, chosen)
	if err != nil {
		return err
	}
	change, err := o.adopt(ctx, c.module, c.env, wanted, o.resolve.allowBase || o.streams.InTTY && !o.resolve.consent.yes)
	if err != nil {
		return withChildren(c, chosen, err)
	}
	change.show()
	out := o.note
	if o.flags.output == formatText {
		out = o.print
	}
	out(change.diff(o.streams.OutStyle()))
	done.adoption = change
	if o.resolve.consent.dryRun {
		return nil
	}
	if err := change.agree(ctx, o.resolve.consent.yes, o.resolve.allowBase); err != nil {
		return err
	}
	if err := change.write(); err != nil {
		return err
	}
	done.Files = change.paths()
	for _, x := range chosen {
		done.Adopted = append(done.Adopted, x.key())
	}
	if err := c.audit(ctx, "adopted", addresses(chosen), words(chosen)); err != nil {
		return brokenAudit(fmt.Errorf("the configuration was written, but the audit log was not: %w", err))
	}
	o.note(fmt.Sprintf("Adopted %s.\n", ui.Counted(len(chosen), "difference")))
	return c.rememberAdopted(ctx, change, addressesOf(chosen))
}

// rememberAdopted records adopted objects as applied, where the project is now as
// configured.
func (c *connection) rememberAdopted(ctx context.Context, change *adoption, keys []model.Key) error {
	if err := c.lock(ctx, consent{retry: c.app.again(c.env)}); err != nil {
		return err
	}
	rec, err := c.record()
	if err != nil {
		return err
	}
	r := c.request(c.app.operation(), change.compiled.State)
	live, err := c.readFor(ctx, r, r.kinds(rec))
	if err != nil {
		return err
	}
	now := byKey(rec.last)
	for _, k := range keys {
		want, wanted := r.desired.Get(k)
		is, exists := live.Get(k)
		if !wanted || !exists {
			delete(now, k) // nobody asks for it any more, or it is gone
			continue
		}
		was, recorded := now[k]
		r.options.Encode = nil
		r.options.Targets = []model.Key{k}
		p, err := plan.Compute(r.desired, live, rec.last, r.options)
		if err != nil {
			return err
		}
		now[k] = recordExcept(p, want, is, recordOf(was, recorded))
	}
	state, err := stateOf(now)
	if err != nil {
		return err
	}
	return c.scope.SaveLastApplied(state, c.meta())
}

// recordExcept is the record of an object of which all was adopted but what a plan
// would still change, and what is accepted: of those the record stays.
func recordExcept(p *plan.Plan, want, live model.Resource, was *model.Resource) model.Resource {
	except := slices.Clone(p.Accepted)
	for _, ch := range p.Changes {
		for _, f := range ch.Fields {
			except = append(except, plan.FieldKey{Key: ch.Key, Path: f.Path})
		}
	}
	return plan.AppliedBut(except, want, live, was)
}

// edits are what the configuration has to say for the live values to be wanted.
func (o *driftOptions) edits(ctx context.Context, c *connection, chosen []decided) ([]src.Edit, error) {
	var out []src.Edit
	add := func(e src.Edit) {
		if !slices.ContainsFunc(out, func(x src.Edit) bool { return x.Key == e.Key && x.Path == e.Path }) {
			out = append(out, e)
		}
	}
	for _, x := range chosen {
		key := x.object.Key
		is, exists := c.live.Get(key)
		document, isFlow := is.Attrs["definition"].(map[string]any)
		switch {
		case !exists:
			add(src.Edit{Key: key, Absent: true})
		case isFlow && (x.field == nil || x.field.Path == "definition"):
			more, err := o.liveFlowEdits(ctx, c.module, c.env, key, document)
			if err != nil {
				return nil, err
			}
			for _, e := range more {
				add(e)
			}
		case x.field == nil:
			was, _ := c.last.Get(key)
			add(src.Edit{Key: key, Value: managedBefore(was, is)})
		default:
			e := src.Edit{Key: key, Path: x.field.Path, Value: x.field.Live}
			if _, absent := e.Value.(plan.Absent); absent {
				e.Value, e.Absent = nil, true
			}
			add(e)
		}
	}
	return out, nil
}

// managedBefore are the live values of what was managed of an object, which is what the
// configuration said of it before it lost it.
func managedBefore(was, live model.Resource) map[string]any {
	out := map[string]any{}
	for name, old := range was.Attrs {
		now := live.Attrs[name]
		keys, isMap := old.(map[string]any)
		values, _ := now.(map[string]any)
		switch {
		case isMap:
			some := map[string]any{}
			for k := range keys {
				if v, exists := values[k]; exists {
					some[k] = v
				}
			}
			out[name] = some
		case now != "":
			out[name] = now
		}
	}
	return out
}

// ignoreDrift puts on record that values may stay as they are.
func (o *driftOptions) ignoreDrift(ctx context.Context, c *connection, chosen []decided, done *resolution) error {
	if len(chosen) == 0 {
		return nil
	}
	end, err := until(o.resolve.expires, o.now()) // checked before
	if err != nil {
		return err
	}
	reason := o.resolve.reason
	if reason == "" {
		if o.resolve.consent.yes || !o.streams.InTTY {
			return configError("", "--accept needs a --reason, for the record")
		}
		if reason, err = o.prompter().Input(ctx, "Why may they stay as they are?"); err != nil {
			return declined(err, "nothing was put on record", "--reason")
		}
	}
	if reason = strings.TrimSpace(reason); reason == "" {
		return refusedError("", "nothing was put on record: an acceptance needs a reason")
	}
	user := o.identify(ctx).user
	more := make([]plan.Acceptance, 0, len(chosen))
	for _, x := range chosen {
		k := x.key()
		a := plan.Acceptance{Accepted: plan.Accepted{Key: k.Key, Path: k.Path, Value: true}, User: user, Reason: reason, At: o.now().UTC().Truncate(time.Second), Expires: end}
		switch {
		case x.field != nil:
			a.Value = plan.LiveValue(k.Key.Kind, k.Path, x.field.Live)
			a.Configured = plan.LiveValue(k.Key.Kind, k.Path, x.field.Desired)
		case x.object.Kind == plan.Missing:
			a.Value = plan.Absent{}
		}
		more = append(more, a)
		done.Ignored = append(done.Ignored, k)
	}
	done.accepted = plan.Accept(c.accepted, more...)
	if o.resolve.consent.dryRun {
		o.note(fmt.Sprintf("Would be ignored from now on: %s\n", ui.Safe(strings.Join(words(chosen), "; "))))
		return nil
	}
	if err := saveAcceptances(c.module, c.env, done.accepted); err != nil {
		return err
	}
	done.Files = append(done.Files, acceptedFile(c.env))
	if err := c.audit(ctx, "ignored", addresses(chosen), append(words(chosen), "reason: "+reason)); err != nil {
		return brokenAudit(fmt.Errorf("the acceptance was written, but the audit log was not: %w", err))
	}
	o.note(fmt.Sprintf("Ignored from now on, as long as their live values stay: %s, on record in %s.\n", ui.Counted(len(chosen), "difference"), ui.Safe(acceptedFile(c.env))))
	return nil
}

// applyDrift writes whole objects as configured: an ordinary run, for which what moved
// live may be overwritten, since that was the choice.
func (o *driftOptions) applyDrift(ctx context.Context, c *connection, chosen []decided, done *resolution) (err error) {
	if len(chosen) == 0 {
		return nil
	}
	if !o.resolve.consent.dryRun {
		if err := c.audit(ctx, "apply", addresses(chosen), words(chosen)); err != nil {
			return brokenAudit(fmt.Errorf("nothing was applied, since the audit log could not be written: %w", err))
		}
	}
	// The run has a connection that can write, and takes the lock for itself.
	if err := c.close(); err != nil {
		return err
	}
	w, agreed, err := o.begin(ctx, &o.resolve.consent)
	if err != nil {
		return err
	}
	defer closing(w, &err)
	agreed.allowed.OverwriteDrift = true
	w.exportAnew, w.accepted = true, done.accepted
	if done.adoption != nil {
		w.compiled = done.adoption.compiled
	}
	r := w.request(o.operation(), w.compiled.State)
	for _, x := range chosen {
		k := x.key()
		done.Applied = append(done.Applied, k)
		if !slices.Contains(r.options.Targets, k.Key) {
			r.options.Targets = append(r.options.Targets, k.Key)
		}
		if x.object.Kind == plan.Orphan && !slices.Contains(r.options.Prune, k.Key.Kind) {
			r.options.Prune = append(r.options.Prune, k.Key.Kind)
		}
	}
	for _, kind := range r.options.Prune {
		// The guard of an empty configuration does not look at targets.
		if r.desired.Len() == 0 && !agreed.allowed.MassChange {
			return refusedError(w.app.onward(w.env)+" --allow-mass-change", "nothing was applied: the configuration names nothing at all, and every %s that was applied would be deleted (to allow it: --allow-mass-change)", kind)
		}
	}
	p, err := w.planToRun(ctx, &r, agreed, o.resolve.consent.dryRun)
	if err != nil {
		return err
	}
	if o.documents == nil && o.flags.output != formatText {
		o.documents = map[string]any{}
		defer func() { done.Run, o.documents = o.documents[o.flags.env], nil }()
	}
	return w.showAndRun(ctx, r, p, agreed, o.resolve.consent.dryRun)
}

func addressesOf(chosen []decided) []model.Key {
	var keys []model.Key
	for _, x := range chosen {
		if !slices.Contains(keys, x.object.Key) {
			keys = append(keys, x.object.Key)
		}
	}
	return keys
}

func addresses(chosen []decided) []string {
	var out []string
	for _, k := range addressesOf(chosen) {
		out = append(out, k.String())
	}
	return out
}

// words are decisions for the record.
func words(chosen []decided) []string {
	out := make([]string, len(chosen))
	for i, x := range chosen {
		out[i] = fmt.Sprintf("%s: %s", x, x.choice)
		if x.field != nil && !x.field.Sensitive {
			out[i] += fmt.Sprintf(" (configured %s, live %s)", ui.Value(x.field.Desired, 120), ui.Value(x.field.Live, 120))
		}
	}
	return out
}
