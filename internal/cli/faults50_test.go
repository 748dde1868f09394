package cli

import (
	"fmt"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pcconnect.ai/descope-mgmt/internal/emulator"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
)

// matrixOfFifty is a sync of fifty changes: creates, alone, below others and with
// roles; updates of a field, of the roles and of both; and deletes, one of them below
// another. Beside them are tenants that must stay as they are.
func matrixOfFifty() matrixScenario {
	s := matrixScenario{allowed: plan.Allowed{MassChange: true}}
	config, live := []string{"package envs"}, []string{}
	want := func(id, fields string) { config = append(config, fmt.Sprintf("tenants: %q: {%s}", id, fields)) }
	is := func(id, fields string, attrs map[string]any) {
		live = append(live, fmt.Sprintf(`{"id": %q, %s}`, id, fields))
		if attrs != nil {
			s.applied = append(s.applied, model.Resource{Key: tenantKey(id), Attrs: attrs})
		}
	}
	for i := range 8 {
		parent := ""
		if i >= 6 {
			parent = fmt.Sprintf(`, parent: "new-%d"`, i-6)
		}
		want(fmt.Sprintf("new-%d", i), fmt.Sprintf(`name: "New %d", custom_attributes: n: %d%s`, i, i, parent))
	}
	for i := range 4 {
		parent := ""
		if i == 0 {
			parent = `, parent: "new-2"` // and so runs after it, though it sorts before
		}
		want(fmt.Sprintf("a-new-%d", i), fmt.Sprintf(`name: "New with roles %d", default_roles: ["R1", "R2"]%s`, i, parent))
	}
	for i := range 20 {
		id := fmt.Sprintf("renamed-%02d", i)
		want(id, fmt.Sprintf(`name: "Name %d", custom_attributes: plan: "gold"`, i))
		is(id, fmt.Sprintf(`"name": "Old name %d", "enforceSSO": true, "unknown": {"a": null}, "customAttributes": {"plan": "trial", "theirs": 1}`, i),
			map[string]any{"name": fmt.Sprintf("Old name %d", i), "custom_attributes": map[string]any{"plan": "trial"}})
	}
	for i := range 8 {
		id := fmt.Sprintf("roles-%d", i)
		want(id, fmt.Sprintf(`name: "Roles %d", default_roles: ["R2"]`, i))
		is(id, fmt.Sprintf(`"name": "Roles %d", "defaultRoles": ["R1"], "federatedAppIds": ["A1"]`, i),
			map[string]any{"name": fmt.Sprintf("Roles %d", i), "default_roles": []any{"R1"}})
	}
	for i := range 6 {
		id := fmt.Sprintf("both-%d", i)
		want(id, fmt.Sprintf(`name: "Both %d", disabled: true, default_roles: ["R2"]`, i))
		is(id, fmt.Sprintf(`"name": "Both %d", "disabled": false, "defaultRoles": ["R1"]`, i),
			map[string]any{"name": fmt.Sprintf("Both %d", i), "disabled": false, "default_roles": []any{"R1"}})
	}
	for i := range 4 {
		id, parent := fmt.Sprintf("gone-%d", i), ""
		if i == 3 {
			parent = `, "parent": "gone-0"`
		}
		is(id, fmt.Sprintf(`"name": "Gone %d"%s`, i, parent), map[string]any{"name": fmt.Sprintf("Gone %d", i)})
	}
	for i := range 4 {
		id := fmt.Sprintf("same-%d", i)
		want(id, fmt.Sprintf(`name: "Same %d"`, i))
		is(id, fmt.Sprintf(`"name": "Same %d", "enforceSSO": true`, i), map[string]any{"name": fmt.Sprintf("Same %d", i)})
		is(fmt.Sprintf("theirs-%d", i), fmt.Sprintf(`"name": "By hand %d", "customAttributes": {"a": [1, 2.50]}`, i), nil)
	}
	s.config = strings.Join(config, "\n") + "\n"
	s.live = fmt.Sprintf(`{"version": 1, "projects": {%q: {"tenants": [%s]}}}`, devProject, strings.Join(live, ",\n"))
	return s
}

// faultsOfFifty are the faults of the emulator, and of the statuses one of each
// meaning; [TestFaultMatrix] has all of them.
func faultsOfFifty() []emulator.Fault {
	return slices.DeleteFunc(matrixFaults(), func(f emulator.Fault) bool {
		switch f.Name {
		case "400", "401", "429", "503":
			return f.Applied
		case "500", lateReply:
			return !f.Applied
		}
		return f.Applied || !slices.Contains(emulator.FaultNames(), f.Name)
	})
}

// casesOfFifty meets a fault at every request, once and from there on in turn, and
// with both answers to a failure and one worker or many. Under the race detector,
// which is about other things, it is every eleventh request.
func casesOfFifty(f emulator.Fault, number, requests int) []matrixCase {
	if strings.HasSuffix(f.Name, "-list") {
		requests = 2 // it suits no others
	}
	var out []matrixCase
	for at := range requests {
		if underRace && (at+number)%11 != 0 {
			continue
		}
		f := f
		n := at + number
		f.Skip, f.Count = at, n%2
		out = append(out, matrixCase{
			fault: f, onError: []string{onErrorStop, onErrorContinue}[n/2%2], workers: []int{1, 20}[n/4%2],
			brief: n%8 > 0,
		})
	}
	return out
}

// TestFaultsOfFiftyChanges meets every fault at every request of a sync of fifty
// changes: the account is exact, nothing is done twice, and the sync that follows
// makes the rest true.
func TestFaultsOfFiftyChanges(t *testing.T) {
	campaign(t)
	t.Parallel()
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // a small heap, and a lot of garbage
	config := matrixCompile(t, matrixOfFifty())
	if len(config.want) != 8+4+20+8+6+4+4 {
		t.Fatalf("there are %d tenants", len(config.want))
	}
	began := time.Now()
	var mu sync.Mutex
	n := matrixTally{codes: map[int]int{}, statuses: map[string]int{}}
	t.Run("faults", func(t *testing.T) {
		for number, f := range faultsOfFifty() {
			name := f.Name
			if f.Applied {
				name += ", applied"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				state := filepath.Join(scratch(t), "state")
				for _, c := range casesOfFifty(f, number, config.requests) {
					var r *matrixRun
					synctest.Test(t, func(t *testing.T) {
						r = newMatrixRun(t, config, state, c)
						r.check()
						time.Sleep(time.Hour) // for handlers that nobody waits for
					})
					if r.fired == 0 {
						continue // there are fewer writes than requests
					}
					mu.Lock()
					n.add(r)
					mu.Unlock()
				}
			})
		}
	})
	t.Logf("counts: %d faults, %d requests, %d cases in %v; exit codes %v; outcomes %v",
		len(faultsOfFifty()), config.requests, n.cases, time.Since(began).Round(time.Second), n.codes, n.statuses)
}
