//go:build race

package flow

// underRace is what a limit of time is multiplied by: the race detector makes
// everything slower.
const underRace = 20
