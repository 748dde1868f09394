package flow

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestDiffIsConsistent edits any value of the document in any way. Whatever the
// edit, the report and the normal form agree on whether something changed, and
// the report says so in both directions.
func TestDiffIsConsistent(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	f := fixture(t)
	valid, different := 0, 0
	for range 800 {
		doc := f.Value()
		what := scramble(doc, r)
		g, _, err := FromValue(doc)
		if err != nil {
			continue
		}
		valid++
		report, back := Diff(f, g), Diff(g, f)
		same := f.Normal().Equal(g.Normal())
		if same != (f.Normal().Digest() == g.Normal().Digest()) {
			t.Fatalf("%s: equal %v, but not in the digest", what, same)
		}
		if same && !report.Equal() || !same && len(report.Changes)+len(report.Noise) == 0 {
			t.Fatalf("%s: equal in the normal form: %v, but the report says\n%s", what, same, jsonOf(report))
		}
		if report.Equal() != back.Equal() {
			t.Fatalf("%s: one way\n%s\nand the other\n%s", what, jsonOf(report.Changes), jsonOf(back.Changes))
		}
		if !same {
			different++
		}
	}
	if valid < 400 || different < 200 {
		t.Errorf("only %d of the edits gave a flow, %d another one", valid, different)
	}
}

// scramble changes one value somewhere in v and says where.
func scramble(v any, r *rand.Rand) string {
	other := []any{nil, "", "other", true, false, []any{}, map[string]any{}}
	switch v := v.(type) {
	case map[string]any:
		names := keys(v)
		if len(names) == 0 || r.IntN(12) == 0 {
			v["new"] = other[r.IntN(len(other))]
			return "+new"
		}
		name := names[r.IntN(len(names))]
		switch v[name].(type) {
		case map[string]any, []any:
			if r.IntN(8) > 0 {
				return name + "." + scramble(v[name], r)
			}
		}
		if r.IntN(3) == 0 {
			delete(v, name)
			return "-" + name
		}
		v[name] = other[r.IntN(len(other))]
		return "=" + name
	case []any:
		if len(v) == 0 {
			return "nothing"
		}
		i := r.IntN(len(v))
		switch v[i].(type) {
		case map[string]any, []any:
			return itoa(i) + "." + scramble(v[i], r)
		}
		if r.IntN(2) == 0 {
			slices.Reverse(v)
			return "reversed"
		}
		v[i] = other[r.IntN(len(other))]
		return itoa(i)
	}
	return "nothing"
}
