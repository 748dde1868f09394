package apply_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"pcconnect.ai/descope-mgmt/internal/apply"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
)

func keepGoing(apply.Outcome) apply.Decision { return apply.Continue }

func TestRunAll(t *testing.T) {
	p := planned(change("+a"), change("~b"), change("+c", "a"), change("-d"))
	p.Changes[0].Steps = append(p.Changes[0].Steps, model.Step{Op: model.TenantDefaultRoles, Key: key("a"), Body: []byte(`{}`)})
	f := target(p)
	var told []string
	r := apply.Run(t.Context(), p, f, apply.Options{Workers: 3, OnDone: func(o apply.Outcome) { told = append(told, o.Key.ID) }})
	if diff := cmp.Diff([]string{"a done", "b done", "c done", "d done"}, statuses(r)); diff != "" {
		t.Errorf("outcomes:\n%s", diff)
	}
	if !r.OK() || r.Interrupted || r.Partial() || r.Failed() != nil || r.Counts() != (apply.Counts{Done: 4}) || len(told) != 4 {
		t.Errorf("result %+v, told %v", r, told)
	}
	if o := r.Outcomes[0]; o.StepsDone != 2 || o.Attempts != 2 || o.Action != plan.Create {
		t.Errorf("outcome %+v", o)
	}
	f.before(t, "a", "c")
	f.before(t, "b", "d")
	f.before(t, "c", "d")
}

func TestRunNothing(t *testing.T) {
	r := apply.Run(t.Context(), planned(), target(planned()), apply.Options{})
	if !r.OK() || r.Interrupted || len(r.Outcomes) != 0 {
		t.Errorf("result %+v", r)
	}
}

// TestPhases: deletes wait for what stands before them, an early delete does
// not wait for what comes after, and kinds keep their order.
func TestPhases(t *testing.T) {
	flow := change("+f")
	flow.Key = model.Key{Kind: model.Flow, ID: "f"}
	flow.Steps[0].Key = flow.Key
	gone := change("-g")
	gone.Key = model.Key{Kind: model.Flow, ID: "g"}
	gone.Steps[0].Key = gone.Key
	p := planned(change("+a"), change("-other"), change("-early"), change("+taker", "early"), flow, gone, change("-late"))
	f := target(p)
	f.do = func(_ context.Context, s model.Step) (int, error) {
		if s.Key.ID == "a" {
			time.Sleep(20 * time.Millisecond)
		}
		return 1, nil
	}
	if r := apply.Run(t.Context(), p, f, apply.Options{Workers: 10}); !r.OK() {
		t.Fatal(statuses(r))
	}
	for _, pair := range [][2]string{{"a", "early"}, {"early", "taker"}, {"taker", "f"}, {"a", "f"}, {"f", "g"}, {"g", "late"}} {
		f.before(t, pair[0], pair[1])
	}

	// A delete in between that waits hides nothing.
	p = planned(change("+a"), change("-other"), flow)
	do := f.do
	f = target(p)
	f.do = do
	if r := apply.Run(t.Context(), p, f, apply.Options{Workers: 10}); !r.OK() {
		t.Fatal(statuses(r))
	}
	f.before(t, "a", "f")
}

func TestWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var changes []plan.Change
		for i := range 20 {
			changes = append(changes, change(fmt.Sprintf("+t%02d", i)))
		}
		p := planned(changes...)
		for _, c := range []struct{ workers, most int }{{0, 1}, {1, 1}, {7, 7}, {100, 20}} {
			f := target(p)
			f.do = func(context.Context, model.Step) (int, error) { time.Sleep(time.Second); return 1, nil }
			start := time.Now()
			r := apply.Run(t.Context(), p, f, apply.Options{Workers: c.workers})
			rounds := time.Duration((20 + c.most - 1) / c.most)
			if took := time.Since(start); !r.OK() || f.most != c.most || took != rounds*time.Second || r.Outcomes[19].Took != time.Second {
				t.Errorf("%d workers: %d at once, %s, one took %s", c.workers, f.most, took, r.Outcomes[19].Took)
			}
		}
	})
}

func TestFailure(t *testing.T) {
	changes := func() *plan.Plan {
		return planned(change("+a"), change("+b"), change("+c", "b"), change("+d", "c"), change("~e"), change("-z"))
	}
	needsB, needsC := "needs tenant/b, which failed", "needs tenant/c, which was not run"
	stopped := "the run stopped after a failure"
	for name, c := range map[string]struct {
		on   func(apply.Outcome) apply.Decision
		want []string
	}{
		"nobody is asked": {nil, []string{"a done", "b failed: broken", "c not run: " + needsB, "d not run: " + needsC, "e not run: " + stopped, "z not run: " + stopped}},
		"stop":            {func(apply.Outcome) apply.Decision { return apply.Stop }, []string{"a done", "b failed: broken", "c not run: " + needsB, "d not run: " + needsC, "e not run: " + stopped, "z not run: " + stopped}},
		"continue":        {keepGoing, []string{"a done", "b failed: broken", "c not run: " + needsB, "d not run: " + needsC, "e done", "z done"}},
	} {
		p := changes()
		f := target(p)
		f.do = breaking("b")
		told := map[string]int{}
		r := apply.Run(t.Context(), p, f, apply.Options{Workers: 1, OnFailure: c.on, OnDone: func(o apply.Outcome) { told[o.Key.ID]++ }})
		if diff := cmp.Diff(c.want, statuses(r)); diff != "" {
			t.Errorf("%s: outcomes (-want +got):\n%s", name, diff)
		}
		if r.OK() || !r.Partial() || r.Interrupted || len(r.Failed()) != 1 || !errors.Is(r.Failed()[0].Err, errBroken) || r.Failed()[0].Attempts != 2 {
			t.Errorf("%s: result %+v", name, r)
		}
		for id, n := range told {
			if n != 1 {
				t.Errorf("%s: told %d times of %s", name, n, id)
			}
		}
		if len(told) != 6 {
			t.Errorf("%s: told of %v", name, told)
		}
	}
}

// TestFailureDrains: after a failure what is in flight finishes, nothing starts,
// and the question comes when it is quiet, once per failure.
func TestFailureDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := planned(change("+a"), change("+b"), change("+c"), change("+d"))
		f := target(p)
		f.do = func(_ context.Context, s model.Step) (int, error) {
			time.Sleep(map[string]time.Duration{"a": 1, "b": 5, "c": 7, "d": 1}[s.Key.ID] * time.Second)
			if s.Key.ID == "a" || s.Key.ID == "b" {
				return 1, errBroken
			}
			return 1, nil
		}
		var asked []string
		start := time.Now()
		r := apply.Run(t.Context(), p, f, apply.Options{Workers: 3, OnFailure: func(o apply.Outcome) apply.Decision {
			asked = append(asked, fmt.Sprintf("%s after %s, %d running, d started %v", o.Key.ID, time.Since(start), f.running, f.started("d")))
			return apply.Continue
		}})
		if diff := cmp.Diff([]string{"a after 7s, 0 running, d started false", "b after 7s, 0 running, d started false"}, asked); diff != "" {
			t.Errorf("asked (-want +got):\n%s", diff)
		}
		if got := r.Counts(); got != (apply.Counts{Done: 2, Failed: 2}) {
			t.Errorf("counts %+v", got)
		}
	})
}

func TestUnclear(t *testing.T) {
	p := planned(change("+a"), change("+b", "a"), change("+c"))
	f := target(p)
	f.do = func(_ context.Context, s model.Step) (int, error) {
		switch s.Key.ID {
		case "a":
			return 3, fmt.Errorf("creating: %w", lost{})
		case "c":
			return 1, lost{answered: true}
		}
		return 1, nil
	}
	r := apply.Run(t.Context(), p, f, apply.Options{Workers: 1, OnFailure: keepGoing})
	if diff := cmp.Diff([]string{"a unknown: creating: connection reset", "b not run: needs tenant/a, which got no answer", "c failed: connection reset"}, statuses(r)); diff != "" {
		t.Errorf("outcomes:\n%s", diff)
	}
	if r.Counts() != (apply.Counts{Failed: 1, NotRun: 1, Unclear: 1}) || len(r.Failed()) != 2 || !r.Partial() {
		t.Errorf("result %+v", r)
	}
}

// TestInterrupt: nothing new starts, what is in flight finishes, also the second
// step of a change, and a step that was not sent is taken back.
func TestInterrupt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := planned(change("+two"), change("+limited"), change("+late"), change("+child", "late"))
		p.Changes[0].Steps = append(p.Changes[0].Steps, p.Changes[0].Steps[0])
		f := target(p)
		f.do = func(ctx context.Context, s model.Step) (int, error) {
			if s.Key.ID == "limited" {
				<-ctx.Done() // waiting for a slot
				return 0, fmt.Errorf("waiting: %w", ctx.Err())
			}
			time.Sleep(10 * time.Second)
			return 1, ctx.Err()
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(15*time.Second, cancel)
		r := apply.Run(ctx, p, f, apply.Options{Workers: 2, OnFailure: func(apply.Outcome) apply.Decision {
			t.Error("an interrupt is no failure")
			return apply.Stop
		}})
		if diff := cmp.Diff([]string{"two done", "limited not run: interrupted", "late not run: interrupted", "child not run: interrupted"}, statuses(r)); diff != "" {
			t.Errorf("outcomes:\n%s", diff)
		}
		if !r.Interrupted || !r.Partial() || r.Outcomes[0].StepsDone != 2 || f.started("late") || !errors.Is(r.Outcomes[2].Err, apply.ErrInterrupted) {
			t.Errorf("result %+v", r)
		}
	})
}

// TestInterruptOfAnEndlessStep: the rest of a change is waited for, but not for
// ever, and what is left of it is told.
func TestInterruptOfAnEndlessStep(t *testing.T) {
	for name, c := range map[string]struct {
		attempts int
		want     string
	}{
		"refused again and again": {7, "a failed: refused: context canceled"},
		"not sent any more":       {0, "a failed: interrupted"},
	} {
		synctest.Test(t, func(t *testing.T) {
			p := planned(change("+a"))
			p.Changes[0].Steps = append(p.Changes[0].Steps, p.Changes[0].Steps[0])
			f := target(p)
			calls := 0
			f.do = func(ctx context.Context, _ model.Step) (int, error) {
				if calls++; calls == 1 {
					return 1, nil
				}
				<-ctx.Done()
				return c.attempts, fmt.Errorf("refused: %w", ctx.Err())
			}
			ctx, cancel := context.WithCancel(t.Context())
			start := time.Now()
			time.AfterFunc(time.Minute, cancel)
			r := apply.Run(ctx, p, f, apply.Options{})
			if diff := cmp.Diff([]string{c.want}, statuses(r)); diff != "" {
				t.Errorf("%s: outcomes (-want +got):\n%s", name, diff)
			}
			if took := time.Since(start); took != 3*time.Minute {
				t.Errorf("%s: took %v, want the minute and two more", name, took)
			}
			if o := r.Outcomes[0]; !r.Interrupted || !r.Partial() || o.StepsDone != 1 || o.Attempts != 1+c.attempts {
				t.Errorf("%s: result %+v", name, r)
			}
		})
	}
}

func TestInterruptMore(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	p := planned(change("+a"))
	f := target(p)
	if r := apply.Run(cancelled, p, f, apply.Options{}); !r.Interrupted || f.started("a") || r.Partial() {
		t.Errorf("cancelled before the start: %+v", r)
	}

	// The last change ends as the interrupt comes: nothing was left to do.
	ctx, stop := context.WithCancel(t.Context())
	f.do = func(context.Context, model.Step) (int, error) { stop(); return 1, nil }
	if r := apply.Run(ctx, p, f, apply.Options{}); r.Interrupted || !r.OK() {
		t.Errorf("cancelled at the end: %+v", r)
	}

	// A step that was sent and failed is a failure, whatever the context says;
	// nobody is asked any more.
	ctx, stop = context.WithCancel(t.Context())
	f.do = func(context.Context, model.Step) (int, error) { stop(); return 2, context.Canceled }
	two := planned(change("+a"), change("+b"))
	r := apply.Run(ctx, two, f, apply.Options{Workers: 1, OnFailure: func(apply.Outcome) apply.Decision { t.Error("asked"); return apply.Continue }})
	if diff := cmp.Diff([]string{"a failed: context canceled", "b not run: interrupted"}, statuses(r)); diff != "" || !r.Interrupted {
		t.Errorf("sent and cancelled:\n%s", diff)
	}

	// The answer to the question is an interrupt.
	ctx, stop = context.WithCancel(t.Context())
	f.do = breaking("a")
	r = apply.Run(ctx, two, f, apply.Options{Workers: 1, OnFailure: func(apply.Outcome) apply.Decision { stop(); return apply.Stop }})
	if !r.Interrupted || !errors.Is(r.Outcomes[1].Err, apply.ErrInterrupted) {
		t.Errorf("interrupted at the question: %+v", r)
	}
}

// TestBrokenPlans: a plan that Compute cannot have made ends all the same.
func TestBrokenPlans(t *testing.T) {
	empty := change("+empty")
	empty.Steps = nil
	p := planned(empty, change("+stranger", "nobody"), change("+x", "y"), change("+y", "x"), change("+ok"))
	r := apply.Run(t.Context(), p, target(p), apply.Options{Workers: 2, OnFailure: keepGoing})
	if diff := cmp.Diff([]string{
		"empty failed: the plan holds no calls for this change", "stranger not run: needs tenant/nobody, which was not run",
		"x not run: the run stopped after a failure", "y not run: the run stopped after a failure", "ok done",
	}, statuses(r)); diff != "" {
		t.Errorf("outcomes:\n%s", diff)
	}
	late := planned(change("+a"), change("+b", "nobody"))
	f := target(late)
	f.do = breaking("a")
	r = apply.Run(t.Context(), late, f, apply.Options{Workers: 1})
	if got := statuses(r)[1]; got != "b not run: needs tenant/nobody, which was not run" {
		t.Errorf("got %s", got)
	}
}

// TestManyChanges: a long plan of parents and children ends in reasonable time.
func TestManyChanges(t *testing.T) {
	var changes []plan.Change
	for i := range 5000 {
		c := change(fmt.Sprintf("+t%04d", i))
		if i > 0 && i%3 == 0 {
			c.DependsOn = []model.Key{key(fmt.Sprintf("t%04d", i-1))}
		}
		changes = append(changes, c)
	}
	p := planned(changes...)
	start := time.Now()
	if r := apply.Run(t.Context(), p, target(p), apply.Options{Workers: 20}); !r.OK() {
		t.Error(r.Counts())
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("took %s", took)
	}
}
