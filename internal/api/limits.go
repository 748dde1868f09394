package api

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// defaultPause is kept after a refusal that names no time. Descope: once
	// over a limit, everything is refused for 60 seconds.
	defaultPause = time.Minute
	// maxPause bounds what a server can ask for.
	maxPause = 10 * time.Minute
	// maxWorkers is as many requests as are ever worth having under way.
	maxWorkers = 20
)

// LimitsConfig configures [NewLimits].
type LimitsConfig struct {
	Budgets []Budget      // nil means DefaultBudgets
	Slots   Slots         // nil means that nothing outlives the process
	Workers int           // requests under way at most, 1 to 20; 0 means 20
	Timeout time.Duration // of one request; 0 means 30 s
	Logger  *slog.Logger  // nil means none
}

// Limits keeps all requests of a process within the budgets. Clients of several
// projects share one, since some budgets count per host. It is safe for
// concurrent use.
type Limits struct {
	config LimitsConfig
	run    string

	mu      sync.Mutex
	windows map[string]*window
	until   time.Time // nothing is sent before
}

// NewLimits makes the limiter of a process.
func NewLimits(c LimitsConfig) *Limits {
	if c.Budgets == nil {
		c.Budgets = DefaultBudgets()
	}
	if c.Workers <= 0 || c.Workers > maxWorkers {
		c.Workers = maxWorkers
	}
	c.Timeout = cmp.Or(c.Timeout, DefaultTimeout)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return &Limits{config: c, run: rand.Text()[:12], windows: map[string]*window{}}
}

// window finds the limiter of a budget for a project on a host.
func (l *Limits) window(budget string, base *url.URL, project string) (*window, error) {
	var b Budget
	for _, x := range l.config.Budgets {
		if x.Name == budget {
			b = x
		}
	}
	if b.Requests < 1 || b.Window <= 0 {
		return nil, fmt.Errorf("budget %q allows no requests", budget)
	}
	parts := []string{b.Name, base.Scheme, base.Host}
	if b.PerProject {
		parts = append(parts, project)
	}
	name := strings.Join(parts, " ")

	l.mu.Lock()
	defer l.mu.Unlock()
	if w, ok := l.windows[name]; ok {
		return w, nil
	}
	w := &window{
		name: name, budget: b, burst: l.config.Workers, size: b.Requests, target: b.Requests,
		free:   make(chan time.Time, b.Requests),
		smooth: rate.NewLimiter(smoothRate, l.config.Workers),
		slots:  l.config.Slots, run: l.run, logger: l.config.Logger,
	}
	w.load(l.config.Timeout, time.Now())
	l.windows[name] = w
	return w, nil
}

// take waits until a request of the budget may be sent.
func (l *Limits) take(ctx context.Context, w *window, notify func(Wait)) (*ticket, error) {
	t, err := w.take(ctx, notify)
	if err != nil {
		return nil, err
	}
	if _, err := l.pause(ctx, notify); err != nil {
		t.release()
		return nil, err
	}
	return t, nil
}

// pause waits while the server wants to be left alone, and reports whether it
// had to.
func (l *Limits) pause(ctx context.Context, notify func(Wait)) (waited bool, err error) {
	for {
		until := l.pausedUntil()
		if !time.Now().Before(until) {
			return waited, ended(ctx)
		}
		waited = true
		if err := sleepUntil(ctx, until, WaitPause, notify); err != nil {
			return waited, err
		}
	}
}

// pausedUntil is the end of the pause; it lies in the past if there is none.
func (l *Limits) pausedUntil() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.until
}

// refused holds all requests back after the server refused one. Refusals that
// arrive during a pause belong to what was under way when it began, and teach
// nothing new about the budget.
func (l *Limits) refused(w *window, after time.Duration) {
	now := time.Now()
	after = min(cmp.Or(max(after, 0), defaultPause), maxPause) + margin
	l.mu.Lock()
	first := !now.Before(l.until)
	if until := now.Add(after); until.After(l.until) {
		l.until = until
	}
	l.mu.Unlock()
	if first {
		w.shrink(now)
	}
	l.config.Logger.Info("Descope refused a request for coming too soon", "budget", w.name, "pause", after)
}

// sleepUntil waits for a time, telling of waits that a person would notice.
func sleepUntil(ctx context.Context, at time.Time, reason WaitReason, notify func(Wait)) error {
	d := time.Until(at)
	if d <= 0 {
		return nil
	}
	if d >= noticeable && notify != nil {
		notify(Wait{Reason: reason, Until: at})
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ended(ctx)
	}
}

// ended says that a context ended, and why where that was told.
func ended(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if cause == nil || errors.Is(err, cause) {
		return err
	}
	return fmt.Errorf("%w: %w", err, cause)
}
