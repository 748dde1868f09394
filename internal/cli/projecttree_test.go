package cli

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pcconnect.ai/descope-mgmt/internal/emulator"
	"pcconnect.ai/descope-mgmt/internal/flow"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/snapshot"
)

// handmadeProject is a project with hand-made tenants, flows and styles; another seed of
// the same connectors has other ids for them.
func handmadeProject(r *rand.Rand) map[string]any {
	pick := func(from ...string) string { return from[r.IntN(len(from))] }
	var tenants []any
	for i := range r.IntN(12) {
		id := fmt.Sprintf("%s%d", pick("acme-", "T2abC", "x_", "Zürich"), i)
		if strings.HasPrefix(id, "Z") {
			id = fmt.Sprintf("z%d", i)
		}
		tenant := map[string]any{
			"id": id, "name": fmt.Sprintf("%s %d", pick("Acme", "Ünï côdé", "a\u202eb", "<b>&'\"", strings.Repeat("long ", 30)), i),
			"customAttributes": map[string]any{"plan": pick("a", "b", ""), "n": r.IntN(3), "on": r.IntN(2) == 0, "l": []any{"x", "y"}},
			"disabled":         r.IntN(4) == 0, "createdTime": r.IntN(9), "enforceSSO": r.IntN(5) == 0,
		}
		if r.IntN(2) == 0 {
			tenant["selfProvisioningDomains"] = []any{fmt.Sprintf("d%d.example", i), pick("same.example", "b.example")}
		}
		if i > 0 && r.IntN(2) == 0 {
			tenant["parent"] = tenants[i-1].(map[string]any)["id"]
		}
		tenants = append(tenants, tenant)
	}
	var flows []any
	for i := range r.IntN(4) {
		tasks := map[string]any{"0": map[string]any{"id": "0", "name": "Start", "next": map[string]any{"rules": []any{map[string]any{"taskId": "1"}}}}}
		references := map[string]any{}
		if r.IntN(2) == 0 {
			tasks["1"] = map[string]any{
				"id": "1", "name": "Mail", "type": "automated", "action": "connector", "next": map[string]any{"rules": []any{}},
				"arguments": map[string]any{"connectorId": map[string]any{"type": "inline", "value": "CIfrom"}, "n": map[string]any{"type": "inline", "value": 40.5}},
			}
			references["connectors"] = map[string]any{"Mail": "CIfrom"}
		} else {
			tasks["1"] = map[string]any{"id": "1", "name": pick("A & B", "C"), "next": map[string]any{"rules": []any{}}}
		}
		flows = append(flows, map[string]any{
			"flowId": fmt.Sprintf("flow-%d", i), "metadata": map[string]any{"name": pick("Sign in", "<in>"), "disabled": r.IntN(3) == 0},
			"contents": map[string]any{"startTask": "0", "tasks": tasks}, "references": references,
		})
	}
	p := map[string]any{"tenants": tenants, "flows": flows, "connectors": map[string]any{"Mail": "CIfrom"}}
	if r.IntN(2) == 0 {
		p["theme"] = map[string]any{"styles": map[string]any{"light": map[string]any{"n": 1.5, "s": "é<"}}, "componentsVersion": "2.0.0"}
	}
	return p
}

// TestProjectRoundTrip: what is exported from one project and imported into an empty one
// is the same there, and then there is nothing left to do.
func TestProjectRoundTrip(t *testing.T) {
	t.Parallel()
	rounds := 6
	if testing.Short() || underRace {
		rounds = 2
	}
	objects := 0
	for seed := range uint64(rounds) {
		r := rand.New(rand.NewPCG(seed, 1))
		w := newWorld(t, emulator.Options{Tier: []string{"tier1", "tier2"}[seed%2]})
		doc := map[string]any{"projects": map[string]any{
			devProject: handmadeProject(r),
			// Without a flow of the target that names the connector, the configuration does.
			stagingProject: map[string]any{"connectors": map[string]any{"Mail": "CIto"}},
		}}
		data, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.server.Seed(data); err != nil {
			t.Fatal(err)
		}
		if seed%2 == 0 {
			w.write("envs/staging/connectors.cue", "package envs\n\nenvironment: connectors: Mail: \"CIto\"\n")
		}
		w.mustRun(0, "project", "export", "tree", "--env", "dev")
		w.mustRun(0, "project", "export", "again", "--env", "dev")
		first, err := readTree(filepath.Join(w.dir, "tree"))
		if err != nil {
			t.Fatal(err)
		}
		again, err := readTree(filepath.Join(w.dir, "again"))
		if err != nil || !maps.EqualFunc(first, again, func(a, b []byte) bool { return string(a) == string(b) }) {
			t.Fatalf("seed %d: two exports differ (%v)", seed, err)
		}
		tree, err := snapshot.Parse(first)
		if err != nil {
			t.Fatal(err)
		}
		ids, _ := tree.Flows()
		tenants, _, _ := tree.Tenants()
		if len(ids)+len(tenants) == 0 {
			continue
		}
		objects += len(ids) + len(tenants)
		w.forgetRate()
		out := w.mustRun(0, "project", "import", "tree", "--env", "staging", "--yes", "--allow-broken-flows")
		if !strings.Contains(out.out, "created") && !strings.Contains(out.out, "updated") {
			t.Fatalf("seed %d: %s", seed, out.out)
		}
		contains(t, w.mustRun(0, "project", "import", "tree", "--env", "staging").out, "No changes.")
		w.mustRun(0, "project", "export", "back", "--env", "staging")
		backFiles, err := readTree(filepath.Join(w.dir, "back"))
		if err != nil {
			t.Fatal(err)
		}
		back, err := snapshot.Parse(backFiles)
		if err != nil {
			t.Fatal(err)
		}
		sameProject(t, seed, tree, back)
	}
	if objects < rounds {
		t.Fatalf("only %d objects in %d rounds", objects, rounds)
	}
}

// sameProject compares by normal form: flows by what they do, tenants by what the
// configuration can say of them.
func sameProject(t *testing.T, seed uint64, want, got snapshot.Tree) {
	t.Helper()
	c := &connection{app: &app{}}
	a, err := c.stateOfTree(want, "want")
	if err != nil {
		t.Fatal(err)
	}
	b, err := c.stateOfTree(got, "got")
	if err != nil {
		t.Fatal(err)
	}
	if a.Len() != b.Len() {
		t.Errorf("seed %d: %d objects, want %d", seed, b.Len(), a.Len())
	}
	for _, r := range a.Resources() {
		is, ok := b.Get(r.Key)
		switch {
		case !ok:
			t.Errorf("seed %d: %s is missing", seed, r.Key)
		case r.Key.Kind == model.Flow:
			x, _, _ := flow.FromValue(r.Attrs["definition"])
			y, _, _ := flow.FromValue(is.Attrs["definition"])
			if !x.Normal().Equal(y.Normal()) {
				t.Errorf("seed %d: %s differs:\n%s\n%s", seed, r.Key, x.V2(), y.V2())
			}
		case r.Key.Kind == model.Theme:
			if !model.Equal(r.Attrs["styles"], is.Attrs["styles"]) {
				t.Errorf("seed %d: the styles differ", seed)
			}
		case !model.Equal(r.Attrs, is.Attrs):
			t.Errorf("seed %d: %s is %v, want %v", seed, r.Key, is.Attrs, r.Attrs)
		}
	}
}

// TestTreeStaysInItsDirectory: nothing is written or removed through a link that leads
// out of the tree.
func TestTreeStaysInItsDirectory(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	tree, err := snapshot.New([]flow.Flow{}, snapshot.Theme{Styles: map[string]any{"light": map[string]any{}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "styles")); err != nil {
		t.Skip(err)
	}
	if w, err := writeTree(dir, "tree", tree, []string{"flows", "styles"}); err == nil {
		t.Errorf("it was written: %v", w)
	}
	if left, _ := os.ReadDir(outside); len(left) > 0 {
		t.Errorf("outside is %v", left)
	}
	plain := t.TempDir()
	w, err := writeTree(plain, "tree", tree, []string{"flows", "styles"})
	if err != nil || !slices.Equal(w.Changed, tree.Paths()) {
		t.Error(w, err)
	}
	w, err = writeTree(plain, "tree", tree, []string{"flows", "styles"})
	if err != nil || len(w.Changed)+len(w.Removed) > 0 {
		t.Error(w, err)
	}
}
