package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// Meta says which run wrote something.
type Meta struct {
	Run         string    `json:"run"`
	Environment string    `json:"environment"`
	At          time.Time `json:"at"`
}

// lastApplied is the content of the file: what was verified after the last
// apply of each object, with the policy that held then.
type lastApplied struct {
	BaseURL string `json:"base_url"`
	Project string `json:"project"`
	Meta
	Resources []savedResource `json:"resources"`
}

type savedResource struct {
	Key    model.Key      `json:"key"`
	Attrs  map[string]any `json:"attrs"`
	Policy model.Policy   `json:"policy"`
}

// LoadLastApplied returns what was last applied: attributes and policy of every
// object, without positions or observed fields. Nothing applied yet is the empty
// state. A damaged file is a [CorruptError], since taking it for empty would
// make every object look as if it were not ours.
func (s *Scope) LoadLastApplied() (model.State, error) { return s.loadState(s.lastAppliedPath()) }

func (s *Scope) loadState(path string) (model.State, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return model.State{}, nil
	}
	if err != nil {
		return model.State{}, explain("reading", path, err)
	}
	state, reason := s.parseLastApplied(text)
	if reason != "" {
		return model.State{}, &CorruptError{
			Path: path, Reason: reason,
			Advice: "restore it from a copy, or move it away: then every object counts as never applied, and adopting it is asked for",
		}
	}
	return state, nil
}

func (s *Scope) parseLastApplied(text []byte) (state model.State, reason string) {
	content, reason := unseal(text)
	if reason != "" {
		return model.State{}, reason
	}
	var saved lastApplied
	d := json.NewDecoder(bytes.NewReader(content))
	d.UseNumber()
	if err := d.Decode(&saved); err != nil {
		return model.State{}, err.Error()
	}
	if saved.BaseURL != s.baseURL || saved.Project != s.project {
		return model.State{}, fmt.Sprintf("it belongs to project %q at %s", saved.Project, saved.BaseURL)
	}
	return parseResources(saved.Resources)
}

func parseResources(saved []savedResource) (state model.State, reason string) {
	resources := make([]model.Resource, len(saved))
	for i, r := range saved {
		attrs, err := normalized(r.Attrs)
		if err != nil {
			return model.State{}, fmt.Sprintf("%s: %v", r.Key, err)
		}
		resources[i] = model.Resource{Key: r.Key, Attrs: attrs, Policy: r.Policy}
	}
	state, err := model.NewState(resources)
	if err != nil {
		return model.State{}, err.Error()
	}
	return state, ""
}

// normalized is [model.Normalize] for a map that may be nil.
func normalized(m map[string]any) (map[string]any, error) {
	if m == nil {
		return nil, nil
	}
	v, err := model.Normalize(m)
	if err != nil {
		return nil, err
	}
	return v.(map[string]any), nil
}

// SaveLastApplied replaces what was last applied. The caller holds the scope's
// lock (see [Scope.Lock]) from before it loaded the state that this one is made
// from, so that no other run's objects are lost.
func (s *Scope) SaveLastApplied(state model.State, meta Meta) error {
	return s.saveState(s.lastAppliedPath(), state, meta)
}

func (s *Scope) saveState(path string, state model.State, meta Meta) error {
	if _, err := s.dir.sub(lastAppliedDir); err != nil {
		return err
	}
	text, err := seal(lastApplied{BaseURL: s.baseURL, Project: s.project, Meta: meta, Resources: saveResources(state)})
	if err != nil {
		return explain("writing", path, err)
	}
	return replace(s.dir.disk, path, text, s.dir.fileMode(), true)
}

func saveResources(s model.State) []savedResource {
	out := make([]savedResource, 0, s.Len())
	for _, r := range s.Resources() {
		out = append(out, savedResource{r.Key, r.Attrs, r.Policy})
	}
	return out
}

const lastAppliedDir = "last-applied"

func (s *Scope) lastAppliedPath() string {
	return filepath.Join(s.dir.path, lastAppliedDir, s.name+".json")
}
