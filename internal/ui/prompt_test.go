package ui

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func asker(input string) (Prompter, *Captured) {
	s, c := TestTerminal(input, 80, false)
	return NewPrompter(s), c
}

func TestConfirm(t *testing.T) {
	for input, want := range map[string]error{
		"y\n": nil, "YES\n": nil, " yes \r\n": nil, "n\n": ErrDeclined, "\n": ErrDeclined, "yep\n": ErrDeclined,
		"": ErrDeclined, "y": ErrDeclined,
	} {
		p, c := asker(input)
		if err := p.Confirm(t.Context(), "Apply 3 changes to \x1bprod?"); !errors.Is(err, want) {
			t.Errorf("%q: got %v, want %v", input, err, want)
		}
		if !strings.HasPrefix(c.ErrOut(), `Apply 3 changes to \x1bprod? [y/N] `) || c.Out() != "" {
			t.Errorf("asked %q, printed %q", c.ErrOut(), c.Out())
		}
	}
}

func TestTypeToConfirm(t *testing.T) {
	for input, want := range map[string]error{
		"P2abc\n": nil, " P2abc \n": nil, "p2abc\n": ErrDeclined, "y\n": ErrDeclined, "\n": ErrDeclined, "": ErrDeclined,
	} {
		p, c := asker(input)
		if err := p.TypeToConfirm(t.Context(), "prod is protected.", "P2abc"); !errors.Is(err, want) {
			t.Errorf("%q: got %v, want %v", input, err, want)
		}
		if !strings.Contains(c.ErrOut(), "prod is protected.\nType \"P2abc\" to go on: ") {
			t.Errorf("asked %q", c.ErrOut())
		}
	}
}

func TestSelect(t *testing.T) {
	words := []string{"continue", "skip", "abort", "cancel"}
	for input, want := range map[string]string{
		"skip\n": "skip", "S\n": "skip", "co\n": "continue", "\nc\nx\nabort\n": "abort",
	} {
		p, _ := asker(input)
		if got, err := p.Select(t.Context(), "Failed. What now?", words...); got != want || err != nil {
			t.Errorf("%q: got %q, %v", input, got, err)
		}
	}
	p, c := asker("maybe\n")
	if got, err := p.Select(t.Context(), "What now?", words...); got != "" || !errors.Is(err, ErrDeclined) {
		t.Errorf("end of input: %q, %v", got, err)
	}
	if got := strings.Count(c.ErrOut(), "What now? [continue/skip/abort/cancel] "); got != 2 {
		t.Errorf("asked %d times", got)
	}
}

func TestQuestionsInTurn(t *testing.T) {
	p, _ := asker("y\nP2\nskip\nn\n")
	if err := errors.Join(p.Confirm(t.Context(), "1"), p.TypeToConfirm(t.Context(), "2", "P2")); err != nil {
		t.Error(err)
	}
	if got, err := p.Select(t.Context(), "3", "skip", "abort"); got != "skip" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if err := p.Confirm(t.Context(), "4"); !errors.Is(err, ErrDeclined) {
		t.Error(err)
	}
}

func TestNoTerminal(t *testing.T) {
	s, c := Test("y\n")
	p := NewPrompter(s)
	_, err := p.Select(t.Context(), "q", "y")
	for _, err := range []error{p.Confirm(t.Context(), "q"), p.TypeToConfirm(t.Context(), "q", "y"), err} {
		if !errors.Is(err, ErrNoTerminal) {
			t.Errorf("got %v", err)
		}
	}
	if c.ErrOut() != "" {
		t.Errorf("asked anyway: %q", c.ErrOut())
	}
}

func TestCtrlCAtTheQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe()
		s, c := TestTerminal("", 80, false)
		s.In = r
		p := NewPrompter(s)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := p.Confirm(ctx, "Go on?"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if !strings.HasSuffix(c.ErrOut(), "\n") {
			t.Errorf("the cursor stays behind the question: %q", c.ErrOut())
		}
		if err := p.Confirm(ctx, "Again?"); !errors.Is(err, context.DeadlineExceeded) || strings.Contains(c.ErrOut(), "Again") {
			t.Errorf("asked although cancelled: %v, %q", err, c.ErrOut())
		}
		go func() { _, _ = io.WriteString(w, "y\n") }()
		if err := p.Confirm(t.Context(), "And now?"); err != nil {
			t.Errorf("the next question: %v", err)
		}
	})
}

func TestQuestionDuringProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe()
		s, c := TestTerminal("", 80, false)
		s.In = r
		progress := NewProgress(s, options(2))
		p := NewPrompter(s)
		go func() {
			time.Sleep(10 * time.Second)
			progress.Done(1)
			_, _ = io.WriteString(w, "y\n")
		}()
		if err := p.Confirm(t.Context(), "Go on?"); err != nil {
			t.Error(err)
		}
		progress.Stop()
		_, after, _ := strings.Cut(c.ErrOut(), "Go on? [y/N] ")
		if !strings.HasPrefix(after, clearLine+"Created 1/2") {
			t.Errorf("after the question: %q", after)
		}
	})
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("broken") }

func TestAskFails(t *testing.T) {
	s, _ := TestTerminal("", 80, false)
	s.In = brokenReader{}
	if err := NewPrompter(s).Confirm(t.Context(), "q"); err == nil || !strings.Contains(err.Error(), "reading the answer: broken") {
		t.Errorf("got %v", err)
	}
	s.ErrOut = fullDisk{}
	if err := NewPrompter(s).Confirm(t.Context(), "q"); err == nil || !strings.Contains(err.Error(), "asking: full") {
		t.Errorf("got %v", err)
	}
}

func TestFakePrompter(t *testing.T) {
	f := &FakePrompter{Answers: []string{"y", "P2", "skip", "n", "x"}}
	if err := errors.Join(f.Confirm(t.Context(), "1"), f.TypeToConfirm(t.Context(), "2", "P2")); err != nil {
		t.Error(err)
	}
	if got, err := f.Select(t.Context(), "3", "skip"); got != "skip" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	_, err := f.Select(t.Context(), "5", "skip")
	for _, err := range []error{err, f.Confirm(t.Context(), "4"), f.Confirm(t.Context(), "6")} {
		if !errors.Is(err, ErrDeclined) {
			t.Errorf("got %v", err)
		}
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.Confirm(cancelled, "7"); !errors.Is(err, context.Canceled) || len(f.Questions) != 7 {
		t.Errorf("%v after %q", err, f.Questions)
	}
}
