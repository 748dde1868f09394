package ui

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func options(total int) ProgressOptions {
	return ProgressOptions{Verb: "Created", Noun: "tenant", Total: total, Now: time.Now}
}

func TestProgressInALog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := Test("")
		p := NewProgress(s, options(50))
		work := func(n int, d time.Duration) {
			for range n {
				time.Sleep(d)
				p.Done(1)
			}
		}
		work(30, 210*time.Millisecond) // 6.3 s
		p.Limited(time.Now().Add(15700 * time.Millisecond))
		time.Sleep(16200 * time.Millisecond) // until 22.5 s
		p.Failed(2)
		time.Sleep(3 * time.Second)
		p.NotRun(4)
		time.Sleep(5 * time.Second)
		work(18, 50*time.Millisecond)
		p.Stop()
		p.Stop()
		p.Done(1)
		time.Sleep(time.Minute)
		want := `Created 23/50 tenants (about 6 s left)
Created 30/50 tenants (rate limited, 12 s)
Created 30/50 tenants (rate limited, 7 s)
Created 30/50 tenants (rate limited, 2 s)
Created 30/50 tenants, 2 failed (about 15 s left)
Created 30/50 tenants, 2 failed, 4 not run (about 12 s left)
`
		if got := c.ErrOut(); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
		if c.Out() != "" {
			t.Errorf("progress on standard output: %q", c.Out())
		}
	})
}

func TestProgressAsksWhoKnowsBetter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := Test("")
		o := options(4)
		o.Left = func(n int) time.Duration { return time.Duration(n) * time.Minute }
		p := NewProgress(s, o)
		p.Done(1)
		time.Sleep(6 * time.Second)
		o.Left = nil
		p.Done(3)
		time.Sleep(5 * time.Second)
		p.Stop()
		if got, want := c.ErrOut(), "Created 1/4 tenants (about 3 min 0 s left)\nCreated 4/4 tenants\n"; got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	})
}

func TestProgressOnATerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := TestTerminal("", 70, false)
		p := NewProgress(s, options(50))
		time.Sleep(10 * time.Second)
		p.Done(25)
		p.Limited(time.Now().Add(12 * time.Second))
		_, _ = fmt.Fprintln(s.ErrOut, "a log line")
		p.Stop()
		out := c.ErrOut()
		for _, frame := range strings.Split(out, clearLine) {
			if n := cells(strings.TrimRight(frame, "\n")); n > 80 { // a frame may follow the log line
				t.Errorf("%d columns: %q", n, frame)
			}
		}
		for _, want := range []string{
			"Created 0/50 tenants ░", "Created 25/50 tenants (rate limited, 12 s) ", " 50%", clearLine + "a log line\nCreated 25/50",
		} {
			if !strings.Contains(out, want) {
				t.Errorf("lacks %q:\n%q", want, out)
			}
		}
		if !strings.HasSuffix(out, clearLine) {
			t.Errorf("the bar stays: %q", out)
		}
		if strings.Contains(out, "\x1b[?25") || strings.Contains(strings.ReplaceAll(out, clearLine, ""), "\x1b") {
			t.Errorf("other control sequences: %q", out)
		}
		if c.Out() != "" {
			t.Errorf("standard output has %q", c.Out())
		}
	})
}

func TestProgressInANarrowTerminal(t *testing.T) {
	for _, width := range []int{5, 20, 40} {
		if got := renderBar("Created 30/50 tenants (rate limited, 12 s)", 30, 50, width, true); cells(got) > width {
			t.Errorf("%d columns: %q", width, got)
		}
	}
	if got := renderBar("x", 0, 0, 80, true); got != "x" {
		t.Errorf("no total: %q", got)
	}
}

func TestQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		terminal, a := TestTerminal("", 80, true)
		pipe, b := Test("")
		for _, s := range []*Streams{terminal, pipe} {
			s.Quiet = true
			p, spinner := NewProgress(s, options(2)), NewSpinner(s, "Reading", time.Now)
			p.Done(1)
			p.Limited(time.Now().Add(time.Hour))
			time.Sleep(time.Minute)
			p.Stop()
			spinner.Stop()
		}
		if got := a.ErrOut() + b.ErrOut(); got != "" {
			t.Errorf("quiet, and yet %q", got)
		}
	})
}

func TestProgressConcurrently(t *testing.T) {
	s, c := TestTerminal("", 80, true)
	p := NewProgress(s, options(800))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				p.Done(1)
				p.Limited(time.Now().Add(-time.Second))
			}
		})
	}
	wg.Wait()
	p.Stop()
	if !strings.Contains(c.ErrOut(), "Created 800/800 tenants") {
		t.Error("the count is wrong")
	}
}

func TestSpinner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := TestTerminal("", 80, false)
		short := NewSpinner(s, "Reading tenants", time.Now)
		time.Sleep(200 * time.Millisecond)
		short.Stop()
		if got := c.ErrOut(); got != "" {
			t.Errorf("a short wait shows %q", got)
		}
		long := NewSpinner(s, "Reading tenants", time.Now)
		time.Sleep(2050 * time.Millisecond)
		long.Stop()
		if got := c.ErrOut(); !strings.Contains(got, "Reading tenants (2.0 s)") || !strings.HasSuffix(got, clearLine) {
			t.Errorf("a long wait shows %q", got)
		}
		pipe, log := Test("")
		long = NewSpinner(pipe, "Reading\x1b tenants", time.Now)
		time.Sleep(11 * time.Second)
		long.Stop()
		if got, want := log.ErrOut(), "Reading\\x1b tenants (5.0 s)\nReading\\x1b tenants (10 s)\n"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}
