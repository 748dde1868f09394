// Package model is the vocabulary of the project: kinds, keys, resources,
// states, positions and diagnostics. Everything here is a value, pure and safe
// to share between goroutines; nothing here reads a clock, a file or the
// network, and the package imports nothing else of the project.
//
// Desired, live and last-applied are all the same type, [State]. That is what
// lets a backup, a rollback or an import be just another source of a desired
// state.
package model
