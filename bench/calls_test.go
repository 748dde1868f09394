package bench

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"pcconnect.ai/descope-mgmt/internal/compiler"
	"pcconnect.ai/descope-mgmt/internal/emulator"
	"pcconnect.ai/descope-mgmt/internal/model"
)

// TestCalls counts what a plan and an apply of 1 000 tenants ask of Descope,
// from the configuration's files on.
func TestCalls(t *testing.T) {
	const n = 1000
	desired := compile(t, n)
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, emulator.Options{})
		w.apply(desired, w.plan(desired))

		w.forgetCalls()
		if p := w.plan(desired); !p.Empty() || len(p.Unchanged) != n {
			t.Fatalf("%d changes after an apply, %d unchanged", len(p.Changes), len(p.Unchanged))
		}
		c := w.calls()
		one := c.paths["GET /v1/mgmt/tenant/all"] == 1 && len(c.paths) == 1
		if !one {
			t.Errorf("a plan without changes made the calls %v", c.paths)
		}
		record(t, "plan of 1 000 tenants, no change: calls", fmt.Sprint(c.reads+c.writes), "1", one)

		time.Sleep(2 * time.Minute) // the budget of writes is whole again
		changed, changes, roles := change(t, desired)
		w.forgetCalls()
		p := w.plan(changed)
		if len(p.Changes) != changes {
			t.Fatalf("%d changes, want %d", len(p.Changes), changes)
		}
		w.apply(changed, p)
		c = w.calls()
		if c.writes != changes+roles || c.paths["POST /v1/mgmt/tenant/updateDefaultRoles"] != roles {
			t.Errorf("%d changes, %d of default roles as well, made %d writes: %v", changes, roles, c.writes, c.paths)
		}
		record(t, fmt.Sprintf("%d changes, %d of default roles as well: calls that write", changes, roles),
			fmt.Sprint(c.writes), fmt.Sprint(changes+roles), c.writes == changes+roles)
		// One for the plan, one to verify.
		if c.reads > 2 || c.paths["GET /v1/mgmt/tenant/all"] != c.reads {
			t.Errorf("%d changes of 1 000 tenants took %d reads: %v", changes, c.reads, c.paths)
		}
		record(t, "the same: calls that read", fmt.Sprint(c.reads), "2", c.reads <= 2)
		if p := w.plan(changed); !p.Empty() {
			t.Errorf("%d changes after the second apply", len(p.Changes))
		}
	})
}

// change makes 20 creates and 17 updates. Three of the creates and two of the
// updates give default roles besides.
func change(t *testing.T, s model.State) (changed model.State, changes, roles int) {
	t.Helper()
	for i := range 20 {
		own := map[string]any{}
		if i < 3 {
			own["default_roles"] = []any{"Tenant Admin", "User"}
			roles++
		}
		s = s.With(tenant(s.Len(), own))
		changes++
	}
	for i, r := range s.Resources()[:17] {
		own := map[string]any{"name": fmt.Sprintf("Renamed %02d", i)}
		if i < 2 {
			own["default_roles"] = []any{"User"}
			roles++
		}
		s = s.With(tenantLike(r, own))
		changes++
	}
	return s, changes, roles
}

// tenantLike is a desired tenant with some attributes replaced.
func tenantLike(r model.Resource, own map[string]any) model.Resource {
	r.Attrs = model.CloneMap(r.Attrs)
	for name, v := range own {
		r.Attrs[name] = v
	}
	return r
}

// compile generates a configuration of n tenants and evaluates it.
func compile(t testing.TB, n int) model.State {
	t.Helper()
	m, err := compiler.Find(generate(t, n))
	if err != nil {
		t.Fatal(err)
	}
	result, diagnostics := compiler.Compile(context.Background(), m, "prod")
	if result == nil || len(diagnostics) > 0 {
		t.Fatalf("the generated configuration is not clean: %+v", diagnostics)
	}
	if result.State.Len() != n {
		t.Fatalf("%d tenants, want %d", result.State.Len(), n)
	}
	return result.State
}
