// Package store owns everything that the tool keeps on disk between runs: what
// was last applied, backups, the records of runs, the audit log, what rollbacks
// hold, the key that seals plans, the rate limiter's memory, the emulator's data
// and the locks. It alone locks files and replaces them atomically.
//
// The state directory is private. Everything in it is keyed by base URL and
// project, so that a rehearsal never mixes with the real thing. A file that is
// damaged is named and refused, never read as if it were empty.
package store
