//go:build unix

package cli

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"pcconnect.ai/descope-mgmt/internal/emulator"
)

// TestTenThousandTenants goes once through plan, sync and plan of a project of
// that size: one call to read it, in a bounded time and memory. It has 10 000
// tenants, of which 60 differ; to create them all takes as long as the rate
// limit says (50 minutes) and is the business of the tests of internal/api.
func TestTenThousandTenants(t *testing.T) {
	n := 10_000
	if testing.Short() || underRace {
		n = 500
	}
	t.Parallel()
	w := newWorld(t, emulator.Options{})
	w.write("envs/tenants.cue", many(n, "standard"))
	w.write("envs/staging/staging.cue", "package envs\nenvironment: name: \"staging\"\n")
	w.write("envs/prod/prod.cue", "package envs\nenvironment: name: \"prod\"\n")

	// Everything is new.
	started := time.Now()
	plan := w.mustRun(exitOK, "plan", "--env", "dev")
	contains(t, plan.out, fmt.Sprintf("Plan: %d to create, 0 to update, 0 to delete. 0 unchanged. %d calls, about ", n, n))
	if lines := strings.Count(plan.out, "+ create"); lines != n {
		t.Errorf("%d creates are shown", lines)
	}

	// All but some are there already.
	tenants := make([]string, n)
	for i := range n {
		plan := "standard"
		if i%(n/60) == 0 && i/(n/60) < 60 {
			plan = "old"
		}
		tenants[i] = fmt.Sprintf(`{"id": "t%05d", "name": "Tenant %05d", "selfProvisioningDomains": [], "customAttributes": {"plan": %q}}`, i, i, plan)
	}
	w.live(devProject, tenants...)
	if err := w.server.Reset(emulator.ResetRequests); err != nil {
		t.Fatal(err)
	}
	cmd := w.command("sync", "--env", "dev", "--yes", "--adopt-existing", "-o", "json")
	var stderr output
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, &stderr)
	}
	var result struct{ Counts struct{ Done int } }
	if err := json.Unmarshal(out, &result); err != nil || result.Counts.Done != 60 {
		t.Errorf("%v: %d done: %.300s", err, result.Counts.Done, out)
	}
	reads, updates := w.requests("GET /v1/mgmt/tenant/all"), w.requests("POST /v1/mgmt/tenant/update")
	if reads > 3 || updates != 60 || len(w.server.Requests()) != reads+updates {
		t.Errorf("%d reads, %d updates, %d requests", reads, updates, len(w.server.Requests()))
	}
	if took := time.Since(started); took > 3*time.Minute {
		t.Errorf("it took %v", took)
	}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok && runtime.GOOS == "linux" && !underRace {
		const limit = 1 << 20 // KiB
		if usage.Maxrss > limit {
			t.Errorf("sync took %d MiB", usage.Maxrss>>10)
		}
		t.Logf("sync of %d tenants took %d MiB", n, usage.Maxrss>>10)
	}
}

// TestManyOnDisk: the embedded emulator saves its project with every write; a
// full budget of them must still be a matter of seconds.
func TestManyOnDisk(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Options{})
	w.write("envs/tenants.cue", many(150, "standard"))
	w.write("envs/staging/staging.cue", "package envs\nenvironment: name: \"staging\"\n")
	started := time.Now()
	contains(t, w.mustRun(exitOK, "sync", "--env", "dev", "--emulator", "--yes").out, "150 created")
	if took := time.Since(started); took > 30*time.Second {
		t.Errorf("it took %v", took)
	}
}
