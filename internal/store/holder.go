package store

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// Holder is who holds a lock, for whoever else wants it. All but the id is what
// the holder says about itself.
type Holder struct {
	// ID is unique; [Scope.ForceUnlock] takes it.
	ID   string `json:"id"`
	User string `json:"user"`
	Host string `json:"host"`
	PID  int    `json:"pid"`
	// Since is when it began to want the lock.
	Since time.Time `json:"since"`
	// Operation is the command ("descope-mgmt sync"), Run the id of its run, if
	// it has one by then.
	Operation string `json:"operation"`
	Run       string `json:"run,omitempty"`
}

// String is the operation and, in brackets, who and where.
func (h Holder) String() string {
	operation := h.Operation
	if operation == "" {
		operation = "another process"
	}
	if who := h.Who(); who != "" {
		return operation + " (" + who + ")"
	}
	return operation
}

// Who is all but the operation: "process 4711 of ada on build-7, since
// 2026-11-24T14:30:15Z, lock id PJ2K5QX0". What is not known is left out.
func (h Holder) Who() string {
	var parts []string
	var who []string
	if h.PID != 0 {
		who = append(who, fmt.Sprintf("process %d", h.PID))
	}
	if h.User != "" {
		who = append(who, "of "+h.User)
	}
	if h.Host != "" {
		who = append(who, "on "+h.Host)
	}
	if len(who) > 0 {
		parts = append(parts, strings.Join(who, " "))
	}
	if !h.Since.IsZero() {
		parts = append(parts, "since "+h.Since.Format(time.RFC3339))
	}
	if h.Run != "" {
		parts = append(parts, "run "+h.Run)
	}
	if h.ID != "" {
		parts = append(parts, "lock id "+h.ID)
	}
	return strings.Join(parts, ", ")
}

// readHolder reads a lock file from its start. A file that says nothing, or
// nothing that can be read, is the zero Holder.
func readHolder(f io.ReaderAt) (Holder, error) {
	const most = 64 << 10
	text, err := io.ReadAll(io.NewSectionReader(f, 0, most))
	if err != nil {
		return Holder{}, err
	}
	var h Holder
	if err := json.Unmarshal(text, &h); err != nil {
		return Holder{}, nil //nolint:nilerr // a lock is the kernel's; what its file says is only for people
	}
	return h, nil
}

// writeHolder writes a lock file that nobody else can replace or write
// meanwhile. The file is closed, since NFS shows others only what was closed.
func writeHolder(path string, h Holder) error {
	text, err := marshal(h, "")
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return err
}
