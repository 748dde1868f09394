package flow

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestDiffMutations(t *testing.T) {
	f := fixture(t)
	for _, m := range mutations(t) {
		g := change(t, f, m.edit)
		r := Diff(f, g)
		for _, c := range []struct {
			name      string
			got, want []Change
		}{{"changes", r.Changes, m.want}, {"noise", r.Noise, m.noise}, {"moved", r.Moved, m.moved}} {
			if diff := cmp.Diff(append([]Change{}, c.want...), c.got); diff != "" {
				t.Errorf("%s: %s: -want +got\n%s", m.name, c.name, diff)
			}
		}
		// The other way round there is as much of everything.
		back := Diff(g, f)
		if got := []int{len(back.Changes), len(back.Noise), len(back.Moved)}; !slices.Equal(got, []int{len(r.Changes), len(r.Noise), len(r.Moved)}) {
			t.Errorf("%s: %v backwards, %d %d %d forwards", m.name, got, len(r.Changes), len(r.Noise), len(r.Moved))
		}
		if r.Equal() != (len(m.want) == 0) || r.Identical() {
			t.Errorf("%s: equal %v", m.name, r.Equal())
		}
		// The same between two projects, but for the ids of screens.
		other := otherProject(t, g, rand.New(rand.NewPCG(7, 8)))
		if across := Diff(f, other); m.name != "left-over" && len(across.Changes) != len(r.Changes)+extraAcross(m.name) {
			t.Errorf("%s: %d changes across projects, %d in one:\n%s", m.name, len(across.Changes), len(r.Changes), jsonOf(across.Changes))
		}
		t.Logf("%s: %d changes, %d noise", m.name, len(r.Changes), len(r.Noise))
	}
	t.Logf("%d kinds of mutation", len(mutations(t)))
}

// extraAcross is how many changes more there are between two projects: a screen
// without a task in common cannot be recognised.
func extraAcross(name string) int {
	switch name {
	case "screen of a renumbered task":
		return 1
	case "connector renamed":
		return 2 // one removed, one added, and every use of it
	case "connector names lost":
		return 0
	default:
		return 0
	}
}

func jsonOf(v any) string {
	b, _ := json.MarshalIndent(v, "", " ")
	return string(b)
}

func TestDiffNoise(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	f := otherProject(t, fixture(t), r)
	for i := range 1000 {
		g := change(t, f, func(doc map[string]any) {
			for range 1 + r.IntN(4) {
				noises()[r.IntN(len(noises()))].edit(doc, r)
			}
		})
		if report := Diff(f, g); !report.Equal() {
			t.Fatalf("run %d: %s", i, jsonOf(report.Changes))
		}
	}
}

// A value that appears on many components at once is a default of a newer
// version, and without a newer version somebody's decision.
func TestDiffMassBackfill(t *testing.T) {
	plain := change(t, fixture(t), func(doc map[string]any) {
		for _, id := range []string{"a", "b", "c"} {
			obj(doc, "screens", 0, "contents")[id] = value(t, `{"type":{"resolvedName":"Text"},"props":{"children":"x"},"parent":"ROOT"}`)
		}
	})
	edit := func(f Flow, version string, prop string, v any, ids ...string) Flow {
		return change(t, f, func(doc map[string]any) {
			obj(doc, "metadata")["componentsVersion"] = version
			for _, id := range ids {
				obj(nodeOf(doc, 0, id), "props")[prop] = v
			}
		})
	}
	for _, c := range []struct {
		name           string
		a, b           Flow
		changes, noise int
	}{
		{"newer version", plain, edit(plain, "3.18.0", "shape", "round", "a", "b", "c"), 0, 4},
		{"other way round", edit(plain, "3.18.0", "shape", "round", "a", "b", "c"), plain, 0, 4},
		{"same version", plain, edit(plain, "3.17.0", "shape", "round", "a", "b", "c"), 3, 0},
		{"older version", plain, edit(plain, "3.9.0", "shape", "round", "a", "b", "c"), 3, 1},
		{"no version", plain, edit(plain, "", "shape", "round", "a", "b", "c"), 3, 1},
		{"two only", plain, edit(plain, "3.18.0", "shape", "round", "a", "b"), 2, 1},
		{"known before", edit(plain, "3.17.0", "shape", "flat", "title"), edit(plain, "3.18.0", "shape", "round", "a", "b", "c", "title"), 4, 1},
		{"what people write", plain, edit(plain, "3.18.0", "href", "https://x", "a", "b", "c"), 3, 1},
		{"a list", plain, edit(plain, "3.18.0", "shape", []any{}, "a", "b", "c"), 3, 1},
	} {
		r := Diff(c.a, c.b)
		if len(r.Changes) != c.changes || len(r.Noise) != c.noise {
			t.Errorf("%s: %s", c.name, jsonOf(r))
		}
	}
}

// Screens that two tasks share are one screen, until they are not.
func TestDiffSharedScreen(t *testing.T) {
	f := change(t, fixture(t), func(doc map[string]any) { taskOf(doc, "0")["screenId"] = screen2 })
	g := change(t, f, func(doc map[string]any) { obj(nodeOf(doc, 1, "otp-title"), "props")["children"] = "Code" })
	want := []Change{{
		Kind: TextChanged, Task: "0", TaskName: "Sign In Screen", Also: []string{"4"}, Screen: screen2, Node: "otp-title", Component: "Text",
		Field: "props.children", Before: "Enter your code", After: "Code",
	}}
	if diff := cmp.Diff(want, Diff(f, g).Changes); diff != "" {
		t.Error(diff)
	}
	split := change(t, f, func(doc map[string]any) {
		own := obj(doc, "screens", 1)
		doc["screens"] = append(list(doc["screens"]), any(without(own, "screenId")))
		obj(doc, "screens", 2)["screenId"] = "SCcopy"
		taskOf(doc, "4")["screenId"] = "SCcopy"
	})
	if r := Diff(f, split); !r.Equal() {
		t.Errorf("a copy of a screen: %s", jsonOf(r.Changes))
	}
}

func TestReport(t *testing.T) {
	f := fixture(t)
	same := Diff(f, f)
	if !same.Equal() || !same.Identical() {
		t.Errorf("a flow differs from itself: %+v", same)
	}
	want := `{"from":{"id":"sign-in","name":"Sign In","components_version":"3.17.0"},"to":{"id":"sign-in","name":"Sign In","components_version":"3.17.0"},"changes":[],"moved":[],"noise":[]}`
	if b, _ := json.Marshal(same); string(b) != want {
		t.Errorf("%s", b)
	}
	g := change(t, f, func(doc map[string]any) {
		for _, m := range mutations(t) {
			if slices.Contains([]string{"text", "name", "stamp", "moved"}, m.name) {
				m.edit(doc)
			}
		}
	})
	r := Diff(f, g)
	counts := Counts{Changes: 2, Moved: 2, Noise: 1, Kinds: map[Kind]int{TextChanged: 1, MetadataChanged: 1}, Reasons: map[Reason]int{Stamp: 1}}
	if diff := cmp.Diff(counts, r.Counts()); diff != "" {
		t.Error(diff)
	}
	if of := r.Of(TextChanged, StartTask); len(of) != 1 || of[0].Node != "title" {
		t.Errorf("%+v", of)
	}
	if a, b := jsonOf(Diff(f, g)), jsonOf(r); a != b {
		t.Error("the same diff twice is not the same")
	}
}

// bigFlow has n tasks, every second one a screen with 20 components.
func bigFlow(t testing.TB, n int) Flow {
	t.Helper()
	f := fixture(t)
	return change(t, f, func(doc map[string]any) {
		tasks := obj(doc, "contents", "tasks")
		for i := 100; len(tasks) < n; i++ {
			id := itoa(i)
			task := map[string]any{
				"id": id, "name": "Step " + id, "type": TypeAction, "action": "risk", "view": map[string]any{"x": i, "y": i},
				"next": map[string]any{"rules": []any{map[string]any{"interactionId": "success", "taskId": itoa(i + 1)}}},
			}
			if i%2 == 0 {
				task["type"], task["screenId"] = TypeScreen, "SC"+id
				nodes := map[string]any{}
				children := []any{}
				for j := range 20 {
					nodes["n"+itoa(j)] = map[string]any{
						"type": map[string]any{"resolvedName": "Text"}, "parent": "ROOT",
						"props": map[string]any{"id": "n" + itoa(j), "children": "Text " + itoa(j), "variant": "body1", "size": "md"},
					}
					children = append(children, "n"+itoa(j))
				}
				nodes["ROOT"] = map[string]any{"type": map[string]any{"resolvedName": "Container"}, "nodes": children, "props": map[string]any{"id": "ROOT"}}
				doc["screens"] = append(list(doc["screens"]), map[string]any{"screenId": "SC" + id, "contents": nodes})
			}
			tasks[id] = task
		}
	})
}

func TestDiffIsFast(t *testing.T) {
	f := bigFlow(t, 300)
	g := change(t, otherProject(t, f, rand.New(rand.NewPCG(5, 6))), func(doc map[string]any) {
		for i, s := range objects(doc["screens"]) {
			for _, id := range keys(object(s["contents"])) {
				if i%2 == 0 {
					obj(s, "contents", id, "props")["variant"] = "h1"
				}
			}
		}
	})
	best := time.Hour
	var r Report
	for range 10 {
		start := time.Now()
		r = Diff(f, g)
		best = min(best, time.Since(start))
	}
	t.Logf("300 tasks, %d KB: %d changes in %v", len(f.V2())/1024, len(r.Changes), best)
	if best > underRace*200*time.Millisecond {
		t.Errorf("the diff took %v", best)
	}
}
