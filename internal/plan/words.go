package plan

import (
	"fmt"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// A sentence lists so many things, and counts the rest.
const listed = 3

func list(words []string) string {
	if rest := len(words) - listed; rest > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(words[:listed], ", "), rest)
	}
	return strings.Join(words, ", ")
}

func addresses(keys []model.Key) string {
	words := make([]string, len(keys))
	for i, k := range keys {
		words[i] = k.String()
	}
	return list(words)
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

func count(n int, what string) string {
	return fmt.Sprintf("%d %s", n, plural(n, what, what+"s"))
}

// show writes a value into a sentence.
func show(v any) string {
	if _, absent := v.(Absent); absent {
		return "nothing"
	}
	return string(model.CanonicalJSON(v))
}

// brief is show, cut to what a sentence can hold.
func brief(v any) string {
	const most = 60
	text := []rune(show(v))
	if len(text) > most {
		return string(text[:most]) + "…"
	}
	return string(text)
}
