package cli

import (
	"bytes"
	"errors"
	"slices"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// blamed are the reasons why the configuration does not compile with an edit, in
// places that the user has. CUE gives up on some values that are made by a loop; the
// places that may give them say more than that.
func (t *trial) blamed(files map[string][]byte, mistakes, suspects model.Diagnostics) model.Diagnostics {
	out := t.unedited(files, mistakes)
	if len(suspects) == 0 {
		return out
	}
	out = slices.DeleteFunc(out, func(d model.Diagnostic) bool { return d.Code == "internal" })
	for _, d := range suspects {
		if len(out) == 0 || out[0].Code == d.Code {
			d.Severity, d.Detail, d.Hint = model.Error, "only a value that is written out can be edited", "change it there by hand"
		}
		out = append(out, d)
	}
	return out
}

// unedited are diagnostics about files that are not written, at the lines of the
// original files. A line that is only in the edit is left out; where another one is
// involved, that is named instead.
func (t *trial) unedited(files map[string][]byte, all model.Diagnostics) model.Diagnostics {
	var out model.Diagnostics
	for _, d := range all {
		var places []model.Origin
		for _, o := range append([]model.Origin{d.Origin}, d.Also...) {
			if line := lineBefore(t.original[o.File], files[o.File], o.Line); line > 0 {
				o.Line = line
				places = append(places, o)
			} else if o == d.Origin {
				// CUE's own text names the line, too.
				d.Summary, d.Raw = strings.Replace(d.Summary, " here, but ", " as asked for, but ", 1), ""
			}
		}
		d.Origin, d.Also = model.Origin{}, nil
		if len(places) > 0 {
			d.Origin, d.Also = places[0], places[1:]
		}
		out = append(out, d)
	}
	return out
}

// lineBefore is the number of a line of a text before it was edited, or 0 if it was
// not there. Of files that are no part of the edit there is no text.
func lineBefore(before, after []byte, line int) int {
	if line == 0 || bytes.Equal(before, after) {
		return line
	}
	was, is := bytes.Split(before, []byte("\n")), bytes.Split(after, []byte("\n"))
	if line > len(is) {
		return 0
	}
	text, found := is[line-1], 0
	same := func(i, j int) bool {
		return i >= 0 && j >= 0 && i < len(was) && j < len(is) && bytes.Equal(was[i], is[j])
	}
	for i := 0; same(i, i); i++ {
		if i == line-1 {
			return line
		}
	}
	for i := 1; same(len(was)-i, len(is)-i); i++ {
		if len(is)-i == line-1 {
			return len(was) - i + 1
		}
	}
	for i, l := range was {
		if bytes.Equal(l, text) {
			if found > 0 {
				return 0
			}
			found = i + 1
		}
	}
	return found
}

// withChildren says of a refusal to take out a parent, since its child would stay, what
// works where the child is gone from the project too: to adopt both.
func withChildren(c *connection, chosen []decided, err error) error {
	var refused *diagnosticsError
	if !errors.As(err, &refused) {
		return err
	}
	var gone []model.Key
	for _, k := range addressesOf(chosen) {
		if _, exists := c.live.Get(k); !exists {
			gone = append(gone, k)
		}
	}
	for more := true; more; {
		more = false
		for _, r := range c.compiled.State.Resources() {
			parent, ok := r.Attrs["parent"].(string)
			_, exists := c.live.Get(r.Key)
			if ok && !exists && !slices.Contains(gone, r.Key) && slices.Contains(gone, model.Key{Kind: model.Tenant, ID: parent}) {
				gone, more = append(gone, r.Key), true
			}
		}
	}
	names := make([]string, len(gone))
	for i, k := range gone {
		names[i] = k.String()
	}
	all := "them together"
	if len(gone) == 2 {
		all = "both"
	}
	for i := range refused.diagnostics {
		d := &refused.diagnostics[i]
		if (d.Code == "excluded-parent" || d.Code == "no-parent") && d.Key != nil && slices.Contains(gone, *d.Key) {
			d.Detail, d.Hint = "it is gone from the project, too", "adopt "+all+": --adopt "+shellQuote(strings.Join(names, ","))
		}
	}
	return err
}
