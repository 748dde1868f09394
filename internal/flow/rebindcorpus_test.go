package flow

import (
	"math/rand/v2"
	"slices"
	"testing"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// projectFor is a made-up project that has all names that a flow uses, each with
// an id of its own, and some more.
func projectFor(f Flow, r *rand.Rand) Project {
	p := Project{
		Connectors: map[string][]string{"Other": {newID("CI", r)}}, Roles: map[string][]string{"Other": {newID("ROL", r)}},
		Flows: NamesOf("other"), Attributes: NamesOf("other"), TenantAttributes: NamesOf(), Lists: NamesOf(), Assets: NamesOf(),
	}
	references := f.References()
	for name := range references["connectors"] {
		p.Connectors[name] = []string{newID("CI", r)}
	}
	for name := range references["roles"] {
		p.Roles[name] = []string{newID("ROL", r)}
	}
	for _, u := range f.Uses() {
		switch u.Kind {
		case UseRole:
			if !u.byID() {
				p.Roles[u.ID] = []string{newID("ROL", r)}
			}
		case UseFlow, UseAttribute, UseTenantAttribute, UseList, UseAsset:
			p.names(u.Kind)[u.ID] = true
		case UseConnector, UseInteraction, UseTemplate:
		}
	}
	return p
}

func newID(prefix string, r *rand.Rand) string {
	return prefix + randomText(itoa(int(r.Int64())))
}

// TestBindCorpus binds every flow that has no errors to five other projects, as
// new and over a version of its own there: nothing of the old project is left,
// and the flow does the same.
func TestBindCorpus(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	bound, ids, refused := 0, 0, 0
	flows := everyFlow(t)
	for _, name := range keys(flows) {
		f := flows[name]
		if own := Bind(f, ProjectOf([]Flow{f}).With(projectNames(f)), &f); string(own.Flow.V2()) != string(f.V2()) {
			t.Errorf("%s: bound to its own project the flow is another", name)
		}
		if problems := Lint(f, LintOptions{}); slices.ContainsFunc(problems, func(p Problem) bool {
			return p.Severity == model.Error || p.Rule == UnnamedConnector
		}) {
			refused++
			continue
		}
		for i := range 5 {
			p := projectFor(f, r)
			got := Bind(f, p, nil)
			bound++
			ids += checkBound(t, name, f, got, p)
			if i > 0 {
				continue // over a live version once: that is the slow part
			}
			mapping := map[string]string{}
			for _, s := range got.Flow.Screens() {
				mapping[s.ID] = newID("SC", r)
			}
			live := renamed(t, got.Flow, mapping)
			over := Bind(f, p, &live)
			checkBound(t, name, f, over, p)
			if !over.Flow.Normal().Equal(live.Normal()) || !slices.Equal(screenSet(over.Flow), screenSet(live)) {
				t.Errorf("%s: a redeploy is not without effect: %s", name, jsonOf(Diff(live, over.Flow)))
			}
			if again := Bind(over.Flow, p, &live); string(again.Flow.V2()) != string(over.Flow.V2()) {
				t.Errorf("%s: not the same when bound twice", name)
			}
		}
	}
	if bound < 350 || ids < 50 {
		t.Errorf("only %d bound with %d ids", bound, ids)
	}
	t.Logf("counts: %d flows bound to %d projects, %d ids rewritten, %d flows with errors left out", len(flows)-refused, bound, ids, refused)
}

// projectNames are all names that a flow uses by name alone.
func projectNames(f Flow) Project {
	p := projectFor(f, rand.New(rand.NewPCG(1, 1)))
	p.Connectors, p.Roles = nil, nil
	return p
}

// checkBound returns how many ids of the project are in the bound flow.
func checkBound(t *testing.T, name string, f Flow, got Bound, p Project) int {
	t.Helper()
	if len(got.Problems)+len(got.Unchecked) > 0 {
		t.Errorf("%s: %s %v", name, jsonOf(got.Problems), got.Unchecked)
	}
	if report := Diff(f, got.Flow); !report.Equal() {
		t.Errorf("%s: %s", name, jsonOf(report.Changes))
	}
	old := map[string]bool{}
	for _, kind := range []UseKind{UseConnector, UseRole} {
		for _, id := range f.References()[referenceKind(kind)] {
			old[id] = true
		}
	}
	n := 0
	eachText(got.Flow.doc, nil, func(path []any, s string) {
		if old[s] {
			t.Errorf("%s: an id of the old project at %s", name, jsonPath(path...))
		}
		if p.hasID(UseConnector, s) || p.hasID(UseRole, s) {
			n++
		}
	})
	for _, problem := range Lint(got.Flow, LintOptions{Project: &p}) {
		if problem.Severity == model.Error || problem.Rule == UnnamedConnector {
			t.Errorf("%s: %s", name, jsonOf(problem))
		}
	}
	return n
}
