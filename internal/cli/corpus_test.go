package cli

import (
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pcconnect.ai/descope-mgmt/internal/api"
	"pcconnect.ai/descope-mgmt/internal/apply"
	"pcconnect.ai/descope-mgmt/internal/emulator"
	"pcconnect.ai/descope-mgmt/internal/flow"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
)

// TestCorpusDeploy deploys every real export that has no errors into five projects,
// each with ids of its own and a server with habits of its own, in any order, and again:
// afterwards nothing is left to do, no connector is lost, and the flow does the same.
func TestCorpusDeploy(t *testing.T) {
	dir := os.Getenv("DESCOPE_MGMT_CORPUS")
	if dir == "" {
		t.Skip("DESCOPE_MGMT_CORPUS does not name a directory of real exports")
	}
	files, err := filepath.Glob(filepath.Join(dir, "flows", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no flows in %s (%v)", dir, err)
	}
	names, flows, subflows, broken := map[string]bool{}, map[string]flow.Flow{}, flow.Names{}, 0
	var resources []model.Resource
	for _, file := range files {
		f, err := (&app{}).readFlow(file)
		if err != nil {
			t.Fatal(err)
		}
		id := strings.TrimSuffix(filepath.Base(file), ".json")
		if f = f.WithID(id); slices.ContainsFunc(flow.Lint(f, flow.LintOptions{}), func(p flow.Problem) bool {
			return p.Severity == model.Error || p.Rule == flow.UnnamedConnector
		}) {
			broken++
			continue
		}
		for name := range f.References()["connectors"] {
			names[name] = true
		}
		for _, u := range f.Uses() {
			if u.Kind == flow.UseFlow {
				subflows[u.ID] = true // by ids that the files are not deployed under
			}
		}
		flows[id] = f
		resources = append(resources, model.Resource{Key: model.Key{Kind: model.Flow, ID: id}, Attrs: map[string]any{"definition": f.Value()}})
	}
	deployed, connectors := 0, 0
	habits := [][2]string{{"", ""}, {"flow_zeros", "left-out"}, {"screen_ids", "minted"}, {"flow_zeros", "as-sent"}, {"etag", "frozen"}}
	for i, habit := range habits {
		project, seed := fmt.Sprintf("P2corpus%019dz", i), []string{}
		for name := range names {
			seed = append(seed, fmt.Sprintf("%q: %q", name, connectorID(i, name)))
		}
		o := emulator.Options{Budgets: emulator.NoBudgets()}
		if habit[0] != "" {
			if err := o.Quirks.Set(habit[0], habit[1]); err != nil {
				t.Fatal(err)
			}
		}
		server, err := emulator.New(o)
		if err != nil {
			t.Fatal(err)
		}
		if err := server.Seed([]byte(fmt.Sprintf(`{"version": 1, "projects": {%q: {"connectors": {%s}}}}`, project, strings.Join(seed, ",")))); err != nil {
			t.Fatal(err)
		}
		client, err := api.New(api.Config{
			BaseURL: emulatorURL, ProjectID: project, Key: api.NewSecret("K"), Transport: emulator.Transport(server),
			Budgets: []api.Budget{{Name: api.BudgetTenantWrites, Requests: 10_000, Window: 1}, {Name: api.BudgetOther, Requests: 10_000, Window: 1}},
		})
		if err != nil {
			t.Fatal(err)
		}
		known := flow.Project{Connectors: map[string][]string{}, Flows: subflows}
		for name := range names {
			known.Connectors[name] = []string{connectorID(i, name)}
		}
		changes := func(wanted []model.Resource) *plan.Plan {
			live, err := client.Read(t.Context(), model.Flow)
			if err != nil {
				t.Fatal(err)
			}
			desired, err := model.NewState(wanted)
			if err != nil {
				t.Fatal(err)
			}
			fitted := flow.Fit(desired, live, known, nil)
			if errs := fitted.Diagnostics.Errors(); len(errs) > 0 {
				t.Fatal(errs)
			}
			p, err := plan.Compute(fitted.State, live, model.State{}, plan.Options{Encode: api.Encode})
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		order := rand.New(rand.NewPCG(uint64(i), 1)).Perm(len(resources))
		for _, part := range [][]int{order[:len(order)/2], order[len(order)/2:], order} { // the last is all of them again
			var wanted []model.Resource
			for _, n := range part {
				wanted = append(wanted, resources[n])
			}
			p := changes(wanted)
			if len(part) == len(order) && !p.Empty() {
				t.Fatalf("%v: deployed again, %d flows change", habit, len(p.Changes))
			}
			if r := apply.Run(t.Context(), p, client, apply.Options{Workers: 1}); !r.OK() {
				t.Fatalf("%v: %+v", habit, r.Outcomes)
			}
			if p := changes(wanted); !p.Empty() {
				t.Fatalf("%v: after the deploy the plan still has %d changes", habit, len(p.Changes))
			}
			deployed += len(p.Changes)
		}
		live, err := client.Read(t.Context(), model.Flow)
		if err != nil {
			t.Fatal(err)
		}
		for id, is := range flow.FlowsOf(live) {
			for _, u := range is.Uses() {
				if u.Kind == flow.UseConnector {
					connectors++
					if u.Name == "" || u.ID != connectorID(i, u.Name) {
						t.Errorf("%v: %s: connector %s (%q) is not one of the project", habit, id, u.ID, u.Name)
					}
				}
			}
			if r := flow.Diff(flows[id], is); !r.Equal() {
				t.Errorf("%v: %s does something else: %+v", habit, id, r.Changes)
			}
		}
	}
	t.Logf("counts: %d flows into %d projects, %d deploys, %d connectors bound; %d flows with errors left out", len(flows), len(habits), deployed, connectors, broken)
}

func connectorID(project int, name string) string {
	return fmt.Sprintf("CI%d%026d", project, crc32.ChecksumIEEE([]byte(name)))
}
