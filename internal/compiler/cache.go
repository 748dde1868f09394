package compiler

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// Cache keeps what evaluations came to. A key names all that the result depends on, so
// that an entry never becomes wrong; losing one costs an evaluation. It must be safe for
// concurrent use.
type Cache interface {
	// Load returns exactly what was saved under the key, or false.
	Load(key string) (data []byte, ok bool)
	Save(key string, data []byte)
}

// WithCache returns the module with a cache for what [Compile], [CompileAll] and [Eval]
// come to without an error. program tells one build of the program from another: none
// reads what another one kept.
func (m *Module) WithCache(c Cache, program string) *Module {
	other := *m
	other.cache, other.program = c, program
	return &other
}

// What a fingerprint covers at most: beyond that, looking at everything takes longer
// than it saves.
const (
	maxCachedFiles = 20_000
	maxCachedBytes = 256 << 20
)

var errUncached = errors.New("not to be cached")

// fingerprint is a key for what becomes of an evaluation: a hash of every file below the
// root, by path and content, but for those of git and of node, and of what is asked. ok is
// false where it would not cover everything: variables of a configuration in YAML,
// files that are not written yet, links to directories elsewhere.
func (m *Module) fingerprint(question ...string) (key string, ok bool) {
	if m.cache == nil || m.yaml != nil || len(m.unsaved) > 0 {
		return "", false
	}
	h := sha256.New()
	for _, q := range append([]string{m.program, SchemaHash()}, question...) {
		_, _ = fmt.Fprintf(h, "%d %s\x00", len(q), q)
	}
	files, size := 0, int64(0)
	err := filepath.WalkDir(m.root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && setApart(d.Name()):
			return filepath.SkipDir
		case d.IsDir():
			return nil
		}
		info, err := os.Stat(path) // what a link leads to
		if err != nil {
			return err
		}
		files, size = files+1, size+info.Size()
		if !info.Mode().IsRegular() || files > maxCachedFiles || size > maxCachedBytes {
			return errUncached
		}
		data, err := os.ReadFile(path) //nolint:gosec // a path that is swapped meanwhile gives another key
		if err != nil {
			return err
		}
		if embedsApart(data) {
			return errUncached
		}
		sum := sha256.Sum256(data)
		_, _ = fmt.Fprintf(h, "%s\x00%x", m.rel(path), sum)
		return nil
	})
	return hex.EncodeToString(h.Sum(nil)), err == nil
}

// setApart tells directories that no configuration is in.
func setApart(name string) bool { return name == ".git" || name == "node_modules" }

// embedsApart reports whether a file may read something out of such a directory.
func embedsApart(data []byte) bool {
	return bytes.Contains(data, []byte("@embed")) && (bytes.Contains(data, []byte(".git")) || bytes.Contains(data, []byte("node_modules")))
}

// cached is what an evaluation came to, from the cache or by evaluating; what has an
// error is not kept. Files that change meanwhile are no harm: what is kept is kept under
// the key of what was there before and after.
func cached[T any](m *Module, env string, question []string, evaluate func() (T, model.Diagnostics), pack func(T, model.Diagnostics) []byte, unpack func([]byte) (T, model.Diagnostics, error)) (T, model.Diagnostics) {
	key, ok := m.fingerprint(question...)
	if !ok {
		return evaluate()
	}
	if data, ok := m.cache.Load(key); ok {
		if v, diags, err := unpack(data); err == nil {
			m.tell("%s: as it was evaluated before", env)
			return v, diags
		}
	}
	v, diags := evaluate()
	if len(diags.Errors()) == 0 {
		if again, ok := m.fingerprint(question...); ok && again == key {
			m.cache.Save(key, pack(v, diags))
		}
	}
	return v, diags
}

// packText writes what [Eval] printed, and its warnings.
func packText(text []byte, d model.Diagnostics) []byte {
	var p packer
	p.json(d)
	return append(p.out, text...)
}

func unpackText(data []byte) ([]byte, model.Diagnostics, error) {
	u := unpacker{rest: string(data)}
	var d model.Diagnostics
	if u.json(&d); u.err != nil {
		return nil, nil, u.err
	}
	return data[len(data)-len(u.rest):], d, nil
}

// asked is a question in a form that no other has.
func asked(what string, parts ...any) []string {
	b, _ := json.Marshal(parts) // strings and booleans
	return []string{what, string(b)}
}
