package flow

import (
	"path/filepath"
	"testing"
)

// TestMergeCorpus merges real versions whose line merge was a broken file.
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
		merged, conflicts := Merge(f[0], f[1], f[2])
		t.Logf("%s: ours %d changes, theirs %d, conflicts %d, merged %d", filepath.Base(dir), len(Diff(f[0], f[1]).Changes), len(Diff(f[0], f[2]).Changes), len(conflicts), len(Diff(f[0], merged).Changes))
		for _, c := range conflicts {
			t.Logf("  %s: %s", c.Path, c.Message)
		}
	}
}
