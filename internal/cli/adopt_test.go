package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pcconnect.ai/descope-mgmt/internal/compiler"
	"pcconnect.ai/descope-mgmt/internal/emulator"
	"pcconnect.ai/descope-mgmt/internal/model"
	src "pcconnect.ai/descope-mgmt/internal/source"
)

// handmade writes a configuration as people do: tidy or not, with either line end,
// with comments and byte order marks.
type handmade struct {
	*rand.Rand
	comments int
}

func (h *handmade) one(options ...string) string { return options[h.IntN(len(options))] }

func (h *handmade) text(attribute string) string {
	switch h.IntN(5) {
	case 0:
		return fmt.Sprint(h.IntN(100))
	case 1:
		return h.one("true", "false")
	case 2:
		return fmt.Sprintf("[%q, %q]", h.one("a", "b"), h.one("c", "d"))
	}
	return fmt.Sprintf("%q", attribute+h.one("-x", "-y", " z", `-"q"`))
}

func typeOf(text string) string {
	switch text[0] {
	case '"':
		return "string"
	case '[':
		return "[...string]"
	case 't', 'f':
		return "bool"
	}
	return "number"
}

// field writes a field, in the base sometimes as a default.
func (h *handmade) field(name, value string, shared bool) string {
	if shared && h.IntN(2) == 0 {
		value = "*" + value + " | " + typeOf(value)
	}
	sep := h.one(": ", ": ", ":   ", ":")
	s := name + sep + value
	switch h.IntN(6) {
	case 0:
		h.comments++
		s += fmt.Sprintf(" // beside %d", h.comments)
	case 1:
		h.comments++
		s = fmt.Sprintf("// above %d\n\t", h.comments) + s
	}
	return s
}

func (h *handmade) tenant(id string, fields map[string]string, shared bool, extra ...string) string {
	var lines, attributes []string
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if attribute, ok := strings.CutPrefix(name, "."); ok {
			attributes = append(attributes, h.field(attribute, fields[name], shared))
		} else {
			lines = append(lines, h.field(name, fields[name], shared))
		}
	}
	if len(attributes) == 1 && h.IntN(2) == 0 && !strings.Contains(attributes[0], "\n") {
		lines = append(lines, "custom_attributes: "+attributes[0])
	} else if len(attributes) > 0 {
		lines = append(lines, "custom_attributes: {\n\t\t"+strings.Join(attributes, "\n\t\t")+"\n\t}")
	}
	lines = append(lines, extra...)
	head := fmt.Sprintf("tenants: %q: ", id)
	if shared && h.IntN(2) == 0 {
		head += "schema.#Tenant & "
	}
	body := head + "{\n" + h.one("\t", "    ") + strings.Join(lines, "\n\t") + "\n}\n"
	if len(lines) == 1 && !strings.Contains(lines[0], "\n") && !strings.Contains(head, "&") {
		body = head + lines[0] + "\n"
	}
	return body + h.one("", "\n", "\n\n")
}

func (h *handmade) finish(text string) []byte {
	if h.IntN(4) == 0 {
		text = strings.ReplaceAll(text, "\n", "\r\n")
	}
	if h.IntN(4) == 0 {
		text = "\ufeff" + text
	}
	return []byte(text)
}

func handmadeEnvs() []string { return []string{"dev", "prod", "staging"} }

// configuration is a base and three overlays. The result are the files.
func (h *handmade) configuration() map[string][]byte {
	files := map[string][]byte{"cue.mod/module.cue": []byte("module: \"example.com/identity@v0\"\nlanguage: version: \"v0.17.0\"\n")}
	base := "package envs\n\nimport \"example.com/identity/schema\"\n\ntenants: schema.#Tenants\n\n"
	overlays := map[string]string{}
	for _, env := range handmadeEnvs() {
		overlays[env] = fmt.Sprintf("package envs\n\nenvironment: {\n\tname: %q\n}\n", env) + h.one("", "\n")
	}
	for i := range 1 + h.IntN(5) {
		id := fmt.Sprintf("tenant-%d", i)
		fields := map[string]string{"name": fmt.Sprintf("%q", "Tenant "+fmt.Sprint(i))}
		if h.IntN(2) == 0 {
			fields["domains"] = fmt.Sprintf("[%q, %q]", fmt.Sprintf("a%d.com", i), fmt.Sprintf("b%d.com", i))
			if h.IntN(3) == 0 {
				fields["domains"] = fmt.Sprintf("[\n\t\t%q, // first %d\n\t\t%q,\n\t]", fmt.Sprintf("a%d.com", i), h.comments+1000, fmt.Sprintf("b%d.com", i))
				h.comments++
			}
		}
		if h.IntN(2) == 0 {
			fields["self_provisioning"] = h.one("true", "false")
		}
		for _, a := range []string{"plan", "seats", `"odd key"`} {
			if h.IntN(2) == 0 {
				fields["."+a] = h.text("v")
			}
		}
		var extra []string
		if h.IntN(4) == 0 {
			extra = append(extra, `enabled_in: ["dev", "prod"]`)
		}
		if i > 0 && h.IntN(4) == 0 { // only in one environment
			env := h.one(handmadeEnvs()...)
			overlays[env] += h.tenant(id, fields, false)
			continue
		}
		base += h.tenant(id, fields, true, extra...)
		for _, env := range handmadeEnvs() {
			if h.IntN(3) == 0 {
				overlays[env] += h.tenant(id, map[string]string{"." + h.one("note", "level"): h.text("o")}, false)
			}
		}
	}
	files["envs/base.cue"] = h.finish(base)
	for env, text := range overlays {
		files["envs/"+env+"/"+env+".cue"] = h.finish(text)
	}
	return files
}

// random are edits that somebody could adopt, given what the environment says.
func (h *handmade) edits(now evaluated) []src.Edit {
	value := func() any {
		var v any
		if err := json.Unmarshal([]byte(h.text("n")), &v); err != nil {
			panic(err)
		}
		v, _ = model.Normalize(v)
		return v
	}
	var out []src.Edit
	tenants, _ := now.doc["tenants"].(map[string]any)
	for _, id := range slices.Sorted(maps.Keys(tenants)) {
		key := model.Key{Kind: model.Tenant, ID: id}
		switch h.IntN(8) {
		case 0:
			out = append(out, src.Edit{Key: key, Path: "name", Value: "Renamed " + id})
		case 1:
			out = append(out, src.Edit{Key: key, Path: model.JoinPath("custom_attributes", h.one("plan", "seats", "odd key", "note", "brand_new", "if")), Value: value()})
		case 2:
			out = append(out, src.Edit{Key: key, Path: model.JoinPath("custom_attributes", h.one("plan", "seats", "odd key", "note", "level")), Absent: true})
		case 3:
			out = append(out, src.Edit{Key: key, Path: "domains", Value: []any{h.one("a", "n") + strings.TrimPrefix(id, "tenant-") + ".com", "new" + id + ".com"}},
				src.Edit{Key: key, Path: "self_provisioning", Value: h.IntN(2) == 0})
		case 4:
			out = append(out, src.Edit{Key: key, Absent: true})
		}
	}
	if h.IntN(4) == 0 {
		id := h.one("brand-new", "T2abCdEf", fmt.Sprintf("tenant-%d", h.IntN(6)))
		if _, there := tenants[id]; !there {
			out = append(out, src.Edit{Key: model.Key{Kind: model.Tenant, ID: id}, Value: map[string]any{
				"name": "New " + id, "custom_attributes": map[string]any{"plan": value()}, "disabled": false,
				"domains": []any{}, "self_provisioning": false, // live, every field has a value
			}})
		}
	}
	return out
}

func writeFiles(t *testing.T, root string, files map[string][]byte) {
	t.Helper()
	for path, text := range files {
		full := filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(full), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestAdoptRandom adopts random values into random configurations. Afterwards the
// environment has them, every other one is byte for byte what it was, no line of
// another field is touched, and comments are where they were.
func TestAdoptRandom(t *testing.T) {
	t.Parallel()
	rounds := 30
	if os.Getenv("CAMPAIGNS") != "" {
		rounds = 1000
	} else if underRace {
		rounds = 4
	}
	counts := map[string]int{}
	for seed := range rounds {
		h := &handmade{Rand: rand.New(rand.NewPCG(uint64(seed), 7))}
		files := h.configuration()
		root := t.TempDir()
		writeFiles(t, root, files)
		m, err := compiler.Find(root)
		if err != nil {
			t.Fatal(err)
		}
		before, err := evaluateAll(t.Context(), m, handmadeEnvs())
		if err != nil {
			t.Fatal(err)
		}
		env := h.one(handmadeEnvs()...)
		fail := func(format string, args ...any) {
			t.Helper()
			t.Fatalf("seed %d, %s: %s\n%s\n%s", seed, env, fmt.Sprintf(format, args...), files["envs/base.cue"], files["envs/"+env+"/"+env+".cue"])
		}
		for name, e := range before {
			if len(e.diagnostics) > 0 {
				fail("%s does not compile: %v", name, e.diagnostics)
			}
		}
		edits := h.edits(before[env])
		if len(edits) == 0 {
			continue
		}
		w := newWorld(t, emulator.Options{})
		a, _ := w.app()
		d, err := a.adopt(t.Context(), m, env, edits, true)
		if err != nil {
			var de *diagnosticsError
			if errors.As(err, &de) {
				fail("%v: %v: %v", edits, err, de.diagnostics)
			}
			fail("%v: %v", edits, err)
		}
		if err := d.write(); err != nil {
			fail("%v", err)
		}
		after, err := evaluateAll(t.Context(), m, handmadeEnvs())
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range handmadeEnvs() {
			if name != env && !before[name].same(after[name], edits) {
				fail("%v: %s changed:\n%s\n%s", edits, name, before[name].text, after[name].text)
			}
		}
		removed := 0
		allowed := 0
		for _, e := range edits {
			counts[kindOfEdit(e)]++
			o := after[env].object(e.Key)
			if e.Path == "" && e.Absent {
				if o != nil {
					fail("%s is still there", e.Key)
				}
				allowed += 30
				continue
			}
			if o == nil {
				fail("%s is gone", e.Key)
			}
			if e.Path == "" {
				e.Path = "name"
				e.Value = e.Value.(map[string]any)["name"]
			}
			got, has := leavesOf(e.Key, o)[e.Path]
			want := e.Value
			if list, ok := want.([]any); ok && e.Path == "domains" {
				want = model.SortedSet(list)
			}
			if has == e.Absent || !e.Absent && !model.Equal(got, want) {
				fail("%v: %s of %s is %v", edits, e.Path, e.Key, got)
			}
			allowed += 6 // the value here and in the base, a list of two lines, the structs around it
		}
		lost := map[string]bool{}
		for _, n := range d.notes {
			if n.Code == "lost-comment" {
				lost[n.Summary[strings.Index(n.Summary, "//"):]] = true
			}
		}
		for _, path := range d.paths() {
			is, err := os.ReadFile(filepath.Join(root, path))
			if err != nil && d.after[path] != nil {
				t.Fatal(err)
			}
			counts["files"]++
			was := string(files[path])
			if strings.Contains(was, "\r\n") && bytes.Count(is, []byte("\n")) != bytes.Count(is, []byte("\r\n")) {
				fail("%s: line ends are mixed:\n%q", path, is)
			}
			if strings.HasPrefix(was, "\ufeff") != strings.HasPrefix(string(is), "\ufeff") && len(is) > 0 {
				fail("%s: the byte order mark", path)
			}
			rest := string(is)
			for line := range strings.Lines(was) {
				i := strings.Index(line, "//")
				if i >= 0 && !strings.Contains(rest, strings.TrimSpace(line[i:])) && !lost[strings.TrimSpace(line[i:])] {
					fail("%v: %s: a comment is lost: %s\n%s", edits, path, line, is)
				}
			}
			old, now := strings.Split(was, "\n"), strings.Split(rest, "\n")
			removed += len(old) - common(old, now)
			counts["lines removed"] += len(old) - common(old, now)
			counts["lines added"] += len(now) - common(old, now)
		}
		if removed > allowed {
			fail("%v: %d lines changed\n%s", edits, removed, d.diff(a.streams.OutStyle()))
		}
		again, err := a.adopt(t.Context(), m, env, edits, false)
		if err != nil || !again.empty() {
			fail("%v: adopted twice: %v %v", edits, err, again)
		}
	}
	t.Logf("counts: %v", counts)
	for _, kind := range []string{"value", "absent value", "object", "absent object"} {
		if counts[kind] == 0 && !underRace {
			t.Errorf("no %s was adopted", kind)
		}
	}
}

func kindOfEdit(e src.Edit) string {
	s := "value"
	if e.Path == "" {
		s = "object"
	}
	if e.Absent {
		s = "absent " + s
	}
	return s
}

// common is the length of the longest common subsequence.
func common(a, b []string) int {
	row := make([]int, len(b)+1)
	for i := range a {
		diagonal := 0
		for j := range b {
			up := row[j+1]
			if a[i] == b[j] {
				row[j+1] = diagonal + 1
			} else {
				row[j+1] = max(row[j+1], row[j])
			}
			diagonal = up
		}
	}
	return row[len(b)]
}
