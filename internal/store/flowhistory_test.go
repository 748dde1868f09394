package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func flowsBegan() time.Time { return time.Date(2025, 11, 10, 14, 30, 15, 0, time.UTC) }

// flowDoc is a flow as a server may send it: with spaces, and keys in any order.
func flowDoc(i int) json.RawMessage {
	return json.RawMessage(fmt.Sprintf("{ \"metadata\": {\"name\": \"Sign <up> %d\"},\n \"contents\": {\"n\": %d.0, \"a\": \"\u2028\"} }\n", i, i))
}

// keptDoc is what is kept of it.
func keptDoc(i int) string {
	return fmt.Sprintf("{\"contents\":{\"a\":\"\\u2028\",\"n\":%d},\"metadata\":{\"name\":\"Sign <up> %d\"}}", i, i)
}

func deployed(at time.Time) FlowVersion {
	return FlowVersion{
		At: at, Note: FlowDeployed, Run: firstRun, Operation: "flow deploy", Environment: "dev",
		User: "ann", GitCommit: "abc", ComponentsVersion: "3.0.1",
	}
}

func addFlow(t testing.TB, s *Scope, id string, doc int, v FlowVersion) FlowVersion {
	t.Helper()
	added, err := s.AddFlowVersion(id, flowDoc(doc), v)
	must(t, err)
	return added
}

func flowObjects(t testing.TB, d *Dir) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(d.path, "flows", "objects", "*"))
	must(t, err)
	return paths
}

func TestFlowHistory(t *testing.T) {
	s := scope(t, open(t))
	if got, err := s.FlowHistory("sign-up"); err != nil || len(got) != 0 {
		t.Fatalf("nothing yet: %v, %v", got, err)
	}
	at := time.Date(2025, 11, 10, 16, 0, 0, 5, time.FixedZone("", 3600))
	first := addFlow(t, s, "sign-up", 1, deployed(at))
	want := deployed(at.UTC())
	want.N, want.Digest = 1, flowDigest([]byte(keptDoc(1)))
	if first != want {
		t.Errorf("added %+v", first)
	}
	later := deployed(at.Add(time.Hour))
	later.Run = "other"
	if again := addFlow(t, s, "sign-up", 1, later); again != first {
		t.Errorf("the same content and note again: %+v", again)
	}
	later.Note = FlowSeen
	seen := addFlow(t, s, "sign-up", 1, later)
	third := addFlow(t, s, "sign-up", 2, later)
	back := addFlow(t, s, "sign-up", 1, later)
	got, err := s.FlowHistory("sign-up")
	if diff := cmp.Diff([]FlowVersion{back, third, seen, first}, got); diff != "" || err != nil || back.N != 4 {
		t.Errorf("%v %s", err, diff)
	}
	for n, doc := range map[int]int{1: 1, 2: 1, 3: 2, 4: 1} {
		v, content, err := s.LoadFlowVersion("sign-up", n)
		if err != nil || v.N != n || string(content) != keptDoc(doc) {
			t.Errorf("version %d: %+v, %s, %v", n, v, content, err)
		}
	}
	var missing *NotFoundError
	for _, n := range []int{-1, 0, 5} {
		if _, _, err := s.LoadFlowVersion("sign-up", n); !errors.As(err, &missing) ||
			!strings.Contains(err.Error(), fmt.Sprintf(`no version of flow "sign-up" "%d"; there are, newest first: 4, 3, 2, 1`, n)) {
			t.Errorf("version %d: %v", n, err)
		}
	}
	if n := len(flowObjects(t, s.dir)); n != 2 {
		t.Errorf("%d contents", n)
	}
	for _, path := range flowObjects(t, s.dir) {
		if text, _ := os.ReadFile(path); flowDigest(text)+".json" != filepath.Base(path) || mode(t, path) != 0o600 {
			t.Errorf("%s: %s", path, text)
		}
	}
}

// 50 deploys of 10 contents: each version gives its content back, and each content
// is kept once, whichever project has it.
func TestFlowHistoryIsDeduplicated(t *testing.T) {
	d, s := quickFlows(t)
	other, err := d.Scope("https://api.descope.com", "P3")
	must(t, err)
	for i := range 50 {
		for _, s := range []*Scope{s, other} {
			if v := addFlow(t, s, "sign-up", i%10, deployed(flowsBegan().Add(time.Duration(i)*time.Minute))); v.N != i+1 {
				t.Fatalf("deploy %d is version %d", i, v.N)
			}
		}
	}
	for i := range 50 {
		for _, s := range []*Scope{s, other} {
			if _, content, err := s.LoadFlowVersion("sign-up", i+1); err != nil || string(content) != keptDoc(i%10) {
				t.Errorf("version %d: %s, %v", i+1, content, err)
			}
		}
	}
	history, err := s.FlowHistory("sign-up")
	objects := flowObjects(t, d)
	if err != nil || len(history) != 50 || len(objects) != 10 {
		t.Errorf("%d versions, %d contents, %v", len(history), len(objects), err)
	}
	t.Logf("counts: %d deploys to 2 projects, %d versions each, %d contents", 2*50, len(history), len(objects))
}

func TestAddFlowVersionRefuses(t *testing.T) {
	s := scope(t, open(t))
	untimed, unknown := deployed(time.Time{}), deployed(flowsBegan())
	unknown.Note = "liked"
	for name, tc := range map[string]struct {
		id, raw string
		v       FlowVersion
		want    string
	}{
		"no id":       {"", "{}", deployed(flowsBegan()), "that is no id"},
		"a broken id": {"a\xff", "{}", deployed(flowsBegan()), "that is no id"},
		"no time":     {"a", "{}", untimed, "lacks its time"},
		"a new note":  {"a", "{}", unknown, `"liked" is no note`},
		"no JSON":     {"a", "{", deployed(flowsBegan()), "unexpected EOF"},
		"two values":  {"a", "{} {}", deployed(flowsBegan()), "content after"},
		"a list":      {"a", "[]", deployed(flowsBegan()), "not a JSON object"},
		"nothing":     {"a", "", deployed(flowsBegan()), "EOF"},
		"a late year": {"a", "{}", deployed(time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC)), "year"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := s.AddFlowVersion(tc.id, json.RawMessage(tc.raw), tc.v); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v", err)
			}
			if got, err := s.FlowHistory(tc.id); err != nil || len(got) != 0 {
				t.Errorf("it was added: %v, %v", got, err)
			}
		})
	}
}

// Ids are any text; no two of them share an index, even where case does not count.
func TestFlowIDs(t *testing.T) {
	s := scope(t, open(t))
	ids := []string{
		"a", "A", "..", ".", "../../x", "/etc/passwd", `c:\x`, "con", "nul.json", "a b", "a\x00b", "a\nb", "objects", "cache",
		"-", "~", "é", "e\u0301", strings.Repeat("x", 5000), strings.Repeat("x", 5001), ".a.json.tmp-1",
	}
	for i, id := range ids {
		addFlow(t, s, id, i, deployed(flowsBegan()))
		must(t, s.PutCachedFlow(id, FlowStamp{Version: int64(i)}, flowDoc(i), flowsBegan()))
	}
	lower := map[string]bool{}
	for _, dir := range []string{s.flowIndexDir(), s.flowCacheDir()} {
		entries, err := os.ReadDir(dir)
		must(t, err)
		for _, e := range entries {
			lower[dir+strings.ToLower(e.Name())] = true
			if len(e.Name()) > 100 || strings.HasPrefix(e.Name(), ".") {
				t.Errorf("%q", e.Name())
			}
		}
	}
	if len(lower) != 2*len(ids) {
		t.Errorf("%d files for %d ids", len(lower), len(ids))
	}
	if n := len(flowObjects(t, s.dir)); n != len(ids) {
		t.Errorf("%d contents", n)
	}
	for i, id := range ids {
		if _, content, err := s.LoadFlowVersion(id, 1); err != nil || string(content) != keptDoc(i) {
			t.Errorf("%.20q: %s, %v", id, content, err)
		}
	}
	entries, err := os.ReadDir(filepath.Dir(s.dir.path))
	if err != nil || len(entries) != 1 {
		t.Errorf("beside the state directory: %v, %v", entries, err)
	}
}

// Whatever the document, the content that is kept is the same value, and keeping
// that again changes nothing.
func TestFlowContentRoundTrip(t *testing.T) {
	_, s := quickFlows(t)
	count := 0
	rapid.Check(t, func(rt *rapid.T) {
		doc := rapid.MapOf(rapid.String(), rapid.OneOf(
			rapid.Map(rapid.String(), func(s string) any { return s }),
			rapid.Map(rapid.Float64(), func(f float64) any { return f }),
			rapid.Map(rapid.SliceOf(rapid.Bool()), func(l []bool) any { return append([]bool{}, l...) }),
		)).Draw(rt, "flow")
		raw, err := json.MarshalIndent(doc, "", "  ")
		v, addErr := s.AddFlowVersion("f", raw, deployed(flowsBegan()))
		_, content, loadErr := s.LoadFlowVersion("f", v.N)
		again, againErr := s.AddFlowVersion("f", content, deployed(flowsBegan()))
		var want, got any
		if err := errors.Join(err, addErr, loadErr, againErr, json.Unmarshal(raw, &want), json.Unmarshal(content, &got)); err != nil {
			rt.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" || again != v {
			rt.Fatalf("%s: %+v", diff, again)
		}
		count++
	})
	t.Logf("counts: %d documents", count)
}

// TestFlowHistoryTogether: processes and goroutines add to one flow, while others
// read and prune. Every addition is there, with its content.
func TestFlowHistoryTogether(t *testing.T) {
	const processes, each, goroutines = 4, 5, 10
	add := func(t *testing.T, d *Dir, i int) {
		addFlow(t, scope(t, d), "f", i, deployed(flowsBegan()))
	}
	if dir := os.Getenv("STORE_TEST_FLOWS_DIR"); dir != "" {
		d, err := Open(dir)
		must(t, err)
		for i := range each {
			add(t, d, 10*os.Getpid()+i)
		}
		return
	}
	d := open(t)
	s := scope(t, d)
	var wg sync.WaitGroup
	for i := range goroutines {
		wg.Go(func() { add(t, d, -i) })
	}
	for range processes {
		wg.Go(func() {
			child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFlowHistoryTogether$")
			child.Env = append(os.Environ(), "STORE_TEST_FLOWS_DIR="+d.Path())
			if out, err := child.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	wg.Go(func() {
		for range 20 {
			history, err := s.FlowHistory("f")
			must(t, err)
			for _, v := range history {
				_, _, err := s.LoadFlowVersion("f", v.N)
				must(t, err)
			}
			_, err = s.PruneFlowHistory(flowsBegan())
			must(t, err)
		}
	})
	wg.Wait()
	history, err := s.FlowHistory("f")
	digests := map[string]bool{}
	for _, v := range history {
		digests[v.Digest] = true
	}
	if want := processes*each + goroutines; err != nil || len(digests) != want || len(history) != want || history[0].N != want || len(flowObjects(t, d)) != want {
		t.Errorf("%d versions of %d contents, want %d, %v", len(history), len(digests), want, err)
	}
}

// TestFlowHistoryEveryByte changes each byte of an index and of a content, and cuts
// them anywhere: it is noticed, and the file is named.
func TestFlowHistoryEveryByte(t *testing.T) {
	s := scope(t, open(t))
	first := addFlow(t, s, "f", 1, deployed(flowsBegan()))
	addFlow(t, s, "f", 2, deployed(flowsBegan()))
	index, object := s.flowIndexPath("f"), s.dir.flowContentPath(first.Digest)
	checks := 0
	for path, advice := range map[string]string{index: "begins anew", object: "another version"} {
		whole, err := os.ReadFile(path)
		must(t, err)
		damaged := func(text []byte, what string) {
			t.Helper()
			checks++
			must(t, os.Remove(path), os.WriteFile(path, text, 0o600)) // cutting a file waits for the disk
			_, _, err := s.LoadFlowVersion("f", 1)
			var corrupt *CorruptError
			if !errors.As(err, &corrupt) || corrupt.Path != path || !strings.Contains(corrupt.Advice, advice) {
				t.Fatalf("%s: %s: %v", filepath.Base(path), what, err)
			}
		}
		for i := range whole {
			for _, bits := range []byte{0x01, 0x20, 0x80} {
				text := bytes.Clone(whole)
				text[i] ^= bits
				damaged(text, fmt.Sprintf("byte %d ^ %02x", i, bits))
			}
			damaged(whole[:i], fmt.Sprint("cut at ", i))
		}
		damaged(append(bytes.Clone(whole), '\n'), "one more byte")
		must(t, os.WriteFile(path, whole, 0o600))
	}
	t.Logf("counts: %d damages", checks)
}

// A damaged index is not written over; a damaged content is mended by its next
// addition, and hurts no other version.
func TestFlowHistoryDamaged(t *testing.T) {
	s := scope(t, open(t))
	first := addFlow(t, s, "f", 1, deployed(flowsBegan()))
	addFlow(t, s, "f", 2, deployed(flowsBegan()))
	var corrupt *CorruptError
	object := s.dir.flowContentPath(first.Digest)
	for _, damage := range []func() error{
		func() error { return os.WriteFile(object, []byte("{}"), 0o600) },
		func() error { return os.Remove(object) },
	} {
		must(t, damage())
		if _, _, err := s.LoadFlowVersion("f", 1); !errors.As(err, &corrupt) || corrupt.Path != object {
			t.Errorf("got %v", err)
		}
		_, _, err := s.LoadFlowVersion("f", 2)
		must(t, err)
		addFlow(t, s, "g", 1, deployed(flowsBegan()))
		if _, content, err := s.LoadFlowVersion("f", 1); err != nil || string(content) != keptDoc(1) {
			t.Errorf("added again: %s, %v", content, err)
		}
	}
	index := s.flowIndexPath("f")
	for name, tc := range map[string]struct {
		index flowIndex
		want  string
	}{
		"other flow":    {flowIndex{s.baseURL, s.project, "g", nil}, `it is of flow "g"`},
		"other project": {flowIndex{s.baseURL, "P9", "f", nil}, `of project "P9"`},
		"other server":  {flowIndex{"https://x", s.project, "f", nil}, "at https://x"},
		"from zero":     {flowIndex{s.baseURL, s.project, "f", []FlowVersion{{N: 0, Digest: first.Digest}}}, "version 0 comes after version 0"},
		"twice":         {flowIndex{s.baseURL, s.project, "f", []FlowVersion{{N: 2, Digest: first.Digest}, {N: 2, Digest: first.Digest}}}, "version 2 comes after version 2"},
		"a path":        {flowIndex{s.baseURL, s.project, "f", []FlowVersion{{N: 1, Digest: "../../seal.key"}}}, "has the digest"},
		"upper case":    {flowIndex{s.baseURL, s.project, "f", []FlowVersion{{N: 1, Digest: strings.ToUpper(first.Digest)}}}, "has the digest"},
	} {
		t.Run(name, func(t *testing.T) {
			text, err := seal(tc.index)
			must(t, err, os.WriteFile(index, text, 0o600))
			_, historyErr := s.FlowHistory("f")
			_, addErr := s.AddFlowVersion("f", flowDoc(3), deployed(flowsBegan()))
			for _, err := range []error{historyErr, addErr} {
				if !errors.As(err, &corrupt) || corrupt.Path != index || !strings.Contains(err.Error(), tc.want) {
					t.Errorf("got %v", err)
				}
			}
			if after, _ := os.ReadFile(index); !bytes.Equal(after, text) {
				t.Error("it was written over")
			}
		})
	}
	text, _ := seal([]int{1})
	must(t, os.WriteFile(index, text, 0o600))
	if _, err := s.FlowHistory("f"); !errors.As(err, &corrupt) {
		t.Errorf("got %v", err)
	}
}

// In a directory that a team shares, its group can read and write all.
func TestFlowFilesOfATeam(t *testing.T) {
	umask(t, 0o077)
	for _, shared := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "state")
		must(t, os.Mkdir(path, 0o700))
		dirs, files := os.FileMode(0o700), os.FileMode(0o600)
		if shared {
			must(t, os.Chmod(path, 0o770|os.ModeSetgid))
			dirs, files = 0o770, 0o660
		}
		d, err := Open(path)
		must(t, err)
		s := scope(t, d)
		addFlow(t, s, "f", 1, deployed(flowsBegan()))
		must(t, s.PutCachedFlow("f", FlowStamp{Version: 1}, flowDoc(1), flowsBegan()))
		var seen []string
		must(t, filepath.WalkDir(d.flowsPath(), func(path string, e os.DirEntry, err error) error {
			want := files
			if e.IsDir() {
				want = dirs
			}
			if got := mode(t, path); got != want {
				t.Errorf("%s has mode %04o", path, got)
			}
			seen = append(seen, e.Name())
			return err
		}))
		if len(seen) != 9 { // flows, .lock, objects, one, cache, SCOPE, one, SCOPE, one
			slices.Sort(seen)
			t.Errorf("%q", seen)
		}
	}
}
