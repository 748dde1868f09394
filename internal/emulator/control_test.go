package emulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
)

func mustJSON(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(data)
}

// disk is a storage in memory that can be made to fail.
type disk struct {
	mu     sync.Mutex
	files  map[string][]byte
	broken error
}

func (d *disk) Load(project string) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.files[project], nil
}

func (d *disk) Save(project string, data []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.broken != nil {
		return d.broken
	}
	if d.files == nil {
		d.files = map[string][]byte{}
	}
	d.files[project] = data
	return nil
}

func (d *disk) fail(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.broken = err
}

func TestPersistence(t *testing.T) {
	d := &disk{}
	h := start(t, Options{Storage: d})
	h.create(`{"id":"a","name":"A","customAttributes":{"big":12345678901234567890},"later":1}`)
	h.create(`{"id":"b","name":"B","parent":"a"}`)
	h.ok("POST", settingsPath, `{"tenantId":"b","enabled":true,"domains":["b.com"]}`)
	h.ok("POST", rolesPath, `{"id":"a","defaultRoles":["R"]}`)
	h.ok("POST", importPath, simpleFlow)
	h.ok("POST", "/v2/mgmt/theme/import", `{"theme":{"styles":{"x":1}}}`)
	reads := func(h harness) map[string]string {
		out := map[string]string{}
		for _, r := range [][3]string{
			{"GET", allPath, ""},
			{"GET", settingsPath + "?id=b", ""},
			{"POST", "/v1/mgmt/flow/list", ""},
			{"POST", "/v2/mgmt/flow/export", `{"flowId":"sign-in"}`},
			{"POST", "/v2/mgmt/theme/export", ""},
		} {
			_, text, err := h.send(r[0], r[1], r[2])
			if err != nil {
				t.Fatal(err)
			}
			out[r[1]] = text
		}
		return out
	}
	want := reads(h)
	if !strings.Contains(want[allPath], "12345678901234567890") {
		t.Error("a large number lost digits")
	}
	h.equal("after a restart", reads(start(t, Options{Storage: d})), want)

	// An export is a seed.
	other := start(t, Options{})
	if err := other.server.Seed(h.server.Export()); err != nil {
		t.Fatal(err)
	}
	h.equal("after a seed", reads(other), want)
	h.equal("one project per file", slices.Sorted(maps.Keys(d.files)), []string{testProject})
}

func TestBrokenStorage(t *testing.T) {
	d := &disk{}
	h := start(t, Options{Storage: d})
	h.create(`{"id":"a","name":"A"}`)
	d.fail(errors.New("disk full"))
	if got := h.refused(500, "E000500", "POST", createPath, `{"id":"b","name":"B"}`); !strings.Contains(got, "disk full") {
		t.Errorf("message %q", got)
	}
	h.equal("what failed is not there", h.ids("GET", allPath, ""), []string{"a"})
	d.fail(nil)
	h.create(`{"id":"b","name":"B"}`)

	d.files[testProject] = []byte(`{"version":1,"projects":{}}`)
	bad := start(t, Options{Storage: d})
	bad.refused(500, "E000500", "GET", allPath, "")
	d.files[testProject] = []byte(`{"version":9}`)
	if got := bad.refused(500, "E000500", "GET", allPath, ""); !strings.Contains(got, "version 9") {
		t.Errorf("message %q", got)
	}
	bad.refused(500, "E000500", "POST", "/v1/mgmt/projects/list", "")
}

func TestSeedIsChecked(t *testing.T) {
	h := start(t, Options{})
	h.create(`{"id":"keep","name":"Keep"}`)
	for text, want := range map[string]string{
		``:                                 "seed",
		`{}{}`:                             "content after",
		`{"version":2}`:                    "version 2",
		`{"project":{}}`:                   "project",
		`{"projects":{"x":{}}}`:            "project id",
		`{"projects":{"P":{"tenant":[]}}}`: "tenant",
		`{"projects":{"P":{"tenants":[{"id":"a"}]}}}`:                                                              "tenants[0]",
		`{"projects":{"P":{"tenants":[{"id":"a","name":5}]}}}`:                                                     "name",
		`{"projects":{"P":{"tenants":[{"id":"a","name":"A"},{"id":"a","name":"B"}]}}}`:                             "twice",
		`{"projects":{"P":{"tenants":[{"id":"a","name":"A","parent":"b"}]}}}`:                                      "not there",
		`{"projects":{"P":{"tenants":[{"id":"a","name":"A","parent":"b"},{"id":"b","name":"B","parent":"a"}]}}}`:   "above itself",
		`{"projects":{"P":{"settings":{"a":{}}}}}`:                                                                 "no such tenant",
		`{"projects":{"P":{"tenants":[{"id":"a","name":"A"}],"settings":{"a":{"enabled":1}}}}}`:                    "settings",
		`{"projects":{"P":{"flows":[{}]}}}`:                                                                        "flowId",
		`{"projects":{"P":{"flows":[{"flowId":"a"},{"flowId":"a"}]}}}`:                                             "flowId",
		`{"projects":{"P":{"tenants":[{"id":"a","name":"A","customAttributes":{"n":1e99999999999}}]}}}`:            "number",
		`{"projects":{"P":{"flows":[{"flowId":"f","n":1e99999999999}]}}}`:                                          "number",
		`{"projects":{"P":{"users":[{"n":1e99999999999}],"theme":{"n":1e99999999999}}}}`:                           "number",
		`{"projects":{"P":{"sso":{"a":[{"n":1e99999999999}]}}}}`:                                                   "number",
		`{"projects":{"P":{"tenants":[{"id":"a","name":"A"}],"settings":{"a":{"inactivityTime":1e99999999999}}}}}`: "number",
	} {
		if err := h.server.Seed([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	h.equal("nothing changed", h.ids("GET", allPath, ""), []string{"keep"})
}

func TestSeedRolesRoundTrip(t *testing.T) {
	h := start(t, Options{})
	if err := h.server.Seed([]byte(`{"projects":{"P1":{"roles":[]}}}`)); err != nil {
		t.Fatal(err)
	}
	if got := string(h.server.Export()); !strings.Contains(got, `"roles":{}`) || strings.Contains(got, "attributes") || strings.Contains(got, "connectors") {
		t.Errorf("export %s", got)
	}
}

func TestControl(t *testing.T) {
	d := &disk{}
	h := start(t, Options{Storage: d, Faults: []Fault{{Name: "reset"}}})
	h.equal("replace", h.ok("POST", "/_emulator/faults", `[{"name":"503-once"}]`), map[string]any{})
	h.ok("POST", "/_emulator/faults", `{"name":"slow","delay":"1ms","match":"POST"}`)
	_, text, err := h.send("GET", "/_emulator/faults", "")
	if want := `[{"fault":{"name":"503","count":1},"seen":0,"fired":0},{"fault":{"name":"slow","match":"POST","delay":"1ms"},"seen":0,"fired":0}]`; err != nil || text != want {
		t.Errorf("faults %v %s", err, text)
	}
	h.refused(503, "E000503", "GET", allPath, "")
	h.create(`{"id":"a","name":"A"}`)

	_, text, err = h.send("GET", "/_emulator/requests", "")
	var log []map[string]any
	if err != nil || json.Unmarshal([]byte(text), &log) != nil || len(log) != 2 {
		t.Fatalf("requests %v %s", err, text)
	}
	h.equal("entry", []any{log[1]["method"], log[1]["path"], log[1]["status"], log[1]["project"], log[1]["fault"], log[1]["body"]},
		[]any{"POST", createPath, 200.0, testProject, "slow", map[string]any{"id": "a", "name": "A"}})
	if _, ok := log[1]["time"].(string); !ok {
		t.Errorf("no time in %v", log[1])
	}

	h.ok("POST", "/_emulator/quirks", `{"list_order":"sorted"}`)
	h.equal("quirks", h.ok("GET", "/_emulator/quirks", "")["list_order"], "sorted")
	seed := mustJSON(h.ok("GET", "/_emulator/seed", ""))

	h.ok("POST", "/_emulator/reset", `{"faults":true,"requests":true}`)
	h.equal("data stays", h.ids("GET", allPath, ""), []string{"a"})
	h.equal("log is empty but for that", len(h.server.Requests()), 1)
	h.ok("POST", "/_emulator/reset", `{"data":false}`)
	h.equal("data stays", h.ids("GET", allPath, ""), []string{"a"})
	h.ok("POST", "/_emulator/reset", "")
	h.equal("data is gone", h.ids("GET", allPath, ""), []string{})
	h.equal("on disk too", start(t, Options{Storage: d}).ids("GET", allPath, ""), []string{})
	h.ok("POST", "/_emulator/seed", seed)
	h.equal("seeded", h.ids("GET", allPath, ""), []string{"a"})

	for _, c := range [][2]string{
		{"faults", `{"name":"x"}`},
		{"faults", `[{"name":"x"}]`},
		{"faults", `[5]`},
		{"faults", `{} {}`},
		{"reset", `{"dta":true}`},
		{"reset", `5`},
		{"seed", `{"version":7}`},
		{"quirks", `{"etag":"x"}`},
	} {
		h.refused(400, "E011001", "POST", "/_emulator/"+c[0], c[1])
	}
	h.refused(404, "E000404", "GET", "/_emulator/", "")
	if err := h.server.SetQuirks(Quirks{Etag: "x"}); err == nil {
		t.Error("a wrong quirk passes")
	}
	if err := h.server.SetQuirks(Quirks{}); err != nil || h.server.Quirks().ListOrder != "insertion" {
		t.Errorf("quirks %v %v", err, h.server.Quirks().ListOrder)
	}
	d.fail(errors.New("disk full"))
	h.refused(400, "E011001", "POST", "/_emulator/reset", "")
	h.refused(400, "E011001", "POST", "/_emulator/seed", seed)
}

func TestResetForgetsTheStorage(t *testing.T) {
	d := &disk{}
	start(t, Options{Storage: d}).create(`{"id":"a","name":"A"}`)
	h := start(t, Options{Storage: d})
	if err := h.server.Reset(); err != nil {
		t.Fatal(err)
	}
	h.equal("nothing is read back", h.ids("GET", allPath, ""), []string{})
}

func TestLogIsBounded(t *testing.T) {
	h := start(t, Options{})
	for range maxLog + 1 {
		h.server.finish(h.server.begin(&httpRequest), reply{status: 200})
	}
	if n := len(h.server.Requests()); n < maxLog/2 || n > maxLog {
		t.Errorf("%d requests are kept", n)
	}
}

func TestConcurrency(t *testing.T) {
	h := start(t, Options{Storage: &disk{}, Quirks: Quirks{ListOrder: "shuffled"}})
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			h := h
			h.bearer = fmt.Sprintf("P%d:%s", worker%2, testKey)
			for i := range 20 {
				id := fmt.Sprintf("w%d-%d", worker, i)
				h.create(fmt.Sprintf(`{"id":%q,"name":%q}`, id, id))
				h.ids("GET", allPath, "")
				h.ok("POST", updatePath, fmt.Sprintf(`{"id":%q,"name":%q,"customAttributes":{"i":%d}}`, id, id, i))
				h.ok("POST", settingsPath, fmt.Sprintf(`{"tenantId":%q,"enabled":true}`, id))
				h.ok("POST", importPath, simpleFlow)
				h.ok("POST", "/v1/mgmt/flow/list", "")
				h.ok("POST", "/v1/mgmt/projects/list", "")
				h.ok("GET", "/_emulator/seed", "")
				h.server.Requests()
				if i%2 == 0 {
					h.ok("POST", deletePath, fmt.Sprintf(`{"id":%q}`, id))
				}
			}
		})
	}
	wg.Wait()
	for _, project := range []string{"P0", "P1"} {
		h.bearer = project + ":" + testKey
		h.equal(project, len(h.ids("GET", allPath, "")), 40)
	}
}
