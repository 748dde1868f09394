package yamlconfig

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// maxShown bounds how much of a file goes into a message.
const maxShown = 60

// quoted is text in a message: bounded, on one line, and with nothing in it that could
// steer a terminal.
func quoted(s string) string { return strconv.QuoteToGraphic(cut(s)) }

// shortText is the same without quotes where none are needed.
func shortText(s string) string {
	q := quoted(s)
	return q[1 : len(q)-1]
}

func cut(s string) string {
	if len(s) > 16*maxShown {
		s = strings.ToValidUTF8(s[:16*maxShown], "")
	}
	if utf8.RuneCountInString(s) > maxShown {
		s = string([]rune(s)[:maxShown-1]) + "…"
	}
	return s
}

// didYouMean proposes what was probably meant, or lists what there is.
func didYouMean(word string, known []string) string {
	if s := model.Suggest(word, known); s != "" {
		return "did you mean " + quoted(s) + "?"
	}
	return "known: " + strings.Join(known, ", ")
}

// mistake is an error at a place.
func mistake(at model.Origin, code, summary string) model.Diagnostic {
	return model.Diagnostic{Severity: model.Error, Code: code, Summary: summary, Origin: at}
}

// warning is a warning at a place.
func warning(at model.Origin, code, summary string) model.Diagnostic {
	d := mistake(at, code, summary)
	d.Severity = model.Warning
	return d
}
