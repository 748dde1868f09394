package cli

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pcconnect.ai/descope-mgmt/internal/emulator"
)

// logRecords are the records of a log file, which must be JSON lines.
func logRecords(t *testing.T, path string) []map[string]any {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // only read from
	var records []map[string]any
	for lines := bufio.NewScanner(f); lines.Scan(); {
		r := map[string]any{}
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatalf("%v: %s", err, lines.Bytes())
		}
		for _, name := range []string{"time", "level", "msg"} {
			if s, _ := r[name].(string); s == "" {
				t.Errorf("no %s: %s", name, lines.Bytes())
			}
		}
		records = append(records, r)
	}
	return records
}

func messages(records []map[string]any) []string {
	var out []string
	for _, r := range records {
		out = append(out, r["level"].(string)+" "+r["msg"].(string))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// TestLogLevels: each level says what it says and all that matters more, as text on
// the error stream and as JSON in a file, and nothing of it is in the result.
func TestLogLevels(t *testing.T) {
	t.Parallel()
	run := []string{"INFO a call has ended", "INFO the run begins", "INFO the run is over"}
	again := "INFO a call is tried again"
	for level, want := range map[string][]string{
		"debug":   append([]string{"DEBUG request", again}, run...),
		"info":    append([]string{again}, run...),
		"warning": nil,
		"error":   nil,
	} {
		t.Run(level, func(t *testing.T) {
			t.Parallel()
			slices.Sort(want)
			w := newWorld(t, emulator.Options{})
			fail := func() {
				f, err := emulator.ParseFault("503,count=1,match=GET /v1/mgmt/tenant/all")
				if err != nil {
					t.Fatal(err)
				}
				if err := w.server.SetFaults(f); err != nil {
					t.Fatal(err)
				}
			}
			fail()
			r := w.mustRun(exitOK, "sync", "--env", "dev", "--yes", "-o", "json", "--log-level", level, "--log-file", "a.log")
			if !json.Valid([]byte(r.out)) || strings.Contains(r.err, "level=") {
				t.Errorf("out %s err %s", r.out, r.err)
			}
			if got := messages(logRecords(t, filepath.Join(w.dir, "a.log"))); !slices.Equal(got, want) {
				t.Errorf("the file says %q, want %q", got, want)
			}

			w.edit("envs/tenants.cue", "standard", "premium")
			fail()
			r = w.mustRun(exitOK, "sync", "--env", "dev", "--yes", "-o", "json", "--log-level", level)
			if !json.Valid([]byte(r.out)) {
				t.Errorf("out %s", r.out)
			}
			var got []string
			for _, m := range regexp.MustCompile(`(?m)^time=\S+ level=(\w+) msg=("[^"]+"|\S+)`).FindAllStringSubmatch(r.err, -1) {
				got = append(got, m[1]+" "+strings.Trim(m[2], `"`))
			}
			slices.Sort(got)
			if got = slices.Compact(got); !slices.Equal(got, want) {
				t.Errorf("the error stream says %q, want %q:\n%s", got, want, r.err)
			}
		})
	}
}

// TestLogOfRun: a run can be followed in the log by its id, change by change.
func TestLogOfRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Options{})
	f, err := emulator.ParseFault("400,match=POST /v1/mgmt/tenant/create,count=1,skip=1")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.server.SetFaults(f); err != nil {
		t.Fatal(err)
	}
	w.mustRun(exitPartly, "sync", "--env", "dev", "--yes", "--parallelism", "1", "--on-error", "continue", "--log-level", "info", "--log-file", "a.log")
	records := logRecords(t, filepath.Join(w.dir, "a.log"))
	id, _ := records[0]["run"].(string)
	if !strings.HasPrefix(id, "20") {
		t.Fatalf("%v", records)
	}
	var said []string
	for _, r := range records {
		if r["run"] != id {
			t.Errorf("of another run: %v", r)
		}
		switch r["msg"] {
		case "the run begins":
			if r["operation"] != "sync" || r["environment"] != "dev" || r["project"] != devProject || r["create"] != 2.0 || !strings.Contains(r["backup"].(string), id) {
				t.Errorf("%v", r)
			}
		case "a call has ended":
			said = append(said, r["object"].(string)+" "+r["op"].(string)+" "+r["outcome"].(string))
			if r["outcome"] == "failed" && !strings.Contains(r["reason"].(string), "HTTP 400") {
				t.Errorf("%v", r)
			}
		case "the run is over":
			said = append(said, r["outcome"].(string))
		}
	}
	if want := []string{"tenant/acme-corp tenant.create done", "tenant/widget-inc tenant.create failed", "partly"}; !slices.Equal(said, want) {
		t.Errorf("got %q", said)
	}
}

// TestLogFileRefused: a log that cannot be written stops a command before it does
// anything.
func TestLogFileRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Options{})
	for _, path := range []string{"envs", "no/such/file.log", "envs/tenants.cue/x.log"} {
		r := w.mustRun(exitConfig, "sync", "--env", "dev", "--yes", "--log-file", path)
		contains(t, r.err, "--log-file", path)
	}
	contains(t, w.mustRun(exitConfig, "plan", "--env", "dev", "--log-level", "loud").err, `"loud"`, "debug, info, warning and error")
	if n := w.writes(); n > 0 {
		t.Errorf("%d writes", n)
	}
}

// TestLogHostileNames: what is written in a project cannot forge a record, nor move a
// terminal.
func TestLogHostileNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Options{})
	w.live(devProject, `{"id": "x\u001b[2J\nlevel=ERROR msg=forged", "name": "A"}`, `{"id": "acme-corp", "name": "old\u001b]0;title\u0007"}`)
	all := []string{"sync", "--env", "dev", "--yes", "--adopt-existing", "--log-level", "debug"}
	r := w.run(all...)
	lacks(t, r.err+r.out, "\x1b", "\nlevel=ERROR", "\x07")
	w.live(devProject, `{"id": "x\u001b[2J\nlevel=ERROR msg=forged", "name": "A"}`, `{"id": "acme-corp", "name": "old\u001b]0;title\u0007"}`)
	w.run(append(all, "--overwrite-drift", "--log-file", "a.log")...)
	text, err := os.ReadFile(filepath.Join(w.dir, "a.log"))
	if err != nil {
		t.Fatal(err)
	}
	lacks(t, string(text), "\x1b", "\nlevel=ERROR", "\x07")
	logRecords(t, filepath.Join(w.dir, "a.log"))
}
