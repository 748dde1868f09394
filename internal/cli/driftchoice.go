package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

// choice is what becomes of a difference.
type choice string

// The choices. Nothing is resolved without one.
const (
	// chooseApply writes the configuration to the project.
	chooseApply choice = "apply"
	// chooseAdopt writes the project's value into the configuration.
	chooseAdopt choice = "adopt"
	// chooseIgnore puts on record that the value may stay.
	chooseIgnore choice = "ignore"
	// chooseSkip leaves the difference for another time.
	chooseSkip choice = "skip"
)

// resolveOptions are the flags of drift --resolve.
type resolveOptions struct {
	wanted               bool
	apply, adopt, accept []string
	reason, expires      string
	allowBase            bool
	prune                bool
	consent              consentFlags
}

func (o *resolveOptions) add(a *app, cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&o.wanted, "resolve", false, "decide what becomes of each difference")
	addList(f, &o.apply, "apply", "with --resolve: write these resources as configured (ADDRESS, * is any text, or all)")
	addList(f, &o.adopt, "adopt", "with --resolve: write the live values of these into the configuration (ADDRESS or ADDRESS.FIELD, or all)")
	addList(f, &o.accept, "accept", "with --resolve: ignore these from now on, as long as their live value stays (ADDRESS or ADDRESS.FIELD, or all)")
	f.StringVar(&o.reason, "reason", "", "why they are accepted, for the record")
	f.BoolVar(&o.prune, "prune", false, "let --apply delete what was applied and is gone from the configuration")
	f.StringVar(&o.expires, "expires", "", "when the acceptance ends: a date, or days from now, as in 30d")
	f.BoolVar(&o.allowBase, "allow-base", false, "let adopt edit files that all environments share")
	o.consent.add(cmd)
	addDeleteInUse(cmd, &o.consent)
	for _, name := range []string{"apply", "adopt", "accept"} {
		must(cmd.RegisterFlagCompletionFunc(name, a.completeAddresses))
	}
	for _, name := range []string{"reason", "expires"} {
		must(cmd.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions))
	}
}

// check refuses flags that say nothing without another one.
func (o *resolveOptions) check(now time.Time) error {
	if _, err := until(o.expires, now); err != nil {
		return err
	}
	if o.wanted {
		if len(o.accept) == 0 && (o.reason != "" || o.expires != "") {
			return configError("", "--reason and --expires belong to --accept")
		}
		return nil
	}
	if len(o.apply)+len(o.adopt)+len(o.accept) > 0 || o.reason != "" || o.expires != "" || o.allowBase || o.prune {
		return configError("descope-mgmt drift --help", "--apply, --adopt, --accept, --reason, --expires, --allow-base and --prune belong to --resolve")
	}
	return nil
}

// until is when an acceptance ends; the zero time is never.
func until(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	var end time.Time
	if days, ok := strings.CutSuffix(text, "d"); ok {
		var n int
		if _, err := fmt.Sscanf(days, "%d", &n); err == nil && fmt.Sprint(n) == days && n <= maxExpiryDays {
			end = now.AddDate(0, 0, n)
		}
	}
	if day, err := time.ParseInLocation(time.DateOnly, text, now.Location()); err == nil {
		end = day
	} else if moment, err := time.Parse(time.RFC3339, text); err == nil {
		end = moment
	}
	switch {
	case end.IsZero():
		return end, configError("", "--expires %q is neither a date such as 2027-01-31 nor days such as 30d, at most %dd", text, maxExpiryDays)
	case !end.After(now):
		return end, configError("", "--expires %s is in the past", text)
	}
	return end.UTC().Truncate(time.Second), nil
}

// maxExpiryDays bounds an acceptance that ends: a hundred years.
const maxExpiryDays = 36500

// decided is a difference, or a whole object where the field is nil, with its choice.
type decided struct {
	object *plan.ObjectDrift
	field  *plan.FieldDrift
	choice choice
}

func (d decided) key() plan.FieldKey {
	k := plan.FieldKey{Key: d.object.Key}
	if d.field != nil {
		k.Path = d.field.Path
	}
	return k
}

func (d decided) String() string {
	k := d.key()
	return strings.TrimSpace(k.Key.String() + " " + k.Path)
}

// differences are the units that can be decided alone: the fields of a changed object,
// and an object that is on one side only.
func differences(d *plan.Drift) []decided {
	var out []decided
	for i := range d.Objects {
		o := &d.Objects[i]
		if len(o.Fields) == 0 {
			out = append(out, decided{object: o})
		}
		for j := range o.Fields {
			out = append(out, decided{object: o, field: &o.Fields[j]})
		}
	}
	return out
}

// choose decides everything: by the flags, else by asking.
func (o *driftOptions) choose(ctx context.Context, d *plan.Drift) ([]decided, error) {
	all := differences(d)
	if err := o.chosen(all); err != nil {
		return nil, err
	}
	given := len(o.resolve.apply)+len(o.resolve.adopt)+len(o.resolve.accept) > 0
	for i := range all {
		if all[i].choice != "" {
			continue
		}
		if given || o.resolve.consent.yes {
			all[i].choice = chooseSkip
			continue
		}
		// One question an object: its fields belong together, above all those that
		// depend on each other.
		answer, err := o.prompter().Select(ctx, ui.Safe(all[i].object.Key.String())+": "+meaning(all[i].object),
			string(chooseApply), string(chooseAdopt), string(chooseIgnore), string(chooseSkip))
		if errors.Is(err, ui.ErrNoTerminal) {
			return nil, refusedError("", "nothing was resolved: %w; --apply, --adopt and --accept answer beforehand", err)
		}
		if err != nil {
			return nil, declined(err, "nothing was resolved", "")
		}
		for j := i; j < len(all) && all[j].object == all[i].object; j++ {
			all[j].choice = cmp.Or(all[j].choice, choice(answer))
		}
	}
	return all, nil
}

// meaning says what the choices mean for an object that is on one side only.
func meaning(o *plan.ObjectDrift) string {
	switch o.Kind {
	case plan.Missing:
		return "create it (apply), take it out of the configuration (adopt), or ignore it?"
	case plan.Orphan:
		return "delete it (apply), write it into the configuration (adopt), or ignore it?"
	case plan.Changed:
	}
	return "write what is configured (apply), write what is live into the configuration (adopt), or ignore it?"
}

// chosen applies the flags. A pattern with a field wins over one without; two that
// contradict each other, and one that means nothing that differs, are mistakes.
func (o *driftOptions) chosen(all []decided) error {
	rank := make([]int, len(all))
	for _, f := range []struct {
		flag     string
		choice   choice
		patterns []string
	}{{"--apply", chooseApply, o.resolve.apply}, {"--adopt", chooseAdopt, o.resolve.adopt}, {"--accept", chooseIgnore, o.resolve.accept}} {
		for _, pattern := range f.patterns {
			found := false
			for i := range all {
				r := fits(pattern, all[i])
				if r == 0 {
					continue
				}
				found = true
				if f.choice == chooseApply && all[i].object.Kind == plan.Orphan && !o.resolve.prune {
					return refusedError("", "nothing was resolved: %s is gone from the configuration, and to apply that is to delete it: %s needs --prune as well, or name the others", all[i], f.flag)
				}
				if r == exactly && f.choice == chooseApply && all[i].field != nil {
					return configError("", "%s %s: apply is for whole resources", f.flag, pattern)
				}
				if all[i].choice != "" && all[i].choice != f.choice && rank[i] == r {
					return configError("", "%s was chosen to %s and to %s", all[i], all[i].choice, f.choice)
				}
				if r >= rank[i] {
					all[i].choice, rank[i] = f.choice, r
				}
			}
			if !found {
				return configError("", "%s %s: nothing of that name differs%s", f.flag, pattern, suggested(pattern, all))
			}
		}
	}
	return nil
}

// exactly is the rank of a pattern that names a field.
const exactly = 3

// fits ranks how well a pattern names a difference; 0 is not at all.
func fits(pattern string, d decided) int {
	address := d.object.Key.String()
	switch {
	case pattern == everything:
		return 1
	case d.field != nil && plan.Match(pattern, address+"."+d.field.Path) && !plan.Match(pattern, address):
		return exactly
	case plan.Match(pattern, address):
		return 2
	}
	return 0
}

// everything is the pattern that means all differences.
const everything = "all"

func suggested(pattern string, all []decided) string {
	var names []string
	for _, d := range all {
		names = append(names, d.object.Key.String())
		if d.field != nil {
			names = append(names, d.object.Key.String()+"."+d.field.Path)
		}
	}
	slices.Sort(names)
	if s := model.Suggest(pattern, slices.Compact(names)); s != "" {
		return "; did you mean " + s + "?"
	}
	return ""
}
