package ui

import (
	"fmt"
	"strings"
	"time"

	"pcconnect.ai/descope-mgmt/internal/apply"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
)

// Summary is what the account of a run says besides its outcomes.
type Summary struct {
	// Run is the id under which the run is on record, or "".
	Run  string
	Took time.Duration
	// Next is the command that continues, or "".
	Next string
	// Undo says how the run is undone, or that it cannot be.
	Undo string
	// Warnings are what the user was told of how the command is run; in JSON only.
	Warnings model.Diagnostics
	// Hint is the next command for one failed change, or ""; may be nil.
	Hint func(apply.Outcome) string
}

// ResultText renders what became of every planned change, in plan order, then
// the counts, the duration and what can be done next. Changes that were not run
// for the same reason share a line after the others, unless verbose.
func ResultText(r apply.Result, sum Summary, s Style) string {
	var b strings.Builder
	outcomes, folded := fold(r.Outcomes, sum, s)
	address := minAddress
	for _, o := range outcomes {
		address = max(address, min(cells(Safe(o.Key.String()))+2, maxAddress))
	}
	for _, o := range outcomes {
		writeOutcome(&b, o, address, sum, s)
	}
	for _, f := range folded {
		writeFolded(&b, f, s)
	}
	counts := resultCounts(r, s) + " in " + Duration(sum.Took) + "."
	if r.Interrupted {
		counts = s.paint(yellow, "Interrupted.") + " " + counts
	}
	b.WriteString(wrap(counts, s) + "\n")
	if sum.Run != "" {
		b.WriteString("Run: " + Safe(sum.Run) + "\n")
	}
	if sum.Next != "" {
		b.WriteString("To continue: " + s.paint(cyan, Safe(sum.Next)) + "\n")
	}
	if sum.Undo != "" {
		b.WriteString("To undo: " + Safe(sum.Undo) + "\n")
	}
	return b.String()
}

// foldedOutcomes are changes that were not run, all for the same reason.
type foldedOutcomes struct {
	reason string
	keys   []model.Key
}

// fold takes the changes out of an account of which there is nothing to say but
// that they were not run, where there are several of the same reason.
func fold(all []apply.Outcome, sum Summary, s Style) (rest []apply.Outcome, folded []foldedOutcomes) {
	if s.Verbose {
		return all, nil
	}
	reason := func(o apply.Outcome) string {
		if o.Status != apply.NotRun || o.StepsDone > 0 || o.Err == nil || sum.Hint != nil && sum.Hint(o) != "" {
			return ""
		}
		return o.Err.Error()
	}
	times := map[string]int{}
	for _, o := range all {
		times[reason(o)]++
	}
	index := map[string]int{}
	for _, o := range all {
		why := reason(o)
		if why == "" || times[why] == 1 {
			rest = append(rest, o)
			continue
		}
		i, begun := index[why]
		if !begun {
			i = len(folded)
			index[why], folded = i, append(folded, foldedOutcomes{reason: why})
		}
		folded[i].keys = append(folded[i].keys, o.Key)
	}
	return rest, folded
}

// maxFolded is how many addresses stand for all in a line.
const maxFolded = 3

func writeFolded(b *strings.Builder, f foldedOutcomes, s Style) {
	var names []string
	for _, k := range f.keys[:min(maxFolded, len(f.keys))] {
		names = append(names, elide(Safe(k.String()), 40))
	}
	examples := strings.Join(names, ", ")
	if n := len(f.keys) - len(names); n > 0 {
		examples += fmt.Sprintf(" and %d more", n)
	}
	b.WriteString(wrap(fmt.Sprintf("%s %s: %s (%s)", Counted(len(f.keys), "change"),
		s.paint(statusColor(apply.NotRun), string(apply.NotRun)), Safe(f.reason), examples), s) + "\n")
}

// writeOutcome writes the line of a change, with the reason below unless done.
func writeOutcome(b *strings.Builder, o apply.Outcome, address int, sum Summary, s Style) {
	rest := s.paint(statusColor(o.Status), string(o.Status))
	if o.Status == apply.Done {
		rest += "    " + Duration(o.Took)
		if o.Attempts > o.StepsDone && o.StepsDone > 0 {
			rest += fmt.Sprintf(" (%s)", Counted(o.Attempts, "attempt"))
		}
	}
	writeRow(b, o.Key, o.Action, address, rest, s)
	if o.Status == apply.Done {
		return
	}
	if o.Err != nil {
		b.WriteString(wrap(indent+Safe(o.Err.Error()), s) + "\n")
	}
	if o.StepsDone > 0 {
		fmt.Fprintf(b, "%spartly applied: %s done\n", indent, Counted(o.StepsDone, "step"))
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
		return blue
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
