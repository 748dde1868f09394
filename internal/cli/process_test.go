package cli

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"pcconnect.ai/descope-mgmt/internal/emulator"
)

// process is the program in a process of its own.
type process struct {
	t        *testing.T
	cmd      *exec.Cmd
	out, err output
	done     chan struct{}
}

// output is a buffer that may be read while it is written to.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// command is the program, not yet started. See TestMain for where it comes from.
func (w *world) command(args ...string) *exec.Cmd {
	cmd := exec.CommandContext(w.ctx, "descope-mgmt", args...)
	cmd.Dir = w.dir
	cmd.Env = w.environ()
	return cmd
}

func (w *world) start(args ...string) *process {
	w.t.Helper()
	p := &process{t: w.t, cmd: w.command(args...), done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.err
	if err := p.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.done)
	}()
	w.t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.done
	})
	return p
}

func (p *process) signal(s os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// wait waits for the end and returns the exit code; -1 is a signal.
func (p *process) wait(atMost time.Duration) int {
	p.t.Helper()
	select {
	case <-p.done:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(atMost):
		p.t.Fatalf("it still runs after %v\n%s%s", atMost, &p.out, &p.err)
		return 0
	}
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

const createPath = "POST /v1/mgmt/tenant/create"

// TestInterrupt: the first signal lets what is in flight finish, and the account
// of it agrees with what the server saw.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]os.Signal{"INT": os.Interrupt, "TERM": syscall.SIGTERM, "HUP": syscall.SIGHUP} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Options{Latency: 200 * time.Millisecond})
			w.write("envs/tenants.cue", many(50, "standard"))
			w.write("envs/staging/staging.cue", "package envs\nenvironment: name: \"staging\"\n")
			p := w.start("sync", "--env", "dev", "--yes", "--parallelism", "5")
			eventually(t, "10 tenants", func() bool { return w.requests(createPath) >= 10 })
			p.signal(s)
			if code := p.wait(15 * time.Second); code != exitInterrupted {
				t.Fatalf("exit %d\n%s%s", code, &p.out, &p.err)
			}
			created := w.requests(createPath)
			if created >= 50 || created != len(w.tenants()) {
				t.Fatalf("%d creates, %d tenants", created, len(w.tenants()))
			}
			contains(t, p.out.String(), "Interrupted.", "To continue: descope-mgmt sync --resume ", " --env dev --parallelism 5\n",
				plural(created, "created, 0 updated, 0 deleted; ")+plural(50-created, "not run"))
			contains(t, p.out.String(), fmt.Sprintf("\n%d changes not run: interrupted (tenant/t00", 50-created))

			// What was done was recorded: the next run does the rest, and a
			// change of all is no adoption.
			r := w.mustRun(exitOK, "sync", "--env", "dev", "--yes")
			contains(t, r.out, plural(50-created, "created"))
			contains(t, w.mustRun(exitOK, "plan", "--env", "dev").out, "No changes.")
			w.write("envs/tenants.cue", many(50, "premium"))
			w.mustRun(exitOK, "sync", "--env", "dev", "--yes", "--allow-mass-change")
		})
	}
}

func plural(n int, what string) string { return strconv.Itoa(n) + " " + what }

// TestSecondInterrupt stops waiting for calls in flight.
func TestSecondInterrupt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Options{Faults: []emulator.Fault{failing(t, "slow,match="+createPath)}})
	p := w.start("sync", "--env", "dev", "--yes")
	eventually(t, "calls in flight", func() bool { return w.inFlight() == 2 })
	p.signal(os.Interrupt)
	eventually(t, "that the user is told", func() bool { return strings.Contains(p.err.String(), "again") })
	p.signal(os.Interrupt)
	if code := p.wait(3 * time.Second); code != exitInterrupted {
		t.Errorf("exit %d", code)
	}
	contains(t, p.err.String(), "may have taken effect")
}

// TestInterruptWhileReading ends at once, and says no more than that.
func TestInterruptWhileReading(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"plan", "--env", "dev"}, {"sync", "--env", "dev", "--yes"}, {"tenant", "delete", "acme-corp", "--env", "dev"}, {"doctor", "--env", "dev"}} {
		t.Run(args[0], func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Options{Faults: []emulator.Fault{failing(t, "slow")}})
			p := w.start(args...)
			eventually(t, "a call in flight", func() bool { return w.inFlight() > 0 })
			p.signal(os.Interrupt)
			if code := p.wait(3 * time.Second); code != exitInterrupted {
				t.Errorf("exit %d", code)
			}
			if got := p.err.String(); got != "Error: interrupted\n" {
				t.Errorf("says %q", got)
			}
		})
	}
}

// TestKill: after kill -9 the next sync does the rest, and knows what the killed
// run had made.
func TestKill(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Options{Latency: 200 * time.Millisecond})
	w.write("envs/tenants.cue", many(50, "standard"))
	p := w.start("sync", "--env", "dev", "--yes", "--parallelism", "5")
	eventually(t, "10 tenants", func() bool { return w.requests(createPath) >= 10 })
	p.signal(os.Kill)
	p.wait(5 * time.Second)
	eventually(t, "that the server has done what was in flight", func() bool { return w.inFlight() == 0 })
	w.mustRun(exitOK, "sync", "--env", "dev", "--yes")
	contains(t, w.mustRun(exitOK, "plan", "--env", "dev").out, "No changes.")
	if n := len(w.tenants()); n != 50 {
		t.Errorf("%d tenants", n)
	}
	w.write("envs/tenants.cue", many(50, "premium"))
	w.mustRun(exitOK, "sync", "--env", "dev", "--yes", "--allow-mass-change")
}

// TestKillAtTheEnd: of a run that was killed after its last write nothing is left
// to do, and its tenants are still known to be ours.
func TestKillAtTheEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Options{Latency: 100 * time.Millisecond, Faults: []emulator.Fault{failing(t, "slow,skip=2,match=GET /v1/mgmt/tenant/all")}})
	w.write("envs/tenants.cue", many(5, "standard"))
	p := w.start("sync", "--env", "dev", "--yes")
	eventually(t, "5 tenants, and the read after them", func() bool { return w.requests(createPath) == 5 && w.inFlight() == 1 })
	p.signal(os.Kill)
	p.wait(5 * time.Second)
	if err := w.server.SetFaults(); err != nil {
		t.Fatal(err)
	}
	contains(t, w.mustRun(exitOK, "sync", "--env", "dev").out, "No changes.")
	w.write("envs/tenants.cue", many(4, "standard"))
	contains(t, w.mustRun(exitOK, "plan", "--env", "dev").out, "Orphans")
	w.write("envs/tenants.cue", many(5, "premium"))
	w.mustRun(exitOK, "sync", "--env", "dev", "--yes")
}

// TestClosedOutput: a reader that goes away is no failure, and stops no sync.
func TestClosedOutput(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		args   []string
		writes int
	}{
		{"plan", []string{"plan", "--env", "dev"}, 0},
		{"plan, JSON", []string{"plan", "--env", "dev", "-o", "json"}, 0},
		{"plan, YAML", []string{"plan", "--env", "dev", "-o", "yaml"}, 0},
		{"eval", []string{"eval", "--all"}, 0},
		{"help", []string{"--help"}, 0},
		{"completion", []string{"completion", "bash"}, 0},
		{"sync", []string{"sync", "--env", "dev", "--yes"}, 300},
		{"sync, JSON", []string{"sync", "--env", "dev", "--yes", "-o", "json"}, 300},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Options{})
			if tt.writes > 0 {
				tt.writes = 30
				w.write("envs/tenants.cue", many(30, "standard"))
				w.write("envs/staging/staging.cue", "package envs\nenvironment: name: \"staging\"\n")
			}
			reader, writer, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := reader.Close(); err != nil {
				t.Fatal(err)
			}
			cmd := w.command(tt.args...)
			var stderr output
			cmd.Stdout, cmd.Stderr = writer, &stderr
			err = cmd.Run()
			_ = writer.Close()
			if err != nil || stderr.String() != "" {
				t.Errorf("%v: %s", err, &stderr)
			}
			if n := len(w.tenants()); n != tt.writes {
				t.Errorf("%d tenants, want %d", n, tt.writes)
			}
		})
	}
	t.Run("standard error too", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, emulator.Options{})
		reader, writer, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		_ = reader.Close()
		cmd := w.command("plan", "--env", "nowhere")
		cmd.Stdout, cmd.Stderr = writer, writer
		var exit *exec.ExitError
		if err := cmd.Run(); !errors.As(err, &exit) || exit.ExitCode() != exitConfig {
			t.Errorf("%v", err)
		}
	})
}

// TestFullOutput: a result that could not be written was not delivered.
func TestFullOutput(t *testing.T) {
	t.Parallel()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skipf("no /dev/full: %v", err)
	}
	t.Cleanup(func() { _ = full.Close() })
	for _, args := range [][]string{{"plan", "--env", "dev"}, {"plan", "--env", "dev", "-o", "json"}, {"sync", "--env", "dev", "--yes"}} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Options{})
			cmd := w.command(args...)
			var stderr output
			cmd.Stdout, cmd.Stderr = full, &stderr
			var exit *exec.ExitError
			if err := cmd.Run(); !errors.As(err, &exit) || exit.ExitCode() != exitFailed {
				t.Errorf("%v", err)
			}
			contains(t, stderr.String(), "no space left")
			if want := map[string]int{"plan": 0, "sync": 2}[args[0]]; len(w.tenants()) != want {
				t.Errorf("%d tenants, want %d", len(w.tenants()), want)
			}
		})
	}
}
