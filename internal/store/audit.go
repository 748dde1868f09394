package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// auditWait bounds how long a record waits for those of other processes.
const auditWait = time.Minute

// Audit is the log of everything that was done from the state directory, of all
// projects: records that each hold the hash of the one before, and the last hash
// once more in a file of its own, the head. So a record that was edited, removed,
// moved or repeated shows, and so does an end that was cut off. It does not
// protect against somebody who can rewrite both files and does so.
//
// It is safe for concurrent use, by several processes too.
type Audit struct {
	dir *Dir
}

// Audit is the log of the directory.
func (d *Dir) Audit() *Audit { return &Audit{dir: d} }

// auditHead is the content of the file that says which record is the last.
type auditHead struct {
	Seq  int64  `json:"seq"`
	Hash string `json:"hash"`
}

// Append adds a record and returns it with Seq, Prev and Hash filled in. Once it
// returns without an error, the record survives a power failure. After an error
// it may be in the log or not. A log whose end does not fit its head is an
// [AuditError], and nothing is added to it; what a crash left behind is mended.
// The other records are not looked at: see [Audit.Verify].
func (a *Audit) Append(ctx context.Context, r AuditRecord) (AuditRecord, error) {
	path := a.path()
	if lacks := r.check(); lacks != "" {
		return AuditRecord{}, fmt.Errorf("writing %s: the record lacks %s", path, lacks)
	}
	err := a.dir.locked(ctx, a.lockPath(), auditWait, (*flock.Flock).TryLock, func() error {
		last, size, err := a.end()
		if err != nil {
			return err
		}
		r.Seq, r.Prev = last.Seq+1, last.Hash
		line, err := r.line()
		if err != nil {
			return explain("writing", path, err)
		}
		if err := a.write(line, size); err != nil {
			return explain("writing", path, err)
		}
		return a.writeHead(auditHead{r.Seq, r.Hash})
	})
	if err != nil {
		return AuditRecord{}, err
	}
	return r, nil
}

// end returns the last record, or the zero head, and where it ends, after making
// sure that the head says so too.
func (a *Audit) end() (last auditHead, size int64, err error) {
	head, err := a.readHead()
	if err != nil {
		return auditHead{}, 0, err
	}
	line, size, err := lastLine(a.path())
	if err != nil {
		return auditHead{}, 0, err
	}
	r, reason := AuditRecord{}, ""
	if len(line) > 0 {
		r, reason = parseAuditLine(line)
	}
	last = auditHead{r.Seq, r.Hash}
	switch {
	case reason == "" && last == head:
		return last, size, nil
	case reason == "" && r.Seq == head.Seq+1 && r.Prev == head.Hash:
		// A crash came between the two. The head must not fall behind further, nor
		// name a record that is not safe yet.
		if err := a.write(nil, size); err != nil {
			return auditHead{}, 0, explain("writing", a.path(), err)
		}
		return last, size, a.writeHead(last)
	}
	if _, _, err := a.read(head, nil); err != nil { // says what is wrong, and where
		return auditHead{}, 0, err
	}
	return auditHead{}, 0, &AuditError{Path: a.path(), Seq: r.Seq, Reason: "its end does not fit its head"}
}

// lastLine returns the last whole line of a file, and where it ends: what comes
// after it is a line that a crash cut short.
func lastLine(path string) (line []byte, end int64, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, explain("reading", path, err)
	}
	defer f.Close() //nolint:errcheck // nothing was written
	info, err := f.Stat()
	if err != nil {
		return nil, 0, explain("reading", path, err)
	}
	size := info.Size()
	for length := int64(64 << 10); ; length *= 2 {
		length = min(length, size)
		text, err := io.ReadAll(io.NewSectionReader(f, size-length, length))
		if err != nil {
			return nil, 0, explain("reading", path, err)
		}
		whole := text[:bytes.LastIndexByte(text, '\n')+1]
		start := bytes.LastIndexByte(bytes.TrimSuffix(whole, []byte("\n")), '\n') + 1
		if start > 0 || length == size {
			return whole[start:], size - length + int64(len(whole)), nil
		}
	}
}

// write adds a line where the last record ends, and makes all of the log durable.
func (a *Audit) write(line []byte, end int64) error {
	f, err := a.dir.disk.Append(a.path(), a.dir.fileMode())
	if err != nil {
		return err
	}
	// The log may be new; and the head that names the last record must be safe
	// before there is another one.
	err = a.dir.disk.SyncDir(a.dir.path)
	if err == nil {
		err = f.Truncate(end) // of what a crash cut short
	}
	if err == nil {
		_, err = f.Write(line)
	}
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		_ = f.Truncate(end) // or the next record will do it
		return errors.Join(err, f.Close())
	}
	return f.Close()
}

func (a *Audit) readHead() (auditHead, error) {
	path := a.headPath()
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return auditHead{}, nil
	}
	if err != nil {
		return auditHead{}, explain("reading", path, err)
	}
	var head auditHead
	content, reason := unseal(text)
	if reason == "" {
		if err := json.Unmarshal(content, &head); err != nil {
			reason = err.Error()
		}
	}
	if reason != "" {
		return auditHead{}, &AuditError{Path: a.path(), Reason: fmt.Sprintf("its head %s is damaged: %s", path, reason)}
	}
	return head, nil
}

func (a *Audit) writeHead(head auditHead) error {
	text, err := seal(head)
	if err != nil {
		return explain("writing", a.headPath(), err)
	}
	return replace(a.dir.disk, a.headPath(), text, a.dir.fileMode(), true)
}

func (a *Audit) path() string     { return filepath.Join(a.dir.path, "audit.jsonl") }
func (a *Audit) headPath() string { return filepath.Join(a.dir.path, "audit.head") }
func (a *Audit) lockPath() string { return filepath.Join(a.dir.path, "audit.lock") }
