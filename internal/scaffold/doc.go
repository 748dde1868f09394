// Package scaffold makes the files of a new configuration: a CUE module with its
// environments, and what belongs around it in a repository. It is pure: what is there
// already, and whether anything is written, is up to its caller. The copy of the schema
// and the module file are given to it, since others know what is in them.
package scaffold
