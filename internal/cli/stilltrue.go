package cli

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/apply"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
)

// stillTrue makes the plan once more, now that nobody else writes, and holds it against
// what was shown or saved: a project may have moved while somebody thought about it, or
// another run may have ended only now, whose work a pre-image of before would undo. What
// is read here is what the backup holds. What a change is about is checked as it is
// written in any case.
func (c *connection) stillTrue(ctx context.Context, r request, p *plan.Plan, agreed consent, rec record) error {
	when := "after the plan was made"
	if agreed.allowed.SavedPlan {
		when = "after the plan was saved"
		live, err := c.readFor(ctx, r, r.kinds(rec))
		if err != nil {
			return err
		}
		if stale := apply.Stale(p, live); len(stale) > 0 { // these say which field
			moved := make([]string, len(stale))
			for i, s := range stale {
				moved[i] = s.Error()
			}
			return refusedError(agreed.retry, "nothing was applied, since the project moved %s: %s", when, strings.Join(moved, "; "))
		}
		if taken := p.Taken(live); len(taken) > 0 {
			return refusedError(agreed.retry, "nothing was applied, since the project moved %s: %s", when, taken[0].Detail)
		}
	}
	fresh, err := c.plan(ctx, &r)
	if err != nil {
		return err
	}
	if err := same(p, fresh, when, agreed.retry); err != nil {
		return err
	}
	// The changes may be the same and still not go through: a name that one of them
	// takes may be taken by now, or somebody uses what is to be deleted.
	if left := fresh.Gate(agreed.allowed); len(left) > 0 {
		return refusedError(agreed.retry, "nothing was applied, since the project moved %s: %s: %s", when, left[0].Rule, left[0].Detail)
	}
	return nil
}

// same refuses unless a fresh plan would do exactly what was shown; when says in the
// refusal when the project moved. Objects outside the plan do not matter.
func same(shown, fresh *plan.Plan, when, again string) error {
	now := make(map[model.Key]plan.Change, len(fresh.Changes))
	for _, ch := range fresh.Changes {
		now[ch.Key] = ch
	}
	var moved []string
	for _, ch := range shown.Changes {
		f, ok := now[ch.Key]
		if !ok || !sameCalls(ch, f) {
			moved = append(moved, ch.Key.String())
		}
		delete(now, ch.Key)
	}
	for key := range now {
		moved = append(moved, key.String())
	}
	if len(moved) == 0 {
		return nil
	}
	slices.Sort(moved)
	return refusedError(again, "nothing was applied, since the project moved %s: %s", when, strings.Join(moved, ", "))
}

// sameCalls reports whether two changes make the same calls from the same
// pre-image.
func sameCalls(a, b plan.Change) bool {
	return a.Action == b.Action && model.Equal(a.PreImage, b.PreImage) &&
		slices.EqualFunc(a.Steps, b.Steps, func(x, y model.Step) bool { return x.Op == y.Op && bytes.Equal(x.Body, y.Body) })
}
