package conformance

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pcconnect.ai/descope-mgmt/internal/compiler"
	"pcconnect.ai/descope-mgmt/internal/emulator"
	"pcconnect.ai/descope-mgmt/internal/model"
)

// contractRun is a run of TestContractProject in a process of its own, against an
// emulator behind a socket that stands for a real project.
type contractRun struct {
	out    string
	failed bool
	server *emulator.Server
	// before and after are all objects of the project.
	before, after map[model.Key]wire
}

func runContract(t *testing.T, o emulator.Options, environment ...string) contractRun {
	t.Helper()
	o.Budgets = emulator.NoBudgets()
	server, err := emulator.New(o)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, server: server}
	w.seed(`{"tenants": [{"id": "theirs", "name": "By hand", "enforceSSO": true, "unknownText": "x"}, {"id": "below", "name": "Below", "parent": "theirs"},
		{"id": "dmct-another-run", "name": "dmct-another-run"}], "roles": ["Tenant Admin"],
		"users": [{"userId": "U1", "loginIds": ["theirs"], "userTenants": [{"tenantId": "theirs"}]}],
		"access_keys": [{"id": "K1", "name": "theirs", "keyTenants": [{"tenantId": "theirs"}]}],
		"flows": [{"flowId": "sign-in", "metadata": {"name": "T"}, "contents": {"startTask": "0", "tasks": {}}}]}`)
	socket := httptest.NewServer(server)
	defer socket.Close()
	r := contractRun{server: server, before: w.stored()}

	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^TestContractProject$", "-test.v", "-test.count=1", "-test.timeout=2m")
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "DESCOPE_") && !strings.HasPrefix(v, "GOCOVERDIR=") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, envBaseURL+"="+socket.URL)
	cmd.Env = append(cmd.Env, environment...)
	out, err := cmd.CombinedOutput()
	r.out, r.failed, r.after = string(out), err != nil, w.stored()
	return r
}

// asIfReal are the variables of a project.
func asIfReal(id string) []string {
	return []string{envProject + "=" + id, envKey + "=" + managementKey}
}

// members are the ids of all users and access keys of the project.
func members(t *testing.T, server *emulator.Server) (ids []string) {
	t.Helper()
	var document struct {
		Projects map[string]struct {
			Users      []struct{ UserID string }
			AccessKeys []struct{ ID string } `json:"access_keys"`
		}
	}
	if err := json.Unmarshal(server.Export(), &document); err != nil {
		t.Fatal(err)
	}
	for _, user := range document.Projects[project].Users {
		ids = append(ids, user.UserID)
	}
	for _, key := range document.Projects[project].AccessKeys {
		ids = append(ids, key.ID)
	}
	return ids
}

// onlyItsOwn holds the project against what it was, and every call against what
// the contract may do.
func (r contractRun) onlyItsOwn(t *testing.T) {
	t.Helper()
	if !model.Equal(allDecoded(t, r.before), allDecoded(t, r.after)) {
		t.Errorf("the project was %v and is %v\n%s", r.before, r.after, r.out)
	}
	prefix := regexp.MustCompile(`^dmct-[a-z0-9]{8}-`)
	writes := 0
	for _, q := range r.server.Requests() {
		if q.Method != "POST" || strings.HasSuffix(q.Path, "/search") || q.Path == "/v1/mgmt/flow/list" || q.Path == "/v2/mgmt/flow/export" {
			continue
		}
		writes++
		var body struct {
			ID, TenantID, LoginID, UserID, Parent, Name string
			IDs                                         []string
			Cascade                                     bool
			Flow                                        struct{ FlowID string }
		}
		if err := json.Unmarshal(q.Body, &body); err != nil {
			t.Errorf("%s %s: %v", q.Path, q.Body, err)
		}
		if q.Path == "/v1/mgmt/accesskey/delete" { // its id is Descope's; what is left is looked at below
			body.ID = ""
		}
		for _, id := range append(body.IDs, body.ID, body.TenantID, body.LoginID, body.UserID, body.Parent, body.Flow.FlowID) {
			if id != "" && !prefix.MatchString(id) {
				t.Errorf("%s is about %s: %s", q.Path, id, q.Body)
			}
		}
		if body.Name != "" && !prefix.MatchString(strings.ToLower(body.Name)) {
			t.Errorf("%s gives the name %s", q.Path, body.Name)
		}
		if body.Cascade {
			t.Errorf("%s cascades: %s", q.Path, q.Body)
		}
	}
	if left := members(t, r.server); !slices.Equal(left, []string{"U1", "K1"}) {
		t.Errorf("of users and access keys there are %v", left)
	}
	if writes == 0 {
		t.Errorf("it never wrote anything:\n%s", r.out)
	}
}

// TestContractKeepsToItsOwn proves on an emulator what the contract promises for a
// real project: it passes, touches nothing else, and leaves nothing, whatever its
// end.
func TestContractKeepsToItsOwn(t *testing.T) {
	t.Parallel()
	t.Run("passes", func(t *testing.T) {
		t.Parallel()
		r := runContract(t, emulator.Options{}, asIfReal(project)...)
		if r.failed {
			t.Fatalf("it failed:\n%s", r.out)
		}
		r.onlyItsOwn(t)
		if n := strings.Count(r.out, "observed: "); n < 30 {
			t.Errorf("only %d observations:\n%s", n, r.out)
		}
		if strings.Contains(r.out, managementKey) {
			t.Error("it prints the key")
		}
		if !strings.Contains(r.out, "tenant/dmct-another-run is of another run") {
			t.Errorf("it does not tell what another run left:\n%s", r.out)
		}
	})
	for name, c := range map[string]struct {
		options emulator.Options
		env     []string
		says    string
	}{
		"panics":                     {env: []string{envBreak + "=panic"}, says: "as DESCOPE_TEST_BREAK says"},
		"fails":                      {env: []string{envBreak + "=fail"}, says: "as DESCOPE_TEST_BREAK says"},
		"names may be taken twice":   {options: emulator.Options{Quirks: emulator.Quirks{DuplicateNames: "allow"}}, says: "name taken: this is no refusal"},
		"the answers to writes drop": {options: emulator.Options{Faults: []emulator.Fault{{Name: "400", Match: "POST /v1/mgmt/tenant/update", Applied: true}}}, says: "--- FAIL: TestContractProject/life_of_a_tenant"},
		"a new access key is lost":   {options: emulator.Options{Faults: []emulator.Fault{{Name: "400", Match: "accesskey/create", Applied: true}}}, says: "--- FAIL: TestContractProject/what_a_tenant_is_used_by"},
		"the first delete fails":     {options: emulator.Options{Faults: []emulator.Fault{{Name: "400", Count: 1, Match: "POST /v1/mgmt/tenant/delete"}}}, says: "--- FAIL: TestContractProject/life_of_a_tenant"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := runContract(t, c.options, append(asIfReal(project), c.env...)...)
			if !r.failed || !strings.Contains(r.out, c.says) {
				t.Errorf("failed %v; want it to say %q:\n%s", r.failed, c.says, r.out)
			}
			r.onlyItsOwn(t)
		})
	}
}

// TestContractRefuses: without a project of its own, it does nothing.
func TestContractRefuses(t *testing.T) {
	t.Parallel()
	m, err := compiler.Find(".")
	if err != nil {
		t.Fatal(err)
	}
	results, _ := compiler.CompileAll(t.Context(), m)
	if len(results) < 2 {
		t.Fatalf("%d environments", len(results))
	}
	cases := map[string]struct {
		env    []string
		says   string
		failed bool
	}{
		"neither variable":       {nil, "skipped: the contract was held against the emulator only", false},
		"no key":                 {[]string{envProject + "=" + project}, "only one of", true},
		"no project":             {[]string{envKey + "=" + managementKey}, "only one of", true},
		"a server of others":     {append(asIfReal(project), envBaseURL+"=https://api.descope.com.example.org"), envBaseURL, true},
		"a server without https": {append(asIfReal(project), envBaseURL+"=http://api.descope.com"), envBaseURL, true},
	}
	for _, r := range results {
		cases["the project of "+r.Environment.Name] = struct {
			env    []string
			says   string
			failed bool
		}{asIfReal(r.Environment.ProjectID), fmt.Sprintf("is the project of the environment %s", r.Environment.Name), true}
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := runContract(t, emulator.Options{}, c.env...)
			if r.failed != c.failed || !strings.Contains(r.out, c.says) {
				t.Errorf("failed %v; want %v and %q:\n%s", r.failed, c.failed, c.says, r.out)
			}
			if n := len(r.server.Requests()); n > 0 {
				t.Errorf("it made %d calls", n)
			}
			if strings.Contains(r.out, managementKey) {
				t.Error("it prints the key")
			}
		})
	}
}
