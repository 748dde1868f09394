//go:build !race

package flow

// underRace: see race_test.go.
const underRace = 1
