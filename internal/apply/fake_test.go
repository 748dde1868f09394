package apply_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"pcconnect.ai/descope-mgmt/internal/apply"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
)

type attrs = map[string]any

func key(id string) model.Key { return model.Key{Kind: model.Tenant, ID: id} }

// fake is a target that does what a test says.
type fake struct {
	mu      sync.Mutex
	live    map[model.Key]model.Resource
	log     []string // "start a", "end a"
	running int
	most    int // that ran at once
	// do is what happens to a step; nil means success.
	do func(ctx context.Context, s model.Step) (int, error)
}

func (f *fake) Do(ctx context.Context, s model.Step, check func(model.Resource, bool) error) (int, error) {
	f.mu.Lock()
	f.log = append(f.log, "start "+s.Key.ID)
	f.running++
	f.most = max(f.most, f.running)
	live, exists := f.live[s.Key]
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		f.log = append(f.log, "end "+s.Key.ID)
		f.running--
		f.mu.Unlock()
	}()
	if check != nil {
		if err := check(live, exists); err != nil {
			return 0, err
		}
	}
	if f.do == nil {
		return 1, nil
	}
	return f.do(ctx, s)
}

// before reports that one change ended before another one started.
func (f *fake) before(t *testing.T, first, second string) {
	t.Helper()
	end, start := slices.Index(f.log, "end "+first), slices.Index(f.log, "start "+second)
	if end < 0 || start < 0 || end > start {
		t.Errorf("%s did not end before %s started: %v", first, second, f.log)
	}
}

func (f *fake) started(id string) bool { return slices.Contains(f.log, "start "+id) }

// change builds one planned change: "+a" creates, "~a" updates, "-a" deletes;
// needs are the ids that it depends on.
func change(s string, needs ...string) plan.Change {
	c := plan.Change{Key: key(s[1:])}
	switch s[0] {
	case '+':
		c.Action, c.After = plan.Create, attrs{"name": s[1:]}
	case '~':
		c.Action, c.Before, c.After = plan.Update, attrs{"name": "old", "disabled": false}, attrs{"name": s[1:], "disabled": false}
	case '-':
		c.Action, c.Before = plan.Delete, attrs{"name": "old", "disabled": false}
	default:
		panic(s)
	}
	if c.Before != nil {
		c.PreImage = attrs{"name": "old", "enforceSSO": true}
	}
	for _, n := range needs {
		c.DependsOn = append(c.DependsOn, key(n))
	}
	c.Steps = []model.Step{{Op: model.TenantUpdate, Key: c.Key, Body: []byte(`{}`)}}
	return c
}

// target holds the live objects that the changes were computed from.
func target(p *plan.Plan) *fake {
	f := &fake{live: map[model.Key]model.Resource{}}
	for _, c := range p.Changes {
		if c.Before != nil {
			f.live[c.Key] = model.Resource{Key: c.Key, Attrs: c.Before, Observed: &model.Observed{Fields: c.PreImage}}
		}
	}
	return f
}

func planned(changes ...plan.Change) *plan.Plan { return &plan.Plan{Changes: changes} }

// statuses are the outcomes in short: "a done, b failed: reason".
func statuses(r apply.Result) []string {
	var out []string
	for _, o := range r.Outcomes {
		s := fmt.Sprintf("%s %s", o.Key.ID, o.Status)
		if o.Err != nil {
			s += ": " + o.Err.Error()
		}
		out = append(out, s)
	}
	return out
}

var errBroken = errors.New("broken")

// breaking fails the steps of some ids.
func breaking(ids ...string) func(context.Context, model.Step) (int, error) {
	return func(_ context.Context, s model.Step) (int, error) {
		if slices.Contains(ids, s.Key.ID) {
			return 2, errBroken
		}
		return 1, nil
	}
}

// lost is a call that was never answered.
type lost struct{ answered bool }

func (lost) Error() string      { return "connection reset" }
func (l lost) Unanswered() bool { return !l.answered }
