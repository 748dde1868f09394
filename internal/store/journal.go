package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// The kinds of entries of a journal.
const (
	// EntryIntent: a call is about to be sent; from here on it may have been.
	EntryIntent = "intent"
	// EntryEnded: what became of it.
	EntryEnded = "ended"
)

// Entry is one line of a run's journal.
type Entry struct {
	Seq  int       `json:"seq"` // from 1, without gaps
	At   time.Time `json:"at"`
	Kind string    `json:"kind"` // EntryIntent or EntryEnded
	// Change is the index of the change in the run's plan, Step that of the call
	// in the change; Key and Op repeat what stands there.
	Change int       `json:"change"`
	Step   int       `json:"step"`
	Key    model.Key `json:"key"`
	Op     model.Op  `json:"op"`
	// Attempts, Outcome and Reason are those of an ended call: how often it was
	// sent, "done", "failed", "unknown" (sent, no answer) or "not sent", and the
	// error's text.
	Attempts int    `json:"attempts,omitempty"`
	Outcome  string `json:"outcome,omitempty"`
	Reason   string `json:"reason,omitempty"`
}

func outcomes() []string { return []string{"done", "failed", "unknown", "not sent"} }

// journalLine is an entry as it is written: the checksum, its last field, covers
// the run's id and the entry, so that no line passes in another run's journal.
type journalLine struct {
	Entry
	SHA256 string `json:"sha256"`
}

func encodeLine(run string, e Entry) ([]byte, error) {
	text, err := marshal(e, "")
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(append([]byte(run+" "), text...))
	return marshal(journalLine{e, hex.EncodeToString(sum[:])}, "")
}

// decodeLine reads a line without its end. reason says why it is not exactly what
// encodeLine wrote, or "".
func decodeLine(run string, text []byte) (e Entry, reason string) {
	var line journalLine
	if err := json.Unmarshal(text, &line); err != nil {
		return e, err.Error()
	}
	again, err := encodeLine(run, line.Entry)
	if err != nil || !bytes.Equal(again, append(bytes.Clone(text), '\n')) {
		return e, "its checksum does not match"
	}
	return line.Entry, ""
}

// parseJournal reads a journal. A last line that was not written whole is
// dropped, and torn says so: a crash leaves one, and nobody was told that it was
// written. If anything else is wrong, reason says what, and line where.
func parseJournal(run string, text []byte) (entries []Entry, torn bool, line int, reason string) {
	for n := 1; len(text) > 0; n++ {
		one, rest, ended := bytes.Cut(text, []byte("\n"))
		if len(rest) == 0 && !ended {
			one = bytes.TrimRight(one, "\x00") // a crash may leave zeros where the rest was to be
		}
		e, reason := decodeLine(run, one)
		switch {
		case reason != "" && (len(rest) > 0 || twoLines(run, one)):
			return entries, false, n, reason
		case reason != "":
			return entries, true, 0, ""
		case e.Seq != n:
			return entries, false, n, fmt.Sprintf("it has number %d where %d is due", e.Seq, n)
		}
		entries, torn, text = append(entries, e), !ended, rest
	}
	return entries, torn, 0, ""
}

// twoLines reports whether a text begins with a whole line and goes on: then the
// end of that line was damaged, which no crash does.
func twoLines(run string, text []byte) bool {
	d := json.NewDecoder(bytes.NewReader(text))
	var first json.RawMessage
	if d.Decode(&first) != nil {
		return false
	}
	_, reason := decodeLine(run, text[:d.InputOffset()])
	return reason == ""
}

// journal appends to the file of a run. What is written is durable once append
// returns; calls at the same time share one wait for the disk. After an error
// nothing more is written, since what is on the disk is then unknown: the end of
// the file may be half a line.
type journal struct {
	file File
	run  string

	mu     sync.Mutex // guards what follows, and orders the lines
	seq    int        // of the last line written
	failed error

	syncing sync.Mutex // held while waiting for the disk; taken before mu
	synced  int        // number of the last line that is durable
}

func (j *journal) append(e Entry) error {
	e.Reason = strings.ToValidUTF8(e.Reason, "\uFFFD")
	seq, err := j.write(e)
	if err != nil {
		return err
	}
	j.syncing.Lock()
	defer j.syncing.Unlock()
	if j.synced >= seq {
		return nil
	}
	j.mu.Lock()
	upTo, err := j.seq, j.failed
	j.mu.Unlock()
	if err != nil {
		return err
	}
	if err := j.file.Sync(); err != nil {
		return j.fail(err)
	}
	j.synced = upTo
	return nil
}

func (j *journal) write(e Entry) (seq int, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.failed != nil {
		return 0, j.failed
	}
	e.Seq = j.seq + 1
	line, err := encodeLine(j.run, e)
	if err != nil {
		return 0, err
	}
	if _, err := j.file.Write(line); err != nil {
		j.failed = explain("writing", j.file.Name(), err)
		return 0, j.failed
	}
	j.seq = e.Seq
	return e.Seq, nil
}

func (j *journal) fail(err error) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.failed == nil {
		j.failed = explain("writing", j.file.Name(), err)
	}
	return j.failed
}

// acknowledged is how many entries are known to be durable.
func (j *journal) acknowledged() int {
	j.syncing.Lock()
	defer j.syncing.Unlock()
	return j.synced
}

// check says what does not fit a plan's calls in an entry, or "".
func (e Entry) check(step *model.Step) string {
	switch {
	case step == nil:
		return fmt.Sprintf("the plan has no step %d of change %d", e.Step, e.Change)
	case step.Op != e.Op || step.Key != e.Key:
		return fmt.Sprintf("it is about %s of %s, the plan about %s of %s", e.Op, e.Key, step.Op, step.Key)
	case e.Kind == EntryEnded && !slices.Contains(outcomes(), e.Outcome):
		return fmt.Sprintf("%q is no outcome", e.Outcome)
	case e.Kind != EntryIntent && e.Kind != EntryEnded:
		return fmt.Sprintf("%q is no kind of entry", e.Kind)
	}
	return ""
}
