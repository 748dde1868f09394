package flow

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pcconnect.ai/descope-mgmt/internal/model"
)

const (
	otherConnector = "CI3tArGetConnector00000000001"
	otherRole      = "ROL3tArGetRole0000000000000001"
)

// away is another project that has everything the clean flow needs.
func away() Project {
	p := *home()
	p.Connectors = map[string][]string{"CRM": {otherConnector}, "Mail": {"CI3"}}
	p.Roles = map[string][]string{"auditor": {otherRole}, "member": {"ROL8"}, "Tenant Admin": {"ROL9"}}
	return p
}

func TestBind(t *testing.T) {
	f := clean(t)
	before := string(f.V2())
	got := Bind(f, away(), nil)
	if len(got.Problems) > 0 || len(got.Unchecked) > 0 {
		t.Fatalf("%s, unchecked %v", jsonOf(got.Problems), got.Unchecked)
	}
	want := strings.NewReplacer(connector, otherConnector, role, otherRole).Replace(before)
	if diff := cmp.Diff(want, string(got.Flow.V2())); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if r := Diff(f, got.Flow); !r.Equal() {
		t.Errorf("bound, the flow does something else: %s", jsonOf(r.Changes))
	}
	if string(f.V2()) != before {
		t.Error("the argument was modified")
	}
	if again := Bind(got.Flow, away(), nil); string(again.Flow.V2()) != want || len(again.Problems) > 0 {
		t.Errorf("not the same when bound twice: %s", jsonOf(again.Problems))
	}
	for name, live := range map[string]*Flow{"no live version": nil, "itself": &f} {
		if own := Bind(f, *home(), live); string(own.Flow.V2()) != before || len(own.Problems) > 0 {
			t.Errorf("%s: bound to its own project the flow is another: %s", name, jsonOf(own.Problems))
		}
	}
}

// TestBindSwap exchanges two ids, which one after the other would make them one.
func TestBindSwap(t *testing.T) {
	second := "CI2tEstConnector0000000000002"
	f := change(t, clean(t), func(d map[string]any) {
		obj(d, "references", "connectors")["Mail"] = second
		obj(d, "metadata", "translation")["connectorId"] = second
		obj(nodeOf(d, 0, "title"), "props")["first"], obj(nodeOf(d, 0, "title"), "props")["second"] = connector, second
	})
	p := *home()
	p.Connectors = map[string][]string{"CRM": {second}, "Mail": {connector}}
	got := Bind(f, p, nil)
	doc := got.Flow.Value()
	crm, mail := at(doc, "contents", "tasks", "3", "arguments", "connectorId", "value"), at(doc, "metadata", "translation", "connectorId")
	if crm != second || mail != connector || len(got.Problems) > 0 {
		t.Errorf("CRM became %v, Mail %v: %s", crm, mail, jsonOf(got.Problems))
	}
	if props := obj(nodeOf(doc, 0, "title"), "props"); props["first"] != second || props["second"] != connector {
		t.Errorf("on the screen: %v", props)
	}
	if r := Diff(f, got.Flow); !r.Equal() {
		t.Errorf("bound, the flow does something else: %s", jsonOf(r.Changes))
	}
}

func TestBindRefuses(t *testing.T) {
	unnamed := "CI2tEstConnector0000000000009"
	noName := func(d map[string]any) { obj(taskOf(d, "3"), "arguments", "connectorId")["value"] = unnamed }
	noRole := func(d map[string]any) { obj(d, "references")["roles"] = map[string]any{} }
	withAsset := func(d map[string]any) { obj(taskOf(d, "1"), "arguments", "loginHint")["value"] = "asset:x.txt" }
	withTemplate := func(d map[string]any) {
		obj(taskOf(d, "1"), "arguments")["templateId"] = value(t, `{"type":"inline","value":"TPL2tEstTemplate00000000000001"}`)
	}
	for _, c := range []struct {
		name       string
		edit       func(d map[string]any)
		project    func(p *Project)
		rule       LintRule
		path       string
		candidates []string
	}{
		{"missing connector", nil, func(p *Project) { delete(p.Connectors, "CRM") }, UnknownConnector, "references.connectors.CRM", []string{"Mail"}},
		{"ambiguous connector", nil, func(p *Project) { p.Connectors["CRM"] = []string{"CI5", "CI4"} }, AmbiguousConnector, "references.connectors.CRM", []string{"CI5", "CI4"}},
		{"ambiguous, its own among them", nil, func(p *Project) { p.Connectors["CRM"] = []string{connector, "CI4"} }, AmbiguousConnector, "references.connectors.CRM", []string{connector, "CI4"}},
		{"missing role", nil, func(p *Project) { delete(p.Roles, "auditor") }, UnknownRole, "references.roles.auditor", []string{"Tenant Admin", "member"}},
		{"role by name", nil, func(p *Project) { delete(p.Roles, "member") }, UnknownRole, "contents.tasks.7.arguments.tenantRoles.value", []string{"Tenant Admin", "auditor"}},
		{"no name", noName, nil, UnnamedConnector, "contents.tasks.3.arguments.connectorId.value", nil},
		{"no name, nothing listed", noName, func(p *Project) { p.Connectors = nil }, UnnamedConnector, "contents.tasks.3.arguments.connectorId.value", nil},
		{"no name of a role", noRole, nil, UnnamedRole, "contents.tasks.3.arguments.futureArgument.value.deep", nil},
		{"missing flow", nil, func(p *Project) { p.Flows = NamesOf("sign-in") }, UnknownFlow, "contents.tasks.4.arguments.flowId.value", []string{"sign-in"}},
		{"missing attribute", nil, func(p *Project) { p.Attributes = NamesOf("tier") }, UnknownAttribute, "contents.tasks.2.conditions.0.atomicConditions.0.target.value", []string{"tier"}},
		{"missing list", nil, func(p *Project) { p.Lists = NamesOf() }, UnknownList, "contents.tasks.2.conditions.0.atomicConditions.1.predicate.value.0", nil},
		{"asset", withAsset, func(p *Project) { p.Assets = nil }, UnknownAsset, "contents.tasks.1.arguments.loginHint.value", nil},
		{"one id, two names", func(d map[string]any) { obj(d, "references", "connectors")["Mail"] = connector }, nil, AmbiguousConnector, "references.connectors.Mail", []string{otherConnector, "CI3"}},
		{"one id for two names", func(d map[string]any) {
			obj(d, "references", "connectors")["Mail"] = "CI2tEstConnector0000000000002"
		}, func(p *Project) { p.Connectors["Mail"] = p.Connectors["CRM"] }, AmbiguousConnector, "references.connectors.Mail", []string{otherConnector}},
		{"template", withTemplate, nil, UnnamedTemplate, "contents.tasks.1.arguments.templateId.value", nil},
	} {
		f, p := clean(t), away()
		if c.edit != nil {
			f = change(t, f, c.edit)
		}
		if c.project != nil {
			c.project(&p)
		}
		got := Bind(f, p, nil)
		severity := model.Error
		if c.rule == UnknownList {
			severity = model.Warning
		}
		if len(got.Problems) != 1 || got.Problems[0].Rule != c.rule || got.Problems[0].Path != c.path || got.Problems[0].Severity != severity {
			t.Errorf("%s: %s", c.name, jsonOf(got.Problems))
			continue
		}
		if !slices.Equal(got.Problems[0].Candidates, c.candidates) {
			t.Errorf("%s: candidates %q, want %q", c.name, got.Problems[0].Candidates, c.candidates)
		}
	}
	// What the live version of this very flow uses is there.
	for name, edit := range map[string]func(map[string]any){"connector": noName, "asset": withAsset, "role": noRole, "template": withTemplate} {
		f := change(t, clean(t), edit)
		if got := Bind(f, away(), &f); len(got.Problems) > 0 {
			t.Errorf("%s: the live version has it: %s", name, jsonOf(got.Problems))
		}
	}
	// So is what the target knows under a name that the flow lost.
	p := away()
	p.Connectors["Old"] = []string{unnamed}
	if got := Bind(change(t, clean(t), noName), p, nil); len(got.Problems) > 0 {
		t.Errorf("the target has the id: %s", jsonOf(got.Problems))
	}
	// And the names of the live version count where the target knows none.
	live := Bind(clean(t), away(), nil).Flow
	for _, connectors := range []map[string][]string{nil, {}} {
		p = away()
		p.Connectors = connectors
		if got := Bind(clean(t), p, &live); len(got.Problems)+len(got.Unchecked) > 0 || string(got.Flow.V2()) != string(live.V2()) {
			t.Errorf("the live version has the name: %s", jsonOf(got))
		}
	}
}

// TestBindUnchecked names what a project does not list.
func TestBindUnchecked(t *testing.T) {
	f := change(t, clean(t), func(d map[string]any) {
		obj(d, "references")["future"] = value(t, `{"Thing":"F1"}`)
		obj(d, "references")["oauth"] = value(t, `["x"]`)
		obj(taskOf(d, "4"), "arguments", "flowId")["value"] = "member-area"
	})
	got := Bind(f, Project{Flows: NamesOf()}, nil)
	want := []string{"attribute: plan, tier", "connector: CRM", "future: Thing", "list: Embargoed", "role: Tenant Admin, auditor, member", "tenant-attribute: region"}
	if diff := cmp.Diff(want, got.Unchecked); diff != "" || len(got.Problems) > 0 {
		t.Errorf("%s\n-want +got\n%s", jsonOf(got.Problems), diff)
	}
	if string(got.Flow.V2()) != string(f.V2()) {
		t.Error("what cannot be checked was changed")
	}
	if got := Bind(Flow{}, Project{}, &Flow{}); len(got.Problems)+len(got.Unchecked) > 0 {
		t.Errorf("nothing needs nothing: %s", jsonOf(got))
	}
}

// TestBindWords keeps words that are an id in the references only by accident.
func TestBindWords(t *testing.T) {
	f := change(t, clean(t), func(d map[string]any) { obj(d, "references", "roles")["member"] = "success" })
	p := away()
	p.Roles["member"] = []string{"ROL8"}
	got := Bind(f, p, nil)
	if r := Diff(f, got.Flow); !r.Equal() || len(got.Problems) > 0 {
		t.Errorf("%s %s", jsonOf(got.Problems), jsonOf(r.Changes))
	}
}

// renamed is a flow with other ids of its screens.
func renamed(t testing.TB, f Flow, ids map[string]string) Flow {
	t.Helper()
	return change(t, f, func(d map[string]any) {
		for _, s := range list(d["screens"]) {
			if id := ids[text(object(s)["screenId"])]; id != "" {
				object(s)["screenId"] = id
			}
		}
		for _, v := range obj(d, "contents", "tasks") {
			if id := ids[text(object(v)["screenId"])]; id != "" {
				object(v)["screenId"] = id
			}
		}
	})
}

func screenSet(f Flow) []string {
	var out []string
	for _, s := range f.Screens() {
		out = append(out, s.ID)
	}
	slices.Sort(out)
	return out
}

func TestBindScreens(t *testing.T) {
	f := clean(t)
	orphan := func(id string) func(map[string]any) {
		return func(d map[string]any) {
			d["screens"] = append(list(d["screens"]), value(t, `{"screenId":"`+id+`","contents":{"ROOT":{}}}`))
		}
	}
	for _, c := range []struct {
		name    string
		f, live Flow
		want    []string
	}{
		{"other ids", f, renamed(t, f, map[string]string{screen1: "SCa", screen2: "SCb"}), []string{"SCa", "SCb"}},
		{"swapped ids", f, renamed(t, f, map[string]string{screen1: screen2, screen2: screen1}), []string{screen1, screen2}},
		{"one is new", f, renamed(t, change(t, f, func(d map[string]any) {
			d["screens"] = list(d["screens"])[:1]
			delete(taskOf(d, "6"), "screenId")
		}), map[string]string{screen1: "SCa"}), []string{screen2, "SCa"}},
		{"one is new and its id is taken", f, renamed(t, change(t, f, func(d map[string]any) {
			d["screens"] = list(d["screens"])[:1]
			delete(taskOf(d, "6"), "screenId")
		}), map[string]string{screen1: screen2}), []string{screen2, screenPrefixID + randomText(screen2+"#0")}},
		{"nothing shows it", change(t, f, orphan("SCx")), change(t, f, orphan("SCy")), []string{screen1, screen2, "SCy"}},
		{"nothing live", f, Flow{}, []string{screen1, screen2}},
		{"two live screens for one", renamed(t, change(t, f, func(d map[string]any) {
			d["screens"] = list(d["screens"])[:1]
			taskOf(d, "6")["screenId"] = screen1
		}), nil), renamed(t, f, map[string]string{screen1: "SCa", screen2: "SCb"}), []string{"SCa"}},
	} {
		got := Bind(c.f, *home(), &c.live)
		slices.Sort(c.want)
		if ids := screenSet(got.Flow); !slices.Equal(ids, c.want) || len(got.Problems) > 0 {
			t.Errorf("%s: screens %v, want %v, %s", c.name, ids, c.want, jsonOf(got.Problems))
		}
		if r := Diff(c.f, got.Flow); !r.Equal() {
			t.Errorf("%s: %s", c.name, jsonOf(r.Changes))
		}
		if again := Bind(got.Flow, *home(), &c.live); string(again.Flow.V2()) != string(got.Flow.V2()) {
			t.Errorf("%s: not the same when bound twice", c.name)
		}
		for _, p := range Lint(got.Flow, LintOptions{}) {
			if p.Rule == DanglingScreen {
				t.Errorf("%s: %s", c.name, jsonOf(p))
			}
		}
	}
}

func TestProject(t *testing.T) {
	f := clean(t)
	other := change(t, f, func(d map[string]any) {
		d["flowId"] = "sign-in"
		d["references"] = value(t, `{"connectors":{"CRM":"CI7","Mail":"CI8"}}`)
	})
	p := ProjectOf([]Flow{f, other, {}})
	want := Project{
		Connectors: map[string][]string{"CRM": {connector, "CI7"}, "Mail": {"CI8"}},
		Roles:      map[string][]string{"auditor": {role}}, Flows: NamesOf("member-area", "sign-in"),
	}
	if diff := cmp.Diff(want, p); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	both := p.With(Project{Connectors: map[string][]string{"Mail": {"CI8", "CI9"}, "New": {"CI1"}}, Attributes: NamesOf("plan")})
	want.Connectors["Mail"], want.Connectors["New"] = []string{"CI8", "CI9"}, []string{"CI1"}
	want.Attributes = NamesOf("plan")
	if diff := cmp.Diff(want, both); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if len(p.Connectors["Mail"]) != 1 {
		t.Error("the first project was modified")
	}
	if diff := cmp.Diff(Project{}, Project{}.With(Project{})); diff != "" {
		t.Errorf("two projects that list nothing list something: %s", diff)
	}
}

func TestNewer(t *testing.T) {
	for _, c := range []struct {
		version, than string
		want          bool
	}{
		{"3.18.2", "3.18.1", true},
		{"3.18.1", "3.18.2", false},
		{"3.18.2", "3.18.2", false},
		{"3.10.0", "3.9.9", true},
		{"3.0.0", "2.0.557", true},
		{"2.0.557", "2.0.1000", false},
		{"3.18.2.1", "3.18.2", true},
		{"", "3.18.2", false},
		{"3.18.2", "", false},
	} {
		if got := Newer(c.version, c.than); got != c.want {
			t.Errorf("Newer(%q, %q) is %v", c.version, c.than, got)
		}
	}
}
