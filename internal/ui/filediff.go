package ui

import (
	"strings"

	"github.com/rogpeppe/go-internal/diff"
)

// FileDiff renders the difference of two versions of a text file as a unified diff. A
// side that is nil is no file. Lines are shown without the carriage return at their
// end; equal contents yield "".
func FileDiff(path string, before, after []byte, s Style) string {
	from, to := "a/"+path, "b/"+path
	if before == nil {
		from = "/dev/null"
	}
	if after == nil {
		to = "/dev/null"
	}
	text := string(diff.Diff(from, before, to, after))
	_, text, _ = strings.Cut(text, "\n") // a first line that says it was made by diff
	var b strings.Builder
	for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if text == "" {
			break
		}
		color := ""
		switch {
		case i < 2:
			color = bold
		case strings.HasPrefix(line, "@@"):
			color = cyan
		case strings.HasPrefix(line, "+"):
			color = blue
		case strings.HasPrefix(line, "-"):
			color = red
		}
		line = SafeLines(strings.TrimSuffix(line, "\r"))
		if color != "" {
			line = s.paint(color, line)
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}
