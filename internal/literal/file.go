package literal

import (
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
	// others are how many declarations the file has besides.
	others int
	// refers holds the names that are used other than as labels.
	refers map[string]bool
	// The import of the schema: its text, whether it is alone in its declaration,
	// and how often something refers to it.
	schemaImport span
	imports      int
	schemaUses   int
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

func (f *File) origin(at place) model.Origin {
	return model.Origin{File: f.name, Line: int(at.line), Column: int(at.column)}
}

// Without returns the text of the file without what it says about some
// tenants: spaces stand in its place, so that all the rest is where it was. An
// import of the schema that nothing uses any more goes, too. Where nothing is
// left, it is the package clause alone.
func (f *File) Without(taken map[string]*Tenant) []byte {
	var gone []span
	declares, uses := 0, 0
	for _, d := range f.declares {
		var pieces []span
		for _, p := range d.pieces {
			if taken[p.id] != nil {
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
	if declares == len(f.declares) && f.others == 0 && imports == 0 {
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
