package emulator

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	testProject = "P2aAc4T2V93bddihGEx2Ryhc8e5Z"
	testKey     = "K1secret"
)

// harness is a server and a client of it.
type harness struct {
	t      *testing.T
	server *Server
	bearer string
}

func start(t *testing.T, o Options) harness {
	t.Helper()
	if o.Budgets == nil {
		o.Budgets = NoBudgets()
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return harness{t: t, server: s, bearer: testProject + ":" + testKey}
}

// answer is a response whose body has been read.
type answer struct {
	Status       string
	StatusCode   int
	Header       http.Header
	Length       int64
	Uncompressed bool
}

// exchange sends a request and reads the response to its end.
func exchange(transport http.RoundTripper, req *http.Request) (answer, string, error) {
	client := http.Client{Transport: transport, Timeout: time.Minute}
	resp, err := client.Do(req)
	if err != nil {
		return answer{}, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	return answer{resp.Status, resp.StatusCode, resp.Header, resp.ContentLength, resp.Uncompressed}, string(data), err
}

// send is one request; the body is JSON text.
func (h harness) send(method, path, body string) (answer, string, error) {
	h.t.Helper()
	req, err := http.NewRequestWithContext(h.t.Context(), method, "http://emulator"+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+h.bearer)
	return exchange(Transport(h.server), req)
}

// ask sends a request and returns the status and the decoded JSON.
func (h harness) ask(method, path, body string) (int, map[string]any) {
	h.t.Helper()
	resp, text, err := h.send(method, path, body)
	if err != nil {
		h.t.Fatalf("%s %s: %v", method, path, err)
	}
	var v map[string]any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		h.t.Fatalf("%s %s: %d with %q: %v", method, path, resp.StatusCode, text, err)
	}
	return resp.StatusCode, v
}

// ok sends a request that must succeed.
func (h harness) ok(method, path, body string) map[string]any {
	h.t.Helper()
	status, v := h.ask(method, path, body)
	if status != http.StatusOK {
		h.t.Fatalf("%s %s %s: %d %v", method, path, body, status, v)
	}
	return v
}

// refused sends a request that must be refused with a status and a code.
func (h harness) refused(status int, code, method, path, body string) string {
	h.t.Helper()
	got, v := h.ask(method, path, body)
	if got != status || v["errorCode"] != code {
		h.t.Errorf("%s %s %s: %d %v, want %d %s", method, path, body, got, v, status, code)
	}
	if v["message"] != v["errorMessage"] || v["errorDescription"] == "" {
		h.t.Errorf("%s %s: error body %v", method, path, v)
	}
	text, _ := v["errorMessage"].(string)
	return text
}

func (h harness) create(body string) { h.t.Helper(); h.ok("POST", "/v1/mgmt/tenant/create", body) }

func (h harness) tenant(id string) map[string]any {
	h.t.Helper()
	return h.ok("GET", "/v1/mgmt/tenant?id="+id, "")
}

// flow is a flow in the spelling of v2.
func (h harness) flow(id string) map[string]any {
	h.t.Helper()
	return h.ok("POST", "/v2/mgmt/flow/export", mustJSON(map[string]any{"flowId": id}))["flow"].(map[string]any)
}

// ids are the tenants of a list, in its order.
func (h harness) ids(method, path, body string) []string {
	h.t.Helper()
	list, _ := h.ok(method, path, body)["tenants"].([]any)
	ids := make([]string, len(list))
	for i, v := range list {
		ids[i], _ = v.(map[string]any)["id"].(string)
	}
	return ids
}

func (h harness) equal(what string, got, want any) {
	h.t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		h.t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
