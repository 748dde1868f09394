package apply

import (
	"context"
	"errors"
)

// next finds the first change that may start. Changes that never will, because
// one that they need was not done, end on the way.
func (r *run) next() (int, bool) {
	for r.head < len(r.state) && r.state[r.head] == ended {
		r.head++
	}
	earliest := lastStage // phase among the changes before that have not ended
	for i := r.head; i < len(r.state); i++ {
		if r.state[i] == waiting && r.phase[i] <= earliest {
			ready, err := r.needs(i)
			switch {
			case err != nil:
				r.skip(i, err)
			case ready:
				return i, true
			}
		}
		if r.state[i] != ended {
			earliest = min(earliest, r.phase[i])
		}
	}
	return 0, false
}

// needs reports whether everything that a change depends on is done, or why that
// will never be.
func (r *run) needs(i int) (ready bool, err error) {
	ready = true
	for _, key := range r.plan.Changes[i].DependsOn {
		j, ok := r.index[key]
		switch {
		case !ok:
			return false, &DependencyError{On: key, Status: NotRun}
		case r.state[j] != ended:
			ready = false
		case r.outcomes[j].Status != Done:
			return false, &DependencyError{On: key, Status: r.outcomes[j].Status}
		}
	}
	return ready, nil
}

// skip ends a change that is not run.
func (r *run) skip(i int, why error) {
	r.state[i] = ended
	r.outcomes[i].Err = why
	r.tell(i)
}

// rest ends what is left when nothing starts any more.
func (r *run) rest(ctx context.Context) {
	why := ErrStopped
	if ctx.Err() != nil {
		why = ErrInterrupted
	}
	for i := range r.state {
		if r.state[i] == waiting {
			if _, err := r.needs(i); err != nil && r.failed(err) {
				r.skip(i, err)
			} else {
				r.skip(i, why)
			}
		}
		if ctx.Err() != nil && cutShort(r.outcomes[i]) {
			r.interrupted = true
		}
	}
}

// cutShort reports that a change was not run, or not to its end, in a run that
// was interrupted.
func cutShort(o Outcome) bool {
	return o.Status == NotRun || errors.Is(o.Err, ErrInterrupted) || errors.Is(o.Err, context.Canceled)
}

// failed reports whether a dependency was not done because of a failure, its
// own or one further up, rather than because the run ended.
func (r *run) failed(err error) bool {
	var dependency *DependencyError
	for errors.As(err, &dependency) {
		if dependency.Status != NotRun {
			return true
		}
		j, ok := r.index[dependency.On]
		if !ok {
			return true
		}
		err = r.outcomes[j].Err
	}
	return false
}
