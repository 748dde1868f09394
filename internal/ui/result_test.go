package ui

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"pcconnect.ai/descope-mgmt/internal/apply"
	"pcconnect.ai/descope-mgmt/internal/plan"
)

func TestResult(t *testing.T) {
	golden(t, "result.txt", ResultText(sampleResult(), sampleSummary(), Style{}))
	var b strings.Builder
	if err := WriteJSON(&b, ResultJSON(sampleResult(), sampleSummary())); err != nil {
		t.Fatal(err)
	}
	golden(t, "result.json", b.String())
}

func TestResultOfASimpleRun(t *testing.T) {
	r := apply.Result{Outcomes: []apply.Outcome{{Key: key("a"), Action: plan.Delete, Status: apply.Done, StepsDone: 1, Attempts: 1}}}
	want := `tenant/a              - delete       done    0.0 s
Applied: 0 created, 0 updated, 1 deleted in 0.0 s.
`
	if got := ResultText(r, Summary{}, Style{}); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if c := Count(r); c.Done != 1 || c.Failed+c.NotRun+c.Unknown != 0 {
		t.Errorf("counts %+v", c)
	}
	var b strings.Builder
	if err := WriteJSON(&b, ResultJSON(apply.Result{}, Summary{})); err != nil || !strings.Contains(b.String(), `"outcomes": []`) {
		t.Errorf("%v\n%s", err, b.String())
	}
}

// TestResultFoldsWhatWasNotRun: of changes that were not run for the same reason,
// a line says how many; all of them stand in the long form and in JSON.
func TestResultFoldsWhatWasNotRun(t *testing.T) {
	r := apply.Result{Interrupted: true, Outcomes: []apply.Outcome{
		{Key: key("a"), Action: plan.Create, Status: apply.Done, StepsDone: 1, Attempts: 1},
		{Key: key("b"), Action: plan.Create, Status: apply.NotRun, Err: apply.ErrInterrupted},
		{Key: key("c"), Action: plan.Create, Status: apply.NotRun, Err: errors.New("depends on tenant/x, which failed")},
		{Key: key("d"), Action: plan.Create, Status: apply.NotRun, Err: apply.ErrInterrupted},
		{Key: key(strings.Repeat("long-", 20)), Action: plan.Update, Status: apply.NotRun, Err: apply.ErrInterrupted},
		{Key: key("f"), Action: plan.Update, Status: apply.NotRun, Err: apply.ErrInterrupted},
		{Key: key("g"), Action: plan.Delete, Status: apply.NotRun, Err: apply.ErrInterrupted},
		{Key: key("h"), Action: plan.Delete, Status: apply.Failed, Err: errors.New("boom")},
	}}
	want := `tenant/a                                              + create       done    0.0 s
tenant/c                                              + create       not run
    depends on tenant/x, which failed
tenant/h                                              - delete       failed
    boom
5 changes not run: interrupted (tenant/b, tenant/d, tenant/long-long-lon…ong-long-long-long- and 2 more)
Interrupted. Applied: 1 created, 0 updated, 0 deleted; 1 failed, 6 not run in 0.0 s.
`
	got := ResultText(r, Summary{}, Style{})
	got = regexp.MustCompile("(?m)^(tenant/.) +").ReplaceAllString(got, "$1 ")
	want = regexp.MustCompile("(?m)^(tenant/.) +").ReplaceAllString(want, "$1 ")
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	long := ResultText(r, Summary{}, Style{Verbose: true})
	if n := strings.Count(long, "not run\n    interrupted\n"); n != 5 {
		t.Errorf("%d of 5 in\n%s", n, long)
	}
	if doc := ResultJSON(r, Summary{}); len(doc.Outcomes) != 8 || doc.Outcomes[6].Error != "interrupted" {
		t.Errorf("%+v", doc)
	}
	r.Outcomes = r.Outcomes[:4]
	if got := ResultText(r, Summary{}, Style{}); !strings.Contains(got, "\n2 changes not run: interrupted (tenant/b, tenant/d)\n") {
		t.Errorf("got\n%s", got)
	}
	// What had begun, or has a next command of its own, is an account by itself.
	r.Outcomes[1].StepsDone = 1
	sum := Summary{Hint: func(o apply.Outcome) string { return map[string]string{"d": "descope-mgmt x"}[o.Key.ID] }}
	if got := ResultText(r, sum, Style{}); strings.Contains(got, "changes not run") {
		t.Errorf("got\n%s", got)
	}
}

func TestResultNarrow(t *testing.T) {
	golden(t, "result-40.txt", ResultText(sampleResult(), sampleSummary(), Style{Width: 40, TTY: true}))
}

func TestUnknownWordsAreStillShown(t *testing.T) {
	r := apply.Result{Outcomes: []apply.Outcome{{Key: key("a"), Action: "rename", Status: "lost"}}}
	if got := ResultText(r, Summary{}, Style{Color: true}); !strings.Contains(got, "? rename") || !strings.Contains(got, "lost") {
		t.Errorf("got %q", got)
	}
}
