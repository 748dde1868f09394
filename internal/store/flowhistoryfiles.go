package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// Below flowsDir are the contents, named by their digests, the cache, and a
// directory for each scope with an index for each flow.
const (
	flowsDir       = "flows"
	flowObjectsDir = "objects"
	flowExt        = ".json"
)

// flowIndex is the content of an index.
type flowIndex struct {
	BaseURL string `json:"base_url"`
	Project string `json:"project"`
	Flow    string `json:"flow"`
	// Versions are in the order of their numbers.
	Versions []FlowVersion `json:"versions"`
}

// parseFlowIndex reads an index of any scope. reason says why it is not what was
// written, or "".
func parseFlowIndex(text []byte) (index flowIndex, reason string) {
	content, reason := unseal(text)
	if reason != "" {
		return flowIndex{}, reason
	}
	if err := json.Unmarshal(content, &index); err != nil {
		return flowIndex{}, err.Error()
	}
	last := 0
	for _, v := range index.Versions {
		if v.N <= last {
			return flowIndex{}, fmt.Sprintf("version %d comes after version %d", v.N, last)
		}
		if sum, err := hex.DecodeString(v.Digest); err != nil || len(sum) != sha256.Size || strings.ToLower(v.Digest) != v.Digest {
			return flowIndex{}, fmt.Sprintf("version %d has the digest %q", v.N, v.Digest)
		}
		last = v.N
	}
	return index, ""
}

// loadFlowIndex reads the index of a path, of any scope.
func loadFlowIndex(path string) (flowIndex, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return flowIndex{}, explain("reading", path, err)
	}
	index, reason := parseFlowIndex(text)
	return index, corruptFlowIndex(path, reason)
}

func corruptFlowIndex(path, reason string) error {
	if reason == "" {
		return nil
	}
	return &CorruptError{
		Path: path, Reason: reason,
		Advice: "restore it from a copy, or move it out of the directory: then the history of the flow begins anew",
	}
}

// readFlowIndex returns the versions of a flow of this scope, oldest first.
func (s *Scope) readFlowIndex(id string) ([]FlowVersion, error) {
	path := s.flowIndexPath(id)
	index, err := loadFlowIndex(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil && !s.isFlowIndex(index, id) {
		err = corruptFlowIndex(path, fmt.Sprintf("it is of flow %q of project %q at %s", index.Flow, index.Project, index.BaseURL))
	}
	if err != nil {
		return nil, err
	}
	return index.Versions, nil
}

// isFlowIndex reports whether an index is that of a flow of this scope.
func (s *Scope) isFlowIndex(index flowIndex, id string) bool {
	return index.BaseURL == s.baseURL && index.Project == s.project && index.Flow == id
}

// writeFlowIndex replaces the versions of a flow, durably. The caller holds the
// lock.
func (s *Scope) writeFlowIndex(id string, versions []FlowVersion) error {
	path := s.flowIndexPath(id)
	text, err := seal(flowIndex{BaseURL: s.baseURL, Project: s.project, Flow: id, Versions: versions})
	if err != nil {
		return explain("writing", path, err)
	}
	return replace(s.dir.disk, path, text, s.dir.fileMode(), true)
}

// makeFlowDirs makes the directories of the history. One that is there may have
// been made by a process that was killed before it was safe.
func (s *Scope) makeFlowDirs() error {
	d := s.dir
	if _, err := d.sub(flowsDir, flowObjectsDir); err != nil {
		return err
	}
	if _, err := d.sub(flowsDir, s.name); err != nil {
		return err
	}
	return errors.Join(d.syncFlowDir(d.path), d.syncFlowDir(d.flowsPath()))
}

// syncFlowIndex makes what stands in the indexes of the scope safe: whoever wrote
// it may have failed or died before it was.
func (s *Scope) syncFlowIndex() error { return s.dir.syncFlowDir(s.flowIndexDir()) }

func (d *Dir) syncFlowDir(dir string) error { return explain("writing", dir, d.disk.SyncDir(dir)) }

// canonicalFlow is the content of a flow as it is kept.
func canonicalFlow(raw json.RawMessage) ([]byte, error) {
	v, err := model.DecodeJSON(raw)
	if err != nil {
		return nil, err
	}
	if _, ok := v.(map[string]any); !ok {
		return nil, errors.New("its content is not a JSON object")
	}
	return model.CanonicalJSON(v), nil
}

func flowDigest(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// flowContent returns the content of a digest.
func (d *Dir) flowContent(digest string) ([]byte, error) {
	path := d.flowContentPath(digest)
	content, err := os.ReadFile(path)
	reason := ""
	switch {
	case errors.Is(err, fs.ErrNotExist):
		reason = "it is missing"
	case err != nil:
		return nil, explain("reading", path, err)
	case flowDigest(content) != digest:
		reason = "its content is not that of its name"
	}
	if reason != "" {
		return nil, &CorruptError{
			Path: path, Reason: reason,
			Advice: "use another version of the flow, restore it from a copy, or deploy that content again: then it is written anew",
		}
	}
	return content, nil
}

// keepFlowContent makes sure that a content is on the disk, safe and whole. The
// caller holds the lock.
func (d *Dir) keepFlowContent(digest string, content []byte) error {
	path := d.flowContentPath(digest)
	if there, err := os.ReadFile(path); err == nil && bytes.Equal(there, content) {
		// It was synced before it got its name; that it has the name may not be safe.
		return d.syncFlowDir(filepath.Dir(path))
	}
	return replace(d.disk, path, content, d.fileMode(), true)
}

func (d *Dir) flowsPath() string { return filepath.Join(d.path, flowsDir) }

func (d *Dir) flowContentPath(digest string) string {
	return filepath.Join(d.flowsPath(), flowObjectsDir, digest+flowExt)
}

func (s *Scope) flowIndexDir() string { return filepath.Join(s.dir.flowsPath(), s.name) }

func (s *Scope) flowIndexPath(id string) string {
	return filepath.Join(s.flowIndexDir(), fileName(id)+flowExt)
}
