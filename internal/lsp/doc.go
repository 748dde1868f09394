// Package lsp is a language server for the configuration: a proxy in front of CUE's
// own, which completes, hovers, renames and formats, and reports nothing but syntax
// errors. The proxy adds what the compiler finds, with quick fixes, code lenses and
// links.
//
// It knows the protocol and nothing of CUE: what is wrong with a configuration is
// asked of a [Checker].
package lsp
