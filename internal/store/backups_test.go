package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pcconnect.ai/descope-mgmt/internal/model"
)

func raws(pairs ...string) map[string]json.RawMessage {
	m := map[string]json.RawMessage{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = json.RawMessage(pairs[i+1])
	}
	return m
}

// backup is one made at a minute of an hour, before a run.
func backup(minute int, run string) Backup {
	return Backup{
		Meta: BackupMeta{
			Timestamp: time.Date(2025, 11, 10, 14, minute, 15, 250e6, time.FixedZone("", 3600)),
			Operation: "tenant sync", User: "ada", Host: "build-7", GitCommit: "abc", Environment: "dev",
			ProjectID: "P2abc", BaseURL: "https://api.descope.com", Run: run, Tool: "v1",
		},
		Tenants: raws(
			"acme", `{"id":"acme","name":"A & <B>\u00e9 é","big":12345678901234567890123.10,"nobody":{"knows":[1,null]},"twice":1,"twice":2}`,
			"x/../y", `{"id":"x/../y"}`,
		),
		Flows:          raws("sign-up", `{"flow":{"id":"sign-up"},"screens":[]}`),
		TenantSettings: raws("acme", `{"enabled":true}`),
		SSOSettings:    raws("acme", `{"oidc":{}}`),
	}
}

func save(t *testing.T, b *Backups, backups ...Backup) (names []string) {
	t.Helper()
	for _, backup := range backups {
		name, err := b.Save(backup)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	return names
}

func TestBackup(t *testing.T) {
	umask(t, 0)
	d := open(t)
	b := scope(t, d).Backups("")
	want := backup(30, "20251110T133000Z-1f3a9c")
	names := save(t, b, want)
	if want := "2025-11-10T13-30-15Z_20251110T133000Z-1f3a9c_pre-tenant-sync"; names[0] != want {
		t.Errorf("name  %s\nwant  %s", names[0], want)
	}
	path := filepath.Join(d.Path(), "backups", scope(t, d).Name(), names[0]+".json")
	if got := mode(t, path); got != 0o600 {
		t.Errorf("mode %04o", got)
	}
	got, err := b.Load(names[0])
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	infos, err := b.List()
	wantInfos := []BackupInfo{{Name: names[0], Path: path, Size: int64(len(text)), Meta: want.Meta, Kinds: []model.Kind{model.Tenant, model.Flow}, Tenants: 2, Flows: 1}}
	if diff := cmp.Diff(wantInfos, infos); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}

	empty := Backup{Meta: BackupMeta{Timestamp: want.Meta.Timestamp, Operation: "backup create"}}
	names = save(t, b, empty)
	if names[0] != "2025-11-10T13-30-15Z_manual_pre-backup-create" {
		t.Errorf("name %s", names[0])
	}
	if got, err = b.Load(names[0]); err != nil || got.Meta.ProjectID != "P2abc" || got.Meta.BaseURL != "https://api.descope.com" || got.Kinds() != nil {
		t.Errorf("got %+v, %v", got, err)
	}

	// No flows is something else than flows that were not read.
	for _, flows := range []map[string]json.RawMessage{nil, {}} {
		names = save(t, b, Backup{Meta: empty.Meta, Flows: flows})
		if got, err = b.Load(names[0]); err != nil || (got.Flows == nil) != (flows == nil) || slices.Equal(got.Kinds(), []model.Kind{model.Flow}) != (flows != nil) {
			t.Errorf("got %+v, %v", got, err)
		}
	}
}

func TestBackupsNone(t *testing.T) {
	b := scope(t, open(t)).Backups("")
	if infos, err := b.List(); err != nil || len(infos) != 0 {
		t.Errorf("got %v, %v", infos, err)
	}
	if removed, err := b.Prune(time.Now(), nil, false); err != nil || len(removed) != 0 {
		t.Errorf("got %v, %v", removed, err)
	}
	var missing *NotFoundError
	for _, name := range []string{"latest", "", "x", "/no/such/file.json"} {
		if _, err := b.Load(name); !errors.As(err, &missing) || missing.What != "backup" || missing.Name != name {
			t.Errorf("%q: got %v", name, err)
		}
	}
}

// TestBackupFlipped: whichever bit of whichever byte is another, it is noticed and
// the file named; so is a file cut short or continued.
func TestBackupFlipped(t *testing.T) {
	b := scope(t, open(t)).Backups("")
	names := save(t, b, backup(30, "r1"))
	path := filepath.Join(b.dir(), names[0]+".json")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	check := func(text []byte) {
		t.Helper()
		n++
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		var corrupt *CorruptError
		if _, err := b.Load(names[0]); !errors.As(err, &corrupt) || corrupt.Path != path {
			t.Fatalf("got %v of\n%s", err, text)
		}
	}
	for i := range text {
		flipped := bytes.Clone(text)
		flipped[i] ^= 1 << (i % 8)
		check(flipped)
		if i%7 == 0 {
			check(text[:i])
		}
	}
	check(append(bytes.Clone(text), ' '))
	check(append(bytes.Clone(text), text...))
	t.Logf("%d damages, all noticed", n)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Load(names[0]); err != nil {
		t.Error(err)
	}
}

// TestBackupRefused: what could not be restored is not saved, and what was put
// into a file past Save is not loaded.
func TestBackupRefused(t *testing.T) {
	b := scope(t, open(t)).Backups("")
	for name, tc := range map[string]struct {
		change func(*Backup)
		want   string
	}{
		"no time":          {func(b *Backup) { b.Meta.Timestamp = time.Time{} }, "lacks the time"},
		"no operation":     {func(b *Backup) { b.Meta.Operation = "" }, "lacks the time, the operation"},
		"another project":  {func(b *Backup) { b.Meta.ProjectID = "P3" }, `it is of project "P3" at https://api.descope.com`},
		"another server":   {func(b *Backup) { b.Meta.BaseURL = "http://localhost" }, `at http://localhost`},
		"tenant no object": {func(b *Backup) { b.Tenants["acme"] = json.RawMessage(`["acme"]`) }, `tenant "acme": not a JSON object`},
		"tenant null":      {func(b *Backup) { b.Tenants["acme"] = json.RawMessage(`null`) }, `tenant "acme": not a JSON object`},
		"tenant nil":       {func(b *Backup) { b.Tenants["acme"] = nil }, `tenant "acme": not a JSON object`},
		"tenant misplaced": {func(b *Backup) { b.Tenants["acme"] = json.RawMessage(`{"id":"other"}`) }, `tenant "acme": it says that its id is "other"`},
		"tenant nameless":  {func(b *Backup) { b.Tenants["acme"] = json.RawMessage(`{"ID":"acme"}`) }, `tenant "acme": it says that its id is `},
		"tenant no id":     {func(b *Backup) { b.Tenants[""] = json.RawMessage(`{"id":""}`) }, `tenant without an id`},
		"flow no id":       {func(b *Backup) { b.Flows[""] = json.RawMessage(`{}`) }, `flow without an id`},
		"flow no object":   {func(b *Backup) { b.Flows["f"] = json.RawMessage(`1`) }, `flow "f": not a JSON object`},
		"settings":         {func(b *Backup) { b.TenantSettings["acme"] = json.RawMessage(`""`) }, `the settings of tenant "acme": not a JSON object`},
		"SSO settings":     {func(b *Backup) { b.SSOSettings["acme"] = json.RawMessage(`true`) }, `the SSO settings of tenant "acme": not a JSON object`},
		"no JSON":          {func(b *Backup) { b.Flows["f"] = json.RawMessage(`{`) }, `JSON`},
	} {
		bad := backup(30, "r1")
		tc.change(&bad)
		if _, err := b.Save(bad); err == nil || !strings.Contains(err.Error(), tc.want) || !strings.HasPrefix(err.Error(), "writing a backup of project P2abc: ") {
			t.Errorf("%s: got %v", name, err)
		}
		text, err := seal(bad)
		if err != nil {
			continue
		}
		path := filepath.Join(t.TempDir(), "b.json")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		var corrupt *CorruptError
		_, err = b.Load(path)
		if strings.HasPrefix(name, "another") {
			if err != nil {
				t.Errorf("%s: by its path: %v", name, err)
			}
			continue
		}
		if !errors.As(err, &corrupt) || corrupt.Path != path || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s, loaded: got %v", name, err)
		}
	}
	if infos, err := b.List(); err != nil || len(infos) != 0 {
		t.Errorf("left behind: %v, %v", infos, err)
	}
	odd, err := seal(map[string]any{"metadata": 1})
	if err != nil {
		t.Fatal(err)
	}
	if _, reason := parseBackup(odd); !strings.Contains(reason, "cannot unmarshal") {
		t.Errorf("got %q", reason)
	}
}

// TestBackupsList: damaged files and files of another project are in the list,
// with what is wrong, and hide nothing.
func TestBackupsList(t *testing.T) {
	d := open(t)
	b := scope(t, d).Backups("")
	names := save(t, b, backup(10, "r1"), backup(30, "r3"), backup(20, "r2"))
	other, _ := d.Scope("https://api.descope.com", "P3")
	foreign := backup(40, "r4")
	foreign.Meta.ProjectID = "P3"
	foreignNames := save(t, other.Backups(""), foreign)
	at := func(name string) string { return filepath.Join(b.dir(), name+".json") }
	if err := os.Rename(filepath.Join(other.Backups("").dir(), foreignNames[0]+".json"), at(foreignNames[0])); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(at(names[1]), 100); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(at(names[0]), at("before the great change")); err != nil { // keeps its time of writing: now
		t.Fatal(err)
	}
	for _, ignored := range []string{".hidden.json", "notes.txt"} {
		if err := os.WriteFile(filepath.Join(b.dir(), ignored), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(at("directory"), 0o700); err != nil {
		t.Fatal(err)
	}
	infos, err := b.List()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, info := range infos {
		line := info.Name + " " + info.Meta.Run + " "
		var corrupt *CorruptError
		if errors.As(info.Err, &corrupt) && corrupt.Path == info.Path {
			line += corrupt.Reason
		} else if info.Err != nil {
			t.Error(info.Err)
		}
		got = append(got, line)
	}
	want := []string{
		"before the great change r1 ",
		foreignNames[0] + ` r4 it is of project "P3" at https://api.descope.com`,
		names[1] + " r3 unexpected end of JSON input",
		names[2] + " r2 ",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	var corrupt *CorruptError
	if _, err := b.Load(names[1]); !errors.As(err, &corrupt) {
		t.Errorf("got %v", err)
	}
}

func TestBackupsLoad(t *testing.T) {
	d := open(t)
	b := scope(t, d).Backups("")
	names := save(t, b,
		backup(10, "20251110T131000Z-aaaaaa"), backup(20, "20251110T132000Z-bbbbbb"),
		backup(30, "20251110T132900Z-cccccc"), backup(31, "20251110T132900Z-cccccc"))
	path := filepath.Join(b.dir(), names[0]+".json")
	elsewhere := filepath.Join(t.TempDir(), "copy")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(elsewhere, text, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(filepath.Dir(elsewhere))
	for name, want := range map[string]int{
		"latest": 31, names[1]: 20, names[1] + ".json": 20, "2025-11-10T13-10": 10,
		"20251110T131000Z-aaaaaa": 10, "20251110T1320": 20, path: 10, elsewhere: 10, "copy": 10,
	} {
		got, err := b.Load(name)
		if err != nil || got.Meta.Timestamp.Minute() != want {
			t.Errorf("%q: got %v, %v", name, got.Meta.Timestamp, err)
		}
	}
	for name, want := range map[string]string{
		"2025-11-10T13-3":         `backup "2025-11-10T13-3" may be any of ` + names[3] + ", " + names[2],
		"20251110T132900Z-cccccc": `backup "20251110T132900Z-cccccc" may be any of ` + names[3] + ", " + names[2],
		"20251110T13":             `may be any of ` + strings.Join([]string{names[3], names[2], names[1], names[0]}, ", "),
		"2026":                    `there is no backup "2026"; there are, newest first: ` + names[3],
		elsewhere + "x":           `there is no backup "` + elsewhere + `x"; there are, newest first: `,
		"":                        `there is no backup ""; there are, newest first: `,
		"..":                      `there is no backup ".."; there are, newest first: `,
	} {
		var missing *NotFoundError
		if _, err := b.Load(name); !errors.As(err, &missing) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v", name, err)
		}
	}
}

// TestBackupsOfOneSecond: saves at once, for the same run, all have their file.
func TestBackupsOfOneSecond(t *testing.T) {
	d := open(t)
	var wg sync.WaitGroup
	names := make([]string, 8)
	for i := range names {
		wg.Go(func() {
			b := backup(30, "r1")
			b.Meta.User = fmt.Sprint(i)
			names[i] = save(t, scope(t, d).Backups(""), b)[0]
		})
	}
	wg.Wait()
	b := scope(t, d).Backups("")
	for i, name := range names {
		if got, err := b.Load(name); err != nil || got.Meta.User != fmt.Sprint(i) {
			t.Errorf("%s: user %s, not %d (%v)", name, got.Meta.User, i, err)
		}
	}
	slices.Sort(names)
	base := "2025-11-10T13-30-15Z_r1_pre-tenant-sync"
	if names[0] != base || names[1] != base+"-2" || names[7] != base+"-8" {
		t.Errorf("names %q", names)
	}
	// Of one second, the one written last is the latest.
	for i, at := range []time.Time{time.Now(), time.Now().Add(time.Hour)} {
		if err := os.Chtimes(filepath.Join(b.dir(), names[3+i]+".json"), at, at); err != nil {
			t.Fatal(err)
		}
	}
	infos, err := b.List()
	if err != nil || infos[0].Name != names[4] {
		t.Errorf("first is %v, %v", infos[0].Name, err)
	}
}

func TestBackupsPrune(t *testing.T) {
	b := scope(t, open(t)).Backups("")
	names := save(t, b, backup(10, "r1"), backup(20, "r2"), backup(30, "r3"), backup(40, "r4"), backup(50, "r5"))
	if err := os.Truncate(filepath.Join(b.dir(), names[2]+".json"), 100); err != nil {
		t.Fatal(err)
	}
	keep := func(info BackupInfo) bool { return info.Meta.Run == "r2" }
	list := func(infos []BackupInfo, err error) []string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, info := range infos {
			got = append(got, info.Name)
		}
		return got
	}
	all := list(b.List())
	exactly := backup(50, "").Meta.Timestamp // what was made then is not before
	want := []string{names[3], names[0]}
	if diff := cmp.Diff(want, list(b.Prune(exactly, keep, true))); diff != "" {
		t.Error("dry run", diff)
	}
	if diff := cmp.Diff(all, list(b.List())); diff != "" {
		t.Error("after the dry run", diff)
	}
	if diff := cmp.Diff(want, list(b.Prune(exactly, keep, false))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{names[4], names[2], names[1]}, list(b.List())); diff != "" {
		t.Error("kept", diff)
	}
	if diff := cmp.Diff([]string{names[4], names[1]}, list(b.Prune(exactly.Add(1), nil, false))); diff != "" {
		t.Error("all", diff)
	}
	names = save(t, b, backup(10, "r1"))
	b.scope.dir.disk = fullDisk(t, b.scope.dir, 1, syscall.EROFS)
	if removed, err := b.Prune(exactly, nil, false); !errors.Is(err, syscall.EROFS) || len(removed) != 0 || !strings.HasPrefix(err.Error(), "removing "+filepath.Join(b.dir(), names[0])) {
		t.Errorf("got %v, %v", removed, err)
	}
}

// fullDisk fails at one operation with an error.
func fullDisk(t *testing.T, d *Dir, at int, with error) *CrashDisk {
	t.Helper()
	disk, err := NewCrashDisk(filepath.Dir(d.Path()), 1)
	if err != nil {
		t.Fatal(err)
	}
	disk.Before = func(n int, _, _ string) error {
		if n == at {
			return with
		}
		return nil
	}
	return disk
}

// TestBackupOnAFullDisk: whichever operation fails, the error says why, and no
// name that a backup has holds less than all of it.
func TestBackupOnAFullDisk(t *testing.T) {
	for at := 1; ; at++ {
		d := open(t)
		b := scope(t, d).Backups("")
		old := save(t, b, backup(10, "r1"))
		if at%2 == 0 { // half of them make the directories too
			if err := os.RemoveAll(filepath.Join(d.Path(), "backups")); err != nil {
				t.Fatal(err)
			}
			old = nil
		}
		d.disk = fullDisk(t, d, at, syscall.ENOSPC)
		name, err := b.Save(backup(30, "r3"))
		if err == nil {
			if at < 6 {
				t.Errorf("only %d operations", at-1)
			}
			t.Logf("a full disk at each of %d operations", at-1)
			break
		}
		if name != "" || !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "the disk is full") {
			t.Errorf("operation %d: got %q, %v", at, name, err)
		}
		infos, err := b.List()
		if err != nil {
			t.Fatal(err)
		}
		for _, info := range infos {
			if info.Err != nil {
				t.Errorf("operation %d: %v", at, info.Err)
			}
		}
		if len(infos) < len(old) {
			t.Errorf("operation %d: the old backup is gone", at)
		}
	}
}

// TestBackupSurvives: a power failure at any operation leaves whole backups only,
// and after Save returned leaves this one.
func TestBackupSurvives(t *testing.T) {
	for at := 1; ; at++ {
		d := open(t)
		disk, err := NewCrashDisk(filepath.Dir(d.Path()), uint64(at))
		if err != nil {
			t.Fatal(err)
		}
		d.disk = disk
		b := scope(t, d).Backups("")
		old := save(t, b, backup(10, "r1"))
		done := disk.Operations()
		disk.Before = func(n int, _, _ string) error {
			if n == done+at {
				return disk.Crash()
			}
			return nil
		}
		name, saveErr := b.Save(backup(30, "r3"))
		if err := disk.Crash(); err != nil {
			t.Fatal(err)
		}
		infos, err := b.List()
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, info := range infos {
			got = append(got, info.Name)
			if info.Err != nil {
				t.Errorf("operation %d: %v", at, info.Err)
			}
		}
		if !slices.Contains(got, old[0]) || saveErr == nil && !slices.Contains(got, name) {
			t.Errorf("operation %d: %q, %v; left are %q", at, name, saveErr, got)
		}
		if saveErr == nil {
			t.Logf("a crash at each of %d operations", at-1)
			break
		}
	}
}

func TestBackupsElsewhere(t *testing.T) {
	umask(t, 0o027)
	state := t.TempDir()
	if err := os.Chmod(state, 0o770|fs.ModeSetgid); err != nil {
		t.Fatal(err)
	}
	d, err := Open(state)
	if err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(t.TempDir(), "a", "b")
	b := scope(t, d).Backups(root)
	names := save(t, b, backup(10, "r1"), backup(20, "r2"))
	dir := filepath.Join(root, scope(t, d).Name())
	for path, want := range map[string]fs.FileMode{
		root: 0o700, dir: 0o770, filepath.Join(dir, names[0]+".json"): 0o660, lockOf(dir): 0o660,
	} {
		if got := mode(t, path); got != want {
			t.Errorf("%s has mode %04o", path, got)
		}
	}
	if infos, err := b.List(); err != nil || len(infos) != 2 {
		t.Errorf("got %v, %v", infos, err)
	}
	if infos, err := scope(t, d).Backups("").List(); err != nil || len(infos) != 0 {
		t.Errorf("in the state directory: %v, %v", infos, err)
	}
	if err := os.Chmod(root, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Save(backup(30, "r3")); err == nil || !strings.Contains(err.Error(), "every user can write to it (mode 0777)") {
		t.Errorf("got %v", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, root := range []string{file, filepath.Join(file, "below")} {
		b := scope(t, d).Backups(root)
		if _, err := b.Save(backup(30, "r3")); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("got %v", err)
		}
		if _, err := b.List(); err == nil {
			t.Error("listed below a file")
		}
		if _, err := b.Load("x"); err == nil {
			t.Error("loaded below a file")
		}
		if _, err := b.Prune(time.Now(), nil, false); err == nil {
			t.Error("pruned below a file")
		}
	}
}

func BenchmarkBackups(b *testing.B) {
	d, err := Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	s, err := d.Scope("https://api.descope.com", "P2abc")
	if err != nil {
		b.Fatal(err)
	}
	large := backup(30, "r1")
	for i := range 1000 {
		id := fmt.Sprint("tenant-", i)
		large.Tenants[id] = json.RawMessage(fmt.Sprintf(`{"id":%q,"name":%q,"customAttributes":{"text":%q},"selfProvisioningDomains":[]}`, id, id, strings.Repeat("x", 800)))
	}
	backups := s.Backups("")
	b.Run("save", func(b *testing.B) {
		for b.Loop() {
			if _, err := backups.Save(large); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("load", func(b *testing.B) {
		for b.Loop() {
			if _, err := backups.Load("latest"); err != nil {
				b.Fatal(err)
			}
		}
	})
}
