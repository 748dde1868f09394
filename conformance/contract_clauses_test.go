package conformance

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/api"
	"pcconnect.ai/descope-mgmt/internal/model"
)

// clause is a part of the contract: what the tool relies on. Where it does not
// rely on anything, it only observes.
type clause struct {
	name  string
	holds func(*subject)
}

func clauses() []clause {
	return []clause{
		{"licence", licence},
		{"life of a tenant", lifeOfATenant},
		{"taken ids and names", taken},
		{"what does not exist", notFound},
		{"what is refused", refusals},
		{"a raw update replaces", rawUpdate},
		{"a sync preserves", preserves},
		{"hierarchy", hierarchy},
		{"default roles", defaultRoles},
		{"domains are sets", domainsAreSets},
		{"custom attributes", customAttributes},
		{"settings", settings},
		{"what the configuration cannot say", unmanaged},
		{"what a tenant is used by", use},
		{"flows", flows},
	}
}

func licence(s *subject) {
	l, err := s.client.License(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	s.observe("licence", l.Tier)
	if !slices.Contains([]string{"tier1", "tier2", "tier3", "tier4"}, l.Tier) {
		s.Errorf("the tier is %q", l.Tier)
	}
}

func lifeOfATenant(s *subject) {
	k := s.tenant("life")
	if _, exists, err := s.client.Get(s.Context(), k); exists || err != nil {
		s.Fatalf("before it is made: exists %v, %v", exists, err)
	}
	domain := s.prefix + "life.example.com"
	s.create("life", map[string]any{"selfProvisioningDomains": []any{domain}})
	r := s.get(k)
	want := map[string]any{
		"name": s.prefix + "life", "domains": []any{domain}, "self_provisioning": true, "custom_attributes": map[string]any{},
		"parent": "", "disabled": false, "role_inheritance": "", "default_roles": []any{},
	}
	if !model.Equal(r.Attrs, want) {
		s.Errorf("made: %v, want %v", r.Attrs, want)
	}
	s.inList(k, true)

	changed := map[string]any{"name": s.prefix + "renamed", "disabled": true, "role_inheritance": "userOnly", "domains": []any{}, "self_provisioning": false}
	if n := s.reach(k, changed); n != 1 {
		s.Errorf("%d calls for an update, want 1", n)
	}
	r = s.get(k)
	for name, v := range changed {
		if !model.Equal(r.Attrs[name], v) {
			s.Errorf("updated: %s is %v, want %v", name, r.Attrs[name], v)
		}
	}
	if n := s.reach(k, changed); n != 0 {
		s.Errorf("%d calls where nothing differs", n)
	}

	s.remove("life")
	if _, exists, err := s.client.Get(s.Context(), k); exists || err != nil {
		s.Errorf("deleted: exists %v, %v", exists, err)
	}
	s.inList(k, false)
}

// inList holds the list of all tenants against one tenant loaded by itself.
func (s *subject) inList(k model.Key, want bool) {
	s.Helper()
	all, err := s.client.Read(s.Context(), model.Tenant)
	if err != nil {
		s.Fatal(err)
	}
	listed, is := all.Get(k)
	if is != want {
		s.Errorf("%s is in the list: %v, want %v", k, is, want)
	}
	if is && want {
		if alone := s.get(k); alone.Digest() != listed.Digest() {
			s.Errorf("%s is %s in the list and %s by itself", k, listed.Observed.Raw, alone.Observed.Raw)
		}
	}
}

func taken(s *subject) {
	s.create("taken", nil)
	s.refused("id taken", s.do(model.TenantCreate, "taken", map[string]any{"name": s.prefix + "another"}))
	s.refused("name taken", s.do(model.TenantCreate, "other", map[string]any{"name": s.prefix + "taken"}))
	if r := s.get(s.tenant("taken")); r.Attrs["name"] != s.prefix+"taken" {
		s.Errorf("a create of a taken id changed it: %s", r.Observed.Raw)
	}
	err := s.do(model.TenantCreate, "case", map[string]any{"name": strings.ToUpper(s.prefix + "taken")})
	s.observe("name taken, in another case", s.answer(err))

	s.create("third", nil)
	if err := s.do(model.TenantUpdate, "third", map[string]any{"name": s.prefix + "taken"}); s.answer(err) == "accepted" {
		s.Errorf("an update to a taken name is accepted")
	}
	for name, want := range map[string]bool{"taken": true, "other": false} {
		if _, exists, err := s.client.Get(s.Context(), s.tenant(name)); exists != want || err != nil {
			s.Errorf("%s exists: %v, %v", name, exists, err)
		}
	}
}

func notFound(s *subject) {
	for op, question := range map[model.Op]string{model.TenantUpdate: "tenant not found, update", model.TenantDelete: "tenant not found, delete"} {
		err := s.do(op, "nowhere", map[string]any{"name": s.prefix + "nowhere"})
		s.refused(question, err)
		if !api.IsNotFound(err) {
			s.Errorf("%s is not understood as not found: %v", question, err)
		}
	}
}

func refusals(s *subject) {
	s.refused("name missing", s.do(model.TenantCreate, "unnamed", nil))
	s.refused("parent unknown", s.do(model.TenantCreate, "orphan", map[string]any{"name": s.prefix + "orphan", "parent": s.prefix + "nowhere"}))
	long := strings.Repeat("x", 40-len(s.prefix))
	s.observe("id of 40 characters", s.answer(s.do(model.TenantCreate, long, map[string]any{"name": s.prefix + "long"})))

	// One read with a key that cannot be right.
	wrong := s.clientWith(s.key[:max(0, len(s.key)-6)] + "-wrong")
	_, err := wrong.License(s.Context())
	if err == nil { // a licence may be no secret
		_, _, err = wrong.Get(s.Context(), s.tenant("nowhere"))
	}
	s.refused("key wrong", err)
	if !api.IsAuth(err) || strings.Contains(err.Error(), s.key) {
		s.Errorf("a wrong key is reported as %v", err)
	}
}

// rich are fields that a tenant may have beside its name, as far as they work in
// a project that nobody has prepared.
func (s *subject) rich(name string) map[string]any {
	return map[string]any{
		"selfProvisioningDomains": []any{s.prefix + name + ".example.com"},
		"roleInheritance":         "userOnly",
		"disabled":                true,
		"enforceSSOExclusions":    []any{"U2nobody", "U1nobody"},
		"federatedAppIds":         []any{"SA2nothing"},
		"customAttributes":        map[string]any{"plan": "pro"},
	}
}

// createRich makes a tenant with as many of the fields as the project takes, and
// says what they read as.
func (s *subject) createRich(name string) map[string]any {
	s.Helper()
	fields := s.rich(name)
	s.create(name, nil)
	taken := map[string]any{"name": s.prefix + name}
	for field, v := range fields {
		taken[field] = v
		if answer := s.answer(s.do(model.TenantUpdate, name, taken)); answer != "accepted" {
			s.observe(field+" of an unprepared project", answer)
			delete(taken, field)
		}
	}
	if err := s.do(model.TenantUpdate, name, taken); err != nil {
		s.Fatal(err)
	}
	is := s.raw(s.tenant(name))
	for field := range fields {
		if model.Unset(is[field]) {
			s.observe(field+" of an unprepared project", "not stored")
		}
	}
	return is
}

// rawUpdate documents what an update does that leaves fields out, or sends null.
// The tool never does either; others do.
func rawUpdate(s *subject) {
	k := s.tenant("raw")
	before := s.createRich("raw")
	if err := s.do(model.TenantUpdate, "raw", map[string]any{"name": s.prefix + "raw"}); err != nil {
		s.Fatal(err)
	}
	s.whatBecame("update without ", before, s.raw(k))
	for _, field := range []string{"id", "name", "createdTime", "parent"} {
		if after := s.raw(k); !model.Equal(before[field], after[field]) {
			s.Errorf("an update changed %s from %v to %v", field, before[field], after[field])
		}
	}

	full := map[string]any{"name": s.prefix + "raw"}
	nulls := map[string]any{"name": s.prefix + "raw"}
	for field := range s.rich("raw") {
		if !model.Unset(before[field]) {
			full[field], nulls[field] = before[field], nil
		}
	}
	for _, fields := range []map[string]any{full, nulls} {
		if err := s.do(model.TenantUpdate, "raw", fields); err != nil {
			s.observe("update with null", s.answer(err))
			return
		}
	}
	after := s.raw(k)
	for field := range nulls {
		if field != "name" {
			s.observe("update with "+field+" null", clearedOrKept(before[field], after[field]))
		}
	}
}

func (s *subject) whatBecame(question string, before, after map[string]any) {
	s.Helper()
	for field := range s.rich("") {
		if !model.Unset(before[field]) {
			s.observe(question+field, clearedOrKept(before[field], after[field]))
		}
	}
}

func clearedOrKept(before, after any) string {
	switch {
	case model.Unset(after):
		return "cleared"
	case model.Equal(asSet(before), asSet(after)):
		return "kept"
	}
	return "changed to " + string(model.CanonicalJSON(after))
}

// preserves is the promise on which all rests: a change of one field leaves every
// other as it was, the unknown ones included.
func preserves(s *subject) {
	k := s.tenant("preserve")
	before := s.createRich("preserve")
	err := s.do(model.TenantUpdate, "preserve", overlaid(before, map[string]any{"dmctUnknownField": map[string]any{"a": []any{1, "x"}}}))
	answer := s.answer(err)
	if before = s.raw(k); err == nil {
		answer = "dropped"
		if before["dmctUnknownField"] != nil {
			answer = "stored"
		}
	}
	s.observe("unknown field", answer)

	if n := s.reach(k, map[string]any{"name": s.prefix + "preserved"}); n != 1 {
		s.Errorf("%d calls, want 1", n)
	}
	s.onlyMoved(k, before, "name")
	before = s.raw(k)
	s.reach(k, map[string]any{"disabled": before["disabled"] != true})
	s.onlyMoved(k, before, "disabled")
	before = s.raw(k)
	s.reach(k, map[string]any{"domains": []any{}, "self_provisioning": false})
	s.onlyMoved(k, before, "selfProvisioningDomains")
}

// overlaid is the body of an update of a tenant as it was read.
func overlaid(read, fields map[string]any) map[string]any {
	body := map[string]any{}
	for name, v := range read {
		if !slices.Contains([]string{"id", "createdTime", "successors", "parent", "domains", "defaultRoles"}, name) {
			body[name] = v
		}
	}
	for name, v := range fields {
		body[name] = v
	}
	return body
}

// onlyMoved holds all fields of a tenant but one against what they were.
func (s *subject) onlyMoved(k model.Key, before map[string]any, moved string) {
	s.Helper()
	after := s.raw(k)
	for name := range after {
		if _, was := before[name]; !was {
			s.Errorf("%s has a new field %s: %v", k, name, after[name])
		}
	}
	for name, was := range before {
		switch same := model.Equal(asSet(was), asSet(after[name])); {
		case name == moved && same:
			s.Errorf("%s of %s is still %v", name, k, was)
		case name != moved && !same:
			s.Errorf("a change of %s took along %s of %s: it was %v and is %v", moved, name, k, was, after[name])
		}
	}
}

func hierarchy(s *subject) {
	top := s.create("top", nil)
	mid := s.create("mid", map[string]any{"parent": top.ID})
	leaf := s.create("leaf", map[string]any{"parent": mid.ID})
	for k, parent := range map[model.Key]string{top: "", mid: top.ID, leaf: mid.ID} {
		if got := s.get(k).Attrs["parent"]; got != parent {
			s.Errorf("the parent of %s is %v, want %q", k, got, parent)
		}
	}
	all, err := s.client.Read(s.Context(), model.Tenant)
	if err != nil {
		s.Fatal(err)
	}
	if listed, ok := all.Get(leaf); !ok || listed.Attrs["parent"] != mid.ID {
		s.Errorf("in the list the parent of %s is %v, want %s", leaf, listed.Attrs["parent"], mid.ID)
	}
	switch below := model.SortedSet(list(s.raw(top)["successors"])); {
	case model.Equal(below, []any{mid.ID}):
		s.observe("successors", "direct children")
	case model.Equal(below, model.SortedSet([]any{mid.ID, leaf.ID})):
		s.observe("successors", "all descendants")
	default:
		s.Errorf("the successors of %s are %v", top, below)
	}
	if below := list(s.raw(leaf)["successors"]); len(below) > 0 {
		s.Errorf("a leaf has successors: %v", below)
	}

	s.reach(mid, map[string]any{"name": s.prefix + "middle"})
	if got := s.get(mid).Attrs["parent"]; got != top.ID {
		s.Errorf("after an update the parent of %s is %v", mid, got)
	}

	answer := s.answer(s.do(model.TenantDelete, "mid", map[string]any{"cascade": false}))
	if answer == "accepted" {
		answer = "its children went too"
		if _, exists, err := s.client.Get(s.Context(), leaf); err != nil {
			s.Fatal(err)
		} else if exists {
			answer = "its children stayed"
		}
	}
	s.observe("parent deleted", answer)
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

func defaultRoles(s *subject) {
	k := s.create("roles", nil)
	err := s.do(model.TenantDefaultRoles, "roles", map[string]any{"defaultRoles": []any{s.prefix + "no such role"}})
	s.observe("unknown role", s.answer(err))

	const role = "Tenant Admin" // there in every new project
	if answer := s.answer(s.do(model.TenantDefaultRoles, "roles", map[string]any{"defaultRoles": []any{role}})); answer != "accepted" {
		s.Skipf("skipped: the project takes no role %q: %s", role, answer)
	}
	if got := s.get(k).Attrs["default_roles"]; !model.Equal(got, []any{role}) {
		s.Errorf("the default roles are %v", got)
	}
	s.reach(k, map[string]any{"disabled": true})
	if got := s.get(k).Attrs["default_roles"]; !model.Equal(got, []any{role}) {
		s.Errorf("after an update the default roles are %v", got)
	}
	s.reach(k, map[string]any{"default_roles": []any{}})
	if got := s.get(k).Attrs["default_roles"]; !model.Equal(got, []any{}) {
		s.Errorf("cleared, the default roles are %v", got)
	}
}

func domainsAreSets(s *subject) {
	a, b := s.prefix+"a.example.com", s.prefix+"b.example.com"
	k := s.create("domains", map[string]any{"selfProvisioningDomains": []any{b, a, b}})
	stored := list(s.raw(k)["selfProvisioningDomains"])
	if !model.Equal(model.SortedSet(stored), []any{a, b}) {
		s.Fatalf("the domains are %v", stored)
	}
	if got := s.get(k).Attrs["domains"]; !model.Equal(got, []any{a, b}) {
		s.Errorf("the client reads %v", got)
	}
	if n := s.reach(k, map[string]any{"domains": []any{b, a}, "self_provisioning": true}); n != 0 {
		s.Errorf("%d calls for the same domains in another order", n)
	}
	s.observe("repeated domains", map[bool]string{true: "kept", false: "once"}[len(stored) == 3])
	s.reach(k, map[string]any{"domains": []any{b}, "self_provisioning": true})
	if got := s.get(k).Attrs["domains"]; !model.Equal(got, []any{b}) {
		s.Errorf("one domain less: %v", got)
	}
	if err := s.do(model.TenantUpdate, "domains", map[string]any{"name": s.prefix + "domains", "selfProvisioningDomains": []any{b, a}}); err != nil {
		s.Fatal(err)
	}
	s.observe("order of domains", map[bool]string{true: "kept", false: "changed"}[model.Equal(s.raw(k)["selfProvisioningDomains"], []any{b, a})])

	upper := strings.ToUpper(s.prefix) + "C.example.com"
	err := s.do(model.TenantUpdate, "domains", map[string]any{"name": s.prefix + "domains", "selfProvisioningDomains": []any{upper}})
	answer := s.answer(err)
	if err == nil {
		answer = map[bool]string{true: "kept", false: "lowered"}[model.Equal(s.raw(k)["selfProvisioningDomains"], []any{upper})]
	}
	s.observe("case of domains", answer)

	if err := s.do(model.TenantUpdate, "domains", map[string]any{"name": s.prefix + "domains", "selfProvisioningDomains": []any{a}}); err != nil {
		s.Fatal(err)
	}
	err = s.do(model.TenantCreate, "samedomain", map[string]any{"name": s.prefix + "samedomain", "selfProvisioningDomains": []any{a}})
	s.observe("domain of another tenant", s.answer(err))
}

func customAttributes(s *subject) {
	k := s.create("attributes", nil)
	err := s.do(model.TenantUpdate, "attributes", map[string]any{"name": s.prefix + "attributes", "customAttributes": map[string]any{"dmctUnknown": "x"}})
	answer := s.answer(err)
	if err == nil {
		answer = "dropped"
		if attributes, _ := s.raw(k)["customAttributes"].(map[string]any); attributes["dmctUnknown"] == "x" {
			answer = "stored"
		}
	}
	s.observe("unknown custom attribute", answer)
	if s.reach(k, map[string]any{"custom_attributes": map[string]any{}}); len(s.get(k).Attrs["custom_attributes"].(map[string]any)) > 0 {
		s.Errorf("cleared, the attributes are %s", s.get(k).Observed.Raw)
	}

	// An attribute that the project defines, where there is one called so.
	wanted := map[string]any{"plan": "pro"}
	if err := s.do(model.TenantUpdate, "attributes", map[string]any{"name": s.prefix + "attributes", "customAttributes": wanted}); err != nil {
		s.Skipf("skipped: the project defines no attribute plan: %v", err)
	}
	if got := s.get(k).Attrs["custom_attributes"]; !model.Equal(got, wanted) {
		s.Skipf("skipped: the project defines no attribute plan: %v", got)
	}
	if s.reach(k, map[string]any{"custom_attributes": map[string]any{"plan": "free"}}); !model.Equal(s.get(k).Attrs["custom_attributes"], map[string]any{"plan": "free"}) {
		s.Errorf("changed, the attributes are %s", s.get(k).Observed.Raw)
	}
}

func settings(s *subject) {
	domain := s.prefix + "settings.example.com"
	k := s.create("settings", map[string]any{"selfProvisioningDomains": []any{domain}})
	got, err := s.client.TenantSettings(s.Context(), k.ID)
	if err != nil {
		s.Fatal(err)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(got, &fields); err != nil || fields["enabled"] == nil {
		s.Errorf("the settings are %s (%v)", got, err)
	}
	status, _ := s.post("/v1/mgmt/tenant/settings", k.ID, map[string]any{"tenantId": k.ID, "enabled": false})
	if status != http.StatusOK {
		s.observe("settings without selfProvisioningDomains", "HTTP "+http.StatusText(status))
		return
	}
	s.observe("settings without selfProvisioningDomains", clearedOrKept([]any{domain}, s.raw(k)["selfProvisioningDomains"]))
}

func flows(s *subject) {
	id := s.prefix + "flow"
	definition := map[string]any{
		"flowId": id, "metadata": map[string]any{"name": id, "componentsVersion": "1.2.3"},
		"contents": map[string]any{"startTask": "0", "tasks": map[string]any{"0": map[string]any{"id": "0", "name": "Start", "type": "start"}}},
		"screens":  []any{map[string]any{"screenId": s.prefix + "screen", "contents": map[string]any{}}},
	}
	k := model.Key{Kind: model.Flow, ID: id}
	put := func() error {
		s.owned(k.ID)
		s.flows = append(s.flows, k.ID)
		body := model.CanonicalJSON(map[string]any{"flow": definition})
		_, err := s.client.Do(s.Context(), model.Step{Op: model.FlowImport, Key: k, Body: body}, nil)
		return err
	}
	if err := put(); err != nil {
		s.observe("import of a small flow", s.answer(err))
		s.Skipf("skipped: the project takes no such flow: %v", err)
	}
	exported := s.get(k)
	got := exported.Attrs["definition"].(map[string]any)
	metadata, _ := got["metadata"].(map[string]any)
	s.observe("componentsVersion of flow", map[bool]string{true: "as sent", false: "another"}[metadata["componentsVersion"] == "1.2.3"])
	screens := list(got["screens"])
	kept := false
	if len(screens) == 1 {
		first, _ := screens[0].(map[string]any)
		kept = first["screenId"] == s.prefix+"screen"
	}
	s.observe("screen ids of flow", map[bool]string{true: "as sent", false: "another"}[kept])

	first := s.listedFlow(id)
	s.observe("dsl in the list of flows", map[bool]string{true: "empty", false: "full"}[model.Unset(first["dsl"])])
	if err := put(); err != nil {
		s.Fatal(err)
	}
	second := s.listedFlow(id)
	s.observe("flow imported again", moves(first, second))
	if again := s.get(k); !model.Equal(again.Observed.Fields, exported.Observed.Fields) {
		s.Errorf("imported again, the flow is another: %s, %s", exported.Observed.Raw, again.Observed.Raw)
	}
	definition["metadata"].(map[string]any)["description"] = "changed"
	if err := put(); err != nil {
		s.Fatal(err)
	}
	s.observe("flow changed", moves(second, s.listedFlow(id)))

	gone := func() error {
		s.owned(k.ID)
		body := model.CanonicalJSON(map[string]any{"ids": []any{k.ID}})
		_, err := s.client.Do(s.Context(), model.Step{Op: model.FlowDelete, Key: k, Body: body}, nil)
		return err
	}
	if err := gone(); err != nil {
		s.Fatal(err)
	}
	if _, exists, err := s.client.Get(s.Context(), k); exists || err != nil {
		s.Errorf("deleted: exists %v, %v", exists, err)
	}
	s.observe("unknown flow deleted", s.answer(gone()))
}

// listedFlow is a flow as the list of flows shows it.
func (s *subject) listedFlow(id string) map[string]any {
	s.Helper()
	status, answer := s.post("/v1/mgmt/flow/list", id, map[string]any{"ids": []any{id}})
	for _, f := range list(answer["flows"]) {
		if listed, _ := f.(map[string]any); listed["id"] == id {
			return listed
		}
	}
	s.Fatalf("flow %s is not in the list (HTTP %d)", id, status)
	return nil
}

func moves(before, after map[string]any) string {
	word := func(field string) string {
		if model.Equal(before[field], after[field]) {
			return field + " kept"
		}
		return field + " moved"
	}
	return word("version") + ", " + word("etag")
}
