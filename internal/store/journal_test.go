package store

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"pcconnect.ai/descope-mgmt/internal/model"
)

func journalText(t interface{ Fatal(...any) }, run string, entries ...Entry) []byte {
	var text []byte
	for _, e := range entries {
		line, err := encodeLine(run, e)
		if err != nil {
			t.Fatal(err)
		}
		text = append(text, line...)
	}
	return text
}

// TestJournalProperty: a journal comes back as it was written; cut anywhere, its
// whole lines come back; changed anywhere but in its last line, it is refused.
func TestJournalProperty(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var entries []Entry
		for i := range rapid.IntRange(0, 6).Draw(rt, "entries") {
			e := Entry{
				Seq: i + 1, At: time.Unix(0, rapid.Int64Range(0, 1<<62).Draw(rt, "at")).UTC(), Kind: rapid.SampledFrom([]string{EntryIntent, EntryEnded}).Draw(rt, "kind"),
				Change: rapid.IntRange(0, 1e9).Draw(rt, "change"), Step: rapid.IntRange(0, 3).Draw(rt, "step"),
				Key: model.Key{Kind: model.Tenant, ID: rapid.StringN(1, 9, -1).Draw(rt, "id")}, Op: model.TenantCreate,
			}
			if e.Kind == EntryEnded {
				e.Attempts, e.Outcome, e.Reason = rapid.IntRange(0, 5).Draw(rt, "attempts"), rapid.SampledFrom(outcomes()).Draw(rt, "outcome"), rapid.String().Draw(rt, "reason")
			}
			entries = append(entries, e)
		}
		text := journalText(rt, firstRun, entries...)
		got, torn, _, reason := parseJournal(firstRun, text)
		if diff := cmp.Diff(entries, got, cmpopts.EquateEmpty()); diff != "" || torn || reason != "" {
			rt.Fatalf("torn: %t, %s\n%s", torn, reason, diff)
		}
		if len(text) == 0 {
			return
		}
		at := rapid.IntRange(0, len(text)-1).Draw(rt, "at")
		got, torn, _, reason = parseJournal(firstRun, append(bytes.Clone(text[:at]), make([]byte, rapid.IntRange(0, 9).Draw(rt, "zeros"))...))
		if reason != "" || len(got) > len(entries) || cmp.Diff(entries[:len(got)], got, cmpopts.EquateEmpty()) != "" || len(got) < bytes.Count(text[:at], []byte("\n")) {
			rt.Fatalf("cut at %d of %d: %d of %d entries, torn: %t, %s", at, len(text), len(got), len(entries), torn, reason)
		}
		flipped := bytes.Clone(text)
		flipped[at] ^= byte(rapid.IntRange(1, 255).Draw(rt, "bits"))
		got, torn, _, reason = parseJournal(firstRun, flipped)
		last := at > bytes.LastIndexByte(text[:len(text)-1], '\n')
		if reason == "" && (!last || !torn || cmp.Diff(entries[:len(got)], got, cmpopts.EquateEmpty()) != "") {
			rt.Fatalf("byte %d changed: torn: %t, %d of %d entries\n%s", at, torn, len(got), len(entries), flipped)
		}
	})
}

func TestJournalDamage(t *testing.T) {
	entry := func(seq int) Entry {
		return Entry{Seq: seq, Kind: EntryIntent, Key: model.Key{Kind: model.Tenant, ID: "a"}, Op: model.TenantCreate}
	}
	line := func(seq int) string { return string(journalText(t, firstRun, entry(seq))) }
	whole := func(seq int) string { return strings.TrimSuffix(line(seq), "\n") }
	foreign := string(journalText(t, secondRun, entry(2)))
	for name, tc := range map[string]struct {
		text   string
		want   int // entries
		torn   bool
		reason string
	}{
		"empty":                       {"", 0, false, ""},
		"whole":                       {line(1) + line(2), 2, false, ""},
		"half a line":                 {line(1) + line(2)[:20], 1, true, ""},
		"only the end of it missing":  {line(1) + whole(2), 2, true, ""},
		"zeros":                       {line(1) + "\x00\x00\x00", 1, true, ""},
		"zeros for the end":           {line(1) + whole(2) + "\x00\x00", 2, true, ""},
		"half a line, ended":          {line(1) + line(2)[:20] + "\n", 1, true, ""},
		"half a line within":          {line(1) + line(2)[:20] + "\n" + line(3), 1, false, "line 2: unexpected end"},
		"an empty line within":        {line(1) + "\n" + line(2), 1, false, "line 2: unexpected end"},
		"a line is gone":              {line(1) + line(3), 1, false, "line 2: it has number 3 where 2 is due"},
		"a line twice":                {line(1) + line(1), 1, false, "line 2: it has number 1"},
		"lines exchanged":             {line(2) + line(1), 0, false, "line 1: it has number 2"},
		"the first gone":              {line(2), 0, false, "line 1: it has number 2"},
		"a line of another run":       {line(1) + foreign + line(3), 1, false, "line 2: its checksum does not match"},
		"a space more":                {line(1) + " " + line(2) + line(3), 1, false, "line 2: its checksum does not match"},
		"an end turned into a letter": {line(1) + whole(2) + "x" + line(3), 1, false, "line 2: invalid character"},
		"an end turned into a space":  {line(1) + whole(2) + " " + line(3), 1, false, "line 2: invalid character"},
		"something else":              {"<html>\n<body>\n", 0, false, "line 1: invalid character"},
	} {
		t.Run(name, func(t *testing.T) {
			got, torn, n, reason := parseJournal(firstRun, []byte(tc.text))
			if reason != "" {
				reason = fmt.Sprintf("line %d: %s", n, reason)
			}
			if len(got) != tc.want || torn != tc.torn || !strings.HasPrefix(reason, tc.reason) || (reason == "") != (tc.reason == "") {
				t.Errorf("%d entries, torn: %t, reason %q", len(got), torn, reason)
			}
		})
	}
}
