package store

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOpenIsPrivateUnderAnyUmask(t *testing.T) {
	for _, mask := range []int{0, 0o022, 0o777} {
		umask(t, mask)
		d := open(t)
		if got := mode(t, d.Path()); got != 0o700 {
			t.Errorf("umask %04o: directory has mode %04o", mask, got)
		}
		if err := scope(t, d).SaveLastApplied(state(t), meta()); err != nil {
			t.Fatal(err)
		}
		if err := d.Slots(meta().At.UTC).Sent("b", "1", meta().At); err != nil {
			t.Fatal(err)
		}
		err := filepath.WalkDir(d.Path(), func(path string, e fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			want := os.FileMode(0o600)
			if e.IsDir() {
				want = 0o700
			}
			// A stricter umask may take more away, never less.
			if got := mode(t, path); got&^want != 0 {
				t.Errorf("umask %04o: %s has mode %04o", mask, path, got)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestOpenClosesAnOpenDirectory(t *testing.T) {
	path := t.TempDir()
	if err := os.Chmod(path, 0o755); err != nil {
		t.Fatal(err)
	}
	d, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := mode(t, path); got != 0o700 {
		t.Errorf("mode %04o", got)
	}
	if n := d.Notices(); len(n) != 1 || !strings.Contains(n[0], "0755") {
		t.Errorf("notices %q", n)
	}
}

func TestOpenKeepsATeamDirectoryShared(t *testing.T) {
	path := t.TempDir()
	if err := os.Chmod(path, 0o770|fs.ModeSetgid); err != nil {
		t.Fatal(err)
	}
	d, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	s := scope(t, d)
	if err := s.SaveLastApplied(state(t), meta()); err != nil {
		t.Fatal(err)
	}
	if got := mode(t, path); got != 0o770 || len(d.Notices()) != 0 {
		t.Errorf("mode %04o, notices %q", got, d.Notices())
	}
	if got := mode(t, s.lastAppliedPath()); got != 0o660 {
		t.Errorf("file mode %04o", got)
	}
	if got := mode(t, filepath.Dir(s.lastAppliedPath())); got != 0o770 {
		t.Errorf("directory mode %04o", got)
	}
}

// What one member of a team makes, the others must be able to lock and append to,
// though the usual umask takes the group's right to write away.
func TestTeamSharesEveryFileUnderAnyUmask(t *testing.T) {
	umask(t, 0o027)
	path := t.TempDir()
	if err := os.Chmod(path, 0o770|fs.ModeSetgid); err != nil {
		t.Fatal(err)
	}
	d, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	s := scope(t, d)
	l, err := s.Lock(t.Context(), holder("me"), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Release() //nolint:errcheck // the test is over
	if err := s.SaveLastApplied(state(t), meta()); err != nil {
		t.Fatal(err)
	}
	if err := d.Slots(meta().At.UTC).Sent("b", "1", meta().At); err != nil {
		t.Fatal(err)
	}
	files := 0
	err = filepath.WalkDir(path, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		files++
		if got := mode(t, path); got != 0o660 {
			t.Errorf("%s has mode %04o", path, got)
		}
		return nil
	})
	if err != nil || files != 5 {
		t.Errorf("%d files, %v", files, err)
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	plainFile := filepath.Join(dir, "file")
	if err := os.WriteFile(plainFile, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	world := filepath.Join(dir, "world")
	if err := os.Mkdir(world, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(world, 0o777); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(world, link); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct{ path, want string }{
		"a file":                      {plainFile, "it is a file, not a directory"},
		"below a file":                {filepath.Join(plainFile, "state"), "a part of the path is a file"},
		"world-writable":              {world, "every user can write to it (mode 0777)"},
		"link to world-writable":      {link, "every user can write to it (mode 0777)"},
		"dangling below world access": {filepath.Join(link, "x\x00y"), "invalid argument"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Open(tc.path)
			if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), tc.path) {
				t.Errorf("got %v, want %q and the path", err, tc.want)
			}
		})
	}
}

func TestOpenForeignOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a directory away")
	}
	path := t.TempDir()
	if err := os.Chown(path, 12345, -1); err != nil {
		t.Fatal(err)
	}
	d, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Join(d.Notices(), "\n"); !strings.Contains(n, "another user (id 12345)") {
		t.Errorf("root is not told: %q", n)
	}
}

func TestWritable(t *testing.T) {
	d := open(t)
	if err := d.Writable(); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(d.Path()); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := os.RemoveAll(d.Path()); err != nil {
		t.Fatal(err)
	}
	if err := d.Writable(); err == nil || !strings.Contains(err.Error(), "writing to the state directory "+d.Path()) {
		t.Errorf("got %v", err)
	}
}
