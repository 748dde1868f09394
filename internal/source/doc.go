// Package source writes configurations: CUE that says what a state says, and
// edits to CUE that somebody wrote by hand. It takes bytes and values and returns
// bytes; reading and writing files, and compiling what comes out, is left to its
// callers.
//
// Everything is deterministic: the same values give the same bytes, which are in
// the format of cue fmt.
package source
