package model

import (
	"strings"

	"github.com/agnivade/levenshtein"
)

// Suggest returns the candidate that somebody who typed word most likely meant,
// or "" where none is near enough: at most two edits, and fewer than half of
// the word. Case and the difference between - and _ count for nothing.
func Suggest(word string, candidates []string) string {
	fold := func(s string) string { return strings.ReplaceAll(strings.ToLower(s), "-", "_") }
	best, distance := "", 3
	for _, c := range candidates {
		d := levenshtein.ComputeDistance(fold(word), fold(c))
		if d < distance && 2*d < max(len(word), 3) {
			best, distance = c, d
		}
	}
	return best
}
