package plan_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
)

// TestLabels holds who moved what against an oracle that knows objects as plain text
// fields: 10 000 random triples of what was applied, is wanted and is live.
func TestLabels(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	seen := map[plan.Side]int{}
	fields := []string{"name", "role_inheritance", "custom_attributes.a", "custom_attributes.b", "custom_attributes.c"}
	values := []string{"x", "y", "z"}
	draw := func(absent int) map[string]string {
		if r.IntN(10) < absent {
			return nil
		}
		out := map[string]string{"name": values[r.IntN(3)]}
		for _, f := range fields[1:] {
			if r.IntN(3) > 0 {
				out[f] = values[r.IntN(3)]
			}
		}
		return out
	}
	for i := range 10_000 {
		last, want, live := draw(3), draw(1), draw(1)
		if want == nil && last == nil || live == nil && want == nil {
			continue
		}
		if live != nil { // Descope always has one
			if live["role_inheritance"] == "" {
				live["role_inheritance"] = "x"
			}
		}
		p := compute(t, plainState(t, want, wanted), plainState(t, live, alive), plainState(t, last, wanted), plan.Options{})
		got := map[string]plan.Side{}
		for _, ch := range p.Changes {
			for _, f := range ch.Fields {
				got[f.Path] = f.Moved
			}
		}
		expected := oracle(fields, last, want, live)
		for f := range expected {
			seen[expected[f]]++
		}
		if fmt.Sprint(got) != fmt.Sprint(expected) {
			t.Fatalf("%d: applied %v, wanted %v, live %v:\n got %v\nwant %v", i, last, want, live, got, expected)
		}
	}
	for _, side := range []plan.Side{plan.Config, plan.Live, plan.Both, plan.Unknown} {
		if seen[side] < 500 {
			t.Errorf("only %d fields were moved by %s", seen[side], side)
		}
	}
	t.Logf("counts: 10000 triples, %v", seen)
}

// oracle says who moved each field that differs, in the words of the documentation: who
// left what was applied last behind has moved.
func oracle(fields []string, last, want, live map[string]string) map[string]plan.Side {
	out := map[string]plan.Side{}
	if want == nil { // an orphan differs in no field
		return out
	}
	for _, f := range fields {
		wish, written := want[f]
		was, applied := last[f]
		is := live[f]
		if !written {
			wasOurs := applied && f != "name" && f != "role_inheritance"
			if !wasOurs || live == nil {
				continue // nobody asks for it
			}
			wish = ""
		}
		if wish == is {
			continue
		}
		switch {
		case last == nil && live != nil:
			out[f] = plan.Unknown
		case !applied || was == is:
			out[f] = plan.Config
		case was == wish:
			out[f] = plan.Live
		default:
			out[f] = plan.Both
		}
	}
	return out
}

// plainState is a state of one tenant with text fields, or the empty state.
func plainState(t *testing.T, fields map[string]string, made func(testing.TB, string, attrs) model.Resource) model.State {
	t.Helper()
	if fields == nil {
		return model.State{}
	}
	custom, out := attrs{}, attrs{}
	for f, v := range fields {
		if elements, _ := model.SplitPath(f); len(elements) == 2 {
			custom[elements[1]] = v
		} else {
			out[f] = v
		}
	}
	if len(custom) > 0 {
		out["custom_attributes"] = custom
	}
	return state(t, made(t, "a", out))
}
