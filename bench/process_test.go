package bench

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// command is a process to measure.
type command struct {
	name string
	dir  string
	argv []string
	env  []string // besides PATH and HOME
}

// run is what one run of a process took.
type run struct {
	Wall, CPU time.Duration
	RSS       int64 // peak resident set, in bytes; 0 where the system does not say
}

// once runs a process, which must succeed; its output goes to out, which may be
// nil. Nothing of the machine's configuration reaches it.
func (c command) once(t testing.TB, home string, out *bytes.Buffer) run {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], c.argv...)
	if out != nil { // not measured
		cmd = exec.CommandContext(t.Context(), c.argv[0], c.argv[1:]...)
	}
	cmd.Dir = c.dir
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "NO_COLOR=1"}, c.env...)
	if out == nil {
		cmd.Env = append(cmd.Env, launcher+"=1")
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(c.argv, " "), err, stderr.String())
	}
	if out != nil {
		*out = stdout
		return run{}
	}
	var r run
	if err := json.Unmarshal(stdout.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// launcher is the variable that makes the test binary measure one process, its
// arguments, and print the [run]. That takes a process of its own: what wait4
// calls the peak memory of a child includes that of its parent.
const launcher = "DESCOPE_MGMT_BENCH_LAUNCHER"

func launch(argv []string) error {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, launcher+"=") })
	cmd.Stderr = os.Stderr
	start := time.Now()
	err := cmd.Run()
	wall := time.Since(start)
	if err != nil {
		return err
	}
	p := cmd.ProcessState
	return json.NewEncoder(os.Stdout).Encode(run{wall, p.UserTime() + p.SystemTime(), peakRSS(p)})
}

// interleave runs all processes in turn, A B A B, so that what happens to the
// machine happens to each of them, and returns the median of each. A round that
// comes first, to warm the caches, does not count.
func interleave(t testing.TB, rounds int, commands ...command) []run {
	t.Helper()
	home := t.TempDir()
	all := make([][]run, len(commands))
	for round := range rounds + 1 {
		for i, c := range commands {
			r := c.once(t, home, nil)
			if round > 0 {
				all[i] = append(all[i], r)
			}
		}
	}
	medians := make([]run, len(commands))
	for i, runs := range all {
		medians[i] = run{
			Wall: median(runs, func(r run) time.Duration { return r.Wall }),
			CPU:  median(runs, func(r run) time.Duration { return r.CPU }),
			RSS:  median(runs, func(r run) int64 { return r.RSS }),
		}
		t.Logf("%s: %d rounds, median %v, cpu %v, %d MB", commands[i].name, rounds, medians[i].Wall, medians[i].CPU, medians[i].RSS>>20)
	}
	return medians
}

// median is the middle value, the lower one of two.
func median[T int64 | time.Duration](runs []run, of func(run) T) T {
	values := make([]T, len(runs))
	for i, r := range runs {
		values[i] = of(r)
	}
	slices.Sort(values)
	return values[(len(values)-1)/2]
}

// build compiles a program the way "make build" does.
func build(t testing.TB, dir, pkg string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "program")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", out, pkg)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build %s: %v\n%s", pkg, err, text)
	}
	return out
}

// ours is the program of this repository.
func ours(t testing.TB) string {
	t.Helper()
	return build(t, "..", "./cmd/descope-mgmt")
}

// empty is a Go program that does nothing.
func empty(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":  "module empty\n\ngo 1.26\n",
		"main.go": "package main\n\nfunc main() {}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return build(t, dir, ".")
}
