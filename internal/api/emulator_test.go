package api_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"pcconnect.ai/descope-mgmt/internal/api"
	"pcconnect.ai/descope-mgmt/internal/emulator"
	"pcconnect.ai/descope-mgmt/internal/model"
)

const (
	project = "P2aAc4T2V93bddihGEx2Ryhc8e5Z"
	key     = "K3fKeYsEcReTvAlUeThAtMuStNeVeRsHoWsecretsecretsecretsecretsecretsecretX"
)

// start makes an emulator and a client for it, without a socket.
func start(t *testing.T, o emulator.Options) (*emulator.Server, *api.Client) {
	t.Helper()
	server, err := emulator.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return server, connect(t, server, project, key)
}

func connect(t *testing.T, server *emulator.Server, project, key string) *api.Client {
	t.Helper()
	c, err := api.New(api.Config{
		BaseURL: "http://localhost:8080", ProjectID: project, Key: api.NewSecret(key),
		Transport: emulator.Transport(server),
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// post sends a request that the client has no method for.
func post(t *testing.T, server *emulator.Server, path string, body any) {
	t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://localhost"+path, bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+project+":"+key)
	resp, err := emulator.Transport(server).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if answer, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %s", path, resp.StatusCode, answer)
	}
}

func tenant(id string) model.Key { return model.Key{Kind: model.Tenant, ID: id} }

// reach brings one resource to the wanted attributes, the way an apply does.
func reach(t *testing.T, c *api.Client, k model.Key, want map[string]any) (calls int, err error) {
	t.Helper()
	tr := model.Transition{Key: k, After: want}
	if live, exists, err := c.Get(t.Context(), k); err != nil {
		t.Fatal(err)
	} else if exists {
		tr.Before = &live
		if want != nil {
			tr.After = model.CloneMap(live.Attrs)
			for attr, v := range want {
				tr.After[attr] = v
				tr.Managed = append(tr.Managed, attr)
			}
		}
	}
	steps, err := api.Encode(tr)
	if err != nil {
		return 0, err
	}
	for i, s := range steps {
		attempts, err := c.Do(t.Context(), s, func(live model.Resource, exists bool) error {
			if i == 0 && exists != (tr.Before != nil) {
				return fmt.Errorf("exists: %v", exists)
			}
			if i == 0 && exists && !model.Equal(live.Observed.Fields, tr.Before.Observed.Fields) {
				return errors.New("moved")
			}
			return nil
		})
		calls += attempts
		if err != nil {
			return calls, err
		}
	}
	return calls, nil
}

func TestLifeOfATenant(t *testing.T) {
	_, c := start(t, emulator.Options{})
	wants := []map[string]any{
		{
			"name": "Acme <Corp>", "domains": []any{"a.com", "b.com"}, "self_provisioning": true, "parent": "holding",
			"custom_attributes": map[string]any{"plan": "pro", "seats": json.Number("40"), "tags": []any{"x"}}, "default_roles": []any{"Admin", "User"},
			"disabled": true, "role_inheritance": "none",
		},
		{"name": "Acme", "custom_attributes": map[string]any{"plan": "pro"}},
		{"domains": []any{}, "self_provisioning": false, "default_roles": []any{}},
		{"disabled": false, "role_inheritance": "userOnly", "domains": []any{"z.com"}, "self_provisioning": true},
	}
	if _, err := reach(t, c, tenant("holding"), map[string]any{"name": "Holding"}); err != nil {
		t.Fatal(err)
	}
	for i, want := range wants {
		if _, err := reach(t, c, tenant("acme"), want); err != nil {
			t.Fatalf("%d: %v", i, err)
		}
		state, err := c.Read(t.Context(), model.Tenant)
		if err != nil || state.Len() != 2 {
			t.Fatal(state.Len(), err)
		}
		live, _ := state.Get(tenant("acme"))
		for attr, v := range want {
			if !model.Equal(live.Attrs[attr], v) {
				t.Errorf("%d: %s is %v, want %v", i, attr, live.Attrs[attr], v)
			}
		}
		if calls, err := reach(t, c, tenant("acme"), want); calls != 0 || err != nil {
			t.Errorf("%d: %d calls where nothing differs, %v", i, calls, err)
		}
	}
	if _, err := reach(t, c, tenant("acme"), nil); err != nil {
		t.Fatal(err)
	}
	if _, exists, err := c.Get(t.Context(), tenant("acme")); exists || err != nil {
		t.Error(exists, err)
	}
	if _, err := c.TenantSettings(t.Context(), "holding"); err != nil {
		t.Error(err)
	}
	if license, err := c.License(t.Context()); err != nil || license.Tier != "tier1" {
		t.Error(license, err)
	}
}

// TestUpdateKeepsTwelveUnmanagedFields: all are as before, field by field, and
// one write call was sent.
func TestUpdateKeepsTwelveUnmanagedFields(t *testing.T) {
	server, c := start(t, emulator.Options{})
	post(t, server, "/v1/mgmt/tenant/create", map[string]any{"id": "holding", "name": "Holding"})
	post(t, server, "/v1/mgmt/tenant/create", map[string]any{
		"id": "acme", "name": "Acme", "parent": "holding", "selfProvisioningDomains": []string{"b.com", "a.com"},
		"customAttributes": map[string]any{"plan": "pro", "n": 1.5}, "authType": "saml", "disabled": true, "enforceSSO": true,
		"enforceSSOExclusions": []string{"U2", "U1"}, "federatedAppIds": []string{"app1"}, "roleInheritance": "userOnly",
		"idJagSettings": map[string]any{"a": []any{1, nil}}, "idJagEnabled": true,
		"futureNumber": 12345, "futureObject": map[string]any{"z": []any{}, "a": nil},
	})
	post(t, server, "/v1/mgmt/tenant/updateDefaultRoles", map[string]any{"id": "acme", "defaultRoles": []string{"Admin"}})
	before, _, err := c.Get(t.Context(), tenant("acme"))
	if err != nil {
		t.Fatal(err)
	}
	if len(before.Observed.Fields) < 14 {
		t.Fatalf("the emulator lost fields: %v", before.Observed.Fields)
	}
	sent := len(server.Requests())
	if calls, err := reach(t, c, tenant("acme"), map[string]any{"name": "New"}); calls != 1 || err != nil {
		t.Fatal(calls, err)
	}
	after, _, err := c.Get(t.Context(), tenant("acme"))
	if err != nil {
		t.Fatal(err)
	}
	want := model.CloneMap(before.Observed.Fields)
	want["name"] = "New"
	if diff := cmp.Diff(want, after.Observed.Fields); diff != "" {
		t.Error(diff)
	}
	writes := 0
	for _, r := range server.Requests()[sent:] {
		if r.Method == http.MethodPost {
			writes++
		}
		if len(r.UnknownFields) > 0 && !cmp.Equal(r.UnknownFields, []string{"futureNumber", "futureObject", "idJagEnabled", "idJagSettings"}) {
			t.Errorf("%s sends %v: what the endpoint is not documented to take is just what was there", r.Path, r.UnknownFields)
		}
	}
	if writes != 1 {
		t.Errorf("%d writes", writes)
	}
}

// TestEveryFaultAtEveryStep meets each fault once, at the read before a write
// and at each write, and expects the write to have happened exactly once or a
// clear error and nothing written.
func TestEveryFaultAtEveryStep(t *testing.T) {
	steps := map[string]struct {
		path string
		want map[string]any
	}{
		"create":        {"POST /v1/mgmt/tenant/create", map[string]any{"name": "New"}},
		"update":        {"POST /v1/mgmt/tenant/update", map[string]any{"name": "Renamed"}},
		"default roles": {"POST /v1/mgmt/tenant/updateDefaultRoles", map[string]any{"default_roles": []any{"Admin"}}},
		"delete":        {"POST /v1/mgmt/tenant/delete", nil},
	}
	faults := append(emulator.FaultNames(), "429", "500", "502", "503", "504", "401", "403")
	for name, step := range steps {
		for _, fault := range faults {
			for _, where := range []string{step.path, "GET /v1/mgmt/tenant/all"} {
				t.Run(name+" "+fault+" "+where, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						defer time.Sleep(time.Hour) // for handlers that nobody waits for
						server, c := start(t, emulator.Options{})
						k := tenant("old")
						post(t, server, "/v1/mgmt/tenant/create", map[string]any{"id": "old", "name": "Old"})
						if name == "create" {
							k = tenant("new")
						}
						f := emulator.Fault{Name: fault, Count: 1, Match: where, Delay: time.Minute}
						if err := server.SetFaults(f); err != nil {
							t.Fatal(err)
						}
						_, err := reach(t, c, k, step.want)
						live, exists, getErr := c.Get(t.Context(), k)
						if getErr != nil {
							t.Fatal(getErr)
						}
						applied := exists == (step.want != nil)
						for attr, v := range step.want {
							applied = applied && model.Equal(live.Attrs[attr], v)
						}
						if (err == nil) != applied {
							t.Errorf("applied %v, but: %v", applied, err)
						}
						var e *api.Error
						stale := err != nil && err.Error() == "exists: false" // the list was short: refused before it is sent
						if err != nil && !stale && (!errors.As(err, &e) || e.Unanswered()) {
							t.Errorf("no clear error: %v", err)
						}
						gives := strings.HasPrefix(fault, "4") && fault != "429" || fault == "500" ||
							fault == "html" || fault == "truncated" && where != step.path || strings.HasSuffix(fault, "-list") && where != step.path
						if !gives && err != nil {
							t.Errorf("a passing fault ends the step: %v", err)
						}
					})
				})
			}
		}
	}
}

func TestBudgetOfTheEmulator(t *testing.T) {
	for n, most := range map[int]time.Duration{100: 6 * time.Second, 400: 70 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			server, c := start(t, emulator.Options{Latency: 500 * time.Millisecond, Jitter: 450 * time.Millisecond})
			begin := time.Now()
			next := make(chan int)
			var group sync.WaitGroup
			for range c.Workers() {
				group.Go(func() {
					for i := range next {
						steps, err := api.Encode(model.Transition{Key: tenant(fmt.Sprint("t", i)), After: map[string]any{"name": fmt.Sprint("T", i)}})
						if err == nil {
							_, err = c.Do(t.Context(), steps[0], func(model.Resource, bool) error { return nil })
						}
						if err != nil {
							t.Error(err)
						}
					}
				})
			}
			for i := range n {
				next <- i
			}
			close(next)
			group.Wait()
			took := time.Since(begin)
			t.Logf("%d creates: %.2f s", n, took.Seconds())
			if took > most {
				t.Errorf("%d creates took %v, want at most %v", n, took, most)
			}
			for _, r := range server.Requests() {
				if r.Status != http.StatusOK {
					t.Errorf("%s %s: %d", r.Method, r.Path, r.Status)
				}
			}
		})
	}
}

func TestRefusedKeysAndProjects(t *testing.T) {
	server, _ := start(t, emulator.Options{
		Projects: []string{project},
		Keys:     []emulator.Key{{Key: key}},
	})
	for name, c := range map[string]*api.Client{
		"wrong key":       connect(t, server, project, "K9wrong"+key),
		"another project": connect(t, server, "P3bbbbbbbbbbbbbbbbbbbbbbbbbb", key),
	} {
		_, err := c.Read(t.Context(), model.Tenant)
		if !api.IsAuth(err) || strings.Contains(err.Error(), key) || !strings.Contains(err.Error(), c.ProjectID()) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestQuirksThatChangeNothing(t *testing.T) {
	for name, q := range map[string]emulator.Quirks{
		"not found is 400":      {NotFoundStatus: 400},
		"attributes are null":   {EmptyAttributes: "null"},
		"attributes are absent": {EmptyAttributes: "absent"},
		"order is random":       {ListOrder: "shuffled"},
		"domains move about":    {DomainsReorder: true},
		"all successors":        {Successors: "all"},
	} {
		t.Run(name, func(t *testing.T) {
			server, c := start(t, emulator.Options{Quirks: q})
			want := map[string]any{"name": "A", "domains": []any{"a.com", "b.com", "c.com"}, "self_provisioning": true}
			for _, id := range []string{"a", "b", "c"} {
				want["name"] = id
				if _, err := reach(t, c, tenant(id), want); err != nil {
					t.Fatal(err)
				}
			}
			first, err := c.Read(t.Context(), model.Tenant)
			if err != nil {
				t.Fatal(err)
			}
			for range 5 {
				again, err := c.Read(t.Context(), model.Tenant)
				if err != nil || again.Digest() != first.Digest() {
					t.Fatalf("two reads differ (%v)", err)
				}
			}
			if calls, err := reach(t, c, tenant("c"), want); calls != 0 || err != nil {
				t.Errorf("%d calls where nothing differs, %v", calls, err)
			}
			_ = server
		})
	}
}

func TestLifeOfAFlow(t *testing.T) {
	_, c := start(t, emulator.Options{})
	k := model.Key{Kind: model.Flow, ID: "sign-in"}
	flow := func(name string) map[string]any {
		return map[string]any{"definition": map[string]any{
			"flowId":   "sign-in",
			"metadata": map[string]any{"name": name},
			"contents": map[string]any{"startTask": "0", "tasks": map[string]any{"0": map[string]any{"id": "0", "name": "Start"}}},
			"screens":  []any{},
		}}
	}
	for _, name := range []string{"Sign in", "Sign in again"} {
		if calls, err := reach(t, c, k, flow(name)); calls != 1 || err != nil {
			t.Fatal(calls, err)
		}
		state, err := c.Read(t.Context(), model.Flow, model.Tenant)
		if err != nil {
			t.Fatal(err)
		}
		live, ok := state.Get(k)
		if !ok {
			t.Fatal("the flow is not there")
		}
		definition := live.Attrs["definition"].(map[string]any)
		if definition["metadata"].(map[string]any)["name"] != name {
			t.Errorf("got %v", definition)
		}
		raw, err := c.Export(t.Context(), "sign-in")
		if err != nil || !strings.Contains(string(raw), name) {
			t.Error(string(raw), err)
		}
		if calls, err := reach(t, c, k, map[string]any{"definition": definition}); calls != 0 || err != nil {
			t.Errorf("%d calls where nothing differs, %v", calls, err)
		}
	}
	if calls, err := reach(t, c, k, nil); calls != 1 || err != nil {
		t.Fatal(calls, err)
	}
	if _, exists, err := c.Get(t.Context(), k); exists || err != nil {
		t.Error(exists, err)
	}
}

// TestFlowWritesInDoubt loses the answers of an import and of a delete.
func TestFlowWritesInDoubt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, c := start(t, emulator.Options{})
		k := model.Key{Kind: model.Flow, ID: "mine"}
		want := map[string]any{"definition": map[string]any{
			"flowId": "mine", "metadata": map[string]any{"name": "Mine"},
			"contents": map[string]any{"startTask": "0", "tasks": map[string]any{}},
		}}
		for _, after := range []map[string]any{want, nil} {
			if err := server.SetFaults(emulator.Fault{Name: "drop-after-write", Count: 1, Match: "/flow/"}); err != nil {
				t.Fatal(err)
			}
			if _, err := reach(t, c, k, after); err != nil {
				t.Error(err)
			}
			if _, exists, err := c.Get(t.Context(), k); err != nil || exists != (after != nil) {
				t.Error(exists, err)
			}
		}
	})
}

func TestFlowsThatAreNotBelieved(t *testing.T) {
	server, c := start(t, emulator.Options{})
	for _, id := range []string{"a", "b", "c"} {
		body := map[string]any{"flow": map[string]any{"flowId": id, "metadata": map[string]any{"name": id}, "contents": map[string]any{"startTask": "0", "tasks": map[string]any{}}}}
		post(t, server, "/v2/mgmt/flow/import", body)
	}
	if state, err := c.Read(t.Context(), model.Flow); err != nil || state.Len() < 3 {
		t.Fatal(state.Len(), err)
	}
	for _, f := range []emulator.Fault{
		{Name: "401", Count: 1, Match: "/flow/list"},
		{Name: "html", Count: 1, Match: "/flow/list"},
		{Name: "truncated", Count: 1, Match: "/flow/list"},
		{Name: "403", Count: 1, Skip: 1, Match: "/flow/export"},
		{Name: "404", Count: 1, Match: "/flow/export"},
	} {
		if err := server.SetFaults(f); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(t.Context(), model.Flow); err == nil {
			t.Errorf("%+v passes", f)
		}
	}
	for name, tr := range map[string]model.Transition{
		"template":      {After: map[string]any{"template": "mfa"}},
		"no definition": {After: map[string]any{}},
	} {
		tr.Key = model.Key{Kind: model.Flow, ID: "a"}
		if _, err := api.Encode(tr); err == nil {
			t.Errorf("%s passes", name)
		}
	}
}
