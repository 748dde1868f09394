package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const day = 24 * time.Hour

func flowStamp(n int64) FlowStamp {
	return FlowStamp{ETag: fmt.Sprintf(`"e<%d>"`, n), Version: n, ModifiedTime: "1700000000"}
}

func TestFlowCache(t *testing.T) {
	d := open(t)
	s := scope(t, d)
	now, raw := flowsBegan(), json.RawMessage(`{"b":1.50,"a":"<&>`+"\u2028"+`"}`)
	must(t, s.PutCachedFlow("f", flowStamp(1), json.RawMessage(" "+string(raw)+"\n"), now))
	other, err := d.Scope("https://api.descope.com", "P3")
	must(t, err)
	same := flowStamp(1)
	etag, version, modified := same, same, same
	etag.ETag, version.Version, modified.ModifiedTime = "x", 2, "1700000001"
	for name, tc := range map[string]struct {
		s     *Scope
		id    string
		stamp FlowStamp
		now   time.Time
		hit   bool
	}{
		"at once":          {s, "f", same, now, true},
		"on the last tick": {s, "f", same, now.Add(day), true},
		"too old":          {s, "f", same, now.Add(day + 1), false},
		"from the future":  {s, "f", same, now.Add(-1), false},
		"other etag":       {s, "f", etag, now, false},
		"other version":    {s, "f", version, now, false},
		"other time":       {s, "f", modified, now, false},
		"other flow":       {s, "g", same, now, false},
		"other case":       {s, "F", same, now, false},
		"other project":    {other, "f", same, now, false},
		"no stamp":         {s, "f", FlowStamp{}, now, false},
	} {
		got, hit := tc.s.CachedFlow(tc.id, tc.stamp, tc.now, day)
		if hit != tc.hit || hit != (string(got) == string(raw)) {
			t.Errorf("%s: %t, %s", name, hit, got)
		}
	}
	must(t, s.PutCachedFlow("f", FlowStamp{}, raw, now))
	if _, hit := s.CachedFlow("f", FlowStamp{}, now, day); hit {
		t.Error("a flow without a stamp never changes")
	}
	must(t, s.PutCachedFlow("f", flowStamp(2), raw, now))
	if _, hit := s.CachedFlow("f", flowStamp(1), now, day); hit {
		t.Error("the old stamp still counts")
	}
	must(t, s.DropCachedFlow("f"), s.DropCachedFlow("f"), s.DropCachedFlow("never"), other.DropCachedFlow("f"))
	if _, hit := s.CachedFlow("f", flowStamp(2), now, day); hit {
		t.Error("it was dropped and is there")
	}
	for _, raw := range []string{"null", "[]", `"x"`} {
		must(t, s.PutCachedFlow("f", same, json.RawMessage(raw), now))
		if got, hit := s.CachedFlow("f", same, now, day); hit {
			t.Errorf("%s is no flow", got)
		}
	}
	if err := s.PutCachedFlow("f", same, json.RawMessage("{"), now); err == nil || !strings.Contains(err.Error(), s.flowCachePath("f")) {
		t.Errorf("half a document: %v", err)
	}
}

// TestFlowCacheEveryByte changes each byte, cuts the file anywhere, puts it in the
// place of another's: it counts as missing.
func TestFlowCacheEveryByte(t *testing.T) {
	d := open(t)
	s := scope(t, d)
	path, now, checks := s.flowCachePath("f"), flowsBegan(), 0
	must(t, s.PutCachedFlow("f", flowStamp(1), flowDoc(1), now))
	whole, err := os.ReadFile(path)
	must(t, err)
	missing := func(text []byte, what string) {
		t.Helper()
		checks++
		must(t, unlessGone(os.Remove(path)), os.WriteFile(path, text, 0o600)) // cutting a file waits for the disk
		if got, hit := s.CachedFlow("f", flowStamp(1), now, day); hit {
			t.Fatalf("%s: %s", what, got)
		}
	}
	for i := range whole {
		for _, bits := range []byte{0x01, 0x20, 0x80} {
			text := bytes.Clone(whole)
			text[i] ^= bits
			missing(text, fmt.Sprintf("byte %d ^ %02x", i, bits))
		}
		missing(whole[:i], fmt.Sprint("cut at ", i))
		zeros := bytes.Clone(whole)
		clear(zeros[i:])
		missing(zeros, fmt.Sprint("zeros from ", i))
	}
	list, err := seal([]int{1})
	must(t, err)
	missing(list, "sealed, and another thing")
	must(t, os.Remove(path), os.Mkdir(path, 0o700))
	if _, hit := s.CachedFlow("f", flowStamp(1), now, day); hit {
		t.Error("a directory")
	}
	must(t, os.Remove(path))
	other, err := d.Scope("https://api.descope.com", "P3")
	must(t, err, s.PutCachedFlow("g", flowStamp(1), flowDoc(1), now), other.PutCachedFlow("f", flowStamp(1), flowDoc(1), now))
	for _, from := range []string{s.flowCachePath("g"), other.flowCachePath("f")} {
		text, err := os.ReadFile(from)
		must(t, err)
		missing(text, "that of another")
	}
	must(t, os.WriteFile(path, whole, 0o600))
	if _, hit := s.CachedFlow("f", flowStamp(1), now, day); !hit {
		t.Error("the whole file is not there: the test proves nothing")
	}
	t.Logf("counts: %d damages", checks)
}

// Whoever reads while others write, drop and prune gets the content of the stamp
// that he asks for, or nothing.
func TestFlowCacheTogether(t *testing.T) {
	d := open(t)
	var wg sync.WaitGroup
	var mu sync.Mutex
	hits := 0
	for w := range 6 {
		wg.Go(func() {
			s := scope(t, d)
			for i := range 60 {
				n := int64(w*i) % 4
				must(t, s.PutCachedFlow("f", flowStamp(n), json.RawMessage(keptDoc(int(n))), flowsBegan()))
				for n := range int64(4) {
					got, hit := s.CachedFlow("f", flowStamp(n), flowsBegan(), day)
					if hit && string(got) != keptDoc(int(n)) {
						t.Errorf("stamp %d: %s", n, got)
					}
					if hit {
						mu.Lock()
						hits++
						mu.Unlock()
					}
				}
				if i%10 == w {
					must(t, s.DropCachedFlow("f"))
					_, err := s.PruneFlowCache(nil)
					must(t, err)
				}
			}
		})
	}
	wg.Wait()
	if hits == 0 {
		t.Error("nobody ever read anything")
	}
	if left, _ := filepath.Glob(filepath.Join(scope(t, d).flowCacheDir(), ".*")); len(left) != 0 {
		t.Errorf("left %q", left)
	}
	t.Logf("counts: %d hits", hits)
}

func TestPruneFlowCache(t *testing.T) {
	d := open(t)
	s := scope(t, d)
	if n, err := s.PruneFlowCache([]string{"a"}); n != 0 || err != nil {
		t.Errorf("nothing is cached: %d, %v", n, err)
	}
	other, err := d.Scope("https://api.descope.com", "P3")
	must(t, err, other.PutCachedFlow("b", flowStamp(1), flowDoc(1), flowsBegan()))
	for _, id := range []string{"a", "b", "c"} {
		must(t, s.PutCachedFlow(id, flowStamp(1), flowDoc(1), flowsBegan()))
	}
	young, old := filepath.Join(s.flowCacheDir(), ".a.json.tmp-1"), filepath.Join(s.flowCacheDir(), ".a.json.tmp-2")
	must(t, os.WriteFile(young, nil, 0o600), os.WriteFile(old, nil, 0o600))
	must(t, os.Chtimes(old, time.Time{}, time.Now().Add(-2*leftoverAge)))
	if n, err := s.PruneFlowCache([]string{"a", "c", "d"}); n != 2 || err != nil {
		t.Errorf("removed %d, %v", n, err)
	}
	for path, want := range map[string]bool{
		s.flowCachePath("a"): true, s.flowCachePath("b"): false, s.flowCachePath("c"): true,
		young: true, old: false, other.flowCachePath("b"): true,
	} {
		if _, err := os.Stat(path); (err == nil) != want {
			t.Errorf("%s: %v", path, err)
		}
	}
	full := filepath.Join(s.flowCacheDir(), "full.json")
	must(t, os.MkdirAll(filepath.Join(full, "x"), 0o700))
	if n, err := s.PruneFlowCache(nil); n != 2 || err == nil || !strings.Contains(err.Error(), "removing "+full) {
		t.Errorf("removed %d, %v", n, err)
	}
	must(t, os.RemoveAll(s.flowCacheDir()), os.WriteFile(s.flowCacheDir(), nil, 0o600))
	if _, err := s.PruneFlowCache(nil); err == nil || !strings.Contains(err.Error(), "reading "+s.flowCacheDir()) {
		t.Errorf("got %v", err)
	}
	if err := s.PutCachedFlow("a", flowStamp(1), flowDoc(1), flowsBegan()); err == nil {
		t.Error("put into a file")
	}
	if err := s.DropCachedFlow("a"); err == nil {
		t.Error("dropped from a file")
	}
}

// A crash leaves the new entry, the old one, or none; what was dropped stays so.
func TestFlowCacheCrashes(t *testing.T) {
	crashes := 0
	for n, last := 1, false; !last; n++ {
		for seed := range uint64(4) {
			root := t.TempDir()
			_, s := openOn(t, root, OSDisk())
			must(t, s.PutCachedFlow("f", flowStamp(1), flowDoc(1), flowsBegan()))
			must(t, s.PutCachedFlow("dropped", flowStamp(1), flowDoc(1), flowsBegan()))
			disk := crashDisk(t, root, seed)
			disk.Before = func(i int, _, _ string) error {
				if i == n {
					return disk.Crash()
				}
				return nil
			}
			_, s = openOn(t, root, disk)
			dropped := s.DropCachedFlow("dropped") == nil
			_ = s.PutCachedFlow("f", flowStamp(2), flowDoc(2), flowsBegan())
			last = disk.Operations() < n
			must(t, disk.Crash())
			crashes++
			_, s = openOn(t, root, OSDisk())
			for id, stamps := range map[string][]int64{"f": {1, 2}, "dropped": {1}} {
				for _, n := range stamps {
					got, hit := s.CachedFlow(id, flowStamp(n), flowsBegan(), day)
					var want bytes.Buffer
					must(t, json.Compact(&want, flowDoc(int(n))))
					if hit && (string(got) != want.String() || id == "dropped" && dropped) {
						t.Errorf("operation %d: %s: %s", n, id, got)
					}
				}
			}
		}
	}
	t.Logf("counts: %d crashes", crashes)
}

func TestFlowCacheOnAFullDisk(t *testing.T) {
	d := open(t)
	s := scope(t, d)
	must(t, s.PutCachedFlow("f", flowStamp(1), flowDoc(1), flowsBegan()))
	d.disk = brokenDisk{write: syscall.ENOSPC}
	if err := s.PutCachedFlow("f", flowStamp(2), flowDoc(2), flowsBegan()); err == nil || !strings.Contains(err.Error(), "the disk is full") {
		t.Errorf("got %v", err)
	}
	if _, hit := s.CachedFlow("f", flowStamp(1), flowsBegan(), day); !hit {
		t.Error("the old entry is gone")
	}
	d.disk = brokenDisk{syncing: syscall.EIO}
	if err := s.DropCachedFlow("f"); err == nil {
		t.Error("nobody was told")
	}
	d.disk = OSDisk()
	must(t, s.DropCachedFlow("f"))
}
