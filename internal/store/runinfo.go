package store

import (
	"encoding/hex"
	"fmt"
	"io"
	"regexp"
	"time"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// RunInfo says what a run is. All of it is known before its first call.
type RunInfo struct {
	ID          string    `json:"id"` // see [NewRunID]
	Started     time.Time `json:"started"`
	Operation   string    `json:"operation"` // "tenant sync", "rollback"
	User        string    `json:"user"`
	Host        string    `json:"host"`
	PID         int       `json:"pid"`
	Environment string    `json:"environment"`
	BaseURL     string    `json:"base_url"`
	Project     string    `json:"project"`
	GitCommit   string    `json:"git_commit,omitempty"`
	Tool        string    `json:"tool"`
	Schema      string    `json:"schema"`
	Flags       []string  `json:"flags"`
	Guards      []string  `json:"guards"`
	// Of is the run that this one resumes or rolls back, or "".
	Of string `json:"of,omitempty"`
	// Backup is the name of the backup that was made before.
	Backup     string `json:"backup,omitempty"`
	PlanDigest string `json:"plan_digest"`
	AuditHead  string `json:"audit_head,omitempty"`
}

// RunOutcome is what became of one change of a run.
type RunOutcome struct {
	Key       model.Key `json:"key"`
	Action    string    `json:"action"`
	Status    string    `json:"status"`
	Error     string    `json:"error,omitempty"`
	StepsDone int       `json:"steps_done"`
	Attempts  int       `json:"attempts"`
	TookMS    int64     `json:"took_ms"`
}

// RunResult is how a run ended.
type RunResult struct {
	Finished time.Time `json:"finished"`
	// Status is "done", "partly", "failed", "interrupted" or "killed".
	Status   string       `json:"status"`
	Outcomes []RunOutcome `json:"outcomes"` // in plan order
	// Verified: a fresh read was compared with the desired state; Differences
	// are what it still found.
	Verified    bool     `json:"verified"`
	Differences []string `json:"differences"`
	Error       string   `json:"error,omitempty"`
	TookMS      int64    `json:"took_ms"`
}

// runIDTime is how the id of a run begins: ids sort as their runs began.
const runIDTime = "20060102T150405Z"

var runIDForm = regexp.MustCompile(`^\d{8}T\d{6}Z-[0-9a-f]{6}$`)

// NewRunID makes an id such as "20261124T205703Z-1f3a9c" of the time, to the
// second, and of three random bytes. Ids sort as their runs began and are safe in
// paths and shells.
func NewRunID(now time.Time, random io.Reader) (string, error) {
	var b [3]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("making a run id: %w", err)
	}
	return now.UTC().Format(runIDTime) + "-" + hex.EncodeToString(b[:]), nil
}

// runBegan is the time in an id of a run.
func runBegan(id string) time.Time {
	if len(id) < len(runIDTime) {
		return time.Time{}
	}
	t, err := time.Parse(runIDTime, id[:len(runIDTime)])
	if err != nil {
		return time.Time{}
	}
	return t
}
