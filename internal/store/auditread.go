package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/gofrs/flock"
)

// AuditError is an audit log that is not as it was written.
type AuditError struct {
	Path string
	// Line is the first that is wrong, counted from 1, and Seq the record that
	// belongs there; 0 where it is not about a line.
	Line   int
	Seq    int64
	Reason string
}

func (e *AuditError) Error() string {
	where := ""
	if e.Line > 0 {
		where = fmt.Sprintf(" at line %d, record %d", e.Line, e.Seq)
	}
	return fmt.Sprintf("the audit log %s is broken%s: %s", e.Path, where, e.Reason)
}

// AuditState is what a log is that was found in order.
type AuditState struct {
	// Records is how many there are, and Hash that of the last, or "".
	Records int64  `json:"records"`
	Hash    string `json:"hash"`
	// Torn: a crash left the beginning of a record at the end. Behind: a crash
	// came between the last record and the head. The next record mends both.
	Torn   bool `json:"torn"`
	Behind bool `json:"behind"`
}

// Records returns the records, oldest first, after checking them; those before
// the first broken one even with an [AuditError].
func (a *Audit) Records() ([]AuditRecord, error) {
	records, _, err := a.readAlone()
	return records, err
}

// Verify checks every record, the chain and the head. The error is an
// [AuditError] that names the first record that is broken.
func (a *Audit) Verify() (AuditState, error) {
	_, state, err := a.readAlone()
	return state, err
}

// readAlone reads while nobody writes.
func (a *Audit) readAlone() (records []AuditRecord, state AuditState, err error) {
	err = a.dir.locked(context.Background(), a.lockPath(), auditWait, (*flock.Flock).TryRLock, func() error {
		head, headErr := a.readHead()
		records, state, err = a.read(head, headErr)
		return err
	})
	return records, state, err
}

// read checks the log against itself and a head, of which headErr says why it
// could not be read.
func (a *Audit) read(head auditHead, headErr error) ([]AuditRecord, AuditState, error) {
	text, err := os.ReadFile(a.path())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, AuditState{}, explain("reading", a.path(), err)
	}
	records, torn, broken := parseAudit(string(text))
	if broken == nil && headErr != nil {
		return records, AuditState{}, headErr
	}
	if broken == nil {
		broken = checkHead(records, head)
	}
	if broken != nil {
		broken.Path = a.path()
		return records, AuditState{}, broken
	}
	state := AuditState{Records: int64(len(records)), Torn: torn}
	if n := len(records); n > 0 {
		state.Hash = records[n-1].Hash
	}
	state.Behind = state.Records != head.Seq
	return records, state, nil
}

// parseAudit returns the records up to the first that is broken.
func parseAudit(text string) (records []AuditRecord, torn bool, broken *AuditError) {
	type parsed struct {
		AuditRecord
		reason string
	}
	var all []parsed
	for line := range strings.Lines(text) {
		if torn = !strings.HasSuffix(line, "\n"); torn {
			break
		}
		r, reason := parseAuditLine([]byte(line))
		all = append(all, parsed{r, reason})
	}
	last := AuditRecord{}
	for i, p := range all {
		r := p.AuditRecord
		if p.reason == "" && r.Seq == last.Seq+1 && r.Prev == last.Hash {
			last, records = r, append(records, r)
			continue
		}
		next := func(o parsed) bool { return o.reason == "" && o.Seq == last.Seq+1 && o.Prev == last.Hash }
		again := slices.ContainsFunc(records, func(o AuditRecord) bool { return o.Hash == r.Hash })
		var reason string
		switch {
		case p.reason != "":
			reason = p.reason
		case again:
			reason = fmt.Sprintf("record %d is there a second time", r.Seq)
		case slices.ContainsFunc(all[i:], next):
			reason = fmt.Sprintf("record %d stands in its place, and it comes later: they were reordered, or one was inserted", r.Seq)
		case r.Seq > last.Seq+1:
			reason = fmt.Sprintf("%s removed: record %d comes next", recordsAre(last.Seq+1, r.Seq-1), r.Seq)
		default:
			reason = fmt.Sprintf("record %d comes next, and it was not written after the one before it: one of them was edited, inserted or replaced", r.Seq)
		}
		return records, torn, &AuditError{Line: i + 1, Seq: last.Seq + 1, Reason: reason}
	}
	return records, torn, nil
}

// checkHead compares a chain with the head that is kept apart. The chain may be
// one record ahead, since the head is written after it.
func checkHead(records []AuditRecord, head auditHead) *AuditError {
	n := int64(len(records))
	hashOf := func(seq int64) string {
		if seq == 0 {
			return ""
		}
		return records[seq-1].Hash
	}
	broken := func(seq int64, format string, args ...any) *AuditError {
		return &AuditError{Line: int(seq), Seq: seq, Reason: fmt.Sprintf(format, args...)}
	}
	switch {
	case head.Seq < 0:
		return broken(0, "its head names record %d", head.Seq)
	case head.Seq > n:
		return broken(n+1, "%s cut off: the head, which is kept apart, names record %d", recordsAre(n+1, head.Seq), head.Seq)
	case hashOf(head.Seq) != head.Hash:
		return broken(head.Seq, "it is another record than the head, which is kept apart, knows: one of them was replaced")
	case head.Seq < n-1:
		return broken(head.Seq+2, "the head, which is kept apart, knows no record after %d: it was replaced or removed, or records were added without it", head.Seq)
	default:
		return nil
	}
}

// recordsAre is "record 3 was" or "records 3 to 5 were".
func recordsAre(from, to int64) string {
	if from == to {
		return fmt.Sprintf("record %d was", from)
	}
	return fmt.Sprintf("records %d to %d were", from, to)
}
