package ui

import (
	"bytes"
	"strings"
	"sync"
)

// Captured is what was written to the streams of a test. Safe for concurrent use.
type Captured struct{ out, errOut buffer }

// Out is what was written to Out so far.
func (c *Captured) Out() string { return c.out.String() }

// ErrOut is what was written to ErrOut so far, control sequences included.
func (c *Captured) ErrOut() string { return c.errOut.String() }

// Test makes streams without a terminal, which read from input and write to
// memory.
func Test(input string) (*Streams, *Captured) {
	c := &Captured{}
	return &Streams{In: strings.NewReader(input), Out: &c.out, ErrOut: &statusWriter{w: &c.errOut}}, c
}

// TestTerminal is [Test] with all three streams on a terminal of a width, in
// colour if asked for.
func TestTerminal(input string, width int, color bool) (*Streams, *Captured) {
	s, c := Test(input)
	s.InTTY, s.OutTTY, s.ErrTTY = true, true, true
	s.Width, s.ErrWidth = width, width
	s.Color, s.ErrColor = color, color
	return s, c
}

// buffer is a bytes.Buffer that may be used concurrently.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
