package flow

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// everyFlow is each flow of the corpus that can be read, by file or directory.
func everyFlow(t testing.TB) map[string]Flow {
	t.Helper()
	dir := corpus(t)
	out := map[string]Flow{}
	for _, pattern := range []string{"flows/*.json", "merges/*/*.json"} {
		names, _ := filepath.Glob(filepath.Join(dir, pattern))
		for _, name := range names {
			rel, _ := filepath.Rel(dir, name)
			f, _, err := Parse(readFile(t, name))
			if broken := filepath.Base(name) == "result.json"; broken != (err != nil) {
				t.Errorf("%s: %v", rel, err)
			}
			if err == nil {
				out[filepath.ToSlash(rel)] = f
			}
		}
	}
	for _, pattern := range []string{"snapshot/*/flows/*/metadata.json", "edits/*/*/metadata.json"} {
		names, _ := filepath.Glob(filepath.Join(dir, pattern))
		for _, name := range names {
			rel, _ := filepath.Rel(dir, filepath.Dir(name))
			f := snapshotFlow(t, filepath.Dir(name))
			if strings.HasPrefix(pattern, "snapshot") {
				f = f.WithID(filepath.Base(rel))
			}
			out[filepath.ToSlash(rel)] = f
		}
	}
	if len(out) < 75 {
		t.Fatalf("only %d flows", len(out))
	}
	return out
}

// TestLintCorpus names all defects of the corpus that show in a flow by itself.
// Each was looked at by hand; everything else lints clean.
func TestLintCorpus(t *testing.T) {
	flows := everyFlow(t)
	got := map[string][]string{}
	counts := map[LintRule]int{}
	begin := time.Now()
	for name, f := range flows {
		for _, p := range Lint(f, LintOptions{ID: f.ID()}) {
			where := p.Task
			if where == "" {
				where = p.Path
			}
			got[name] = append(got[name], string(p.Rule)+" "+where)
			counts[p.Rule]++
		}
	}
	took := time.Since(begin)
	const localhost = "local-address screens.6.contents.f8ScpiFhev.props.children"
	want := map[string][]string{
		"flows/cx-2025-05-03-8b3de47--sign-up.json": {localhost},
		"flows/cx-2025-05-04-51785bd--sign-up.json": {localhost},
		"flows/cx-2025-05-05-d1f8303--sign-up.json": {localhost},
		"flows/cx-2025-05-05-e545c97--sign-up.json": {"dangling-screen 25", localhost},
		"flows/cx-2025-05-05-896eccd--sign-up.json": {"dangling-screen 25"},
		"flows/cx-2025-05-05-b378229--sign-up.json": {
			"dangling-screen 24", "dangling-screen 25", "dangling-screen 30", "unreachable-task 11", "unnamed-connector 11",
			"unreachable-task 23", "unnamed-connector 23", localhost,
		},
		"snapshot/before/flows/sign-up": {localhost},
		"snapshot/after/flows/sign-up":  {localhost},
		"edits/2026-08-05-2d9b103--staging--sign-up/before": {
			"unknown-asset 21", "unreachable-task 20", "unreachable-task 21", "unreachable-task 22", "unreachable-task 23",
		},
		"edits/2026-08-05-2d9b103--staging--sign-up/after": {
			"unreachable-task 20", "unreachable-task 22", "unreachable-task 23", "unreachable-task 24",
		},
		"edits/2026-08-05-f896f34--staging--sign-up/before": {"unreachable-task 24"},
		"edits/2026-08-05-f896f34--staging--sign-up/after":  {"unreachable-task 24", "unreachable-task 28"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if took > 3*time.Second*underRace {
		t.Errorf("took %v", took)
	}
	t.Logf("counts: %d flows in %v, %d without a problem: %v", len(flows), took, len(flows)-len(got), counts)
}

// TestLintTableCorpus holds lint to the defects that the corpus itself lists.
func TestLintTableCorpus(t *testing.T) {
	dir := corpus(t)
	lines := strings.Split(strings.Trim(string(readFile(t, filepath.Join(dir, "flows.tsv"))), "\n"), "\n")
	listed := 0
	for _, line := range lines[1:] {
		row := strings.Split(line, "\t")
		f, _, err := Parse(readFile(t, filepath.Join(dir, "flows", row[0])))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range Lint(f, LintOptions{}) {
			switch p.Rule {
			case UnnamedConnector:
				got = append(got, "connector-not-in-references:"+p.Task)
			case LocalAddress, UnreachableTask: // not in the list
			default:
				got = append(got, string(p.Rule)+":"+p.Task)
			}
		}
		slices.Sort(got)
		want := row[len(row)-1]
		if strings.Join(got, ",") != want {
			t.Errorf("%s: %v, want %s", row[0], got, want)
		}
		listed += len(got)
	}
	if listed < 7 {
		t.Errorf("only %d defects are listed", listed)
	}
	t.Logf("counts: %d files, %d listed defects", len(lines)-1, listed)
}

// TestLintSiblingsCorpus looks at flows together with the others of their
// project: every exit that a parent leads on from is published, and what is
// missing was not exported.
func TestLintSiblingsCorpus(t *testing.T) {
	flows := everyFlow(t)
	projects := map[string]map[string]Flow{}
	for name, f := range flows {
		project, _, isFile := strings.Cut(filepath.Base(name), "--")
		if !isFile || strings.HasPrefix(name, "edits") {
			project = filepath.Dir(name)
		}
		if strings.HasPrefix(name, "merges") || f.ID() == "" {
			continue
		}
		if projects[project] == nil {
			projects[project] = map[string]Flow{}
		}
		projects[project][f.ID()] = f
	}
	exits, missing, resolved := 0, 0, 0
	for project, all := range projects {
		known := ProjectOf(mapValues(all))
		for id, f := range all {
			for _, u := range f.Uses() {
				if u.Kind == UseInteraction {
					exits++
					if _, ok := all[u.Flow]; ok {
						resolved++
					}
				}
			}
			for _, p := range Lint(f, LintOptions{ID: id, Siblings: all, Project: &known}) {
				switch p.Rule {
				case UnknownInteraction, UnknownConnector, AmbiguousConnector:
					t.Errorf("%s %s: %s", project, id, jsonOf(p))
				case UnknownFlow:
					if missing++; p.Severity != model.Error {
						t.Errorf("%s %s: %s", project, id, jsonOf(p))
					}
				default:
				}
			}
		}
	}
	if resolved < 3 || missing < 3 {
		t.Errorf("%d exits of flows that are there, %d flows missing", resolved, missing)
	}
	t.Logf("counts: %d projects, %d exits used, %d of flows that are there, %d flows missing", len(projects), exits, resolved, missing)
}

func mapValues(m map[string]Flow) []Flow {
	var out []Flow
	for _, id := range keys(m) {
		out = append(out, m[id])
	}
	return out
}
