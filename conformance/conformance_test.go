// Package conformance holds the emulator to what Descope is known to do: it is
// driven with Descope's own Node SDK, a client that was written by neither its
// authors nor ours, and it keeps a contract that a real project can be held to as
// well. The rest of the tool is then held to the emulator, from the configuration
// to an empty second plan.
package conformance

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pcconnect.ai/descope-mgmt/internal/emulator"
)

// TestNodeSDK serves an emulator and runs the Node suite beside this file
// against it. DESCOPE_MGMT_REQUIRE_SUITES=sdk makes a missing SDK a failure.
func TestNodeSDK(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		missing(t, "sdk", "node is not installed")
	}
	if _, err := os.Stat(filepath.Join("node_modules", "@descope", "node-sdk")); err != nil {
		missing(t, "sdk", "the SDK is not installed; run npm ci in conformance/")
	}
	ctx := t.Context()
	server, address := serve(t, emulator.Options{})
	_, paid := serve(t, emulator.Options{Tier: "tier2"})

	run := exec.CommandContext(ctx, node, "--test", "--test-concurrency=1")
	run.Env = append(os.Environ(), "DESCOPE_EMULATOR_URL=http://"+address, "DESCOPE_PAID_EMULATOR_URL=http://"+paid)
	out, err := run.CombinedOutput()
	if err != nil {
		t.Errorf("the Node suite failed: %v\n%s", err, out)
	}
	if !strings.Contains(string(out), "# pass ") && !strings.Contains(string(out), "ℹ pass ") || strings.Contains(string(out), "pass 0\n") {
		t.Errorf("the Node suite ran no test:\n%s", out)
	}
	if !slices.ContainsFunc(server.Requests(), func(r emulator.Request) bool { return r.SDK == "nodejs" }) {
		t.Error("the SDK never reached the emulator")
	}
}

// serve runs an emulator until the test ends.
func serve(t *testing.T, o emulator.Options) (server *emulator.Server, address string) {
	t.Helper()
	server, err := emulator.New(o)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- emulator.Serve(ctx, listener, server) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return server, listener.Addr().String()
}

// missing skips a suite, unless it is required.
func missing(t *testing.T, suite, why string) {
	t.Helper()
	required := strings.FieldsFunc(os.Getenv("DESCOPE_MGMT_REQUIRE_SUITES"), func(r rune) bool { return r == ' ' || r == ',' })
	if slices.Contains(required, suite) {
		t.Fatal(why)
	}
	t.Skip("skipped: " + why)
}
