package ui

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
)

func env(pairs ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for _, p := range pairs {
			if k, v, _ := strings.Cut(p, "="); k == name {
				return v, true
			}
		}
		return "", false
	}
}

func TestSystemWithoutTerminal(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	s := System(r, w, w, env())
	if s.InTTY || s.OutTTY || s.ErrTTY || s.Color || s.ErrColor || s.Width != 0 || s.ErrWidth != 0 {
		t.Errorf("a pipe looks like a terminal: %+v", s)
	}
	s.Verbose = true
	if got := s.OutStyle(); got != (Style{Verbose: true}) {
		t.Errorf("style %+v", got)
	}
}

func TestStatusWriter(t *testing.T) {
	c := &Captured{}
	w := &statusWriter{w: &c.errOut}
	step := func(want string, f func()) {
		t.Helper()
		before := len(c.ErrOut())
		f()
		if got := c.ErrOut()[before:]; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	write := func(s string) func() {
		return func() {
			if n, err := io.WriteString(w, s); n != len(s) || err != nil {
				t.Errorf("wrote %d of %d: %v", n, len(s), err)
			}
		}
	}
	step("plain\n", write("plain\n"))
	step("", write(""))
	step("\r\x1b[K1/2", func() { w.set("1/2") })
	step("", func() { w.set("1/2") })
	step("\r\x1b[Klog\n1/2", write("log\n"))
	step("\r\x1b[Khalf a line", write("half a line"))
	step("", func() { w.set("2/2") })
	step(", the rest\n2/2", write(", the rest\n"))
	var resume, inner func()
	step("\r\x1b[K", func() { resume = w.suspend() })
	step("", func() { inner = w.suspend() })
	step("question? ", write("question? "))
	step("", func() { w.set("3/3"); inner(); inner() })
	step("\r\x1b[K3/3", resume)
	step("\r\x1b[K", func() { w.set("") })
	step("", func() { (&Streams{ErrOut: io.Discard}).suspend()() })

	broken := &statusWriter{w: fullDisk{}, status: "x"}
	if n, err := broken.Write([]byte("y\n")); n != 0 || err == nil {
		t.Errorf("%d, %v", n, err)
	}
}

func TestStatusWriterConcurrently(t *testing.T) {
	s, c := TestTerminal("", 80, false)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 50 {
				_, _ = fmt.Fprintf(s.ErrOut, "<%d-%d>\n", i, n)
				s.ErrOut.(*statusWriter).set(fmt.Sprint(n))
			}
		})
	}
	wg.Wait()
	if got := strings.Count(c.ErrOut(), ">\n"); got != 400 {
		t.Errorf("%d whole lines", got)
	}
}

func TestLogger(t *testing.T) {
	var b strings.Builder
	for _, asJSON := range []bool{false, true} {
		l := NewLogger(&b, slog.LevelInfo, asJSON)
		l.Debug("hidden")
		l.Info("shown", "name", "a\u202eb\n\x1b[2J\u009b", "error", errors.New("x"))
	}
	if strings.Contains(b.String(), "hidden") || strings.Count(b.String(), "\n") != 2 || harmful(strings.ReplaceAll(b.String(), "\n", "")) {
		t.Errorf("got %q", b.String())
	}
	if _, err := (escapingWriter{fullDisk{}}).Write([]byte("x")); err == nil {
		t.Error("no error")
	}
}

func TestParseLevel(t *testing.T) {
	for in, want := range map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "Warning": slog.LevelWarn, "warn": slog.LevelWarn, "error": slog.LevelError} {
		if got, err := ParseLevel(in); got != want || err != nil {
			t.Errorf("%s: %v, %v", in, got, err)
		}
	}
	if _, err := ParseLevel("loud"); err == nil || !strings.Contains(err.Error(), `"loud"`) {
		t.Errorf("got %v", err)
	}
}
