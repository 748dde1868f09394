package emulator

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// DefaultMaxBody is the largest request body by default, in bytes. Descope's
// own limit is not known; real flows reach 153 KB.
const DefaultMaxBody = 16 << 20

// maxLog is how many requests the log keeps.
const maxLog = 50_000

// Options configure a server. The zero value is a server in memory that knows
// every project and every key, with the default budgets and no latency.
type Options struct {
	// Storage keeps the data; nil keeps it in memory.
	Storage Storage
	// Budgets are the rate limits; nil is [DefaultBudgets], and [NoBudgets]
	// switches them off.
	Budgets []Budget
	// Latency is what every request takes, half of it before it takes effect
	// and half after. Jitter varies it by up to as much in both directions.
	Latency time.Duration
	Jitter  time.Duration
	// Tier is the licence: tier1 (free, the default) to tier4 (enterprise).
	Tier string
	// Keys are the management keys; empty accepts any, see the documentation
	// for the few that are refused even then.
	Keys []Key
	// Projects are the ids of the projects that exist; empty is any that is
	// well formed.
	Projects []string
	Quirks   Quirks
	Faults   []Fault
	// MaxBody bounds a request body, in bytes; 0 is [DefaultMaxBody].
	MaxBody int64
	// Now is the clock; nil is time.Now. Waiting always goes by package time.
	Now func() time.Time
}

// Server is the emulator. It is safe for concurrent use.
type Server struct {
	options   Options
	endpoints map[string]endpoint

	mu       sync.Mutex // taken before the mu of a project, never after
	quirks   Quirks
	projects map[string]*shared
	wiped    bool // what is in Storage no longer counts
	faults   []*armed
	limiter  limiter
	log      []*Request
	serial   uint64
}

// shared is a project as the server hands it out. stale is guarded by the
// project's mu and means that another one has taken its place.
type shared struct {
	*project
	stale bool
}

// New makes a server. The error says which option is wrong.
func New(o Options) (*Server, error) {
	quirks, err := o.Quirks.withDefaults()
	if err != nil {
		return nil, err
	}
	if o.Tier == "" {
		o.Tier = "tier1"
	}
	if !slices.Contains([]string{"tier1", "tier2", "tier3", "tier4"}, o.Tier) {
		return nil, fmt.Errorf("tier %q: the tiers are tier1 to tier4", o.Tier)
	}
	for _, id := range o.Projects {
		if !wellFormed.MatchString(id) {
			return nil, fmt.Errorf("%q is not a project id", id)
		}
	}
	if o.Budgets == nil {
		o.Budgets = DefaultBudgets()
	}
	if o.MaxBody <= 0 {
		o.MaxBody = DefaultMaxBody
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Server{
		options: o, endpoints: endpoints(), quirks: quirks,
		projects: map[string]*shared{},
		limiter:  limiter{budgets: o.Budgets, windows: map[string]*window{}},
	}
	return s, s.SetFaults(o.Faults...)
}

// ServeHTTP answers one request to the API or to the control paths under
// /_emulator/. It panics with http.ErrAbortHandler where a fault cuts the
// connection and the writer cannot be hijacked.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, controlPrefix) {
		s.control(w, r)
		return
	}
	entry := s.begin(r)
	answer := s.answer(r, entry)
	answer.requestID = entry.RequestID
	s.finish(entry, answer)
	answer.write(w, r)
}

// answer is the life of a request: half the latency, the budget, the fault,
// the endpoint, the other half.
func (s *Server) answer(r *http.Request, entry *Request) reply {
	before, after := s.latency(entry.serial)
	if !sleep(r, before) {
		return reply{cut: true}
	}
	route := r.Method + " " + r.URL.Path
	e, found := s.endpoints[route]
	b := parseBearer(r.Header.Get("Authorization"))
	entry.Project, entry.Auth = b.project, b.form

	s.mu.Lock()
	quirks := s.quirks
	wait, budget := s.limiter.take(s.options.Now(), route, b.project, clientOf(r))
	var fault Fault
	var turn int
	var spoiled bool
	if wait == 0 {
		fault, turn, spoiled = takeFault(s.faults, route, e)
	}
	s.mu.Unlock()

	if wait > 0 {
		entry.Budget = budget
		return errorReply(&apiError{
			status: http.StatusTooManyRequests, code: codeRate, retryAfter: wholeSeconds(wait),
			message: "Rate limit exceeded, please try again later",
		})
	}
	if spoiled {
		entry.Fault = fault.Name
		if fault.Name == "slow" && !sleep(r, fault.slowness()) {
			return reply{cut: true}
		}
		if fault.before() {
			return fault.spoil(reply{}, turn, e, quirks)
		}
	}
	answer := s.run(r, entry, e, found, b, quirks)
	if spoiled {
		answer = fault.spoil(answer, turn, e, quirks)
	}
	if !sleep(r, after) {
		return reply{cut: true}
	}
	return answer
}

// run takes a request through its endpoint.
func (s *Server) run(r *http.Request, entry *Request, e endpoint, found bool, b bearer, quirks Quirks) reply {
	data, err := io.ReadAll(io.LimitReader(r.Body, s.options.MaxBody+1))
	if err != nil {
		return errorReply(badRequest("The request body cannot be read"))
	}
	if int64(len(data)) > s.options.MaxBody {
		return errorReply(&apiError{
			status: http.StatusRequestEntityTooLarge, code: codeBadRequest,
			message: fmt.Sprintf("The request body is larger than %d bytes", s.options.MaxBody),
		})
	}
	entry.keepBody(data)
	key, refused := s.options.authorize(b, e, quirks)
	if refused != nil {
		return errorReply(refused)
	}
	if !found {
		return errorReply(&apiError{
			status: http.StatusNotFound, code: ownCode(http.StatusNotFound),
			message: fmt.Sprintf("The emulator has no endpoint %s %s", r.Method, r.URL.Path),
		})
	}
	body, refused := decodeBody(data)
	if refused != nil {
		return errorReply(refused)
	}
	if e.takes != nil {
		entry.UnknownFields = unknownFields(body, e.takes)
	}
	c := &call{
		quirks: quirks, tier: s.options.Tier, key: key, query: r.URL.Query(), body: body,
		now: s.options.Now(), serial: entry.serial,
	}
	value, refused, err := s.call(c, e, b.project)
	switch {
	case err != nil:
		return errorReply(&apiError{
			status: http.StatusInternalServerError, code: ownCode(http.StatusInternalServerError), message: err.Error(),
		})
	case refused != nil:
		return errorReply(refused)
	}
	return reply{status: http.StatusOK, value: value}
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

// latency is the time of a request before and after it takes effect.
func (s *Server) latency(serial uint64) (before, after time.Duration) {
	total := s.options.Latency
	if s.options.Jitter > 0 {
		// A fixed sequence that spreads evenly: multiples of the golden ratio.
		spread := float64(serial*0x9E3779B97F4A7C15>>11) / (1 << 53)
		total += time.Duration((2*spread - 1) * float64(s.options.Jitter))
	}
	total = max(0, total)
	return total / 2, total - total/2
}

func (f Fault) slowness() time.Duration {
	if f.Delay == 0 {
		return 30 * time.Second
	}
	return f.Delay
}

// sleep waits, or returns false when the client is gone.
func sleep(r *http.Request, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

func clientOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// rayID looks like the request id that Descope's edge puts into cf-ray.
func rayID(serial uint64) string { return strconv.FormatUint(serial, 16) + "-EMU" }
