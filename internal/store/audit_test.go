package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func auditRecord(operation string) AuditRecord {
	return AuditRecord{
		Time: time.Date(2026, 11, 24, 14, 30, 15, 250e6, time.FixedZone("", 3600)), Phase: PhaseIntent,
		Run: "r1", User: "ada", Host: "build-7", PID: 4711, Operation: operation, Environment: "dev",
		Project: "P2abc", BaseURL: "https://api.descope.com", GitCommit: "abc",
		Resources: []string{"tenant/acme", `tenant/","hash":"<&>`}, Create: 1, Update: 2, Delete: 3,
		PlanDigest: "d", Guards: []string{"mass-change"}, Flags: []string{"--allow-mass-change"},
		DurationMS: 1500, Status: "", Error: "",
	}
}

// record appends records of the given operations.
func record(t *testing.T, d *Dir, operations ...string) (records []AuditRecord) {
	t.Helper()
	for _, operation := range operations {
		r, err := d.Audit().Append(t.Context(), auditRecord(operation))
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, r)
	}
	return records
}

func operations(records []AuditRecord) (all []string) {
	for _, r := range records {
		all = append(all, r.Operation)
	}
	return all
}

func TestAudit(t *testing.T) {
	umask(t, 0)
	d := open(t)
	a := d.Audit()
	if state, err := a.Verify(); err != nil || state != (AuditState{}) {
		t.Errorf("empty: %+v, %v", state, err)
	}
	want := record(t, d, "sync", "rollback", "tenant delete")
	for i, r := range want {
		prev := ""
		if i > 0 {
			prev = want[i-1].Hash
		}
		if r.Seq != int64(i+1) || r.Prev != prev || len(r.Hash) != 64 {
			t.Errorf("record %d: %+v", i+1, r)
		}
	}
	got, err := a.Records()
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	if state, err := a.Verify(); err != nil || state != (AuditState{Records: 3, Hash: want[2].Hash}) {
		t.Errorf("%+v, %v", state, err)
	}
	text, err := os.ReadFile(a.path())
	if err != nil || !strings.Contains(string(text), `"time":"2026-11-24T14:30:15.25+01:00"`) {
		t.Errorf("the time has no zone: %v\n%s", err, text)
	}
	for _, path := range []string{a.path(), a.headPath(), a.lockPath()} {
		if got := mode(t, path); got != 0o600 {
			t.Errorf("%s has mode %04o", path, got)
		}
	}
}

func TestAuditRefusesARecord(t *testing.T) {
	d := open(t)
	for want, change := range map[string]func(*AuditRecord){
		"its time":                    func(r *AuditRecord) { r.Time = time.Time{} },
		"its phase":                   func(r *AuditRecord) { r.Phase = "x" },
		"its operation":               func(r *AuditRecord) { r.Operation = "" },
		"its phase and its operation": func(r *AuditRecord) { r.Phase, r.Operation = "", "" },
	} {
		r := auditRecord("sync")
		change(&r)
		if _, err := d.Audit().Append(t.Context(), r); err == nil || !strings.HasSuffix(err.Error(), "the record lacks "+want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.Audit().Append(ctx, auditRecord("sync")); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(d.Audit().path()); err == nil {
		t.Error("something was written")
	}
}

// TestAuditOfALaterVersion: fields that are not known are part of the hash.
func TestAuditOfALaterVersion(t *testing.T) {
	d := open(t)
	a := d.Audit()
	first := record(t, d, "sync")[0]
	body := []byte(`{"seq":2,"later":{"x":1},"time":"2026-11-24T14:30:15Z","prev":"` + first.Hash + `"`)
	hash := auditHash(body)
	if err := a.write([]byte(string(body)+auditHashKey+hash+auditLineEnd), fileSize(t, a.path())); err != nil {
		t.Fatal(err)
	}
	if state, err := a.Verify(); err != nil || state != (AuditState{Records: 2, Hash: hash, Behind: true}) {
		t.Errorf("got %+v, %v", state, err)
	}
	record(t, d, "rollback")
	if state, err := a.Verify(); err != nil || state.Records != 3 {
		t.Errorf("got %+v, %v", state, err)
	}
}

func fileSize(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// TestAuditTampered: each kind of tampering is named, with the first record that
// it broke, and stops the next one.
func TestAuditTampered(t *testing.T) {
	d := open(t)
	a := d.Audit()
	record(t, d, "1", "2", "3")
	oldHead, err := os.ReadFile(a.headPath())
	if err != nil {
		t.Fatal(err)
	}
	record(t, d, "4", "5")
	goodHead, err := os.ReadFile(a.headPath())
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(a.path())
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(strings.TrimSuffix(string(text), "\n"), "\n")
	lines[4] += "\n"
	pick := func(numbers ...int) string {
		var b strings.Builder
		for _, n := range numbers {
			b.WriteString(lines[n-1])
		}
		return b.String()
	}
	// forge makes a line that is right in itself.
	forge := func(seq int64, prev string) string {
		r := auditRecord("forged")
		r.Seq, r.Prev = seq, prev
		line, err := r.line()
		if err != nil {
			t.Fatal(err)
		}
		return string(line)
	}
	parsed := func(n int) AuditRecord {
		r, reason := parseAuditLine([]byte(lines[n-1]))
		if reason != "" {
			t.Fatal(reason)
		}
		return r
	}
	other := open(t)
	record(t, other, "1", "2", "x", "4", "5")
	otherHead, err := os.ReadFile(other.Audit().headPath())
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		log  string
		head []byte
		line int
		seq  int64
		want string
	}{
		"edited":             {strings.Replace(pick(1, 2, 3, 4, 5), `"operation":"2"`, `"operation":"x"`, 1), goodHead, 2, 2, "it was edited: its hash does not match"},
		"edited, rehashed":   {pick(1) + forge(2, parsed(1).Hash) + pick(3, 4, 5), goodHead, 3, 3, "record 3 comes next, and it was not written after the one before it"},
		"last one rehashed":  {pick(1, 2, 3, 4) + forge(5, parsed(4).Hash), goodHead, 5, 5, "it is another record than the head, which is kept apart, knows"},
		"removed":            {pick(1, 2, 4, 5), goodHead, 3, 3, "record 3 was removed: record 4 comes next"},
		"two removed":        {pick(1, 4, 5), goodHead, 2, 2, "records 2 to 3 were removed: record 4 comes next"},
		"first removed":      {pick(2, 3, 4, 5), goodHead, 1, 1, "record 1 was removed: record 2 comes next"},
		"reordered":          {pick(1, 3, 2, 4, 5), goodHead, 2, 2, "record 3 stands in its place, and it comes later: they were reordered"},
		"duplicated":         {pick(1, 2, 2, 3, 4, 5), goodHead, 3, 3, "record 2 is there a second time"},
		"an old one again":   {pick(1, 2, 3, 4, 5, 1), goodHead, 6, 6, "record 1 is there a second time"},
		"inserted":           {pick(1, 2) + forge(3, parsed(2).Hash) + pick(3, 4, 5), goodHead, 4, 4, "record 3 comes next, and it was not written after the one before it"},
		"inserted, unlinked": {pick(1, 2) + forge(9, "x") + pick(3, 4, 5), goodHead, 3, 3, "record 9 stands in its place, and it comes later: they were reordered, or one was inserted"},
		"text inserted":      {pick(1, 2) + "{}\n" + pick(3, 4, 5), goodHead, 3, 3, "it is not a record"},
		"line inserted":      {pick(1, 2) + "\n" + pick(3, 4, 5), goodHead, 3, 3, "it is not a record"},
		"text added":         {pick(1, 2, 3, 4, 5) + "{}\n", goodHead, 6, 6, "it is not a record"},
		"two added":          {pick(1, 2, 3, 4, 5) + forge(6, parsed(5).Hash) + forge(7, "x"), goodHead, 7, 7, "record 7 comes next, and it was not written"},
		"tail cut":           {pick(1, 2, 3, 4), goodHead, 5, 5, "record 5 was cut off: the head, which is kept apart, names record 5"},
		"tail of three cut":  {pick(1, 2), goodHead, 3, 3, "records 3 to 5 were cut off"},
		"last cut short":     {pick(1, 2, 3, 4) + lines[4][:50], goodHead, 5, 5, "record 5 was cut off"},
		"end of line gone":   {strings.TrimSuffix(pick(1, 2, 3, 4, 5), "\n"), goodHead, 5, 5, "record 5 was cut off"},
		"emptied":            {"", goodHead, 1, 1, "records 1 to 5 were cut off"},
		"head replaced":      {pick(1, 2, 3, 4, 5), otherHead, 5, 5, "it is another record than the head"},
		"head of before":     {pick(1, 2, 3, 4, 5), oldHead, 5, 5, "the head, which is kept apart, knows no record after 3"},
		"head removed":       {pick(1, 2, 3, 4, 5), nil, 2, 2, "the head, which is kept apart, knows no record after 0"},
		"head emptied":       {pick(1, 2, 3, 4, 5), []byte{}, 0, 0, "is damaged"},
		"head nonsense":      {pick(1, 2, 3, 4, 5), sealed(t, 1), 0, 0, "cannot unmarshal"},
		"head below zero":    {pick(1, 2, 3, 4, 5), sealed(t, auditHead{Seq: -1}), 0, 0, "its head names record -1"},
	} {
		t.Run(name, func(t *testing.T) {
			put(t, a.path(), []byte(tc.log))
			put(t, a.headPath(), tc.head)
			_, err := a.Verify()
			var broken *AuditError
			if !errors.As(err, &broken) || broken.Line != tc.line || broken.Seq != tc.seq || !strings.Contains(broken.Reason, tc.want) {
				t.Errorf("got %v, want line %d, record %d: %s", err, tc.line, tc.seq, tc.want)
			} else if !strings.HasPrefix(err.Error(), "the audit log "+a.path()+" is broken") {
				t.Errorf("got %v", err)
			}
			records, err := a.Records()
			if want := max(0, tc.line-1); !errors.As(err, &broken) || tc.line > 0 && len(records) < want {
				t.Errorf("got %d records, %v", len(records), err)
			}
			// The next record looks at the end alone.
			sound := strings.HasSuffix(tc.log, lines[4]) && bytes.Equal(tc.head, goodHead)
			if _, err := a.Append(t.Context(), auditRecord("next")); errors.As(err, &broken) == sound {
				t.Errorf("the next record: %v", err)
			}
		})
	}
	put(t, a.path(), text)
	put(t, a.headPath(), goodHead)
	if _, err := a.Verify(); err != nil {
		t.Error(err)
	}
}

func sealed(t *testing.T, content any) []byte {
	t.Helper()
	text, err := seal(content)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// put writes a file, or removes it for nil.
func put(t *testing.T, path string, text []byte) {
	t.Helper()
	err := os.Remove(path)
	if text != nil {
		err = os.WriteFile(path, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestAuditEveryByte: another byte anywhere, one less or one more, is noticed in
// the record that holds it.
func TestAuditEveryByte(t *testing.T) {
	d := open(t)
	a := d.Audit()
	record(t, d, "1", "2", "3")
	text, err := os.ReadFile(a.path())
	if err != nil {
		t.Fatal(err)
	}
	head, err := a.readHead()
	if err != nil {
		t.Fatal(err)
	}
	check := func(i int, text []byte) {
		t.Helper()
		records, _, broken := parseAudit(string(text))
		if broken == nil {
			broken = checkHead(records, head)
		}
		if want := bytes.Count(text[:min(i, len(text))], []byte("\n")) + 1; broken == nil || broken.Line != want {
			t.Fatalf("byte %d of line %d: got %+v", i, want, broken)
		}
	}
	for i := range text {
		flipped := bytes.Clone(text)
		for _, with := range []byte{1, 0x20, 0x80} {
			flipped[i] = text[i] ^ with
			check(i, flipped)
		}
		check(i, slices.Delete(bytes.Clone(text), i, i+1))
		check(i, slices.Insert(bytes.Clone(text), i, ' '))
	}
	t.Logf("%d bytes, each edited, removed and inserted", len(text))
}

// TestAuditTogether: many at once, in this process and in others, keep one chain
// and lose nothing.
func TestAuditTogether(t *testing.T) {
	const processes, each, goroutines = 4, 5, 20
	if dir := os.Getenv("STORE_TEST_AUDIT_DIR"); dir != "" {
		d, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		for i := range each {
			record(t, d, fmt.Sprintf("%d %d", os.Getpid(), i))
		}
		return
	}
	d := open(t)
	var wg sync.WaitGroup
	for i := range goroutines {
		wg.Go(func() { record(t, d, fmt.Sprint("goroutine ", i)) })
	}
	for range processes {
		wg.Go(func() {
			child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestAuditTogether$")
			child.Env = append(os.Environ(), "STORE_TEST_AUDIT_DIR="+d.Path())
			if out, err := child.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	wg.Go(func() { // readers never see half a record
		for range 10 {
			if state, err := d.Audit().Verify(); err != nil || state.Torn || state.Behind {
				t.Errorf("meanwhile: %+v, %v", state, err)
			}
		}
	})
	wg.Wait()
	records, err := d.Audit().Records()
	all := operations(records)
	slices.Sort(all)
	if n := len(slices.Compact(all)); err != nil || n != processes*each+goroutines {
		t.Errorf("%d records, %v", n, err)
	}
}

// TestAuditSurvives: a power failure at any operation leaves a valid chain with
// every record that was acknowledged, and the next one can be added. Before it,
// another process may have ended at any operation.
func TestAuditSurvives(t *testing.T) {
	crashes := 0
	for first := 0; ; first++ { // the operation at which a process ends, 0 for none
		firstDone, second := false, 1
		for ; ; second++ { // the operation at which the power fails after that
			done := auditCrash(t, first, second)
			crashes++
			firstDone = firstDone || done.first
			if done.second {
				break
			}
		}
		if first > 0 && firstDone {
			break
		}
	}
	t.Logf("%d crashes", crashes)
}

type auditDone struct{ first, second bool }

func auditCrash(t *testing.T, first, second int) (done auditDone) {
	t.Helper()
	d := open(t)
	disk, err := NewCrashDisk(d.Path(), uint64(first*1000+second))
	if err != nil {
		t.Fatal(err)
	}
	d.disk = disk
	var acknowledged []string
	add := func(operation string, at int, instead func() error) bool {
		done := disk.Operations()
		disk.Before = func(n int, _, _ string) error {
			if at > 0 && n >= done+at {
				return instead()
			}
			return nil
		}
		_, err := d.Audit().Append(t.Context(), auditRecord(operation))
		if err == nil {
			acknowledged = append(acknowledged, operation)
		}
		return err == nil
	}
	add("1", 0, nil)
	ended := errors.New("the process ended")
	done.first = add("2", first, func() error { return ended })
	done.second = add("3", second, func() error { return errors.Join(disk.Crash(), ErrCrashed) })
	if err := disk.Crash(); err != nil {
		t.Fatal(err)
	}
	if d.disk, err = NewCrashDisk(d.Path(), 0); err != nil { // it need not wait for the real one
		t.Fatal(err)
	}
	for range 2 {
		records, err := d.Audit().Records()
		if err != nil {
			t.Fatalf("ended at %d, crashed at %d: %v", first, second, err)
		}
		for _, operation := range acknowledged {
			if !slices.Contains(operations(records), operation) {
				t.Errorf("ended at %d, crashed at %d: record %q was acknowledged, left are %q", first, second, operation, operations(records))
			}
		}
		record(t, d, "next")
	}
	if state, err := d.Audit().Verify(); err != nil || state.Torn || state.Behind {
		t.Errorf("ended at %d, crashed at %d: %+v, %v", first, second, state, err)
	}
	return done
}

// TestAuditTorn: half a record at the end, whatever it is, is tolerated and then
// cut off.
func TestAuditTorn(t *testing.T) {
	d := open(t)
	a := d.Audit()
	for _, tail := range []string{"{", `{"seq":2`, "\x00\x00\x00", strings.Repeat("x", 300<<10)} {
		put(t, a.path(), []byte(tail)) // before there is a record
		if state, err := a.Verify(); err != nil || !state.Torn {
			t.Errorf("%+v, %v", state, err)
		}
		record(t, d, "1", "2")
		text, err := os.ReadFile(a.path())
		if err != nil {
			t.Fatal(err)
		}
		put(t, a.path(), append(text, tail...))
		if state, err := a.Verify(); err != nil || !state.Torn || state.Records != 2 {
			t.Errorf("%+v, %v", state, err)
		}
		record(t, d, "3")
		if state, err := a.Verify(); err != nil || state.Torn || state.Records != 3 {
			t.Errorf("%+v, %v", state, err)
		}
		put(t, a.headPath(), nil)
		put(t, a.path(), []byte{})
	}
}

// TestAuditLongRecords: the last record is found however long it is.
func TestAuditLongRecords(t *testing.T) {
	d := open(t)
	for n := range 5 {
		r := auditRecord(fmt.Sprint(n))
		for i := range n * 10_000 {
			r.Resources = append(r.Resources, "tenant/"+strconv.Itoa(i))
		}
		if _, err := d.Audit().Append(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	if state, err := d.Audit().Verify(); err != nil || state.Records != 5 {
		t.Errorf("%+v, %v", state, err)
	}
}

// TestAuditOnAFullDisk: whichever operation fails, the error says why, and the
// chain stays one.
func TestAuditOnAFullDisk(t *testing.T) {
	for at := 1; ; at++ {
		d := open(t)
		record(t, d, "1", "2")
		d.disk = fullDisk(t, d, at, syscall.ENOSPC)
		_, err := d.Audit().Append(t.Context(), auditRecord("3"))
		if err == nil {
			t.Logf("a full disk at each of %d operations", at-1)
			return
		}
		if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "the disk is full") {
			t.Errorf("operation %d: got %v", at, err)
		}
		if state, err := d.Audit().Verify(); err != nil || state.Torn {
			t.Errorf("operation %d: %+v, %v", at, state, err)
		}
		record(t, d, "4")
	}
}

func TestAuditErrors(t *testing.T) {
	for _, blocked := range []func(*Audit) string{(*Audit).path, (*Audit).headPath, (*Audit).lockPath} {
		d := open(t)
		path := blocked(d.Audit())
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Audit().Append(t.Context(), auditRecord("1")); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("got %v", err)
		}
		if _, err := d.Audit().Verify(); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("got %v", err)
		}
	}
	d := open(t)
	if err := os.RemoveAll(d.Path()); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Audit().Append(t.Context(), auditRecord("1")); err == nil || !strings.Contains(err.Error(), filepath.Base(d.Path())) {
		t.Errorf("got %v", err)
	}
}

func BenchmarkAudit(b *testing.B) {
	d, err := Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := d.Audit().Append(b.Context(), auditRecord("sync")); err != nil {
			b.Fatal(err)
		}
	}
}
