package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestWriteFileAtomic(t *testing.T) {
	umask(t, 0)
	path := filepath.Join(t.TempDir(), "plan.json")
	for _, text := range []string{"first", "second, longer", ""} {
		if err := WriteFileAtomic(path, []byte(text)); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil || string(got) != text {
			t.Errorf("got %q, %v; want %q", got, err, text)
		}
		if m := mode(t, path); m != 0o600 {
			t.Errorf("mode %04o", m)
		}
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

func TestWriteFileAtomicFollowsLinksAndSparesDevices(t *testing.T) {
	dir := t.TempDir()
	target, link := filepath.Join(dir, "target"), filepath.Join(dir, "link")
	if err := os.WriteFile(target, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	if err := WriteFileAtomic(link, []byte("new")); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link was replaced: %v %v", info, err)
	}
	if got, _ := os.ReadFile(target); string(got) != "new" {
		t.Errorf("target holds %q", got)
	}
	for _, path := range []string{os.DevNull, dir} {
		if err := WriteFileAtomic(path, nil); err == nil || !strings.Contains(err.Error(), "not a regular file") {
			t.Errorf("%s: got %v", path, err)
		}
	}
	if err := WriteFileAtomic(filepath.Join(dir, "none", "x"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing directory: got %v", err)
	}
}

// TestReplaceFails lets every operation fail: the old file stays, nothing is
// left behind, and the error says in plain words what is wrong with which file.
func TestReplaceFails(t *testing.T) {
	perm := &fs.PathError{Op: "open", Path: "x", Err: syscall.EACCES}
	for name, tc := range map[string]struct {
		disk brokenDisk
		want string
	}{
		"full":      {brokenDisk{write: syscall.ENOSPC}, "the disk is full"},
		"quota":     {brokenDisk{sync: syscall.EDQUOT}, "the disk quota is used up"},
		"read-only": {brokenDisk{create: syscall.EROFS}, "the file system is read-only"},
		"forbidden": {brokenDisk{create: perm}, "you may not"},
		"rename":    {brokenDisk{renaming: syscall.EIO}, "input/output error"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "file")
			if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
				t.Fatal(err)
			}
			err := replace(tc.disk, path, []byte("new content"), 0o600, true)
			if err == nil || !strings.HasPrefix(err.Error(), "writing "+path+": "+tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
			if got, _ := os.ReadFile(path); string(got) != "old" {
				t.Errorf("the file holds %q", got)
			}
			if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
	t.Run("syncing the directory", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "file")
		broken := brokenDisk{syncing: syscall.EIO}
		if err := replace(broken, path, nil, 0o600, true); !errors.Is(err, syscall.EIO) {
			t.Errorf("got %v", err)
		}
		if err := replace(broken, path, nil, 0o600, false); err != nil {
			t.Errorf("not durable, yet it waits for the disk: %v", err)
		}
	})
}

func TestIgnoreUnsupported(t *testing.T) {
	for err, want := range map[error]error{
		nil: nil, syscall.EINVAL: nil, errors.ErrUnsupported: nil, syscall.EIO: syscall.EIO,
	} {
		if got := ignoreUnsupported(err); !errors.Is(got, want) || (got == nil) != (want == nil) {
			t.Errorf("%v: got %v, want %v", err, got, want)
		}
	}
}
