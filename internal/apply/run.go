package apply

import (
	"context"
	"time"

	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
)

// Run executes a plan and accounts for every change of it.
//
// A change starts when everything it depends on is done and when the changes
// before it that belong to an earlier phase have ended: kinds run in the order
// of their stage, deletes after all creates and updates that stand before them.
// Within a phase, as many run at once as there are workers.
//
// After a failure nothing is started until Options.OnFailure has answered. Where
// the journal cannot be written, nothing is started at all. A
// cancelled context starts nothing more and lets changes finish of which a step
// was done, for two minutes at most; a step that was not sent yet is taken back.
// Run returns when nothing is under way any more.
//
// Whether the plan may run is for the caller to ask: see plan.Plan.Gate.
func Run(ctx context.Context, p *plan.Plan, t Target, o Options) Result {
	r := &run{
		plan: p, target: t, options: o,
		outcomes: make([]Outcome, len(p.Changes)),
		state:    make([]state, len(p.Changes)),
		phase:    make([]int, len(p.Changes)),
		index:    make(map[model.Key]int, len(p.Changes)),
		work:     make(chan int),
		back:     make(chan int),
		started:  make([]time.Time, len(p.Changes)),
	}
	if r.options.Now == nil {
		r.options.Now = time.Now
	}
	for i := range p.Changes {
		c := &p.Changes[i]
		r.index[c.Key] = i
		r.outcomes[i] = Outcome{Key: c.Key, Action: c.Action, Status: NotRun}
		r.phase[i] = model.Spec(c.Key.Kind).Stage
		if c.Action == plan.Delete {
			r.phase[i] = lastStage - r.phase[i]
		}
	}
	r.loop(ctx)
	return Result{Outcomes: r.outcomes, Interrupted: r.interrupted, Journal: r.broken.get()}
}

// lastStage is above twice every stage, so that the phases of deletes come
// after all others, in reverse.
const lastStage = 1 << 20

type state int

const (
	waiting state = iota
	running
	ended
)

// run is a run under way. All of it belongs to the goroutine of Run; a worker
// only touches the outcome of the change that it was given.
type run struct {
	plan    *plan.Plan
	target  Target
	options Options

	outcomes []Outcome
	state    []state
	phase    []int
	index    map[model.Key]int

	work    chan int // changes to run
	back    chan int // changes that ran
	started []time.Time

	head        int // all changes before it have ended
	underWay    int
	failures    []int // not yet asked about
	broken      breakage
	stopped     bool
	interrupted bool
}

func (r *run) loop(ctx context.Context) {
	workers := min(max(r.options.Workers, 1), max(len(r.plan.Changes), 1))
	for range workers {
		go func() {
			for i := range r.work {
				r.change(ctx, i)
				r.back <- i
			}
		}()
	}
	defer close(r.work)
	for {
		for r.underWay < workers && len(r.failures) == 0 && !r.stopped && ctx.Err() == nil {
			i, ok := r.next()
			if !ok {
				break
			}
			r.state[i] = running
			r.started[i] = r.options.Now()
			r.underWay++
			r.work <- i // never blocks for long: one worker is idle
		}
		if r.underWay == 0 {
			if len(r.failures) == 0 || r.stopped || ctx.Err() != nil {
				break
			}
			r.ask()
			continue
		}
		r.end(<-r.back)
	}
	r.rest(ctx)
}

// end records that a change ran.
func (r *run) end(i int) {
	r.underWay--
	r.state[i] = ended
	r.outcomes[i].Took = r.options.Now().Sub(r.started[i])
	if s := r.outcomes[i].Status; s == Failed || s == Unclear {
		r.failures = append(r.failures, i)
	}
	if r.broken.get() != nil {
		r.stopped = true
	}
	r.tell(i)
}

func (r *run) tell(i int) {
	if r.options.OnDone != nil {
		r.options.OnDone(r.outcomes[i])
	}
}

// ask puts one failure to the caller.
func (r *run) ask() {
	i := r.failures[0]
	r.failures = r.failures[1:]
	if r.options.OnFailure == nil || r.options.OnFailure(r.outcomes[i]) == Stop {
		r.stopped = true
	}
}
