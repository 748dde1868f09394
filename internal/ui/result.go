package ui

import (
	"fmt"
	"strings"
	"time"

	"pcconnect.ai/descope-mgmt/internal/apply"
	"pcconnect.ai/descope-mgmt/internal/plan"
)

// Summary is what the account of a run says besides its outcomes.
type Summary struct {
	Took time.Duration
	// Next is the command that continues, or "".
	Next string
	// Undo says how the run is undone, or that it cannot be.
	Undo string
	// Hint is the next command for one failed change, or ""; may be nil.
	Hint func(apply.Outcome) string
}

// ResultText renders what became of every planned change, in plan order, then
// the counts, the duration and what can be done next.
func ResultText(r apply.Result, sum Summary, s Style) string {
	var b strings.Builder
	address := minAddress
	for _, o := range r.Outcomes {
		address = max(address, min(cells(Safe(o.Key.String()))+2, maxAddress))
	}
	for _, o := range r.Outcomes {
		writeOutcome(&b, o, address, sum, s)
	}
	if r.Interrupted {
		b.WriteString(s.paint(yellow, "Interrupted.") + " ")
	}
	b.WriteString(resultCounts(r, s) + " in " + Duration(sum.Took) + ".\n")
	if sum.Next != "" {
		b.WriteString("To continue: " + s.paint(cyan, Safe(sum.Next)) + "\n")
	}
	if sum.Undo != "" {
		b.WriteString("To undo: " + Safe(sum.Undo) + "\n")
	}
	return b.String()
}

// writeOutcome writes the line of a change, with the reason below unless done.
func writeOutcome(b *strings.Builder, o apply.Outcome, address int, sum Summary, s Style) {
	rest := s.paint(statusColor(o.Status), string(o.Status))
	if o.Status == apply.Done {
		rest += "    " + Duration(o.Took)
		if o.Attempts > o.StepsDone && o.StepsDone > 0 {
			rest += fmt.Sprintf(" (%s)", count(o.Attempts, "attempt"))
		}
	}
	writeRow(b, o.Key, o.Action, address, rest, s)
	if o.Status == apply.Done {
		return
	}
	if o.Err != nil {
		b.WriteString(indent + Safe(o.Err.Error()) + "\n")
	}
	if o.StepsDone > 0 {
		fmt.Fprintf(b, "%spartly applied: %s done\n", indent, count(o.StepsDone, "step"))
	}
	if sum.Hint != nil {
		if hint := sum.Hint(o); hint != "" {
			b.WriteString(indent + s.paint(cyan, Safe(hint)) + "\n")
		}
	}
}

func statusColor(st apply.Status) string {
	switch st {
	case apply.Done:
		return green
	case apply.Failed:
		return red
	case apply.Unclear:
		return yellow
	case apply.NotRun:
		return dim
	}
	return bold
}

// resultCounts is "1 created, 1 updated, 0 deleted; 1 failed, 2 not run, 1
// unknown": what succeeded by action, always, then what did not, where any.
func resultCounts(r apply.Result, s Style) string {
	c := Count(r)
	text := fmt.Sprintf("%s %d created, %d updated, %d deleted", s.paint(bold, "Applied:"),
		c.done[plan.Create], c.done[plan.Update], c.done[plan.Delete])
	sep := "; "
	for _, x := range []struct {
		n      int
		status apply.Status
	}{{c.Failed, apply.Failed}, {c.NotRun, apply.NotRun}, {c.Unknown, apply.Unclear}} {
		if x.n > 0 {
			text += sep + s.paint(statusColor(x.status), fmt.Sprintf("%d %s", x.n, x.status))
			sep = ", "
		}
	}
	return text
}

// Counts is how many changes ended in each status.
type Counts struct {
	Done    int `json:"done"`
	Failed  int `json:"failed"`
	NotRun  int `json:"not_run"`
	Unknown int `json:"unknown"`

	done map[plan.Action]int
}

// Count counts the outcomes of a run.
func Count(r apply.Result) Counts {
	c := Counts{done: map[plan.Action]int{}}
	for _, o := range r.Outcomes {
		switch o.Status {
		case apply.Done:
			c.Done++
			c.done[o.Action]++
		case apply.Failed:
			c.Failed++
		case apply.NotRun:
			c.NotRun++
		case apply.Unclear:
			c.Unknown++
		}
	}
	return c
}
