package model

import (
	"cmp"
	"slices"
	"strings"
)

// Severity ranks a diagnostic.
type Severity string

// The severities. An error forbids what was asked; a warning does not.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
)

// Diagnostic is something that the user should know about the configuration,
// the live project or a plan. Printed, it takes at most three lines: the
// position and the summary with the value in it, what is allowed or "did you
// mean", and what to do.
type Diagnostic struct {
	Severity Severity `json:"severity"`
	// Code names the kind of mistake, stable and greppable: "unknown-field".
	Code string `json:"code"`
	// Summary is one line: what is wrong, with the value that is.
	Summary string `json:"summary"`
	// Detail is one line: what is allowed, or "did you mean". May be empty.
	Detail string `json:"detail,omitempty"`
	// Hint is one line: what to do, a command where there is one. May be empty.
	Hint string `json:"hint,omitempty"`
	// Key and Path say which value, where known.
	Key    *Key   `json:"key,omitempty"`
	Path   string `json:"path,omitempty"`
	Origin Origin `json:"origin,omitzero"`
	// Also are the other positions involved, for example the base value that
	// an overlay conflicts with.
	Also []Origin `json:"also,omitempty"`
	// Fix is the replacement that settles the mistake, where one is known: what "did you
	// mean" says, for programs.
	Fix *Fix `json:"fix,omitempty"`
	// Raw is the text of the underlying error, shown under --verbose.
	Raw string `json:"raw,omitempty"`
}

// Fix is a replacement of text in the user's file. Old stands at At, as it is written
// there; New is to stand in its place.
type Fix struct {
	At  Origin `json:"at"`
	Old string `json:"old"`
	New string `json:"new"`
}

// Diagnostics are sorted by position, then code, summary and object; see [Diagnostics.Sort].
type Diagnostics []Diagnostic

// Sort orders the diagnostics and drops those that say the same at one place.
func (d Diagnostics) Sort() Diagnostics {
	compare := func(a, b Diagnostic) int {
		return cmp.Or(
			strings.Compare(a.Origin.File, b.Origin.File),
			cmp.Compare(a.Origin.Line, b.Origin.Line),
			cmp.Compare(a.Origin.Column, b.Origin.Column),
			strings.Compare(a.Code, b.Code),
			strings.Compare(a.Path, b.Path),
			strings.Compare(a.Summary, b.Summary),
			compareKeys(a.Key, b.Key),
		)
	}
	sorted := slices.Clone(d)
	slices.SortStableFunc(sorted, compare)
	return slices.CompactFunc(sorted, func(a, b Diagnostic) bool { return compare(a, b) == 0 })
}

// compareKeys orders what is about no object before what is.
func compareKeys(a, b *Key) int {
	if a == nil || b == nil {
		return btoi(a != nil) - btoi(b != nil)
	}
	return a.Compare(*b)
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Errors returns the diagnostics that are errors.
func (d Diagnostics) Errors() Diagnostics {
	var out Diagnostics
	for _, x := range d {
		if x.Severity == Error {
			out = append(out, x)
		}
	}
	return out
}
