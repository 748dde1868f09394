package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"pcconnect.ai/descope-mgmt/internal/api"
	"pcconnect.ai/descope-mgmt/internal/apply"
	"pcconnect.ai/descope-mgmt/internal/emulator"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
)

const (
	project       = "P2aAc4T2V93bddihGEx2Ryhc8e5Z"
	managementKey = "K2conformance0fKeYsEcReTvAlUeThAtNeVeRsHoWs0123456789012345678901234567"
)

// tb is what a world needs of a test or of a property.
type tb interface {
	Helper()
	Context() context.Context
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// world is an emulated project and everything between it and a desired state:
// what the command line is without files and a terminal.
type world struct {
	t      tb
	server *emulator.Server
	client *api.Client
	memory memory
	// turns: every reply shows sets in another order, see [turning].
	turns bool
}

// memory keeps what was last applied.
type memory interface {
	load() (model.State, error)
	save(model.State) error
}

// ram is a memory that ends with the test.
type ram struct{ state model.State }

func (r *ram) load() (model.State, error) { return r.state, nil }
func (r *ram) save(s model.State) error   { r.state = s; return nil }

func newWorld(t tb, q emulator.Quirks, m memory) *world {
	t.Helper()
	server, err := emulator.New(emulator.Options{Quirks: q, Budgets: emulator.NoBudgets()})
	if err != nil {
		t.Fatalf("%v", err)
	}
	w := &world{t: t, server: server, memory: m}
	w.connect(emulator.Transport(server))
	return w
}

func (w *world) connect(transport http.RoundTripper) {
	w.t.Helper()
	var err error
	if w.client, err = api.New(api.Config{
		BaseURL: "http://localhost", ProjectID: project, Key: api.NewSecret(managementKey),
		Transport: transport, Budgets: hugeBudgets(),
	}); err != nil {
		w.t.Fatalf("%v", err)
	}
}

// turnSets makes every reply show sets in another order.
func (w *world) turnSets() {
	w.turns = true
	w.connect(&turning{RoundTripper: emulator.Transport(w.server)})
}

// turning is a transport that turns the lists of a tenant that are sets by one
// place more in each reply: no public source says that their order is kept.
type turning struct {
	http.RoundTripper
	n atomic.Int64
}

func isSet(field string) bool {
	switch field {
	case "selfProvisioningDomains", "defaultRoles", "domains", "enforceSSOExclusions", "federatedAppIds", "successors":
		return true
	}
	return false
}

func (t *turning) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.RoundTripper.RoundTrip(req)
	if err != nil || req.Method != http.MethodGet || !strings.HasPrefix(req.URL.Path, "/v1/mgmt/tenant") {
		return resp, err
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	v, err := model.DecodeJSON(text)
	if err != nil {
		return nil, err
	}
	object, _ := v.(map[string]any)
	tenants, all := object["tenants"].([]any)
	if !all {
		tenants = []any{object}
	}
	for _, tenant := range tenants {
		fields, _ := tenant.(map[string]any)
		for name, v := range fields {
			if l, ok := v.([]any); ok && isSet(name) && len(l) > 1 {
				at := int(t.n.Add(1)) % len(l)
				fields[name] = slices.Concat(l[at:], l[:at])
			}
		}
	}
	body := model.CanonicalJSON(object)
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return resp, nil
}

// hugeBudgets never make a test wait, but for the smoothing in front of them.
func hugeBudgets() []api.Budget {
	budgets := api.DefaultBudgets()
	for i := range budgets {
		budgets[i].Requests = 10_000
	}
	return budgets
}

// seed replaces the project by one in the form of a seed file.
func (w *world) seed(document string) {
	w.t.Helper()
	if err := w.server.Seed(fmt.Appendf(nil, `{"version": 1, "projects": {%q: %s}}`, project, document)); err != nil {
		w.t.Fatalf("%v", err)
	}
}

// post makes a call as somebody else would.
func (w *world) post(path, body string) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, "http://localhost"+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatalf("%v", err)
	}
	req.Header.Set("Authorization", "Bearer "+project+":"+managementKey)
	resp, err := emulator.Transport(w.server).RoundTrip(req)
	if err != nil {
		w.t.Fatalf("%s: %v", path, err)
	}
	defer resp.Body.Close()
	if answer, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != http.StatusOK {
		w.t.Fatalf("%s %s: %d %s %v", path, body, resp.StatusCode, answer, err)
	}
}

// wire is an object as the emulator stores it, field by field.
type wire map[string]json.RawMessage

// stored are all objects of the project as they are stored, seen without the
// client.
func (w *world) stored() map[model.Key]wire {
	w.t.Helper()
	var document struct {
		Projects map[string]struct{ Tenants, Flows []wire }
	}
	if err := json.Unmarshal(w.server.Export(), &document); err != nil {
		w.t.Fatalf("%v", err)
	}
	out := map[model.Key]wire{}
	for kind, objects := range map[model.Kind][]wire{
		model.Tenant: document.Projects[project].Tenants, model.Flow: document.Projects[project].Flows,
	} {
		for _, o := range objects {
			raw := o["id"]
			if kind == model.Flow {
				raw = o["flowId"]
			}
			var id string
			if err := json.Unmarshal(raw, &id); err != nil {
				w.t.Fatalf("an object without an id: %v", o)
			}
			out[model.Key{Kind: kind, ID: id}] = o
		}
	}
	return out
}

// plan reads the project and compares it, as the command line does. The plan has
// been saved and loaded: what runs is what a file can hold.
func (w *world) plan(desired model.State, o plan.Options) *plan.Plan {
	w.t.Helper()
	last, err := w.memory.load()
	if err != nil {
		w.t.Fatalf("%v", err)
	}
	live, err := w.client.Read(w.t.Context(), kinds(desired, last)...)
	if err != nil {
		w.t.Fatalf("%v", err)
	}
	o.Environment, o.Project, o.BaseURL, o.Encode = "dev", project, w.client.BaseURL(), api.Encode
	computed, err := plan.Compute(desired, live, last, o)
	if err != nil {
		w.t.Fatalf("%v", err)
	}
	text, err := computed.MarshalJSON()
	if err != nil {
		w.t.Fatalf("%v", err)
	}
	p := &plan.Plan{}
	if err := p.UnmarshalJSON(text); err != nil {
		w.t.Fatalf("a plan that was saved cannot be read: %v\n%s", err, text)
	}
	if again, err := p.MarshalJSON(); err != nil || !bytes.Equal(again, text) {
		w.t.Fatalf("a plan that was saved is another when read (%v):\n%s\n%s", err, text, again)
	}
	return p
}

// kinds are the kinds that are worth reading.
func kinds(states ...model.State) []model.Kind {
	wanted := []model.Kind{model.Tenant}
	for _, s := range states {
		if len(s.Of(model.Flow)) > 0 && !slices.Contains(wanted, model.Flow) {
			wanted = append(wanted, model.Flow)
		}
	}
	return wanted
}

// apply runs a plan, every change of which must be done, by exactly the calls
// that it says; nothing else may have changed. Then it remembers.
func (w *world) apply(desired model.State, p *plan.Plan, workers int) {
	w.t.Helper()
	if err := w.server.Reset(emulator.ResetRequests); err != nil {
		w.t.Fatalf("%v", err)
	}
	before := w.stored()
	result := apply.Run(w.t.Context(), p, w.client, apply.Options{Workers: workers})
	for _, o := range result.Outcomes {
		if o.Status != apply.Done {
			w.t.Fatalf("%s %s: %s: %v", o.Action, o.Key, o.Status, o.Err)
		}
	}
	w.calls(p)
	w.untouched(p, before)
	w.remember(desired, p, result)
}

// calls holds the emulator's log against the steps of a plan.
func (w *world) calls(p *plan.Plan) {
	w.t.Helper()
	steps := 0
	for _, c := range p.Changes {
		steps += len(c.Steps)
	}
	writes := 0
	for _, r := range w.server.Requests() {
		if !isWrite(r) {
			continue // looking for what is not there is fine
		}
		writes++
		if r.Status != http.StatusOK {
			w.t.Errorf("%s %s: %d %s", r.Method, r.Path, r.Status, r.Body)
		}
	}
	if writes != steps {
		w.t.Errorf("%d calls that write, the plan has %d steps", writes, steps)
	}
}

func isWrite(r emulator.Request) bool {
	switch r.Path {
	case "/v1/mgmt/tenant/create", "/v1/mgmt/tenant/update", "/v1/mgmt/tenant/delete", "/v1/mgmt/tenant/updateDefaultRoles",
		"/v2/mgmt/flow/import", "/v1/mgmt/flow/delete":
		return true
	}
	return false
}

// remember records what was applied: the same as the command line does after it
// has verified a run.
func (w *world) remember(desired model.State, p *plan.Plan, result apply.Result) {
	w.t.Helper()
	last, err := w.memory.load()
	if err != nil {
		w.t.Fatalf("%v", err)
	}
	live, err := w.client.Read(w.t.Context(), kinds(desired, last)...)
	if err != nil {
		w.t.Fatalf("%v", err)
	}
	now := map[model.Key]model.Resource{}
	for _, r := range last.Resources() {
		now[r.Key] = r
	}
	advance := func(k model.Key) {
		want, wanted := desired.Get(k)
		is, exists := live.Get(k)
		if wanted && exists {
			now[k] = plan.Applied(want, is)
		} else {
			delete(now, k)
		}
	}
	for _, o := range result.Outcomes {
		if o.Status == apply.Done {
			advance(o.Key)
		}
	}
	for _, k := range p.Unchanged {
		if _, ours := last.Get(k); ours {
			advance(k)
		}
	}
	next, err := model.NewState(slices.Collect(maps.Values(now)))
	if err != nil {
		w.t.Fatalf("%v", err)
	}
	if err := w.memory.save(next); err != nil {
		w.t.Fatalf("%v", err)
	}
}

// untouched holds every object against what it was before a plan ran: what the
// plan does not name has the same bytes.
func (w *world) untouched(p *plan.Plan, before map[model.Key]wire) {
	w.t.Helper()
	changes := map[model.Key]plan.Change{}
	for _, c := range p.Changes {
		changes[c.Key] = c
	}
	after := w.stored()
	for k, was := range before {
		is, exists := after[k]
		switch gone := changes[k].Action == plan.Delete; {
		case exists == gone:
			w.t.Errorf("%s: exists %v after the plan, which deletes it: %v", k, exists, gone)
		case exists:
			w.sameObject(k, was, is, changes[k])
		}
	}
	for k := range after {
		if _, existed := before[k]; !existed && changes[k].Action != plan.Create {
			w.t.Errorf("%s has appeared, and the plan does not create it", k)
		}
	}
}

func (w *world) sameObject(k model.Key, was, is wire, c plan.Change) {
	w.t.Helper()
	managed := map[string]bool{}
	attributes := map[string]bool{}
	for _, f := range c.Fields {
		elements, _ := model.SplitPath(f.Path)
		if elements[0] == "custom_attributes" && len(elements) > 1 {
			attributes[elements[1]] = true
		} else {
			managed[wireField(elements[0])] = true
		}
	}
	if k.Kind == model.Flow {
		if len(c.Fields) == 0 && !model.Equal(decoded(w.t, was), decoded(w.t, is)) {
			w.t.Errorf("%s was %s and is %s", k, was, is)
		}
		return
	}
	names := slices.Collect(maps.Keys(was))
	for name := range is {
		if _, ok := was[name]; !ok {
			names = append(names, name)
		}
	}
	for _, name := range names {
		switch {
		case managed[name] || w.serverAlters(name, was[name], is[name], c):
		case name == "customAttributes" && len(attributes) > 0:
			w.sameAttributes(k, was[name], is[name], attributes)
		case !bytes.Equal(was[name], is[name]):
			w.t.Errorf("%s: %s was %s and is %s, and the plan does not say so", k, name, was[name], is[name])
		}
	}
}

func (w *world) sameAttributes(k model.Key, was, is json.RawMessage, managed map[string]bool) {
	w.t.Helper()
	var a, b wire
	if json.Unmarshal(was, &a) != nil || json.Unmarshal(is, &b) != nil {
		w.t.Fatalf("%s: %s and %s are no attributes", k, was, is)
	}
	names := slices.Collect(maps.Keys(a))
	for name := range b {
		names = append(names, name)
	}
	for _, name := range names {
		if !managed[name] && !bytes.Equal(a[name], b[name]) {
			w.t.Errorf("%s: attribute %q was %s and is %s, and the plan does not say so", k, name, a[name], b[name])
		}
	}
}

// serverAlters reports that a field may change as it did in any update: because
// of a quirk of the emulator, or since a set was read in another order.
func (w *world) serverAlters(field string, was, is json.RawMessage, c plan.Change) bool {
	if q := w.server.Quirks(); c.Action == plan.Update {
		turned := func() bool { return is != nil && model.Equal(asSet(value(w.t, was)), asSet(value(w.t, is))) }
		if w.turns && isSet(field) {
			return turned()
		}
		switch field {
		case "selfProvisioningDomains":
			return q.DomainsReorder && turned()
		case "unknownText", "unknownNumber", "unknownObject":
			return q.UnknownFields == "drop" && is == nil
		}
	}
	return false
}

// asSet sorts a list, whose order then counts no more.
func asSet(v any) any {
	if list, ok := v.([]any); ok {
		return model.SortedSet(list)
	}
	return v
}

// value is JSON in normal form.
func value(t tb, text []byte) any {
	t.Helper()
	v, err := model.DecodeJSON(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func wireField(attribute string) string {
	return map[string]string{
		"name": "name", "domains": "selfProvisioningDomains", "self_provisioning": "selfProvisioningDomains",
		"custom_attributes": "customAttributes", "parent": "parent", "disabled": "disabled",
		"role_inheritance": "roleInheritance", "default_roles": "defaultRoles",
	}[attribute]
}

// decoded is an object in normal form.
func decoded(t tb, o wire) any {
	t.Helper()
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return value(t, text)
}

// everything allows what can be allowed.
func everything() plan.Allowed {
	return plan.Allowed{MassChange: true, OverwriteDrift: true, AdoptExisting: true, ConfirmProject: project}
}

// drain lets virtual time pass for what nobody waits for any more.
func drain() { time.Sleep(time.Hour) }
