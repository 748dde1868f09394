package conformance

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"pcconnect.ai/descope-mgmt/internal/compiler"
	"pcconnect.ai/descope-mgmt/internal/emulator"
	documents "pcconnect.ai/descope-mgmt/internal/flow"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
	"pcconnect.ai/descope-mgmt/internal/store"
)

// group is a project that goes through a sequence of desired states.
type group struct {
	name string
	// seed is the project before the first step, in the form of a seed file.
	seed  string
	steps []step
}

// step is one desired state: it is compiled, planned, applied, and planned
// again, and the second plan is empty.
type step struct {
	does string
	// cue are all tenants and flows, as files under envs/ say it; overlay is
	// what envs/dev/ adds.
	cue, overlay string
	protected    bool
	// meanwhile are calls that somebody else makes first, each a path and a body.
	meanwhile [][2]string
	prune     bool
	unmanaged []string // addresses for --prune-unmanaged
	targets   []string
	// changes is how many changes the plan has. Those are applied, unless the
	// plan meets a guard that nothing passes.
	changes int
	// guards are the rules that the plan meets, in their order.
	guards []plan.Rule
	// second is how many changes the second plan has, in the few cases where
	// that is not none by design.
	second int
	// warns are the codes of the plan's warnings, but for those that every
	// deletion of a tenant has.
	warns []string
	// live are fields of objects as they are stored afterwards, JSON by address;
	// lists are compared as sets, and "gone" is no object at all.
	live map[string]string
}

type quirkSet struct {
	name   string
	quirks emulator.Quirks
}

// The quirk sets in which sets are shown in another order each time.
const (
	turned  = "sets in another order each time"
	hostile = "all at once"
)

// quirkSets are the ways in which Descope may answer, as far as they should make
// no difference.
func quirkSets() []quirkSet {
	all := emulator.Quirks{
		ListOrder: "shuffled", Successors: "all", DomainsLower: true, DomainsDedup: true, DomainsReorder: true,
		EmptyAttributes: "absent", DuplicateStatus: 409, NotFoundStatus: 400, UnknownParentStatus: 404,
		UnknownProjectStatus: 400, IDRule: "strict", NameCase: "fold", DuplicateDomains: "refuse",
		DeleteWithUsers: "refuse", UnknownFields: "drop", MissingFieldCode: "E011002",
		Etag: "frozen", FlowEcho: "verbatim", FlowListDSL: "full", UnknownFlowDelete: "not-found",
	}
	return []quirkSet{
		{"default", emulator.Quirks{}},
		{"lists in another order each time", emulator.Quirks{ListOrder: "shuffled", DomainsReorder: true}},
		{turned, emulator.Quirks{Successors: "all"}},
		{"domains are normalised", emulator.Quirks{DomainsLower: true, DomainsDedup: true}},
		{"no attributes are null", emulator.Quirks{EmptyAttributes: "null"}},
		{"no attributes are absent", emulator.Quirks{EmptyAttributes: "absent"}},
		{"other statuses", emulator.Quirks{DuplicateStatus: 409, NotFoundStatus: 400, UnknownParentStatus: 404}},
		{"successors are all descendants", emulator.Quirks{Successors: "all"}},
		{"updates merge", emulator.Quirks{TenantUpdate: "merge"}},
		{hostile, all},
	}
}

// TestSequences takes projects through sequences of desired states, under every
// set of quirks: the whole way from CUE to an empty second plan.
func TestSequences(t *testing.T) {
	t.Parallel()
	var steps, cases atomic.Int64
	names := map[string]bool{}
	for _, g := range append(tenantGroups(), flowGroups()...) {
		if names[g.name] {
			t.Errorf("two groups are called %q", g.name)
		}
		names[g.name] = true
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			results := compileSteps(t, g)
			for _, set := range quirkSets() {
				t.Run(set.name, func(t *testing.T) {
					var memory memory = &ram{}
					if set.quirks == (emulator.Quirks{}) {
						memory = fileMemory(t) // what is kept must survive being written
					}
					synctest.Test(t, func(t *testing.T) {
						w := newWorld(t, set.quirks, memory)
						if set.name == turned || set.name == hostile {
							w.turnSets()
						}
						if g.seed != "" {
							w.seed(g.seed)
						}
						for i, s := range g.steps {
							w.step(t, fmt.Sprintf("step %d, %s", i+1, s.does), s, results[i])
							if t.Failed() {
								return
							}
							steps.Add(1)
						}
						drain()
					})
					cases.Add(1)
				})
			}
		})
	}
	t.Cleanup(func() {
		t.Logf("%d groups, %d sequences, %d steps, each planned, applied and planned again", len(names), cases.Load(), steps.Load())
		if int(cases.Load()) != len(names)*len(quirkSets()) {
			t.Errorf("%d sequences ran to their end, want %d", cases.Load(), len(names)*len(quirkSets()))
		}
	})
}

// compileSteps evaluates the configuration of every step.
func compileSteps(t *testing.T, g group) []*compiler.Result {
	t.Helper()
	root := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("cue.mod/module.cue", "module: \"example.com/sequences@v0\"\nlanguage: version: \"v0.17.0\"\n")
	write("envs/stay/stay.cue", "package envs\n\nenvironment: name: \"stay\"\n")
	results := make([]*compiler.Result, len(g.steps))
	for i, s := range g.steps {
		write("envs/resources.cue", "package envs\n\n"+s.cue+"\n")
		write("envs/dev/dev.cue", fmt.Sprintf("package envs\n\nenvironment: {name: \"dev\", project_id: %q, protected: %v}\n%s\n", project, s.protected, s.overlay))
		m, err := compiler.Find(root)
		if err != nil {
			t.Fatal(err)
		}
		result, diagnostics := compiler.Compile(t.Context(), m, "dev")
		if result == nil {
			t.Fatalf("step %d, %s: %v\n%s", i+1, s.does, diagnostics, s.cue)
		}
		state, mistakes := documents.Documents(result.State)
		if len(mistakes.Errors()) > 0 {
			t.Fatalf("step %d, %s: %v", i+1, s.does, mistakes)
		}
		result.State = state
		results[i] = result
	}
	return results
}

// step takes the project through one step.
func (w *world) step(t *testing.T, name string, s step, compiled *compiler.Result) {
	t.Helper()
	for _, call := range s.meanwhile {
		w.post(call[0], call[1])
	}
	o := plan.Options{Protected: compiled.Environment.Protected, Targets: keys(t, s.targets), PruneUnmanaged: keys(t, s.unmanaged)}
	if s.prune {
		o.Prune = []model.Kind{model.Tenant, model.Flow}
	}
	p := w.plan(compiled.State, o)
	expectPlan(t, name, s, p)
	if t.Failed() {
		return
	}
	if len(p.Gate(everything())) > 0 {
		again := w.plan(compiled.State, o)
		expectPlan(t, name+", planned again", s, again)
		return
	}
	w.apply(compiled.State, p, 8)
	w.expectLive(t, name, s)
	// What is gone cannot be named any more.
	o.PruneUnmanaged = nil
	o.Targets = slices.DeleteFunc(o.Targets, func(k model.Key) bool {
		return slices.ContainsFunc(p.Changes, func(c plan.Change) bool { return c.Key == k && c.Action == plan.Delete })
	})
	if len(s.targets) > 0 && len(o.Targets) == 0 {
		return // and no targets would be everything
	}
	again := w.plan(compiled.State, o)
	if len(again.Changes) != s.second || len(again.Guards) > 0 {
		t.Errorf("%s: the second plan has other than %d changes:\n%s%+v", name, s.second, describe(again), again.Guards)
	}
}

// expectPlan holds a plan against what the step says of it.
func expectPlan(t *testing.T, name string, s step, p *plan.Plan) {
	t.Helper()
	var rules []plan.Rule
	for _, g := range p.Guards {
		if !slices.Contains(rules, g.Rule) {
			rules = append(rules, g.Rule)
		}
	}
	var warnings []string
	for _, d := range p.Warnings {
		warnings = append(warnings, d.Code)
	}
	if len(p.Changes) != s.changes {
		t.Errorf("%s: %d changes, want %d:\n%s", name, len(p.Changes), s.changes, describe(p))
	}
	if !slices.Equal(rules, s.guards) {
		t.Errorf("%s: guards %v, want %v: %+v", name, rules, s.guards, p.Guards)
	}
	want := slices.Clone(s.warns)
	for _, c := range p.Changes {
		if c.Key.Kind == model.Tenant && c.Action == plan.Delete { // which takes users and keys along
			want = append(want, "cannot-undo")
		}
	}
	slices.Sort(warnings)
	slices.Sort(want)
	if !slices.Equal(warnings, want) {
		t.Errorf("%s: warnings %v, want %v", name, warnings, want)
	}
}

// expectLive holds what is stored against what the step says of it.
func (w *world) expectLive(t *testing.T, name string, s step) {
	t.Helper()
	stored := w.stored()
	for address, want := range s.live {
		k, err := model.ParseKey(address)
		if err != nil {
			t.Fatal(err)
		}
		is, exists := stored[k]
		if want == "gone" {
			if exists {
				t.Errorf("%s: %s exists", name, address)
			}
			continue
		}
		for field, v := range value(t, []byte(want)).(map[string]any) {
			if is[field] == nil || !model.Equal(asSet(value(t, is[field])), asSet(v)) {
				t.Errorf("%s: %s of %s is %s, want %s", name, field, address, is[field], model.CanonicalJSON(v))
			}
		}
	}
}

func describe(p *plan.Plan) string {
	var b strings.Builder
	for _, c := range p.Changes {
		fmt.Fprintf(&b, "  %s %s\n", c.Action, c.Key)
		for _, f := range c.Fields {
			fmt.Fprintf(&b, "    %s: %v → %v (%s)\n", f.Path, f.Before, f.After, f.Moved)
		}
	}
	return b.String()
}

func keys(t *testing.T, addresses []string) []model.Key {
	t.Helper()
	var out []model.Key
	for _, a := range addresses {
		k, err := model.ParseKey(a)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, k)
	}
	return out
}

// disk is what was last applied, kept where the command line keeps it.
type disk struct{ scope *store.Scope }

func (d disk) load() (model.State, error) { return d.scope.LoadLastApplied() }
func (d disk) save(s model.State) error   { return d.scope.SaveLastApplied(s, store.Meta{}) }

func fileMemory(t *testing.T) memory {
	t.Helper()
	dir, err := store.Open(filepath.Join(t.TempDir(), "state"))
	if err != nil {
		t.Fatal(err)
	}
	scope, err := dir.Scope("http://localhost", project)
	if err != nil {
		t.Fatal(err)
	}
	return disk{scope}
}
