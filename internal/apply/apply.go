// Package apply runs a plan against a target: in order where order matters,
// concurrently where it does not, and with an exact account of every change.
// It knows neither HTTP nor the terminal.
package apply

import (
	"context"
	"time"

	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
)

// Target performs single calls. Implementations are safe for concurrent use.
type Target interface {
	// Do performs one step: it takes a slot of the rate limit, then (if check
	// is not nil) obtains the live resource as it was at most ten seconds ago
	// and passes it to check, and sends the step only if check returns nil.
	// The error of check is returned as it is, and nothing is sent then.
	//
	// Do retries what can be retried; attempts counts the requests that were
	// sent for the step. An error that implements [Unanswered] means that the
	// step may or may not have taken effect. A cancelled context stops a step
	// that has not been sent; one that was sent is waited for.
	Do(ctx context.Context, s model.Step, check func(live model.Resource, exists bool) error) (attempts int, err error)
}

// Unanswered is implemented by errors of calls that were sent and never
// answered: whether they took effect is unknown.
type Unanswered interface {
	error
	Unanswered() bool
}

// Status is what became of a change.
type Status string

// The statuses. Every planned change ends in exactly one.
const (
	Done    Status = "done"
	Failed  Status = "failed"
	NotRun  Status = "not run"
	Unclear Status = "unknown" // sent, no answer
)

// Outcome is the account of one planned change.
type Outcome struct {
	Key    model.Key
	Action plan.Action
	Status Status
	// Err is the reason of a status other than Done: of NotRun, one of
	// [ErrInterrupted], [ErrStopped], [*DependencyError] and [*JournalError]; of
	// Failed, a
	// [*StaleError] or whatever the target says.
	Err error
	// StepsDone counts the steps of the change that are known to be done; a
	// failed change with some done is partly applied.
	StepsDone int
	// Attempts counts requests sent, retries included.
	Attempts int
	Took     time.Duration
}

// Result is the account of a run: one outcome per change, in plan order.
type Result struct {
	Outcomes    []Outcome
	Interrupted bool // the context was cancelled before everything had run
	// Journal is the first failure to write the journal, a [*JournalError], or
	// nil. After one nothing more was started.
	Journal error
}

// Decision says how to go on after a failure.
type Decision int

// The decisions.
const (
	Stop     Decision = iota // start nothing more, let what is in flight finish
	Continue                 // go on with what does not depend on the failed change
)

// Options of a run.
type Options struct {
	// Workers is how many changes may be under way at once; at least 1.
	Workers int
	// OnFailure is asked about each failed or unclear change, in the order in
	// which they ended, once what was in flight has finished; nil means Stop.
	// While it runs, nothing is under way. After a Stop it is asked no more.
	// It is called from the goroutine of Run.
	OnFailure func(Outcome) Decision
	// OnDone is told of each outcome as it comes, from the goroutine of Run;
	// may be nil.
	OnDone func(Outcome)
	// Journal is told of every call; nil means that nobody is.
	Journal Journal
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}
