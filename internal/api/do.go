package api

import (
	"context"
	"errors"
	"fmt"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// Do performs one step: it takes a slot of the rate limit, then (if check is
// not nil) passes the live resource as it was at most ten seconds ago to check,
// and sends the step only if check returns nil. The error of check is returned
// as it is, and nothing is sent then.
//
// What can be retried is; attempts counts the requests sent for the step. A
// call that failed in a way that leaves open whether it took effect is never
// repeated blindly: the object is looked up, and the step is done if it already
// is as the step leaves it. An [Error] whose Unanswered is true means that this
// could not be found out.
//
// A context that ends stops a step that has not been sent; one that was sent is
// waited for. Do is safe for concurrent use.
func (c *Client) Do(ctx context.Context, s model.Step, check func(live model.Resource, exists bool) error) (attempts int, err error) {
	r, e, err := writeRequest(s, c.config.ProjectID)
	if err != nil {
		return 0, err
	}
	slots, err := c.limits.window(r.budget, c.base, c.config.ProjectID)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", s.Key, err)
	}
	w := &write{client: c, step: s, request: r, endpoint: e, window: slots, check: check}
	err = c.retry(ctx, func() error { return w.try(ctx) })
	return w.attempts, w.settle(ctx, err)
}

// write is the state of one step on its way. It is used by one goroutine.
type write struct {
	client   *Client
	step     model.Step
	request  request
	endpoint endpoint
	window   *window
	check    func(live model.Resource, exists bool) error

	attempts int
	doubt    *Error // the last failure that left the effect open
	settled  bool   // looking the object up has had the last word
}

// try sends the step once, if it still is to be sent.
func (w *write) try(ctx context.Context) error {
	c := w.client
	t, err := c.limits.take(ctx, w.window, c.config.OnWait)
	if err != nil {
		return permanent(err)
	}
	defer t.release()
	for {
		if done, err := w.ready(ctx); done || err != nil {
			return err
		}
		// A refusal may have come in while the object was being read.
		waited, err := c.limits.pause(ctx, c.config.OnWait)
		if err != nil {
			return permanent(err)
		}
		if !waited {
			break
		}
	}

	if err := c.dropCached(w.step); err != nil {
		return permanent(err)
	}
	w.attempts++
	_, failed := c.exchange(ctx, w.window, t, w.request)
	c.preimages.wrote(w.step, w.endpoint, failed == nil)
	switch {
	case failed == nil:
		return nil
	case failed.Kind == KindNotFound && w.endpoint.gone && w.doubt != nil:
		return nil
	case failed.doubt:
		w.doubt = failed
	}
	return failed
}

// ready finds out whether the step may be sent, or is done already.
func (w *write) ready(ctx context.Context) (done bool, err error) {
	if w.doubt == nil {
		if w.check == nil {
			return false, nil
		}
		live, exists, err := w.client.preimages.get(ctx, w.step.Key)
		if err == nil {
			err = w.check(live, exists)
		}
		if err != nil {
			return false, permanent(err)
		}
		return false, nil
	}
	live, exists, err := w.client.Get(ctx, w.step.Key)
	switch {
	case err != nil:
		w.settled = true
		return false, permanent(w.doubt)
	case w.endpoint.effect(w.step.Body, live, exists):
		return true, nil
	case w.step.Op == model.TenantCreate && exists:
		w.settled = true
		return false, permanent(w.otherwise())
	case w.check != nil:
		if err := w.check(live, exists); err != nil {
			return false, permanent(err)
		}
	}
	return false, nil
}

// otherwise is the failure of a create whose object is there, but not as it was
// sent: somebody else made it, or Descope changed what it was given.
func (w *write) otherwise() *Error {
	e := *w.doubt
	e.Kind, e.Retryable, e.doubt = KindValidation, false, false
	e.Message = "it exists now, but not as it was sent; plan again to see the difference"
	return &e
}

// settle looks once more whether a step that failed has taken effect, so that
// its account is exact where it can be. It does so even after an interrupt: the
// step was sent, and its outcome is what the user needs most then.
func (w *write) settle(ctx context.Context, err error) error {
	if _, ok := errors.AsType[*Error](err); !ok && ctx.Err() == nil || err == nil || w.doubt == nil || w.settled {
		return err
	}
	detached, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.client.config.Timeout)
	defer cancel()
	live, exists, lookErr := w.client.Get(detached, w.step.Key)
	switch {
	case lookErr != nil:
		return w.doubt
	case w.endpoint.effect(w.step.Body, live, exists):
		return nil
	case w.doubt.late:
		return w.doubt
	}
	if failed, ok := errors.AsType[*Error](err); ok {
		certain := *failed
		certain.doubt = false
		return &certain
	}
	return err
}
