package store

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// Scope is the part of a state directory that belongs to one project at one
// base URL.
type Scope struct {
	dir              *Dir
	baseURL, project string
	name             string
}

// Scope is the part for a project at a base URL. The base URL may be any text
// that identifies the server for good (not the address of an emulator that
// listens elsewhere tomorrow); its case, default port and trailing slash do not
// count. Neither may be empty.
func (d *Dir) Scope(baseURL, project string) (*Scope, error) {
	if baseURL == "" || project == "" {
		return nil, errors.New("state is kept by base URL and project id; one of them is empty")
	}
	base := canonicalURL(baseURL)
	return &Scope{dir: d, baseURL: base, project: project, name: fileName(base, project)}, nil
}

// Name is the name under which the scope is kept: safe in a path, readable, and
// different for different projects even where case does not count.
func (s *Scope) Name() string { return s.name }

// canonicalURL gives equal text for spellings of one address.
func canonicalURL(s string) string {
	u, err := url.Parse(strings.TrimSpace(s))
	if err != nil || u.Host == "" {
		return s
	}
	scheme, host := strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	switch scheme {
	case "https":
		host = strings.TrimSuffix(host, ":443")
	case "http":
		host = strings.TrimSuffix(host, ":80")
	}
	return scheme + "://" + host + strings.TrimRight(u.Path, "/")
}

// fileName makes a file name of any texts: a readable part, cut and stripped of
// what paths give a meaning to, and a digest that keeps different ones apart.
func fileName(parts ...string) string {
	h := sha256.New()
	readable := make([]string, len(parts))
	for i, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
		_, after, found := strings.Cut(p, "://")
		if found {
			p = after
		}
		readable[i] = plain(p)
	}
	return strings.Join(readable, "_") + "_" + hex.EncodeToString(h.Sum(nil)[:8])
}

// plain keeps letters, digits, dots inside and hyphens of at most 40 bytes.
func plain(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == '.' || r == '-' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' {
			return r
		}
		return '-'
	}, s)
	return strings.Trim(s[:min(len(s), 40)], ".-")
}
