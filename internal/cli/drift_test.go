package cli

import (
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"

	"pcconnect.ai/descope-mgmt/internal/apply"
	"pcconnect.ai/descope-mgmt/internal/emulator"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

// reads are the requests that change nothing. All others may.
func reads(r emulator.Request) bool {
	return r.Method == http.MethodGet || r.Method == http.MethodPost && slices.Contains([]string{
		"/v1/mgmt/flow/list", "/v2/mgmt/flow/export", "/v1/mgmt/flow/export",
		"/v1/mgmt/user/search", "/v2/mgmt/user/search", "/v1/mgmt/accesskey/search",
	}, r.Path)
}

// TestDriftReadsOnly looks for drift in random projects, and between any two of them,
// and expects of the emulator's log that nothing could have written. The connection has
// nothing to write with.
func TestDriftReadsOnly(t *testing.T) {
	random := rand.New(rand.NewPCG(21, 22))
	requests, drifted := 0, 0
	rounds := 10
	if testing.Short() || underRace {
		rounds = 3
	}
	for range rounds {
		w := newWorld(t, emulator.Options{})
		w.prompter = agreeing{}
		before := randomProject(random)
		seed := func(d liveDocument) {
			t.Helper()
			if err := w.server.Seed(d.seed()); err != nil {
				t.Fatal(err)
			}
		}
		seed(before)
		w.run("sync", "--env", "dev", "--adopt-existing", "--overwrite-drift", "--allow-mass-change", "--yes")
		seed(changedProject(random, before))
		known := len(w.server.Requests())
		for _, args := range [][]string{
			{"drift", "--env", "dev"},
			{"drift", "--env", "dev", "-o", "json", "--ignore", "tenant/*.name"},
			{"drift", "--all"},
			{"drift", "--env", "dev", "--resolve", "--accept", "all", "--reason", "it may", "--yes"},
			{"drift", "--env", "dev"},
		} {
			w.forgetRate()
			code := w.run(args...).code
			if code == exitDifferences {
				drifted++
			} else if code != exitOK {
				t.Errorf("%v: exit %d", args, code)
			}
		}
		for _, r := range w.server.Requests()[known:] {
			requests++
			if !reads(r) {
				t.Errorf("drift sent %s %s", r.Method, r.Path)
			}
		}
	}
	if drifted < rounds {
		t.Errorf("only %d times there was drift", drifted)
	}
	t.Logf("counts: %d requests, all of them reads; %d times drift", requests, drifted)
}

// TestConnectionForReading: what reads has nothing that writes.
func TestConnectionForReading(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	a, _ := w.app()
	a.flags.env, a.flags.logLevel = "dev", "error"
	c, err := a.connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.close() }()
	if _, writes := c.client.(apply.Target); writes || c.target != nil {
		t.Error("a connection for reading can write")
	}
}

// TestDriftQuestions answers at the terminal: once for each object.
func TestDriftQuestions(t *testing.T) {
	for name, c := range map[string]struct {
		answers []string
		code    int
		asked   int
		left    string
	}{
		"apply":             {[]string{"apply", "y"}, exitOK, 2, "No drift."},
		"ignore":            {[]string{"ignore", "because"}, exitOK, 2, "No drift."},
		"skip":              {[]string{"skip"}, exitDifferences, 1, "Drift: 1 changed"},
		"nothing":           {nil, exitRefused, 1, "Drift: 1 changed"},
		"apply, then no":    {[]string{"apply", "n"}, exitRefused, 2, "Drift: 1 changed"},
		"ignore, no reason": {[]string{"ignore"}, exitRefused, 2, "Drift: 1 changed"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, emulator.Options{})
			w.prompter = agreeing{}
			w.mustRun(exitOK, "sync", "--env", "dev")
			w.live(devProject, `{"id": "acme-corp", "name": "Acme Renamed", "selfProvisioningDomains": ["acme.com"], "customAttributes": {"plan": "gold"}}`,
				`{"id": "widget-inc", "name": "Widget Inc", "customAttributes": {"plan": "standard"}}`)
			asks := &ui.FakePrompter{Answers: c.answers}
			w.prompter = asks
			if r := w.run("drift", "--env", "dev", "--resolve"); r.code != c.code || len(asks.Questions) != c.asked {
				t.Errorf("exit %d after the questions %q\n%s%s", r.code, asks.Questions, r.out, r.err)
			}
			contains(t, w.run("drift", "--env", "dev").out, c.left)
		})
	}
}
