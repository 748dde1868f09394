package ui

import (
	"io"
	"os"

	"golang.org/x/term"
)

// Streams are the three standard streams and what is known about them. They are
// made once, by [System] or [Test], and passed by pointer; the fields may be
// changed before the first use and are read-only afterwards. ErrOut is safe for
// concurrent use and keeps a progress line intact; Out is not.
type Streams struct {
	In     io.Reader
	Out    io.Writer
	ErrOut io.Writer

	InTTY, OutTTY, ErrTTY bool

	// Width and ErrWidth are the columns of the terminals behind Out and
	// ErrOut, or 0 where there is none.
	Width, ErrWidth int

	// Color and ErrColor say whether Out and ErrOut take colours.
	Color, ErrColor bool

	// Quiet suppresses progress; Verbose shows long values and raw errors.
	Quiet, Verbose bool
}

// defaultWidth is assumed of a terminal that does not tell its width.
const defaultWidth = 80

// System makes the streams of a process. lookup finds environment variables:
// NO_COLOR (not empty) and TERM=dumb turn colours off, and a dumb terminal gets
// no moving progress either. A terminal whose locale is not UTF-8 gets ASCII; a pipe
// and a file always get UTF-8.
func System(in, out, errOut *os.File, lookup func(name string) (value string, ok bool)) *Streams {
	set := func(name string) string { v, _ := lookup(name); return v }
	dumb := set("TERM") == "dumb"
	s := &Streams{
		In: in, Out: out, ErrOut: &statusWriter{w: errOut},
		InTTY: isTerminal(in), OutTTY: isTerminal(out), ErrTTY: isTerminal(errOut) && !dumb,
		Width: columns(out), ErrWidth: columns(errOut),
	}
	if !speaksUTF8(lookup) {
		if s.OutTTY {
			s.Out = asciiWriter{out}
		}
		if isTerminal(errOut) {
			s.ErrOut = &statusWriter{w: asciiWriter{errOut}}
		}
	}
	color := set("NO_COLOR") == "" && !dumb
	s.Color, s.ErrColor = s.OutTTY && color, s.ErrTTY && color
	return s
}

// NoColor turns colours off on both streams.
func (s *Streams) NoColor() { s.Color, s.ErrColor = false, false }

// OutStyle is how text for Out should look.
func (s *Streams) OutStyle() Style {
	return Style{Width: s.Width, TTY: s.OutTTY, Color: s.Color, Verbose: s.Verbose}
}

// ErrStyle is how text for ErrOut should look.
func (s *Streams) ErrStyle() Style {
	return Style{Width: s.ErrWidth, TTY: s.ErrTTY, Color: s.ErrColor, Verbose: s.Verbose}
}

// suspend takes a progress line off ErrOut until resume is called.
func (s *Streams) suspend() (resume func()) {
	if w, ok := s.ErrOut.(*statusWriter); ok {
		return w.suspend()
	}
	return func() {}
}

// StopProgress takes a progress line off ErrOut for good: for whoever ends the process
// while something is still going on.
func (s *Streams) StopProgress() { s.suspend() }

func isTerminal(f *os.File) bool { return term.IsTerminal(fd(f)) }

// columns is the width of the terminal behind f, or 0 if f is none.
func columns(f *os.File) int {
	if !isTerminal(f) {
		return 0
	}
	if w, _, err := term.GetSize(fd(f)); err == nil && w > 0 {
		return w
	}
	return defaultWidth
}

func fd(f *os.File) int {
	return int(f.Fd())
}
