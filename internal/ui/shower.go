package ui

import (
	"io"
	"sync"
	"time"
)

// shower puts a changing text before the user: redrawn in place on a terminal,
// as a line every few seconds in a log, not at all if quiet.
type shower struct {
	out    io.Writer
	status *statusWriter // nil unless it is drawn in place
	width  int
	color  bool
	draw   func(tick, width int, color bool) string
	line   func() string

	quit, ended chan struct{}
	once        sync.Once

	mu   sync.Mutex // orders drawings, so that an old one never stays
	tick int
}

// newShower starts a goroutine that shows until stop is called.
func newShower(s *Streams, every time.Duration, draw func(tick, width int, color bool) string, line func() string) *shower {
	w := &shower{
		out: s.ErrOut, width: s.ErrWidth - 1, color: s.ErrColor, draw: draw, line: line,
		quit: make(chan struct{}), ended: make(chan struct{}),
	}
	if s.ErrTTY {
		w.status, _ = s.ErrOut.(*statusWriter)
	}
	switch {
	case s.Quiet:
		close(w.ended)
	case w.status != nil:
		go w.loop(every, func() { w.advance(1) })
	default:
		w.status = nil
		go w.loop(lineEvery, w.printLine)
	}
	if s.Quiet {
		w.status, w.out = nil, io.Discard
	}
	return w
}

func (w *shower) loop(every time.Duration, show func()) {
	defer close(w.ended)
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-w.quit:
			return
		case <-t.C:
			show()
		}
	}
}

// redraw shows the present text at once where it is drawn in place.
func (w *shower) redraw() { w.advance(0) }

func (w *shower) advance(ticks int) {
	if w.status == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	select {
	case <-w.quit:
		return
	default:
	}
	w.tick += ticks
	w.status.set(w.draw(w.tick, w.width, w.color))
}

func (w *shower) printLine() { _, _ = io.WriteString(w.out, w.line()+"\n") }

// stop ends the showing and waits for it, so that nothing is drawn afterwards.
func (w *shower) stop() {
	w.once.Do(func() {
		w.mu.Lock()
		close(w.quit)
		w.mu.Unlock()
		<-w.ended
		if w.status != nil {
			w.status.set("")
		}
	})
}
