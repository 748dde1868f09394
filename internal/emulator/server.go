package emulator

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
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
	made     []string // projects that clones made, where only some exist
	wiped    bool     // what is in Storage no longer counts
	faults   []*armed
	limiter  limiter
	log      []*Request
	serial   uint64
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
		if !wellFormed().MatchString(id) {
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
	in := incoming{bearer: parseBearer(r.Header.Get("Authorization")), route: r.Method + " " + r.URL.Path, query: r.URL.Query()}
	in.endpoint, in.argument, in.found = endpointOf(s.endpoints, in.route)
	in.body, in.err = io.ReadAll(io.LimitReader(r.Body, s.options.MaxBody+1))
	entry.keepBody(in.body)
	entry.Project, entry.Auth = in.bearer.project, in.bearer.form

	quirks, wait, hit := s.admit(&in, r, entry)
	if wait > 0 {
		return errorReply(&apiError{
			status: http.StatusTooManyRequests, code: codeRate, retryAfter: wholeSeconds(wait),
			message: "Rate limit exceeded, please try again later",
		})
	}
	later := func(answer reply) reply {
		if !sleep(r, after) {
			return reply{cut: true}
		}
		return answer
	}
	if hit == nil {
		return later(s.run(&in, entry, quirks))
	}
	var answer reply
	if hit.Name == "slow" && !sleep(r, hit.slowness()) {
		return reply{cut: true}
	}
	if !hit.before() {
		answer = s.run(&in, entry, quirks)
	}
	return later(hit.spoil(answer, in.endpoint, quirks))
}

// incoming is a request as it was received.
type incoming struct {
	bearer   bearer
	route    string // "METHOD /path"
	query    url.Values
	body     []byte
	err      error // of reading the body
	endpoint endpoint
	argument string
	found    bool
}

// admit counts a request against its budget and finds the fault whose turn it
// is, if it is within the budget. A request whose client is gone takes no
// fault: what a test abandons must not eat the fault that it sets next.
func (s *Server) admit(in *incoming, r *http.Request, entry *Request) (q Quirks, wait time.Duration, f *firing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	wait, budget := s.limiter.take(s.options.Now(), in.route, in.bearer.project, clientOf(r))
	if wait > 0 {
		entry.Budget = budget
		return s.quirks, wait, nil
	}
	if r.Context().Err() != nil {
		return s.quirks, 0, nil
	}
	if f = takeFault(s.faults, in.route, in.endpoint); f != nil {
		entry.Fault = f.Name
	}
	return s.quirks, 0, f
}

// run takes a request through its endpoint.
func (s *Server) run(in *incoming, entry *Request, quirks Quirks) reply {
	e := in.endpoint
	if in.err != nil {
		return errorReply(badRequest("The request body cannot be read"))
	}
	if int64(len(in.body)) > s.options.MaxBody {
		return errorReply(&apiError{
			status: http.StatusRequestEntityTooLarge, code: codeBadRequest,
			message: fmt.Sprintf("The request body is larger than %d bytes", s.options.MaxBody),
		})
	}
	options := s.options
	options.Projects = s.existing()
	key, refused := options.authorize(in.bearer, e, quirks)
	if refused != nil {
		return errorReply(refused)
	}
	if !in.found {
		return errorReply(&apiError{
			status: http.StatusNotFound, code: ownCode(http.StatusNotFound),
			message: "The emulator has no endpoint " + in.route,
		})
	}
	body, refused := decodeBody(in.body)
	if refused != nil {
		return errorReply(refused)
	}
	if e.takes != nil {
		entry.UnknownFields = unknownFields(body, e.takes)
	}
	c := &call{
		quirks: quirks, tier: s.options.Tier, key: key, query: in.query, argument: in.argument, body: body,
		now: s.options.Now(), serial: entry.serial,
	}
	value, refused, err := s.call(c, e, in.bearer.project)
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
