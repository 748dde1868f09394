package cli

import (
	"context"
	"errors"
	"fmt"

	"pcconnect.ai/descope-mgmt/internal/api"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/store"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

// The exit codes. The README documents them and each has a script test; a
// script must treat any other code as a failure.
const (
	exitOK          = 0
	exitFailed      = 1
	exitDifferences = 2
	exitPartly      = 3
	exitAuth        = 4
	exitConfig      = 5
	exitRefused     = 6
	exitInterrupted = 130
)

// codedError carries the exit code of an error that decides one by itself.
// A nil err means that everything has been said already.
type codedError struct {
	code int
	err  error
	hint string // the next command, or ""
}

func (e *codedError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *codedError) Unwrap() error { return e.err }

// configError is a mistake in the configuration, a file or the usage.
func configError(hint, format string, args ...any) error {
	return &codedError{code: exitConfig, err: fmt.Errorf(format, args...), hint: hint}
}

// refusedError is a refusal of something that could be done but must not.
func refusedError(hint, format string, args ...any) error {
	return &codedError{code: exitRefused, err: fmt.Errorf(format, args...), hint: hint}
}

// exitWith ends the command with a code after everything has been printed.
func exitWith(code int) error {
	if code == exitOK {
		return nil
	}
	return &codedError{code: code}
}

// diagnosticsError is a configuration that does not compile.
type diagnosticsError struct {
	diagnostics model.Diagnostics
	// what says what was not done because of them, or "".
	what string
}

func (e *diagnosticsError) Error() string {
	if e.what != "" {
		return e.what
	}
	return "the configuration has " + ui.Counted(len(e.diagnostics.Errors()), "mistake")
}

// stateError is a state directory that cannot serve.
type stateError struct{ err error }

func (e *stateError) Error() string {
	return e.err.Error() + "; --state-dir or DESCOPE_STATE_DIR names another"
}

func (e *stateError) Unwrap() error { return e.err }

// exitCode is the one place where an error becomes an exit code.
func exitCode(err error) int {
	var coded *codedError
	var diagnostics *diagnosticsError
	var locked *store.LockedError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &coded):
		return coded.code
	case errors.As(err, &diagnostics):
		return exitConfig
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case api.IsAuth(err):
		return exitAuth
	case errors.As(err, &locked), api.IsLicence(err), errors.Is(err, ui.ErrNoTerminal), errors.Is(err, ui.ErrDeclined):
		return exitRefused
	default:
		return exitFailed
	}
}
