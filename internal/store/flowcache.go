package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// FlowStamp is what a list of flows says about one, by which a change can be seen
// without an export. Descope: etag, version and modifiedTime of a flow in a list;
// that they move with every edit is not documented.
type FlowStamp struct {
	ETag         string `json:"etag"`
	Version      int64  `json:"version"`
	ModifiedTime string `json:"modified_time"`
}

// flowCacheDir is in flowsDir and holds a directory for each scope.
const flowCacheDir = "cache"

// cachedFlow is the content of a file of the cache.
type cachedFlow struct {
	BaseURL string `json:"base_url"`
	Project string `json:"project"`
	Flow    string `json:"flow"`
	FlowStamp
	FetchedAt time.Time       `json:"fetched_at"`
	Raw       json.RawMessage `json:"raw"`
}

// CachedFlow returns the export of a flow that was put into the cache, but for
// white space between its tokens. It is there if it was put with just this stamp,
// which must not be empty, at most maxAge before now and not after it. What is
// damaged, missing, unreadable or of another flow is not there: a cache is never an
// error.
func (s *Scope) CachedFlow(id string, stamp FlowStamp, now time.Time, maxAge time.Duration) (json.RawMessage, bool) {
	text, err := os.ReadFile(s.flowCachePath(id))
	if err != nil {
		return nil, false
	}
	content, reason := unseal(text)
	var c cachedFlow
	if reason != "" || json.Unmarshal(content, &c) != nil {
		return nil, false
	}
	ours := c.BaseURL == s.baseURL && c.Project == s.project && c.Flow == id
	age := now.Sub(c.FetchedAt)
	if !ours || c.FlowStamp != stamp || stamp == (FlowStamp{}) || age < 0 || age > maxAge || !bytes.HasPrefix(c.Raw, []byte("{")) {
		return nil, false
	}
	return c.Raw, true
}

// PutCachedFlow keeps an export of a flow with the stamp that a list gave the flow
// before it was exported: if it was edited in between, the next list has another
// stamp. fetched is when. An error does no harm: the next read exports again. It
// does not wait for the disk, since what a power failure leaves half written counts
// as missing.
func (s *Scope) PutCachedFlow(id string, stamp FlowStamp, raw json.RawMessage, fetched time.Time) error {
	path := s.flowCachePath(id)
	text, err := seal(cachedFlow{s.baseURL, s.project, id, stamp, fetched, raw})
	if err != nil {
		return explain("writing", path, err)
	}
	if _, err := s.dir.sub(flowsDir, flowCacheDir, s.name); err != nil {
		return err
	}
	return replace(s.dir.disk, path, text, s.dir.fileMode(), false)
}

// DropCachedFlow makes sure that a flow is exported again, even after a power
// failure: for who has written it, or is about to, and does not count on its stamp.
func (s *Scope) DropCachedFlow(id string) error {
	return remove(s.dir.disk, s.flowCachePath(id)) // the directory too: who removed it may have been killed here
}

// leftoverAge is how old a half written file is that nobody will finish.
const leftoverAge = time.Hour

// PruneFlowCache removes what the cache holds of flows that are not in a list, and
// what crashes left half written. It returns how many files it removed, even with
// an error.
func (s *Scope) PruneFlowCache(ids []string) (removed int, err error) {
	dir := s.flowCacheDir()
	entries, err := os.ReadDir(dir)
	if err = unlessGone(err); err != nil {
		return 0, explain("reading", dir, err)
	}
	keep := map[string]bool{}
	for _, id := range ids {
		keep[filepath.Base(s.flowCachePath(id))] = true
	}
	for _, e := range entries {
		if keep[e.Name()] || halfWritten(e.Name()) && !leftover(e) {
			continue
		}
		path := filepath.Join(dir, e.Name())
		if removeErr := unlessGone(s.dir.disk.Remove(path)); removeErr != nil {
			err = errors.Join(err, explain("removing", path, removeErr))
			continue
		}
		removed++
	}
	return removed, err
}

// leftover reports whether a half written file is old enough to be nobody's.
func leftover(e fs.DirEntry) bool {
	info, err := e.Info()
	return err == nil && time.Since(info.ModTime()) > leftoverAge
}

func (s *Scope) flowCacheDir() string {
	return filepath.Join(s.dir.flowsPath(), flowCacheDir, s.name)
}

func (s *Scope) flowCachePath(id string) string {
	return filepath.Join(s.flowCacheDir(), fileName(id)+flowExt)
}
