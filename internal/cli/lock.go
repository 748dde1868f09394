package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"pcconnect.ai/descope-mgmt/internal/store"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

// lockWait is how long a command waits for another one to finish.
const lockWait = 2 * time.Second

// holder says who holds a lock, to whoever else wants it. A state directory may be
// shared between machines.
func (a *app) holder(ctx context.Context) store.Holder {
	h := store.Holder{PID: os.Getpid(), Since: a.now(), Operation: "descope-mgmt"}
	if a.who != nil {
		h.User = a.who.user
	} else {
		h.User = a.user(ctx)
	}
	h.Host, _ = os.Hostname()
	if a.cmd != nil {
		h.Operation = a.cmd.CommandPath()
	}
	return h
}

// lock keeps every other run from writing to the project until the connection is
// closed.
func (c *connection) lock(ctx context.Context, agreed consent) error {
	if c.locked != nil {
		return nil
	}
	holder := c.app.holder(ctx)
	if id := agreed.forceUnlock; id != "" {
		if err := c.forceUnlock(ctx, id, holder); err != nil {
			return err
		}
	}
	l, err := c.scope.Lock(ctx, holder, lockWait)
	if err != nil {
		return busy(err, "running in project "+c.project, agreed.retry)
	}
	c.locked = l
	c.closers = append(c.closers, l.Release)
	return nil
}

// forceUnlock takes the lock from a holder who is dead, and puts that on record.
func (c *connection) forceUnlock(ctx context.Context, id string, by store.Holder) error {
	was, err := c.scope.ForceUnlock(id, by.Host)
	if errors.Is(err, store.ErrNotLocked) {
		return nil // it is free, which is what was asked for
	}
	var locked *store.LockedError
	if errors.As(err, &locked) {
		return refusedError("", "nothing was applied, and the lock was not taken: %w", err)
	}
	if err != nil {
		return err
	}
	_, err = c.state.Audit().Append(ctx, store.AuditRecord{
		Time: c.app.now(), Phase: "outcome", User: by.User, Host: by.Host, PID: by.PID, Operation: "force-unlock",
		Environment: c.env, Project: c.project, BaseURL: c.baseURL, Status: "done", Error: "taken from " + was.String(),
	})
	if err == nil {
		c.app.note("Took the lock from " + ui.Safe(was.String()) + ".\n")
	}
	return err
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
	command, who := e.Holder.Operation, e.Holder.Who()
	if command == "" {
		command = "another command"
	}
	if who != "" {
		who = " (" + who + ")"
	}
	doing, way := "is "+e.doing, ""
	if e.Free {
		doing = "died while " + e.doing + ", or its host does not share locks with this one"
		way = "; once you are sure that it is dead: --force-unlock " + e.Holder.ID
	}
	return fmt.Sprintf("%s %s%s; nothing was applied%s; lock file: %s", command, doing, who, way, e.Path)
}

func (e *busyError) Unwrap() error { return e.LockedError }
