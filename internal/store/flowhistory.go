package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/gofrs/flock"
)

// Why a version is in the history of a flow.
const (
	FlowDeployed = "deployed" // a run wrote it
	FlowReplaced = "replaced" // it was live, and a run wrote another over it
	FlowSeen     = "seen"     // it was found live
)

// FlowVersion says when the content of a flow was deployed, replaced or seen, and
// by whom.
type FlowVersion struct {
	// N counts the versions of the flow in the project from 1; it is never given to
	// another one.
	N           int       `json:"n"`
	At          time.Time `json:"at"`
	Note        string    `json:"note"` // FlowDeployed, FlowReplaced or FlowSeen
	Run         string    `json:"run"`
	Operation   string    `json:"operation"`
	Environment string    `json:"environment"`
	User        string    `json:"user"`
	GitCommit   string    `json:"git_commit"`
	// ComponentsVersion is that of the widgets that the flow was built for.
	ComponentsVersion string `json:"components_version"`
	// Digest is the SHA-256, in hexadecimal, of the content as it is kept. Equal
	// contents have equal ones, in all projects.
	Digest string `json:"digest"`
}

// FlowHistory returns the versions of a flow that are kept, newest first; none of
// a flow that nothing is known of. A damaged index is a [CorruptError].
func (s *Scope) FlowHistory(id string) ([]FlowVersion, error) {
	versions, err := s.readFlowIndex(id)
	slices.Reverse(versions)
	return versions, err
}

// AddFlowVersion adds a version to the history of a flow and returns it with N and
// Digest filled in. The content is a JSON object; it is kept with sorted keys,
// without spaces and with numbers in one spelling, once for all versions and
// projects that have it. Where the newest version has the same content and the
// same note, nothing is added and that one is returned.
//
// Once it returns without an error, the version survives a power failure; after an
// error it may be in the history or not. A content that was damaged on the disk is
// mended when it is added again. A damaged index is a [CorruptError], and nothing
// is added to it.
func (s *Scope) AddFlowVersion(id string, raw json.RawMessage, v FlowVersion) (FlowVersion, error) {
	content, err := canonicalFlow(raw)
	if err == nil {
		err = v.check(id)
	}
	if err != nil {
		return FlowVersion{}, fmt.Errorf("adding to the history of flow %q: %w", id, err)
	}
	v.Digest, v.At = flowDigest(content), v.At.UTC().Round(0)
	err = s.dir.lockFlows(func() error {
		if err := s.makeFlowDirs(); err != nil {
			return err
		}
		versions, err := s.readFlowIndex(id)
		if err != nil {
			return err
		}
		// Safe before the index names it.
		if err := s.dir.keepFlowContent(v.Digest, content); err != nil {
			return err
		}
		v.N = 1
		if n := len(versions); n > 0 {
			last := versions[n-1]
			if last.Digest == v.Digest && last.Note == v.Note {
				v = last
				return s.syncFlowIndex()
			}
			v.N = last.N + 1
		}
		return s.writeFlowIndex(id, append(versions, v))
	})
	if err != nil {
		return FlowVersion{}, err
	}
	return v, nil
}

// check says what keeps a version from being added.
func (v FlowVersion) check(id string) error {
	switch {
	case id == "" || !utf8.ValidString(id):
		return errors.New("that is no id")
	case v.At.IsZero():
		return errors.New("the version lacks its time")
	case v.Note != FlowDeployed && v.Note != FlowReplaced && v.Note != FlowSeen:
		return fmt.Errorf("%q is no note of a version", v.Note)
	}
	return nil
}

// LoadFlowVersion returns a version of a flow with its content, which is checked
// against the digest: one that is damaged or missing is a [CorruptError]. A version
// that is not kept is a [NotFoundError].
func (s *Scope) LoadFlowVersion(id string, n int) (FlowVersion, json.RawMessage, error) {
	for {
		versions, err := s.readFlowIndex(id)
		if err != nil {
			return FlowVersion{}, nil, err
		}
		i, known := slices.BinarySearchFunc(versions, n, func(v FlowVersion, n int) int { return v.N - n })
		if !known {
			missing := &NotFoundError{What: "version of flow " + strconv.Quote(id), Name: strconv.Itoa(n)}
			for _, v := range slices.Backward(versions) {
				missing.Known = append(missing.Known, strconv.Itoa(v.N))
			}
			return FlowVersion{}, nil, missing
		}
		content, err := s.dir.flowContent(versions[i].Digest)
		if err == nil {
			return versions[i], content, nil
		}
		// Readers take no lock: the version may have been pruned since.
		again, indexErr := s.readFlowIndex(id)
		if indexErr != nil || slices.ContainsFunc(again, func(v FlowVersion) bool { return v.N == n }) {
			return FlowVersion{}, nil, err
		}
	}
}

// flowsWait bounds how long an addition waits for those of other processes.
const flowsWait = time.Minute

// lockFlows runs f while nobody else changes the history, of whichever project:
// they share their contents. Readers need no lock, since each file is replaced as a
// whole.
func (d *Dir) lockFlows(f func() error) error {
	if _, err := d.sub(flowsDir); err != nil {
		return err
	}
	return d.locked(context.Background(), lockOf(d.flowsPath()), flowsWait, (*flock.Flock).TryLock, f)
}
