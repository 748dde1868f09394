package cli

import (
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"pcconnect.ai/descope-mgmt/internal/emulator"
	"pcconnect.ai/descope-mgmt/internal/store"
)

// holdLock takes the lock of the dev project, as another run would.
func holdLock(w *world, holder store.Holder) {
	w.t.Helper()
	dir, err := store.Open(w.env["DESCOPE_STATE_DIR"])
	if err != nil {
		w.t.Fatal(err)
	}
	scope, err := dir.Scope(w.env["DESCOPE_BASE_URL"], devProject)
	if err != nil {
		w.t.Fatal(err)
	}
	l, err := scope.Lock(w.ctx, holder, time.Second)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = l.Release() })
}

// TestStateDirectory: a state directory that cannot serve stops every command
// that needs it before the first call, and says which and why.
func TestStateDirectory(t *testing.T) {
	t.Parallel()
	asRoot := os.Geteuid() == 0
	tests := []struct {
		name    string
		prepare func(t *testing.T, dir string)
		says    string
		root    bool // makes a difference to root too
	}{
		{"a file", func(t *testing.T, dir string) { writeFile(t, dir, "") }, "a file", true},
		{"below a file", func(t *testing.T, dir string) { writeFile(t, filepath.Dir(dir), "") }, "a file", true},
		{"writable by all", func(t *testing.T, dir string) { makeDir(t, dir, 0o777) }, "every user can write to it", true},
		{"read-only parent", func(t *testing.T, dir string) { makeDir(t, filepath.Dir(dir), 0o500) }, "you may not", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if asRoot && !tt.root {
				t.Skip("root may do anything")
			}
			w := newWorld(t, emulator.Options{})
			dir := filepath.Join(t.TempDir(), "parent", "state")
			tt.prepare(t, dir)
			w.env["DESCOPE_STATE_DIR"] = dir
			for _, args := range [][]string{{"plan", "--env", "dev"}, {"sync", "--env", "dev", "--yes"}, {"plan", "--env", "dev", "--emulator"}} {
				r := w.mustRun(exitFailed, args...)
				contains(t, r.err, filepath.Dir(dir), tt.says, "--state-dir or DESCOPE_STATE_DIR")
				if r.out != "" {
					t.Errorf("prints %q", r.out)
				}
			}
			r := w.mustRun(exitFailed, "doctor", "--env", "dev")
			contains(t, r.out, "failed   state ", tt.says, "--state-dir or DESCOPE_STATE_DIR")
			if n := w.requests(""); n != 0 {
				t.Errorf("%d requests", n)
			}
			w.mustRun(exitOK, "eval", "--env", "dev") // needs none
			w.mustRun(exitOK, "plan", "--env", "dev", "--state-dir", filepath.Join(t.TempDir(), "other"))
		})
	}
	t.Run("read-only", func(t *testing.T) {
		t.Parallel()
		if asRoot {
			t.Skip("root may do anything")
		}
		w := newWorld(t, emulator.Options{})
		makeDir(t, w.env["DESCOPE_STATE_DIR"], 0o500)
		w.mustRun(exitFailed, "sync", "--env", "dev", "--yes")
		if n := w.writes(); n != 0 {
			t.Errorf("%d writes", n)
		}
	})
	t.Run("none", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, emulator.Options{})
		delete(w.env, "DESCOPE_STATE_DIR")
		delete(w.env, "HOME")
		contains(t, w.mustRun(exitConfig, "plan", "--env", "dev").err, "--state-dir")
		w.env["HOME"] = t.TempDir()
		w.mustRun(exitOK, "sync", "--env", "dev", "--yes")
		if _, err := os.Stat(filepath.Join(w.env["HOME"], ".descope-mgmt", "last-applied")); err != nil {
			t.Error(err)
		}
	})
	t.Run("open to others is closed, with a notice", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, emulator.Options{})
		makeDir(t, w.env["DESCOPE_STATE_DIR"], 0o755)
		contains(t, w.mustRun(exitOK, "plan", "--env", "dev").err, "warning: ", "is now private")
		lacks(t, w.mustRun(exitOK, "plan", "--env", "dev").err, "warning")
	})
}

// TestLockedState: who holds the lock is named, and nothing is written.
func TestLockedState(t *testing.T) {
	t.Parallel()
	t.Run("by this project", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, emulator.Options{})
		holdLock(w, store.Holder{PID: 4711, Operation: "descope-mgmt sync"})
		r := w.mustRun(exitRefused, "sync", "--env", "dev", "--yes")
		contains(t, r.err, "descope-mgmt sync is running", "process 4711")
		if n := w.writes(); n != 0 {
			t.Errorf("%d writes", n)
		}
		w.mustRun(exitOK, "plan", "--env", "dev") // only looks
		w.mustRun(exitOK, "sync", "--env", "staging", "--yes")
	})
	t.Run("by another process", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, emulator.Options{})
		release := make(chan struct{})
		w.onRequest(func(r *http.Request) {
			if r.Method == http.MethodPost {
				<-release
			}
		})
		p := w.start("sync", "--env", "dev", "--yes")
		eventually(t, "the other's calls", func() bool { return w.inFlight() == 2 })
		w.env["DESCOPE_BASE_URL"] += "/" // the same place
		r := w.run("sync", "--env", "dev", "--yes")
		close(release)
		if r.code != exitRefused {
			t.Errorf("exit %d", r.code)
		}
		contains(t, r.err, "process "+strconv.Itoa(p.cmd.Process.Pid))
		if code := p.wait(20 * time.Second); code != exitOK {
			t.Errorf("exit %d: %s", code, &p.err)
		}
	})
	t.Run("of the embedded emulator", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, emulator.Options{})
		dir, err := store.Open(w.env["DESCOPE_STATE_DIR"])
		if err != nil {
			t.Fatal(err)
		}
		storage, err := dir.EmulatorStorage(t.Context(), store.Holder{Operation: "somebody else"}, time.Second)
		if err != nil {
			t.Fatal(err)
		}
		contains(t, w.mustRun(exitRefused, "plan", "--env", "dev", "--emulator").err, "somebody else")
		contains(t, w.mustRun(exitRefused, "emulator", "--data", w.env["DESCOPE_STATE_DIR"]).err, "somebody else")
		if err := storage.Close(); err != nil {
			t.Fatal(err)
		}
		w.mustRun(exitOK, "plan", "--env", "dev", "--emulator")
	})
}

// TestDamagedState: a record of what was applied that cannot be trusted is named
// and nothing is planned from it.
func TestDamagedState(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(string) string{
		"empty":      func(string) string { return "" },
		"cut":        func(s string) string { return s[:len(s)/2] },
		"one letter": func(s string) string { return strings.Replace(s, "Acme", "Acne", 1) },
		"not ours":   func(string) string { return "{}" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Options{})
			w.mustRun(exitOK, "sync", "--env", "dev", "--yes")
			files, err := filepath.Glob(filepath.Join(w.env["DESCOPE_STATE_DIR"], "last-applied", "*.json"))
			if err != nil || len(files) != 1 {
				t.Fatal(files, err)
			}
			text, err := os.ReadFile(files[0])
			if err != nil {
				t.Fatal(err)
			}
			writeFile(t, files[0], damage(string(text)))
			w.edit("envs/tenants.cue", "standard", "premium")
			before := w.writes()
			for _, args := range [][]string{{"plan", "--env", "dev"}, {"sync", "--env", "dev", "--yes", "--prune"}, {"tenant", "delete", "acme-corp", "--env", "dev", "--yes"}} {
				r := w.mustRun(exitFailed, args...)
				contains(t, r.err, files[0], "damaged", "move it away")
			}
			if n := w.writes() - before; n != 0 {
				t.Errorf("%d writes", n)
			}
			// The advice works.
			if err := os.Rename(files[0], files[0]+".old"); err != nil {
				t.Fatal(err)
			}
			contains(t, w.mustRun(exitRefused, "sync", "--env", "dev", "--yes").err, "--adopt-existing")
			w.mustRun(exitOK, "sync", "--env", "dev", "--yes", "--adopt-existing")
		})
	}
}

// TestUnrecorded: what cannot be recorded is not begun; and where that turns out
// too late, what was done is told all the same.
func TestUnrecorded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Options{})
	inTheWay := filepath.Join(w.env["DESCOPE_STATE_DIR"], "last-applied")
	writeFile(t, inTheWay, "")
	contains(t, w.mustRun(exitFailed, "sync", "--env", "dev", "--yes").err, inTheWay)
	if n := w.writes(); n != 0 {
		t.Fatalf("%d writes", n)
	}
	if err := os.Remove(inTheWay); err != nil {
		t.Fatal(err)
	}
	w.onRequest(func(r *http.Request) {
		if r.Method == http.MethodPost {
			_ = os.RemoveAll(inTheWay)
			_ = os.WriteFile(inTheWay, nil, 0o600)
		}
	})
	r := w.mustRun(exitFailed, "sync", "--env", "dev", "--yes")
	contains(t, r.out, "2 created")
	contains(t, r.err, "the changes were made, but what was applied could not be recorded", inTheWay)
	if n := w.writes(); n != 2 {
		t.Errorf("%d writes", n)
	}
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func makeDir(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(path, 0o700) })
}
