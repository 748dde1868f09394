package cli

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pcconnect.ai/descope-mgmt/internal/emulator"
)

// TestImports imports random projects, one and several at a time, as people make them
// in the console: whatever is there, the next plan is empty, what is written is all
// there is, and another import changes no byte. DESCOPE_MGMT_IMPORTS says how many.
func TestImports(t *testing.T) {
	t.Parallel()
	n := 24
	if s := os.Getenv("DESCOPE_MGMT_IMPORTS"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	} else if underRace {
		n = 4
	}
	counts := map[string]int{}
	started := time.Now()
	projects := 0
	for seed := 0; projects < n; seed++ {
		r := rand.New(rand.NewPCG(uint64(seed), 11))
		envs := []string{"dev", "staging", "prod"}[:1+2*(seed%4/3)]
		projects += len(envs)
		ok := t.Run(fmt.Sprint(seed), func(t *testing.T) { importRandom(t, r, envs, counts) })
		if !ok {
			break
		}
	}
	t.Logf("counts: %d projects imported in %v: %d tenants (%d deeper than 3, %d with ids of the console), %d flows, %d values of attributes, %d left unmanaged, %d left out, %d differing values in several environments",
		projects, time.Since(started).Round(time.Second), counts["tenants"], counts["deep"], counts["ids"], counts["flows"], counts["attributes"], counts["unmanaged"], counts["left-out"], counts["defaults"])
}

func importRandom(t *testing.T, r *rand.Rand, envs []string, counts map[string]int) {
	o := emulator.Options{}
	for _, quirk := range [][2]string{{"duplicate_domains", "allow"}} {
		if err := o.Quirks.Set(quirk[0], quirk[1]); err != nil {
			t.Fatal(err)
		}
	}
	w := newWorld(t, o)
	if err := os.Remove(filepath.Join(w.dir, "envs", "tenants.cue")); err != nil {
		t.Fatal(err)
	}
	for name, project := range map[string]string{"staging": stagingProject, "prod": prodProject, "testing": "P2testingtestingtestingtesti"} {
		w.write("envs/"+name+"/"+name+".cue", fmt.Sprintf("package envs\n\nenvironment: {\n\tname:       %q\n\tproject_id: %q\n}\n", name, project))
	}
	ids := map[string]string{"dev": devProject, "staging": stagingProject, "prod": prodProject}
	shared := madeProject(r, nil, 0)
	seed := map[string]any{}
	projects := map[string]map[string]any{}
	for i, env := range envs {
		p := shared
		if i > 0 {
			p = madeProject(r, shared, i)
		}
		projects[env], seed[ids[env]] = p, p
	}
	text := mustJSON(t, map[string]any{"version": 1, "projects": seed})
	if err := w.server.Seed([]byte(text)); err != nil {
		t.Fatalf("%v\n%.2000s", err, text)
	}
	list := strings.Join(envs, ",")
	run := func(args ...string) ran { w.forgetRate(); return w.mustRun(exitOK, args...) }
	before := run("eval", "--env", other(envs)).out
	var doc importDoc
	if err := json.Unmarshal([]byte(run("import", "--env", list, "--yes", "-o", "json").out), &doc); err != nil {
		t.Fatal(err)
	}
	files := filesBelow(t, w.dir)
	for _, f := range doc.Files {
		if !strings.HasPrefix(f.Path, "envs/") || len(f.Resources) > 100 {
			t.Errorf("%s has %d resources", f.Path, len(f.Resources))
		}
		counts["defaults"] += strings.Count(files[f.Path], "*")
	}
	noted := map[string]int{}
	for _, note := range doc.Notes {
		counts[note.Code]++
		if note.Code == "unmanaged" && strings.HasPrefix(note.Path, "custom_attributes") {
			noted[envOf(note.Summary, envs)+" "+note.Key.ID]++
		}
	}
	for i, env := range envs {
		var plan struct {
			Changes []any `json:"resource_changes"`
		}
		if err := json.Unmarshal([]byte(run("plan", "--env", env, "-o", "json").out), &plan); err != nil || len(plan.Changes) > 0 {
			t.Fatalf("%v: the plan of %s has %v", err, env, plan.Changes)
		}
		var has struct {
			Tenants map[string]struct {
				Name       string
				Attributes map[string]json.RawMessage `json:"custom_attributes"`
			}
			Flows map[string]any
		}
		if err := json.Unmarshal([]byte(run("eval", "--env", env, "-o", "json").out), &has); err != nil {
			t.Fatal(err)
		}
		tenants, _ := projects[env]["tenants"].([]any)
		flows, _ := projects[env]["flows"].([]any)
		if len(has.Tenants)+doc.leftOut(env, envs) != len(tenants) || len(has.Flows) != len(flows) {
			t.Errorf("%s: %d tenants and %d flows, want %d and %d: %v", env, len(has.Tenants), len(has.Flows), len(tenants), len(flows), doc.Notes)
		}
		if doc.Environments[slices.IndexFunc(doc.Environments, func(e importedEnv) bool { return e.Name == env })].Tenants != len(has.Tenants) {
			t.Errorf("the count of %s is %+v", env, doc.Environments[i])
		}
		for _, v := range tenants {
			v := v.(map[string]any)
			id := v["id"].(string)
			is, ok := has.Tenants[id]
			given, _ := v["customAttributes"].(map[string]any)
			if ok && (is.Name != v["name"] || len(is.Attributes)+noted[env+" "+id] != len(given)) {
				t.Errorf("%s: %q is %+v, want %+v", env, id, is, v)
			}
			counts["tenants"]++
			counts["attributes"] += len(given)
			if len(id) == 28 {
				counts["ids"]++
			}
			if v["deep"] == true {
				counts["deep"]++
			}
		}
		counts["flows"] += len(flows)
	}
	if after := run("eval", "--env", other(envs)).out; after != before {
		t.Errorf("another environment has changed:\n%s", after)
	}
	run("fmt", "--check")
	contains(t, run("import", "--env", list, "--yes").out, "Nothing to import.")
	for name, text := range filesBelow(t, w.dir) {
		if files[name] != text {
			t.Errorf("another import changed %s", name)
		}
		delete(files, name)
	}
	if len(files) > 0 {
		t.Errorf("another import removed %d files", len(files))
	}
}

// other is an environment that was not imported, or one of those if all were.
func other(envs []string) string {
	if len(envs) == 1 {
		return "staging"
	}
	return "testing"
}

// envOf is the environment that a note begins with, where there are several.
func envOf(summary string, envs []string) string {
	if env, _, ok := strings.Cut(summary, ": "); ok && slices.Contains(envs, env) {
		return env
	}
	return envs[0]
}

func (d importDoc) leftOut(env string, envs []string) int {
	n := 0
	for _, note := range d.Notes {
		if note.Code == "left-out" && envOf(note.Summary, envs) == env {
			n++
		}
	}
	return n
}

// filesBelow are the files below a directory, with their contents.
func filesBelow(t *testing.T, root string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		rel, _ := filepath.Rel(root, path)
		out[filepath.ToSlash(rel)] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

func consoleID(r *rand.Rand) string {
	b := []byte("T2")
	for len(b) < 28 {
		b = append(b, letters[r.IntN(len(letters))])
	}
	return string(b)
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// nasty are texts that mean something to CUE, JSON, a terminal or Unicode.
func nasty() []string {
	return []string{
		"", "plain", "Größe", "漢字かな", "👩‍👩‍👧", "a\x00b", "\x1b[2Jesc", `\(x)`, `\u0041`, "\u2028line", "\ufeffbom", "\r\n", `"""`, `'''`, "\U0010ffff", "e\u0301 and é", "#def", "_hidden", "if", "null",
		"*default | string", "// comment", "}", "\"", "\\", "a\tb", strings.Repeat("long ", 200), "@embed(file=x)", "\u202egnp",
	}
}

func nastyKeys() []string {
	return []string{
		"plan", "tier", "_hidden", "#def", "_#both", "", "if", "for", "let", "in", "true", "null", "string", "number", "schema", "tenants", "a.b", "a b", "a\nb", `q"q`, `\(x)`, "größe", "e\u0301", "\u00e9", "Ключ", "👩‍👩‍👧", "[string]", "x?", "1st", "$x", "__x", "div",
	}
}

func madeValue(r *rand.Rand) any {
	switch r.IntN(9) {
	case 0, 1, 2:
		return pick(r, nasty())
	case 3:
		return r.IntN(2) == 0
	case 4, 5:
		return json.Number(pick(r, []string{"0", "-0", "1", "-17", "40.0", "1.50", "1e21", "1e-7", "5e0", "0.1", "12345678901234567890", "123456789012345678901234567890.5", "1e999", "-1.5e-30", "3.141592653589793238462643383279502884197169399375105820974944592307816", "1e200000"}))
	case 6:
		return []any{}
	case 7:
		return []any{pick(r, nasty()), pick(r, nasty())}
	default:
		return []any{json.Number("1"), "mixed"}
	}
}

// madeProject is a project as a seed has it. Most of what it has comes from another
// one, if that is given: as in environments that were made after each other.
func madeProject(r *rand.Rand, like map[string]any, n int) map[string]any {
	var tenants []any
	var ids []string
	names, depth := map[string]bool{}, map[string]int{}
	add := func(v map[string]any) {
		id, name := v["id"].(string), v["name"].(string)
		parent, _ := v["parent"].(string)
		if slices.Contains(ids, id) || names[name] || parent != "" && !slices.Contains(ids, parent) {
			return
		}
		depth[id] = depth[parent] + 1
		if delete(v, "deep"); depth[id] > 3 {
			v["deep"] = true
		}
		names[name] = true
		ids, tenants = append(ids, id), append(tenants, v)
	}
	if like != nil {
		for _, v := range like["tenants"].([]any) {
			if r.IntN(8) == 0 {
				continue
			}
			c := map[string]any{}
			for k, x := range v.(map[string]any) {
				c[k] = x
			}
			custom := map[string]any{}
			given, _ := c["customAttributes"].(map[string]any)
			for k, x := range given {
				if r.IntN(6) == 0 {
					x = madeValue(r)
				}
				if r.IntN(8) > 0 {
					custom[k] = x
				}
			}
			c["customAttributes"] = custom
			if r.IntN(8) == 0 {
				c["name"] = fmt.Sprintf("%.200s (%d)", c["name"], n)
			}
			if r.IntN(8) == 0 {
				c["selfProvisioningDomains"] = []any{fmt.Sprintf("env%d.example", n)}
			}
			add(c)
		}
	}
	count := pick(r, []int{0, 1, 5, 12, 30, 60})
	if like != nil {
		count /= 10
	}
	for range count {
		v := map[string]any{"id": fmt.Sprintf("tenant-%d-%d", n, len(ids)), "name": fmt.Sprintf("Tenant %d %d", n, len(ids))}
		switch r.IntN(6) {
		case 0, 1:
			v["id"] = consoleID(r)
		case 2:
			v["id"] = pick(r, []string{"Upper", "x", "with space", "ünïcode", "e\u0301", "emoji-👩‍👩‍👧", `q"q`, `\(x)`, "a/b", "..", "new\nline", "_hidden", "#def", "if", strings.Repeat("long-", 15)})
		}
		switch r.IntN(6) {
		case 0:
			v["name"] = fmt.Sprintf("%d %s", len(ids), strings.Repeat("ü", 90+r.IntN(160)))
		case 1:
			v["name"] = fmt.Sprintf("%.100s %d", strings.ReplaceAll(pick(r, nasty()), "\x00", ""), len(ids))
		}
		if len(ids) > 0 && r.IntN(3) > 0 {
			v["parent"] = ids[len(ids)-1-r.IntN(min(2, len(ids)))]
		}
		if r.IntN(3) == 0 {
			v["selfProvisioningDomains"] = [][]any{
				{"acme.com"}, {"a.example", "b.example"}, {"b.example"}, {"acme.com", "acme.net"}, {"UPPER.example"}, {"localhost"}, {fmt.Sprintf("t%d.example", len(ids))},
			}[r.IntN(7)]
		}
		custom := map[string]any{}
		for range r.IntN(5) {
			custom[pick(r, nastyKeys())] = madeValue(r)
		}
		v["customAttributes"] = custom
		if r.IntN(5) == 0 {
			v["disabled"] = true
		}
		if r.IntN(5) == 0 {
			v["roleInheritance"] = pick(r, []string{"none", "userOnly"})
		}
		if r.IntN(5) == 0 {
			v["defaultRoles"] = []any{"Tenant Admin", "Größe"}[:1+r.IntN(2)]
		}
		if r.IntN(5) == 0 {
			v["enforceSSO"] = true
		}
		add(v)
	}
	connector := fmt.Sprintf("CI2%025d", n)
	var flows []any
	for _, id := range []string{"hello", "Hello", "sign-up-or-in", "größe", "a b"} {
		if r.IntN(3) > 0 || n > 0 && like["flows"] == nil {
			continue
		}
		text := "Hello"
		if r.IntN(4) == 0 {
			text = pick(r, nasty())
		}
		flows = append(flows, madeFlow(id, text, connector, fmt.Sprintf("SC%027d", n)))
	}
	project := map[string]any{"tenants": tenants, "connectors": map[string]any{"Mail": connector}}
	if tenants == nil {
		project["tenants"] = []any{}
	}
	if flows != nil {
		project["flows"] = flows
	}
	return project
}

// madeFlow is a flow with a screen, and a step that uses a connector.
func madeFlow(id, text, connector, screen string) map[string]any {
	node := func(kind, parent string, props map[string]any, nodes ...string) map[string]any {
		n := []any{}
		for _, x := range nodes {
			n = append(n, x)
		}
		return map[string]any{"type": map[string]any{"resolvedName": kind}, "props": props, "parent": parent, "nodes": n}
	}
	task := func(id, name string, more map[string]any, next ...any) map[string]any {
		t := map[string]any{"id": id, "name": name, "next": map[string]any{"rules": append([]any{}, next...)}}
		for k, v := range more {
			t[k] = v
		}
		return t
	}
	return map[string]any{
		"flowId": id, "metadata": map[string]any{"name": "Flow " + id, "componentsVersion": "3.18.2"},
		"contents": map[string]any{"startTask": "0", "tasks": map[string]any{
			"0": task("0", "Start", nil, map[string]any{"taskId": "1"}),
			"1": task("1", "Welcome", map[string]any{"type": "screen", "screenId": screen}, map[string]any{"interactionId": "submit", "taskId": "2"}),
			"2": task("2", "Mail", map[string]any{"type": "automated", "action": "send-email", "arguments": map[string]any{"connectorId": map[string]any{"type": "inline", "value": connector}}}),
		}},
		"references": map[string]any{"connectors": map[string]any{"Mail": connector}},
		"screens": []any{map[string]any{
			"screenId": screen, "interactions": []any{map[string]any{"id": "submit", "label": "Go", "type": "button"}},
			"contents": map[string]any{
				"ROOT":   node("Container", "", map[string]any{}, "title", "submit"),
				"title":  node("Text", "ROOT", map[string]any{"id": "title", "children": text}),
				"submit": node("Button", "ROOT", map[string]any{"id": "submit", "children": "Go"}),
			},
		}},
	}
}

// TestImportScale imports a project of 500 tenants and 20 flows, and says how long that
// takes.
func TestImportScale(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	if err := os.Remove(filepath.Join(w.dir, "envs", "tenants.cue")); err != nil {
		t.Fatal(err)
	}
	w.write("envs/staging/staging.cue", "package envs\n\nenvironment: name: \"staging\"\n")
	w.write("envs/prod/prod.cue", "package envs\n\nenvironment: name: \"prod\"\n")
	r := rand.New(rand.NewPCG(1, 2))
	tenants, flows := []any{}, []any{}
	for i := range 500 {
		custom := map[string]any{"plan": "enterprise", "seats": i, "tags": []any{"a", "b"}, "note": pick(r, nasty())}
		v := map[string]any{"id": fmt.Sprintf("tenant-%03d", i), "name": fmt.Sprintf("Tenant %d", i), "customAttributes": custom, "selfProvisioningDomains": []any{fmt.Sprintf("t%d.example", i)}}
		if i%5 == 0 {
			v["id"] = consoleID(r)
		}
		tenants = append(tenants, v)
	}
	for i := range 20 {
		f := madeFlow(fmt.Sprintf("flow-%d", i), "Hello", "CI2devMailaaaaaaaaaaaaaaaaaaa", "SC2devscreenaaaaaaaaaaaaaaaaa")
		tasks := f["contents"].(map[string]any)["tasks"].(map[string]any)
		for n := range 100 { // about what a real flow has
			id := fmt.Sprint(n + 3)
			tasks[id] = map[string]any{"id": id, "name": "Step " + id, "type": "automated", "action": "log", "view": map[string]any{"x": n, "y": n}, "next": map[string]any{"rules": []any{map[string]any{"interactionId": "success", "taskId": fmt.Sprint(n + 2)}}}}
		}
		flows = append(flows, f)
	}
	project := map[string]any{"tenants": tenants, "flows": flows, "connectors": map[string]any{"Mail": "CI2devMailaaaaaaaaaaaaaaaaaaa"}}
	if err := w.server.Seed([]byte(mustJSON(t, map[string]any{"version": 1, "projects": map[string]any{devProject: project}}))); err != nil {
		t.Fatal(err)
	}
	started := time.Now()
	contains(t, w.mustRun(exitOK, "import", "--env", "dev", "--yes").out, "500 tenants and 20 flows", "dev: No changes.")
	took := time.Since(started)
	t.Logf("counts: 500 tenants and 20 flows imported in %v", took.Round(time.Millisecond))
	if limit := 5 * time.Second; took > limit && !underRace && os.Getenv("DESCOPE_MGMT_IMPORTS") != "" {
		t.Errorf("longer than %v", limit)
	}
	contains(t, w.mustRun(exitOK, "plan", "--env", "dev").out, "No changes. 520 unchanged")
}
