package bench

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The budgets of a compile with all rules, nothing kept from before, as parts of the
// time of "cue export" on the same files; memory in bytes.
type compileBudget struct {
	name    string
	tenants int
	make    func(testing.TB, int) string
	ratio   float64
	memory  int64
}

const (
	// warmBudget is for 10 000 tenants that were evaluated before.
	warmBudget = 1.0 / 40
	// fiveBudget is for five environments of 10 000, of the time of "cue vet -c" over them.
	fiveBudget = 1.0 / 8
	// growthBudget is the exponent by which time and memory grow with the tenants.
	growthBudget = 1.0
	// leeway is how far beyond its budget a figure fails the test: machines are busy.
	leeway = 1.5
)

// TestCompile measures validate, as a process of its own, against cue on the same
// files: tenants that are plain values, a tenth of them changed by the overlay.
func TestCompile(t *testing.T) {
	if *cueBinary == "" {
		t.Skip(`skipped: measures processes; "make bench" or go test -cue "$(../scripts/tools.sh cue)"`)
	}
	program := ours(t)
	budgets := []compileBudget{
		{"1000 tenants", 1000, generate, 0, 30 << 20},
		{"10000 tenants", 10_000, generate, 1.0 / 8, 70 << 20},
		{"10000 tenants to evaluate", 10_000, generateGeneral, 1.0 / 2, 140 << 20},
	}
	rounds := 2
	if *full {
		budgets = append(budgets, compileBudget{"50000 tenants", 50_000, generate, 1.0 / 10, 260 << 20})
		rounds = 5
	}
	var first, last run
	for _, b := range budgets {
		last = measureCompile(t, program, rounds, b)
		if b.tenants == 1000 {
			first = last
		}
	}
	if *full {
		n := float64(budgets[len(budgets)-1].tenants) / 1000
		for name, grown := range map[string]float64{"time": per(last.CPU, first.CPU), "memory": per(last.RSS, first.RSS)} {
			exponent := math.Log(grown) / math.Log(n)
			record(t, "validate, from 1 000 to 50 000 tenants: exponent of "+name, fmt.Sprintf("%.2f", exponent), fmt.Sprintf("%.1f", growthBudget), exponent <= growthBudget)
		}
		measureFive(t, program, rounds)
	}
}

func measureCompile(t *testing.T, program string, rounds int, b compileBudget) run {
	t.Helper()
	dir := b.make(t, b.tenants)
	validate := []string{program, "validate", "prod"}
	c := interleave(t, rounds,
		command{name: "cue export", dir: dir, argv: []string{*cueBinary, "export", "./envs/prod"}},
		command{name: "validate", dir: dir, argv: validate, env: []string{"DESCOPE_CACHE=off"}},
		command{name: "validate, warm", dir: dir, argv: validate, env: []string{"XDG_CACHE_HOME=" + t.TempDir()}},
	)
	cue, cold, warm := c.medians[0], c.medians[1], c.medians[2]
	name := "validate of " + b.name
	ratio(t, name+": of the time of cue export", cold, cue, b.ratio, c)
	limit := 0.0
	if b.ratio > 0 && b.tenants == 10_000 {
		limit = warmBudget
	}
	ratio(t, name+", evaluated before: of the time of cue export", warm, cue, limit, c)
	record(t, name+": peak memory", fmt.Sprintf("%d MB (%d MB)", cold.RSS>>20, cue.RSS>>20), fmt.Sprintf("%d MB", b.memory>>20), cold.RSS <= b.memory)
	if float64(cold.RSS) > leeway*float64(b.memory) {
		t.Errorf("%s takes %d MB, the budget is %d MB", name, cold.RSS>>20, b.memory>>20)
	}
	return cold
}

// ratio records how long one process takes, as a part of another, and fails where
// neither the clock nor the processor time is near the budget; 0 is none.
func ratio(t *testing.T, name string, got, of run, budget float64, c comparison) {
	t.Helper()
	wall, cpu := per(got.Wall, of.Wall), per(got.CPU, of.CPU)
	shown := ""
	if budget > 0 {
		shown = fmt.Sprintf("1/%.0f", 1/budget)
		if min(wall, cpu) > leeway*budget {
			t.Errorf("%s: %.3f, the budget is %.3f", name, min(wall, cpu), budget)
		}
	}
	record(t, name, fmt.Sprintf("1/%.1f (%s, %s)%s", 1/wall, milliseconds(got.Wall), milliseconds(of.Wall), c.note()), shown, budget == 0 || wall <= budget)
	record(t, name+", processor", fmt.Sprintf("1/%.1f (%s, %s)", 1/cpu, milliseconds(got.CPU), milliseconds(of.CPU)), "", true)
}

// measureFive compiles five environments that share 10 000 tenants.
func measureFive(t *testing.T, program string, rounds int) {
	t.Helper()
	dir := generate(t, 10_000)
	overlay, err := os.ReadFile(filepath.Join(dir, "envs", "prod", "prod.cue"))
	if err != nil {
		t.Fatal(err)
	}
	vet := []string{*cueBinary, "vet", "-c", "./envs/prod"}
	for i, env := range []string{"dev", "devtest", "staging", "test"} {
		text := strings.NewReplacer(`"prod"`, `"`+env+`"`, project, project[:len(project)-1]+string(rune('a'+i))).Replace(string(overlay))
		path := filepath.Join(dir, "envs", env, env+".cue")
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		vet = append(vet, "./envs/"+env)
	}
	c := interleave(t, rounds,
		command{name: "cue vet", dir: dir, argv: slices.Clip(vet)},
		command{name: "validate", dir: dir, argv: []string{program, "validate"}, env: []string{"DESCOPE_CACHE=off"}},
	)
	ratio(t, "validate of five environments with 10 000 tenants: of the time of cue vet -c", c.medians[1], c.medians[0], fiveBudget, c)
	record(t, "the same: peak memory", fmt.Sprintf("%d MB (%d MB)", c.medians[1].RSS>>20, c.medians[0].RSS>>20), "", true)
}
