package ui

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// ParseLevel reads a log level: debug, info, warning (or warn), error.
func ParseLevel(s string) (slog.Level, error) {
	switch strings.ToLower(s) {
	case "debug":
		return slog.LevelDebug, nil
	case "info":
		return slog.LevelInfo, nil
	case "warning", "warn":
		return slog.LevelWarn, nil
	case "error":
		return slog.LevelError, nil
	}
	return 0, fmt.Errorf("no log level %q; the levels are debug, info, warning and error", s)
}

// NewLogger makes a logger that writes records of a level and above to w, one a
// line, as text or as JSON. Values cannot break a line or move a terminal. It
// knows nothing of secrets: they must not be passed to it.
func NewLogger(w io.Writer, level slog.Level, asJSON bool) *slog.Logger {
	o := &slog.HandlerOptions{Level: level}
	if asJSON {
		return slog.New(slog.NewJSONHandler(escapingWriter{w}, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

// escapingWriter escapes what JSON text leaves unescaped but a terminal obeys.
// Each Write must hold whole runes.
type escapingWriter struct{ w io.Writer }

func (e escapingWriter) Write(p []byte) (int, error) {
	if _, err := e.w.Write(escapeJSON(p)); err != nil {
		return 0, err
	}
	return len(p), nil
}
