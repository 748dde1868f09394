package flow

import (
	"encoding/json"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// otherProject is the flow as another project would export it: with other ids of
// screens and connectors, in another order, and all that is only noise changed.
func otherProject(t testing.TB, f Flow, r *rand.Rand) Flow {
	t.Helper()
	return change(t, f, func(doc map[string]any) {
		for _, n := range noises() {
			n.edit(doc, r)
		}
	})
}

// noise is an edit of a document that does not change what the flow does.
type noise struct {
	name string
	edit func(doc map[string]any, r *rand.Rand)
}

func noises() []noise {
	each := func(v any, f func(map[string]any)) {
		for _, o := range objects(v) {
			f(o)
		}
	}
	tasks := func(doc map[string]any, f func(map[string]any)) {
		for _, id := range keys(obj(doc, "contents", "tasks")) {
			f(taskOf(doc, id))
		}
	}
	shuffle := func(v any, r *rand.Rand) {
		l := list(v)
		r.Shuffle(len(l), func(i, j int) { l[i], l[j] = l[j], l[i] })
	}
	zeros := func(m map[string]any, r *rand.Rand, fields map[string]any) {
		for _, name := range keys(fields) {
			switch model.Unset(m[name]) && r.IntN(2) == 0 {
			case true:
				m[name] = fields[name]
			case false:
				if model.Unset(m[name]) {
					delete(m, name)
				}
			}
		}
	}
	return []noise{
		{"components version", func(doc map[string]any, r *rand.Rand) {
			obj(doc, "metadata")["componentsVersion"] = "3." + itoa(r.IntN(30))
		}},
		{"empty metadata", func(doc map[string]any, r *rand.Rand) {
			zeros(obj(doc, "metadata"), r, map[string]any{
				"disabled": false, "fingerprint": false, "widget": false, "management": false, "managementConfig": nil, "referencesGlobalStrings": false,
			})
			zeros(doc, r, map[string]any{"references": map[string]any{}})
			each(obj(doc, "metadata")["sharedInteractions"], func(s map[string]any) { zeros(s, r, map[string]any{"label": "", "type": ""}) })
		}},
		{"empty interaction fields", func(doc map[string]any, r *rand.Rand) {
			each(doc["screens"], func(s map[string]any) {
				each(s["interactions"], func(i map[string]any) { zeros(i, r, map[string]any{"icon": "", "type": "", "subType": ""}) })
			})
		}},
		{"screen ids", func(doc map[string]any, r *rand.Rand) {
			moved := map[string]string{}
			each(doc["screens"], func(s map[string]any) {
				id := "SC" + itoa(r.IntN(1e9)) + "-" + itoa(len(moved))
				moved[text(s["screenId"])] = id
				s["screenId"] = id
			})
			tasks(doc, func(t map[string]any) {
				if id, ok := moved[text(t["screenId"])]; ok {
					t["screenId"] = id
				}
			})
			slices.SortFunc(list(doc["screens"]), func(a, b any) int {
				return strings.Compare(text(object(a)["screenId"]), text(object(b)["screenId"]))
			})
		}},
		{"connector ids", func(doc map[string]any, r *rand.Rand) {
			connectors := object(object(doc["references"])["connectors"])
			for _, name := range keys(connectors) {
				old, id := connectors[name], "CI"+itoa(r.IntN(1e9))
				raw, _ := json.Marshal(doc)
				var v map[string]any
				_ = json.Unmarshal([]byte(strings.ReplaceAll(string(raw), old.(string), id)), &v)
				doc["references"], doc["contents"] = v["references"], v["contents"]
			}
		}},
		{"orders", func(doc map[string]any, r *rand.Rand) {
			shuffle(doc["screens"], r)
			shuffle(obj(doc, "metadata")["sharedInteractions"], r)
			tasks(doc, func(t map[string]any) { shuffle(object(t["next"])["rules"], r) })
			each(doc["screens"], func(s map[string]any) { shuffle(s["interactions"], r) })
		}},
		{"derived data", func(doc map[string]any, r *rand.Rand) {
			tasks(doc, func(t map[string]any) {
				if t["type"] == TypeScreen {
					for _, name := range derivedKeys() {
						delete(t, name)
						if r.IntN(2) == 0 {
							t[name] = map[string]any{"stale": r.IntN(100)}
						}
					}
				}
			})
		}},
		{"layout", func(doc map[string]any, r *rand.Rand) {
			tasks(doc, func(t map[string]any) { t["view"] = map[string]any{"x": r.IntN(1000), "y": 0.5} })
		}},
		{"left-over screen id", func(doc map[string]any, _ *rand.Rand) {
			tasks(doc, func(t map[string]any) {
				if t["type"] == TypeCondition {
					t["screenId"] = "new-4"
				}
			})
		}},
		{"twin's arguments", func(doc map[string]any, r *rand.Rand) {
			tasks(doc, func(t map[string]any) {
				base, ok := strings.CutSuffix(text(t["id"]), ".end")
				if !ok {
					return
				}
				first := obj(doc, "contents", "tasks", base, "arguments")
				own := map[string]any{}
				for name, v := range first {
					if r.IntN(2) == 0 {
						own[name] = v
					}
				}
				for name, v := range object(t["arguments"]) {
					if !cmp.Equal(v, first[name]) {
						own[name] = v
					}
				}
				t["arguments"] = own
			})
		}},
		{"null for unset", func(doc map[string]any, r *rand.Rand) {
			tasks(doc, func(t map[string]any) {
				if t["type"] == TypeSubflow {
					a := object(t["arguments"])
					a["null"] = map[string]any{"type": "inline"}
					if r.IntN(2) == 0 {
						a["null"] = map[string]any{"type": "inline", "value": nil}
					}
				}
			})
		}},
	}
}

func TestNormalIgnoresNoise(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	// One round by itself first: the argument without a value is not noise where
	// there is none.
	f := otherProject(t, fixture(t), r)
	for _, n := range noises() {
		for range 20 {
			g := change(t, f, func(doc map[string]any) { n.edit(doc, r) })
			if diff := cmp.Diff(f.Normal().Value(), g.Normal().Value()); diff != "" {
				t.Fatalf("%s:\n%s", n.name, diff)
			}
			if f.Normal().Digest() != g.Normal().Digest() || !f.Normal().Equal(g.Normal()) {
				t.Fatalf("%s: another digest", n.name)
			}
		}
	}
}

// What looks like noise and is none.
func TestNormalKeeps(t *testing.T) {
	f := fixture(t)
	for name, edit := range map[string]func(doc map[string]any){
		"components version deeper down": func(doc map[string]any) { taskOf(doc, "3")["componentsVersion"] = "1" },
		"components version of a screen": func(doc map[string]any) { obj(doc, "screens", 0)["componentsVersion"] = "1" },
		"false property":                 func(doc map[string]any) { obj(nodeOf(doc, 0, "email"), "props")["readonly"] = false },
		"empty property":                 func(doc map[string]any) { obj(nodeOf(doc, 0, "email"), "props")["label"] = "" },
		"empty argument":                 func(doc map[string]any) { obj(taskOf(doc, "3"), "arguments", "providerId")["value"] = []any{} },
		"derived name elsewhere":         func(doc map[string]any) { taskOf(doc, "3")["inputKeys"] = []any{"email"} },
		"id of a node that is another":   func(doc map[string]any) { obj(nodeOf(doc, 0, "email"), "props")["id"] = "mail" },
		"id of a task that is another":   func(doc map[string]any) { taskOf(doc, "3")["id"] = "33" },
		"twin with an own value":         func(doc map[string]any) { obj(taskOf(doc, "1.end"), "arguments", "popup")["value"] = true },
		"name of the second half":        func(doc map[string]any) { taskOf(doc, "1.end")["name"] = "Other" },
		"order on a screen":              func(doc map[string]any) { slices.Reverse(list(nodeOf(doc, 0, "ROOT")["nodes"])) },
		"order of conditions":            func(doc map[string]any) { slices.Reverse(list(taskOf(doc, "6")["conditions"])) },
		"a second rule of a kind": func(doc map[string]any) {
			next := obj(taskOf(doc, "3"), "next")
			next["rules"] = append(list(next["rules"]), map[string]any{"interactionId": "success", "taskId": "8"})
		},
		"screens that change places": func(doc map[string]any) {
			a, b := taskOf(doc, "0"), taskOf(doc, "4")
			a["screenId"], b["screenId"] = b["screenId"], a["screenId"]
		},
		"unknown field":        func(doc map[string]any) { doc["futureTop"] = nil },
		"unknown field inside": func(doc map[string]any) { obj(doc, "contents")["future"] = "x" },
		"rule of another kind": func(doc map[string]any) { obj(taskOf(doc, "3"), "next")["future"] = "x" },
		"name of a connector": func(doc map[string]any) {
			doc["references"] = map[string]any{"connectors": map[string]any{"Other": "CI2tEstConnector0000000000001"}}
		},
		"orphan": func(doc map[string]any) {
			doc["screens"] = append(list(doc["screens"]), map[string]any{"screenId": "SCorphan"})
		},
		"dangling": func(doc map[string]any) { taskOf(doc, "4")["screenId"] = "SCnowhere" },
	} {
		g := change(t, f, edit)
		if f.Normal().Equal(g.Normal()) || f.Normal().Digest() == g.Normal().Digest() {
			t.Errorf("%s: not in the normal form", name)
		}
	}
}

func TestNormalFixture(t *testing.T) {
	n := fixture(t).Normal()
	if got := at(n.Tasks, "7", "arguments", "connectorId", "value"); got != "connectors/CRM" {
		t.Errorf("the connector is %v", got)
	}
	want := map[string]any{
		"type": "automated", "action": "exchange-oauth-code", "rules": value(t, `[{"interactionId":"success","taskId":"6"}]`),
		"errorHandlingV2": value(t, `{"OAuthExchangeCodeFailed":{"errorHandlingType":"automatic"}}`),
	}
	if diff := cmp.Diff(want, obj(n.Tasks, "1.end")); diff != "" {
		t.Error(diff)
	}
	twice := change(t, fixture(t), func(doc map[string]any) {
		obj(doc, "metadata")["sharedInteractions"] = value(t, `[{"id":"a"},{"id":"a","label":"x"},{"id":"a"}]`)
	})
	if diff := cmp.Diff([]string{"a", "a#2", "a#3"}, keys(twice.Normal().Shared)); diff != "" {
		t.Error(diff)
	}
}

func TestNormalClassesCorpus(t *testing.T) {
	dir := corpus(t)
	digests := map[string]map[string][]string{}
	for _, row := range corpusFlows(t, dir) {
		f, _, err := Parse(readFile(t, filepath.Join(dir, "flows", row.file)))
		if err != nil {
			t.Fatalf("%s: %v", row.file, err)
		}
		d := f.Normal().Digest()
		if digests[row.class] == nil {
			digests[row.class] = map[string][]string{}
		}
		digests[row.class][d] = append(digests[row.class][d], row.file)
	}
	for class, of := range digests {
		if len(of) != 1 {
			t.Errorf("class %s has %d normal forms: %v", class, len(of), of)
		}
	}
	t.Logf("%d classes", len(digests))
}

// corpusRow is a line of flows.tsv.
type corpusRow struct{ file, class string }

func corpusFlows(t testing.TB, dir string) []corpusRow {
	t.Helper()
	var out []corpusRow
	lines := strings.Split(strings.TrimSpace(string(readFile(t, filepath.Join(dir, "flows.tsv")))), "\n")
	for _, line := range lines[1:] {
		cells := strings.Split(line, "\t")
		out = append(out, corpusRow{cells[0], cells[7]})
	}
	if len(out) < 40 {
		t.Fatalf("only %d flows", len(out))
	}
	return out
}

func TestSnapshotCorpus(t *testing.T) {
	dir := corpus(t)
	n := 0
	for _, pattern := range []string{"snapshot/*/flows/*/metadata.json", "edits/*/*/metadata.json"} {
		names, _ := filepath.Glob(filepath.Join(dir, pattern))
		for _, name := range names {
			files := directory(t, filepath.Dir(name))
			f, err := ParseSnapshot(files)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			back, err := f.Snapshot()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(asText(files), asText(back)); diff != "" {
				t.Errorf("%s:\n%s", filepath.Dir(name), diff)
			}
			n++
		}
	}
	t.Logf("%d directories come back byte by byte", n)
}

func asText(files map[string][]byte) map[string]string {
	out := map[string]string{}
	for name, data := range files {
		out[name] = string(data)
	}
	return out
}

func TestRoundTripCorpus(t *testing.T) {
	dir := corpus(t)
	for _, row := range corpusFlows(t, dir) {
		f, _, err := Parse(readFile(t, filepath.Join(dir, "flows", row.file)))
		if err != nil {
			t.Fatal(err)
		}
		files, err := f.Snapshot()
		if err != nil {
			t.Fatalf("%s: %v", row.file, err)
		}
		g, err := ParseSnapshot(files)
		if err != nil {
			t.Fatalf("%s: %v", row.file, err)
		}
		h, _, err := Parse(g.WithID(f.ID()).V2())
		if err != nil || f.Normal().Digest() != h.Normal().Digest() {
			t.Errorf("%s comes back as something else: %v\n%s", row.file, err, cmp.Diff(f.Normal().Value(), h.Normal().Value()))
		}
	}
}
