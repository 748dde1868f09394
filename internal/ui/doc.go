// Package ui is everything between the program and a person or a script at the
// other end: streams, text and JSON renderers, progress, questions and the log.
//
// Results go to Out, everything else to ErrOut. Renderers are functions from
// data to text and write nothing themselves. Text from outside (names, messages
// of a server) passes through [Safe] or [Value] before it reaches a terminal.
// The package reads no environment variable and no clock: both come in.
package ui
