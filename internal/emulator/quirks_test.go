package emulator

import (
	"fmt"
	"strings"
	"testing"
)

func TestQuirksChangeAnswers(t *testing.T) {
	for _, c := range []struct {
		name   string
		quirks Quirks
		status int
		code   string
		method string
		path   string
		body   string
	}{
		{"duplicate", Quirks{DuplicateStatus: 409, DuplicateCode: "E999999"}, 409, "E999999", "POST", createPath, `{"id":"a","name":"Z"}`},
		{"not found", Quirks{NotFoundStatus: 400}, 400, "E112202", "GET", "/v1/mgmt/tenant?id=z", ""},
		{"parent", Quirks{UnknownParentStatus: 404}, 404, "E112202", "POST", createPath, `{"name":"Z","parent":"z"}`},
		{"missing", Quirks{MissingFieldCode: "E011002"}, 400, "E011002", "POST", createPath, `{}`},
		{"fold", Quirks{NameCase: "fold"}, 400, "E011004", "POST", createPath, `{"name":"TENANT A"}`},
		{"id rule", Quirks{IDRule: "strict"}, 400, "E011004", "POST", createPath, `{"id":"a b","name":"Z"}`},
		{"domains", Quirks{DuplicateDomains: "refuse"}, 400, "E011004", "POST", createPath, `{"name":"Z","selfProvisioningDomains":["z.com","a.com"]}`},
		{"flow", Quirks{UnknownFlowDelete: "not-found"}, 404, "E000404", "POST", "/v1/mgmt/flow/delete", `{"ids":["z"]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			for on, q := range map[bool]Quirks{false: {}, true: c.quirks} {
				h := start(t, Options{Quirks: q})
				h.create(`{"id":"a","name":"Tenant A","selfProvisioningDomains":["a.com"]}`)
				status, v := h.ask(c.method, c.path, c.body)
				if hit := status == c.status && v["errorCode"] == c.code; hit != on {
					t.Errorf("quirk %v: %d %v", on, status, v)
				}
			}
		})
	}
}

func TestQuirksChangeWhatIsStored(t *testing.T) {
	h := start(t, Options{Quirks: Quirks{DomainsLower: true, DomainsDedup: true, DomainsReorder: true, UnknownFields: "drop", DuplicateNames: "allow"}})
	h.create(`{"id":"a","name":"A","selfProvisioningDomains":["X.com","x.com","b.com"],"later":1}`)
	h.create(`{"id":"b","name":"A"}`)
	h.equal("domains", h.tenant("a")["selfProvisioningDomains"], []any{"b.com", "x.com"})
	if _, ok := h.tenant("a")["later"]; ok {
		t.Error("an unknown field is stored")
	}
	for quirk, want := range map[string]any{"object": map[string]any{}, "null": nil} {
		h := start(t, Options{Quirks: Quirks{EmptyAttributes: quirk}})
		h.create(`{"id":"a","name":"A"}`)
		h.equal(quirk, h.tenant("a")["customAttributes"], want)
	}
	h = start(t, Options{Quirks: Quirks{EmptyAttributes: "absent"}})
	h.create(`{"id":"a","name":"A"}`)
	if _, ok := h.tenant("a")["customAttributes"]; ok {
		t.Error("empty attributes are there")
	}
}

func TestUnknownAttributes(t *testing.T) {
	seed := fmt.Sprintf(`{"projects":{%q:{"attributes":["plan"]}}}`, testProject)
	for quirk, want := range map[string]any{"store": map[string]any{"plan": "x", "other": "y"}, "drop": map[string]any{"plan": "x"}, "refuse": nil} {
		h := start(t, Options{Quirks: Quirks{UnknownAttributes: quirk}})
		if err := h.server.Seed([]byte(seed)); err != nil {
			t.Fatal(err)
		}
		body := `{"id":"a","name":"A","customAttributes":{"plan":"x","other":"y"}}`
		if quirk == "refuse" {
			h.refused(400, "E011004", "POST", createPath, body)
			h.equal(quirk, h.ids("GET", allPath, ""), []string{})
			continue
		}
		h.create(body)
		h.equal(quirk, h.tenant("a")["customAttributes"], want)
	}
}

func TestListLimits(t *testing.T) {
	h := start(t, Options{Quirks: Quirks{SearchLimit: 2, AllLimit: 3}})
	for i := range 5 {
		h.create(fmt.Sprintf(`{"id":"t%d","name":"t%d"}`, i, i))
	}
	h.equal("search", len(h.ids("POST", searchPath, "{}")), 2)
	h.equal("all", len(h.ids("GET", allPath, "")), 3)
}

func TestSetQuirks(t *testing.T) {
	var q Quirks
	for name, value := range map[string]string{"list_order": "sorted", "domains_lower": "true", "search_limit": "7", "duplicate_status": "409", "duplicate_code": "E1"} {
		if err := q.Set(name, value); err != nil {
			t.Errorf("%s=%s: %v", name, value, err)
		}
	}
	if q.ListOrder != "sorted" || !q.DomainsLower || q.SearchLimit != 7 || q.DuplicateStatus != 409 || q.DuplicateCode != "E1" || q.TenantUpdate != "replace" {
		t.Errorf("got %+v", q)
	}
	before := q
	for name, value := range map[string]string{"list_ordr": "sorted", "list_order": "random", "domains_lower": "perhaps", "not_found_status": "200", "all_limit": "-1"} {
		if err := q.Set(name, value); err == nil || !strings.Contains(err.Error(), "quirk") {
			t.Errorf("%s=%s: %v", name, value, err)
		}
	}
	if q != before {
		t.Error("a refused value changed the quirks")
	}
}
