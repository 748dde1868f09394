package store

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"
)

// Cache is a directory of entries that can be made again: it may be removed at any time.
// Nothing about it is ever an error; what is damaged or cannot be read is not there. It is
// bounded, and drops what was not used for longest. It is safe for concurrent use, also by
// several processes.
type Cache struct {
	dir string
	// maxEntries and maxBytes are what it holds at most, once an entry was added.
	maxEntries int
	maxBytes   int64
}

// OpenCache returns the cache in a directory, which is made when something is kept. One
// that others than its owner can read or write is not used.
func OpenCache(dir string) *Cache {
	return &Cache{dir: dir, maxEntries: 64, maxBytes: 256 << 20}
}

// cacheKey is the form of a key, and of the name of its file.
var cacheKey = regexp.MustCompile(`^[0-9a-f]{64}$`)

// Load returns what was saved under a key.
func (c *Cache) Load(key string) ([]byte, bool) {
	if !cacheKey.MatchString(key) || !c.private() {
		return nil, false
	}
	path := filepath.Join(c.dir, key)
	text, err := os.ReadFile(path)
	if err != nil || len(text) < sha256.Size*2 {
		return nil, false
	}
	sum, data := string(text[:sha256.Size*2]), text[sha256.Size*2:]
	if sum != cacheSum(key, data) {
		return nil, false
	}
	now := time.Now()
	_ = os.Chtimes(path, now, now) // used; if not, it goes earlier
	return data, true
}

// Save keeps an entry. The key has 64 hexadecimal digits.
func (c *Cache) Save(key string, data []byte) {
	if !cacheKey.MatchString(key) || int64(len(data)) > c.maxBytes/4 {
		return
	}
	if err := os.MkdirAll(c.dir, 0o700); err != nil || !c.private() {
		return
	}
	text := append([]byte(cacheSum(key, data)), data...)
	if replace(osDisk{}, filepath.Join(c.dir, key), text, 0o600, false) == nil {
		c.trim()
	}
}

// cacheSum binds the content of an entry to its key.
func cacheSum(key string, data []byte) string {
	h := sha256.New()
	_, _ = h.Write([]byte(key + " "))
	_, _ = h.Write(data)
	return hex.EncodeToString(h.Sum(nil))
}

// private reports whether the directory is its owner's alone.
func (c *Cache) private() bool {
	info, err := os.Lstat(c.dir)
	if err != nil || !info.IsDir() {
		return false
	}
	uid, known := owner(info)
	return !known || uid == os.Geteuid() && info.Mode().Perm()&0o077 == 0
}

// trim removes what was not used for longest, until the rest is within the bounds.
func (c *Cache) trim() {
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return
	}
	var kept []fs.FileInfo
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && info.Mode().IsRegular() {
			kept = append(kept, info)
		}
	}
	slices.SortFunc(kept, func(a, b fs.FileInfo) int {
		return cmp.Or(b.ModTime().Compare(a.ModTime()), cmp.Compare(a.Name(), b.Name()))
	})
	var size int64
	for i, info := range kept {
		if size += info.Size(); i >= c.maxEntries || size > c.maxBytes {
			_ = os.Remove(filepath.Join(c.dir, info.Name()))
		}
	}
}
