package conformance

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pcconnect.ai/descope-mgmt/internal/api"
	"pcconnect.ai/descope-mgmt/internal/compiler"
	"pcconnect.ai/descope-mgmt/internal/emulator"
	"pcconnect.ai/descope-mgmt/internal/model"
)

// The environment of the contract on a real project. The base URL is for
// projects in places that their id does not name.
const (
	envProject = "DESCOPE_TEST_PROJECT_ID"
	envKey     = "DESCOPE_TEST_MANAGEMENT_KEY"
	envBaseURL = "DESCOPE_TEST_BASE_URL"
	// envBreak lets a test of the contract itself see how it ends badly: "panic"
	// or "fail".
	envBreak = "DESCOPE_TEST_BREAK"
)

// marker begins the id and the name of everything that the contract makes; a
// random part follows.
const marker = "dmct-"

// TestContractEmulator holds the emulator to the contract, under its default
// quirks and under others, and expects the open questions to be answered as the
// quirks say.
func TestContractEmulator(t *testing.T) {
	t.Parallel()
	other := emulator.Quirks{
		DuplicateStatus: 409, DuplicateCode: "E999999", NameCase: "fold", IDRule: "strict", NotFoundStatus: 400, UnknownParentStatus: 404,
		MissingFieldCode: "E011002", UnauthorizedCode: "E888888", TenantUpdate: "merge", SettingsUpdate: "merge", DeleteParent: "cascade",
		Successors: "all", ListOrder: "shuffled", DomainsLower: true, DomainsDedup: true, DomainsReorder: true, DuplicateDomains: "refuse",
		EmptyAttributes: "absent", UnknownAttributes: "drop", UnknownFields: "drop", UnknownRoles: "accept", EmptySSO: "none",
		Etag: "frozen", FlowEcho: "verbatim", FlowListDSL: "full", UnknownFlowDelete: "not-found",
	}
	third := emulator.Quirks{EmptySSO: "object", DeleteParent: "orphan", UnknownAttributes: "refuse", EmptyAttributes: "null"}
	for name, quirks := range map[string]emulator.Quirks{"default": {}, "other": other, "third": third} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, quirks, nil)
			w.seed(`{"tenants": [{"id": "theirs", "name": "By hand", "enforceSSO": true}], "roles": ["Tenant Admin"], "attributes": ["plan"],
				"flows": [{"flowId": "sign-in", "metadata": {"name": "T"}, "contents": {"startTask": "0", "tasks": {}}}]}`)
			before := w.stored()
			s := newSubject(t, subject{project: project, key: managementKey, base: "http://localhost", transport: emulator.Transport(w.server)})
			t.Cleanup(func() { // after the subject's own
				if after := w.stored(); len(after) != 2 || !model.Equal(allDecoded(t, before), allDecoded(t, after)) {
					t.Errorf("the project was %v and is %v", before, after)
				}
			})
			s.sweepAtTheEnd()
			s.contract()
			for question, want := range answers(w.server.Quirks()) {
				if got := s.observed[question]; got != want {
					t.Errorf("observed: %s: %s, want %s", question, got, want)
				}
			}
		})
	}
}

func allDecoded(t tb, objects map[model.Key]wire) map[string]any {
	t.Helper()
	out := map[string]any{}
	for k, o := range objects {
		out[k.String()] = decoded(t, o)
	}
	return out
}

// answers are what the contract must observe of an emulator.
func answers(q emulator.Quirks) map[string]string {
	choose := func(yes bool, a, b string) string {
		if yes {
			return a
		}
		return b
	}
	duplicate := fmt.Sprintf("HTTP %d %s", q.DuplicateStatus, q.DuplicateCode)
	merge := choose(q.TenantUpdate == "merge", "kept", "cleared")
	return map[string]string{
		"licence":                                  "tier1",
		"id taken":                                 duplicate,
		"name taken":                               duplicate,
		"name taken, in another case":              choose(q.NameCase == "fold", duplicate, "accepted"),
		"tenant not found, update":                 fmt.Sprintf("HTTP %d E112202", q.NotFoundStatus),
		"tenant not found, delete":                 fmt.Sprintf("HTTP %d E112202", q.NotFoundStatus),
		"name missing":                             "HTTP 400 " + q.MissingFieldCode,
		"parent unknown":                           fmt.Sprintf("HTTP %d E112202", q.UnknownParentStatus),
		"key wrong":                                "HTTP 401 " + q.UnauthorizedCode,
		"id of 40 characters":                      choose(q.IDRule == "strict", "HTTP 400 E011004", "accepted"),
		"SSO of a tenant without":                  q.EmptySSO,
		"a new user is found":                      "at once",
		"a new access key is found":                "at once",
		"a new SSO is found":                       "at once",
		"authType of a tenant with OIDC":           "oidc",
		"update without selfProvisioningDomains":   merge,
		"update without roleInheritance":           merge,
		"update without disabled":                  merge,
		"update without customAttributes":          merge,
		"update without enforceSSOExclusions":      merge,
		"update without federatedAppIds":           merge,
		"update with selfProvisioningDomains null": "cleared",
		"update with roleInheritance null":         "cleared",
		"update with customAttributes null":        "cleared",
		"settings without selfProvisioningDomains": choose(q.SettingsUpdate == "merge", "kept", "cleared"),
		"successors":                               choose(q.Successors == "all", "all descendants", "direct children"),
		"parent deleted":                           map[string]string{"refuse": "HTTP 400 E011004", "cascade": "its children went too", "orphan": "its children stayed"}[q.DeleteParent],
		"order of domains":                         choose(q.DomainsReorder, "changed", "kept"),
		"case of domains":                          choose(q.DomainsLower, "lowered", "kept"),
		"repeated domains":                         choose(q.DomainsDedup, "once", "kept"),
		"domain of another tenant":                 choose(q.DuplicateDomains == "refuse", "HTTP 400 E011004", "accepted"),
		"unknown custom attribute":                 map[string]string{"store": "stored", "drop": "dropped", "refuse": "HTTP 400 E011004"}[q.UnknownAttributes],
		"unknown field":                            choose(q.UnknownFields == "drop", "dropped", "stored"),
		"unknown role":                             choose(q.UnknownRoles == "accept", "accepted", "HTTP 400 E011004"),
		"flow imported again":                      choose(q.Etag == "frozen", "version kept, etag kept", "version moved, etag kept"),
		"flow changed":                             choose(q.Etag == "frozen", "version kept, etag kept", "version moved, etag moved"),
		"dsl in the list of flows":                 choose(q.FlowListDSL == "full", "full", "empty"),
		"componentsVersion of flow":                choose(q.FlowEcho == "verbatim", "as sent", "another"),
		"screen ids of flow":                       "as sent",
		"unknown flow deleted":                     choose(q.UnknownFlowDelete == "not-found", "HTTP 404 E000404", "accepted"),
	}
}

// TestContractProject holds a real project to the same contract, where one is
// given. What it makes bears a random prefix, and nothing else is touched; all of
// it goes at the end, whatever the end is.
func TestContractProject(t *testing.T) {
	id, key := os.Getenv(envProject), os.Getenv(envKey)
	switch {
	case id == "" && key == "":
		missing(t, "project", fmt.Sprintf("the contract was held against the emulator only; set %s and %s to hold a real project to it", envProject, envKey))
	case id == "" || key == "":
		t.Fatalf("only one of %s and %s is set", envProject, envKey)
	}
	refuseNamedProject(t, id)
	base := os.Getenv(envBaseURL)
	if base == "" {
		var err error
		if base, err = api.BaseURL(id); err != nil {
			t.Fatal(err)
		}
	}
	if err := api.CheckBaseURL(base, false); err != nil {
		t.Fatalf("%s: %v", envBaseURL, err)
	}
	s := newSubject(t, subject{project: id, key: key, base: base, transport: http.DefaultTransport, real: true})
	s.sweepAtTheEnd()
	s.contract()
	switch os.Getenv(envBreak) {
	case "panic":
		s.create("broken", nil)
		s.create("below", map[string]any{"parent": s.prefix + "broken"})
		panic("as " + envBreak + " says")
	case "fail":
		s.create("broken", nil)
		t.Fatal("as " + envBreak + " says")
	}
}

// refuseNamedProject ends the test if an environment of the repository is that
// project, or if that cannot be told.
func refuseNamedProject(t *testing.T, id string) {
	t.Helper()
	m, err := compiler.Find(".")
	if err != nil {
		t.Fatalf("whether %s is the project of an environment cannot be told: %v", id, err)
	}
	results, diagnostics := compiler.CompileAll(t.Context(), m)
	if len(diagnostics.Errors()) > 0 || len(results) == 0 {
		t.Fatalf("whether %s is the project of an environment cannot be told: %v", id, diagnostics)
	}
	for _, r := range results {
		if r.Environment.ProjectID == id {
			t.Fatalf("%s is the project of the environment %s: the contract makes and deletes tenants, and needs a project of its own", id, r.Environment.Name)
		}
	}
}

// subject is a project that is held to the contract.
type subject struct {
	*testing.T
	project, key, base string
	transport          http.RoundTripper
	real               bool // not an emulator in this process

	client   *api.Client
	prefix   string
	flows    []string // imported
	observed map[string]string
	pauses   *atomic.Int64
}

func newSubject(t *testing.T, s subject) *subject {
	t.Helper()
	s.T, s.observed, s.pauses = t, map[string]string{}, &atomic.Int64{}
	s.prefix = marker + strings.ToLower(rand.Text()[:8]) + "-"
	s.client = s.clientWith(s.key)
	if s.real {
		t.Logf("project %s at %s: everything made here begins with %s", s.project, s.base, s.prefix)
	}
	return &s
}

func (s *subject) clientWith(key string) *api.Client {
	s.Helper()
	c, err := api.New(api.Config{
		BaseURL: s.base, ProjectID: s.project, Key: api.NewSecret(key), Transport: s.transport, Workers: 4,
		OnWait: func(w api.Wait) {
			if w.Reason == api.WaitPause {
				s.pauses.Add(1)
			}
		},
	})
	if err != nil {
		s.Fatal(err)
	}
	return c
}

// contract is all of it, a subtest for each clause.
func (s *subject) contract() {
	s.Helper()
	for _, clause := range clauses() {
		ok := s.Run(clause.name, func(t *testing.T) {
			part := *s // the map of what was observed is shared
			part.T = t
			defer func() { s.flows = part.flows }()
			clause.holds(&part)
		})
		if !ok && s.real && s.Failed() {
			s.Logf("%s does not hold", clause.name)
		}
	}
	s.observe("refusals for coming too soon", fmt.Sprint(s.pauses.Load()))
}

// observe answers an open question about Descope.
func (s *subject) observe(question, answer string) {
	s.Helper()
	s.observed[question] = answer
	s.Logf("observed: %s: %s", question, answer)
}

func (s *subject) tenant(name string) model.Key {
	return model.Key{Kind: model.Tenant, ID: s.prefix + name}
}

// owned ends the test before anything is sent about an object of others.
func (s *subject) owned(id string) {
	s.Helper()
	if !strings.HasPrefix(id, s.prefix) {
		s.Fatalf("a mistake in the contract: %s is not its own", id)
	}
}

// do performs a call with a body as it stands.
func (s *subject) do(op model.Op, name string, fields map[string]any) error {
	s.Helper()
	k := s.tenant(name)
	s.owned(k.ID)
	body := map[string]any{"id": k.ID}
	for field, v := range fields {
		body[field] = v
	}
	normal, err := model.Normalize(body)
	if err != nil {
		s.Fatal(err)
	}
	_, err = s.client.Do(s.Context(), model.Step{Op: op, Key: k, Body: model.CanonicalJSON(normal)}, nil)
	return err
}

// create makes a tenant, which must work.
func (s *subject) create(name string, fields map[string]any) model.Key {
	s.Helper()
	all := map[string]any{"name": s.prefix + name}
	for field, v := range fields {
		all[field] = v
	}
	if err := s.do(model.TenantCreate, name, all); err != nil {
		s.Fatalf("creating %s: %v", s.tenant(name), err)
	}
	return s.tenant(name)
}

// remove deletes a tenant, which must work.
func (s *subject) remove(names ...string) {
	s.Helper()
	for _, name := range names {
		if err := s.do(model.TenantDelete, name, map[string]any{"cascade": false}); err != nil {
			s.Fatalf("deleting %s: %v", s.tenant(name), err)
		}
	}
}

// get loads a tenant, which must exist.
func (s *subject) get(k model.Key) model.Resource {
	s.Helper()
	r, exists, err := s.client.Get(s.Context(), k)
	if err != nil || !exists {
		s.Fatalf("loading %s: exists %v, %v", k, exists, err)
	}
	return r
}

// raw is a tenant as it was sent, field by field.
func (s *subject) raw(k model.Key) map[string]any {
	s.Helper()
	return value(s, s.get(k).Observed.Raw).(map[string]any)
}

// reach takes a tenant to some attributes, the way a sync does, and says how many
// calls that took.
func (s *subject) reach(k model.Key, want map[string]any) int {
	s.Helper()
	s.owned(k.ID)
	normal, err := model.Normalize(want)
	if err != nil {
		s.Fatal(err)
	}
	live := s.get(k)
	tr := model.Transition{Key: k, Before: &live, After: model.CloneMap(live.Attrs)}
	for name, v := range model.Sorted(k.Kind, normal.(map[string]any)) {
		tr.After[name] = v
		tr.Managed = append(tr.Managed, name)
	}
	slices.Sort(tr.Managed)
	steps, err := api.Encode(tr)
	if err != nil {
		s.Fatal(err)
	}
	for _, step := range steps {
		if _, err := s.client.Do(s.Context(), step, nil); err != nil {
			s.Fatalf("%s of %s: %v", step.Op, k, err)
		}
	}
	return len(steps)
}

// post makes a call that the client has no method for. id is what it is about.
func (s *subject) post(path, id string, body map[string]any) (status int, answer map[string]any) {
	s.Helper()
	s.owned(id)
	text := model.CanonicalJSON(body)
	ctx, cancel := context.WithTimeout(s.Context(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimRight(s.base, "/")+path, strings.NewReader(string(text)))
	if err != nil {
		s.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.project+":"+s.key)
	req.Header.Set("Content-Type", "application/json")
	resp, err := s.transport.RoundTrip(req)
	if err != nil {
		s.Fatalf("%s: %v", path, err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	if err != nil {
		s.Fatalf("%s: %v", path, err)
	}
	answer, _ = value(s, data).(map[string]any)
	return resp.StatusCode, answer
}

// answer is an error in short: "HTTP 400 E011004", or "accepted" for none. An
// error that is no answer of Descope ends the test.
func (s *subject) answer(err error) string {
	s.Helper()
	if err == nil {
		return "accepted"
	}
	var e *api.Error
	if !errors.As(err, &e) || e.Status < 400 {
		s.Fatalf("this is no answer: %v", err)
	}
	return strings.TrimSpace(fmt.Sprintf("HTTP %d %s", e.Status, e.Code))
}

// refused is a call that must be, with a status that says whose fault it is.
func (s *subject) refused(question string, err error) {
	s.Helper()
	s.observe(question, s.answer(err))
	var e *api.Error
	if !errors.As(err, &e) || e.Status > 499 || e.Status == http.StatusTooManyRequests {
		s.Errorf("%s: this is no refusal: %v", question, err)
	}
}

// sweepAtTheEnd deletes at the end of the test, however it ends, what it made and
// is still there.
func (s *subject) sweepAtTheEnd() {
	s.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(s.Context()), 10*time.Minute)
		defer cancel()
		for _, id := range s.flows {
			step := model.Step{Op: model.FlowDelete, Key: model.Key{Kind: model.Flow, ID: id}, Body: model.CanonicalJSON(map[string]any{"ids": []any{id}})}
			if _, err := s.client.Do(ctx, step, nil); err != nil && !api.IsNotFound(err) {
				s.Errorf("flow/%s is left over: %v", id, err)
			}
		}
		live, err := s.client.Read(ctx, model.Tenant)
		if err != nil {
			s.Errorf("what is left over of %s cannot be told: %v", s.prefix, err)
			return
		}
		for _, r := range childrenFirst(live) {
			switch {
			case strings.HasPrefix(r.Key.ID, s.prefix):
				step := model.Step{Op: model.TenantDelete, Key: r.Key, Body: model.CanonicalJSON(map[string]any{"id": r.Key.ID, "cascade": false})}
				if _, err := s.client.Do(ctx, step, nil); err != nil && !api.IsNotFound(err) {
					s.Errorf("%s is left over: %v", r.Key, err)
				}
			case strings.HasPrefix(r.Key.ID, marker):
				s.Logf("%s is of another run, of now or of before; if of before, delete it", r.Key)
			}
		}
	})
}

// childrenFirst are the tenants of a state, those with more above them first.
func childrenFirst(live model.State) []model.Resource {
	depth := func(r model.Resource) int {
		n := 0
		for n < live.Len() {
			parent, _ := r.Attrs["parent"].(string)
			above, ok := live.Get(model.Key{Kind: model.Tenant, ID: parent})
			if !ok {
				break
			}
			r = above
			n++
		}
		return n
	}
	sorted := slices.Clone(live.Of(model.Tenant))
	slices.SortStableFunc(sorted, func(a, b model.Resource) int { return depth(b) - depth(a) })
	return sorted
}
