package api

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// maxTries is how often a call is tried before its failure is believed.
const maxTries = 5

// schedule says when a failed call is tried again: after 1, 2, 4 and 8 seconds
// give or take a quarter, or later where the server asks for it. A refusal for
// coming too soon is no try at all: the limiter holds the next one back as long
// as it takes. It serves one call.
type schedule struct {
	exponential *backoff.ExponentialBackOff
	tries       int
	last        error
}

func newSchedule() *schedule {
	return &schedule{exponential: backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(time.Second),
		backoff.WithMultiplier(2),
		backoff.WithRandomizationFactor(0.25),
		backoff.WithMaxElapsedTime(0), // the tries are counted instead
	)}
}

// Reset implements [backoff.BackOff].
func (s *schedule) Reset() { s.exponential.Reset() }

// NextBackOff implements [backoff.BackOff].
func (s *schedule) NextBackOff() time.Duration {
	e, ok := errors.AsType[*Error](s.last)
	switch {
	case !ok || !e.Retryable:
		return backoff.Stop
	case e.Kind == KindRate:
		return 0
	}
	if s.tries++; s.tries >= maxTries {
		return backoff.Stop
	}
	return max(s.exponential.NextBackOff(), e.after)
}

// retry calls try until it succeeds or its failure is final. It is the one
// layer of retries; the limiter is inside of it. The error of a call that was
// stopped on the way says both why it was and what had failed.
func (c *Client) retry(ctx context.Context, try func() error) error {
	s := newSchedule()
	err := backoff.RetryNotify(func() error {
		s.last = try()
		return s.last
	}, backoff.WithContext(s, ctx), func(err error, d time.Duration) {
		if d < noticeable {
			return
		}
		c.logger.Info("a call is tried again", "error", err, "after", d)
		if c.config.OnWait != nil {
			c.config.OnWait(Wait{Reason: WaitRetry, Until: time.Now().Add(d), Err: err})
		}
	})
	if err == nil || ctx.Err() == nil {
		return err
	}
	var final *backoff.PermanentError
	if errors.As(s.last, &final) {
		return err
	}
	// The context ended: of the two reasons for giving up, backoff names that.
	if e, ok := errors.AsType[*Error](s.last); !ok || !e.Retryable {
		return s.last
	}
	return fmt.Errorf("%w, after: %w", ended(ctx), s.last)
}

// permanent marks an error that no further try can mend.
func permanent(err error) error { return backoff.Permanent(err) }
