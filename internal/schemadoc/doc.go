// Package schemadoc says what the schema says in other forms: as CUE that stands by
// itself, as JSON Schema 2020-12, and as a reference for people. All of it is read from
// the syntax of the embedded schema, comments included, so that a field has one place
// where it is explained. A construct of CUE that has no counterpart here is an error,
// never left out: see docs/adr/0015-schema-forms.md.
//
// Nothing here is evaluated, and nothing depends on a configuration.
package schemadoc

import "sync"

// Read returns the schema of this program. It is read once, is immutable and may be
// shared between goroutines. An error is a mistake of ours, which a test finds.
func Read() (*Document, error) { return embedded() }

var embedded = sync.OnceValues(func() (*Document, error) {
	files, err := sources()
	if err != nil {
		return nil, err
	}
	return parse(files)
})
