package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pcconnect.ai/descope-mgmt/internal/model"
)

const (
	testProject = "P2aAc4T2V93bddihGEx2Ryhc8e5Z"
	testKey     = "K3fKeYsEcReTvAlUeThAtMuStNeVeRsHoWsecretsecretsecretsecretsecretsecretX"
)

// handlerTransport calls a handler without a socket, so that it works under
// synctest. An answer is lost if the handler panics with an error.
type handlerTransport struct{ handler http.Handler }

func (h handlerTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	type result struct {
		resp *http.Response
		err  error
	}
	done := make(chan result, 1)
	go func() {
		rec := httptest.NewRecorder()
		defer func() {
			if p := recover(); p != nil {
				err, ok := p.(error)
				if !ok {
					panic(p)
				}
				done <- result{err: err}
				return
			}
			resp := rec.Result()
			done <- result{resp: resp}
		}()
		in := req.Clone(req.Context())
		if in.Body == nil {
			in.Body = http.NoBody
		}
		h.handler.ServeHTTP(rec, in)
	}()
	select {
	case r := <-done:
		return r.resp, r.err
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
}

// call is a request that the fake has seen.
type call struct {
	Path string
	Body string
	At   time.Time
}

// fake is a Descope with tenants, a strict sliding-log budget for its writes
// and a hook that can misbehave.
type fake struct {
	mu      sync.Mutex
	order   []string
	tenants map[string]map[string]any
	calls   []call
	writes  []time.Time
	refused int

	limit   int // writes in any minute; 0 is no limit
	latency func() time.Duration
	// hook runs before a request takes effect and may answer it; n counts the
	// requests to this path from 0.
	hook func(w http.ResponseWriter, r *http.Request, n int) (answered bool)
	// after runs after a request took effect and may lose the answer.
	after func(w http.ResponseWriter, r *http.Request, n int)
}

func newFake(ids ...string) *fake {
	f := &fake{tenants: map[string]map[string]any{}}
	for _, id := range ids {
		f.put(id, map[string]any{"id": id, "name": "Name of " + id})
	}
	return f
}

func (f *fake) put(id string, t map[string]any) {
	if f.tenants[id] == nil {
		f.order = append(f.order, id)
	}
	f.tenants[id] = t
}

func (f *fake) seen(path string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.calls {
		if strings.HasSuffix(c.Path, path) {
			n++
		}
	}
	return n
}

func reply(w http.ResponseWriter, status int, format string, args ...any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, format, args...)
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var latency time.Duration
	if f.latency != nil {
		f.mu.Lock()
		latency = f.latency()
		f.mu.Unlock()
	}
	time.Sleep(latency / 2)
	body, _ := io.ReadAll(r.Body)
	n := f.seen(r.URL.Path)
	f.mu.Lock()
	f.calls = append(f.calls, call{Path: r.URL.Path, Body: string(body), At: time.Now()})
	f.mu.Unlock()
	if f.hook != nil && f.hook(w, r, n) {
		return
	}
	if f.overLimit(r) {
		w.Header().Set("Retry-After", "60")
		reply(w, 429, `{"errorCode":"E130429","errorMessage":"Rate limit exceeded"}`)
		return
	}
	rec := httptest.NewRecorder()
	f.serve(rec, r, body)
	if f.after != nil {
		f.after(w, r, n)
	}
	time.Sleep(latency - latency/2)
	maps.Copy(w.Header(), rec.Header())
	w.WriteHeader(rec.Code)
	_, _ = w.Write(rec.Body.Bytes())
}

func (f *fake) overLimit(r *http.Request) bool {
	if f.limit == 0 || r.Method != http.MethodPost {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	f.writes = slices.DeleteFunc(f.writes, func(at time.Time) bool { return now.Sub(at) > time.Minute })
	if len(f.writes) >= f.limit {
		f.refused++
		return true
	}
	f.writes = append(f.writes, now)
	return false
}

func (f *fake) serve(w http.ResponseWriter, r *http.Request, body []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var in map[string]any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if r.Method == http.MethodPost && d.Decode(&in) != nil {
		reply(w, 400, `{"errorCode":"E011001","errorMessage":"bad request"}`)
		return
	}
	id, _ := in["id"].(string)
	missing := func() { reply(w, 404, `{"errorCode":"E112202","errorMessage":"Tenant not found"}`) }
	switch strings.TrimPrefix(r.URL.Path, "/v1/mgmt/") {
	case "tenant/all":
		list := []any{}
		for _, id := range f.order {
			list = append(list, f.tenants[id])
		}
		b, _ := json.Marshal(map[string]any{"tenants": list})
		reply(w, 200, "%s", b)
	case "tenant":
		t, ok := f.tenants[r.URL.Query().Get("id")]
		if !ok {
			missing()
			return
		}
		b, _ := json.Marshal(t)
		reply(w, 200, "%s", b)
	case "tenant/create":
		if f.tenants[id] != nil {
			reply(w, 400, `{"errorCode":"E000001","errorMessage":"already exists"}`)
			return
		}
		f.put(id, in)
		reply(w, 200, `{"id":%q}`, id)
	case "tenant/update":
		old, ok := f.tenants[id]
		if !ok {
			missing()
			return
		}
		in["defaultRoles"] = old["defaultRoles"]
		f.tenants[id] = in
		reply(w, 200, `{}`)
	case "tenant/updateDefaultRoles":
		if f.tenants[id] == nil {
			missing()
			return
		}
		f.tenants[id]["defaultRoles"] = in["defaultRoles"]
		reply(w, 200, `{}`)
	case "tenant/delete":
		if f.tenants[id] == nil {
			missing()
			return
		}
		delete(f.tenants, id)
		f.order = slices.DeleteFunc(f.order, func(x string) bool { return x == id })
		reply(w, 200, `{}`)
	case "license":
		w.Header().Set("Date", "Mon, 05 Oct 2026 10:00:00 GMT")
		reply(w, 200, `{"rateLimitTier":"tier1"}`)
	case "tenant/settings":
		reply(w, 200, `{"enabled":false,"domains":["a.com"]}`)
	default:
		reply(w, 404, `{"errorCode":"E011001","errorMessage":"no such path"}`)
	}
}

// client connects to a handler; edit may change the configuration.
func client(t testing.TB, h http.Handler, edit ...func(*Config)) *Client {
	t.Helper()
	config := Config{
		BaseURL: "http://127.0.0.1:8080", ProjectID: testProject, Key: NewSecret(testKey),
		Transport: handlerTransport{h},
	}
	for _, e := range edit {
		e(&config)
	}
	c, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func tenantKey(id string) model.Key { return model.Key{Kind: model.Tenant, ID: id} }

// creation is the step that creates a tenant.
func creation(t testing.TB, id string) model.Step {
	t.Helper()
	steps, err := Encode(model.Transition{Key: tenantKey(id), After: map[string]any{"name": "Name of " + id}})
	if err != nil || len(steps) != 1 {
		t.Fatal(steps, err)
	}
	return steps[0]
}

// update is the step that renames a live tenant.
func update(t testing.TB, c *Client, id, name string) model.Step {
	t.Helper()
	live, exists, err := c.Get(t.Context(), tenantKey(id))
	if err != nil || !exists {
		t.Fatal(exists, err)
	}
	after := model.CloneMap(live.Attrs)
	after["name"] = name
	steps, err := Encode(model.Transition{Key: live.Key, Before: &live, After: after, Managed: []string{"name"}})
	if err != nil || len(steps) != 1 {
		t.Fatal(steps, err)
	}
	return steps[0]
}

func deletion(id string) model.Step {
	return model.Step{Op: model.TenantDelete, Key: tenantKey(id), Body: json.RawMessage(`{"cascade":false,"id":"` + id + `"}`)}
}
