package literal

import (
	"bytes"
	"slices"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// File is a file of a configuration, taken apart. It is immutable and may be
// used for several environments at once.
type File struct {
	name string
	text []byte
	pkg  string
	// opaque: there is something in the file that might bear on any tenant.
	opaque bool
	// declares are the declarations of tenants, in the order in which they are written.
	declares []declaration
	// others are how many declarations the file has besides, flows those of flows.
	others int
	flows  []span
	// lets: it has names that must be used by something.
	lets bool
	// refers holds the names that are used other than as labels.
	refers map[string]bool
	// The import of the schema, how many imports there are, and how often something
	// refers to the schema.
	schemaImport span
	imports      int
	schemaUses   int
	flowUses     int // of these, those of flows
}

// span is a part of a text, as offsets.
type span struct{ start, end int }

// declaration is one field "tenants" at the top of a file.
type declaration struct {
	span
	pieces []piece
	// more: it says something besides the pieces.
	more bool
}

// piece is what one field says about one tenant.
type piece struct {
	span
	id         string
	plain      bool // the label is a name that others might refer to
	literal    bool
	schemaUses int
	at         place
	fields     []field
}

// label is the name of a field and its path below the tenant; there is one for all
// fields that have it.
type label struct{ name, path string }

// place is a line and a column, both from 1; there are many of them.
type place struct{ line, column int32 }

// field is a value, or the begin of fields that are below it: those that follow.
type field struct {
	*label
	value any
	at    place
	// preset: value is a default that another value of the same type may replace.
	preset bool
	nested bool // it has no value, but fields below it
	below  bool // it is below the last one that is nested
}

// IsOf reports whether the file was read from this text.
func (f *File) IsOf(text []byte) bool { return bytes.Equal(f.text, text) }

func (f *File) origin(at place) model.Origin {
	return model.Origin{File: f.name, Line: int(at.line), Column: int(at.column)}
}

// separable reports whether tenants can be left out of the file without a trace: an
// import or a let that only they, or flows, use would be a mistake then.
func (f *File) separable() bool {
	others := f.imports
	if f.schemaImport.end > 0 {
		others--
	}
	return !f.lets && (others == 0 || len(f.declares)+len(f.flows) == 0)
}

// Without returns the text of the file without what it says about the tenants
// for which gone is true: spaces stand in its place, so that all the rest is where
// it was. An import of the schema that nothing uses any more goes, too. Where
// nothing is left, it is the package clause alone.
func (f *File) Without(gone func(id string) bool) []byte { return f.without(gone, nil, 0) }

// Only returns the text of the file without flows, and without what it says about
// other tenants than some; see [File.Without]. It is nil where nothing is left.
func (f *File) Only(ids map[string]bool) []byte {
	text := f.without(func(id string) bool { return !ids[id] }, f.flows, f.flowUses)
	if f.isEmpty(text) {
		return nil
	}
	return text
}

func (f *File) isEmpty(text []byte) bool { return string(text) == "package "+f.pkg+"\n" }

// without takes out pieces, and other spans that refer to the schema so many times.
func (f *File) without(isGone func(id string) bool, gone []span, uses int) []byte {
	others := f.others - len(gone)
	gone = slices.Clone(gone)
	declares := 0
	for _, d := range f.declares {
		var pieces []span
		for _, p := range d.pieces {
			if isGone(p.id) {
				pieces = append(pieces, p.span)
				uses += p.schemaUses
			}
		}
		if len(pieces) == len(d.pieces) && len(pieces) > 0 && !d.more {
			pieces = []span{d.span}
			declares++
		}
		gone = append(gone, pieces...)
	}
	if len(gone) == 0 {
		return f.text
	}
	imports := f.imports
	if uses > 0 && uses == f.schemaUses {
		gone = append(gone, f.schemaImport)
		imports--
	}
	if declares == len(f.declares) && others == 0 && imports == 0 {
		return []byte("package " + f.pkg + "\n")
	}
	text := slices.Clone(f.text)
	for _, s := range gone {
		for i := s.start; i < s.end; i++ {
			if text[i] != '\n' {
				text[i] = ' '
			}
		}
	}
	return text
}
