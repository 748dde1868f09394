package flow

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDiffClassesCorpus compares every two exports that are known to do the
// same, in both directions.
func TestDiffClassesCorpus(t *testing.T) {
	dir := corpus(t)
	flows := map[string]Flow{}
	rows := corpusFlows(t, dir)
	for _, row := range rows {
		f, _, err := Parse(readFile(t, filepath.Join(dir, "flows", row.file)))
		if err != nil {
			t.Fatal(err)
		}
		flows[row.file] = f
	}
	pairs, apart, onlyNoise := 0, 0, 0
	for i, x := range rows {
		for j, y := range rows {
			if x.class != y.class && (i-j+7)%7 != 1 {
				continue // a part of the pairs that differ is enough
			}
			r := Diff(flows[x.file], flows[y.file])
			switch {
			case x.class == y.class:
				pairs++
				if !r.Equal() {
					t.Errorf("%s and %s: %s", x.file, y.file, jsonOf(r.Changes))
				}
			case r.Identical() || len(r.Changes)+len(r.Noise) == 0:
				t.Errorf("%s and %s are different classes and do not differ", x.file, y.file)
			case r.Equal():
				onlyNoise++
				t.Logf("%s and %s differ by noise alone: %v", x.file, y.file, r.Counts().Reasons)
			default:
				apart++
			}
		}
	}
	t.Logf("%d pairs equal, %d differ, %d by noise alone", pairs, apart, onlyNoise)
}

// TestDiffSnapshotCorpus compares two snapshots of a project that differ in one
// text and 438 lines.
func TestDiffSnapshotCorpus(t *testing.T) {
	dir := corpus(t)
	names, _ := filepath.Glob(filepath.Join(dir, "snapshot", "before", "flows", "*", "metadata.json"))
	var changes []Change
	noise := map[Reason]int{}
	for _, name := range names {
		id := filepath.Base(filepath.Dir(name))
		r := Diff(snapshotFlow(t, filepath.Join(dir, "snapshot", "before", "flows", id)), snapshotFlow(t, filepath.Join(dir, "snapshot", "after", "flows", id)))
		changes = append(changes, r.Changes...)
		for reason, n := range r.Counts().Reasons {
			noise[reason] += n
		}
	}
	if len(names) < 5 || len(changes) != 1 || changes[0].Kind != TextChanged ||
		text(changes[0].After) != strings.Replace(text(changes[0].Before), "Member Login and Registration", "Member Login and Registration TEST", 1) {
		t.Errorf("%d flows: %s", len(names), jsonOf(changes))
	}
	t.Logf("%d flows: %s and noise %v", len(names), jsonOf(changes), noise)
}

func snapshotFlow(t testing.TB, dir string) Flow {
	t.Helper()
	f, err := ParseSnapshot(directory(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// verdict is what another tool said about an edit.
type verdict struct {
	Tasks struct {
		Added, Removed []string
		DerivedOnly    []string `json:"derived_only"`
	}
	Edges struct {
		Added, Removed [][]string
		Rewired        []struct{ InteractionID, New, Old, Src string }
	}
	Screens struct {
		Added, Removed []string
		Modified       map[string]struct {
			NodesAdded   []string                     `json:"nodes_added"`
			NodesRemoved []string                     `json:"nodes_removed"`
			PropChanges  map[string][]json.RawMessage `json:"prop_changes"`
		}
	}
	Errors []struct{ Error, Status, Task string }
}

func TestDiffEditsCorpus(t *testing.T) {
	dirs, _ := filepath.Glob(filepath.Join(corpus(t), "edits", "*"))
	if len(dirs) != 6 {
		t.Fatalf("%d edits", len(dirs))
	}
	for _, dir := range dirs {
		var want verdict
		if err := json.Unmarshal(readFile(t, filepath.Join(dir, "diff.json")), &want); err != nil {
			t.Fatal(err)
		}
		r := Diff(snapshotFlow(t, filepath.Join(dir, "before")), snapshotFlow(t, filepath.Join(dir, "after")))
		if diff := cmp.Diff(expected(want), found(r, want)); diff != "" {
			t.Errorf("%s: -theirs +ours\n%s", filepath.Base(dir), diff)
		}
		t.Logf("%s: %v", filepath.Base(dir), r.Counts())
	}
}

// expected is a verdict as a sorted list of lines.
func expected(v verdict) []string {
	var out []string
	line := func(parts ...string) { out = append(out, strings.Join(parts, " ")) }
	for _, id := range v.Tasks.Added {
		line("task-added", id)
	}
	for _, id := range v.Tasks.Removed {
		line("task-removed", id)
	}
	for _, id := range v.Tasks.DerivedOnly {
		// They count a task that only leads elsewhere among these.
		if !slices.ContainsFunc(v.Edges.Rewired, func(e struct{ InteractionID, New, Old, Src string }) bool { return e.Src == id }) {
			line("derived", id)
		}
	}
	for _, e := range v.Edges.Added {
		line("edge-added", e[0], e[1], e[2])
	}
	for _, e := range v.Edges.Removed {
		line("edge-removed", e[0], e[1], e[2])
	}
	for _, e := range v.Edges.Rewired {
		line("edge-rewired", e.Src, e.InteractionID, e.Old, e.New)
	}
	for _, id := range v.Screens.Added {
		line("screen-added", id)
	}
	for _, id := range v.Screens.Removed {
		line("screen-removed", id)
	}
	for id, m := range v.Screens.Modified {
		line("screen", id)
		for _, n := range m.NodesAdded {
			line("component-added", id, n)
		}
		for _, n := range m.NodesRemoved {
			line("component-removed", id, n)
		}
	}
	slices.Sort(out)
	return out
}

// found is the same of a report.
func found(r Report, v verdict) []string {
	var out []string
	line := func(parts ...string) { out = append(out, strings.Join(parts, " ")) }
	screens := map[string]bool{}
	for _, c := range r.Changes {
		switch c.Kind {
		case TaskAdded, TaskRemoved:
			line(string(c.Kind), c.Step())
		case EdgeAdded:
			line("edge-added", c.Step(), c.Field, text(c.After))
		case EdgeRemoved:
			line("edge-removed", c.Step(), c.Field, text(c.Before))
		case EdgeRewired:
			line("edge-rewired", c.Step(), c.Field, text(c.Before), text(c.After))
		case ScreenAdded, ScreenRemoved:
			line(string(c.Kind), c.Screen)
		case ComponentAdded, ComponentRemoved:
			screens[c.Screen] = true
			line(string(c.Kind), c.Screen, c.Node)
		default:
			if c.Screen != "" {
				screens[c.Screen] = true
			}
		}
	}
	for id := range screens {
		line("screen", id)
	}
	for _, c := range r.Noise {
		if c.Reason == Derived && slices.Contains(v.Tasks.DerivedOnly, c.Task) {
			line("derived", c.Task)
		}
	}
	slices.Sort(out)
	return out
}
