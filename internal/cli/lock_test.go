package cli

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pcconnect.ai/descope-mgmt/internal/emulator"
	"pcconnect.ai/descope-mgmt/internal/store"
)

// TestLocked: whoever meets a lock is told what is going on and where before
// anything else, who does it and since when, and the command to try again.
func TestLocked(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		holder store.Holder
		says   string
	}{
		{
			"another command",
			store.Holder{
				ID: "K7", User: "ada", Host: "build-7", PID: 4711, Operation: "descope-mgmt tenant sync",
				Since: time.Date(2025, 11, 10, 14, 30, 15, 0, time.UTC),
			},
			"Error: descope-mgmt tenant sync is running in project " + devProject + " (process 4711 of ada on build-7, since 2025-11-10T14:30:15Z, lock id K7); nothing was applied; lock file: ",
		},
		{"somebody who says little", store.Holder{ID: "K7", Operation: "descope-mgmt sync"}, "Error: descope-mgmt sync is running in project " + devProject + " (lock id K7); nothing was applied; lock file: "},
		{"nobody knows", store.Holder{ID: "K7"}, "Error: another command is running in project " + devProject + " (lock id K7); nothing was applied; lock file: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Options{})
			holdLock(w, tt.holder)
			r := w.mustRun(exitRefused, "sync", "--env", "dev", "--yes", "--target", "tenant/acme-corp")
			contains(t, r.err, tt.says, ".lock\n    descope-mgmt sync --env dev --target tenant/acme-corp\n")
			if w.writes() > 0 {
				t.Error("something was written")
			}
			r = w.mustRun(exitRefused, "sync", "--env", "dev", "--yes", "-o", "json")
			contains(t, r.err, `"hint": "descope-mgmt sync --env dev"`, `is running in project`)
		})
	}
	t.Run("the emulator", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, emulator.Options{})
		delete(w.env, "DESCOPE_BASE_URL")
		d, err := store.Open(w.env["DESCOPE_STATE_DIR"])
		if err != nil {
			t.Fatal(err)
		}
		storage, err := d.EmulatorStorage(t.Context(), store.Holder{ID: "K7", PID: 1, Operation: "descope-mgmt plan"}, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer storage.Close() //nolint:errcheck // the test is over
		r := w.mustRun(exitRefused, "tenant", "show", "acme-corp", "--env", "dev", "--emulator")
		contains(t, r.err, "Error: descope-mgmt plan is using the emulator's data (process 1, lock id K7); nothing was applied; lock file: ", "\n    descope-mgmt tenant show acme-corp --env dev --emulator\n")
		r = w.mustRun(exitRefused, "doctor", "--env", "dev", "--emulator")
		contains(t, r.out, "failed   state          descope-mgmt plan is using the emulator's data", "next: descope-mgmt doctor --env dev --emulator")
		r = w.mustRun(exitRefused, "emulator", "--data", w.env["DESCOPE_STATE_DIR"])
		contains(t, r.err, "descope-mgmt plan is using the emulator's data (process 1", "\n    descope-mgmt emulator --data ")
	})
}

// TestHolder: what a command says about itself is what others need to find it.
func TestHolder(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Options{})
	w.env["USER"] = "ada"
	var held string
	w.onRequest(func(r *http.Request) {
		if r.Method == http.MethodPost {
			held = w.holder()
		}
	})
	w.mustRun(exitOK, "sync", "--env", "dev", "--yes", "--parallelism", "1")
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	contains(t, held, fmt.Sprintf(`"user":"ada","host":%q,"pid":%d,"since":"20`, host, os.Getpid()), `"operation":"descope-mgmt sync"`)
	if after := w.holder(); after != "" {
		t.Errorf("afterwards: %q", after)
	}
}

// holder is what the lock of dev says.
func (w *world) holder() string {
	files, err := filepath.Glob(filepath.Join(w.env["DESCOPE_STATE_DIR"], "locks", "*.lock"))
	if err != nil || len(files) != 1 {
		w.t.Fatalf("%d locks (%v)", len(files), err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		w.t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}
