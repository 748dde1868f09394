package emulator

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestStatusFaults(t *testing.T) {
	for name, code := range map[string]string{
		"400": "E011001", "401": "E111119", "403": "E000403", "429": "E130429", "500": "E000500", "503-once": "E000503",
	} {
		h := start(t, Options{Faults: []Fault{{Name: name}}})
		resp, text, err := h.send("POST", createPath, `{"id":"a","name":"A"}`)
		if err != nil || !strings.Contains(text, code) || resp.Status[:3] != name[:3] {
			t.Errorf("%s: %v %v %s", name, err, resp, text)
		}
		if name == "429" && resp.Header.Get("Retry-After") != "1" {
			t.Errorf("Retry-After %q", resp.Header.Get("Retry-After"))
		}
		if err := h.server.SetFaults(); err != nil {
			t.Fatal(err)
		}
		h.equal(name+" did not apply", h.ids("GET", allPath, ""), []string{})
	}
}

func TestOnce(t *testing.T) {
	h := start(t, Options{Faults: []Fault{{Name: "503-once"}}})
	h.refused(503, "E000503", "GET", allPath, "")
	h.ok("GET", allPath, "")
	h.equal("log", []string{h.server.Requests()[0].Fault, h.server.Requests()[1].Fault}, []string{"503", ""})
}

func TestEdgeFaults(t *testing.T) {
	h := start(t, Options{Faults: []Fault{{Name: "52x"}}})
	var got []int
	for range 5 {
		resp, text, err := h.send("GET", allPath, "")
		if err != nil || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") || !strings.Contains(text, "<html>") {
			t.Fatalf("%v %v %s", err, resp, text)
		}
		got = append(got, resp.StatusCode)
	}
	h.equal("statuses", got, []int{520, 522, 524, 530, 520})
}

func TestAppliedFaults(t *testing.T) {
	for _, f := range []Fault{{Name: "524", Applied: true}, {Name: "503", Applied: true}, {Name: "html", Applied: true}, {Name: "truncated"}} {
		h := start(t, Options{Faults: []Fault{f}})
		if _, _, err := h.send("POST", createPath, `{"id":"a","name":"A"}`); err != nil {
			t.Fatal(err)
		}
		_ = h.server.SetFaults()
		h.equal(f.Name, h.ids("GET", allPath, ""), []string{"a"})
	}
}

func TestConnectionFaults(t *testing.T) {
	for name, applied := range map[string][]string{"reset": {}, "drop-after-write": {"a"}} {
		h := start(t, Options{Faults: []Fault{{Name: name, Match: "POST", Count: 1}}})
		_, _, err := h.send("POST", createPath, `{"id":"a","name":"A"}`)
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %v", name, err)
		}
		h.equal(name, h.ids("GET", allPath, ""), applied)
		h.equal(name+" log", h.server.Requests()[0].Status, 0)
	}
	// drop-after-write leaves reads alone.
	h := start(t, Options{Faults: []Fault{{Name: "drop-after-write"}}})
	h.ok("GET", allPath, "")
}

func TestReplyFaults(t *testing.T) {
	build := func(f Fault) harness {
		h := start(t, Options{})
		for _, id := range []string{"a", "b", "c", "d", "e"} {
			h.create(`{"id":"` + id + `","name":"` + id + `"}`)
		}
		h.ok("POST", "/v2/mgmt/flow/import", `{"flow":{"flowId":"f","contents":{}}}`)
		if err := h.server.AddFault(f); err != nil {
			t.Fatal(err)
		}
		return h
	}
	h := build(Fault{Name: "truncated"})
	resp, text, err := h.send("GET", allPath, "")
	if err != nil || resp.StatusCode != 200 || json.Valid([]byte(text)) || !strings.HasPrefix(text, `{"tenants"`) {
		t.Errorf("truncated: %v %v %q", err, resp, text)
	}
	h = build(Fault{Name: "html"})
	if resp, text, err = h.send("GET", allPath, ""); err != nil || resp.StatusCode != 200 || !strings.Contains(text, "<html>") {
		t.Errorf("html: %v %v %q", err, resp, text)
	}
	h = build(Fault{Name: "html", Status: 502})
	if resp, _, err = h.send("GET", allPath, ""); err != nil || resp.StatusCode != 502 {
		t.Errorf("html: %v %v", err, resp)
	}
	h = build(Fault{Name: "short-list"})
	h.equal("short", h.ids("GET", allPath, ""), []string{"a", "b"})
	h.equal("short flows", h.ok("POST", "/v1/mgmt/flow/list", ""), map[string]any{"flows": []any{}, "total": 1.0})
	h.tenant("a")
	h = build(Fault{Name: "empty-list"})
	h.equal("empty", h.ids("GET", allPath, ""), []string{})
	h = build(Fault{Name: "duplicate-list"})
	h.equal("duplicate", h.ids("GET", allPath, ""), []string{"a", "b", "c", "d", "e", "a"})
	h.equal("duplicate of nothing", h.ids("POST", searchPath, `{"tenantIds":["x"]}`), []string{})
	h = build(Fault{Name: "missing-list"})
	h.equal("missing", h.ok("GET", allPath, ""), map[string]any{})
	// An error keeps its body.
	h.refused(400, "E011001", "POST", searchPath, `[]`)
}

func TestSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := start(t, Options{Faults: []Fault{{Name: "slow", Count: 1}, {Name: "slow", Delay: time.Second, Count: 1, Skip: 1}}})
		for _, want := range []time.Duration{30 * time.Second, time.Second, 0} {
			begin := time.Now()
			h.ok("GET", allPath, "")
			h.equal("took", time.Since(begin), want)
		}
	})
}

func TestClientGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, c := range map[string]struct {
			latency, patience time.Duration
			fault             string
			applied           []string
		}{
			"before it applies":   {10 * time.Second, 4 * time.Second, "", []string{}},
			"after it applied":    {10 * time.Second, 6 * time.Second, "", []string{"a"}},
			"in the slow fault":   {0, 6 * time.Second, "slow", []string{}},
			"patient":             {10 * time.Second, 11 * time.Second, "", []string{"a"}},
			"before it was asked": {0, -1, "", []string{}},
		} {
			o := Options{Latency: c.latency}
			if c.fault != "" {
				o.Faults = []Fault{{Name: c.fault, Match: createPath}}
			}
			h := start(t, o)
			ctx, cancel := context.WithTimeout(t.Context(), c.patience)
			req, err := http.NewRequestWithContext(ctx, "POST", "http://x"+createPath, strings.NewReader(`{"id":"a","name":"A"}`))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Authorization", "Bearer "+h.bearer)
			_, _, err = exchange(Transport(h.server), req)
			if gone := name != "patient"; gone != errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: %v", name, err)
			}
			cancel()
			synctest.Wait()
			h.equal(name, h.ids("GET", allPath, ""), c.applied)
		}
	})
}

func TestFaultsTakeTurns(t *testing.T) {
	h := start(t, Options{Faults: []Fault{
		{Name: "503", Match: "GET " + allPath, Skip: 1, Count: 2},
		{Name: "500", Match: "GET", Skip: 1, Count: 1},
	}})
	var got []int
	for range 5 {
		status, _ := h.ask("GET", allPath, "")
		got = append(got, status)
	}
	h.equal("statuses", got, []int{200, 503, 503, 500, 200})
	states := h.server.Faults()
	h.equal("counters", []int{states[0].Seen, states[0].Fired, states[1].Seen, states[1].Fired}, []int{5, 2, 5, 1})
}

// TestAbandonedRequestsTakeNoFault: the handler of a request whose client has
// given up may still be on its way when the next fault is set.
func TestAbandonedRequestsTakeNoFault(t *testing.T) {
	h := start(t, Options{Faults: []Fault{{Name: "503-once"}}})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	req := httptest.NewRequest("GET", allPath, nil).WithContext(ctx)
	req.Header.Set("Authorization", "Bearer "+h.bearer)
	h.server.ServeHTTP(httptest.NewRecorder(), req)
	h.refused(503, "E000503", "GET", allPath, "")
}

func TestParseFault(t *testing.T) {
	for text, want := range map[string]Fault{
		"52x":      {Name: "52x"},
		"503-once": {Name: "503", Count: 1},

		"reset,count=2,skip=1,match=POST /v1":       {Name: "reset", Count: 2, Skip: 1, Match: "POST /v1"},
		"slow,delay=2s":                             {Name: "slow", Delay: 2 * time.Second},
		"429-once,count=3,retry_after=7":            {Name: "429", Count: 3, RetryAfter: 7},
		"html,status=503,applied=true":              {Name: "html", Status: 503, Applied: true},
		"drop-after-write-once,match=tenant/create": {Name: "drop-after-write", Count: 1, Match: "tenant/create"},
	} {
		got, err := ParseFault(text)
		if err != nil || got != want {
			t.Errorf("%q is %+v (%v)", text, got, err)
		}
		data, err := json.Marshal(got)
		var back Fault
		if err != nil || json.Unmarshal(data, &back) != nil || back != got {
			t.Errorf("%s became %+v", data, back)
		}
	}
	for _, text := range []string{"", "x", "600", "42", "reset,count=x", "reset,what=1", "slow,delay=1", "html,status=100", "reset,skip=-1", "reset,applied=2"} {
		if _, err := ParseFault(text); err == nil {
			t.Errorf("%q passes", text)
		}
	}
	var f Fault
	for _, text := range []string{`{"name":"reset","cuont":1}`, `{"name":"slow","delay":"x"}`, `{"name":"x"}`, `{}`, `5`} {
		if json.Unmarshal([]byte(text), &f) == nil {
			t.Errorf("%s passes", text)
		}
	}
}
