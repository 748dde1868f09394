package cli

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pcconnect.ai/descope-mgmt/internal/emulator"
)

// liveProject is a project as the emulator keeps it, to be moved by hand.
type liveProject struct {
	tenants []map[string]any
}

func (p *liveProject) find(id string) map[string]any {
	for _, t := range p.tenants {
		if t["id"] == id {
			return t
		}
	}
	return nil
}

func (p *liveProject) clone(t *testing.T) *liveProject {
	t.Helper()
	data, err := json.Marshal(p.tenants)
	if err != nil {
		t.Fatal(err)
	}
	out := &liveProject{}
	if err := json.Unmarshal(data, &out.tenants); err != nil {
		t.Fatal(err)
	}
	return out
}

func (p *liveProject) seed(w *world) {
	w.t.Helper()
	texts := make([]string, len(p.tenants))
	for i, t := range p.tenants {
		data, err := json.Marshal(t)
		if err != nil {
			w.t.Fatal(err)
		}
		texts[i] = string(data)
	}
	w.live(devProject, texts...)
}

// move is something that happens to a live tenant.
type move struct {
	what  string // "" at a tenant that is to be created
	field string // that the refusal names
	do    func(p *liveProject, id string)
}

// movesOfOne are what can happen to a tenant that exists, in fields that the plan is
// about and in others, and to one that does not.
func movesOfOne() (existing, missing []move) {
	set := func(field string, value any) move {
		return move{"set " + field, field, func(p *liveProject, id string) { p.find(id)[field] = value }}
	}
	existing = []move{
		set("name", "Moved"),
		set("customAttributes", map[string]any{"plan": "trial", "more": true}),
		set("customAttributes", map[string]any{"plan": "moved"}),
		set("enforceSSO", true),
		set("disabled", true),
		set("selfProvisioningDomains", []any{"moved.example"}),
		set("defaultRoles", []any{"R9"}),
		set("roleInheritance", "userOnly"),
		set("federatedAppIds", []any{"A9"}),
		set("future", map[string]any{"a": nil}),
		{"lose the attributes", "customAttributes", func(p *liveProject, id string) { delete(p.find(id), "customAttributes") }},
		{"lose an unknown field", "unknown", func(p *liveProject, id string) { delete(p.find(id), "unknown") }},
		{"go away", "gone since the plan", func(p *liveProject, id string) {
			p.tenants = slices.DeleteFunc(p.tenants, func(t map[string]any) bool { return t["id"] == id })
		}},
	}
	missing = []move{
		{"appear", "did not when the plan was made", func(p *liveProject, id string) {
			p.tenants = append(p.tenants, map[string]any{"id": id, "name": "By hand " + id})
		}},
		{"lose its name", "has taken since", func(p *liveProject, id string) {
			p.tenants = append(p.tenants, map[string]any{"id": "thief", "name": "Tenant " + strings.TrimPrefix(id, "t")})
		}},
	}
	return existing, missing
}

// TestMovedSincePlan saves a plan for a hundred objects and moves each of them in
// turn: the plan is refused, the object and the field are named, and nothing is
// written. What the plan is not about may move as it likes.
func TestMovedSincePlan(t *testing.T) {
	campaign(t)
	t.Parallel()
	const objects = 100
	w := newWorld(t, emulator.Options{})
	w.write("envs/staging/staging.cue", "package envs\nenvironment: name: \"staging\"\n")
	w.write("envs/tenants.cue", "package envs\n")
	// A third is to be created, a sixth deleted, the rest updated.
	kind := func(i int) string { return []string{"new", "old", "old", "new", "old", "gone"}[i%6] }
	project := &liveProject{}
	all, kept := "package envs\n", "package envs\n"
	for i := range objects {
		id := fmt.Sprintf("t%05d", i)
		line := fmt.Sprintf("tenants: %q: {name: \"Tenant %05d\", custom_attributes: plan: \"PLAN\"}\n", id, i)
		if kind(i) != "new" {
			all += strings.Replace(line, "PLAN", "trial", 1)
			project.tenants = append(project.tenants, map[string]any{
				"id": id, "name": fmt.Sprintf("Tenant %05d", i), "customAttributes": map[string]any{"plan": "trial"},
				"selfProvisioningDomains": []any{}, "unknown": []any{1.5, nil},
			})
		}
		if kind(i) != "gone" {
			kept += strings.Replace(line, "PLAN", "gold", 1)
		}
	}
	for i := range 5 {
		line := fmt.Sprintf("tenants: \"same-%d\": name: \"Same %d\"\n", i, i)
		all, kept = all+line, kept+line
		project.tenants = append(project.tenants,
			map[string]any{"id": fmt.Sprintf("same-%d", i), "name": fmt.Sprintf("Same %d", i), "selfProvisioningDomains": []any{}},
			map[string]any{"id": fmt.Sprintf("theirs-%d", i), "name": fmt.Sprintf("Theirs %d", i)})
	}
	project.seed(w)
	w.write("envs/tenants.cue", all)
	w.mustRun(exitOK, "sync", "--env", "dev", "--yes", "--adopt-existing") // all is ours
	w.write("envs/tenants.cue", kept)
	w.mustRun(exitOK, "plan", "--env", "dev", "--prune", "--out", "p")
	sync := func() ran {
		w.forgetRate()
		return w.run("sync", "--env", "dev", "--plan", "p", "--yes", "--allow-mass-change")
	}

	existing, missing := movesOfOne()
	refused := 0
	for i := range objects {
		id := fmt.Sprintf("t%05d", i)
		moves := existing
		if kind(i) == "new" {
			moves = missing
		}
		m := moves[i/2%len(moves)]
		moved := project.clone(t)
		m.do(moved, id)
		moved.seed(w)
		before := w.requests("POST /v1/mgmt/tenant/")
		r := sync()
		if r.code != exitRefused || w.requests("POST /v1/mgmt/tenant/") != before {
			t.Fatalf("%s and %s: exit %d, %d writes\n%s%s", id, m.what, r.code, w.requests("POST /v1/mgmt/tenant/")-before, r.out, r.err)
		}
		contains(t, r.err, "nothing was applied", "tenant/"+id, m.field)
		if strings.Count(r.err, "tenant/") > 2 {
			t.Errorf("%s and %s: others are named too: %s", id, m.what, r.err)
		}
		refused++
	}

	// Unrelated changes: what is managed and not in the plan, what is not managed, and
	// a spelling that means the same.
	moved := project.clone(t)
	for i := range 5 {
		same, theirs := moved.find(fmt.Sprintf("same-%d", i)), moved.find(fmt.Sprintf("theirs-%d", i))
		same["name"], same["enforceSSO"] = fmt.Sprintf("Renamed %d", i), true
		theirs["customAttributes"] = map[string]any{"moved": true}
	}
	moved.tenants = append(moved.tenants, map[string]any{"id": "unrelated", "name": "Unrelated"})
	slices.Reverse(moved.tenants)
	moved.find("t00001")["unknown"] = []any{json.Number("15e-1"), nil}
	moved.seed(w)
	before := w.requests("POST /v1/mgmt/tenant/")
	if r := sync(); r.code != exitOK {
		t.Fatalf("unrelated changes block the plan: exit %d\n%s%s", r.code, r.out, r.err)
	}
	if runs, err := filepath.Glob(filepath.Join(w.env["DESCOPE_STATE_DIR"], "runs", "2*")); err != nil || len(runs) != 1 {
		t.Errorf("%d runs are on record, want 1 (%v)", len(runs), err)
	}
	t.Logf("counts: %d objects moved, %d refusals, 0 writes; with 11 unrelated changes the plan ran, with %d writes", objects, refused, w.requests("POST /v1/mgmt/tenant/")-before)
}
