package emulator

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// shared is a project as the server hands it out. stale is guarded by the
// project's mu and means that another one has taken its place.
type shared struct {
	*project
	stale bool
}

// call runs an endpoint on its project and saves what it wrote. The value may
// be shared with the project and must not be changed; what it is made of is
// replaced, not changed, by later calls.
func (s *Server) call(c *call, e endpoint, projectID string) (map[string]any, *apiError, error) {
	if e.company {
		known, err := s.known(projectID)
		c.known = known
		if err != nil {
			return nil, nil, err
		}
		value, refused := e.run(c)
		return value, refused, nil
	}
	for {
		p, err := s.project(projectID)
		if err != nil {
			return nil, nil, err
		}
		p.mu.Lock()
		if p.stale {
			p.mu.Unlock()
			continue
		}
		defer p.mu.Unlock()
		c.project = p.project
		value, refused := e.run(c)
		if refused == nil && e.write && s.options.Storage != nil {
			if err := s.options.Storage.Save(projectID, encode(p.project)); err != nil {
				p.stale = true // the next request reads again what is stored
				return nil, nil, fmt.Errorf("saving project %s: %w", projectID, err)
			}
		}
		return value, refused, nil
	}
}

// project hands out a project, from the storage at first.
func (s *Server) project(id string) (*shared, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.projectLocked(id)
}

func (s *Server) projectLocked(id string) (*shared, error) {
	if p := s.projects[id]; p != nil {
		p.mu.Lock()
		stale := p.stale
		p.mu.Unlock()
		if !stale {
			return p, nil
		}
	}
	loaded := newProject(id)
	if s.options.Storage != nil && !s.wiped {
		data, err := s.options.Storage.Load(id)
		if err != nil {
			return nil, fmt.Errorf("loading project %s: %w", id, err)
		}
		if data != nil {
			projects, err := decodeDocument(data)
			if err == nil && projects[id] == nil {
				err = errors.New("it is not in the file")
			}
			if err != nil {
				return nil, fmt.Errorf("loading project %s: %w", id, err)
			}
			loaded = projects[id]
		}
	}
	s.projects[id] = &shared{project: loaded}
	return s.projects[id], nil
}

// known lists the projects that exist, sorted by id.
func (s *Server) known(asking string) ([]*project, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range append(slices.Clone(s.options.Projects), asking) {
		if id == "" {
			continue
		}
		if _, err := s.projectLocked(id); err != nil {
			return nil, err
		}
	}
	var known []*project
	for _, id := range slices.Sorted(maps.Keys(s.projects)) {
		known = append(known, s.projects[id].project)
	}
	return known, nil
}
