package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"

	"pcconnect.ai/descope-mgmt/internal/ui"
)

// Main runs the command line of the process and returns its exit code.
//
// The first interrupt cancels the context: nothing new is started, and what is
// in flight is finished and recorded. A second one stops waiting.
func Main() int {
	a, err := newApp()
	if err != nil {
		a.fail(err)
		return exitCode(err)
	}
	a.tuneGC()
	// With SIGPIPE caught, writing to a closed pipe is an error instead of the
	// end of the process, which might be in the middle of a sync.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	a.streams.Out = &closable{w: a.streams.Out}

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	interrupts := make(chan os.Signal, 2)
	signal.Notify(interrupts, os.Interrupt, syscall.SIGTERM)
	done := make(chan int, 1)
	go func() { done <- a.run(ctx, os.Args[1:]) }()
	for stopping := false; ; stopping = true {
		select {
		case code := <-done:
			return code
		case <-interrupts:
			if stopping {
				a.note("Stopped without waiting. Calls that were in flight may have taken effect.\n")
				return exitInterrupted
			}
			cancel()
		}
	}
}

// run executes one command line and returns its exit code.
func (a *app) run(ctx context.Context, args []string) int {
	root := newRootCmd(a)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	a.fail(err)
	return exitCode(err)
}

// fail prints the error that ended a command in the form that was asked for.
func (a *app) fail(err error) {
	if err == nil || err.Error() == "" {
		return // fine, or everything has been said
	}
	text, hint := err.Error(), hintOf(err)
	if errors.Is(err, context.Canceled) {
		text = "interrupted"
	}
	var diagnostics *diagnosticsError
	_ = errors.As(err, &diagnostics)
	if a.flags.output == formatJSON && !a.defaultOutput {
		body := ui.ErrorBody{Message: text, ExitCode: exitCode(err), Hint: hint}
		if diagnostics != nil {
			body.Diagnostics = diagnostics.diagnostics
		}
		_ = ui.WriteJSON(a.streams.ErrOut, ui.ErrorDoc{Error: body})
		return
	}
	if diagnostics != nil {
		a.note(ui.DiagnosticsText(diagnostics.diagnostics, a.streams.ErrStyle()))
		return
	}
	a.note(ui.ErrorText(text, hint, a.streams.ErrStyle()))
}

// closable is a writer that goes quiet once the reader at the other end has
// gone, as in "descope-mgmt plan | head": that is no failure of the command.
type closable struct {
	w      io.Writer
	closed atomic.Bool
}

func (c *closable) Write(p []byte) (int, error) {
	if c.closed.Load() {
		return len(p), nil
	}
	n, err := c.w.Write(p)
	if errors.Is(err, syscall.EPIPE) {
		c.closed.Store(true)
		return len(p), nil
	}
	return n, err
}
