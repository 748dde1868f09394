package ui

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pcconnect.ai/descope-mgmt/internal/apply"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
)

// golden compares text with a file of testdata; UPDATE=1 writes the file.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if os.Getenv("UPDATE") == "1" {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (UPDATE=1 rewrites it):\n%s", name, diff)
	}
}

func key(id string) model.Key { return model.Key{Kind: model.Tenant, ID: id} }

func keys(ids ...string) []model.Key {
	out := make([]model.Key, len(ids))
	for i, id := range ids {
		out[i] = key(id)
	}
	return out
}

// samplePlan is the plan that the description of the tool shows.
func samplePlan() *plan.Plan {
	return &plan.Plan{
		Environment: "prod",
		Changes: []plan.Change{{
			Key: key("widget-inc"), Action: plan.Create, Origin: model.Origin{File: "envs/tenants.cue", Line: 24, Column: 2},
			Fields: []plan.FieldChange{{Path: "name", Before: plan.Absent{}, After: "Widget Inc", Moved: plan.Config}},
		}, {
			Key: key("acme-corp"), Action: plan.Update, Origin: model.Origin{File: "envs/prod/prod.cue", Line: 9, Column: 2},
			Fields: []plan.FieldChange{{
				Path: "domains", Before: []any{"acme.com"}, After: []any{"acme.com", "acme.net"},
				Moved: plan.Config, Note: "self-provisioning",
			}},
		}},
		Unchanged: keys("a", "b", "c"),
	}
}

// richPlan has one of everything that a plan can show.
func richPlan() *plan.Plan {
	long := strings.Repeat("x", 300)
	p := samplePlan()
	p.Changes[1].Adopts = true
	p.Changes[1].DependsOn = keys("widget-inc")
	p.Changes[1].Fields = append(p.Changes[1].Fields,
		plan.FieldChange{Path: `custom_attributes."a key"`, Before: json.Number("40"), After: plan.Absent{}, Moved: plan.Live},
		plan.FieldChange{Path: "custom_attributes.description_that_is_long_enough_to_widen", Before: long + "1", After: long + "2", Moved: plan.Both},
		plan.FieldChange{Path: "secret", Before: "hush", After: "hush2", Sensitive: true, Moved: plan.Unknown},
	)
	p.Changes[0].Fields = append(p.Changes[0].Fields,
		plan.FieldChange{Path: "custom_attributes", Before: plan.Absent{}, After: map[string]any{"z": nil, "a": true}},
		plan.FieldChange{Path: "secret", Before: plan.Absent{}, After: "hush", Sensitive: true})
	p.Changes = append(p.Changes, plan.Change{
		Key: key(strings.Repeat("long-id-", 8)), Action: plan.Delete,
		Fields: []plan.FieldChange{{Path: "name", Before: "Old", After: plan.Absent{}}},
	})
	many := make([]model.Key, 23)
	for i := range many {
		many[i] = key("old-" + string(rune('a'+i)))
	}
	p.Orphans = many
	p.Unmanaged = append(keys("x", "y"), model.Key{Kind: model.Flow, ID: "f"})
	p.Guards = []plan.Guard{
		{Rule: plan.RulePreventDestroy, Keys: keys("acme-corp"), Detail: "lifecycle.prevent_destroy is set"},
		{Rule: plan.RuleProtected, Detail: "prod is protected", Allow: "--confirm-project P2abc"},
	}
	p.Warnings = model.Diagnostics{{Severity: model.Warning, Summary: "the name is long", Origin: model.Origin{File: "envs/a.cue", Line: 1, Column: 2}}}
	return p
}

func sampleResult() apply.Result {
	return apply.Result{
		Outcomes: []apply.Outcome{
			{Key: key("widget-inc"), Action: plan.Create, Status: apply.Done, StepsDone: 1, Attempts: 1, Took: 412e6},
			{Key: key("slow"), Action: plan.Update, Status: apply.Done, StepsDone: 1, Attempts: 3, Took: 12e9},
			{Key: key("acme-corp"), Action: plan.Update, Status: apply.Failed, Err: errors.New("400 E011: name\x1b[2J taken"), StepsDone: 1, Attempts: 2},
			{Key: key("child"), Action: plan.Create, Status: apply.NotRun, Err: errors.New("depends on tenant/acme-corp, which failed")},
			{Key: key("gone"), Action: plan.Delete, Status: apply.Unclear, Err: errors.New("no answer within 30 s"), Attempts: 1},
		},
		Interrupted: true,
	}
}

func sampleSummary() Summary {
	return Summary{
		Took: 75e9, Next: "descope-mgmt sync -e prod", Undo: "not available yet",
		Hint: func(o apply.Outcome) string {
			if o.Status == apply.Failed {
				return "descope-mgmt tenant show " + o.Key.ID
			}
			return ""
		},
	}
}
