package cli

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pcconnect.ai/descope-mgmt/internal/compiler"
	"pcconnect.ai/descope-mgmt/internal/emulator"
	"pcconnect.ai/descope-mgmt/internal/model"
	src "pcconnect.ai/descope-mgmt/internal/source"
)

// adopting is a world with an edit of the base configuration that was tried.
func adopting(t *testing.T, edits ...src.Edit) (*world, *adoption) {
	t.Helper()
	w := newWorld(t, emulator.Options{})
	return w, adoptIn(t, w, "staging", edits...)
}

func adoptIn(t *testing.T, w *world, env string, edits ...src.Edit) *adoption {
	t.Helper()
	m, err := compiler.Find(w.dir)
	if err != nil {
		t.Fatal(err)
	}
	a, _ := w.app()
	a.cmd = newEnvPromoteCmd(a)
	d, err := a.adopt(t.Context(), m, env, edits, true)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func ofAcme(plan string) src.Edit {
	return src.Edit{Key: model.Key{Kind: model.Tenant, ID: "acme-corp"}, Path: "custom_attributes.plan", Value: plan}
}

func TestAdoptKeepsModes(t *testing.T) {
	t.Parallel()
	w, d := adopting(t, ofAcme("gold"))
	path := filepath.Join(w.dir, "envs/staging/staging.cue")
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if err := d.write(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func TestAdoptRefusesWhatMoved(t *testing.T) {
	t.Parallel()
	w, d := adopting(t, ofAcme("gold"))
	w.write("envs/staging/staging.cue", "package envs\n")
	err := d.write()
	if exitCode(err) != exitRefused || !strings.Contains(err.Error(), "has changed since it was read") {
		t.Errorf("%v", err)
	}
	w, d = adopting(t, src.Edit{Key: model.Key{Kind: model.Tenant, ID: "new"}, Value: map[string]any{"name": "New"}})
	if err := os.Remove(filepath.Join(w.dir, "envs/staging/staging.cue")); err != nil {
		t.Fatal(err)
	}
	if err := d.write(); exitCode(err) != exitRefused {
		t.Errorf("%v", err)
	}
}

// TestAdoptReadOnly tells a file that must not be written from one that cannot be.
func TestAdoptReadOnly(t *testing.T) {
	t.Parallel()
	w, d := adopting(t, ofAcme("gold"))
	path := filepath.Join(w.dir, "envs/staging/staging.cue")
	chmod := func(path string, mode os.FileMode) {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	chmod(path, 0o440)
	if err := d.write(); exitCode(err) != exitRefused || !strings.Contains(err.Error(), "nothing was written: envs/staging/staging.cue: it is read-only (mode 0440)") {
		t.Errorf("%v", err)
	}
	chmod(path, 0o640)
	if os.Getuid() == 0 {
		t.Skip("root may write everywhere")
	}
	chmod(filepath.Dir(path), 0o500)
	defer chmod(filepath.Dir(path), 0o700)
	if err := d.write(); exitCode(err) != exitConfig {
		t.Errorf("%v", err)
	}
}

func TestAdoptStaysInside(t *testing.T) {
	t.Parallel()
	w, d := adopting(t, ofAcme("gold"))
	path, outside := filepath.Join(w.dir, "envs/staging/staging.cue"), filepath.Join(t.TempDir(), "outside.cue")
	if err := os.Rename(path, outside); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, path); err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadFile(outside)
	err := d.write()
	if after, _ := os.ReadFile(outside); exitCode(err) != exitRefused || !strings.Contains(err.Error(), "a link leads out of envs/") || string(after) != string(before) {
		t.Errorf("%v, and the file is:\n%s", err, after)
	}
	if err := os.Remove(outside); err != nil {
		t.Fatal(err)
	}
	if err := d.write(); exitCode(err) != exitRefused || !strings.Contains(err.Error(), "leads nowhere") {
		t.Errorf("%v", err)
	}

	// A directory that is a link is no way out, either; envs/ itself may be one.
	w, d = adopting(t, ofAcme("gold"))
	elsewhere := filepath.Join(t.TempDir(), "elsewhere")
	if err := os.Rename(filepath.Join(w.dir, "envs/staging"), elsewhere); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, filepath.Join(w.dir, "envs/staging")); err != nil {
		t.Fatal(err)
	}
	if err := d.write(); exitCode(err) != exitRefused {
		t.Errorf("%v", err)
	}
	w, d = adopting(t, ofAcme("gold"))
	elsewhere = filepath.Join(t.TempDir(), "all")
	if err := os.Rename(filepath.Join(w.dir, "envs"), elsewhere); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, filepath.Join(w.dir, "envs")); err != nil {
		t.Fatal(err)
	}
	if err := d.write(); err != nil {
		t.Errorf("%v", err)
	}
}

// TestAdoptAllOrNothing lets the last of several files fail: the others are as they
// were.
func TestAdoptAllOrNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Options{})
	w.write("envs/dev/mine.cue", "package envs\n\ntenants: \"mine\": name: \"Mine\"\n")
	d := adoptIn(t, w, "dev", src.Edit{Key: model.Key{Kind: model.Tenant, ID: "widget-inc"}, Absent: true}, src.Edit{Key: model.Key{Kind: model.Tenant, ID: "mine"}, Absent: true})
	if paths := strings.Join(d.paths(), " "); paths != "envs/dev/mine.cue envs/tenants.cue" {
		t.Fatalf("the files are %s", paths)
	}
	d.before["envs/zz/x/y.cue"], d.after["envs/zz/x/y.cue"] = nil, []byte("package envs\n")
	w.write("envs/zz", "a file where a directory has to be")
	read := func(path string) string {
		data, err := os.ReadFile(filepath.Join(w.dir, path))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	mine, shared := read("envs/dev/mine.cue"), read("envs/tenants.cue")
	if err := d.write(); err == nil {
		t.Fatal("a file was written below a file")
	}
	if read("envs/dev/mine.cue") != mine || read("envs/tenants.cue") != shared {
		t.Error("the files are not as they were")
	}
}

// TestAcceptancesRefused tells a file that must not be written from one that cannot be.
func TestAcceptancesRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Options{})
	m, err := compiler.Find(w.dir)
	if err != nil {
		t.Fatal(err)
	}
	w.write("envs/dev/accepted-drift.json", "[]")
	if err := os.Chmod(filepath.Join(w.dir, "envs/dev/accepted-drift.json"), 0o444); err != nil {
		t.Fatal(err)
	}
	if err := saveAcceptances(m, "dev", nil); exitCode(err) != exitRefused || !strings.Contains(err.Error(), "envs/dev/accepted-drift.json: it is read-only") {
		t.Errorf("%v", err)
	}
	w.write("envs/zz", "a file where a directory has to be")
	if err := saveAcceptances(m, "zz", nil); exitCode(err) != exitConfig {
		t.Errorf("%v", err)
	}
}

func TestAdoptAsks(t *testing.T) {
	t.Parallel()
	gone := src.Edit{Key: model.Key{Kind: model.Tenant, ID: "widget-inc"}, Absent: true}
	for name, test := range map[string]struct {
		edit      src.Edit
		answers   []string
		yes, base bool
		code      int
		questions int
	}{
		"yes":                        {edit: ofAcme("x"), answers: []string{"y"}, questions: 1},
		"no":                         {edit: ofAcme("x"), answers: []string{"n"}, questions: 1, code: exitRefused},
		"beforehand":                 {edit: ofAcme("x"), yes: true},
		"shared, both":               {edit: gone, answers: []string{"y", "y"}, questions: 2},
		"shared, no":                 {edit: gone, answers: []string{"n"}, questions: 1, code: exitRefused},
		"shared, --yes alone":        {edit: gone, yes: true, code: exitRefused},
		"shared, --allow-base alone": {edit: gone, base: true, answers: []string{"y"}, questions: 1},
		"shared, both beforehand":    {edit: gone, base: true, yes: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Options{})
			asked := answering(test.answers...)
			w.prompter = asked
			d := adoptIn(t, w, "dev", test.edit)
			err := d.agree(t.Context(), test.yes, test.base)
			if exitCode(err) != test.code || len(asked.Questions) != test.questions {
				t.Errorf("%v after %q", err, asked.Questions)
			}
		})
	}
}

// TestAdoptRefuses pins what an adoption says when it cannot be.
func TestAdoptRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Options{})
	w.write("envs/more.cue", `package envs

_plan: "gold"
tenants: "ref": {name: "Ref", custom_attributes: plan: _plan}
for k in ["made"] {tenants: "\(k)-here": {name: k, disabled: true}}
tenants: [string]: role_inheritance: "none"
#Gold: {custom_attributes: tier: "gold", ...}
for t in ["lo-one", "lo-two"] {tenants: (t): #Gold & {name: "Loop \(t)"}}
`)
	m, err := compiler.Find(w.dir)
	if err != nil {
		t.Fatal(err)
	}
	a, _ := w.app()
	a.cmd = newEnvPromoteCmd(a)
	key := func(id string) model.Key { return model.Key{Kind: model.Tenant, ID: id} }
	for name, test := range map[string]struct {
		edit src.Edit
		says []string
	}{
		"a reference":     {src.Edit{Key: key("ref"), Path: "custom_attributes.plan", Value: "x"}, []string{"envs/more.cue:4:50", "a reference to _plan (envs/more.cue:3:1)"}},
		"a comprehension": {src.Edit{Key: key("made-here"), Path: "disabled", Value: false}, []string{"but true in the base", "envs/more.cue:5:1", "a comprehension"}},
		"made by one":     {src.Edit{Key: key("made-here"), Absent: true}, []string{"it is made by a comprehension"}},
		"a loop":          {src.Edit{Key: key("lo-one"), Path: "name", Value: "x"}, []string{"envs/more.cue:8:1: tenant/lo-one: name: the value may come from a comprehension here; only a value that is written out can be edited"}},
		"in a loop": {src.Edit{Key: key("lo-one"), Path: "custom_attributes.tier", Value: "x"}, []string{
			`envs/more.cue:7:34: tenant/lo-one: custom_attributes.tier is "x" as asked for, but "gold" in the base`, "envs/more.cue:8:1: ",
		}},
		"a pattern":       {src.Edit{Key: key("ref"), Path: "role_inheritance", Value: "userOnly"}, []string{"envs/more.cue:6:10", "a pattern"}},
		"a wrong type":    {src.Edit{Key: key("ref"), Path: "name", Value: true}, []string{"name cannot be true"}},
		"an unknown one":  {src.Edit{Key: key("nobody"), Path: "disabled", Value: true}, []string{"nobody"}},
		"a bad path":      {src.Edit{Key: key("ref"), Path: "a..b", Value: true}, []string{`"a..b" is not the path of a value`}},
		"not to be taken": {src.Edit{Key: key("ref"), Path: "name", Absent: true}, []string{"an overlay cannot take a value away"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := a.adopt(t.Context(), m, "dev", []src.Edit{test.edit}, true)
			text := ""
			var d *diagnosticsError
			if errors.As(err, &d) {
				for _, x := range d.diagnostics {
					text += x.Origin.String() + ": " + x.Summary + "; " + x.Detail + "\n"
				}
			}
			if exitCode(err) != exitRefused || err == nil || !strings.HasPrefix(err.Error(), "nothing was written") {
				t.Errorf("%v\n%s", err, text)
			}
			if strings.Contains(text, "envs/dev/") || strings.Contains(text, "CUE gave up") {
				t.Errorf("it names what was never written:\n%s", text)
			}
			for _, s := range test.says {
				if !strings.Contains(text, s) {
					t.Errorf("not said: %s\n%s", s, text)
				}
			}
		})
	}
	_, err = a.adopt(t.Context(), m, "dev", []src.Edit{{Key: key("widget-inc"), Absent: true}}, false)
	if exitCode(err) != exitRefused || hintOf(err) != "promote --env dev --allow-base" || !strings.HasSuffix(err.Error(), ": 1 place that all environments share has to change") {
		t.Errorf("%v", err)
	}
	// Another environment that does not compile: it cannot be told whether it changes.
	w.write("envs/prod/broken.cue", "package envs\n\ntenants: 1\n")
	if _, err := a.adopt(t.Context(), m, "dev", []src.Edit{{Key: key("widget-inc"), Absent: true}}, true); exitCode(err) != exitRefused || !strings.Contains(err.Error(), "environment prod does not compile") {
		t.Errorf("%v", err)
	}
	if _, err := a.adopt(t.Context(), m, "dev", []src.Edit{ofAcme("x")}, true); err != nil {
		t.Errorf("nothing shared changes: %v", err)
	}
	if _, err := a.adopt(t.Context(), m, "prod", []src.Edit{ofAcme("x")}, true); exitCode(err) != exitConfig {
		t.Errorf("%v", err)
	}
}

// TestLineBefore finds the lines of an edited file in what it was.
func TestLineBefore(t *testing.T) {
	t.Parallel()
	before, after := []byte("a\nb\nc\n}\nd\n}\ne\n"), []byte("a\nB\nc\n}\nnew\nD\n}\nnew\n}\ne\n")
	for line, want := range []int{0, 1, 0, 3, 0, 0, 0, 0, 0, 6, 7, 8, 0} {
		if got := lineBefore(before, after, line); got != want {
			t.Errorf("line %d was %d, not %d", line, got, want)
		}
	}
	if got := lineBefore(nil, after, 3); got != 0 {
		t.Errorf("a new file had a line %d", got)
	}
	if got := lineBefore(nil, nil, 3); got != 3 {
		t.Errorf("another file is another one at line %d", got)
	}
}

// TestAdoptLiveFlow holds what a configuration says beside a document against what is
// live.
func TestAdoptLiveFlow(t *testing.T) {
	t.Parallel()
	document := func(name string, disabled bool, title string) map[string]any {
		v, err := model.DecodeJSON([]byte(`{"flowId": "hello", "metadata": {"name": "` + name + `"}, "contents": {"startTask": "0", "tasks": {
			"0": {"id": "0", "name": "Welcome", "type": "screen", "screenId": "SC1", "next": {"rules": []}}}},
			"screens": [{"screenId": "SC1", "interactions": [], "contents": {"ROOT": {"type": {"resolvedName": "Container"}, "props": {}, "nodes": ["title"]},
			"title": {"type": {"resolvedName": "Text"}, "props": {"id": "title", "children": "` + title + `"}, "parent": "ROOT", "nodes": []}}}]}`))
		if err != nil {
			t.Fatal(err)
		}
		doc := v.(map[string]any)
		if disabled {
			doc["metadata"].(map[string]any)["disabled"] = true
		}
		return doc
	}
	w := newWorld(t, emulator.Options{})
	w.write("envs/flows/hello.json", string(model.CanonicalJSON(document("Hello", false, "Hi"))))
	w.write("envs/flows.cue", `@extern(embed)
package envs

flows: hello: {definition: _ @embed(file=flows/hello.json), name: *"Hello" | string, enabled: *true | bool}
flows: made: template: "magic-link"
flows: patched: {definition: _ @embed(file=flows/hello.json), screens: Welcome: title: children: "Patched"}
`)
	m, err := compiler.Find(w.dir)
	if err != nil {
		t.Fatal(err)
	}
	a, _ := w.app()
	key := func(id string) model.Key { return model.Key{Kind: model.Flow, ID: id} }
	live := document("Hello there", true, "Live")
	for _, id := range []string{"hello", "new"} {
		edits, err := a.liveFlowEdits(t.Context(), m, "dev", key(id), live)
		if err != nil {
			t.Fatal(err)
		}
		d, err := a.adopt(t.Context(), m, "dev", edits, true)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.write(); err != nil {
			t.Fatal(err)
		}
		r, ok := d.compiled.State.Get(key(id))
		doc, _ := r.Attrs["definition"].(map[string]any)
		metadata, _ := doc["metadata"].(map[string]any)
		if !ok || metadata["name"] != "Hello there" || metadata["disabled"] != true {
			t.Errorf("%s is %v", id, metadata)
		}
		if again, err := a.adopt(t.Context(), m, "dev", edits, false); err != nil || !again.empty() {
			t.Errorf("%s, once more: %v", id, err)
		}
	}
	for id, says := range map[string]string{"made": "is made from the template magic-link", "patched": "screens of the configuration say something else"} {
		if _, err := a.liveFlowEdits(t.Context(), m, "dev", key(id), live); exitCode(err) != exitRefused || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", id, err)
		}
	}
	if edits, err := a.liveFlowEdits(t.Context(), m, "dev", key("patched"), document("Hello", false, "Patched")); err != nil || len(edits) != 1 {
		t.Errorf("%v, %v", edits, err)
	}
}
