package api

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

const (
	// margin keeps a slot a little longer than its window, for servers that
	// count a window's edges in.
	margin = 50 * time.Millisecond
	// smoothRate spreads a full budget over a moment, in requests a second. Its
	// burst is the number of workers: with less it would cost time.
	smoothRate = 50
	// cleanTime without a refusal makes a learned budget grow again.
	cleanTime = 10 * time.Minute
	// noticeable waits are told to the user.
	noticeable = 200 * time.Millisecond
)

// window is the limiter of one budget: a channel that holds, for each request
// that the budget allows, the time at which it may be sent. A slot comes back
// one window after the answer arrived. The server counted the request before
// that, and the next one in the slot reaches it after, so that however the
// latency varies it never counts more than the budget. The channel stays sorted
// by itself, since time only grows.
//
// It is safe for concurrent use.
type window struct {
	name   string
	budget Budget
	burst  int
	free   chan time.Time
	smooth *rate.Limiter
	slots  Slots // may be nil
	run    string
	count  atomic.Uint64
	logger *slog.Logger

	mu      sync.Mutex
	size    int // slots in existence: in the channel or held
	target  int // what was learned of the true budget
	refused time.Time
	grown   time.Time
}

// load fills the channel: slots that other processes used come free in their
// time, a slot whose request was never answered as if the answer had taken the
// whole timeout.
func (w *window) load(timeout time.Duration, now time.Time) {
	var busy []time.Time
	if w.slots != nil {
		err := w.slots.Open(w.name, func(sent, done time.Time) {
			if done.IsZero() {
				done = sent.Add(timeout)
			}
			if at := done.Add(w.budget.Window + margin); at.After(now) && !sent.After(now) {
				busy = append(busy, at)
			}
		})
		if err != nil {
			w.logger.Warn("earlier requests are not known, the rate limit may be met", "budget", w.name, "error", err)
		}
	}
	slices.SortFunc(busy, time.Time.Compare)
	if len(busy) > w.size {
		busy = busy[len(busy)-w.size:]
	}
	for range w.size - len(busy) {
		w.free <- time.Time{}
	}
	for _, at := range busy {
		w.free <- at
	}
}

// ticket is the right to send one request. It is used by one goroutine.
type ticket struct {
	w    *window
	at   time.Time
	id   string
	sent bool
}

// take waits for a slot. The ticket must be released.
func (w *window) take(ctx context.Context, notify func(Wait)) (*ticket, error) {
	w.grow(time.Now())
	if err := w.smooth.Wait(ctx); err != nil {
		return nil, cmp.Or(ended(ctx), err)
	}
	select {
	case at := <-w.free:
		if err := sleepUntil(ctx, at, WaitBudget, notify); err != nil {
			w.free <- at
			return nil, err
		}
		return &ticket{w: w, at: at}, nil
	case <-ctx.Done():
		return nil, ended(ctx)
	}
}

// send notes that the request is about to be sent.
func (t *ticket) send() {
	t.sent = true
	if t.w.slots == nil {
		return
	}
	t.id = t.w.run + "-" + strconv.FormatUint(t.w.count.Add(1), 10)
	if err := t.w.slots.Sent(t.w.name, t.id, time.Now()); err != nil {
		t.w.logger.Warn("a request is not remembered for later commands", "budget", t.w.name, "error", err)
	}
}

// release gives the slot back: at once if nothing was sent, otherwise for one
// window from now, when the answer has arrived or will not be waited for.
func (t *ticket) release() {
	if t.sent {
		now := time.Now()
		t.at = now.Add(t.w.budget.Window + margin)
		if t.w.slots != nil {
			if err := t.w.slots.Done(t.w.name, t.id, now); err != nil {
				t.w.logger.Warn("an answer is not remembered for later commands", "budget", t.w.name, "error", err)
			}
		}
	}
	t.w.mu.Lock()
	defer t.w.mu.Unlock()
	t.w.free <- t.at // has room: there are never more than size slots
	t.w.trim()
}

// shrink learns from a refusal that the true budget is smaller, because others
// use it too: a quarter less, and evenly paced from now on.
func (w *window) shrink(now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.target = max(1, w.target*3/4)
	w.refused, w.grown = now, now
	w.smooth.SetLimit(rate.Limit(float64(w.target) / w.budget.Window.Seconds()))
	w.smooth.SetBurst(1)
	w.trim()
}

// trim drops slots beyond the target, as far as they are not in use just now.
// It is called with mu held.
func (w *window) trim() {
	for w.size > w.target {
		select {
		case <-w.free:
			w.size--
		default:
			return
		}
	}
}

// grow gives back a quarter of the full budget for every clean while, and with
// the first one the freedom to send in bursts.
func (w *window) grow(now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.refused.IsZero() || now.Sub(w.grown) < cleanTime {
		return
	}
	w.grown = now
	w.smooth.SetLimit(smoothRate)
	w.smooth.SetBurst(w.burst)
	w.target = min(w.budget.Requests, w.target+max(1, w.budget.Requests/4))
	for w.size < w.target {
		w.size++
		w.free <- now
	}
	if w.target == w.budget.Requests {
		w.refused = time.Time{}
	}
}

// times returns when the slots come free that are not in use just now.
func (w *window) times() []time.Time {
	var out []time.Time
	for range len(w.free) {
		select {
		case at := <-w.free:
			out = append(out, at)
		default:
		}
	}
	for _, at := range out {
		w.free <- at
	}
	slices.SortFunc(out, time.Time.Compare)
	return out
}
