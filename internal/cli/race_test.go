//go:build race

package cli

// underRace: the race detector makes everything some ten times slower.
const underRace = true
