package flow

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// brokenIn is what refers to nothing in a flow, found in another way than the
// merge does.
func brokenIn(f Flow) map[string]bool {
	out := map[string]bool{}
	bad := func(format string, args ...any) { out[fmt.Sprintf(format, args...)] = true }
	doc := f.doc
	tasks := object(object(doc["contents"])["tasks"])
	screens, shown := map[string]map[string]any{}, map[string]bool{}
	for _, s := range objects(doc["screens"]) {
		if screens[text(s["screenId"])] != nil {
			bad("screen %v twice", s["screenId"])
		}
		screens[text(s["screenId"])] = s
	}
	if start := text(object(doc["contents"])["startTask"]); tasks[start] == nil {
		bad("start %s", start)
	}
	for id, v := range tasks {
		task := object(v)
		var screen map[string]any
		if task["type"] == "screen" {
			screen = screens[text(task["screenId"])]
			shown[text(task["screenId"])] = true
			if screen == nil {
				bad("task %s has no screen", id)
			}
		}
		if first, ok := strings.CutSuffix(id, ".end"); ok && tasks[first] == nil {
			bad("pair of %s", id)
		}
		for name, a := range object(task["arguments"]) {
			if step := text(object(a)["value"]); strings.HasSuffix(name, "StepId") && step != "" && tasks[step] == nil {
				bad("step %s of %s", step, id)
			}
		}
		outcomes := map[string]bool{}
		for _, i := range objects(screen["interactions"]) {
			outcomes[text(i["id"])] = true
		}
		for _, c := range objects(task["conditions"]) {
			if outcomes[text(c["interactionId"])] {
				bad("branch %v of %s twice", c["interactionId"], id)
			}
			outcomes[text(c["interactionId"])] = true
		}
		for name := range object(task["errorHandlingV2"]) {
			outcomes[name] = true
		}
		for _, r := range objects(object(task["next"])["rules"]) {
			if tasks[text(r["taskId"])] == nil {
				bad("edge %s %v to %v", id, r["interactionId"], r["taskId"])
			}
			free := task["type"] == nil || task["type"] == "flow" || task["type"] == "automated" && text(r["interactionId"]) == "success"
			if !free && !outcomes[text(r["interactionId"])] {
				bad("outcome %v of %s", r["interactionId"], id)
			}
		}
	}
	for id, s := range screens {
		owner := ""
		for task, v := range tasks {
			if object(v)["type"] == "screen" && text(object(v)["screenId"]) == id && (owner == "" || task < owner) {
				owner = task
			}
		}
		if !shown[id] {
			bad("screen %s is shown by nothing", id)
		}
		nodes := object(s["contents"])
		places := map[string]int{}
		for node, v := range nodes {
			for _, child := range list(object(v)["nodes"]) {
				places[text(child)]++
				if nodes[text(child)] == nil || text(object(nodes[text(child)])["parent"]) != node {
					bad("child %v of %s in the screen of %s", child, node, owner)
				}
			}
		}
		for node := range nodes {
			if places[node] != 1 && node != "ROOT" {
				bad("component %s of the screen of %s is in %d places", node, owner, places[node])
			}
			up := node
			for range len(nodes) {
				up = text(object(nodes[up])["parent"])
			}
			if up != "" {
				bad("component %s of the screen of %s is in a circle", node, owner)
			}
		}
	}
	for _, s := range objects(object(doc["metadata"])["sharedInteractions"]) {
		if at, _, _ := strings.Cut(text(s["id"]), "."); tasks[at] == nil {
			bad("shared %v", s["id"])
		}
	}
	return out
}

// newProblems are what [Lint] finds in a merge and in none of its versions, but
// for warnings about things that a merge cannot know.
func newProblems(merged Flow, versions ...Flow) []string {
	said := func(f Flow) map[string]bool {
		out := map[string]bool{}
		for _, p := range Lint(f, LintOptions{}) {
			if p.Severity == model.Error || slices.Contains([]LintRule{NodeTree, StaleShared, DuplicateID}, p.Rule) {
				// Neither the index of a screen nor the name of a task, which differ.
				out[fmt.Sprintf("%s of task %q in %s", p.Rule, p.Task, p.Path[strings.LastIndexByte(p.Path, '.')+1:])] = true
			}
		}
		return out
	}
	found := said(merged)
	for _, v := range versions {
		for p := range said(v) {
			delete(found, p)
		}
	}
	return keys(found)
}

// newlyBroken are those that neither version has.
func newlyBroken(merged Flow, versions ...Flow) []string {
	found := brokenIn(merged)
	for _, v := range versions {
		for d := range brokenIn(v) {
			delete(found, d)
		}
	}
	return keys(found)
}

func paths(conflicts []Conflict) []string {
	var out []string
	for _, c := range conflicts {
		out = append(out, c.Path)
	}
	return out
}

// checkMerge merges both ways and holds the results to what any merge must be.
func checkMerge(t *testing.T, what string, base, ours, theirs Flow) (Flow, []Conflict) {
	t.Helper()
	merged, conflicts := Merge(base, ours, theirs)
	back, mirrored := Merge(base, theirs, ours)
	if bad := newlyBroken(merged, ours, theirs); len(bad) > 0 {
		t.Fatalf("%s\nis invalid: %v\nconflicts %v", what, bad, paths(conflicts))
	}
	if bad := newProblems(merged, ours, theirs); len(bad) > 0 {
		t.Fatalf("%s\nhas problems: %v\nconflicts %v", what, bad, paths(conflicts))
	}
	if err := checkShape(merged.doc); err != nil {
		t.Fatalf("%s\ncannot be read: %v", what, err)
	}
	a, b := paths(conflicts), paths(mirrored)
	slices.Sort(a)
	slices.Sort(b)
	if !slices.Equal(a, b) {
		t.Fatalf("%s\none way   %v\nthe other %v", what, a, b)
	}
	if len(conflicts) == 0 && !merged.Normal().Equal(back.Normal()) {
		t.Fatalf("%s\nmerges to something else the other way\n%s", what, jsonOf(Diff(merged, back).Changes))
	}
	for _, c := range conflicts {
		if c.Path == "" || c.Message == "" || strings.Contains(c.Message, "%!") {
			t.Fatalf("%s: %+v", what, c)
		}
	}
	return merged, conflicts
}

// TestMergeLaws holds the merge itself, without its short cuts, to its laws.
func TestMergeLaws(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	base := fixture(t)
	for i := range 150 {
		x, _, _ := edited(t, base, "x", r, r.IntN(4))
		y, said, _ := edited(t, x, "y", r, 1+r.IntN(6))
		for _, law := range []struct {
			name               string
			base, ours, theirs Flow
		}{{"x x y", x, x, y}, {"x y x", x, y, x}, {"x y y", x, y, y}} {
			if merged, conflicts := merge(law.base, law.ours, law.theirs, "ours", "theirs"); len(conflicts) > 0 || !merged.Normal().Equal(y.Normal()) {
				t.Fatalf("%d: merge %s with %v: %v\n%s", i, law.name, said, paths(conflictsIn(conflicts)), jsonOf(Diff(y, merged)))
			}
			if merged, conflicts := Merge(law.base, law.ours, law.theirs); len(conflicts) > 0 || !bytes.Equal(merged.V2(), y.V2()) {
				t.Fatalf("%d: merge %s with %v: other bytes", i, law.name, said)
			}
		}
	}
}

func conflictsIn(m map[string]Conflict) []Conflict {
	var out []Conflict
	for _, k := range keys(m) {
		out = append(out, m[k])
	}
	return out
}

// mergeShards are the parts of [TestMergeRandom] that run beside each other.
const mergeShards = 8

// TestMergeRandom merges random edits of one flow: the result is valid, and what
// was edited in different places is all in it.
func TestMergeRandom(t *testing.T) {
	base := fixture(t)
	triples := 400
	if n, err := strconv.Atoi(os.Getenv("DESCOPE_MGMT_MERGES")); err == nil {
		triples = n // 10000 take a minute
	} else if testing.Short() || underRace > 1 {
		triples = 100
	}
	var clean, disjoint, conflicts atomic.Int64
	t.Run("shards", func(t *testing.T) {
		for shard := range mergeShards {
			t.Run(strconv.Itoa(shard), func(t *testing.T) {
				t.Parallel()
				r := rand.New(rand.NewPCG(3, uint64(shard)))
				for i := shard; i < triples; i += mergeShards {
					found, apart := mergeRandom(t, i, base, r)
					conflicts.Add(int64(found))
					if found == 0 {
						clean.Add(1)
					}
					if apart {
						disjoint.Add(1)
					}
				}
			})
		}
	})
	if n := int64(triples); clean.Load() < n/5 || clean.Load() > n*9/10 || disjoint.Load() < n/10 {
		t.Errorf("%d clean, %d disjoint", clean.Load(), disjoint.Load())
	}
	t.Logf("counts: %d triples, %d clean, %d in different places, %d conflicts", triples, clean.Load(), disjoint.Load(), conflicts.Load())
}

// mergeRandom merges one triple; it returns the number of conflicts and whether the
// edits were in different places.
func mergeRandom(t *testing.T, i int, base Flow, r *rand.Rand) (conflicts int, disjoint bool) {
	t.Helper()
	from, _, _ := edited(t, base, "z", r, r.IntN(3))
	ours, saidO, unitsO := edited(t, from, "a", r, 1+r.IntN(7))
	theirs, saidT, unitsT := edited(t, from, "b", r, 1+r.IntN(7))
	what := fmt.Sprintf("%d: %q against %q", i, saidO, saidT)
	merged, found := checkMerge(t, what, from, ours, theirs)
	if !apart(unitsO, unitsT) {
		return len(found), false
	}
	dangling := strings.Contains(fmt.Sprint(saidO, saidT), "drop")
	if len(found) > 0 && !dangling {
		t.Fatalf("%s: conflicts %v", what, paths(found))
	}
	if len(found) == 0 {
		isUnion(t, what, from, ours, theirs, merged)
	}
	return len(found), true
}

func apart(a, b map[string]bool) bool {
	for unit := range a {
		if b[unit] {
			return false
		}
	}
	return true
}

// isUnion reports whether the merge has the changes of both and no others.
func isUnion(t *testing.T, what string, base, ours, theirs, merged Flow) {
	t.Helper()
	said := func(f Flow) map[string]bool {
		out := map[string]bool{}
		for _, c := range Diff(base, f).Changes {
			c.TaskName, c.Also, c.Screen = "", nil, ""
			if m := object(c.After); c.Kind == ComponentAdded && m != nil {
				c.After = without(m, "index") // the other may have put something before it
			}
			if c.Kind == ComponentsReordered {
				if strings.Contains(what, "node") {
					continue // what is in order depends on what else is there
				}
				c.Before, c.After = nil, nil
			}
			out[jsonOf(c)] = true
		}
		return out
	}
	want, got := said(ours), said(merged)
	for c := range said(theirs) {
		want[c] = true
	}
	for c := range want {
		if !got[c] {
			t.Fatalf("%s: the merge lacks %s", what, c)
		}
	}
	for c := range got {
		if !want[c] {
			t.Fatalf("%s: the merge has %s", what, c)
		}
	}
}

// TestMergeMutations merges single edits two by two.
func TestMergeMutations(t *testing.T) {
	base := fixture(t)
	all := mutations(t)
	merges, clean := 0, 0
	var flows []Flow
	for _, x := range all {
		flows = append(flows, change(t, base, x.edit))
	}
	everyPair := os.Getenv("DESCOPE_MGMT_MERGES") != ""
	for i, x := range all {
		for j, y := range all[:i+1] {
			if !everyPair && i != j && (i+j)%4 > 0 {
				continue
			}
			_, conflicts := checkMerge(t, x.name+" against "+y.name, base, flows[i], flows[j])
			if merges++; len(conflicts) == 0 {
				clean++
			}
			if x.name == y.name && len(conflicts) > 0 {
				t.Errorf("%s twice: %v", x.name, paths(conflicts))
			}
		}
	}
	t.Logf("counts: %d merges, %d clean", merges, clean)
}

// TestMergeScrambled merges flows in which any value may be anything.
func TestMergeScrambled(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	base := fixture(t)
	scrambled := func(from Flow) (Flow, string) {
		for {
			doc, said := from.Value(), ""
			for range 1 + r.IntN(6) {
				said += scramble(doc, r) + " "
			}
			if f, _, err := FromValue(doc); err == nil {
				return f, said
			}
		}
	}
	clean := 0
	for i := range 300 {
		from, saidB := scrambled(base)
		ours, saidO := scrambled(from)
		theirs, saidT := scrambled(from)
		what := fmt.Sprintf("%d: %s: %s against %s", i, saidB, saidO, saidT)
		_, conflicts := checkMerge(t, what, from, ours, theirs)
		if len(conflicts) == 0 {
			clean++
		}
	}
	f, none := base, Flow{}
	for _, v := range [][3]Flow{{none, none, none}, {none, f, none}, {none, none, f}, {f, none, none}, {f, none, f}} {
		if _, conflicts := Merge(v[0], v[1], v[2]); len(conflicts) > 0 {
			t.Errorf("conflicts with a flow that has nothing: %v", paths(conflicts))
		}
	}
	other, _, _ := edited(t, f, "x", r, 20)
	checkMerge(t, "nothing against another", f, none, other)
	checkMerge(t, "from nothing", none, f, other)
	t.Logf("counts: 300 merges, %d clean", clean)
}
