package ui

import (
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

func TestUnknownWordsAreStillShown(t *testing.T) {
	r := apply.Result{Outcomes: []apply.Outcome{{Key: key("a"), Action: "rename", Status: "lost"}}}
	if got := ResultText(r, Summary{}, Style{Color: true}); !strings.Contains(got, "? rename") || !strings.Contains(got, "lost") {
		t.Errorf("got %q", got)
	}
}
