package api

import (
	"time"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// guessedLatency serves until a call was answered.
const guessedLatency = 500 * time.Millisecond

// Forecast is what performing some steps will take if nothing goes wrong.
type Forecast struct {
	Calls    int
	Duration time.Duration
}

// Forecast plays the steps through with the latency observed so far, the number
// of workers and the slots as they are now, after so many reads about single tenants,
// one after another. A step of an unknown kind counts as a call. The read of the
// pre-images is part of the duration.
func (c *Client) Forecast(steps []model.Step, reads int) Forecast {
	if len(steps) == 0 {
		return Forecast{}
	}
	latency := time.Duration(c.latency.Load())
	if latency <= 0 {
		latency = guessedLatency
	}
	now := time.Now()
	begin := later(now, c.limits.pausedUntil())
	slots := map[string]*queue{}
	if q := c.queue(slots, BudgetOther); q != nil {
		for range reads {
			begin = later(begin, q.pop()).Add(latency)
			q.push(begin.Add(q.window + margin))
		}
	}
	workers := make([]time.Time, min(c.config.Workers, len(steps)))
	for i := range workers {
		workers[i] = begin.Add(latency)
	}
	end := now
	for i, s := range steps {
		start := workers[i%len(workers)]
		q := c.queueOf(slots, s)
		if q != nil {
			start = later(start, q.pop())
		}
		done := start.Add(latency)
		if q != nil {
			q.push(done.Add(q.window + margin))
		}
		workers[i%len(workers)] = done
		end = later(end, done)
	}
	return Forecast{Calls: len(steps), Duration: end.Sub(now)}
}

// queue is the times at which the slots of a budget come free, in order.
type queue struct {
	window time.Duration
	times  []time.Time
}

// pop takes the first free slot. Slots in use just now are not in the queue: if
// there is none at all, the answer is no better than now.
func (q *queue) pop() (at time.Time) {
	if len(q.times) > 0 {
		at, q.times = q.times[0], q.times[1:]
	}
	return at
}

func (q *queue) push(at time.Time) { q.times = append(q.times, at) }

// queueOf is the queue of the budget that a step belongs to, nil if nobody knows.
func (c *Client) queueOf(known map[string]*queue, s model.Step) *queue {
	r, _, err := writeRequest(s, c.config.ProjectID)
	if err != nil {
		return nil
	}
	return c.queue(known, r.budget)
}

func (c *Client) queue(known map[string]*queue, budget string) *queue {
	if q, ok := known[budget]; ok {
		return q
	}
	w, err := c.limits.window(budget, c.base, c.config.ProjectID)
	if err != nil {
		return nil
	}
	q := &queue{window: w.budget.Window, times: w.times()}
	known[budget] = q
	return q
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
