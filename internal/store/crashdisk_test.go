package store

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func crashDisk(t testing.TB, dir string, seed uint64) *CrashDisk {
	t.Helper()
	d, err := NewCrashDisk(dir, seed)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// tree is what a directory holds: the content of files, "/" for directories.
func tree(t testing.TB, root string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		name := strings.TrimPrefix(path, root+"/")
		if e.IsDir() {
			out[name] = "/"
			return nil
		}
		text, err := os.ReadFile(path)
		out[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func must(t testing.TB, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func mustOpen(t testing.TB) func(File, error) File {
	return func(f File, err error) File {
		t.Helper()
		must(t, err)
		return f
	}
}

func write(t testing.TB, f File, text string) {
	t.Helper()
	_, err := f.Write([]byte(text))
	must(t, err)
}

// TestCrashDisk says of each kind of operation what a crash leaves of it, synced
// and not.
func TestCrashDisk(t *testing.T) {
	for name, tc := range map[string]struct {
		do   func(t *testing.T, d Disk, root string)
		want map[string]string
	}{
		"nothing was done": {
			func(*testing.T, Disk, string) {},
			map[string]string{"old": "old", "dir": "/", "dir/in": "in"},
		},
		"made, its directory not synced": {
			func(t *testing.T, d Disk, root string) {
				f := mustOpen(t)(d.Create(root+"/new", 0o600))
				write(t, f, "new")
				must(t, f.Sync(), f.Close(), d.Mkdir(root+"/newdir", 0o700))
			},
			map[string]string{"old": "old", "dir": "/", "dir/in": "in"},
		},
		"made and synced": {
			func(t *testing.T, d Disk, root string) {
				must(t, d.Mkdir(root+"/newdir", 0o700), d.SyncDir(root))
				f := mustOpen(t)(d.Create(root+"/newdir/new", 0o600))
				write(t, f, "new")
				must(t, f.Sync(), f.Close(), d.SyncDir(root+"/newdir"))
			},
			map[string]string{"old": "old", "dir": "/", "dir/in": "in", "newdir": "/", "newdir/new": "new"},
		},
		"renamed, replaced and removed, not synced": {
			func(t *testing.T, d Disk, root string) {
				f := mustOpen(t)(d.CreateTemp(root, ".tmp-*"))
				write(t, f, "temp")
				must(t, f.Sync(), f.Close(), d.Rename(f.Name(), root+"/old"))
				must(t, d.Rename(root+"/dir", root+"/moved"), d.Remove(root+"/moved/in"))
			},
			map[string]string{"old": "old", "dir": "/", "dir/in": "in"},
		},
		"renamed, replaced and removed": {
			func(t *testing.T, d Disk, root string) {
				f := mustOpen(t)(d.CreateTemp(root, ".tmp-*"))
				write(t, f, "temp")
				must(t, f.Chmod(0o644), f.Sync(), f.Close(), d.Rename(f.Name(), root+"/old"))
				must(t, d.Rename(root+"/dir", root+"/moved"), d.Remove(root+"/moved/in"))
				must(t, d.SyncDir(root), d.SyncDir(root+"/moved"))
			},
			map[string]string{"old": "temp", "moved": "/"},
		},
		"cut": {
			func(t *testing.T, d Disk, root string) {
				f := mustOpen(t)(d.Append(root+"/old", 0o600))
				must(t, f.Truncate(1), f.Sync(), f.Truncate(0), f.Truncate(2), f.Close())
			},
			map[string]string{"old": "o", "dir": "/", "dir/in": "in"},
		},
		"written past the disk": {
			func(t *testing.T, _ Disk, root string) {
				must(t, os.WriteFile(root+"/old", []byte("other"), 0o600), os.WriteFile(root+"/lock", []byte("me"), 0o600))
			},
			map[string]string{"old": "other", "lock": "me", "dir": "/", "dir/in": "in"},
		},
		"learnt late": {
			func(t *testing.T, d Disk, root string) {
				must(t, os.WriteFile(root+"/late", []byte("late"), 0o600))
				must(t, d.Rename(root+"/late", root+"/later"), d.Remove(root+"/old"))
			},
			map[string]string{"old": "old", "late": "late", "dir": "/", "dir/in": "in"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			must(t, os.WriteFile(root+"/old", []byte("old"), 0o600), os.Mkdir(root+"/dir", 0o700), os.WriteFile(root+"/dir/in", []byte("in"), 0o600))
			d := crashDisk(t, root, 1)
			tc.do(t, d, root)
			before, leftover := tree(t, root), filepath.Join(t.TempDir(), "leftover")
			must(t, d.Leftover(leftover, 1))
			if diff := cmp.Diff(before, tree(t, root)); diff != "" {
				t.Errorf("to look at what a crash would leave changed the directory: %s", diff)
			}
			must(t, d.Crash(), d.Crash())
			got := tree(t, root)
			if diff := cmp.Diff(got, tree(t, leftover)); diff != "" {
				t.Errorf("what a crash would leave is not what it left: %s", diff)
			}
			if err := d.Leftover(leftover, 1); !errors.Is(err, ErrCrashed) {
				t.Errorf("what a second crash would leave: %v", err)
			}
			if len(got) != len(tc.want) {
				t.Errorf("left: %q, want %q", got, tc.want)
			}
			for name, text := range tc.want {
				if got[name] != text {
					t.Errorf("%s holds %q, want %q", name, got[name], text)
				}
			}
			for op, err := range everyOperation(d, root) {
				if !errors.Is(err, ErrCrashed) {
					t.Errorf("%s after the crash: %v", op, err)
				}
			}
		})
	}
}

func everyOperation(d Disk, root string) map[string]error {
	_, temp := d.CreateTemp(root, "x")
	_, create := d.Create(root+"/x", 0o600)
	_, app := d.Append(root+"/x", 0o600)
	return map[string]error{
		"temp": temp, "create": create, "append": app, "mkdir": d.Mkdir(root+"/y", 0o700),
		"rename": d.Rename(root+"/old", root+"/x"), "remove": d.Remove(root + "/old"), "sync dir": d.SyncDir(root),
	}
}

// What was appended and not synced is torn anywhere, and its end may be zeros;
// what was synced never is.
func TestCrashDiskTearsAppends(t *testing.T) {
	lengths, zeros := map[int]bool{}, 0
	for seed := range uint64(200) {
		root := t.TempDir()
		must(t, os.WriteFile(root+"/log", []byte("synced,"), 0o600))
		d := crashDisk(t, root, seed)
		f := mustOpen(t)(d.Append(root+"/log", 0o600))
		write(t, f, "too,")
		must(t, f.Sync())
		write(t, f, "torn")
		must(t, d.Crash())
		text, err := os.ReadFile(root + "/log")
		must(t, err)
		tail, ok := bytes.CutPrefix(text, []byte("synced,too,"))
		whole := bytes.TrimRight(tail, "\x00")
		if !ok || !strings.HasPrefix("torn", string(whole)) {
			t.Fatalf("seed %d left %q", seed, text)
		}
		lengths[len(tail)] = true
		if len(whole) < len(tail) {
			zeros++
		}
		if _, err := f.Write([]byte("x")); !errors.Is(err, ErrCrashed) {
			t.Errorf("writing after the crash: %v", err)
		}
		if err := errors.Join(f.Sync()); !errors.Is(err, ErrCrashed) {
			t.Errorf("syncing after the crash: %v", err)
		}
		if err := f.Close(); !errors.Is(err, ErrCrashed) {
			t.Errorf("closing after the crash: %v", err)
		}
	}
	if len(lengths) != 5 || zeros < 10 {
		t.Errorf("200 seeds tore at %v, %d with zeros", lengths, zeros)
	}
}

func TestCrashDiskBefore(t *testing.T) {
	root := t.TempDir()
	d := crashDisk(t, root, 1)
	var ops []string
	d.Before = func(n int, op, path string) error {
		ops = append(ops, op+" "+filepath.Base(path))
		switch n {
		case 3:
			return syscall.ENOSPC
		case 6:
			d.Kill()
		}
		return nil
	}
	f := mustOpen(t)(d.Create(root+"/f", 0o600))
	write(t, f, "1234")
	if n, err := f.Write([]byte("5678")); n != 2 || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("wrote %d, %v", n, err)
	}
	must(t, f.Sync(), d.SyncDir(root))
	if err := f.Chmod(0o700); !errors.Is(err, ErrCrashed) {
		t.Errorf("killed: %v", err)
	}
	if got := tree(t, root)["f"]; got != "123456" {
		t.Errorf("a killed process leaves %q", got)
	}
	want := "create f, write f, write f, sync f, sync dir " + filepath.Base(root) + ", chmod f"
	if got := strings.Join(ops, ", "); got != want || d.Operations() != 6 {
		t.Errorf("%d operations: %s", d.Operations(), got)
	}
}

func TestCrashDiskRefuses(t *testing.T) {
	if _, err := NewCrashDisk(filepath.Join(t.TempDir(), "none"), 1); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no directory: %v", err)
	}
	root := t.TempDir()
	must(t, os.WriteFile(root+"/file", nil, 0o600))
	d := crashDisk(t, root, 1)
	for what, err := range everyOperation(d, root+"/none") {
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s where no directory is: %v", what, err)
		}
	}
	for what, err := range everyOperation(d, root+"/file") {
		if err == nil && what != "sync dir" {
			t.Errorf("%s below a file: no error", what)
		}
	}
	for what, err := range everyOperation(d, filepath.Dir(root)) {
		if err == nil || !strings.Contains(err.Error(), "is not on the disk at") {
			t.Errorf("%s elsewhere: %v", what, err)
		}
	}
	if _, err := d.Create(root+"/file", 0o600); !errors.Is(err, fs.ErrExist) {
		t.Errorf("create over a file: %v", err)
	}
	if err := d.Mkdir(root+"/file", 0o700); !errors.Is(err, fs.ErrExist) {
		t.Errorf("mkdir over a file: %v", err)
	}
}

// A symbolic link in the path of the directory does not hide what is written.
func TestCrashDiskThroughALink(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Mkdir(dir+"/real", 0o700), os.Symlink(dir+"/real", dir+"/link"))
	d := crashDisk(t, dir+"/link", 1)
	must(t, replace(d, dir+"/link/kept", []byte("kept"), 0o600, true), replace(d, dir+"/real/lost", []byte("lost"), 0o600, false), d.Crash())
	if got := tree(t, dir+"/real"); len(got) != 1 || got["kept"] != "kept" {
		t.Errorf("left %q", got)
	}
}

func TestCrashDiskConcurrently(t *testing.T) {
	root := t.TempDir()
	d := crashDisk(t, root, 1)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			path := filepath.Join(root, string(rune('a'+i)))
			for range 20 {
				if err := replace(d, path, []byte(path), 0o600, true); err != nil && !errors.Is(err, ErrCrashed) {
					t.Error(err)
				}
			}
		})
	}
	wg.Go(func() {
		for d.Operations() < 300 {
		}
		if err := d.Crash(); err != nil {
			t.Error(err)
		}
	})
	wg.Wait()
	for name, text := range tree(t, root) {
		if want := filepath.Join(root, name); text != want && !strings.HasPrefix(name, ".") {
			t.Errorf("%s holds %q", name, text)
		}
	}
}

// TestReplaceSurvivesCrashes crashes and kills before every operation of a
// replacement: the file holds the old or the new, and the new once it was
// acknowledged.
func TestReplaceSurvivesCrashes(t *testing.T) {
	for n := 1; ; n++ {
		for seed := range uint64(20) {
			root := t.TempDir()
			path := filepath.Join(root, "file")
			must(t, os.WriteFile(path, []byte("old"), 0o600))
			d := crashDisk(t, root, seed)
			d.Before = func(i int, _, _ string) error {
				if i == n && seed == 0 {
					d.Kill()
				} else if i == n {
					return d.Crash()
				}
				return nil
			}
			err := replace(d, path, []byte("new content"), 0o600, true)
			last := d.Operations() < n
			must(t, d.Crash())
			got, readErr := os.ReadFile(path)
			if s := string(got); readErr != nil || s != "old" && s != "new content" || err == nil && s != "new content" {
				t.Fatalf("operation %d, seed %d: %v, and the file holds %q, %v", n, seed, err, got, readErr)
			}
			if last {
				return
			}
		}
	}
}
