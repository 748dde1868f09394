package api_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"pcconnect.ai/descope-mgmt/internal/api"
	"pcconnect.ai/descope-mgmt/internal/emulator"
)

func TestRoles(t *testing.T) {
	synctest.Test(t, testRoles) // failing reads are tried again after a while
}

func testRoles(t *testing.T) {
	server, c := start(t, emulator.Options{Budgets: emulator.NoBudgets()})
	if roles, err := c.Roles(t.Context()); err != nil || len(roles) != 0 {
		t.Errorf("a project without roles has %v (%v)", roles, err)
	}
	seed := fmt.Sprintf(`{"version": 1, "projects": {%q: {"roles": {"Admin": "ROL1", "Tenant Admin": "ROL2"}}}}`, project)
	if err := server.Seed([]byte(seed)); err != nil {
		t.Fatal(err)
	}
	roles, err := c.Roles(t.Context())
	if diff := cmp.Diff(map[string][]string{"Admin": {"ROL1"}, "Tenant Admin": {"ROL2"}}, roles); diff != "" || err != nil {
		t.Error(err, diff)
	}
	for _, f := range []string{"403,match=/v1/mgmt/role/all", "500,match=/v1/mgmt/role/all", "truncated,match=/v1/mgmt/role/all", "html,match=/v1/mgmt/role/all", "short-list,match=/v1/mgmt/role/all"} {
		fault, err := emulator.ParseFault(f)
		if err != nil {
			t.Fatal(err)
		}
		if err := server.SetFaults(fault); err != nil {
			t.Fatal(err)
		}
		roles, err := c.Roles(t.Context())
		if strings.HasPrefix(f, "short-list") {
			continue // there is no total by which to see that
		}
		if err == nil || api.IsAuth(err) != strings.HasPrefix(f, "403") {
			t.Errorf("%s: %v, %v", f, roles, err)
		}
	}
}
