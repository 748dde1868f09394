package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"pcconnect.ai/descope-mgmt/internal/emulator"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

// TestFullFileSystem runs a sync with its state directory on a small file system that
// has less and less room to spare, locks and rate limit and all: what it says is what
// the server saw, and once there is room again the next sync does the rest.
func TestFullFileSystem(t *testing.T) {
	campaign(t)
	const page = 4096
	mount := scratch(t)
	if err := syscall.Mount("tmpfs", mount, "tmpfs", 0, "size=1m,mode=700"); err != nil {
		t.Logf("no file system can be mounted (%v); TestFullDisk does the same without one", err)
		return
	}
	t.Cleanup(func() { _ = syscall.Unmount(mount, syscall.MNT_DETACH) })
	e := &effects{}
	w := newWorld(t, emulator.Options{Storage: e})
	w.write("envs/tenants.cue", many(30, "gold"))
	w.write("envs/staging/staging.cue", "package envs\nenvironment: name: \"staging\"\n")
	live := func() {
		var tenants []string
		for i := range 10 {
			tenants = append(tenants, fmt.Sprintf(`{"id": "t%05d", "name": "Tenant %05d", "customAttributes": {"plan": "trial"}}`, i, i))
		}
		w.live(devProject, tenants...)
	}
	state, template := filepath.Join(mount, "state"), filepath.Join(scratch(t), "template")
	w.env["DESCOPE_STATE_DIR"] = template
	live()
	w.mustRun(exitOK, "backup", "create", "--env", "dev") // there is something already
	w.env["DESCOPE_STATE_DIR"] = state
	codes := map[int]int{}
	for spare := 0; ; spare++ {
		if spare > 120 {
			t.Fatal("a sync takes more room than there is")
		}
		live()
		remade(t, template, state)
		ballast := fill(t, filepath.Join(mount, "ballast"), int64(spare*page))
		seen := e.count()
		r := w.run("sync", "--env", "dev", "--yes", "--adopt-existing", "--allow-mass-change", "--parallelism", "2", "-o", "json")
		applied := e.since(t, seen)
		codes[r.code]++
		var doc ui.ResultDoc
		_ = json.Unmarshal([]byte(r.out), &doc)
		steps := 0
		for _, o := range doc.Outcomes {
			steps += o.StepsDone
		}
		if steps != len(applied) {
			t.Errorf("%d pages to spare: %d calls are said to be done, %d took effect\n%s%s", spare, steps, len(applied), r.out, r.err)
		}
		if r.code == exitFailed && len(applied) > 0 && doc.Counts.Done < len(doc.Outcomes) || r.code == exitPartly && len(applied) == 0 {
			t.Errorf("%d pages to spare: exit %d, and %d calls took effect\n%s%s", spare, r.code, len(applied), r.out, r.err)
		}
		if r.code != exitOK {
			contains(t, r.err, "the disk is full")
		}
		remove(t, ballast)
		if r.code == exitOK {
			break
		}
		if next := w.run("sync", "--env", "dev", "--yes", "--adopt-existing", "--allow-mass-change"); next.code != exitOK {
			t.Fatalf("%d pages to spare: the next sync ends with %d\n%s%s\nafter\n%s%s", spare, next.code, next.out, next.err, r.out, r.err)
		}
		contains(t, w.mustRun(exitOK, "plan", "--env", "dev").out, "No changes.")
		w.mustRun(exitOK, "audit", "verify")
		w.forgetRate()
	}
	for _, code := range []int{exitFailed, exitPartly, exitOK} {
		if codes[code] == 0 {
			t.Errorf("no sync ended with %d: %v", code, codes)
		}
	}
	t.Logf("counts: exit codes %v", codes)
}

// remade replaces a directory by a copy of another.
func remade(t *testing.T, from, to string) {
	t.Helper()
	if err := os.RemoveAll(to); err != nil {
		t.Fatal(err)
	}
	if err := copyTree(from, to); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(to, 0o700); err != nil {
		t.Fatal(err)
	}
}

// fill makes a file of all the room that there is, but for some to spare.
func fill(t *testing.T, path string, spare int64) string {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(f, zeros{})
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("%d bytes: %v", n, err)
	}
	if err := errors.Join(f.Truncate(max(0, n-spare)), f.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// nobody is a user without rights, on most systems.
const nobody = 65534

// unprivileged is a world whose commands are processes of a user without rights where
// the tests are run by root, who may do anything. Its files are theirs.
type unprivileged struct {
	*world
	binary string
}

func newUnprivileged(t *testing.T) *unprivileged {
	t.Helper()
	w := newWorld(t, emulator.Options{})
	u := &unprivileged{world: w, binary: "descope-mgmt"}
	if os.Geteuid() != 0 {
		return u
	}
	root := scratch(t)
	u.binary = filepath.Join(root, "descope-mgmt")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Link(self, u.binary); err != nil {
		if err := copyFile(self, u.binary); err != nil {
			t.Fatal(err)
		}
	}
	if err := copyTree(w.dir, filepath.Join(root, "module")); err != nil {
		t.Fatal(err)
	}
	w.dir = filepath.Join(root, "module")
	w.env["HOME"], w.env["DESCOPE_STATE_DIR"] = filepath.Join(root, "home"), filepath.Join(root, "state")
	makeDir(t, w.env["DESCOPE_STATE_DIR"], 0o700)
	u.own()
	if r := u.process("version"); r.code != exitOK {
		t.Skipf("a user without rights cannot run the program: %d %s", r.code, r.err)
	}
	return u
}

func copyFile(from, to string) error {
	data, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, data, 0o755)
	}
	return err
}

// own gives all files of the world to the user.
func (u *unprivileged) own() {
	u.t.Helper()
	if os.Geteuid() != 0 {
		return
	}
	root := filepath.Dir(u.dir)
	if err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err == nil {
			err = os.Lchown(path, nobody, nobody)
		}
		return err
	}); err != nil {
		u.t.Fatal(err)
	}
}

// process runs a command line as the user.
func (u *unprivileged) process(args ...string) ran {
	u.t.Helper()
	cmd := u.command(args...)
	if os.Geteuid() == 0 {
		cmd.Path, cmd.Err = u.binary, nil
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	var out, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &stderr
	err := cmd.Run()
	if errors.Is(err, syscall.ETXTBSY) { // another test starts a process, which has the copy open still
		time.Sleep(50 * time.Millisecond)
		return u.process(args...)
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return ran{-1, out.String(), err.Error()}
	}
	return ran{cmd.ProcessState.ExitCode(), out.String(), stderr.String()}
}

// TestNoRateLimit: without a memory of its calls a run may meet the rate limit, and
// says so; it is as safe as ever.
func TestNoRateLimit(t *testing.T) {
	t.Parallel()
	u := newUnprivileged(t)
	path := filepath.Join(u.env["DESCOPE_STATE_DIR"], "rate")
	makeDir(t, path, 0)
	u.own()
	r := u.process("sync", "--env", "dev", "--yes")
	if r.code != exitOK || len(u.tenants()) != 2 {
		t.Errorf("exit %d: %s%s", r.code, r.out, r.err)
	}
	contains(t, r.err, "earlier requests are not known, the rate limit may be met", path)
}

// TestNoPermission: a run whose backup, audit record, journal or lock could not be
// written does not begin, whichever directory or file it is that may not be written
// to; and it says which.
func TestNoPermission(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		path string // below the world's directory
		mode fs.FileMode
		args []string
		says string
	}{
		{"the state directory, read-only", "state", 0o500, nil, ""},
		{"the state directory, no permission", "state", 0, nil, ""},
		{"the backups, read-only", "state/backups/*", 0o500, nil, "could not be backed up"},
		{"the backups, no permission", "state/backups", 0, nil, "could not be backed up"},
		{"the runs, read-only", "state/runs", 0o500, nil, "could not be put on record"},
		{"the runs, no permission", "state/runs", 0, nil, ""},
		{"the locks, no permission", "state/locks", 0, nil, ""},
		{"the lock, no permission", "state/locks/*.lock", 0, nil, ""},
		{"what was applied, no permission", "state/last-applied", 0, nil, ""},
		{"the audit log, read-only", "state/audit.jsonl", 0o400, nil, "the audit log could not be written"},
		{"the audit log, no permission", "state/audit.jsonl", 0, nil, "the audit log could not be written"},
		{"the lock of the audit log", "state/audit.lock", 0o400, nil, "the audit log could not be written"},
		{"a backup directory, read-only", "elsewhere", 0o500, []string{"--backup-dir", "../elsewhere"}, "could not be backed up"},
		{"a backup directory, no permission", "elsewhere", 0, []string{"--backup-dir", "../elsewhere"}, "could not be backed up"},
		{"below a directory without permission", "elsewhere", 0, []string{"--backup-dir", "../elsewhere/backups"}, "could not be backed up"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			u := newUnprivileged(t)
			root := filepath.Dir(u.dir)
			if r := u.process("tenant", "create", "first", "--name", "First", "--env", "dev", "--yes"); r.code != exitOK {
				t.Fatalf("exit %d: %s%s", r.code, r.out, r.err)
			}
			path := filepath.Join(root, filepath.FromSlash(tt.path))
			if found, _ := filepath.Glob(path); len(found) > 0 {
				path = found[0]
			}
			if _, err := os.Stat(path); err != nil {
				makeDir(t, path, 0o700)
				u.own()
			}
			if err := os.Chmod(path, tt.mode); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = os.Chmod(path, 0o700) })
			before := u.writes()
			r := u.process(append([]string{"sync", "--env", "dev", "--yes"}, tt.args...)...)
			if r.code != exitFailed || u.writes() != before || r.out != "" && strings.Contains(r.out, "done") {
				t.Errorf("exit %d, %d writes\n%s%s", r.code, u.writes()-before, r.out, r.err)
			}
			contains(t, r.err, filepath.Base(path), tt.says)
			if err := os.Chmod(path, 0o700); err != nil {
				t.Fatal(err)
			}
			if r := u.process("sync", "--env", "dev", "--yes"); r.code != exitOK {
				t.Errorf("afterwards: exit %d: %s%s", r.code, r.out, r.err)
			}
			if r := u.process("audit", "verify"); r.code != exitOK {
				t.Errorf("afterwards: exit %d: %s%s", r.code, r.out, r.err)
			}
		})
	}
}
