package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"pcconnect.ai/descope-mgmt/internal/emulator"
	"pcconnect.ai/descope-mgmt/internal/flow"
	"pcconnect.ai/descope-mgmt/internal/model"
)

// agreeing is somebody at the terminal who agrees to everything.
type agreeing struct{}

func (agreeing) Confirm(context.Context, string) error               { return nil }
func (agreeing) Input(context.Context, string) (string, error)       { return "yes", nil }
func (agreeing) TypeToConfirm(context.Context, string, string) error { return nil }
func (agreeing) Select(_ context.Context, _ string, words ...string) (string, error) {
	return words[0], nil
}

// liveDocument is a project as a seed of the emulator has it.
type liveDocument map[string]any

func (d liveDocument) list(name string) []map[string]any {
	given, _ := d[name].([]any)
	out := make([]map[string]any, len(given))
	for i, v := range given {
		out[i] = v.(map[string]any)
	}
	return out
}

func (d liveDocument) set(name string, objects []map[string]any) {
	list := make([]any, len(objects))
	for i, o := range objects {
		list[i] = o
	}
	d[name] = list
}

func (d liveDocument) seed() []byte {
	return model.CanonicalJSON(map[string]any{"version": json.Number("1"), "projects": map[string]any{devProject: map[string]any(d)}})
}

// devDocument is the dev project of a seed, or nil.
func devDocument(t *testing.T, seed []byte) liveDocument {
	t.Helper()
	v, err := model.DecodeJSON(seed)
	if err != nil {
		t.Fatal(err)
	}
	projects, _ := v.(map[string]any)["projects"].(map[string]any)
	project, _ := projects[devProject].(map[string]any)
	return project
}

// comparable is what a restored project must have in common with what it was, by
// object: all fields but those of the server, without the order of sets, and where
// what is not set is left out.
func (d liveDocument) comparable() map[string]string {
	sets := []string{"selfProvisioningDomains", "enforceSSOExclusions", "federatedAppIds", "defaultRoles", "domains"}
	out := map[string]string{}
	for _, tenant := range d.list("tenants") {
		tenant = maps.Clone(tenant)
		delete(tenant, "createdTime")
		delete(tenant, "successors")
		for name, v := range tenant {
			list, isList := v.([]any)
			if isList && slices.Contains(sets, name) {
				list = slices.Clone(list)
				sort.Slice(list, func(i, j int) bool { return fmt.Sprint(list[i]) < fmt.Sprint(list[j]) })
				tenant[name] = list
			}
			attributes, isMap := v.(map[string]any)
			known := slices.Contains(sets, name) || slices.Contains([]string{"customAttributes", "authType", "disabled", "enforceSSO", "parent", "roleInheritance", "idJagSettings", "idJagEnabled"}, name)
			if v == nil || known && (isList && len(list) == 0 || isMap && len(attributes) == 0 || v == "" || v == false || name == "authType" && v == "none") {
				delete(tenant, name)
			}
		}
		out["tenant/"+tenant["id"].(string)] = string(model.CanonicalJSON(tenant))
	}
	for _, f := range d.list("flows") {
		out["flow/"+f["flowId"].(string)] = normalFlow(f)
	}
	return out
}

// normalFlow is what a flow means.
func normalFlow(document map[string]any) string {
	f, _, err := flow.FromValue(document)
	if err != nil {
		return err.Error()
	}
	return f.Normal().Digest()
}

// restoresTo backs up a project, lets another one take its place, restores all and
// compares. With run, the backup is that of a sync.
func restoresTo(t *testing.T, before, after liveDocument, run bool) {
	t.Helper()
	w := newWorld(t, emulator.Options{})
	w.prompter = agreeing{}
	seed := func(d liveDocument) {
		if err := w.server.Seed(d.seed()); err != nil {
			t.Fatalf("%v\n%s", err, d.seed())
		}
	}
	seed(before)
	want := devDocument(t, w.server.Export()).comparable()
	if run {
		w.run("sync", "--env", "dev", "--adopt-existing", "--overwrite-drift", "--allow-mass-change") // some cannot be
	}
	name := newestBackup(w)
	if name == "" {
		w.mustRun(exitOK, "backup", "create", "--env", "dev")
		name = newestBackup(w)
	}
	if !run {
		seed(after)
	}
	r := w.run("backup", "restore", name, "--env", "dev", "--full", "--prune", "--allow-mass-change", "--overwrite-drift", "--adopt-existing", "--allow-delete-in-use", "--confirm-project", devProject)
	got := devDocument(t, w.server.Export()).comparable()
	if r.code != exitOK || !maps.Equal(got, want) {
		t.Errorf("exit %d: %s%s", r.code, r.out, r.err)
		for _, k := range slices.Sorted(maps.Keys(want)) {
			if got[k] != want[k] {
				t.Errorf("%s\n is  %s\nwas  %s", k, got[k], want[k])
			}
		}
		for k := range got {
			if want[k] == "" {
				t.Errorf("%s was not there: %s", k, got[k])
			}
		}
		t.Logf("before: %s\nafter: %s", before.seed(), after.seed())
	}
	contains(t, w.mustRun(exitOK, "backup", "restore", name, "--env", "dev", "--full", "--prune").out, "No changes.")
	contains(t, w.mustRun(exitOK, "backup", "diff", name, "--env", "dev").out, "No differences")
}

// newestBackup is the name of the newest backup of dev, or "".
func newestBackup(w *world) string {
	w.t.Helper()
	var backups []struct{ Name string }
	if err := json.Unmarshal([]byte(w.mustRun(exitOK, "backup", "list", "--env", "dev", "-o", "json").out), &backups); err != nil {
		w.t.Fatal(err)
	}
	if len(backups) == 0 {
		return ""
	}
	return backups[0].Name
}

// scriptProjects are the dev projects of all JSON files of the scripts.
func scriptProjects(t *testing.T) map[string]liveDocument {
	t.Helper()
	scripts, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]liveDocument{}
	for _, script := range scripts {
		archive, err := txtar.ParseFile(script)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range archive.Files {
			if bytes.Contains(f.Data, []byte(`"projects"`)) && json.Valid(f.Data) {
				if d := devDocument(t, f.Data); d != nil {
					out[filepath.Base(script)+" "+f.Name] = d
				}
			}
		}
	}
	return out
}

// TestRestore restores backups of the projects of all scripts, and of random ones, in
// the place of what somebody, or a sync, made of them: each is what it was, canonical
// JSON, but for what is the server's.
func TestRestore(t *testing.T) {
	campaign(t)
	t.Parallel()
	fixtures := scriptProjects(t)
	if len(fixtures) < 10 {
		t.Fatalf("%d projects", len(fixtures))
	}
	objects := 0
	random := rand.New(rand.NewPCG(2, 1))
	names := slices.Sorted(maps.Keys(fixtures))
	projects := 40
	if testing.Short() || underRace {
		projects = 5
	}
	for i := range projects {
		name := fmt.Sprintf("random %d", i)
		fixtures[name] = randomProject(random)
		names = append(names, name)
	}
	for _, name := range names {
		before := fixtures[name]
		objects += len(before.list("tenants")) + len(before.list("flows"))
		after := changedProject(random, before)
		for how, run := range map[string]bool{"by hand": false, "by a sync": true} {
			if run && strings.HasPrefix(name, "random") {
				continue
			}
			t.Run(name+", changed "+how, func(t *testing.T) {
				t.Parallel()
				restoresTo(t, before, after, run)
			})
		}
	}
	t.Logf("counts: %d projects with %d objects", len(names), objects)
}

// randomProject is a project with fields of every kind, those that nobody knows too.
func randomProject(random *rand.Rand) liveDocument {
	d := liveDocument{}
	var tenants, flows []map[string]any
	for i := range random.IntN(12) {
		tenant := randomTenant(random, fmt.Sprintf("t-%d", i))
		if i > 0 && random.IntN(3) == 0 {
			tenant["parent"] = tenants[random.IntN(i)]["id"]
		}
		tenants = append(tenants, tenant)
	}
	for i := range random.IntN(4) {
		flows = append(flows, randomFlow(random, fmt.Sprintf("flow-%d", i)))
	}
	d.set("tenants", tenants)
	d.set("flows", flows)
	return d
}

func oneOf[T any](random *rand.Rand, values ...T) T { return values[random.IntN(len(values))] }

func randomText(random *rand.Rand) string {
	return oneOf(random, "a", "Ünïcødé", `quotes " and \ and '`, "<&>\u2028", " spaces ", "日本", "null", "0", "line\nbreak") + fmt.Sprint(random.IntN(100))
}

func randomTexts(random *rand.Rand, form string) []any {
	out := []any{}
	for i := range random.IntN(4) {
		out = append(out, fmt.Sprintf(form, i, random.IntN(1000)))
	}
	return out
}

func randomValue(random *rand.Rand, depth int) any {
	if depth > 0 && random.IntN(3) == 0 {
		if random.IntN(2) == 0 {
			return []any{randomValue(random, depth-1), randomValue(random, depth-1)}
		}
		return map[string]any{"a": randomValue(random, depth-1), randomText(random): randomValue(random, depth-1)}
	}
	return oneOf[any](random, randomText(random), true, false, json.Number("0"), json.Number("1.50"), json.Number("12345678901234567890"),
		json.Number("-1e-7"), "", []any{}, map[string]any{})
}

// randomFields are the fields of a tenant that an update may change.
func randomFields() map[string]func(*rand.Rand) any {
	flag := func(r *rand.Rand) any { return r.IntN(2) == 0 }
	return map[string]func(*rand.Rand) any{
		"selfProvisioningDomains": func(r *rand.Rand) any { return randomTexts(r, "d%d-%d.example") },
		"customAttributes": func(r *rand.Rand) any {
			m := map[string]any{}
			for range r.IntN(4) {
				m[oneOf(r, "plan", "seats", "tags", randomText(r))] = oneOf[any](r, "x", "", true, json.Number("40.0"), json.Number("1e3"), []any{"a", "b"}, []any{})
			}
			return m
		},
		"disabled":             flag,
		"enforceSSO":           flag,
		"enforceSSOExclusions": func(r *rand.Rand) any { return randomTexts(r, "user%d-%d@example.com") },
		"federatedAppIds":      func(r *rand.Rand) any { return randomTexts(r, "A%d-%d") },
		"roleInheritance":      func(r *rand.Rand) any { return oneOf(r, "", "none", "userOnly") },
		"defaultRoles":         func(r *rand.Rand) any { return randomTexts(r, "Role %d-%d") },
		"authType":             func(r *rand.Rand) any { return oneOf(r, "none", "saml", "oidc") },
		"idJagEnabled":         flag,
		"idJagSettings":        func(r *rand.Rand) any { return map[string]any{"issuer": randomText(r)} },
		"future":               func(r *rand.Rand) any { return randomValue(r, 3) },
		"another future":       func(r *rand.Rand) any { return randomValue(r, 2) },
	}
}

func randomTenant(random *rand.Rand, id string) map[string]any {
	tenant := map[string]any{"id": id, "name": id + " " + randomText(random), "createdTime": json.Number(fmt.Sprint(1700000000 + random.IntN(1000)))}
	for _, name := range slices.Sorted(maps.Keys(randomFields())) {
		if random.IntN(2) == 0 {
			tenant[name] = randomFields()[name](random)
		}
	}
	return tenant
}

func randomFlow(random *rand.Rand, id string) map[string]any {
	return map[string]any{
		"flowId":   id,
		"metadata": map[string]any{"name": randomText(random), "description": "", "componentsVersion": "3.18.2", "future": randomValue(random, 1)},
		"contents": map[string]any{"startTask": "0", "tasks": map[string]any{"0": map[string]any{"id": "0", "args": randomValue(random, 3)}}},
		"screens": []any{map[string]any{
			"screenId": "s", "future": randomValue(random, 1), "contents": map[string]any{"ROOT": map[string]any{"props": map[string]any{"x": randomValue(random, 2)}}},
		}},
	}
}

// changedProject is what somebody made of a project: objects changed, deleted and
// added. What cannot be changed back stays: the parent of a tenant that is there.
func changedProject(random *rand.Rand, d liveDocument) liveDocument {
	v, _ := model.Clone(map[string]any(d)).(map[string]any)
	out := liveDocument(v)
	gone := map[any]bool{}
	var freed []any // names, which others take
	var tenants []map[string]any
	for _, tenant := range out.list("tenants") {
		if gone[tenant["parent"]] || random.IntN(5) == 0 && tenant["domains"] == nil {
			gone[tenant["id"]] = true
			freed = append(freed, tenant["name"])
			continue
		}
		tenants = append(tenants, tenant)
		if random.IntN(4) == 0 {
			continue
		}
		if random.IntN(2) == 0 {
			was := tenant["name"]
			if tenant["name"] = fmt.Sprintf("Changed %d", random.IntN(1<<30)); len(freed) > 0 {
				tenant["name"], freed = freed[0], freed[1:]
			}
			freed = append(freed, was)
		}
		for _, name := range slices.Sorted(maps.Keys(randomFields())) {
			switch {
			case name == "defaultRoles" && d["roles"] != nil, name == "customAttributes" && d["attributes"] != nil:
			case random.IntN(3) == 0:
				tenant[name] = randomFields()[name](random)
			case random.IntN(4) == 0:
				delete(tenant, name)
			}
		}
		if random.IntN(3) == 0 {
			tenant[randomText(random)] = randomValue(random, 1)
		}
	}
	slices.Reverse(tenants)
	for i := range random.IntN(3) {
		tenant := randomTenant(random, fmt.Sprintf("new-%d", i))
		if len(freed) > 0 && random.IntN(2) == 0 {
			tenant["name"], freed = freed[0], freed[1:]
		}
		if d["roles"] != nil || d["attributes"] != nil {
			delete(tenant, "defaultRoles")
			delete(tenant, "customAttributes")
		}
		if len(tenants) > 0 && random.IntN(2) == 0 {
			tenant["parent"] = oneOf(random, tenants...)["id"]
		}
		tenants = append(tenants, tenant)
	}
	out.set("tenants", tenants)
	var flows []map[string]any
	for _, flow := range out.list("flows") {
		switch random.IntN(3) {
		case 0:
			flows = append(flows, randomFlow(random, flow["flowId"].(string)))
		case 1:
			flows = append(flows, flow)
		}
	}
	if random.IntN(3) == 0 {
		flows = append(flows, randomFlow(random, "new-flow"))
	}
	out.set("flows", flows)
	for _, name := range []string{"settings", "sso"} { // of tenants that are gone
		if m, ok := out[name].(map[string]any); ok {
			maps.DeleteFunc(m, func(id string, _ any) bool { return gone[id] })
		}
	}
	for name, of := range map[string]string{"users": "userTenants", "access_keys": "keyTenants"} {
		for _, member := range out.list(name) {
			list, _ := member[of].([]any)
			member[of] = slices.DeleteFunc(slices.Clone(list), func(v any) bool { return gone[v.(map[string]any)["tenantId"]] })
		}
	}
	return out
}
