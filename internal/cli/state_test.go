package cli

import (
	"testing"
	"time"

	"pcconnect.ai/descope-mgmt/internal/store"
)

// holdLock takes the lock of the dev project, as another run would.
func holdLock(w *world, holder string) {
	w.t.Helper()
	dir, err := store.Open(w.env["DESCOPE_STATE_DIR"])
	if err != nil {
		w.t.Fatal(err)
	}
	scope, err := dir.Scope(w.env["DESCOPE_BASE_URL"], devProject)
	if err != nil {
		w.t.Fatal(err)
	}
	release, err := scope.Lock(w.ctx, holder, time.Second)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = release() })
}

var _ = testing.Short
