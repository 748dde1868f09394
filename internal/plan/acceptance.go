package plan

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// Acceptance is a decision on record: who accepted which drift, why, and until when.
type Acceptance struct {
	Accepted
	User   string
	Reason string
	At     time.Time
	// Expires is when the acceptance ends; the zero value is never.
	Expires time.Time
}

// acceptancesVersion is the version of the file.
const acceptancesVersion = 1

// The file of an environment's acceptances. It lies beside the configuration, is
// reviewed like it, and may be edited by hand.
type acceptancesJSON struct {
	Version  int              `json:"version"`
	Accepted []acceptanceJSON `json:"accepted"`
}

// acceptanceJSON leaves out a value that is absent, as opposed to null.
type acceptanceJSON struct {
	Address    model.Key       `json:"address"`
	Path       string          `json:"path"`
	Value      json.RawMessage `json:"value,omitempty"`
	Configured json.RawMessage `json:"configured,omitempty"`
	// NotConfigured tells a value that was absent from one that does not matter.
	NotConfigured bool      `json:"not_configured,omitempty"`
	User          string    `json:"user"`
	Reason        string    `json:"reason"`
	AcceptedAt    time.Time `json:"accepted_at"`
	Expires       time.Time `json:"expires,omitzero"`
}

// ParseAcceptances reads the file. An unknown field is an error: it may be one that
// narrows the acceptance.
func ParseAcceptances(data []byte) ([]Acceptance, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	d.DisallowUnknownFields()
	var in acceptancesJSON
	if err := d.Decode(&in); err != nil {
		return nil, fmt.Errorf("reading accepted drift, line %d: %w", 1+bytes.Count(data[:min(int(d.InputOffset()), len(data))], []byte("\n")), err)
	}
	if d.More() {
		return nil, errors.New("reading accepted drift: more text after the end of the document")
	}
	if in.Version != acceptancesVersion {
		return nil, fmt.Errorf("reading accepted drift: version %d is not known, this version of the program reads %d", in.Version, acceptancesVersion)
	}
	out := make([]Acceptance, 0, len(in.Accepted))
	seen := map[FieldKey]bool{}
	for _, a := range in.Accepted {
		field := FieldKey{a.Address, a.Path}
		_, isPath := model.SplitPath(a.Path)
		value, err := valueFromJSON(a.Value)
		switch {
		case a.Address == (model.Key{}):
			return nil, errors.New("reading accepted drift: an entry has no address")
		case a.Path != "" && !isPath:
			return nil, fmt.Errorf("reading accepted drift of %s: %q is not a path", a.Address, a.Path)
		case err != nil:
			return nil, fmt.Errorf("reading accepted drift of %s: %w", a.Address, err)
		case a.Path == "" && value != true && a.Value != nil:
			return nil, fmt.Errorf("reading accepted drift of %s: of an object itself the value is true, for one that exists, or left out", a.Address)
		case seen[field]:
			return nil, fmt.Errorf("reading accepted drift: %s %s is there twice", a.Address, a.Path)
		}
		seen[field] = true
		var configured any
		switch {
		case a.NotConfigured:
			configured = Absent{}
		case a.Configured != nil:
			if configured, err = model.DecodeJSON(a.Configured); err != nil {
				return nil, fmt.Errorf("reading accepted drift of %s: %w", a.Address, err)
			}
		}
		out = append(out, Acceptance{Accepted{a.Address, a.Path, value, configured}, a.User, a.Reason, a.AcceptedAt, a.Expires})
	}
	return out, nil
}

// FormatAcceptances writes the file, sorted by object and path.
func FormatAcceptances(list []Acceptance) []byte {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b Acceptance) int {
		return cmp.Or(a.Key.Compare(b.Key), strings.Compare(a.Path, b.Path))
	})
	out := acceptancesJSON{Version: acceptancesVersion, Accepted: []acceptanceJSON{}}
	for _, a := range list {
		entry := acceptanceJSON{
			Address: a.Key, Path: a.Path, Value: valueToJSON(a.Value), User: a.User, Reason: a.Reason, AcceptedAt: a.At.UTC(), Expires: utc(a.Expires),
		}
		if _, absent := a.Configured.(Absent); absent {
			entry.NotConfigured = true
		} else if a.Configured != nil {
			entry.Configured = valueToJSON(a.Configured)
		}
		out.Accepted = append(out.Accepted, entry)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(out); err != nil { // a value that is not normalised: a programming error
		panic("plan: " + err.Error())
	}
	return b.Bytes()
}

func utc(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC()
}

// Accept adds acceptances to others, of which those of the same fields go.
func Accept(list []Acceptance, more ...Acceptance) []Acceptance {
	field := func(a Acceptance) FieldKey { return FieldKey{a.Key, a.Path} }
	out := slices.DeleteFunc(slices.Clone(list), func(a Acceptance) bool {
		return slices.ContainsFunc(more, func(b Acceptance) bool { return field(a) == field(b) })
	})
	return append(out, more...)
}

// Holding are the acceptances that have not ended at a time.
func Holding(list []Acceptance, now time.Time) []Accepted {
	var out []Accepted
	for _, a := range list {
		if a.Expires.IsZero() || now.Before(a.Expires) {
			out = append(out, a.Accepted)
		}
	}
	return out
}
