package cli

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pcconnect.ai/descope-mgmt/internal/emulator"
)

// TestContinueWith: the command that a run names to go on leads to the same
// place and means the same, without what was agreed to for this run alone.
func TestContinueWith(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		args []string
		want string
	}{
		{"sync", []string{"sync", "--yes"}, "descope-mgmt sync --env dev"},
		{"output is of no account", []string{"sync", "-y", "-q", "-v", "--no-color", "--log-level", "info"}, "descope-mgmt sync --env dev"},
		{"where", []string{"-C", "{dir}", "sync", "--auto-approve", "--base-url", "{url}"}, "descope-mgmt sync --env dev --base-url {url} -C {dir}"},
		{"what", []string{"sync", "-y", "--target", "tenant/acme-corp,tenant/widget-inc", "--prune"}, "descope-mgmt sync --env dev --prune=all --target tenant/acme-corp --target tenant/widget-inc"},
		{"how", []string{"sync", "-y", "--adopt-existing", "--on-error", "stop", "--parallelism", "1"}, "descope-mgmt sync --env dev --adopt-existing --on-error stop --parallelism 1"},
		{"tenant sync", []string{"tenant", "sync", "acme-corp", "-y"}, "descope-mgmt tenant sync acme-corp --env dev"},
		{"tenant create", []string{"tenant", "create", "new", "-y", "--name", "It's new", "--attribute", "a=1", "--attribute", "b=x,y"}, `descope-mgmt tenant create new --env dev --attribute a=1 --attribute b=x,y --name 'It'\''s new'`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Options{Faults: []emulator.Fault{failing(t, "400,match=POST /v1/mgmt/tenant/create")}})
			w.env["DESCOPE_ENVIRONMENT"] = "dev"
			fill := func(s string) string {
				return replace(s, "{dir}", w.dir, "{url}", w.env["DESCOPE_BASE_URL"])
			}
			args := slices.Clone(tt.args)
			for i := range args {
				args[i] = fill(args[i])
			}
			r := w.mustRun(exitFailed, args...)
			contains(t, r.out, "To continue: "+fill(tt.want)+"\n")
		})
	}
	t.Run("a saved plan is used once", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, emulator.Options{})
		w.mustRun(exitOK, "plan", "--env", "dev", "--out", "p")
		if err := w.server.SetFaults(failing(t, "400,match=POST /v1/mgmt/tenant/create")); err != nil {
			t.Fatal(err)
		}
		r := w.mustRun(exitFailed, "sync", "--env", "dev", "--plan", "p", "--yes")
		contains(t, r.out, "To continue: descope-mgmt plan --env dev --out p\n")
	})
	t.Run("flow import", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, emulator.Options{Faults: []emulator.Fault{failing(t, "400,match=POST /v2/mgmt/flow/import")}})
		w.write("my flow.json", `{"flowId": "f", "metadata": {"name": "F"}, "contents": {"startTask": "0", "tasks": {"0": {"id": "0", "name": "Start"}}}}`)
		r := w.mustRun(exitFailed, "flow", "import", "my flow.json", "--env", "dev", "--yes")
		contains(t, r.out, "To continue: descope-mgmt flow import 'my flow.json' --env dev\n")
	})
}

// TestHintsOfGuards: a refusal names every flag that is missing, or none where
// no flag would do.
func TestHintsOfGuards(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Options{})
	w.live(prodProject, acmeByHand)
	r := w.mustRun(exitRefused, "sync", "--env", "prod", "--yes", "--target", "tenant/acme-corp")
	contains(t, r.err, "    descope-mgmt sync --env prod --target tenant/acme-corp --yes --overwrite-drift --adopt-existing --confirm-project "+prodProject+"\n")

	// Pasted as it stands it goes through where there is no terminal, wherever it is typed.
	r = w.mustRun(exitRefused, "-C", w.dir, "sync", "--env", "prod", "-y", "--confirm-project", prodProject)
	contains(t, r.err, "    descope-mgmt sync --env prod --confirm-project "+prodProject+" -C "+w.dir+" --yes --overwrite-drift --adopt-existing\n")
	w.mustRun(exitOK, "plan", "--env", "prod", "--out", "p")
	r = w.mustRun(exitRefused, "sync", "--env", "prod", "--plan", "p", "--auto-approve")
	contains(t, r.err, "    descope-mgmt sync --env prod --auto-approve --plan p --adopt-existing --confirm-project "+prodProject+"\n")
	// At a terminal what will be done is shown again and asked about.
	a, captured := w.app()
	a.streams.InTTY = true
	if code := a.run(w.ctx, []string{"sync", "--env", "prod", "--yes"}); code != exitRefused {
		t.Errorf("exit %d", code)
	}
	contains(t, captured.ErrOut(), "    descope-mgmt sync --env prod --overwrite-drift --adopt-existing --confirm-project "+prodProject+"\n")

	w.live(prodProject, `{"id": "by-hand", "name": "Acme Corporation", "selfProvisioningDomains": []}`)
	r = w.mustRun(exitRefused, "sync", "--env", "prod", "--yes")
	contains(t, r.err, "taken")
	lacks(t, r.err, "\n    descope-mgmt")
}

// TestHintsOfPlans: the command for a saved plan can be copied as it stands.
func TestHintsOfPlans(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Options{})
	r := w.mustRun(exitOK, "plan", "--env", "dev", "--out", "my plan")
	contains(t, r.err, "descope-mgmt sync --env dev --plan 'my plan'")
	if info, err := os.Stat(filepath.Join(w.dir, "my plan")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}
