package cli

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"pcconnect.ai/descope-mgmt/internal/emulator"
)

const (
	acmeLive   = `{"id": "acme-corp", "name": "%s", "selfProvisioningDomains": ["acme.com"], "customAttributes": {"plan": "enterprise"}}`
	widgetLive = `{"id": "widget-inc", "name": "Widget Inc", "selfProvisioningDomains": [], "customAttributes": {"plan": "%s"}}`
)

func acme(name string) string   { return strings.Replace(acmeLive, "%s", name, 1) }
func widget(plan string) string { return strings.Replace(widgetLive, "%s", plan, 1) }
func isWrite(r *http.Request) bool {
	return strings.HasPrefix(r.URL.Path, "/v1/mgmt/tenant/") && r.Method == http.MethodPost
}

// between runs a function once: when the next write arrives, or when the first
// read after it does.
func (w *world) between(afterWrite bool, f func()) {
	var wrote, done atomic.Bool
	w.onRequest(func(r *http.Request) {
		if isWrite(r) {
			wrote.Store(true)
		}
		if wrote.Load() && isWrite(r) != afterWrite && !done.Swap(true) {
			f()
		}
	})
}

// TestDriftDuringARun: what somebody moves while a run is under way is not taken
// for what the run applied. The next run still sees who moved it, and --yes does
// not overwrite it.
func TestDriftDuringARun(t *testing.T) {
	t.Parallel()
	drifted := func(t *testing.T, w *world, key string) {
		t.Helper()
		w.onRequest(nil)
		contains(t, w.mustRun(exitOK, "plan", "--env", "dev").out, key, "moved live")
		contains(t, w.mustRun(exitRefused, "sync", "--env", "dev", "--yes").err, "--overwrite-drift")
		w.mustRun(exitOK, "sync", "--env", "dev", "--yes", "--overwrite-drift")
		contains(t, w.mustRun(exitOK, "plan", "--env", "dev").out, "No changes.")
	}
	t.Run("an object outside the run", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, emulator.Options{})
		w.mustRun(exitOK, "sync", "--env", "dev", "--yes")
		w.edit("envs/tenants.cue", "standard", "premium")
		w.between(false, func() { w.live(devProject, acme("Moved"), widget("standard")) })
		w.mustRun(exitOK, "sync", "--env", "dev", "--yes")
		drifted(t, w, "tenant/acme-corp")
	})
	t.Run("an object of the run, before it was checked", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, emulator.Options{})
		w.mustRun(exitOK, "sync", "--env", "dev", "--yes")
		w.edit("envs/tenants.cue", "standard", "premium")
		w.between(true, func() { w.live(devProject, acme("Acme Corporation"), widget("other")) })
		r := w.mustRun(exitFailed, "sync", "--env", "dev", "--yes")
		contains(t, r.out, "1 updated")
		contains(t, r.err, `tenant/widget-inc custom_attributes.plan is "other" instead of "premium"`)
		drifted(t, w, "tenant/widget-inc")
	})
	t.Run("an object that was just made", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, emulator.Options{})
		w.between(true, func() { w.live(devProject, acme("Acme Corporation"), widget("other")) })
		r := w.mustRun(exitFailed, "sync", "--env", "dev", "--yes")
		contains(t, r.err, "tenant/widget-inc")
		drifted(t, w, "tenant/widget-inc")
	})
	t.Run("a deleted object that is back", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, emulator.Options{})
		w.mustRun(exitOK, "sync", "--env", "dev", "--yes")
		w.write("envs/tenants.cue", "package envs\n\ntenants: \"acme-corp\": {name: \"Acme Corporation\", domains: *[\"acme.com\"] | [...string], self_provisioning: true, custom_attributes: plan: *\"enterprise\" | string}\n")
		w.between(true, func() { w.live(devProject, acme("Acme Corporation"), widget("standard")) })
		r := w.mustRun(exitFailed, "sync", "--env", "dev", "--yes", "--prune")
		contains(t, r.err, "tenant/widget-inc still exists")
		w.onRequest(nil)
		contains(t, w.mustRun(exitOK, "plan", "--env", "dev").out, "Orphans")
		w.mustRun(exitOK, "sync", "--env", "dev", "--yes", "--prune")
	})
}

// TestRemovalIsChecked: that something is gone is verified as well as that
// something is there.
func TestRemovalIsChecked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Options{})
	w.mustRun(exitOK, "sync", "--env", "dev", "--yes")
	w.edit("envs/tenants.cue", "\n\tcustom_attributes: plan: \"standard\"", "")
	w.between(true, func() { w.live(devProject, acme("Acme Corporation"), widget("standard")) })
	r := w.mustRun(exitFailed, "sync", "--env", "dev", "--yes")
	contains(t, r.err, "tenant/widget-inc custom_attributes.plan")
	w.onRequest(nil)
	contains(t, w.mustRun(exitOK, "plan", "--env", "dev").out, "tenant/widget-inc")
}

// TestAdoptWhatIsAsConfigured: an object that is already as the configuration
// says has no change in which it could be taken under management, so the flag
// does it by itself; without the flag it stays a stranger.
func TestAdoptWhatIsAsConfigured(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Options{})
	w.live(devProject, acme("Acme Corporation"), widget("standard"))
	contains(t, w.mustRun(exitOK, "sync", "--env", "dev", "--yes").out, "No changes.")
	w.edit("envs/tenants.cue", "standard", "premium")
	contains(t, w.mustRun(exitRefused, "sync", "--env", "dev", "--yes").err, "--adopt-existing")
	w.edit("envs/tenants.cue", "premium", "standard")

	contains(t, w.mustRun(exitOK, "sync", "--env", "dev", "--adopt-existing").out, "No changes.")
	if n := w.writes(); n != 0 {
		t.Errorf("%d writes", n)
	}
	w.edit("envs/tenants.cue", "standard", "premium")
	w.mustRun(exitOK, "sync", "--env", "dev", "--yes")

	// The same next to changes, as after a run that was killed.
	w = newWorld(t, emulator.Options{})
	w.live(devProject, acme("Acme Corporation"))
	w.mustRun(exitOK, "sync", "--env", "dev", "--yes", "--adopt-existing")
	w.edit("envs/tenants.cue", "Acme Corporation", "Acme")
	w.mustRun(exitOK, "sync", "--env", "dev", "--yes")
}
