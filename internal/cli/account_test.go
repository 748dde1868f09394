package cli

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
	"pcconnect.ai/descope-mgmt/internal/store"
)

func tenantKey(id string) model.Key { return model.Key{Kind: model.Tenant, ID: id} }

func named(id, name string) model.Resource {
	return model.Resource{Key: tenantKey(id), Attrs: map[string]any{"name": name}}
}

func stateWith(t *testing.T, resources ...model.Resource) model.State {
	t.Helper()
	s, err := model.NewState(resources)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// planned is a change of a name in a plan: "+id new", "~id old new", "-id old", of
// one step or, with a trailing "!", of two.
func planned(s string) plan.Change {
	words := strings.Fields(strings.TrimSuffix(s, "!"))
	ch := plan.Change{Key: tenantKey(words[0][1:]), Steps: make([]model.Step, 1)}
	field := plan.FieldChange{Path: "name", Before: plan.Absent{}, After: plan.Absent{}}
	switch s[0] {
	case '+':
		ch.Action, ch.After, field.After = plan.Create, map[string]any{"name": words[1]}, words[1]
	case '~':
		ch.Action, ch.Before, ch.After = plan.Update, map[string]any{"name": words[1]}, map[string]any{"name": words[2]}
		field.Before, field.After = words[1], words[2]
	case '-':
		ch.Action, ch.Before, field.Before = plan.Delete, map[string]any{"name": words[1]}, words[1]
	}
	if strings.HasSuffix(s, "!") {
		ch.Steps = make([]model.Step, 2)
	}
	ch.Fields = []plan.FieldChange{field}
	return ch
}

// journal is a run's journal in short: "0.0" is an intent, "0.0 done" an end.
func journal(lines ...string) []store.Entry {
	var entries []store.Entry
	for _, l := range lines {
		e := store.Entry{Kind: store.EntryIntent}
		at, outcome, ended := strings.Cut(l, " ")
		if ended {
			e.Kind, e.Outcome, e.Attempts, e.Reason = store.EntryEnded, outcome, 1, outcome
		}
		if _, err := fmt.Sscanf(at, "%d.%d", &e.Change, &e.Step); err != nil {
			panic(err)
		}
		entries = append(entries, e)
	}
	return entries
}

// TestAccount tells what a killed run did: from its journal alone where that is
// enough, and from the project where a call was under way.
func TestAccount(t *testing.T) {
	rec := &store.RunRecord{
		Plan: &plan.Plan{Changes: []plan.Change{
			planned("~done a b"), planned("~landed a b"), planned("~lost a b"), planned("~idle a b"), planned("~refused a b"),
			planned("+half h!"), planned("+whole w!"), planned("-gone g"), planned("-there t"), planned("~unsent a b"), planned("~silent a b"),
		}},
		Journal: journal(
			"0.0", "0.0 done", "1.0", "2.0", "4.0", "4.0 failed", "5.0", "5.0 done", "6.0", "6.0 done", "6.1", "6.1 done",
			"7.0", "8.0", "9.0", "9.0 not sent", "10.0", "10.0 unknown"),
	}
	live := stateWith(t, named("done", "moved since"), named("landed", "b"), named("lost", "a"), named("idle", "a"), named("refused", "a"),
		named("half", "half"), named("whole", "w"), named("there", "t"), named("unsent", "a"), named("silent", "b"))
	var got []string
	for _, o := range account(rec, live) {
		got = append(got, fmt.Sprintf("%s %s %d", o.Key.ID, o.Status, o.StepsDone))
	}
	want := []string{
		"done done 1", "landed done 0", "lost unknown 0", "idle not_run 0", "refused failed 0", "half failed 1", "whole done 2",
		"gone done 0", "there unknown 0", "unsent not_run 0", "silent done 0",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestApplied: what a run makes of the record of what was last applied.
func TestApplied(t *testing.T) {
	last := stateWith(t, named("kept", "K"), named("updated", "old"), named("deleted", "D"), named("back", "B"), named("failed", "old"), named("half-update", "old"))
	desired := stateWith(t, named("updated", "new"), named("created", "C"), named("failed", "new"), named("half", "H"),
		named("never", "N"), named("theirs", "T"), named("half-update", "new"), named("half-adopted", "new"), named("not-adopted", "new"),
		named("perhaps", "P"), named("perhaps-theirs", "P"), named("perhaps-not", "P"))
	live := stateWith(t, named("kept", "someone else's"), named("updated", "moved since"), named("created", "C"), named("back", "B"), named("failed", "theirs"),
		named("half", "H"), named("theirs", "made by hand"), named("half-update", "new"), named("half-adopted", "new"), named("not-adopted", "old"),
		named("perhaps", "P"), named("perhaps-theirs", "made by hand"))
	adopts := planned("~half-adopted old new!")
	adopts.Adopts = true
	not := planned("~not-adopted old new!")
	not.Adopts = true
	rec := &store.RunRecord{Desired: desired, Plan: &plan.Plan{Changes: []plan.Change{
		planned("~updated old new"), planned("+created C"), planned("-deleted D"), planned("-back B"), planned("~failed old new"),
		planned("+half H!"), planned("+never N"), planned("+theirs T"), planned("~half-update old new!"), adopts, not,
		planned("+perhaps P!"), planned("+perhaps-theirs P!"), planned("+perhaps-not P!"),
	}}}
	outcomes := []store.RunOutcome{}
	for i, status := range []string{statusDone, statusDone, statusDone, statusFailed, statusFailed, statusFailed, statusNotRun, statusFailed, statusFailed, statusFailed, statusFailed, statusUnknown, statusUnknown, statusUnknown} {
		ch := rec.Plan.Changes[i]
		o := store.RunOutcome{Key: ch.Key, Status: status}
		switch ch.Key.ID {
		case "half", "half-update", "half-adopted":
			o.StepsDone = 1
		}
		outcomes = append(outcomes, o)
	}
	next, err := applied(last, rec, outcomes, live)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]any{}
	for _, r := range next.Resources() {
		got[r.Key.ID] = r.Attrs["name"]
	}
	want := map[string]any{
		"kept": "K", "updated": "new", "created": "C", "back": "B", "failed": "old", "half": "H", "half-update": "new", "half-adopted": "new", "perhaps": "P",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestAppliedByARollback: a rollback and a restore make nothing ours that was not,
// keep the policy, and record the values that they wrote beside those that they did
// not.
func TestAppliedByARollback(t *testing.T) {
	ours := named("ours", "new")
	ours.Attrs["custom_attributes"] = map[string]any{"plan": "b", "kept": "k"}
	ours.Policy = model.Policy{PreventDestroy: true}
	last := stateWith(t, ours)
	want := model.Resource{Key: ours.Key, Attrs: map[string]any{"custom_attributes": map[string]any{"plan": "a", "gone": nil}, "unmanaged": map[string]any{"x": true}}}
	ch := planned("~ours new new")
	ch.After = map[string]any{"name": "new", "custom_attributes": map[string]any{"plan": "a", "kept": "k"}, "unmanaged": map[string]any{"x": true}}
	rec := &store.RunRecord{
		Info: store.RunInfo{Operation: operationRollback}, Desired: stateWith(t, want, named("foreign", "F"), named("back", "B")),
		Plan: &plan.Plan{Changes: []plan.Change{ch, planned("~foreign E F"), planned("+back B")}},
	}
	outcomes := []store.RunOutcome{{Key: ours.Key, Status: statusDone}, {Key: tenantKey("foreign"), Status: statusDone}, {Key: tenantKey("back"), Status: statusDone}}
	next, err := applied(last, rec, outcomes, model.State{})
	if err != nil {
		t.Fatal(err)
	}
	if next.Len() != 1 {
		t.Errorf("%d objects are recorded", next.Len())
	}
	got, _ := next.Get(ours.Key)
	wantAttrs := map[string]any{"name": "new", "custom_attributes": map[string]any{"plan": "a", "kept": "k"}}
	if diff := cmp.Diff(wantAttrs, got.Attrs); diff != "" || !got.Policy.PreventDestroy {
		t.Errorf("policy %+v, attributes %s", got.Policy, diff)
	}
}
