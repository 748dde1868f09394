package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

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
	// With SIGPIPE caught, writing to a closed pipe is an error instead of the
	// end of the process, which might be in the middle of a sync.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	out := &closable{w: a.streams.Out}
	a.streams.Out = out

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := make(chan int, 1)
	go func() { done <- a.run(ctx, os.Args[1:]) }()
	interrupts := interrupts()
	stopping := false
	var patience <-chan time.Time // how long stopping goes without saying
	for {
		select {
		case code := <-done:
			return a.delivered(code, out)
		case <-patience:
			a.note("Interrupted: finishing what is in flight. Interrupt again to stop without waiting.\n")
		case <-interrupts:
			if stopping {
				a.streams.StopProgress()
				a.note("Stopped without waiting. Calls that were in flight may have taken effect.\n")
				if run, ok := a.running.Load().(string); ok {
					a.note("What became of them, and how to go on: " + a.here("descope-mgmt runs show "+run) + "\n")
				}
				return exitInterrupted
			}
			stopping, patience = true, time.After(300*time.Millisecond)
			cancel()
		}
	}
}

// interrupts are the signals that ask the program to end. A terminal that goes
// away sends one too, except to what was started with nohup.
func interrupts() <-chan os.Signal {
	c := make(chan os.Signal, 2)
	signal.Notify(c, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(c, syscall.SIGHUP)
	}
	return c
}

// delivered is the exit code once it is known whether the result could be
// written: a full disk must not pass for a short answer.
func (a *app) delivered(code int, out *closable) int {
	if err := out.failure(); err != nil && code == exitOK {
		err = fmt.Errorf("the result could not be written: %w", err)
		a.fail(err)
		return exitCode(err)
	}
	return code
}

// run executes one command line and returns its exit code.
func (a *app) run(ctx context.Context, args []string) (code int) {
	defer func() {
		if p := recover(); p != nil {
			code = a.crashed(p)
		}
	}()
	a.line = args
	root := newRootCmd(a)
	root.SetArgs(args)
	err := unknownWithHelp(root, args)
	if err == nil {
		err = root.ExecuteContext(ctx)
	}
	if a.flags.output == "" {
		a.flags.output = formatIn(args)
	}
	a.fail(err)
	return exitCode(err)
}

// fail prints the error that ended a command in the form that was asked for.
func (a *app) fail(err error) {
	if err == nil || err.Error() == "" {
		return // fine, or everything has been said
	}
	text, hint := err.Error(), a.nextStep(err)
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
		a.note(ui.DiagnosticsText(folded(diagnostics.diagnostics), a.streams.ErrStyle()))
		if diagnostics.what != "" {
			a.note(ui.ErrorText(diagnostics.what, hint, a.streams.ErrStyle()))
		}
		return
	}
	a.note(ui.ErrorText(text, hint, a.streams.ErrStyle()))
}

// closable is a writer that goes quiet once the reader at the other end has
// gone, as in "descope-mgmt plan | head": that is no failure of the command. Any
// other failure is kept.
type closable struct {
	w io.Writer

	mu     sync.Mutex
	closed bool
	err    error
}

func (c *closable) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return len(p), nil
	}
	n, err := c.w.Write(p)
	switch {
	case errors.Is(err, syscall.EPIPE):
		c.closed = true
		return len(p), nil
	case err != nil && c.err == nil:
		c.err = err
	}
	return n, err
}

// failure is the first failure to write, or nil.
func (c *closable) failure() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}
