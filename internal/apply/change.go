package apply

import (
	"context"
	"errors"
	"time"
)

// grace is how long a change of which a step was done goes on after an
// interrupt. It covers a pause of the rate limit, but not one without an end.
const grace = 2 * time.Minute

var errNoSteps = errors.New("the plan holds no calls for this change")

// change performs the steps of one change, in order, on a worker.
func (r *run) change(ctx context.Context, i int) {
	c, out := &r.plan.Changes[i], &r.outcomes[i]
	if len(c.Steps) == 0 {
		out.Status, out.Err = Failed, errNoSteps
		return
	}
	check := checkFirst(c)
	for step := range c.Steps {
		attempts, err := r.perform(ctx, i, step, check)
		out.Attempts += attempts
		if err != nil {
			out.Status, out.Err = verdict(ctx, err, attempts)
			if out.Status == NotRun && step > 0 {
				out.Status = Failed
			}
			return
		}
		out.StepsDone++
		check = checkNext(c)
		if step == 0 { // half a change is worse than a late interrupt
			var cancel context.CancelFunc
			ctx, cancel = late(ctx)
			defer cancel()
		}
	}
	out.Status = Done
}

// late is a context that ends some time after another one.
func late(ctx context.Context) (context.Context, context.CancelFunc) {
	detached, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		timer := time.AfterFunc(grace, cancel)
		context.AfterFunc(detached, func() { timer.Stop() })
	})
	return detached, func() {
		stop()
		cancel()
	}
}

// verdict says what became of a change whose step ended in an error.
func verdict(ctx context.Context, err error, attempts int) (Status, error) {
	var unanswered Unanswered
	var journal *JournalError
	switch {
	case errors.As(err, &journal):
		return NotRun, err
	case errors.As(err, &unanswered) && unanswered.Unanswered():
		return Unclear, err
	case attempts == 0 && ctx.Err() != nil && errors.Is(err, ctx.Err()):
		return NotRun, ErrInterrupted
	}
	return Failed, err
}
