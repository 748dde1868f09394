package emulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
)

const controlPrefix = "/_emulator/"

// control answers the paths under /_emulator/. Neither budgets nor faults nor
// latency apply to them, and they are not logged.
func (s *Server) control(w http.ResponseWriter, r *http.Request) {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<30))
	var value any = struct{}{}
	if err == nil {
		switch r.Method + " " + r.URL.Path {
		case "GET /_emulator/requests":
			value = s.Requests()
		case "GET /_emulator/faults":
			value = s.Faults()
		case "POST /_emulator/faults":
			err = s.controlFaults(data)
		case "POST /_emulator/reset":
			err = s.controlReset(data)
		case "GET /_emulator/seed":
			value = json.RawMessage(s.Export())
		case "POST /_emulator/seed":
			err = s.Seed(data)
		case "GET /_emulator/quirks":
			value = s.Quirks()
		case "POST /_emulator/quirks":
			err = s.controlQuirks(data)
		default:
			answer := errorReply(&apiError{
				status: http.StatusNotFound, code: ownCode(http.StatusNotFound),
				message: fmt.Sprintf("no control endpoint %s %s; see docs/emulator.md", r.Method, r.URL.Path),
			})
			answer.write(w, r)
			return
		}
	}
	if err != nil {
		answer := errorReply(badRequest("%s", err))
		answer.write(w, r)
		return
	}
	body, err := json.Marshal(value)
	if err != nil {
		body = []byte("{}")
	}
	reply{status: http.StatusOK, body: body}.write(w, r)
}

// SetFaults replaces all faults; none clears them. The error names the fault
// that is wrong, and then nothing has changed.
func (s *Server) SetFaults(faults ...Fault) error {
	next := make([]*armed, 0, len(faults))
	for _, f := range faults {
		if err := f.check(); err != nil {
			return err
		}
		next = append(next, &armed{Fault: f})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = next
	return nil
}

// AddFault adds one fault behind those there are.
func (s *Server) AddFault(f Fault) error {
	if err := f.check(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(slices.Clip(s.faults), &armed{Fault: f})
	return nil
}

// FaultState is a fault and how often it has been met and has fired.
type FaultState struct {
	Fault Fault `json:"fault"`
	Seen  int   `json:"seen"`
	Fired int   `json:"fired"`
}

// Faults lists the faults in the order in which they are tried.
func (s *Server) Faults() []FaultState {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]FaultState, 0, len(s.faults))
	for _, a := range s.faults {
		out = append(out, FaultState{Fault: a.Fault, Seen: a.seen, Fired: a.fired})
	}
	return out
}

// controlFaults: a list replaces all faults, an object adds one.
func (s *Server) controlFaults(data []byte) error {
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("[")) {
		var list []Fault
		if err := strictJSON(data, &list); err != nil {
			return err
		}
		return s.SetFaults(list...)
	}
	var one Fault
	if err := strictJSON(data, &one); err != nil {
		return err
	}
	return s.AddFault(one)
}

// Scopes of a reset.
const (
	ResetData     = "data"
	ResetFaults   = "faults"
	ResetRequests = "requests"
	ResetRate     = "rate"
)

// Reset forgets what the scopes name, or everything if none is given: the data
// of all projects, stored data too, the faults, the request log, and what has
// been counted against the budgets. Data of a project that has not been used
// since the start stays in the storage, but is not read again.
func (s *Server) Reset(scopes ...string) error {
	all := []string{ResetData, ResetFaults, ResetRequests, ResetRate}
	for _, scope := range scopes {
		if !slices.Contains(all, scope) {
			return fmt.Errorf("reset of %q: the scopes are %v", scope, all)
		}
	}
	if len(scopes) == 0 {
		scopes = all
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if slices.Contains(scopes, ResetFaults) {
		s.faults = nil
	}
	if slices.Contains(scopes, ResetRequests) {
		s.log = nil
	}
	if slices.Contains(scopes, ResetRate) {
		s.limiter.windows = map[string]*window{}
	}
	if !slices.Contains(scopes, ResetData) {
		return nil
	}
	s.wiped = true
	var errs []error
	for id := range s.projects {
		errs = append(errs, s.putLocked(newProject(id)))
	}
	return errors.Join(errs...)
}

// controlReset takes {"data": true, …}; an empty body resets everything.
func (s *Server) controlReset(data []byte) error {
	wanted := map[string]bool{}
	if len(bytes.TrimSpace(data)) > 0 {
		if err := strictJSON(data, &wanted); err != nil {
			return err
		}
	}
	var scopes []string
	for scope, on := range wanted {
		if on {
			scopes = append(scopes, scope)
		}
	}
	if len(wanted) > 0 && len(scopes) == 0 {
		return nil
	}
	return s.Reset(scopes...)
}

// Seed replaces the projects that a seed file names, see docs/emulator.md for
// its format. On an error in the file nothing has changed.
func (s *Server) Seed(data []byte) error {
	projects, err := decodeDocument(data)
	if err != nil {
		return fmt.Errorf("seed: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, p := range projects {
		errs = append(errs, s.putLocked(p))
	}
	return errors.Join(errs...)
}

// putLocked puts a project in the place of the one of that id.
func (s *Server) putLocked(p *project) error {
	if old := s.projects[p.id]; old != nil {
		old.mu.Lock()
		defer old.mu.Unlock()
		old.stale = true
	}
	s.projects[p.id] = &shared{project: p}
	if s.options.Storage == nil {
		return nil
	}
	if err := s.options.Storage.Save(p.id, encode(p)); err != nil {
		return fmt.Errorf("saving project %s: %w", p.id, err)
	}
	return nil
}

// Export is all projects that have been used, in the format of a seed.
func (s *Server) Export() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	var projects []*project
	for _, p := range s.projects {
		p.mu.Lock()
		defer p.mu.Unlock()
		projects = append(projects, p.project)
	}
	return encode(projects...)
}

// Quirks are those in force, defaults filled in.
func (s *Server) Quirks() Quirks {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.quirks
}

// SetQuirks replaces all quirks; a zero field is its default.
func (s *Server) SetQuirks(q Quirks) error {
	q, err := q.withDefaults()
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.quirks = q
	return nil
}

// controlQuirks changes the quirks that the body names.
func (s *Server) controlQuirks(data []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.quirks.decode(data)
}

// strictJSON decodes one JSON value that may have no unknown field.
func strictJSON(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("content after the JSON value")
	}
	return nil
}
