// Package compiler turns the configuration of a module into desired states and
// back into text. It owns everything that has to do with CUE: finding the
// module, loading an environment with its shared definitions and the schema of
// the binary, evaluating, checking, and saying where each value was written.
//
// [Compile] is the one way from files to a [model.State]; [Eval] and
// [CompileAll] go through it. Nothing here uses the network, a registry, the
// environment of the process or the clock, and no input makes it panic: what
// cannot be compiled is described by diagnostics that point at the user's
// files, never at the schema.
package compiler
