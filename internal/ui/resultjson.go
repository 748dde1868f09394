package ui

import (
	"pcconnect.ai/descope-mgmt/internal/apply"
	"pcconnect.ai/descope-mgmt/internal/model"
)

// docVersion is the version of the JSON documents of this package. Fields are
// only ever added under one major version.
const docVersion = "1.0"

// ResultDoc is the JSON form of the account of a run. Times are milliseconds.
type ResultDoc struct {
	FormatVersion string            `json:"format_version"`
	Outcomes      []OutcomeDoc      `json:"outcomes"`
	Counts        Counts            `json:"counts"`
	Interrupted   bool              `json:"interrupted"`
	TookMS        int64             `json:"took_ms"`
	Run           string            `json:"run,omitempty"`
	Next          string            `json:"next,omitempty"`
	Undo          string            `json:"undo,omitempty"`
	Warnings      model.Diagnostics `json:"warnings"`
}

// OutcomeDoc is what became of one change. Status is done, failed, not_run or
// unknown.
type OutcomeDoc struct {
	Address   string `json:"address"`
	Action    string `json:"action"`
	Status    string `json:"status"`
	Error     string `json:"error,omitempty"`
	Hint      string `json:"hint,omitempty"`
	StepsDone int    `json:"steps_done"`
	Attempts  int    `json:"attempts"`
	TookMS    int64  `json:"took_ms"`
}

// ResultJSON is the document of a run's account, outcomes in plan order.
func ResultJSON(r apply.Result, sum Summary) ResultDoc {
	doc := ResultDoc{
		FormatVersion: docVersion, Outcomes: make([]OutcomeDoc, len(r.Outcomes)), Counts: Count(r),
		Interrupted: r.Interrupted, TookMS: sum.Took.Milliseconds(), Run: sum.Run, Next: sum.Next, Undo: sum.Undo, Warnings: sum.Warnings,
	}
	for i, o := range r.Outcomes {
		d := OutcomeDoc{
			Address: o.Key.String(), Action: string(o.Action), Status: StatusName(o.Status),
			StepsDone: o.StepsDone, Attempts: o.Attempts, TookMS: o.Took.Milliseconds(),
		}
		if o.Err != nil {
			d.Error = o.Err.Error()
		}
		if sum.Hint != nil && o.Status != apply.Done {
			d.Hint = sum.Hint(o)
		}
		doc.Outcomes[i] = d
	}
	return doc
}

// StatusName is a status as one word, fit for a script.
func StatusName(s apply.Status) string {
	if s == apply.NotRun {
		return "not_run"
	}
	return string(s)
}
