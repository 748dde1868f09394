//go:build !race

package compiler

// underRace: see race_test.go.
const underRace = false
