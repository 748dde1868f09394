package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"testing"
	"time"
)

const (
	evalBudget = 0.4 // of the time of cue export, for 1 000 tenants
	// evalLimit fails the test, if time and processor time are both beyond it: it
	// leaves room for the noise of a machine that has other things to do. The
	// table says what is over the budget.
	evalLimit   = 0.6
	startBudget = 15 * time.Millisecond
	// completionBudget is for the words behind "tenant show", the start of the program included.
	completionBudget = 50 * time.Millisecond
)

// TestBudgets measures whole processes. It needs cue to compare with, and a
// machine that is not busy testing the rest: hence only where -cue is given.
// What a clock says is printed; just a ratio far beyond its budget fails.
func TestBudgets(t *testing.T) {
	if *cueBinary == "" {
		t.Skip(`skipped: measures processes; "make bench" or go test -cue "$(../scripts/tools.sh cue)"`)
	}
	program := ours(t)
	t.Run("start", func(t *testing.T) { measureStart(t, program) })
	t.Run("eval", func(t *testing.T) {
		sizes := []int{1000}
		if *full {
			sizes = []int{10, 100, 1000, 10_000}
		}
		for _, n := range sizes {
			measureEval(t, program, n)
		}
	})
	t.Run("plan", func(t *testing.T) { measurePlan(t, program) })
}

// measureStart compares what starts most often with a program that does nothing.
func measureStart(t *testing.T, program string) {
	rounds := 15
	if *full {
		rounds = 41
	}
	c := interleave(t, rounds,
		command{name: "an empty Go program", argv: []string{empty(t)}},
		command{name: "--help", argv: []string{program, "--help"}},
		command{name: "version", argv: []string{program, "version"}},
	)
	got := c.medians
	for i, name := range []string{"--help", "version"} {
		extra := got[i+1].Wall - got[0].Wall
		budget, ok := "", true
		if name == "--help" { // docs/adr/0007-quick-help.md; version shows what all other commands pay
			budget, ok = milliseconds(startBudget), extra <= startBudget
		}
		record(t, name+": longer than an empty Go program", fmt.Sprintf("%s (%s, %s)%s", milliseconds(extra), milliseconds(got[i+1].Wall), milliseconds(got[0].Wall), c.note()), budget, ok)
		record(t, "the same: processor time", fmt.Sprintf("%s (%s, %s)", milliseconds(got[i+1].CPU-got[0].CPU), milliseconds(got[i+1].CPU), milliseconds(got[0].CPU)), "", true)
	}
}

// measureEval compares eval with cue export on the same files.
func measureEval(t *testing.T, program string, n int) {
	t.Helper()
	rounds := 11
	if n > 1000 || !*full {
		rounds = 7
	}
	dir := generate(t, n)
	cue := command{
		name: "cue export", dir: dir,
		argv: []string{*cueBinary, "export", "./envs/prod", "-e", `{"environment": environment, "tenants": tenants, "flows": flows}`},
	}
	eval := command{name: "eval", dir: dir, argv: []string{program, "eval", "--env", "prod"}, env: []string{"DESCOPE_CACHE=off"}}
	warm := command{name: "eval, warm", dir: dir, argv: eval.argv, env: []string{"XDG_CACHE_HOME=" + t.TempDir()}}
	completion := command{name: "completion, warm", dir: dir, argv: []string{program, "__complete", "tenant", "show", "--env", "prod", ""}, env: warm.env}
	sameOutput(t, cue, eval)
	sameOutput(t, cue, warm) // which fills its cache

	var words bytes.Buffer
	completion.once(t, t.TempDir(), &words) // which fills its cache, too
	if n := bytes.Count(words.Bytes(), []byte("\t")); n == 0 {
		t.Fatalf("the completion knows no tenant: %.200s", words.String())
	}
	c := interleave(t, rounds, cue, eval, warm, completion)
	got := c.medians
	ratio, cpu := per(got[1].Wall, got[0].Wall), per(got[1].CPU, got[0].CPU)
	name := fmt.Sprintf("eval of %d tenants", n)
	budget := ""
	if n == 1000 {
		budget = fmt.Sprintf("%.2f", evalBudget)
		if min(ratio, cpu) > evalLimit {
			t.Errorf("%s takes %.2f of the time of cue export, %.2f of its processor time; the budget is %.2f", name, ratio, cpu, evalBudget)
		}
	}
	record(t, name+": of the time of cue export", fmt.Sprintf("%.2f (%s, %s)%s", ratio, milliseconds(got[1].Wall), milliseconds(got[0].Wall), c.note()), budget, ratio <= evalBudget)
	record(t, name+" that was evaluated before: of the time of cue export", fmt.Sprintf("%.3f (%s)", per(got[2].Wall, got[0].Wall), milliseconds(got[2].Wall)), "", true)
	if n == 1000 {
		record(t, "completion of 1 000 tenants that were evaluated before", fmt.Sprintf("%s, processor time %s", milliseconds(got[3].Wall), milliseconds(got[3].CPU)), milliseconds(completionBudget), got[3].Wall <= completionBudget)
	}
	record(t, name+": of its processor time", fmt.Sprintf("%.2f (%s, %s)", cpu, milliseconds(got[1].CPU), milliseconds(got[0].CPU)), "", true)
	record(t, name+": of its peak memory", fmt.Sprintf("%.2f (%d MB, %d MB)", per(got[1].RSS, got[0].RSS), got[1].RSS>>20, got[0].RSS>>20), "", true)
}

// sameOutput makes sure that the two do the same work.
func sameOutput(t *testing.T, a, b command) {
	t.Helper()
	home := t.TempDir()
	var values [2]any
	for i, c := range []command{a, b} {
		var out bytes.Buffer
		c.once(t, home, &out)
		d := json.NewDecoder(&out)
		d.UseNumber()
		if err := d.Decode(&values[i]); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
	}
	if !reflect.DeepEqual(values[0], values[1]) {
		t.Fatalf("%s and %s differ", a.name, b.name)
	}
}

func per[T int64 | time.Duration](a, b T) float64 {
	if b == 0 {
		return math.NaN()
	}
	return float64(a) / float64(b)
}
