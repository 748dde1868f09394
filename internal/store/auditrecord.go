package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Phases of what is recorded: each run has one record before its first write and
// one after its last.
const (
	PhaseIntent  = "intent"
	PhaseOutcome = "outcome"
)

// AuditRecord is one line of the audit log.
type AuditRecord struct {
	// Seq counts from 1 without a gap.
	Seq         int64     `json:"seq"`
	Time        time.Time `json:"time"` // with its zone
	Phase       string    `json:"phase"`
	Run         string    `json:"run"`
	User        string    `json:"user"`
	Host        string    `json:"host"`
	PID         int       `json:"pid"`
	Operation   string    `json:"operation"`
	Environment string    `json:"environment"`
	Project     string    `json:"project"`
	BaseURL     string    `json:"base_url"`
	GitCommit   string    `json:"git_commit"`
	// Resources are the addresses of what is changed; the numbers say how.
	Resources  []string `json:"resources"`
	Create     int      `json:"create"`
	Update     int      `json:"update"`
	Delete     int      `json:"delete"`
	PlanDigest string   `json:"plan_digest"`
	// Guards were met and passed, by Flags that the user gave.
	Guards     []string `json:"guards"`
	Flags      []string `json:"flags"`
	DurationMS int64    `json:"duration_ms"`
	Status     string   `json:"status"`
	// Notes are what there is to say besides, a line each: the drift that was found,
	// and what was decided about it.
	Notes []string `json:"notes,omitempty"`
	Error string   `json:"error"`
	// Prev is the Hash of the record before, "" in the first. Hash is that of the
	// line up to itself, in hexadecimal.
	Prev string `json:"prev"`
	Hash string `json:"hash"`
}

// A line is the JSON of a record with its hash last. The hash covers the bytes
// before it, and what follows it is fixed, so that a line has no byte that can
// change, and a later version may add fields.
const (
	auditHashKey = `,"hash":"`
	auditLineEnd = `"}` + "\n"
)

// line writes a record and fills in its hash.
func (r *AuditRecord) line() ([]byte, error) {
	r.Hash = ""
	text, err := marshal(r, "")
	if err != nil {
		return nil, err
	}
	body, found := bytes.CutSuffix(text, []byte(auditHashKey+auditLineEnd))
	if !found {
		return nil, fmt.Errorf("an audit record does not end with its hash: %s", text)
	}
	r.Hash = auditHash(body)
	return append(body, auditHashKey+r.Hash+auditLineEnd...), nil
}

// parseAuditLine reads what line wrote. reason says why it is not that, or "".
func parseAuditLine(line []byte) (r AuditRecord, reason string) {
	i := bytes.LastIndex(line, []byte(auditHashKey))
	if i < 0 {
		return AuditRecord{}, "it is not a record"
	}
	hash := auditHash(line[:i])
	if string(line[i:]) != auditHashKey+hash+auditLineEnd {
		return AuditRecord{}, "it was edited: its hash does not match"
	}
	if err := json.Unmarshal(line, &r); err != nil {
		return AuditRecord{}, "it is not a record: " + err.Error()
	}
	return r, ""
}

func auditHash(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// check says what a record lacks to be written, or "".
func (r *AuditRecord) check() string {
	var missing []string
	if r.Time.IsZero() {
		missing = append(missing, "its time")
	}
	if r.Phase != PhaseIntent && r.Phase != PhaseOutcome {
		missing = append(missing, "its phase")
	}
	if r.Operation == "" {
		missing = append(missing, "its operation")
	}
	return strings.Join(missing, " and ")
}
