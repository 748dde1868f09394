package flow

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestUses(t *testing.T) {
	f := change(t, clean(t), func(d map[string]any) {
		obj(taskOf(d, "1"), "arguments")["script"] = value(t, `{"type":"inline","value":"asset:value-0.txt"}`)
		obj(d, "metadata", "translation")["connectorId"] = "CI2"
		obj(d, "references")["userAttributes"] = value(t, `["plan",{"name":"age"},7]`)
		obj(nodeOf(d, 0, "title"), "props")["connector"] = "CI2tEstConnector0000000000009"
		obj(taskOf(d, "7"), "arguments")["nothing"] = value(t, `{"type":"inline","value":[null,true,{"a":"customAttributes."}]}`)
	})
	want := []Use{
		{Kind: UseAsset, ID: "asset:value-0.txt", Task: "1", Path: "contents.tasks.1.arguments.script.value"},
		{Kind: UseAttribute, ID: "age", Path: "references.userAttributes.1"},
		{Kind: UseAttribute, ID: "plan", Task: "2", Path: "contents.tasks.2.conditions.0.atomicConditions.0.target.value"},
		{Kind: UseAttribute, ID: "plan", Task: "7", Path: "contents.tasks.7.arguments.userPropertiesDefinitions.value.0.value"},
		{Kind: UseAttribute, ID: "plan", Path: "references.userAttributes.0"},
		{Kind: UseAttribute, ID: "tier", Task: "7", Path: "contents.tasks.7.arguments.userPropertiesDefinitions.value.0.key"},
		{Kind: UseConnector, ID: "CI2", Path: "metadata.translation.connectorId"},
		{Kind: UseConnector, ID: connector, Name: "CRM", Task: "3", Path: "contents.tasks.3.arguments.connectorId.value"},
		{Kind: UseConnector, ID: "CI2tEstConnector0000000000009", Path: "screens.0.contents.title.props.connector"},
		{Kind: UseFlow, ID: "step-up", Task: "4", Path: "contents.tasks.4.arguments.flowId.value"},
		{Kind: UseInteraction, ID: "9.success", Flow: "step-up", Task: "4", Path: "contents.tasks.4.next.rules.0.interactionId"},
		{Kind: UseList, ID: "Embargoed", Task: "2", Path: "contents.tasks.2.conditions.0.atomicConditions.1.predicate.value.0"},
		{Kind: UseRole, ID: role, Name: "auditor", Task: "3", Path: "contents.tasks.3.arguments.futureArgument.value.deep"},
		{Kind: UseRole, ID: "Tenant Admin", Name: "Tenant Admin", Task: "7", Path: "contents.tasks.7.arguments.tenantRoles.value"},
		{Kind: UseRole, ID: "member", Name: "member", Task: "7", Path: "contents.tasks.7.arguments.tenantRoles.value"},
		{Kind: UseTenantAttribute, ID: "region", Task: "2", Path: "contents.tasks.2.conditions.0.atomicConditions.1.target.value"},
	}
	if diff := cmp.Diff(want, f.Uses()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	for range 5 {
		if got := jsonOf(f.Uses()); got != jsonOf(want) {
			t.Fatal("other bytes the second time")
		}
	}
}

// TestUsesWhatIsKnown holds that what only a run knows is no use.
func TestUsesWhatIsKnown(t *testing.T) {
	for argument, v := range map[string]string{
		"flowId":      `{"type":"context","value":"form.flow"}`,
		"connectorId": `{"type":"inline","value":"{{form.connector}}"}`,
		"tenantRoles": `{"type":"inline","value":"{{form.role}}, "}`,
		"roles":       `{"type":"inline","value":""}`,
	} {
		f := change(t, clean(t), func(d map[string]any) {
			d["contents"] = value(t, `{"startTask":"0","tasks":{"0":{"type":"flow","arguments":{"`+argument+`":`+v+`},"next":{"rules":[{"interactionId":"1.success","taskId":"0"}]}}}}`)
		})
		if got := f.Uses(); len(got) != 0 {
			t.Errorf("%s: %s", argument, jsonOf(got))
		}
	}
	if got := (Flow{}).Uses(); got != nil {
		t.Errorf("a flow with nothing in it uses %v", got)
	}
	raw := change(t, clean(t), func(d map[string]any) {
		obj(taskOf(d, "2"), "conditions", 0, "atomicConditions", 1)["predicate"] = value(t, `["Embargoed"]`)
	})
	if !strings.Contains(jsonOf(raw.Uses()), "atomicConditions.1.predicate.0") {
		t.Errorf("a predicate that is a list itself: %s", jsonOf(raw.Uses()))
	}
}

// TestUsesCorpus resolves each place that Uses names, and counts the kinds.
func TestUsesCorpus(t *testing.T) {
	counts := map[UseKind]int{}
	for name, f := range everyFlow(t) {
		for _, u := range f.Uses() {
			counts[u.Kind]++
			found := false
			eachText(f.doc, nil, func(path []any, s string) {
				found = found || jsonPath(path...) == u.Path && strings.Contains(s, u.ID)
			})
			if !found {
				t.Errorf("%s: nothing at the place of %s", name, jsonOf(u))
			}
		}
		for _, named := range f.References()["connectors"] {
			if used := strings.Contains(jsonOf(f.Uses()), named); used == strings.HasPrefix(name, "flows/tfp") {
				t.Errorf("%s: %s is in the references, used: %v", name, named, used)
			}
		}
	}
	want := map[UseKind]int{UseAsset: 1, UseAttribute: 27, UseConnector: 24, UseFlow: 26, UseInteraction: 15}
	if diff := cmp.Diff(want, counts); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	t.Logf("counts: %v", counts)
}
