package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"pcconnect.ai/descope-mgmt/internal/emulator"
	"pcconnect.ai/descope-mgmt/internal/flow"
	"pcconnect.ai/descope-mgmt/internal/store"
)

// TestFlowVersions deploys a flow many times and brings each version back: the content
// is the same, and equal contents are kept once.
func TestFlowVersions(t *testing.T) {
	t.Parallel()
	versions := 50
	if testing.Short() || underRace {
		versions = 8
	}
	w := newWorld(t, emulator.Options{})
	run := func(args ...string) ran {
		t.Helper()
		// What was sent so far does not count against the rate.
		if err := os.RemoveAll(filepath.Join(w.env["DESCOPE_STATE_DIR"], "rate")); err != nil {
			t.Fatal(err)
		}
		return w.mustRun(exitOK, args...)
	}
	live := func() string {
		t.Helper()
		f, _, err := flow.Parse([]byte(run("flow", "export", "hello", "--env", "dev").out))
		if err != nil {
			t.Fatal(err)
		}
		return f.Normal().Digest()
	}
	const contents = 10 // of which each is deployed several times
	var want []string
	for i := range versions {
		w.write("envs/flow.cue", fmt.Sprintf(`package envs

flows: hello: definition: {
	flowId: "hello"
	metadata: {name: "Hello", description: "version %d"}
	contents: {startTask: "0", tasks: "0": {id: "0", name: "Start"}}
	screens: []
}
`, i%contents))
		run("flow", "deploy", "--env", "dev", "--yes")
		want = append(want, live())
	}
	var history []store.FlowVersion
	if err := json.Unmarshal([]byte(run("flow", "history", "hello", "--env", "dev", "-o", "json").out), &history); err != nil {
		t.Fatal(err)
	}
	digests := map[string]bool{}
	deployed := map[int]int{} // the number of a version by its deploy
	for i := len(history) - 1; i >= 0; i-- {
		digests[history[i].Digest] = true
		if history[i].Note == store.FlowDeployed {
			deployed[len(deployed)] = history[i].N
		}
	}
	if len(deployed) != versions || len(digests) != min(contents, versions) {
		t.Fatalf("%d versions are on record, with %d contents", len(deployed), len(digests))
	}
	for i := range versions {
		run("flow", "rollback", "hello", "--to", fmt.Sprint(deployed[i]), "--env", "dev", "--yes")
		if got := live(); got != want[i] {
			t.Fatalf("version %d is not what was deployed", deployed[i])
		}
	}
	t.Logf("counts: %d deploys, each brought back; %d contents kept", versions, len(digests))
}
