package store

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"pcconnect.ai/descope-mgmt/internal/model"
)

func open(t *testing.T) *Dir {
	t.Helper()
	d, err := Open(filepath.Join(t.TempDir(), "state"))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func scope(t *testing.T, d *Dir) *Scope {
	t.Helper()
	s, err := d.Scope("https://api.descope.com", "P2abc")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func tenant(id string, attrs map[string]any) model.Resource {
	return model.Resource{Key: model.Key{Kind: model.Tenant, ID: id}, Attrs: attrs}
}

func state(t *testing.T, resources ...model.Resource) model.State {
	t.Helper()
	s, err := model.NewState(resources)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func meta() Meta {
	return Meta{Run: "r1", Environment: "dev", At: time.Date(2025, 11, 10, 14, 30, 15, 0, time.UTC)}
}

func mode(t *testing.T, path string) os.FileMode {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Perm()
}

// brokenDisk fails at one operation, as a full disk would.
type brokenDisk struct {
	osDisk
	create, write, sync, renaming, syncing error
}

func (d brokenDisk) CreateTemp(dir, pattern string) (File, error) {
	if d.create != nil {
		return nil, d.create
	}
	f, err := d.osDisk.CreateTemp(dir, pattern)
	return brokenFile{f, d}, err
}

func (d brokenDisk) Rename(from, to string) error {
	if d.renaming != nil {
		return d.renaming
	}
	return d.osDisk.Rename(from, to)
}

func (d brokenDisk) SyncDir(dir string) error {
	if d.syncing != nil {
		return d.syncing
	}
	return d.osDisk.SyncDir(dir)
}

type brokenFile struct {
	File
	disk brokenDisk
}

func (f brokenFile) Write(p []byte) (int, error) {
	if f.disk.write != nil {
		n, _ := f.File.Write(p[:len(p)/2])
		return n, f.disk.write
	}
	return f.File.Write(p)
}

func (f brokenFile) Sync() error { return errors.Join(f.disk.sync, f.File.Sync()) }
