package apply

import (
	"context"
	"errors"
)

var errNoSteps = errors.New("the plan holds no calls for this change")

// change performs the steps of one change, in order, on a worker.
func (r *run) change(ctx context.Context, i int) {
	c, out := &r.plan.Changes[i], &r.outcomes[i]
	if len(c.Steps) == 0 {
		out.Status, out.Err = Failed, errNoSteps
		return
	}
	check := checkFirst(c)
	for _, step := range c.Steps {
		attempts, err := r.target.Do(ctx, step, check)
		out.Attempts += attempts
		if err != nil {
			out.Status, out.Err = verdict(ctx, err, attempts)
			return
		}
		out.StepsDone++
		// Half a change is worse than a late interrupt.
		ctx, check = context.WithoutCancel(ctx), checkNext(c)
	}
	out.Status = Done
}

// verdict says what became of a change whose step ended in an error.
func verdict(ctx context.Context, err error, attempts int) (Status, error) {
	var unanswered Unanswered
	switch {
	case errors.As(err, &unanswered) && unanswered.Unanswered():
		return Unclear, err
	case attempts == 0 && ctx.Err() != nil && errors.Is(err, ctx.Err()):
		return NotRun, ErrInterrupted
	}
	return Failed, err
}
