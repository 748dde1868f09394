package report_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
	"pcconnect.ai/descope-mgmt/internal/report"
)

// hostile is a name that runs, loads or breaks out wherever it is taken for more than
// text.
const hostile = `</script><img src=https://evil.example/x onerror="document.title='owned'"><script>document.title='owned'</script>'"` + "`\u2028\u202e<!--${1}"

func tenant(t *testing.T, id string, attrs map[string]any, line int) model.Resource {
	t.Helper()
	v, err := model.Normalize(attrs)
	if err != nil {
		t.Fatal(err)
	}
	r := model.Resource{Key: model.Key{Kind: model.Tenant, ID: id}, Attrs: model.Sorted(model.Tenant, v.(map[string]any))}
	if line > 0 {
		r.Origin = model.Origin{File: "envs/tenants.cue", Line: line, Column: 1}
	}
	return r
}

func loginFlow(t *testing.T, id, text string) model.Resource {
	t.Helper()
	v, err := model.DecodeJSON(fmt.Appendf(nil, `{"flowId": %q, "metadata": {"name": %q}, "contents": {"startTask": "0", "tasks": {
		"0": {"id": "0", "name": "Start", "next": {"rules": [{"taskId": "1"}]}},
		"1": {"id": "1", "name": %q, "type": "screen", "screenId": "SC1", "next": {"rules": [{"interactionId": "submit", "taskId": "2"}, {"interactionId": "cancel", "taskId": "4"}]}},
		"2": {"id": "2", "name": "Is it you?", "type": "condition", "conditions": [{"name": "Yes", "interactionId": "y"}], "next": {"rules": [{"interactionId": "y", "taskId": "3"}, {"interactionId": "n", "taskId": "1"}]}},
		"3": {"id": "3", "name": "Send the mail", "type": "automated", "action": "connector", "next": {"rules": [{"interactionId": "success", "taskId": "4"}, {"interactionId": "error", "taskId": "9"}]}},
		"4": {"id": "4", "name": "End", "type": "automated", "action": "end", "next": {}}
	}}, "screens": []}`, id, text, text))
	if err != nil {
		t.Fatal(err)
	}
	return model.Resource{Key: model.Key{Kind: model.Flow, ID: id}, Attrs: map[string]any{"definition": v}, Origin: model.Origin{File: "envs/flows.cue", Line: 3, Column: 1}}
}

func state(t *testing.T, resources ...model.Resource) model.State {
	t.Helper()
	s, err := model.NewState(resources)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func planned(t *testing.T, env string, desired, live, last model.State) *plan.Plan {
	t.Helper()
	p, err := plan.Compute(desired, live, last, plan.Options{Environment: env, Project: "P2" + env})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// world is a report of five environments with so many tenants, a flow, all sorts of
// differences, and names that mean harm.
func world(t *testing.T, tenants int) report.Report {
	t.Helper()
	r := report.Report{Tool: "1.2.3", Generated: time.Date(2026, 11, 29, 13, 0, 0, 0, time.UTC)}
	for i, env := range []string{"test", "devtest", "dev", "staging", "prod"} {
		desired := []model.Resource{loginFlow(t, "login", "Welcome"), tenant(t, hostile, map[string]any{"name": hostile, "custom_attributes": map[string]any{hostile: hostile}}, 9)}
		live := []model.Resource{loginFlow(t, "login", "Hello"), tenant(t, "by-hand", map[string]any{"name": "By hand"}, 0), tenant(t, "gone", map[string]any{"name": "Gone"}, 0)}
		last := []model.Resource{tenant(t, "gone", map[string]any{"name": "Gone"}, 0)}
		for n := range tenants {
			id := fmt.Sprintf("tenant-%04d", n)
			attrs := func(tier string) map[string]any {
				return map[string]any{"name": "Tenant " + fmt.Sprint(n), "custom_attributes": map[string]any{"tier": tier}}
			}
			want := "standard"
			if n%7 == 0 && env == "prod" {
				want = "gold"
			}
			desired = append(desired, tenant(t, id, attrs(want), n+20))
			is := want
			if n%11 == i {
				is = "moved by hand"
			}
			if n%97 != 0 || env != "staging" {
				live = append(live, tenant(t, id, attrs(is), 0))
			}
			last = append(last, tenant(t, id, attrs(want), 0))
		}
		d := state(t, desired...)
		r.Environments = append(r.Environments, report.Environment{
			Name: env, Project: "P2" + env, Protected: env == "prod", State: d,
			Plan: planned(t, env, d, state(t, live...), state(t, last...)),
		})
	}
	r.Environments[4].Excluded = []model.Key{{Kind: model.Tenant, ID: "sandbox"}}
	r.Environments[1].Plan, r.Environments[1].Problem = nil, "the key was refused: "+hostile
	for n := range 40 {
		r.Runs = append(r.Runs, report.Run{
			Time: r.Generated.Add(-time.Duration(n) * time.Hour), Environment: "dev", Operation: "sync", Status: []string{"done", "partly"}[n%2],
			User: "alice", Run: fmt.Sprintf("run-%03d", n), Update: n, Resources: []string{"tenant/tenant-0001", "tenant/" + hostile}, Error: hostile,
		})
	}
	return r
}

func page(t *testing.T, r report.Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := report.Write(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
