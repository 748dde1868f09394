package cli

import (
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"pcconnect.ai/descope-mgmt/internal/emulator"
)

// terminal is a pseudo-terminal with the program in its foreground, by the
// system calls of Linux.
type terminal struct {
	*process
	keyboard *os.File
	screen   output // everything that was ever written, echoes included
}

func (w *world) onTerminal(columns int, args ...string) *terminal {
	w.t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		w.t.Skipf("no pseudo-terminals here: %v", err)
	}
	w.t.Cleanup(func() { _ = keyboard.Close() })
	ioctl := func(request uintptr, arg unsafe.Pointer) {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, keyboard.Fd(), request, uintptr(arg)); errno != 0 {
			w.t.Skipf("not a Linux pseudo-terminal: %v", errno)
		}
	}
	var number, unlock int32
	ioctl(0x80045430, unsafe.Pointer(&number)) // TIOCGPTN
	ioctl(0x40045431, unsafe.Pointer(&unlock)) // TIOCSPTLCK
	size := [4]uint16{24, uint16(columns)}
	ioctl(syscall.TIOCSWINSZ, unsafe.Pointer(&size))
	tty, err := os.OpenFile("/dev/pts/"+strconv.Itoa(int(number)), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		w.t.Skipf("no pseudo-terminals here: %v", err)
	}
	p := &process{t: w.t, cmd: w.command(args...), done: make(chan struct{})}
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = tty, tty, tty
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := p.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	_ = tty.Close()
	t := &terminal{process: p, keyboard: keyboard}
	read := make(chan struct{})
	go func() {
		defer close(read)
		buffer := make([]byte, 4096)
		for {
			n, err := keyboard.Read(buffer)
			_, _ = t.screen.Write(buffer[:n])
			if err != nil { // EIO: the program has ended
				return
			}
		}
	}()
	go func() {
		_ = p.cmd.Wait()
		<-read
		close(p.done)
	}()
	w.t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.done
	})
	return t
}

func (t *terminal) types(text string) {
	t.t.Helper()
	if _, err := t.keyboard.WriteString(text); err != nil {
		t.t.Fatal(err)
	}
}

// shows waits until something was on the screen.
func (t *terminal) shows(text string) {
	t.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !strings.Contains(t.screen.String(), text); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.t.Fatalf("never shown: %q, but\n%s", text, &t.screen)
		}
	}
}

const ctrlC = "\x03"

// TestOnATerminal goes through a sync as a person sees it: a plan in colour, a
// question, progress with the count, the account.
func TestOnATerminal(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Options{Latency: 100 * time.Millisecond})
	w.env["TERM"] = "xterm"
	w.write("envs/tenants.cue", many(10, "standard"))
	w.write("envs/staging/staging.cue", "package envs\nenvironment: name: \"staging\"\n")
	p := w.onTerminal(100, "sync", "--env", "dev", "--parallelism", "2")
	p.shows("Apply 10 changes to project " + devProject + " (dev)? [y/N] ")
	contains(t, p.screen.String(), "\x1b[94m", " 10 to create, 0 to update")
	if n := w.writes(); n != 0 {
		t.Fatalf("%d writes before the answer", n)
	}
	p.types("y\n")
	p.shows("/10 tenants")
	if code := p.wait(20 * time.Second); code != exitOK {
		t.Errorf("exit %d", code)
	}
	contains(t, p.screen.String(), " 10 created, 0 updated, 0 deleted")
	if n := len(w.tenants()); n != 10 {
		t.Errorf("%d tenants", n)
	}
}

// TestDeletesOnATerminal: what takes a while before the first delete is shown.
func TestDeletesOnATerminal(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Options{Latency: 50 * time.Millisecond})
	w.write("envs/tenants.cue", many(3, "standard"))
	w.write("envs/staging/staging.cue", "package envs\nenvironment: name: \"staging\"\n")
	w.mustRun(exitOK, "sync", "--env", "dev", "--yes")
	p := w.onTerminal(100, "rollback", "latest", "--env", "dev", "--yes")
	p.shows("Checked users, keys and SSO of 1/3 tenants")
	p.shows("Backed up the settings of 1/3 tenants")
	if code := p.wait(20 * time.Second); code != exitOK {
		t.Errorf("exit %d", code)
	}
	contains(t, p.screen.String(), "3 calls and 6 reads, about", "3 deleted")
}

// TestPlainTerminal: who wants no colours, or has a terminal that knows nothing,
// gets text.
func TestPlainTerminal(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		env  string
		args []string
		// moving: the progress may still move.
		moving bool
	}{
		"NO_COLOR":   {"NO_COLOR=1", nil, true},
		"--no-color": {"", []string{"--no-color"}, true},
		"TERM=dumb":  {"TERM=dumb", nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Options{Latency: 400 * time.Millisecond})
			w.env["TERM"] = "xterm"
			if k, v, ok := strings.Cut(tt.env, "="); ok {
				w.env[k] = v
			}
			p := w.onTerminal(40, append([]string{"sync", "--env", "dev"}, tt.args...)...)
			p.shows("[y/N]")
			p.types("y\n")
			if code := p.wait(20 * time.Second); code != exitOK {
				t.Errorf("exit %d", code)
			}
			screen := p.screen.String()
			if tt.moving {
				screen = strings.ReplaceAll(screen, "\r\x1b[K", "")
			}
			if escape := regexp.MustCompile(`\x1b.{0,8}`).FindString(screen); escape != "" {
				t.Errorf("%q in %q", escape, screen)
			}
			contains(t, screen, "2 created")
		})
	}
}

// TestCtrlCAtTheQuestion: an interrupt is no answer.
func TestCtrlCAtTheQuestion(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Options{})
	p := w.onTerminal(80, "sync", "--env", "prod", "--no-color")
	p.shows("to go on: ")
	p.types(ctrlC)
	if code := p.wait(10 * time.Second); code != exitInterrupted {
		t.Errorf("exit %d", code)
	}
	contains(t, p.screen.String(), "Error: interrupted")
	if n := w.writes(); n != 0 {
		t.Errorf("%d writes", n)
	}
}

// TestCtrlCDuringARun leaves the terminal with a whole line and the account.
func TestCtrlCDuringARun(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Options{Latency: 200 * time.Millisecond})
	w.write("envs/tenants.cue", many(20, "standard"))
	w.write("envs/staging/staging.cue", "package envs\nenvironment: name: \"staging\"\n")
	p := w.onTerminal(80, "sync", "--env", "dev", "--yes", "--parallelism", "2", "--no-color")
	p.shows("4/20 tenants")
	p.types(ctrlC)
	if code := p.wait(10 * time.Second); code != exitInterrupted {
		t.Errorf("exit %d", code)
	}
	created := w.requests(createPath)
	contains(t, p.screen.String(), "\nInterrupted. Applied: "+plural(created, "created"), plural(20-created, "not run"))
}

// TestSecondCtrlC stops without waiting, and leaves no bar behind.
func TestSecondCtrlC(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Options{Faults: []emulator.Fault{failing(t, "slow,match="+createPath)}})
	p := w.onTerminal(80, "sync", "--env", "dev", "--yes", "--no-color")
	eventually(t, "calls in flight", func() bool { return w.inFlight() == 2 })
	p.types(ctrlC)
	p.shows("Interrupt again to stop without waiting.")
	p.types(ctrlC)
	if code := p.wait(10 * time.Second); code != exitInterrupted {
		t.Errorf("exit %d", code)
	}
	screen := p.screen.String()
	_, last, _ := strings.Cut(screen, "Stopped without waiting.")
	if strings.Contains(last, "tenants") || !strings.HasSuffix(last, "\n") {
		t.Errorf("a bar is left on the screen: %q", last)
	}
}

// TestPagerGone is "plan | head -1" with everything else on a terminal.
func TestPagerGone(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("no bash")
	}
	w := newWorld(t, emulator.Options{})
	w.write("envs/tenants.cue", many(1000, "standard"))
	w.write("envs/staging/staging.cue", "package envs\nenvironment: name: \"staging\"\n")
	cmd := exec.CommandContext(t.Context(), "bash", "-c", `descope-mgmt plan --env dev | head -1; echo "${PIPESTATUS[@]}"`)
	cmd.Dir, cmd.Env = w.dir, append(w.environ(), "PATH="+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	want := "tenant/t00000         + create       envs/tenants.cue:2\n0 0\n"
	if err != nil || string(out) != want {
		t.Errorf("%v: %q, want %q", err, out, want)
	}
}
