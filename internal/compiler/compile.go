package compiler

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"cuelang.org/go/cue/errors"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// Result is what the configuration says about one environment. It is immutable.
type Result struct {
	Environment Environment
	// State holds the resources that the environment has. Attributes are what
	// the user wrote and nothing else; a flow that is made from a template has
	// the definition that the template makes instead.
	State model.State
	// Excluded are the resources that enabled_in leaves out, sorted.
	Excluded []model.Key
}

// Environment is a Descope project and how it may be treated. Fields that the
// user did not write have their zero value.
type Environment struct {
	Name       string
	ProjectID  string
	Protected  bool
	BaseURL    string
	Rate       Rate
	Connectors map[string]string
	URLs       []string
	// Origin is where the environment was written, Origins where its fields
	// were, by path.
	Origin  model.Origin
	Origins map[string]model.Origin
}

// Rate is a budget of calls; the zero value means that none was written.
type Rate struct {
	Calls int
	Per   time.Duration
}

// Compile evaluates one environment: the one way from files to a state. The
// diagnostics are sorted and may be warnings only; the result is nil exactly
// if there is an error among them. It is one that another environment has the same
// project; what else is wrong with another environment is a warning, and only
// where its project depends on it.
//
// CUE cannot be interrupted: when ctx ends, Compile returns at once and leaves
// the evaluation to finish by itself.
func Compile(ctx context.Context, m *Module, env string) (*Result, model.Diagnostics) {
	return compileOne(ctx, m, env, true)
}

func compileOne(ctx context.Context, m *Module, env string, alone bool) (*Result, model.Diagnostics) {
	return cached(m, env, asked("result", env, alone), func() (*Result, model.Diagnostics) {
		c, diags := compile(ctx, m, env, alone, false)
		if c == nil {
			return nil, diags
		}
		return &c.result, diags
	}, packResult, unpackResult)
}

// CompileAll compiles every environment of the module, in the order of their
// names. An environment with an error is missing from the results. The
// diagnostics are those of all environments; what the shared definitions bring
// to each of them is reported once.
func CompileAll(ctx context.Context, m *Module) ([]*Result, model.Diagnostics) {
	environments, err := m.Environments()
	if err != nil {
		return nil, model.Diagnostics{{Severity: model.Error, Code: "unreadable", Summary: oneLine(err.Error())}}
	}
	if len(environments) == 0 {
		return nil, model.Diagnostics{m.unknownEnvironment("", nil)}
	}
	var results []*Result
	var diags model.Diagnostics
	shared := CompileEach(ctx, m, environments, 1, func(_ string, r *Result, d model.Diagnostics) bool {
		diags = append(diags, d...)
		if r != nil {
			results = append(results, r)
		}
		return true
	})
	for _, d := range shared {
		results = slices.DeleteFunc(results, func(r *Result) bool { return r.Environment.fieldOrigin(projectID) == d.Origin })
	}
	return results, append(diags, shared...).Sort()
}

// CompileEach compiles environments: the first by itself, the others in the order given
// and as many at once as there are workers. After each it calls f, one call at a time,
// which says whether to go on. It is [CompileAll] for whoever wants to know of the first
// before the last is done. It returns what is wrong with them together.
func CompileEach(ctx context.Context, m *Module, environments []string, workers int, f func(env string, r *Result, d model.Diagnostics) bool) model.Diagnostics {
	m = m.keepingLiterals()
	results := make([]*Result, len(environments))
	var mu sync.Mutex
	next, stopped := 0, false
	one := func() bool {
		mu.Lock()
		i := next
		next++
		done := stopped || i >= len(environments)
		mu.Unlock()
		if done {
			return false
		}
		r, d := compileOne(ctx, m, environments[i], false)
		mu.Lock()
		defer mu.Unlock()
		results[i] = r
		stopped = stopped || !f(environments[i], r, d)
		return !stopped
	}
	if one() {
		var wg sync.WaitGroup
		for range workers {
			wg.Go(func() {
				for one() {
				}
			})
		}
		wg.Wait()
	}
	if stopped {
		return nil
	}
	var shared model.Diagnostics
	for _, d := range sharedProjects(slices.DeleteFunc(results, func(r *Result) bool { return r == nil })) {
		shared = append(shared, d...)
	}
	return shared.Sort()
}

// compiled is a result with what [Eval] needs besides.
type compiled struct {
	result Result
	tree   *tree
	loaded *loaded
	alone  bool // the other environments are not compiled beside this one
}

// compile runs the evaluation where a panic of CUE cannot take the program
// down and where the end of ctx does not have to wait for it. whole has CUE evaluate
// everything, for whoever asks about the values themselves.
func compile(ctx context.Context, m *Module, env string, alone, whole bool) (*compiled, model.Diagnostics) {
	var c *compiled
	diags, err := guarded(ctx, func() (diags model.Diagnostics) {
		c, diags = compileNow(m, env, alone, whole)
		return diags
	})
	if err != nil {
		return nil, model.Diagnostics{*err}
	}
	if m.yaml != nil {
		diags = m.inYAML(diags)
	}
	return c, diags
}

// guarded runs f in a goroutine of its own. Unless it returns an error, f is
// done.
func guarded(ctx context.Context, f func() model.Diagnostics) (model.Diagnostics, *model.Diagnostic) {
	interrupted := func() *model.Diagnostic {
		return &model.Diagnostic{Severity: model.Error, Code: "interrupted", Summary: "the evaluation was interrupted: " + ctx.Err().Error()}
	}
	if ctx.Err() != nil {
		return nil, interrupted()
	}
	type outcome struct {
		diags model.Diagnostics
		err   *model.Diagnostic
	}
	done := make(chan outcome, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				done <- outcome{err: &model.Diagnostic{
					Severity: model.Error,
					Code:     "internal",
					Summary:  "CUE gave up on this configuration: " + short(fmt.Sprint(p)),
					Hint:     "please report it, with the configuration",
					Raw:      fmt.Sprint(p),
				}}
			}
		}()
		done <- outcome{diags: f()}
	}()
	select {
	case o := <-done:
		return o.diags, o.err
	case <-ctx.Done():
		return nil, interrupted()
	}
}

func compileNow(m *Module, env string, alone, whole bool) (*compiled, model.Diagnostics) {
	l, t, problems, diags := m.loadAndEvaluate(env, wants{resources: true, whole: whole})
	if l == nil {
		return nil, diags.Sort()
	}
	l.tellStrategy(t)
	diags = append(diags, l.warnings...)
	diags = append(diags, l.explain(t, problems)...)
	if len(diags.Errors()) > 0 {
		return nil, diags.Sort()
	}
	c := &compiled{tree: t, loaded: l, alone: alone}
	diags = append(diags, c.assemble()...)
	diags = append(diags, c.check()...).Sort()
	if len(diags.Errors()) > 0 {
		return nil, diags
	}
	return c, diags
}

// loadAndEvaluate takes the quickest way that gives what the whole at once would give:
// in parts, and without the templates, unless something is wrong or needs them.
func (m *Module) loadAndEvaluate(env string, want wants) (*loaded, *tree, []errors.Error, model.Diagnostics) {
	l, diags := m.load(env, want)
	if l == nil {
		return nil, nil, nil, diags
	}
	t, problems := evaluate(l)
	if !l.templates && (len(problems) > 0 || t.namesTemplate()) {
		want.templates = true
		return m.loadAndEvaluate(env, want)
	}
	if l.shards != nil && (len(problems) > 0 || len(l.unknownFields(t.value)) > 0 || !l.evaluateShards(t)) {
		// Mostly a mistake, for which the templates would be loaded next.
		want.together, want.templates = true, true
		return m.loadAndEvaluate(env, want)
	}
	return l, t, problems, diags
}
