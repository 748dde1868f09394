package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pcconnect.ai/descope-mgmt/internal/api"
	"pcconnect.ai/descope-mgmt/internal/apply"
	"pcconnect.ai/descope-mgmt/internal/emulator"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
)

// TestCorpusFlowsConverge puts every real export into a project and expects
// nothing to do afterwards, whatever the service fills in and stamps.
func TestCorpusFlowsConverge(t *testing.T) {
	dir := os.Getenv("DESCOPE_MGMT_CORPUS")
	if dir == "" {
		t.Skip("DESCOPE_MGMT_CORPUS does not name a directory of real exports")
	}
	files, err := filepath.Glob(filepath.Join(dir, "flows", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no flows in %s (%v)", dir, err)
	}
	server, err := emulator.New(emulator.Options{Budgets: emulator.NoBudgets()})
	if err != nil {
		t.Fatal(err)
	}
	client, err := api.New(api.Config{
		BaseURL: emulatorURL, ProjectID: "P2corpuscorpuscorpuscorpusco", Key: api.NewSecret("K"), Transport: emulator.Transport(server),
		Budgets: []api.Budget{{Name: api.BudgetTenantWrites, Requests: 10_000, Window: 1}, {Name: api.BudgetOther, Requests: 10_000, Window: 1}},
	})
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for _, file := range files {
		f, err := (&app{}).readFlow(file)
		if err != nil {
			t.Fatal(err)
		}
		definition := f.Value()
		tried++
		id := strings.TrimSuffix(filepath.Base(file), ".json")
		desired, err := model.NewState([]model.Resource{{
			Key: model.Key{Kind: model.Flow, ID: id}, Attrs: map[string]any{"definition": definition},
		}})
		if err != nil {
			t.Fatal(err)
		}
		changes := func() *plan.Plan {
			var live model.State
			r, found, err := client.Get(t.Context(), model.Key{Kind: model.Flow, ID: id})
			if err != nil {
				t.Fatal(err)
			}
			if found {
				live = live.With(r)
			}
			p, err := plan.Compute(desired, live, model.State{}, plan.Options{Encode: api.Encode})
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		if r := apply.Run(t.Context(), changes(), client, apply.Options{Workers: 1}); !r.OK() {
			t.Fatalf("%s: %+v", id, r.Outcomes)
		}
		if p := changes(); !p.Empty() {
			t.Errorf("%s: after the import the plan still has %d changes", id, len(p.Changes))
		}
	}
	t.Logf("%d real flows imported, each with an empty plan afterwards", tried)
}
