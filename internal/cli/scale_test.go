//go:build unix

package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
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
	var stdout output
	cmd.Stdout = &stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	peak := peakOf(cmd.Process.Pid)
	err := cmd.Wait()
	if err != nil {
		t.Fatalf("%v: %s", err, &stderr)
	}
	out := []byte(stdout.String())
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
	if peak > 0 && !underRace {
		const limit = 1 << 10 // MiB
		if peak > limit {
			t.Errorf("sync took %d MiB", peak)
		}
		t.Logf("sync of %d tenants took %d MiB", n, peak)
	}
}

// peakOf watches a process until it ends, and returns the most memory that it had, in
// MiB, or 0 where the system does not say. What wait4 tells of a child includes what its
// parent had when it was made, and this test has a lot.
func peakOf(pid int) int {
	most := 0
	for {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			return most
		}
		m := regexp.MustCompile(`(?m)^VmHWM:\s+(\d+) kB$`).FindSubmatch(status)
		if m == nil {
			return most // it has ended
		}
		kib, err := strconv.Atoi(string(m[1]))
		if err != nil {
			return most
		}
		most = max(most, kib>>10)
		time.Sleep(5 * time.Millisecond)
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
