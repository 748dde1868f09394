package bench

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"

	"pcconnect.ai/descope-mgmt/internal/api"
	"pcconnect.ai/descope-mgmt/internal/apply"
	"pcconnect.ai/descope-mgmt/internal/emulator"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
)

const managementKey = "K3fKeYsEcReTvAlUeThAtMuStNeVeRsHoWsecretsecretsecretsecretsecretsecretX"

// workers are those of the command line.
const workers = 20

// world is a project and everything between it and a desired state, but for
// files and the terminal.
type world struct {
	t      testing.TB
	server *emulator.Server
	client *api.Client
	last   model.State // as after the last sync
}

func newWorld(t testing.TB, o emulator.Options) *world {
	t.Helper()
	server, err := emulator.New(o)
	if err != nil {
		t.Fatal(err)
	}
	client, err := api.New(api.Config{
		BaseURL: "http://localhost", ProjectID: project, Key: api.NewSecret(managementKey),
		Transport: emulator.Transport(server), Workers: workers,
	})
	if err != nil {
		t.Fatal(err)
	}
	return &world{t: t, server: server, client: client}
}

// plan reads the project and compares it.
func (w *world) plan(desired model.State) *plan.Plan {
	w.t.Helper()
	live, err := w.client.Read(w.t.Context(), model.Tenant)
	if err != nil {
		w.t.Fatal(err)
	}
	p, err := plan.Compute(desired, live, w.last, plan.Options{
		Environment: "prod", Project: project, BaseURL: w.client.BaseURL(), Encode: api.Encode,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// apply runs a plan, every change of which must be done.
func (w *world) apply(desired model.State, p *plan.Plan) {
	w.t.Helper()
	for _, g := range p.Guards {
		if g.Rule == plan.RuleImpossible || g.Rule == plan.RuleTaken {
			w.t.Fatalf("the plan cannot run: %+v", g)
		}
	}
	result := apply.Run(w.t.Context(), p, w.client, apply.Options{Workers: workers})
	for _, o := range result.Outcomes {
		if o.Status != apply.Done {
			w.t.Fatalf("%s: %s: %v", o.Key, o.Status, o.Err)
		}
	}
	var last []model.Resource
	live, err := w.client.Read(w.t.Context(), model.Tenant)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, want := range desired.Resources() {
		if now, ok := live.Get(want.Key); ok {
			last = append(last, plan.Applied(want, now))
		}
	}
	w.last = newState(w.t, last)
}

// calls are the requests since the log was last reset.
type calls struct {
	reads, writes, refused int
	paths                  map[string]int
}

func (w *world) calls() calls {
	c := calls{paths: map[string]int{}}
	for _, r := range w.server.Requests() {
		c.paths[r.Method+" "+r.Path]++
		if r.Status == http.StatusTooManyRequests {
			c.refused++
		}
		if r.Method == http.MethodGet {
			c.reads++
		} else {
			c.writes++
		}
	}
	return c
}

func (w *world) forgetCalls() {
	w.t.Helper()
	if err := w.server.Reset(emulator.ResetRequests); err != nil {
		w.t.Fatal(err)
	}
}

// send makes a request as somebody else would.
func (w *world) send(method, path string, body any) []byte {
	w.t.Helper()
	var payload io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			w.t.Fatal(err)
		}
		payload = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(w.t.Context(), method, "http://localhost"+path, payload)
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+project+":"+managementKey)
	resp, err := emulator.Transport(w.server).RoundTrip(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		w.t.Fatalf("%s %s: %d %s %v", method, path, resp.StatusCode, answer, err)
	}
	return answer
}

// tenants are n desired tenants.
func tenants(t testing.TB, n int) model.State {
	t.Helper()
	var all []model.Resource
	for i := range n {
		all = append(all, tenant(i, nil))
	}
	return newState(t, all)
}

// tenant is one desired tenant, with some attributes of its own.
func tenant(i int, own map[string]any) model.Resource {
	id := tenantID(i)
	attrs := map[string]any{
		"name": "Tenant " + id, "domains": []any{id + ".example.com"}, "self_provisioning": true,
		"custom_attributes": map[string]any{"plan": "enterprise", "seats": i},
	}
	for name, v := range own {
		attrs[name] = v
	}
	normal, err := model.Normalize(attrs)
	if err != nil {
		panic(err)
	}
	key := model.Key{Kind: model.Tenant, ID: id}
	return model.Resource{Key: key, Attrs: model.Sorted(key.Kind, normal.(map[string]any))}
}

func newState(t testing.TB, resources []model.Resource) model.State {
	t.Helper()
	s, err := model.NewState(resources)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func milliseconds(d time.Duration) string { return d.Round(100 * time.Microsecond).String() }
