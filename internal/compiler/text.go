package compiler

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"cuelang.org/go/cue/literal"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// maxShown bounds how much of a value of the user goes into a message.
const maxShown = 60

// oneLine folds white space and takes away what could steer a terminal, so
// that text from a file or from CUE can stand in a message.
func oneLine(s string) string {
	var b strings.Builder
	for _, word := range strings.Fields(s) {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		for _, r := range word {
			if unicode.IsPrint(r) {
				b.WriteRune(r)
			} else {
				q := strconv.QuoteRuneToASCII(r)
				b.WriteString(q[1 : len(q)-1])
			}
		}
	}
	return b.String()
}

// short is oneLine of a bounded length.
func short(s string) string {
	if len(s) > 16*maxShown {
		s = strings.ToValidUTF8(s[:16*maxShown], "")
	}
	s = oneLine(s)
	if utf8.RuneCountInString(s) <= maxShown {
		return s
	}
	return cut(s)
}

func cut(s string) string {
	closing := ""
	if s[0] == '"' {
		closing = `"`
	}
	return string([]rune(s)[:maxShown-2]) + "…" + closing
}

// quoted is a string as CUE writes it, bounded.
func quoted(s string) string {
	if utf8.RuneCountInString(s) > maxShown {
		s = string([]rune(s)[:maxShown-2]) + "…"
	}
	return oneLine(literal.String.Quote(s))
}

// didYouMean proposes the candidate that was probably meant, or says
// something else where none is near.
func didYouMean(word string, candidates []string, otherwise string) string {
	if s := model.Suggest(word, candidates); s != "" {
		return fmt.Sprintf("did you mean %s?", quoted(s))
	}
	return otherwise
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
