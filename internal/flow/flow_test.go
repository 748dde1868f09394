package flow

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestAccessors(t *testing.T) {
	f := fixture(t)
	ids := func(tasks []Task) (out []string) {
		for _, t := range tasks {
			out = append(out, t.ID)
		}
		return out
	}
	google, _ := f.Task("1.end")
	crm, _ := f.Task("7")
	connector, hasConnector := crm.Argument("connectorId")
	_, hasNothing := crm.Argument("nothing")
	twin, isTwin := google.TwinOf()
	screen, _ := f.ScreenOf("0")
	_, noScreen := f.ScreenOf("1")
	_, noTask := f.ScreenOf("99")
	form, _ := screen.Node("form")
	email, _ := screen.Node("email")
	placeholder, _ := email.Prop("placeholder")
	condition, _ := f.Task("6")
	for _, c := range []struct {
		name      string
		got, want any
	}{
		{"id", f.ID(), "sign-in"},
		{"other id", f.WithID("x").ID() + f.ID(), "xsign-in"},
		{"name", f.Name(), "Sign In"},
		{"description", f.Description(), "Signs in"},
		{"disabled", f.Disabled(), false},
		{"version", f.ComponentsVersion(), "3.17.0"},
		{"start", f.StartTask(), "start"},
		{"tasks", ids(f.Tasks()), []string{"0", "1", "1.end", "3", "4", "5", "6", "7", "8", "10", "start"}},
		{"edges", f.Edges()[:3], []Edge{{"0", "email-button", "3"}, {"0", "google", "1"}, {"0", "resend-link", "3"}}},
		{"start edge", f.Edges()[len(f.Edges())-1], Edge{From: "start", To: "0"}},
		{"shared", f.SharedInteractions(), []SharedInteraction{{"8.success", "Success", "success"}, {"4.back", "Back", ""}}},
		{"references", f.References(), map[string]map[string]string{"connectors": {"CRM": "CI2tEstConnector0000000000001"}}},
		{"task", []string{google.Name, google.Type, google.Action}, []string{"OAuth / Google", TypeAction, "exchange-oauth-code"}},
		{"twin", []any{twin, isTwin}, []any{"1", true}},
		{"errors", google.Errors(), []string{"OAuthExchangeCodeFailed"}},
		{"arguments", crm.Arguments(), []string{"args", "command", "connectorId"}},
		{"argument", []any{connector, hasConnector, hasNothing}, []any{Argument{"inline", "CI2tEstConnector0000000000001"}, true, false}},
		{"conditions", condition.Conditions, []Condition{{"New user", "isnew"}, {"Risky", "risky"}, {"Otherwise", "ELSE"}}},
		{"screens", []any{len(f.Screens()), f.Screens()[1].Index, screen.ID, noScreen, noTask}, []any{2, 1, "SC2tEstScreen0000000000000001", false, false}},
		{"interactions", screen.Interactions()[0], Interaction{"google", "Sign in with Google", "button", "social", "google"}},
		{"node", form, Node{ID: "form", Component: "Container", Parent: "ROOT", Children: []string{"email", "remember", "resend-link"}}},
		{"nodes", len(screen.Nodes()), 9},
		{"props", email.Props(), []string{"id", "max", "name", "placeholder", "required"}},
		{"prop", placeholder, any("Email address")},
		{"html", component(map[string]any{"type": "div"}), "div"},
	} {
		if diff := cmp.Diff(c.want, c.got, cmpopts.IgnoreUnexported(Node{})); diff != "" {
			t.Errorf("%s:\n%s", c.name, diff)
		}
	}
}

// Whoever gets values out of a flow cannot change the flow with them.
func TestImmutable(t *testing.T) {
	f := fixture(t)
	before := string(f.V2())
	f.Value()["flowId"] = "x"
	obj(f.Value(), "metadata")["name"] = "x"
	task, _ := f.Task("0")
	task.Value()["name"] = "x"
	task.Rules[0].To = "x"
	f.References()["connectors"]["CRM"] = "x"
	screen, _ := f.ScreenOf("0")
	screen.Value()["contents"] = nil
	source := f.Value()
	g, _, _ := FromValue(source)
	obj(source, "metadata")["name"] = "x"
	if string(f.V2()) != before || string(g.V2()) != before {
		t.Error("a flow changed")
	}
}

func TestZeroFlow(t *testing.T) {
	var f Flow
	if f.ID()+f.Name()+f.StartTask() != "" || len(f.Tasks())+len(f.Edges())+len(f.Screens())+len(f.References())+len(f.SharedInteractions()) != 0 {
		t.Error("the zero flow has something in it")
	}
	if _, err := f.Snapshot(); err != nil || string(f.V2()) != "null\n" {
		t.Errorf("%s %v", f.V2(), err)
	}
}

func TestCompareIDs(t *testing.T) {
	want := []string{"", "0", "1", "01", "2", "2.0.463", "2.0.1000", "10", "13", "13.end", "13.end2", "3000000000000000000000", "a", "a2", "a10", "b"}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, CompareIDs)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
