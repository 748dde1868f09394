package ui

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

const (
	// redrawEvery keeps the countdown on a terminal alive.
	redrawEvery = 500 * time.Millisecond
	// lineEvery is how often a log gets a line.
	lineEvery = 5 * time.Second
)

// ProgressOptions describe the work that a [Progress] shows.
type ProgressOptions struct {
	// Verb and Noun name the work: "Created" and "tenant" give "Created 30/50
	// tenants".
	Verb, Noun string
	Total      int
	// Now is the clock.
	Now func() time.Time
	// Left tells how long n remaining pieces will take, where somebody knows
	// better than the pace so far (the rate limiter does); nil, or a result of
	// 0, means the pace so far. It may be called from any goroutine.
	Left func(n int) time.Duration
}

// Progress shows how far a piece of work is: a bar with the time remaining on a
// terminal, else a line every few seconds, and nothing if quiet. Its methods may
// be called from several goroutines; it must be stopped.
type Progress struct {
	o       ProgressOptions
	out     *shower
	started time.Time

	mu           sync.Mutex
	done, failed int
	notRun       int
	limited      time.Time // until then everything waits for the rate limit
}

// NewProgress starts to show progress on s.ErrOut.
func NewProgress(s *Streams, o ProgressOptions) *Progress {
	p := &Progress{o: o, started: o.Now()}
	p.out = newShower(s, redrawEvery, p.draw, p.line)
	p.out.redraw()
	return p
}

// Done counts n pieces as done.
func (p *Progress) Done(n int) { p.add(n, 0, 0) }

// Failed counts n pieces as failed.
func (p *Progress) Failed(n int) { p.add(0, n, 0) }

// NotRun counts n pieces as given up before they began: nothing of them is left to do.
func (p *Progress) NotRun(n int) { p.add(0, 0, n) }

func (p *Progress) add(done, failed, notRun int) {
	p.mu.Lock()
	p.done += done
	p.failed += failed
	p.notRun += notRun
	p.mu.Unlock()
	p.out.redraw()
}

// Limited says that everything waits for the rate limit until a time.
func (p *Progress) Limited(until time.Time) {
	p.mu.Lock()
	p.limited = until
	p.mu.Unlock()
	p.out.redraw()
}

// Stop takes the progress off the screen. It may be called more than once.
func (p *Progress) Stop() { p.out.stop() }

// draw is the progress on a terminal.
func (p *Progress) draw(_, width int, color bool) string {
	text, finished := p.text()
	return renderBar(text, finished, p.o.Total, width, color)
}

// line is the progress in a log.
func (p *Progress) line() string {
	text, _ := p.text()
	return text
}

func (p *Progress) text() (text string, finished int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.o.Now()
	finished = p.done + p.failed + p.notRun
	text = fmt.Sprintf("%s %d/%d %s", p.o.Verb, p.done, p.o.Total, plural(p.o.Noun))
	if p.failed > 0 {
		text += fmt.Sprintf(", %d failed", p.failed)
	}
	if p.notRun > 0 {
		text += fmt.Sprintf(", %d not run", p.notRun)
	}
	if wait := p.limited.Sub(now); wait > 0 {
		text += fmt.Sprintf(" (rate limited, %s)", estimate(wait))
	} else if left := p.left(now, finished); left > 0 {
		text += fmt.Sprintf(" (about %s left)", estimate(left))
	}
	return Safe(text), finished
}

// left is how long the rest will take, or 0 where nothing is known.
func (p *Progress) left(now time.Time, finished int) time.Duration {
	rest := p.o.Total - finished
	if rest <= 0 {
		return 0
	}
	if p.o.Left != nil {
		if left := p.o.Left(rest); left > 0 {
			return left
		}
	}
	if finished == 0 {
		return 0
	}
	return now.Sub(p.started) / time.Duration(finished) * time.Duration(rest)
}

// Spinner shows that something is going on of which no count is known, such as
// a read. A short one is never seen. It must be stopped.
type Spinner struct {
	text    string
	now     func() time.Time
	started time.Time
	out     *shower
}

const (
	spinEvery = 100 * time.Millisecond
	// spinAfter is how long a wait must last to be worth showing.
	spinAfter = 300 * time.Millisecond
)

// NewSpinner starts to show what is being done, for example "Reading tenants".
func NewSpinner(s *Streams, text string, now func() time.Time) *Spinner {
	p := &Spinner{text: strings.TrimSpace(Safe(text)), now: now, started: now()}
	p.out = newShower(s, spinEvery, p.draw, p.line)
	return p
}

// Stop takes the spinner off the screen. It may be called more than once.
func (p *Spinner) Stop() { p.out.stop() }

func (p *Spinner) draw(tick, width int, _ bool) string {
	waited := p.now().Sub(p.started)
	if waited < spinAfter {
		return ""
	}
	frames := spinnerFrames()
	return elide(fmt.Sprintf("%s %s (%s)", frames[tick%len(frames)], p.text, Duration(waited)), width)
}

func (p *Spinner) line() string {
	return fmt.Sprintf("%s (%s)", p.text, Duration(p.now().Sub(p.started)))
}
