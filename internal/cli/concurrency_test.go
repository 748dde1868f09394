package cli

import (
	"net/http"
	"path/filepath"
	"sync"
	"testing"

	"pcconnect.ai/descope-mgmt/internal/emulator"
)

// betweenReadAndLock runs something once, after the project was read and before the
// lock is asked for.
type betweenReadAndLock struct {
	http.RoundTripper
	once sync.Once
	do   func()
}

func (b *betweenReadAndLock) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := b.RoundTripper.RoundTrip(req)
	if req.URL.Path == "/v1/mgmt/tenant/all" {
		b.once.Do(b.do)
	}
	return resp, err
}

// TestNoLostUpdate: a run that read the project before another one changed it, and
// gets the lock after that one gave it back, looks again, whatever was agreed to
// beforehand. Its update would carry all fields back to what they were.
func TestNoLostUpdate(t *testing.T) {
	t.Parallel()
	for name, other := range map[string][]string{
		"another sync":        {"tenant", "sync", "acme-corp", "--env", "dev", "--yes"},
		"a restore":           {"backup", "restore", "latest", "--env", "dev", "--yes", "--full", "--confirm-project", devProject},
		"of something else":   {"tenant", "sync", "widget-inc", "--env", "dev", "--yes"},
		"no change":           {"tenant", "sync", "acme-corp", "--env", "dev", "--dry-run"},
		"a tenant is created": {"tenant", "create", "more", "--name", "More", "--env", "dev", "--yes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Options{})
			w.live(devProject, acme("Old"), widget("old"))
			w.mustRun(exitOK, "backup", "create", "--env", "dev")
			w.mustRun(exitOK, "sync", "--env", "dev", "--yes", "--adopt-existing")
			mine := filepath.Join(t.TempDir(), "mine")
			if err := copyTree(w.dir, mine); err != nil {
				t.Fatal(err)
			}
			w.edit("envs/tenants.cue", "Acme Corporation", "Acme by another")
			w.edit("envs/tenants.cue", `"Widget Inc"`, `"Widget by another"`)
			theirs := w.dir
			w.dir = mine
			w.edit("envs/tenants.cue", `"enterprise"`, `"premium"`)
			var was ran
			a, captured := w.app()
			a.transport = &betweenReadAndLock{RoundTripper: emulator.Transport(w.server), do: func() {
				b, captured := w.app()
				b.workDir = theirs
				was = ran{b.run(t.Context(), other), captured.Out(), captured.ErrOut()}
			}}
			code := a.run(t.Context(), []string{"sync", "--env", "dev", "--yes", "--target", "tenant/acme-corp"})
			if was.code != exitOK {
				t.Fatalf("the other one: exit %d: %s%s", was.code, was.out, was.err)
			}
			want := map[string]int{"another sync": exitRefused, "a restore": exitRefused}[name]
			if code != want {
				t.Errorf("exit %d, want %d: %s%s", code, want, captured.Out(), captured.ErrOut())
			}
			names := w.tenants()
			if want == exitRefused {
				contains(t, captured.ErrOut(), "nothing was applied", "tenant/acme-corp", "after the plan was made")
				if names["acme-corp"] == "Acme Corporation" {
					t.Errorf("what the other one did is lost: %v", names)
				}
			}
		})
	}
}
