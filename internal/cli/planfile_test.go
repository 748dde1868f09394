package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"pcconnect.ai/descope-mgmt/internal/emulator"
	"pcconnect.ai/descope-mgmt/internal/plan"
)

// savedPlan is a world with a saved plan of a create, an update and a delete.
func savedPlan(t *testing.T) (w *world, path string) {
	t.Helper()
	w = newWorld(t, emulator.Options{})
	w.live(devProject, acme("Acme Corporation"), `{"id": "old-one", "name": "Old <&> one", "selfProvisioningDomains": [], "unknown": {"a": null, "n": 1.50}}`)
	w.write("envs/dev/old.cue", "package envs\ntenants: \"old-one\": {name: \"Old <&> one\"}\n")
	w.mustRun(exitOK, "sync", "--env", "dev", "--yes", "--adopt-existing", "--target", "tenant/acme-corp,tenant/old-one")
	if err := os.Remove(filepath.Join(w.dir, "envs/dev/old.cue")); err != nil {
		t.Fatal(err)
	}
	w.edit("envs/tenants.cue", "Acme Corporation", "Äcme <& \\\"Co\\\">")
	w.mustRun(exitOK, "plan", "--env", "dev", "--prune", "--out", "p")
	return w, filepath.Join(w.dir, "p")
}

// planReader reads plan files as sync --plan does, up to where it would run them.
type planReader struct {
	o *syncOptions
	c *connection
}

func newPlanReader(w *world) planReader {
	w.t.Helper()
	a, _ := w.app()
	root := newRootCmd(a)
	a.cmd = root
	a.flags.env = "dev"
	c, err := a.connectTo(w.ctx, writing)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = c.close() })
	return planReader{&syncOptions{app: a, file: "p"}, c}
}

func (r planReader) read(path string) (*plan.Plan, error) {
	p, err := loadPlan(path)
	if err != nil {
		return nil, err
	}
	if err := r.o.sealed(r.c, p, "again"); err != nil {
		return nil, err
	}
	return p, nil
}

// TestEveryByteOfAPlan damages a saved plan: every byte of it is flipped, left out,
// doubled and blanked, and every end cut off. It is refused, or means
// exactly what it meant. The whole command is run for some of them, and writes nothing.
func TestEveryByteOfAPlan(t *testing.T) {
	campaign(t)
	t.Parallel()
	w, path := savedPlan(t)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	reader := newPlanReader(w)
	want, err := reader.read(path)
	if err != nil {
		t.Fatal(err)
	}
	digest, calls := want.Digest(), callsOf(t, want)
	if n := len(want.Changes); n != 3 {
		t.Fatalf("%d changes", n)
	}

	flips := []byte{0x01, 0x20, 0x80, 0xff} // the second is the other case of a letter
	if underRace {
		flips = flips[:1]
	}
	var variants [][]byte
	edit := func(f func([]byte) []byte) { variants = append(variants, f(append([]byte{}, good...))) }
	for i := range good {
		for _, flip := range flips {
			edit(func(b []byte) []byte { b[i] ^= flip; return b })
		}
		edit(func(b []byte) []byte { return b[:i] })
		edit(func(b []byte) []byte { return append(b[:i], b[i+1:]...) })
		edit(func(b []byte) []byte { return append(b[:i+1], good[i:]...) })
		edit(func(b []byte) []byte { b[i] = ' '; return b })
	}
	var mu sync.Mutex
	refused, harmless := 0, 0
	var wg sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	dir := scratch(t)
	for worker := range workers {
		wg.Go(func() {
			path := filepath.Join(dir, fmt.Sprint(worker))
			for i := worker; i < len(variants); i += workers {
				if err := os.WriteFile(path, variants[i], 0o600); err != nil {
					t.Error(err)
					return
				}
				p, err := reader.read(path)
				mu.Lock()
				var coded *codedError
				switch {
				case errors.As(err, &coded) && (coded.code == exitConfig || coded.code == exitRefused):
					refused++
				case err != nil:
					t.Errorf("variant %d: %v", i, err)
				case p.Digest() != digest || callsOf(t, p) != calls:
					t.Errorf("variant %d is another plan, and would be applied", i)
				default:
					harmless++
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if refused < len(variants)*99/100 {
		t.Errorf("of %d damaged plans %d are refused", len(variants), refused)
	}

	before, commands := w.requests("POST /v1/mgmt/tenant/"), 0
	for i := 0; i < len(variants); i += max(1, len(variants)/40) {
		if err := os.WriteFile(path, variants[i], 0o600); err != nil {
			t.Fatal(err)
		}
		w.forgetRate()
		r := w.run("sync", "--env", "dev", "--plan", "p", "--yes", "--dry-run")
		if p, err := reader.read(path); err == nil {
			if r.code != exitOK || p.Digest() != digest {
				t.Errorf("variant %d: exit %d: %s", i, r.code, r.err)
			}
			continue
		}
		r = w.run("sync", "--env", "dev", "--plan", "p", "--yes")
		if r.code != exitConfig && r.code != exitRefused || r.err == "" {
			t.Errorf("variant %d: exit %d: %s", i, r.code, r.err)
		}
		commands++
	}
	if n := w.requests("POST /v1/mgmt/tenant/") - before; n != 0 {
		t.Errorf("%d writes", n)
	}
	if err := os.WriteFile(path, good, 0o600); err != nil {
		t.Fatal(err)
	}
	w.mustRun(exitOK, "sync", "--env", "dev", "--plan", "p", "--yes")
	t.Logf("counts: %d bytes, %d damaged plans: %d refused, %d meant the same; of %d commands none wrote", len(good), len(variants), refused, harmless, commands)
}

// callsOf are the calls of a plan, byte for byte.
func callsOf(t *testing.T, p *plan.Plan) string {
	t.Helper()
	var b strings.Builder
	for _, ch := range p.Changes {
		data, err := json.Marshal(ch.Steps)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s %s\n", ch.Key, data)
	}
	return b.String()
}

// TestPlanForAnother: a saved plan runs once, in the project, environment and
// configuration that it was made for, and where its seal can be checked.
func TestPlanForAnother(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		prepare func(t *testing.T, w *world, path string) (args []string)
		code    int
		says    []string
	}{
		{"as it was saved", nil, exitOK, nil},
		{"another environment", func(*testing.T, *world, string) []string {
			return []string{"--env", "staging"}
		}, exitRefused, []string{"another environment (dev) than there is now (staging)"}},
		{"another project", func(_ *testing.T, w *world, _ string) []string {
			w.edit("envs/dev/dev.cue", devProject, "P2otherotherotherotherothero")
			return nil
		}, exitRefused, []string{"another project (" + devProject + ") than there is now (P2otherotherotherotherothero)"}},
		{"another server", func(_ *testing.T, w *world, _ string) []string {
			w.env["DESCOPE_BASE_URL"] = w.serve(w.server)
			return nil
		}, exitRefused, []string{"another base URL"}},
		{"another configuration", func(_ *testing.T, w *world, _ string) []string {
			w.edit("envs/tenants.cue", "standard", "premium")
			return nil
		}, exitRefused, []string{"another configuration (sha256:"}},
		{"a lifecycle rule was added", func(_ *testing.T, w *world, _ string) []string {
			w.write("envs/dev/more.cue", "package envs\ntenants: \"acme-corp\": lifecycle: prevent_destroy: true\n")
			return nil
		}, exitRefused, []string{"another configuration (sha256:"}},
		{"a second time", func(_ *testing.T, w *world, _ string) []string {
			w.mustRun(exitOK, "sync", "--env", "dev", "--plan", "p", "--yes")
			return nil
		}, exitRefused, []string{"was applied already, by run 2", "to finish that one: descope-mgmt sync --resume 2"}},
		{"a second time, a copy of it, unsealed", func(t *testing.T, w *world, path string) []string {
			w.mustRun(exitOK, "sync", "--env", "dev", "--plan", "p", "--yes")
			unseal(t, path)
			return []string{"--allow-unsealed-plan"}
		}, exitRefused, []string{"was applied already, by run 2"}},
		{"a second time, after it was taken back", func(_ *testing.T, w *world, _ string) []string {
			w.mustRun(exitOK, "sync", "--env", "dev", "--plan", "p", "--yes")
			w.mustRun(exitOK, "rollback", "latest", "--env", "dev", "--yes")
			return nil
		}, exitRefused, []string{"was applied already, by run 2"}},
		{"a newer format", func(t *testing.T, _ *world, path string) []string {
			replaceIn(t, path, `"format_version":"`+plan.FormatVersion+`"`, `"format_version":"99.0"`)
			return nil
		}, exitConfig, []string{"is not a plan of this version", `in a newer format version "99.0"`}},
		{"a newer format, unsealed", func(t *testing.T, _ *world, path string) []string {
			replaceIn(t, path, `"format_version":"`+plan.FormatVersion+`"`, `"format_version":"1.99"`)
			return []string{"--allow-unsealed-plan"}
		}, exitConfig, []string{`in a newer format version "1.99"`}},
		{"an older format", func(t *testing.T, _ *world, path string) []string {
			replaceIn(t, path, `"format_version":"`+plan.FormatVersion+`"`, `"format_version":"0.9"`)
			return nil
		}, exitConfig, []string{`in an older format version "0.9"`}},
		{"an edited payload", func(t *testing.T, _ *world, path string) []string {
			replaceIn(t, path, "Äcme", "Evil")
			return nil
		}, exitRefused, []string{"cannot be trusted", "it was edited", "--allow-unsealed-plan", "nothing was applied"}},
		{"an edited payload, unsealed", func(t *testing.T, _ *world, path string) []string {
			replaceIn(t, path, "Äcme", "Evil")
			return []string{"--allow-unsealed-plan"}
		}, exitRefused, []string{"nothing was applied", "tenant/acme-corp"}},
		{"without its seal", func(t *testing.T, _ *world, path string) []string {
			unseal(t, path)
			return nil
		}, exitRefused, []string{"cannot be trusted", "the plan has no seal"}},
		{"no key", func(t *testing.T, w *world, _ string) []string {
			remove(t, filepath.Join(w.env["DESCOPE_STATE_DIR"], "seal.key"))
			return nil
		}, exitRefused, []string{"cannot be trusted", "has no key to check its seal with"}},
		{"no key, and agreed to", func(t *testing.T, w *world, _ string) []string {
			remove(t, filepath.Join(w.env["DESCOPE_STATE_DIR"], "seal.key"))
			return []string{"--allow-unsealed-plan"}
		}, exitOK, nil},
		{"another key", func(t *testing.T, w *world, _ string) []string {
			writeFile(t, filepath.Join(w.env["DESCOPE_STATE_DIR"], "seal.key"), strings.Repeat("k", 32))
			return nil
		}, exitRefused, []string{"cannot be trusted"}},
		{"a key that is none", func(t *testing.T, w *world, _ string) []string {
			writeFile(t, filepath.Join(w.env["DESCOPE_STATE_DIR"], "seal.key"), "short")
			return nil
		}, exitFailed, []string{"seal.key", "it has 5 bytes"}},
		{"of another state directory", func(t *testing.T, _ *world, _ string) []string {
			return []string{"--state-dir", filepath.Join(t.TempDir(), "other")}
		}, exitRefused, []string{"has no key to check its seal with"}},
		{"no file", func(t *testing.T, _ *world, path string) []string {
			remove(t, path)
			return nil
		}, exitConfig, []string{"there is no plan file", "descope-mgmt plan --out"}},
		{"a directory", func(t *testing.T, _ *world, path string) []string {
			remove(t, path)
			makeDir(t, path, 0o700)
			return nil
		}, exitConfig, []string{"reading the plan"}},
		{"an empty file", func(t *testing.T, _ *world, path string) []string {
			writeFile(t, path, "")
			return nil
		}, exitConfig, []string{"is not a plan of this version"}},
		{"with a target", func(*testing.T, *world, string) []string {
			return []string{"--target", "tenant/acme-corp"}
		}, exitConfig, []string{"--plan says already what is done"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w, path := savedPlan(t)
			args := []string{"sync", "--env", "dev", "--plan", "p", "--yes"}
			if tt.prepare != nil {
				args = append(args, tt.prepare(t, w, path)...)
			}
			before := w.requests("POST /v1/mgmt/tenant/")
			r := w.mustRun(tt.code, args...)
			contains(t, r.err, tt.says...)
			if n := w.requests("POST /v1/mgmt/tenant/") - before; (n > 0) != (tt.code == exitOK) {
				t.Errorf("%d writes: %s%s", n, r.out, r.err)
			}
		})
	}
}

func replaceIn(t *testing.T, path, old, replacement string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), old) {
		t.Fatalf("%s lacks %s:\n%s", path, old, text)
	}
	writeFile(t, path, strings.ReplaceAll(string(text), old, replacement))
}

// unseal takes the seal off a plan.
func unseal(t *testing.T, path string) {
	t.Helper()
	p, err := loadPlan(path)
	if err != nil {
		t.Fatal(err)
	}
	p.Seal = ""
	if err := savePlan(path, p); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}
