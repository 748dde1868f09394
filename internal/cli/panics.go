package cli

import (
	"context"
	"fmt"
	"runtime/debug"

	"pcconnect.ai/descope-mgmt/internal/apply"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

// panicError is a panic that was caught: a mistake in this program. What it says has
// no key in it.
type panicError struct {
	what  string
	stack []byte
}

func (e *panicError) Error() string {
	return "internal error, which is a mistake in descope-mgmt: " + e.what
}

// Unanswered implements [apply.Unanswered]: whether a call was sent before the panic
// cannot be told.
func (*panicError) Unanswered() bool { return true }

// caught turns what was recovered into an error. A value that panics may be anything,
// also a request with its key.
func (a *app) caught(recovered any) *panicError {
	return &panicError{what: ui.Safe(a.key.Redact(fmt.Sprint(recovered))), stack: debug.Stack()}
}

// crashed tells of a panic that ended a command, and returns its exit code. That of
// the Go runtime would be 2, which means differences.
func (a *app) crashed(recovered any) int {
	e := a.caught(recovered)
	a.fail(e)
	a.note(a.key.Redact(string(e.stack)))
	a.note("What a run had done by then is on record: descope-mgmt runs list\n")
	return exitCode(e)
}

// careful is a target in which a panic of one call is a call of which nobody knows
// what became, and not the end of all others.
type careful struct {
	apply.Target
	app *app
}

func (t careful) Do(ctx context.Context, s model.Step, check func(live model.Resource, exists bool) error) (attempts int, err error) {
	defer func() {
		if p := recover(); p != nil {
			e := t.app.caught(p)
			t.app.note(t.app.key.Redact(string(e.stack)))
			attempts, err = 1, e
		}
	}()
	return t.Target.Do(ctx, s, check)
}
