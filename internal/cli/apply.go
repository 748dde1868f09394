package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"pcconnect.ai/descope-mgmt/internal/api"
	"pcconnect.ai/descope-mgmt/internal/apply"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

// apply puts the run on record, makes the calls, reads again and reports.
func (c *connection) apply(ctx context.Context, r request, p *plan.Plan, agreed consent) error {
	rec, err := c.begin(ctx, r, p, c.live, agreed)
	if err != nil {
		return err
	}
	progress := ui.NewProgress(c.app.streams, ui.ProgressOptions{
		Verb: verbOf(p), Noun: nounOf(p), Total: len(p.Changes), Now: c.app.now,
	})
	c.waiting.set(progress.Limited)
	result := apply.Run(ctx, p, careful{c.target, c.app}, apply.Options{
		Workers:   c.app.flags.parallelism,
		Journal:   rec,
		OnFailure: c.onFailure(ctx, agreed),
		OnDone: func(o apply.Outcome) {
			switch o.Status {
			case apply.Done:
				progress.Done(1)
			case apply.NotRun:
				progress.NotRun(1)
			default:
				progress.Failed(1)
			}
		},
	})
	c.waiting.set(nil)
	progress.Stop()

	// What was done is read back even after an interrupt: the record of what
	// was last applied must be true.
	checkCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Minute)
	defer cancel()
	found, failure := &checked{live: c.live}, error(nil)
	if result.OK() || result.Partial() { // otherwise nothing was written
		found, failure = rec.verify(checkCtx, r, agreed, result)
	}
	failure = errors.Join(result.Journal, failure)
	recordErr := rec.finish(ctx, result, found, failure)

	summary := ui.Summary{Warnings: c.warnings, Run: rec.info.ID, Took: c.app.now().Sub(rec.started), Undo: rec.undo(r, result, found)}
	switch {
	case result.OK():
	case result.Partial():
		summary.Next = rec.resume(ctx)
	default: // nothing was done that could be continued
		summary.Next = agreed.retry
	}
	if c.app.flags.output != formatText {
		if err := c.app.encode(ui.ResultJSON(result, summary)); err != nil {
			return err
		}
	} else {
		c.app.print(ui.ResultText(result, summary, c.app.streams.OutStyle()))
	}
	if recordErr == nil && failure == nil {
		c.tidy()
	}
	return outcome(result, found, errors.Join(failure, recordErr))
}

// onFailure decides how to go on after a failed change: as the flag says, or as
// the user at the terminal says.
func (c *connection) onFailure(ctx context.Context, agreed consent) func(apply.Outcome) apply.Decision {
	return func(o apply.Outcome) apply.Decision {
		if agreed.onError == "" && !agreed.yes && c.app.streams.InTTY {
			answer, err := c.prompter().Select(ctx, afterFailure(o), "continue", "skip", "abort")
			switch {
			case err == nil && answer == "continue":
				agreed.onError = onErrorContinue // nobody is asked again
				return apply.Continue
			case err == nil && answer == "skip":
				return apply.Continue
			}
			return apply.Stop
		}
		if agreed.onError == onErrorContinue {
			return apply.Continue
		}
		return apply.Stop
	}
}

// afterFailure is the question how to go on after a change that was not done.
func afterFailure(o apply.Outcome) string {
	became := "It failed."
	if o.Status == apply.Unclear {
		became = "Whether it was done is unknown."
	}
	return reasonOf(o) + "\n" + became + " Continue with all the rest, skip just this one (and ask again), or abort?"
}

// reasonOf is why a change was not done, with its address in front.
func reasonOf(o apply.Outcome) string {
	what := o.Err.Error()
	if key := o.Key.String(); !strings.HasPrefix(what, key) {
		what = key + ": " + what
	}
	return what
}

// outcome is the error, and so the exit code, of a run. Trouble with the check
// afterwards is told in any case.
func outcome(r apply.Result, found *checked, failure error) error {
	if failure == nil && found != nil && len(found.differences) > 0 {
		failure = fmt.Errorf("applied, but reading again shows a difference: %s", strings.Join(found.differences, "; "))
	}
	switch {
	case r.Interrupted:
		return &codedError{code: exitInterrupted, err: failure}
	case r.Partial():
		return &codedError{code: exitPartly, err: failure}
	case !r.OK():
		return &codedError{code: exitCodeOf(r), err: failure}
	default:
		return failure
	}
}

// exitCodeOf is the code of a run in which nothing was done: that of its first
// failure, where it says more than "failed".
func exitCodeOf(r apply.Result) int {
	for _, o := range r.Outcomes {
		var stale *apply.StaleError
		var coded *codedError
		switch {
		case o.Err == nil:
		case errors.As(o.Err, &coded):
			return coded.code
		case errors.As(o.Err, &stale):
			return exitRefused
		case api.IsAuth(o.Err):
			return exitAuth
		}
	}
	return exitFailed
}

func kindsOf(p *plan.Plan) []model.Kind {
	var kinds []model.Kind
	for _, spec := range model.Table() {
		for _, c := range p.Changes {
			if c.Key.Kind == spec.Kind {
				kinds = append(kinds, spec.Kind)
				break
			}
		}
	}
	return kinds
}

// verbOf names what a run does, if it does one thing only.
func verbOf(p *plan.Plan) string {
	verbs := map[plan.Action]string{plan.Create: "Created", plan.Update: "Updated", plan.Delete: "Deleted"}
	verb := ""
	for _, c := range p.Changes {
		if v := verbs[c.Action]; verb == "" {
			verb = v
		} else if verb != v {
			return "Applied"
		}
	}
	return verb
}

func nounOf(p *plan.Plan) string {
	if kinds := kindsOf(p); len(kinds) == 1 && verbOf(p) != "Applied" {
		return string(kinds[0])
	}
	return "change"
}
