package store

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
)

// runPlan creates some tenants, each in two calls.
func runPlan(t testing.TB, tenants int) (*plan.Plan, model.State) {
	t.Helper()
	var resources []model.Resource
	for i := range tenants {
		r := tenant(fmt.Sprintf("t%03d", i), map[string]any{"name": fmt.Sprintf("Tenänt <%d> & \u2028", i)})
		r.Origin = model.Origin{File: "envs/x.cue", Line: i + 1, Column: 1}
		r.Policy.PreventDestroy = i%2 == 0
		resources = append(resources, r)
	}
	desired, err := model.NewState(resources)
	must(t, err)
	p, err := plan.Compute(desired, model.State{}, model.State{}, plan.Options{
		Environment: "dev", Project: "P2abc", BaseURL: "https://api.descope.com",
		Encode: func(tr model.Transition) ([]model.Step, error) {
			body := json.RawMessage(`{"id":"` + tr.Key.ID + `"}`)
			return []model.Step{
				{Op: model.TenantCreate, Key: tr.Key, Body: body},
				{Op: model.TenantDefaultRoles, Key: tr.Key, Body: body},
			}, nil
		},
	})
	must(t, err)
	return p, desired
}

// The runs of the tests: their ids sort as they begin.
const (
	firstRun  = "20251110T143015Z-00000a"
	secondRun = "20251110T143016Z-00000b"
	thirdRun  = "20251210T143016Z-00000c"
)

func runInfo(id string) RunInfo {
	return RunInfo{
		ID: id, Started: runBegan(id), Operation: "tenant sync", User: "ann", Host: "laptop", PID: 4711,
		Environment: "dev", BaseURL: "https://api.descope.com", Project: "P2abc", GitCommit: "abc", Tool: "1.2.3", Schema: "v1",
		Flags: []string{"--yes"}, Guards: []string{}, Backup: "b.json", AuditHead: "cafe",
	}
}

func begin(t testing.TB, s *Scope, id string, tenants int) *Run {
	t.Helper()
	p, desired := runPlan(t, tenants)
	r, err := s.BeginRun(runInfo(id), p, desired, model.State{})
	must(t, err)
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// finishedRun is a whole run.
func finishedRun(t testing.TB, s *Scope, id string) {
	t.Helper()
	r := begin(t, s, id, 1)
	must(t, r.Intent(0, 0), r.Ended(0, 0, 1, "done", ""), r.SavePost(nil), r.Finish(runResult("done")), r.Close())
}

func runResult(status string) RunResult {
	return RunResult{
		Finished: time.Date(2025, 11, 10, 14, 31, 0, 5, time.UTC), Status: status, Verified: true, Differences: []string{}, TookMS: 12,
		Outcomes: []RunOutcome{{Key: model.Key{Kind: model.Tenant, ID: "t000"}, Action: "create", Status: status, StepsDone: 2, Attempts: 3, TookMS: 7}},
	}
}

func postImage() map[model.Key]json.RawMessage {
	return map[model.Key]json.RawMessage{
		{Kind: model.Tenant, ID: "t000"}: json.RawMessage(`{"id":"t000","rate":1e400,"odd":"<&\u2028>"}`),
		{Kind: model.Tenant, ID: "t001"}: nil,
	}
}

func openOn(t testing.TB, root string, disk Disk) (*Dir, *Scope) {
	t.Helper()
	d, err := OpenOn(filepath.Join(root, "state"), disk)
	must(t, err)
	s, err := d.Scope("https://api.descope.com", "P2abc")
	must(t, err)
	return d, s
}

// untimed leaves out of a journal what is new each time.
func untimed(entries []Entry) []Entry {
	out := append([]Entry{}, entries...)
	for i := range out {
		out[i].At = time.Time{}
	}
	return out
}
