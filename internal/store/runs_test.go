package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pcconnect.ai/descope-mgmt/internal/model"
)

func ids(runs []RunSummary) string {
	var out []string
	for _, r := range runs {
		out = append(out, r.Info.ID)
	}
	return strings.Join(out, " ")
}

func TestRuns(t *testing.T) {
	d := open(t)
	s := scope(t, d)
	if got, err := d.Runs(); err != nil || len(got) != 0 {
		t.Errorf("none yet: %v, %v", got, err)
	}
	if got, err := s.UnfinishedRuns(); err != nil || len(got) != 0 {
		t.Errorf("none yet: %v, %v", got, err)
	}
	if removed, err := d.PruneRuns(time.Now()); err != nil || len(removed) != 0 {
		t.Errorf("none yet: %v, %v", removed, err)
	}
	other, _ := d.Scope("https://api.descope.com", "P2other")
	begin(t, s, secondRun, 1)
	finishedRun(t, s, firstRun)
	finishedRun(t, other, thirdRun)
	must(t, os.Mkdir(filepath.Join(d.path, runsDir, "notes"), 0o700))

	all, err := d.Runs()
	must(t, err)
	if got := ids(all); got != thirdRun+" "+secondRun+" "+firstRun {
		t.Errorf("runs: %s", got)
	}
	for _, r := range all {
		if r.Err != nil || (r.Result == nil) != (r.Info.ID == secondRun) || r.Info.Operation != "tenant sync" {
			t.Errorf("%+v", r)
		}
	}
	for name, want := range map[string]string{
		firstRun: firstRun, secondRun: secondRun, "latest": secondRun, firstRun[:16]: firstRun,
		"2025111": "ambiguous", thirdRun: "none", "2025121": "none", "": "none", "../../x": "none",
	} {
		r, err := s.LoadRun(name)
		var missing *NotFoundError
		switch {
		case errors.As(err, &missing):
			got := "none"
			if missing.Ambiguous {
				got = "ambiguous"
			}
			if got != want || missing.What != "run" || missing.Name != name || strings.Join(missing.Known, " ") != secondRun+" "+firstRun {
				t.Errorf("%q: %+v", name, missing)
			}
		case err != nil || r.Info.ID != want:
			t.Errorf("%q: %v, %v", name, r, err)
		}
	}
	begin(t, s, "20251110T143014Z-0000ff", 1)
	open, err := s.UnfinishedRuns()
	if err != nil || len(open) != 2 || open[0].Info.ID != "20251110T143014Z-0000ff" || open[1].Info.ID != secondRun || open[1].Plan == nil {
		t.Errorf("unfinished: %v, %v", open, err)
	}
	if open, err := other.UnfinishedRuns(); err != nil || len(open) != 0 {
		t.Errorf("unfinished of another project: %v, %v", open, err)
	}
}

// Within one second the time of the start decides, not chance.
func TestRunsOfOneSecond(t *testing.T) {
	d := open(t)
	s := scope(t, d)
	p, desired := runPlan(t, 1)
	for i, id := range []string{"20251110T143015Z-00000b", "20251110T143015Z-00000a"} {
		info := runInfo(id)
		info.Started = info.Started.Add(time.Duration(i) * time.Millisecond)
		r, err := s.BeginRun(info, p, desired, model.State{})
		must(t, err)
		defer r.Close() //nolint:errcheck // the test is over
	}
	if all, err := d.Runs(); err != nil || ids(all) != "20251110T143015Z-00000a 20251110T143015Z-00000b" {
		t.Errorf("%s, %v", ids(all), err)
	}
	if open, err := s.UnfinishedRuns(); err != nil || len(open) != 2 || open[0].Info.ID != "20251110T143015Z-00000b" {
		t.Errorf("%v, %v", open, err)
	}
}

// A run that cannot be read is listed, refused by name and as the latest, and
// hides no other.
func TestDamagedRun(t *testing.T) {
	for _, name := range []string{runFile, planFile, desiredFile, journalFile} {
		for _, damage := range []string{"missing", "empty", "of another run", "unreadable"} {
			if damage == "empty" && name == journalFile {
				continue // nothing was sent
			}
			t.Run(name+" "+damage, func(t *testing.T) {
				d := open(t)
				s := scope(t, d)
				finishedRun(t, s, firstRun)
				r := begin(t, s, secondRun, 1)
				must(t, r.Intent(0, 0))
				path := filepath.Join(r.Dir(), name)
				must(t, os.Remove(path))
				switch damage {
				case "empty":
					must(t, os.WriteFile(path, nil, 0o600))
				case "of another run":
					text, err := os.ReadFile(filepath.Join(d.runDir(firstRun), name))
					must(t, err, os.WriteFile(path, text, 0o600))
				case "unreadable":
					must(t, os.Mkdir(path, 0o700))
				}
				refused := func(what string, err error) {
					t.Helper()
					var corrupt *CorruptError
					if !strings.Contains(err.Error(), path) || errors.As(err, &corrupt) == (damage == "unreadable") {
						t.Errorf("%s: %v", what, err)
					}
				}
				_, err := s.LoadRun(secondRun)
				if err == nil && name == journalFile && damage == "of another run" {
					t.Fatal("the lines of another run pass")
				}
				refused("by name", err)
				_, err = s.LoadRun("latest")
				refused("as the latest", err)
				_, err = s.UnfinishedRuns()
				refused("as unfinished", err)
				refused("to finish", s.FinishRun(secondRun, nil, runResult("killed")))
				if _, err := s.LoadRun(firstRun); err != nil {
					t.Errorf("another run: %v", err)
				}
				all, err := d.Runs()
				if err != nil || ids(all) != secondRun+" "+firstRun || all[1].Err != nil || (all[0].Err != nil) != (name == runFile) {
					t.Errorf("list: %+v, %v", all, err)
				}
				if removed, err := d.PruneRuns(time.Now()); err != nil || strings.Join(removed, " ") != firstRun {
					t.Errorf("pruned %v, %v", removed, err)
				}
			})
		}
	}
}

func TestFinishRun(t *testing.T) {
	d := open(t)
	s := scope(t, d)
	r := begin(t, s, firstRun, 2)
	must(t, r.Intent(0, 0), r.Ended(0, 0, 1, "done", ""), r.Intent(1, 0), r.Close())
	path := filepath.Join(r.Dir(), journalFile)
	text, err := os.ReadFile(path)
	must(t, err, os.WriteFile(path, append(text, `{"seq":4,"at"`...), 0o600))
	must(t, s.FinishRun(firstRun, postImage(), runResult("killed")))
	got, err := s.LoadRun("latest")
	must(t, err)
	if got.Result == nil || got.Result.Status != "killed" || len(got.Journal) != 3 || !got.Torn || cmp.Diff(postImage(), got.Post) != "" {
		t.Errorf("%+v", got)
	}
	if err := s.FinishRun(firstRun, nil, runResult("killed")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("finished twice: %v", err)
	}
	if err := r.Finish(runResult("done")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("finished by its own process too: %v", err)
	}
	var missing *NotFoundError
	if err := s.FinishRun(secondRun, nil, runResult("killed")); !errors.As(err, &missing) {
		t.Errorf("no such run: %v", err)
	}
	r = begin(t, s, secondRun, 1)
	must(t, r.SavePost(postImage()), s.FinishRun(secondRun, nil, runResult("killed")))
	if got, err := s.LoadRun(secondRun); err != nil || len(got.Post) != 2 {
		t.Errorf("what was recorded before: %v, %v", got, err)
	}
}

// The journal of a finished run cannot be cut at the end of a line either.
func TestFinishedJournalCut(t *testing.T) {
	s := scope(t, open(t))
	finishedRun(t, s, firstRun)
	path := filepath.Join(s.dir.runDir(firstRun), journalFile)
	text, err := os.ReadFile(path)
	must(t, err)
	for cut := range text {
		must(t, os.WriteFile(path, text[:cut], 0o600))
		_, err := s.LoadRun(firstRun)
		var corrupt *CorruptError
		if cut < len(text)-1 && !errors.As(err, &corrupt) {
			t.Fatalf("cut at %d of %d: %v", cut, len(text), err)
		}
	}
}

func TestPruneRuns(t *testing.T) {
	d := open(t)
	s := scope(t, d)
	other, _ := d.Scope("https://api.descope.com", "P2other")
	finishedRun(t, s, firstRun)
	finishedRun(t, other, secondRun)
	finishedRun(t, s, thirdRun)
	begin(t, s, "20251110T143017Z-0000dd", 1)
	finishedRun(t, s, "20251110T143018Z-0000ee")
	p, desired := runPlan(t, 1)
	resumes := runInfo("20251211T143016Z-0000ff")
	resumes.Of = "20251110T143018Z-0000ee"
	r, err := s.BeginRun(resumes, p, desired, model.State{})
	must(t, err)
	defer r.Close() //nolint:errcheck // the test is over
	for _, name := range []string{".new-20251110T143017Z-0000dd", ".new-20251210T143017Z-0000dd", ".old-20251210T143017Z-0000dd", ".new-notes", "notes"} {
		path := filepath.Join(d.path, runsDir, name)
		must(t, os.Mkdir(path, 0o700), os.WriteFile(filepath.Join(path, runFile), nil, 0o600))
	}
	removed, err := d.PruneRuns(time.Date(2025, 12, 1, 0, 0, 0, 0, time.UTC))
	if err != nil || strings.Join(removed, " ") != firstRun+" "+secondRun {
		t.Errorf("removed %v, %v", removed, err)
	}
	var left []string
	entries, err := os.ReadDir(filepath.Join(d.path, runsDir))
	must(t, err)
	for _, e := range entries {
		left = append(left, e.Name())
	}
	want := []string{".new-20251210T143017Z-0000dd", ".new-notes", "20251110T143017Z-0000dd", "20251110T143018Z-0000ee", thirdRun, resumes.ID, "notes"}
	if diff := cmp.Diff(want, left); diff != "" {
		t.Error(diff)
	}
}

func TestRunsUnreadable(t *testing.T) {
	d := open(t)
	s := scope(t, d)
	path := filepath.Join(d.path, runsDir)
	must(t, os.WriteFile(path, nil, 0o600))
	p, desired := runPlan(t, 1)
	_, begun := s.BeginRun(runInfo(firstRun), p, desired, model.State{})
	_, list := d.Runs()
	_, load := s.LoadRun("latest")
	_, unfinished := s.UnfinishedRuns()
	_, prune := d.PruneRuns(time.Now())
	for what, err := range map[string]error{"begin": begun, "list": list, "load": load, "unfinished": unfinished, "prune": prune} {
		if err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
