package emulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Fault makes requests fail on purpose.
type Fault struct {
	// Name says how, see [FaultNames]. A status code from 400 to 599 answers
	// with it; 52x answers with 520, 522, 524 and 530 in turn. "-once" behind
	// any name is Count 1.
	Name string `json:"name"`
	// Count is how many requests fail; 0 is all of them.
	Count int `json:"count,omitempty"`
	// Match limits the fault to requests whose "METHOD /path" contains it.
	Match string `json:"match,omitempty"`
	// Skip lets so many matching requests pass first.
	Skip int `json:"skip,omitempty"`
	// Applied lets the request take effect before its reply is spoiled; it is
	// implied by drop-after-write.
	Applied bool `json:"applied,omitempty"`
	// Delay is the additional time of slow, 30 s if zero.
	Delay time.Duration `json:"-"`
	// RetryAfter, in seconds, goes with 429, 1 if zero.
	RetryAfter int `json:"retry_after,omitempty"`
	// Status goes with html, 200 if zero, as behind a captive portal.
	Status int `json:"status,omitempty"`
}

// FaultNames lists the names of the faults that are not a status code.
func FaultNames() []string {
	return []string{
		"52x", "slow", "reset", "drop-after-write", "truncated", "html",
		"short-list", "empty-list", "missing-list", "duplicate-list",
	}
}

// faultStatus is the status of a fault that is named by one.
func faultStatus(name string) (int, bool) {
	n, err := strconv.Atoi(name)
	return n, err == nil && n >= 400 && n <= 599 && len(name) == 3
}

// check fills in what the name implies; the error lists the names.
func (f *Fault) check() error {
	if name, once := strings.CutSuffix(f.Name, "-once"); once {
		f.Name = name
		if f.Count == 0 {
			f.Count = 1
		}
	}
	if f.Count < 0 || f.Skip < 0 || f.Delay < 0 || f.RetryAfter < 0 {
		return fmt.Errorf("fault %q: count, skip, delay and retry_after are not negative", f.Name)
	}
	if f.Status != 0 && (f.Status < 200 || f.Status > 599) {
		return fmt.Errorf("fault %q: status %d", f.Name, f.Status)
	}
	if _, ok := faultStatus(f.Name); ok {
		return nil
	}
	for _, name := range FaultNames() {
		if f.Name == name {
			return nil
		}
	}
	return fmt.Errorf("fault %q: use a status code from 400 to 599 or one of %s", f.Name, strings.Join(FaultNames(), ", "))
}

// ParseFault reads what --fault takes: a name, and optional settings behind
// commas, as in "reset,count=2,skip=1,match=POST /v1/mgmt/tenant".
func ParseFault(s string) (Fault, error) {
	name, rest, _ := strings.Cut(s, ",")
	f := Fault{Name: name}
	for setting := range strings.SplitSeq(rest, ",") {
		if setting == "" {
			continue
		}
		key, value, _ := strings.Cut(setting, "=")
		var err error
		switch key {
		case "count":
			f.Count, err = strconv.Atoi(value)
		case "skip":
			f.Skip, err = strconv.Atoi(value)
		case "retry_after":
			f.RetryAfter, err = strconv.Atoi(value)
		case "status":
			f.Status, err = strconv.Atoi(value)
		case "delay":
			f.Delay, err = time.ParseDuration(value)
		case "match":
			f.Match = value
		case "applied":
			f.Applied, err = strconv.ParseBool(value)
		default:
			err = fmt.Errorf("there is no setting %q", key)
		}
		if err != nil {
			return Fault{}, fmt.Errorf("fault %q: %w", s, err)
		}
	}
	return f, f.check()
}

type plainFault Fault

type faultJSON struct {
	plainFault
	Delay string `json:"delay,omitempty"`
}

// MarshalJSON writes the delay as text, such as 30s.
func (f Fault) MarshalJSON() ([]byte, error) {
	j := faultJSON{plainFault: plainFault(f)}
	if f.Delay != 0 {
		j.Delay = f.Delay.String()
	}
	return json.Marshal(j)
}

// UnmarshalJSON reads what MarshalJSON wrote; an unknown field is an error.
func (f *Fault) UnmarshalJSON(data []byte) error {
	var j faultJSON
	if err := strictJSON(data, &j); err != nil {
		return err
	}
	*f = Fault(j.plainFault)
	if j.Delay != "" {
		d, err := time.ParseDuration(j.Delay)
		if err != nil {
			return err
		}
		f.Delay = d
	}
	return f.check()
}

// armed is a fault with its counters.
type armed struct {
	Fault
	seen, fired int
}

// firing is a fault that hits a request; turn counts its earlier ones.
type firing struct {
	Fault
	turn int
}

// takeFault finds the fault for a request, or nil. Every fault counts the
// requests that match it; the first one whose turn it is fires.
func takeFault(faults []*armed, route string, e endpoint) *firing {
	var hit *firing
	for _, a := range faults {
		if !strings.Contains(route, a.Match) || !a.suits(e) {
			continue
		}
		a.seen++
		if hit != nil || a.seen <= a.Skip || a.Count > 0 && a.fired >= a.Count {
			continue
		}
		hit = &firing{Fault: a.Fault, turn: a.fired}
		a.fired++
	}
	return hit
}

// suits leaves out requests on which a fault would have no effect.
func (a *armed) suits(e endpoint) bool {
	switch a.Name {
	case "drop-after-write":
		return e.write
	case "short-list", "empty-list", "missing-list", "duplicate-list":
		return e.list != ""
	}
	return true
}

// before reports whether the fault answers instead of the endpoint.
func (f Fault) before() bool {
	_, status := faultStatus(f.Name)
	return !f.Applied && (status || f.Name == "52x" || f.Name == "reset" || f.Name == "html")
}

// spoil is what the fault makes of a reply.
func (f *firing) spoil(r reply, e endpoint, q Quirks) reply {
	status, isStatus := faultStatus(f.Name)
	if f.Name == "52x" {
		status, isStatus = []int{520, 522, 524, 530}[f.turn%4], true
	}
	switch {
	case isStatus && status >= 520:
		return htmlReply(status, fmt.Sprintf("Error %d", status))
	case isStatus:
		return errorReply(f.statusError(status, q))
	case f.Name == "html":
		status := f.Status
		if status == 0 {
			status = http.StatusOK
		}
		return htmlReply(status, "Please sign in to the network")
	case f.Name == "reset", f.Name == "drop-after-write":
		return reply{cut: true}
	case f.Name == "truncated":
		r.body = r.bytes()
		r.body = r.body[:len(r.body)/2]
		r.value = nil
		return r
	case r.status == http.StatusOK && e.list != "":
		return f.spoilList(r, e)
	}
	return r
}

func (f Fault) statusError(status int, q Quirks) *apiError {
	e := &apiError{status: status, code: ownCode(status), message: "Injected fault"}
	switch status {
	case http.StatusUnauthorized:
		e.code = q.UnauthorizedCode
	case http.StatusForbidden:
		e.code = q.ForbiddenCode
	case http.StatusBadRequest:
		e.code = codeBadRequest
	case http.StatusTooManyRequests:
		e.code, e.retryAfter = codeRate, max(1, f.RetryAfter)
	}
	return e
}

// slowness is the time that slow adds.
func (f Fault) slowness() time.Duration {
	if f.Delay == 0 {
		return 30 * time.Second
	}
	return f.Delay
}

// spoilList cuts the list of a reply to its first half, empties it, takes it
// out, or repeats its first element. A total stays as it was.
func (f Fault) spoilList(r reply, e endpoint) reply {
	list, _ := r.value[e.list].([]any)
	value := make(map[string]any, len(r.value))
	for name, v := range r.value {
		value[name] = v
	}
	switch f.Name {
	case "short-list":
		value[e.list] = list[:len(list)/2]
	case "empty-list":
		value[e.list] = []any{}
	case "missing-list":
		delete(value, e.list)
	case "duplicate-list":
		if len(list) > 0 {
			value[e.list] = append(list[:len(list):len(list)], list[0])
		}
	}
	r.value = value
	return r
}
