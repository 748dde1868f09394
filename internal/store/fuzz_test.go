package store

import (
	"bytes"
	"encoding/json"
	"testing"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// FuzzJournal: whatever stands in a journal, what is read is what somebody wrote, and
// all of it up to the place that is named.
func FuzzJournal(f *testing.F) {
	const run = "20261130-090000-abcdef"
	whole := journalText(f, run,
		Entry{Seq: 1, Kind: EntryIntent, Key: model.Key{Kind: model.Tenant, ID: "acme"}, Op: model.TenantUpdate},
		Entry{Seq: 2, Kind: EntryEnded, Key: model.Key{Kind: model.Tenant, ID: "acme"}, Op: model.TenantUpdate, Attempts: 1, Outcome: "done"},
	)
	if len(whole) == 0 {
		f.Fatal("an empty seed")
	}
	f.Add(whole)
	f.Add(whole[:len(whole)-9])
	f.Add(append(bytes.Clone(whole), 0, 0, 0))
	f.Add(bytes.Repeat(whole, 2))
	f.Fuzz(func(t *testing.T, text []byte) {
		entries, torn, line, reason := parseJournal(run, text)
		if torn && reason != "" || (line > 0) != (reason != "") || line > len(entries)+1 {
			t.Fatalf("torn %v, line %d, reason %q after %d entries", torn, line, reason, len(entries))
		}
		written := journalText(t, run, entries...)
		if !bytes.HasPrefix(append(bytes.Clone(text), '\n'), written) {
			t.Fatalf("%q was read as %q", text, written)
		}
		for i, e := range entries {
			if e.Seq != i+1 {
				t.Fatalf("entry %d has number %d", i+1, e.Seq)
			}
		}
	})
}

// FuzzAudit: whatever stands in the log, what is read is a chain, and is what the
// text begins with.
func FuzzAudit(f *testing.F) {
	var whole []byte
	prev := ""
	for seq := int64(1); seq <= 3; seq++ {
		r := AuditRecord{Seq: seq, Phase: PhaseIntent, Operation: "sync", Resources: []string{"tenant/acme"}, Prev: prev}
		line, err := r.line()
		if err != nil {
			f.Fatal(err)
		}
		prev, whole = r.Hash, append(whole, line...)
	}
	f.Add(whole)
	f.Add(whole[:len(whole)-30])
	f.Add(append(bytes.Clone(whole), whole...))
	f.Add(bytes.Replace(whole, []byte("acme"), []byte("evil"), 1))
	f.Fuzz(func(t *testing.T, text []byte) {
		records, _, broken := parseAudit(string(text))
		before := ""
		for i, r := range records {
			if r.Seq != int64(i+1) || r.Prev != before {
				t.Fatalf("record %d is number %d after %q", i+1, r.Seq, before)
			}
			before = r.Hash
		}
		if lines := bytes.Count(text, []byte("\n")); broken == nil && len(records) != lines {
			t.Fatalf("%d records of %d lines, and nothing is wrong", len(records), lines)
		}
	})
}

// FuzzSealed: no content, under a right checksum, makes a reader of backups or of what
// was last applied panic; without one nothing is read.
func FuzzSealed(f *testing.F) {
	for _, v := range []any{
		backup(1, "run"),
		Backup{},
		lastApplied{Project: "P2abc", BaseURL: "https://api.descope.com", Resources: []savedResource{{Key: model.Key{Kind: model.Tenant, ID: "acme"}, Attrs: map[string]any{"name": "A"}}}},
	} {
		seed, err := json.Marshal(v)
		if err != nil || len(seed) < 3 {
			f.Fatalf("seed %s: %v", seed, err)
		}
		f.Add(seed)
	}
	s := &Scope{baseURL: "https://api.descope.com", project: "P2abc"}
	f.Fuzz(func(t *testing.T, content []byte) {
		if _, reason := parseBackup(content); reason == "" {
			t.Fatalf("read without a checksum: %q", content)
		}
		if !json.Valid(content) {
			return
		}
		text, err := seal(json.RawMessage(content))
		if err != nil {
			t.Fatal(err)
		}
		if b, reason := parseBackup(text); reason == "" {
			again, err := seal(b)
			if err != nil {
				t.Fatal(err)
			}
			if _, reason := parseBackup(again); reason != "" {
				t.Fatalf("what was read cannot be read again: %s", reason)
			}
		}
		s.parseLastApplied(text)
	})
}
