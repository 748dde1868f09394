package bench

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
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
	// spent is the processor time of the measurement, the process included.
	spent time.Duration
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
	r.spent = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
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
	return json.NewEncoder(os.Stdout).Encode(run{Wall: wall, CPU: p.UserTime() + p.SystemTime(), RSS: peakRSS(p)})
}

// comparison is the median of each of some processes that ran in turn.
type comparison struct {
	medians []run
	runs    int // of each process, those that do not count included
	// busy: other work disturbed so many rounds that all had to count.
	busy bool
}

// note is what has to be said of a time that comes from a comparison.
func (c comparison) note() string {
	if c.busy {
		return ", busy machine"
	}
	return ""
}

// interleave runs all processes in turn, A B A B, so that what happens to the
// machine happens to each of them. A round that comes first, to warm the caches,
// does not count, nor does one during which others used the machine; but three
// times as many rounds as were asked for must do.
func interleave(t testing.TB, rounds int, commands ...command) comparison {
	t.Helper()
	home := t.TempDir()
	all, quiet := make([][]run, len(commands)), make([][]run, len(commands))
	for round := 0; round <= 3*rounds && len(quiet[0]) < rounds; round++ {
		this := make([]run, len(commands))
		start, before := time.Now(), busyTime()
		var spent time.Duration
		for i, c := range commands {
			this[i] = c.once(t, home, nil)
			spent += this[i].spent
		}
		if round == 0 {
			continue
		}
		others := busyTime() - before - spent
		for i, r := range this {
			all[i] = append(all[i], r)
			if others < time.Since(start)/10+2*tick {
				quiet[i] = append(quiet[i], r)
			}
		}
	}
	t.Logf("%d of %d rounds undisturbed", len(quiet[0]), len(all[0]))
	counted, c := quiet, comparison{runs: len(all[0]) + 1, busy: len(quiet[0]) < rounds}
	if c.busy {
		counted = all
	}
	for i, runs := range counted {
		m := run{
			Wall: median(runs, func(r run) time.Duration { return r.Wall }),
			CPU:  median(runs, func(r run) time.Duration { return r.CPU }),
			RSS:  median(runs, func(r run) int64 { return r.RSS }),
		}
		c.medians = append(c.medians, m)
		t.Logf("%s: median %v, cpu %v, %d MB", commands[i].name, m.Wall, m.CPU, m.RSS>>20)
	}
	return c
}

// tick is the unit in which Linux counts the time of processors.
const tick = 10 * time.Millisecond

// busyTime is how long the processors of the machine have worked so far, all of
// them together; always 0 where that is not known.
func busyTime() time.Duration {
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	line, _, _ := strings.Cut(string(stat), "\n")
	var ticks int
	for i, field := range strings.Fields(line) {
		if i == 0 || i == 4 || i == 5 || i > 8 { // the name; idle, waiting; guests count as user
			continue
		}
		n, err := strconv.Atoi(field)
		if err != nil {
			return 0
		}
		ticks += n
	}
	return time.Duration(ticks) * tick
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
