package apply

import (
	"errors"
	"fmt"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// The reasons for which a change is not run, besides [*DependencyError].
var (
	ErrInterrupted = errors.New("interrupted")
	ErrStopped     = errors.New("the run stopped after a failure")
)

// DependencyError says that a change was not run because another one, which
// must be done first, was not.
type DependencyError struct {
	On     model.Key
	Status Status // what became of it
}

func (e *DependencyError) Error() string {
	became := map[Status]string{Failed: "failed", NotRun: "was not run", Unclear: "got no answer"}[e.Status]
	return fmt.Sprintf("needs %s, which %s", e.On, became)
}

// Counts are the outcomes by status.
type Counts struct{ Done, Failed, NotRun, Unclear int }

// Counts sums up the run.
func (r Result) Counts() Counts {
	var n Counts
	for _, o := range r.Outcomes {
		switch o.Status {
		case Done:
			n.Done++
		case Failed:
			n.Failed++
		case NotRun:
			n.NotRun++
		case Unclear:
			n.Unclear++
		}
	}
	return n
}

// OK reports that every change was done.
func (r Result) OK() bool { return r.Counts().Done == len(r.Outcomes) }

// Failed returns the outcomes of the changes that failed or whose effect is
// unknown, in plan order.
func (r Result) Failed() []Outcome {
	var out []Outcome
	for _, o := range r.Outcomes {
		if o.Status == Failed || o.Status == Unclear {
			out = append(out, o)
		}
	}
	return out
}

// Partial reports that something was, or may have been, written, but not
// everything.
func (r Result) Partial() bool {
	if r.OK() {
		return false
	}
	for _, o := range r.Outcomes {
		if o.Status == Done || o.Status == Unclear || o.StepsDone > 0 {
			return true
		}
	}
	return false
}
