package api

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// runAll performs steps with as many workers as the client wants, the way an
// apply does, and returns the time that took.
func runAll(t testing.TB, c *Client, steps []model.Step) time.Duration {
	t.Helper()
	start := time.Now()
	var group sync.WaitGroup
	next := make(chan model.Step)
	for range c.Workers() {
		group.Go(func() {
			for s := range next {
				_, err := c.Do(context.Background(), s, func(model.Resource, bool) error { return nil })
				if err != nil {
					t.Errorf("%s: %v", s.Key, err)
				}
			}
		})
	}
	for _, s := range steps {
		next <- s
	}
	close(next)
	group.Wait()
	return time.Since(start)
}

func creations(t testing.TB, n int) []model.Step {
	t.Helper()
	steps := make([]model.Step, n)
	for i := range steps {
		steps[i] = creation(t, fmt.Sprintf("tenant-%d", i))
	}
	return steps
}

// TestBudgetIsUsedAndKept holds the limiter against a server that counts
// strictly, 200 writes in any 60 seconds.
func TestBudgetIsUsedAndKept(t *testing.T) {
	fixed := func() time.Duration { return 500 * time.Millisecond }
	for _, c := range []struct {
		name    string
		n       int
		latency func(*rand.Rand) func() time.Duration
		atMost  time.Duration
	}{
		{"100 at 500 ms", 100, nil, 6 * time.Second},
		{"400 at 500 ms", 400, nil, 70 * time.Second},
		{"1000 at 500 ms", 1000, nil, 255 * time.Second},
		{"100 at 50-950 ms", 100, jitter, 6 * time.Second},
		{"400 at 50-950 ms", 400, jitter, 70 * time.Second},
		{"1000 at 50-950 ms", 1000, jitter, 255 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				f.limit, f.latency = 200, fixed
				if c.latency != nil {
					f.latency = c.latency(rand.New(rand.NewPCG(1, uint64(c.n))))
				}
				cl := client(t, f)
				steps := creations(t, c.n)
				forecast := cl.Forecast(steps, 0)
				took := runAll(t, cl, steps)
				t.Logf("%s: %.2f s (forecast %.2f s), %d refused, %d reads", c.name, took.Seconds(), forecast.Duration.Seconds(), f.refused, f.seen("/all"))
				if took > c.atMost || f.refused > 0 {
					t.Errorf("took %v, want at most %v; %d refused", took, c.atMost, f.refused)
				}
				if off := (forecast.Duration - took).Abs(); forecast.Calls != c.n || off > took/5+time.Second {
					t.Errorf("forecast %+v, took %v", forecast, took)
				}
				if got := f.seen("/create"); got != c.n {
					t.Errorf("%d calls for %d creates", got, c.n)
				}
			})
		})
	}
}

func jitter(r *rand.Rand) func() time.Duration {
	return func() time.Duration {
		return 50*time.Millisecond + time.Duration(r.Int64N(int64(900*time.Millisecond)))
	}
}

// TestNeverRefusedWhateverTheLatency tries many random runs.
func TestNeverRefusedWhateverTheLatency(t *testing.T) {
	for seed := range uint64(10) {
		synctest.Test(t, func(t *testing.T) {
			f := newFake()
			f.limit, f.latency = 200, jitter(rand.New(rand.NewPCG(2, seed)))
			runAll(t, client(t, f), creations(t, 450))
			if f.refused > 0 {
				t.Errorf("seed %d: %d refused", seed, f.refused)
			}
		})
	}
}

func TestPauseIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.latency = func() time.Duration { return 100 * time.Millisecond }
		var until time.Time
		f.hook = func(w http.ResponseWriter, r *http.Request, n int) bool {
			if !strings.HasSuffix(r.URL.Path, "/create") {
				return false
			}
			if n == 30 {
				until = time.Now().Add(12 * time.Second)
				w.Header().Set("Retry-After", "12")
				reply(w, 429, `<html>slow down</html>`)
				return true
			}
			return false
		}
		var waits []Wait
		var mu sync.Mutex
		c := client(t, f, func(c *Config) {
			c.OnWait = func(w Wait) { mu.Lock(); defer mu.Unlock(); waits = append(waits, w) }
		})
		runAll(t, c, creations(t, 100))
		inFlight := 0
		for _, call := range f.calls {
			if d := until.Sub(call.At); d > 0 && d < 12*time.Second-200*time.Millisecond {
				t.Errorf("%s was sent %v before the end of the pause", call.Path, d)
			} else if d > 0 && d < 12*time.Second {
				inFlight++
			}
		}
		if inFlight > 20 {
			t.Errorf("%d requests after the refusal", inFlight)
		}
		if got := f.seen("/create"); got != 101 {
			t.Errorf("%d creates sent, want 101", got)
		}
		mu.Lock()
		defer mu.Unlock()
		paused := 0
		for _, w := range waits {
			if w.Reason == WaitPause && w.Until.Sub(until).Abs() < time.Second {
				paused++
			}
		}
		if paused == 0 {
			t.Errorf("nobody was told of the pause: %v", waits)
		}
	})
}

// TestRefusalIsNoTry: however often Descope says "too soon", the call goes on.
func TestRefusalIsNoTry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.hook = func(w http.ResponseWriter, _ *http.Request, n int) bool {
			if n < 12 {
				reply(w, 429, `{"errorCode":"E130429"}`) // without Retry-After
			}
			return n < 12
		}
		start := time.Now()
		attempts, err := client(t, f).Do(t.Context(), creation(t, "a"), nil)
		if err != nil || attempts != 13 {
			t.Errorf("%d attempts, %v", attempts, err)
		}
		if took := time.Since(start); took < 12*time.Minute || took > 13*time.Minute {
			t.Errorf("took %v, want 12 pauses of a minute", took)
		}
	})
}

func TestBudgetShrinksAndGrows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		refuse := true
		f.hook = func(w http.ResponseWriter, _ *http.Request, _ int) bool {
			if refuse {
				refuse = false
				w.Header().Set("Retry-After", "1")
				reply(w, 429, `{}`)
				return true
			}
			return false
		}
		c := client(t, f)
		do := func(id string) {
			t.Helper()
			if _, err := c.Do(t.Context(), creation(t, id), nil); err != nil {
				t.Fatal(err)
			}
		}
		do("a")
		w, err := c.limits.window(BudgetTenantWrites, c.base, testProject)
		if err != nil {
			t.Fatal(err)
		}
		if w.target != 150 || w.size != 150 || w.smooth.Burst() != 1 {
			t.Errorf("after a refusal: target %d, size %d, burst %d", w.target, w.size, w.smooth.Burst())
		}
		refuse = true
		do("b")
		if w.target != 112 {
			t.Errorf("after two refusals: target %d", w.target)
		}
		for i, want := range []int{162, 200} {
			time.Sleep(cleanTime)
			do(fmt.Sprint("c", i))
			if w.target != want || w.size != want || w.smooth.Burst() != 20 {
				t.Errorf("after %d clean whiles: target %d, size %d, want %d", i+1, w.target, w.size, want)
			}
		}
		time.Sleep(2 * time.Minute)
		if got := len(w.times()); got != 200 || len(w.free) != 200 {
			t.Errorf("%d slots after everything, want 200", got)
		}
	})
}

// memorySlots is a memory of tenant writes that outlives clients.
type memorySlots struct {
	mu   sync.Mutex
	sent map[string]time.Time
	done map[string]time.Time
	err  error
}

func (m *memorySlots) Open(budget string, yield func(sent, done time.Time)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, at := range m.sent {
		if strings.HasPrefix(budget, BudgetTenantWrites) {
			yield(at, m.done[id])
		}
	}
	return m.err
}

func (m *memorySlots) Sent(budget, id string, at time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if strings.HasPrefix(budget, BudgetTenantWrites) && m.err == nil {
		m.sent[id] = at
	}
	return m.err
}

func (m *memorySlots) Done(_, id string, at time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.sent[id]; ok {
		m.done[id] = at
	}
	return m.err
}

// TestSlotsOutliveTheProcess runs a second client after a first one that used
// most of the budget, within a minute and against the same strict server.
func TestSlotsOutliveTheProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.limit, f.latency = 200, func() time.Duration { return 500 * time.Millisecond }
		slots := &memorySlots{sent: map[string]time.Time{}, done: map[string]time.Time{}}
		remember := func(c *Config) { c.Slots = slots }
		steps := creations(t, 300)
		runAll(t, client(t, f, remember), steps[:150])
		took := runAll(t, client(t, f, remember), steps[150:])
		if f.refused > 0 || took < 55*time.Second || took > 62*time.Second {
			t.Errorf("second run took %v, %d refused", took, f.refused)
		}
		if len(slots.done) != 300 {
			t.Errorf("%d requests remembered as answered", len(slots.done))
		}
	})
}

// TestSlotsOfAKilledProcess: a request that was never answered counts until
// send + timeout + window.
func TestSlotsOfAKilledProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		slots := &memorySlots{
			sent: map[string]time.Time{
				"a": now.Add(-10 * time.Second), "b": now.Add(-80 * time.Second), "c": now.Add(-91 * time.Second),
				"d": now.Add(-70 * time.Second), "future": now.Add(time.Hour),
			},
			done: map[string]time.Time{"d": now.Add(-65 * time.Second)},
		}
		budgets := []Budget{{Name: BudgetTenantWrites, Requests: 2, Window: time.Minute, PerProject: true}}
		c := client(t, newFake(), func(c *Config) { c.Slots, c.Budgets = slots, budgets })
		w, err := c.limits.window(BudgetTenantWrites, c.base, testProject)
		if err != nil {
			t.Fatal(err)
		}
		times := w.times()
		if len(times) != 2 || !times[0].Equal(now.Add(10*time.Second+margin)) || !times[1].Equal(now.Add(80*time.Second+margin)) {
			t.Errorf("slots come free at %v, now is %v", times, now)
		}
	})
}

func TestBrokenMemoryDoesNotStopARun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slots := &memorySlots{err: errors.New("disk full")}
		f := newFake()
		runAll(t, client(t, f, func(c *Config) { c.Slots = slots }), creations(t, 30))
		if len(f.tenants) != 30 {
			t.Errorf("%d tenants", len(f.tenants))
		}
	})
}

func TestWaitingForASlotEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		budgets := []Budget{{Name: BudgetTenantWrites, Requests: 1, Window: time.Minute}, {Name: BudgetOther, Requests: 5, Window: time.Minute}}
		var waits []Wait
		c := client(t, f, func(c *Config) { c.Budgets, c.OnWait = budgets, func(w Wait) { waits = append(waits, w) } })
		if _, err := c.Do(t.Context(), creation(t, "a"), nil); err != nil {
			t.Fatal(err)
		}
		cause := errors.New("the user had enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(5*time.Second, func() { cancel(cause) })
		attempts, err := c.Do(ctx, creation(t, "b"), nil)
		if attempts != 0 || !errors.Is(err, context.Canceled) || !errors.Is(err, cause) {
			t.Errorf("%d attempts, %v", attempts, err)
		}
		if len(waits) != 1 || waits[0].Reason != WaitBudget || time.Until(waits[0].Until) < 50*time.Second {
			t.Errorf("told of %v", waits)
		}
		// The slot was given back and still comes free in its time.
		start := time.Now()
		if _, err := c.Do(t.Context(), creation(t, "c"), nil); err != nil || time.Since(start) > time.Minute {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

func TestClientsShareTheBudgetsOfAHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limits := NewLimits(LimitsConfig{Budgets: []Budget{{Name: BudgetOther, Requests: 2, Window: time.Minute}}})
		f := newFake()
		a := client(t, f, func(c *Config) { c.Limits = limits })
		b := client(t, f, func(c *Config) { c.Limits, c.ProjectID = limits, "Pother" })
		start := time.Now()
		for _, c := range []*Client{a, b, a} {
			if _, err := c.Read(t.Context(), model.Tenant); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(start); took < time.Minute {
			t.Errorf("three reads within a budget of two took %v", took)
		}
		if _, err := a.Do(t.Context(), creation(t, "x"), nil); err == nil || !strings.Contains(err.Error(), "budget") {
			t.Errorf("a budget that is missing from the table: %v", err)
		}
	})
}

// BenchmarkLimiter is what the limiter costs a call that need not wait. Budget:
// under 1 ms.
func BenchmarkLimiter(b *testing.B) {
	limits := NewLimits(LimitsConfig{Budgets: []Budget{{Name: BudgetOther, Requests: 1 << 20, Window: time.Nanosecond}}})
	c := client(b, newFake(), func(c *Config) { c.Limits = limits })
	w, err := limits.window(BudgetOther, c.base, testProject)
	if err != nil {
		b.Fatal(err)
	}
	w.smooth.SetLimit(1 << 40)
	for b.Loop() {
		t, err := limits.take(b.Context(), w, nil)
		if err != nil {
			b.Fatal(err)
		}
		t.send()
		t.release()
	}
}

func TestLimiterOverhead(t *testing.T) {
	r := testing.Benchmark(BenchmarkLimiter)
	t.Logf("limiter: %v a call", time.Duration(r.NsPerOp()))
	if r.NsPerOp() > int64(time.Millisecond) {
		t.Errorf("the limiter costs %v a call, the budget is 1 ms", time.Duration(r.NsPerOp()))
	}
}
