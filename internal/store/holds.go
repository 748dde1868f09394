package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"pcconnect.ai/descope-mgmt/internal/plan"
)

// heldValues is the content of the file.
type heldValues struct {
	BaseURL string      `json:"base_url"`
	Project string      `json:"project"`
	Held    []plan.Held `json:"held"`
}

// LoadHolds returns what rollbacks of the project took back and nobody has let
// go of yet, as it was saved. A damaged file is a [CorruptError], since taking it
// for empty would apply again what was taken back.
func (s *Scope) LoadHolds() ([]plan.Held, error) {
	path := s.holdsPath()
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, explain("reading", path, err)
	}
	held, reason := s.parseHolds(text)
	if reason != "" {
		return nil, &CorruptError{
			Path: path, Reason: reason,
			Advice: "restore it from a copy, or move it away: then what rollbacks took back can be applied again",
		}
	}
	return held, nil
}

func (s *Scope) parseHolds(text []byte) (held []plan.Held, reason string) {
	content, reason := unseal(text)
	if reason != "" {
		return nil, reason
	}
	var saved heldValues
	if err := json.Unmarshal(content, &saved); err != nil {
		return nil, err.Error()
	}
	if saved.BaseURL != s.baseURL || saved.Project != s.project {
		return nil, fmt.Sprintf("it belongs to project %q at %s", saved.Project, saved.BaseURL)
	}
	return saved.Held, ""
}

// SaveHolds replaces what is held. The caller holds the scope's lock from before
// it loaded what it adds to or takes from.
func (s *Scope) SaveHolds(held []plan.Held) error {
	if _, err := s.dir.sub(holdsDir); err != nil {
		return err
	}
	path := s.holdsPath()
	text, err := seal(heldValues{BaseURL: s.baseURL, Project: s.project, Held: held})
	if err != nil {
		return explain("writing", path, err)
	}
	return replace(s.dir.disk, path, text, s.dir.fileMode(), true)
}

const holdsDir = "holds"

func (s *Scope) holdsPath() string {
	return filepath.Join(s.dir.path, holdsDir, s.name+".json")
}
