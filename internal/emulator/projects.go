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
	if e.others {
		known, err := s.known(projectID)
		c.known = known
		if err != nil {
			return nil, nil, err
		}
	}
	if e.company {
		value, refused := e.run(c)
		return value, refused, nil
	}
	for {
		p, err := s.project(projectID)
		if err != nil {
			return nil, nil, err
		}
		value, refused, stale, err := s.on(p, c, e)
		if stale {
			continue
		}
		if err == nil && c.made != nil {
			err = s.keep(c.made)
		}
		return value, refused, err
	}
}

// on runs an endpoint on a project, unless another has taken its place.
func (s *Server) on(p *shared, c *call, e endpoint) (value map[string]any, refused *apiError, stale bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stale {
		return nil, nil, true, nil
	}
	if p.deleted {
		return nil, noProject(p.id, c.quirks), false, nil
	}
	c.project = p.project
	value, refused = e.run(c)
	if refused == nil && e.write && s.options.Storage != nil {
		if err := s.options.Storage.Save(p.id, encode(p.project)); err != nil {
			p.stale = true // the next request reads again what is stored
			return nil, nil, false, fmt.Errorf("saving project %s: %w", p.id, err)
		}
	}
	return value, refused, false, nil
}

// keep adds a project that a call has made.
func (s *Server) keep(p *project) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.made = append(s.made, p.id)
	return s.putLocked(p)
}

// existing are the ids of the projects that exist; none stands for all.
func (s *Server) existing() []string {
	if len(s.options.Projects) == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return append(slices.Clone(s.options.Projects), s.made...)
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

// lister is a storage that knows which projects it has.
type lister interface {
	Projects() ([]string, error)
}

// known lists the projects that exist, sorted by id.
func (s *Server) known(asking string) ([]*project, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ids := append(slices.Clone(s.options.Projects), asking)
	if l, ok := s.options.Storage.(lister); ok && !s.wiped && len(s.options.Projects) == 0 {
		stored, err := l.Projects()
		if err != nil {
			return nil, err
		}
		ids = append(ids, stored...)
	}
	for _, id := range ids {
		if id == "" {
			continue
		}
		if _, err := s.projectLocked(id); err != nil {
			return nil, err
		}
	}
	var known []*project
	for _, id := range slices.Sorted(maps.Keys(s.projects)) {
		p := s.projects[id]
		p.mu.Lock()
		if !p.deleted {
			known = append(known, p.project)
		}
		p.mu.Unlock()
	}
	return known, nil
}
