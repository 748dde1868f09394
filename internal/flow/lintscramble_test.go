package flow

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// TestLintScrambled edits any value of a flow in any way. Nothing panics, each
// problem and each use names a place that the document or its neighbour has, and
// binding twice is binding once.
func TestLintScrambled(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	f, live := clean(t), Bind(clean(t), away(), nil).Flow
	o := around(t)
	valid, problems := 0, 0
	for range 1000 {
		doc := f.Value()
		what := scramble(doc, r)
		for range r.IntN(3) {
			what += ", " + scramble(doc, r)
		}
		g, _, err := FromValue(doc)
		if err != nil {
			continue
		}
		valid++
		places := map[string]bool{}
		eachPlace(g.doc, nil, func(path []any) { places[jsonPath(path...)] = true })
		found := Lint(g, o)
		problems += len(found)
		for _, p := range found {
			switch {
			case p.Message == "" || p.Rule == "" || p.Severity == "":
				t.Fatalf("%s: %s", what, jsonOf(p))
			case p.Rule == UnsetArgument: // there may be no arguments at all
			case !places[p.Path] && !places[p.Path[:strings.LastIndexAny(p.Path, ".[")]]:
				// What is missing may be the very value that has the problem.
				t.Fatalf("%s: nothing at the place of %s", what, jsonOf(p))
			}
		}
		for _, u := range g.Uses() {
			if !places[u.Path] {
				t.Fatalf("%s: nothing at the place of %s", what, jsonOf(u))
			}
		}
		bound := Bind(g, away(), &live)
		if again := Bind(bound.Flow, away(), &live); string(again.Flow.V2()) != string(bound.Flow.V2()) {
			t.Fatalf("%s: not the same when bound twice", what)
		}
		if _, _, err := FromValue(bound.Flow.Value()); err != nil {
			t.Fatalf("%s: bound, it is no flow: %v", what, err)
		}
	}
	if valid < 400 || problems < 150 {
		t.Errorf("only %d of the edits gave a flow, with %d problems", valid, problems)
	}
	t.Logf("counts: %d flows, %d problems", valid, problems)
}

// eachPlace visits every place in a value.
func eachPlace(v any, path []any, visit func(path []any)) {
	if len(path) > 0 {
		visit(path)
	}
	switch v := v.(type) {
	case []any:
		for i, e := range v {
			eachPlace(e, append(path, i), visit)
		}
	case map[string]any:
		for k, e := range v {
			eachPlace(e, append(path, k), visit)
		}
	}
}
