package model

import (
	"strings"

	"github.com/agnivade/levenshtein"
)

// Suggest returns the candidate that somebody who typed word most likely meant,
// or "" where none is near enough: at most two edits, and fewer than half of
// the word. Case and the difference between - and _ count for nothing, and two
// neighbours in each other's place for one edit.
func Suggest(word string, candidates []string) string {
	fold := func(s string) string { return strings.ReplaceAll(strings.ToLower(s), "-", "_") }
	best, distance := "", 3
	for _, c := range candidates {
		d := edits(fold(word), fold(c))
		if d < distance && 2*d < max(len(word), 3) {
			best, distance = c, d
		}
	}
	return best
}

// edits is the distance between two words, in which letters that are swapped
// count as the one mistake that they are.
func edits(a, b string) int {
	for i := 0; i+1 < len(a) && len(a) == len(b); i++ {
		if a[i] != b[i] {
			if a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:] {
				return 1
			}
			break
		}
	}
	return levenshtein.ComputeDistance(a, b)
}
