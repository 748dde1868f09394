package plan_test

import (
	"testing"

	"pcconnect.ai/descope-mgmt/internal/plan"
)

// TestImportedShare: what was made outside keeps the domains that it shares with others
// of its like, and names are unique all the same.
func TestImportedShare(t *testing.T) {
	tenants := func(name string) (a, b map[string]any) {
		return map[string]any{"name": "A", "domains": []any{"x.example"}, "self_provisioning": true}, map[string]any{"name": name, "domains": []any{"x.example"}, "self_provisioning": true}
	}
	for _, c := range []struct {
		imported bool
		name     string
		guards   int
	}{{true, "B", 0}, {false, "B", 1}, {true, "A", 1}} {
		x, y := tenants(c.name)
		a, b := wanted(t, "a", x), wanted(t, "b", y)
		a.Policy.Imported, b.Policy.Imported = true, c.imported
		if p := compute(t, state(t, a, b), state(t), state(t), plan.Options{}); len(p.Guards) != c.guards {
			t.Errorf("imported %v, name %s, both new: %+v", c.imported, c.name, p.Guards)
		}
		live := alive(t, "b", y)
		if p := compute(t, state(t, a, b), state(t, live), state(t), plan.Options{}); len(p.Guards) != c.guards {
			t.Errorf("imported %v, name %s, one live: %+v", c.imported, c.name, p.Guards)
		}
		// A project that had it so gets it back so; a tenant that is not part of that
		// keeps what it holds.
		saved := plan.Options{Saved: true}
		if p := compute(t, state(t, a, b), state(t), state(t), saved); (len(p.Guards) > 0) != (c.name == "A") {
			t.Errorf("imported %v, name %s, saved: %+v", c.imported, c.name, p.Guards)
		}
		if p := compute(t, state(t, a), state(t, live), state(t), saved); len(p.Guards) == 0 {
			t.Errorf("imported %v, name %s, saved without it: no guard", c.imported, c.name)
		}
	}
}
