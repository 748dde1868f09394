// Package literal reads tenants that are plain values straight from the text of
// a configuration, without CUE's evaluator: it accepts, and CUE rejects.
//
// A tenant is taken if everything that is written about it, in all files of an
// environment, is a name and a value (text, whole number, true, false, null,
// list of texts, or a default that an overlay replaces), if the schema allows
// it, and if nothing else in the files could add to it or refer to it. All the
// rest stays in the text, at the same lines and columns, and goes to CUE, which
// gives the verdict and the words. The rules here may therefore be stricter
// than those of the schema, and must never be laxer; [Knows] tells the schema
// that they were written for.
package literal
