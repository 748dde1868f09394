package emulator

import (
	"encoding/json"
	"net/http"
	"time"
)

// maxLoggedBody is the largest request body that the log keeps, in bytes.
const maxLoggedBody = 4 << 10

// Request is one line of the request log. It never contains a key.
type Request struct {
	Time   time.Time `json:"time"` // of arrival
	Method string    `json:"method"`
	Path   string    `json:"path"`
	Query  string    `json:"query,omitempty"`
	// Status is 0 where the connection was cut.
	Status  int    `json:"status"`
	Project string `json:"project"`
	// Auth is the form of the Authorization header: "project:key",
	// "project:jwt:key", "key" or "".
	Auth string `json:"auth"`
	// SDK is what the client calls itself in x-descope-sdk-name.
	SDK string `json:"sdk,omitempty"`
	// License is the x-descope-license header: the tier that an SDK has learnt.
	License   string `json:"license,omitempty"`
	RequestID string `json:"request_id"`
	ErrorCode string `json:"error_code,omitempty"`
	// Fault is the injected fault, Budget the rate budget that was exceeded.
	Fault  string `json:"fault,omitempty"`
	Budget string `json:"budget,omitempty"`
	// UnknownFields are those that the endpoint does not take.
	UnknownFields []string `json:"unknown_fields,omitempty"`
	// Body is the request's, where it is JSON and not large.
	Body       json.RawMessage `json:"body,omitempty"`
	TookMillis int64           `json:"took_ms"`

	serial uint64
	done   bool
}

func (e *Request) keepBody(data []byte) {
	if len(data) > 0 && len(data) <= maxLoggedBody && json.Valid(data) {
		e.Body = data
	}
}

// begin gives a request its number and its place in the log.
func (s *Server) begin(r *http.Request) *Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serial++
	entry := &Request{
		Time: s.options.Now(), Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery,
		SDK: r.Header.Get("x-descope-sdk-name"), License: r.Header.Get("x-descope-license"), RequestID: rayID(s.serial), serial: s.serial,
	}
	if len(s.log) >= maxLog {
		s.log = append(s.log[:0], s.log[len(s.log)/2:]...)
	}
	s.log = append(s.log, entry)
	return entry
}

func (s *Server) finish(entry *Request, r reply) {
	s.mu.Lock()
	defer s.mu.Unlock()
	entry.Status, entry.ErrorCode, entry.done = r.status, r.code, true
	entry.TookMillis = s.options.Now().Sub(entry.Time).Milliseconds()
}

// Requests are the requests to the API that have been answered, by arrival,
// the most recent 25 000 at least.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Request, 0, len(s.log))
	for _, e := range s.log {
		if e.done {
			out = append(out, *e)
		}
	}
	return out
}
