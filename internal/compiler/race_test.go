//go:build race

package compiler

// underRace: the race detector makes everything some ten times slower.
const underRace = true
