package apply

import (
	"context"
	"fmt"
	"sync"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// Journal hears of every call, so that what a run did can be told after it was
// killed at any moment. Both methods return once what they were told would survive
// a power failure. They are called by several workers at once. change and step are
// indices into the plan and into the steps of the change.
type Journal interface {
	// Intent says that a step is about to be sent. After an error it is not.
	Intent(change, step int) error
	// Ended says what became of a step of which Intent was told: "done",
	// "failed", "unknown" (sent, no answer) or "not sent", with the reason.
	Ended(change, step, attempts int, outcome, reason string) error
}

// JournalError says why the journal took no more entries. Nothing is sent of which it
// does not know.
type JournalError struct{ Err error }

func (e *JournalError) Error() string {
	return fmt.Sprintf("nothing more was sent: %v", e.Err)
}

func (e *JournalError) Unwrap() error { return e.Err }

// perform performs one step, with word of it in the journal before and after.
func (r *run) perform(ctx context.Context, change, index int, check func(model.Resource, bool) error) (attempts int, err error) {
	step := r.plan.Changes[change].Steps[index]
	if r.options.Journal == nil {
		return r.target.Do(ctx, step, check)
	}
	intended := false
	intend := func() error {
		if intended { // a retry is the same call
			return nil
		}
		if err := r.options.Journal.Intent(change, index); err != nil {
			return r.broken.set(err)
		}
		intended = true
		return nil
	}
	guarded := check
	if check == nil {
		if err := intend(); err != nil {
			return 0, err
		}
	} else {
		guarded = func(live model.Resource, exists bool) error {
			if err := check(live, exists); err != nil {
				return err
			}
			return intend()
		}
	}
	attempts, err = r.target.Do(ctx, step, guarded)
	if intended {
		outcome, reason := became(ctx, attempts, err)
		if err := r.options.Journal.Ended(change, index, attempts, outcome, reason); err != nil {
			_ = r.broken.set(err) // the call itself is what it is
		}
	}
	return attempts, err
}

// became puts what became of a step into the words of the journal.
func became(ctx context.Context, attempts int, err error) (outcome, reason string) {
	if err == nil {
		return "done", ""
	}
	status, why := verdict(ctx, err, attempts)
	switch {
	case status == Unclear:
		outcome = "unknown"
	case attempts == 0:
		outcome = "not sent"
	default:
		outcome = "failed"
	}
	return outcome, why.Error()
}

// breakage is the first failure of the journal. It is safe for concurrent use.
type breakage struct {
	mu  sync.Mutex
	err error
}

// set keeps the first error and returns the given one as the caller sees it.
func (b *breakage) set(err error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	failure := &JournalError{err}
	if b.err == nil {
		b.err = failure
	}
	return failure
}

func (b *breakage) get() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}
