package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

func cacheKeyOf(n int) string {
	sum := sha256.Sum256([]byte(fmt.Sprint(n)))
	return hex.EncodeToString(sum[:])
}

func TestCache(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "cache")
	c := OpenCache(dir)
	if _, ok := c.Load(cacheKeyOf(1)); ok {
		t.Error("an empty cache has an entry")
	}
	c.Save(cacheKeyOf(1), []byte("one"))
	if got, ok := c.Load(cacheKeyOf(1)); !ok || string(got) != "one" {
		t.Errorf("got %q, %v", got, ok)
	}
	c.Save("../outside", []byte("x"))
	if entries, err := os.ReadDir(filepath.Dir(dir)); err != nil || len(entries) != 1 {
		t.Errorf("beside the cache: %v, %v", entries, err)
	}
	path := filepath.Join(dir, cacheKeyOf(1))
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the mode of an entry: %v, %v", info.Mode(), err)
	}
	// Every damage is a miss, and so is an entry that somebody renamed.
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range whole {
		damaged := bytes.Clone(whole)
		damaged[i] ^= 1
		putFile(t, path, damaged)
		if _, ok := c.Load(cacheKeyOf(1)); ok {
			t.Errorf("with byte %d flipped, it is read", i)
		}
		putFile(t, path, whole[:i])
		if _, ok := c.Load(cacheKeyOf(1)); ok {
			t.Errorf("cut at %d, it is read", i)
		}
	}
	putFile(t, filepath.Join(dir, cacheKeyOf(2)), whole)
	if _, ok := c.Load(cacheKeyOf(2)); ok {
		t.Error("under another key, it is read")
	}
}

func putFile(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestCacheIsBounded: what was not used for longest goes.
func TestCacheIsBounded(t *testing.T) {
	c := OpenCache(t.TempDir() + "/cache")
	c.maxEntries, c.maxBytes = 4, 4000
	used := time.Now().Add(-time.Hour)
	for i := range 4 {
		c.Save(cacheKeyOf(i), []byte{byte(i)})
		used = used.Add(time.Minute)
		if err := os.Chtimes(filepath.Join(c.dir, cacheKeyOf(i)), used, used); err != nil {
			t.Fatal(err)
		}
	}
	c.Load(cacheKeyOf(0)) // used just now
	c.Save(cacheKeyOf(4), []byte("new"))
	for i, want := range []bool{true, false, true, true, true} {
		if _, ok := c.Load(cacheKeyOf(i)); ok != want {
			t.Errorf("entry %d is there: %v", i, ok)
		}
	}
	for i := range 20 {
		c.Save(cacheKeyOf(100+i), make([]byte, 900))
	}
	var size int64
	entries, err := os.ReadDir(c.dir)
	for _, e := range entries {
		info, _ := e.Info()
		size += info.Size()
	}
	if err != nil || size > 4000 || len(entries) == 0 {
		t.Errorf("%d entries of %d bytes in all (%v)", len(entries), size, err)
	}
	if c.Save(cacheKeyOf(7), make([]byte, 1001)); len(entries) == 0 {
		t.Error("one that is too big")
	}
	if _, ok := c.Load(cacheKeyOf(7)); ok {
		t.Error("one that takes more than its share is kept")
	}
}

// TestCacheOfOthers: a directory that others can write to could hold anything.
func TestCacheOfOthers(t *testing.T) {
	dir := t.TempDir() + "/cache"
	c := OpenCache(dir)
	c.Save(cacheKeyOf(1), []byte("one"))
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, ok := c.Load(cacheKeyOf(1)); ok {
		t.Error("read from a directory that everybody can write to")
	}
	c.Save(cacheKeyOf(2), []byte("two"))
	if _, err := os.Stat(filepath.Join(dir, cacheKeyOf(2))); err == nil {
		t.Error("written to a directory that everybody can write to")
	}
	link := t.TempDir() + "/link"
	if err := os.Symlink(dir, link); err != nil {
		t.Skip("no symbolic links here")
	}
	if _, ok := OpenCache(link).Load(cacheKeyOf(1)); ok {
		t.Error("read through a link")
	}
}

func TestCacheByMany(t *testing.T) {
	c := OpenCache(t.TempDir() + "/cache")
	c.maxEntries = 3
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 30 {
				n := (g + i) % 6
				want := fmt.Sprintf("entry %d", n)
				c.Save(cacheKeyOf(n), []byte(want))
				if got, ok := c.Load(cacheKeyOf(n)); ok && string(got) != want {
					t.Errorf("entry %d holds %q", n, got)
				}
			}
		})
	}
	wg.Wait()
}
