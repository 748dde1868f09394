package apply_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pcconnect.ai/descope-mgmt/internal/apply"
	"pcconnect.ai/descope-mgmt/internal/model"
)

// notes is a journal in memory that fails from some entry on.
type notes struct {
	mu      sync.Mutex
	entries []string
	failAt  int // the entry that cannot be written, from 1; 0 is none
}

var errFull = errors.New("disk full")

func (n *notes) write(s string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.failAt > 0 && len(n.entries)+1 >= n.failAt {
		n.failAt = len(n.entries) + 1
		return errFull
	}
	n.entries = append(n.entries, s)
	return nil
}

func (n *notes) Intent(change, step int) error {
	return n.write(fmt.Sprintf("%d.%d intent", change, step))
}

func (n *notes) Ended(change, step, attempts int, outcome, reason string) error {
	return n.write(fmt.Sprintf("%d.%d %s (%d) %s", change, step, outcome, attempts, reason))
}

func TestJournal(t *testing.T) {
	p := planned(change("+a"), change("~b"), change("~stale"), change("~lost"), change("-d"))
	p.Changes[0].Steps = append(p.Changes[0].Steps, model.Step{Op: model.TenantDefaultRoles, Key: key("a"), Body: []byte(`{}`)})
	f := target(p)
	delete(f.live, key("stale"))
	f.do = func(_ context.Context, s model.Step) (int, error) {
		switch s.Key.ID {
		case "b":
			return 3, errBroken
		case "lost":
			return 1, lost{}
		}
		return 1, nil
	}
	n := &notes{}
	r := apply.Run(t.Context(), p, f, apply.Options{Workers: 1, Journal: n, OnFailure: keepGoing})
	want := []string{
		"0.0 intent", "0.0 done (1) ", "0.1 intent", "0.1 done (1) ",
		"1.0 intent", "1.0 failed (3) broken",
		// the stale one was never to be sent
		"3.0 intent", "3.0 unknown (1) connection reset",
		"4.0 intent", "4.0 done (1) ",
	}
	if diff := cmp.Diff(want, n.entries); diff != "" {
		t.Errorf("journal:\n%s", diff)
	}
	if r.Journal != nil {
		t.Errorf("journal error %v", r.Journal)
	}
}

// TestJournalRetries: a step that is checked again before each try has one intent.
func TestJournalRetries(t *testing.T) {
	p := planned(change("~a"))
	n := &notes{}
	r := apply.Run(t.Context(), p, retrying{target(p)}, apply.Options{Workers: 1, Journal: n})
	if diff := cmp.Diff([]string{"0.0 intent", "0.0 done (2) "}, n.entries); diff != "" || !r.OK() {
		t.Errorf("journal:\n%s\n%v", diff, statuses(r))
	}
}

type retrying struct{ *fake }

func (r retrying) Do(ctx context.Context, s model.Step, check func(model.Resource, bool) error) (int, error) {
	n, err := r.fake.Do(ctx, s, check)
	m, err2 := r.fake.Do(ctx, s, check)
	return n + m, errors.Join(err, err2)
}

// TestJournalBreaks lets every entry of the journal fail in turn: nothing is sent
// of which there is no intent, nothing starts afterwards, nobody is asked, and what
// was done is still reported as done.
func TestJournalBreaks(t *testing.T) {
	for failAt := 1; failAt <= 10; failAt++ {
		p := planned(change("+a"), change("+b"), change("+c"), change("+d"))
		p.Changes[1].Steps = append(p.Changes[1].Steps, model.Step{Op: model.TenantDefaultRoles, Key: key("b"), Body: []byte(`{}`)})
		f := target(p)
		sent := 0
		f.do = func(context.Context, model.Step) (int, error) { sent++; return 1, nil }
		n := &notes{failAt: failAt}
		r := apply.Run(t.Context(), p, f, apply.Options{Workers: 1, Journal: n, OnFailure: func(apply.Outcome) apply.Decision {
			t.Error("asked")
			return apply.Continue
		}})
		var journal *apply.JournalError
		if !errors.As(r.Journal, &journal) || !errors.Is(r.Journal, errFull) {
			t.Fatalf("entry %d: journal error %v", failAt, r.Journal)
		}
		if intents := failAt / 2; sent != intents {
			t.Errorf("entry %d: %d calls were sent for %d intents", failAt, sent, intents)
		}
		done := 0
		for _, o := range r.Outcomes {
			done += o.StepsDone
		}
		if done != sent {
			t.Errorf("entry %d: %d steps sent, %d reported", failAt, sent, done)
		}
		if slices.Contains(statuses(r), "d done") && failAt < 10 {
			t.Errorf("entry %d: went on: %v", failAt, statuses(r))
		}
		if failAt == 5 { // the second step of b
			if diff := cmp.Diff([]string{
				"a done", "b failed: nothing more was sent: disk full",
				"c not run: needs b", "d not run",
			}[:2], statuses(r)[:2]); diff != "" {
				t.Errorf("outcomes:\n%s", diff)
			}
		}
	}
}

// TestJournalWithoutCheck: a step without a check has its intent first all the same.
func TestJournalWithoutCheck(t *testing.T) {
	p := planned(change("+a"))
	p.Changes[0].Steps = append(p.Changes[0].Steps, p.Changes[0].Steps[0])
	n := &notes{failAt: 3}
	f := target(p)
	r := apply.Run(t.Context(), p, f, apply.Options{Workers: 1, Journal: n})
	if o := r.Outcomes[0]; o.Status != apply.Failed || o.StepsDone != 1 {
		t.Errorf("outcome %+v", o)
	}
}
