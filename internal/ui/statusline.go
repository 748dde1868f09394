package ui

import (
	"bytes"
	"io"
	"sync"
)

// clearLine goes to the first column and erases the line.
const clearLine = "\r\x1b[K"

// statusWriter is a terminal whose last line may show a status that is redrawn
// in place. What is written scrolls above the status, so that log lines and
// messages never tear it. Without a status it is just a writer.
type statusWriter struct {
	mu     sync.Mutex
	w      io.Writer
	status string
	// midLine: the last write left an unfinished line, or a question is being
	// asked; the status must not be drawn over it.
	midLine bool
	asking  int
}

// Write writes p, taking the status off and putting it back.
func (s *statusWriter) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(p) == 0 {
		return 0, nil
	}
	var b bytes.Buffer
	if s.shown() {
		b.WriteString(clearLine)
	}
	prefix := b.Len()
	b.Write(p)
	s.midLine = p[len(p)-1] != '\n'
	if s.shown() {
		b.WriteString(s.status)
	}
	n, err := s.w.Write(b.Bytes())
	return min(max(n-prefix, 0), len(p)), err
}

// set replaces the status; "" removes it. It must be shorter than a line. A
// terminal that cannot be written to is no reason to stop, so errors are dropped.
func (s *statusWriter) set(status string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if status == s.status {
		return
	}
	wasShown := s.shown()
	s.status = status
	if wasShown || s.shown() {
		_, _ = io.WriteString(s.w, clearLine+status)
	}
}

// suspend takes the status off until resume is called. Calls nest.
func (s *statusWriter) suspend() (resume func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shown() {
		_, _ = io.WriteString(s.w, clearLine)
	}
	s.asking++
	return sync.OnceFunc(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.asking--
		s.midLine = false // the answer ended with the Enter key
		if s.shown() {
			_, _ = io.WriteString(s.w, clearLine+s.status)
		}
	})
}

func (s *statusWriter) shown() bool { return s.status != "" && !s.midLine && s.asking == 0 }
