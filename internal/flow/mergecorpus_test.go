package flow

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestMergeCorpus merges real versions whose line merge was a broken file. What
// ours changed, theirs changed too, among other things.
func TestMergeCorpus(t *testing.T) {
	dirs, _ := filepath.Glob(filepath.Join(corpus(t), "merges", "*"))
	if len(dirs) != 3 {
		t.Fatalf("%d merges", len(dirs))
	}
	for _, dir := range dirs {
		var f [3]Flow
		for i, name := range []string{"base", "ours", "theirs"} {
			var err error
			if f[i], _, err = Parse(readFile(t, filepath.Join(dir, name+".json"))); err != nil {
				t.Fatal(err)
			}
		}
		name := filepath.Base(dir)
		merged, conflicts := checkMerge(t, name, f[0], f[1], f[2])
		if len(conflicts) > 0 || !Diff(f[2], merged).Equal() {
			t.Errorf("%s: %s\n%s", name, jsonOf(conflicts), jsonOf(Diff(f[2], merged)))
		}
		if bad := brokenIn(merged); len(bad) > 0 {
			t.Errorf("%s: %v", name, keys(bad))
		}
		if err := readErr(readFile(t, filepath.Join(dir, "result.json"))); err == nil {
			t.Errorf("%s: the line merge can be read", name)
		}
		t.Logf("counts: %s: %d changes in ours, %d in theirs, %d merged, %d conflicts", name,
			len(Diff(f[0], f[1]).Changes), len(Diff(f[0], f[2]).Changes), len(Diff(f[0], merged).Changes), len(conflicts))
	}
}

func readErr(data []byte) error { _, _, err := Parse(data); return err }

// TestMergeProjectsCorpus merges any three real versions of a flow, from whatever
// projects.
func TestMergeProjectsCorpus(t *testing.T) {
	names, _ := filepath.Glob(filepath.Join(corpus(t), "flows", "*.json"))
	byName := map[string][]Flow{}
	for _, name := range names {
		f, _, err := Parse(readFile(t, name))
		if err != nil {
			t.Fatal(err)
		}
		byName[f.Name()] = append(byName[f.Name()], f)
	}
	merges, clean, conflicts := 0, 0, 0
	for _, name := range keys(byName) {
		flows := byName[name]
		for i, base := range flows {
			for j, ours := range flows {
				theirs := flows[(i+2*j+1)%len(flows)]
				if (i+j)%5 > 0 && os.Getenv("DESCOPE_MGMT_MERGES") == "" {
					continue
				}
				_, found := checkMerge(t, name+": "+base.ID()+" "+itoa(i)+" "+itoa(j), base, ours, theirs)
				merges++
				conflicts += len(found)
				if len(found) == 0 {
					clean++
				}
				if slices.ContainsFunc(found, func(c Conflict) bool {
					return c.Field == "componentsVersion" || c.Field == "view" || c.Field == "screenId"
				}) {
					t.Errorf("%s: noise is a conflict: %s", name, jsonOf(found))
				}
			}
		}
	}
	t.Logf("counts: %d merges, %d clean, %d conflicts", merges, clean, conflicts)
}

// TestMergeEditedCorpus merges random edits of real flows.
func TestMergeEditedCorpus(t *testing.T) {
	names, _ := filepath.Glob(filepath.Join(corpus(t), "flows", "*.json"))
	r := rand.New(rand.NewPCG(7, 8))
	merges, clean := 0, 0
	for _, name := range names {
		base, _, err := Parse(readFile(t, name))
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			ours, saidO, unitsO := edited(t, base, "a", r, 1+r.IntN(12))
			theirs, saidT, unitsT := edited(t, base, "b", r, 1+r.IntN(12))
			what := fmt.Sprintf("%s: %q against %q", filepath.Base(name), saidO, saidT)
			merged, found := checkMerge(t, what, base, ours, theirs)
			if merges++; len(found) == 0 {
				clean++
				if apart(unitsO, unitsT) {
					isUnion(t, what, base, ours, theirs, merged)
				}
			}
		}
	}
	t.Logf("counts: %d merges, %d clean", merges, clean)
}
