package bench

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"pcconnect.ai/descope-mgmt/internal/emulator"
)

// TestApplyTimes creates tenants in virtual time, from the first read to the one
// that verifies, against an emulator that refuses everything for a minute once
// it has counted more than 200 writes within 60 s.
func TestApplyTimes(t *testing.T) {
	for _, c := range []struct {
		name            string
		creates         int
		latency, jitter time.Duration
		budget          time.Duration // 0: whatever 200 per 60 s takes
	}{
		{"100 creates at 500 ms", 100, 500 * time.Millisecond, 0, 6 * time.Second},
		{"400 creates at 500 ms", 400, 500 * time.Millisecond, 0, 70 * time.Second},
		{"100 creates at 50 to 950 ms", 100, 500 * time.Millisecond, 450 * time.Millisecond, 6 * time.Second},
		{"400 creates at 50 to 950 ms", 400, 500 * time.Millisecond, 450 * time.Millisecond, 70 * time.Second},
		{"1 000 creates at 50 to 950 ms", 1000, 500 * time.Millisecond, 450 * time.Millisecond, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, emulator.Options{Latency: c.latency, Jitter: c.jitter})
				desired := tenants(t, c.creates)
				start := time.Now()
				w.apply(desired, w.plan(desired))
				took := time.Since(start)
				budget := ""
				if c.budget > 0 {
					budget = c.budget.String()
				}
				record(t, c.name+", 200 per 60 s (virtual time)", took.Round(10*time.Millisecond).String(), budget, took <= c.budget)
				if c.budget > 0 && took > c.budget {
					t.Errorf("%s took %v, the budget is %v", c.name, took, c.budget)
				}
				calls := w.calls()
				record(t, "the same: answers with 429", fmt.Sprint(calls.refused), "0", calls.refused == 0)
				if calls.refused > 0 {
					t.Errorf("%d requests were refused", calls.refused)
				}
				if calls.writes != c.creates {
					t.Errorf("%d calls for %d creates", calls.writes, c.creates)
				}
				if p := w.plan(desired); !p.Empty() {
					t.Errorf("%d changes after the apply", len(p.Changes))
				}
			})
		})
	}
}
