package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"pcconnect.ai/descope-mgmt/internal/store"
)

// lockWait is how long a command waits for another one to finish.
const lockWait = 2 * time.Second

// holder says who holds a lock, to whoever else wants it: the command, then
// where to find it. A state directory may be shared between machines.
func (a *app) holder() string {
	who := fmt.Sprintf("process %d", os.Getpid())
	if user, _ := a.environ("USER"); user != "" {
		who += " of " + user
	}
	if host, err := os.Hostname(); err == nil {
		who += " on " + host
	}
	command := "descope-mgmt"
	if a.cmd != nil {
		command = a.cmd.CommandPath()
	}
	return fmt.Sprintf("%s, %s, since %s", command, who, a.now().Format(time.RFC3339))
}

// lock keeps every other run from writing to the project until the connection is
// closed. retry is what to do if one is under way.
func (c *connection) lock(ctx context.Context, retry string) error {
	release, err := c.scope.Lock(ctx, c.app.holder(), lockWait)
	if err != nil {
		return busy(err, "running in project "+c.project, retry)
	}
	c.closers = append(c.closers, release)
	return nil
}

// busyError is a lock that somebody else holds, for people: first what is going
// on, and the file last.
type busyError struct {
	*store.LockedError
	doing string
}

// busy explains a lock that is held, by what its holder is doing; any other error
// it leaves as it is.
func busy(err error, doing, retry string) error {
	var locked *store.LockedError
	if !errors.As(err, &locked) {
		return err
	}
	return &codedError{code: exitRefused, hint: retry, err: &busyError{locked, doing}}
}

func (e *busyError) Error() string {
	command, who, known := strings.Cut(e.Holder, ", ")
	if command == "" {
		command = "another command"
	}
	if known {
		who = " (" + who + ")"
	}
	return fmt.Sprintf("%s is %s%s; nothing was applied; lock file: %s", command, e.doing, who, e.Path)
}

func (e *busyError) Unwrap() error { return e.LockedError }
