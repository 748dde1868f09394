package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// full is a tenant in which everything is set, fields that nobody knows too.
const full = `{
  "id": "acme", "name": "Acme <&> \u2028", "selfProvisioningDomains": ["b.com", "a.com"],
  "customAttributes": {"plan": "pro", "seats": 1.50, "big": 12345678901234567890, "tags": ["y", "x"], "gone": null},
  "authType": "saml", "domains": ["sso.com", "a.sso.com"], "createdTime": 1726067547, "disabled": true,
  "enforceSSO": true, "enforceSSOExclusions": ["U2", "U1"], "federatedAppIds": ["app2", "app1"],
  "parent": "holding", "successors": ["child"], "defaultRoles": ["User", "Admin"], "roleInheritance": "userOnly",
  "idJagSettings": {"z": 1, "a": {"n": 40.0}}, "idJagEnabled": true,
  "futureNumber": 1e3, "futureObject": {"b": 1, "a": [null, "\ud800"]}, "futureNull": null, "futureEmpty": ""
}`

func decoded(t testing.TB, raw string) model.Resource {
	t.Helper()
	r, err := decodeTenant(json.RawMessage(raw))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestDecodeTenant(t *testing.T) {
	r := decoded(t, full)
	want := map[string]any{
		"name": "Acme <&> \u2028", "domains": []any{"a.com", "b.com"}, "self_provisioning": true,
		"custom_attributes": map[string]any{
			"plan": "pro", "seats": json.Number("1.5"), "big": json.Number("12345678901234567890"), "tags": []any{"y", "x"},
		},
		"parent": "holding", "disabled": true, "role_inheritance": "userOnly", "default_roles": []any{"Admin", "User"},
	}
	if diff := cmp.Diff(want, r.Attrs); diff != "" {
		t.Error(diff)
	}
	if string(r.Observed.Raw) != full {
		t.Error("the raw tenant is not what was received")
	}
	names := slices.Sorted(maps.Keys(r.Observed.Fields))
	wantNames := strings.Fields("authType customAttributes defaultRoles disabled domains enforceSSO enforceSSOExclusions federatedAppIds futureEmpty futureNull futureNumber futureObject id idJagEnabled idJagSettings name parent roleInheritance selfProvisioningDomains")
	if diff := cmp.Diff(wantNames, names); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]any{"U1", "U2"}, r.Observed.Fields["enforceSSOExclusions"]); diff != "" {
		t.Error(diff)
	}
}

// TestTenantsThatAreEqual: zero is absent, sets have no order, numbers have one
// spelling, and time passes.
func TestTenantsThatAreEqual(t *testing.T) {
	bare := decoded(t, `{"id":"a","name":"A"}`)
	want := map[string]any{
		"name": "A", "domains": []any{}, "self_provisioning": false, "custom_attributes": map[string]any{},
		"parent": "", "disabled": false, "role_inheritance": "", "default_roles": []any{},
	}
	if diff := cmp.Diff(want, bare.Attrs); diff != "" {
		t.Error(diff)
	}
	for _, same := range []string{
		`{"name":"A","id":"a","selfProvisioningDomains":[],"customAttributes":{},"authType":"","domains":[],"disabled":false,"enforceSSO":false,
		 "enforceSSOExclusions":[],"federatedAppIds":[],"parent":"","successors":[],"defaultRoles":[],"roleInheritance":"","createdTime":0}`,
		`{"name":"A","id":"a","selfProvisioningDomains":null,"customAttributes":null,"authType":null,"domains":null,"disabled":null,"enforceSSO":null,
		 "enforceSSOExclusions":null,"federatedAppIds":null,"parent":null,"successors":null,"defaultRoles":null,"roleInheritance":null}`,
		`{"name":"A","id":"a","createdTime":99,"successors":["x"],"customAttributes":{"x":null}}`,
	} {
		if decoded(t, same).Digest() != bare.Digest() {
			t.Errorf("%s differs from the bare tenant: %v", same, decoded(t, same).Observed.Fields)
		}
	}
	for _, other := range []string{`{"name":"A","id":"a","authType":"none"}`, `{"name":"A","id":"a","enforceSSO":true}`, `{"name":"A","id":"a","new":null}`} {
		if decoded(t, other).Digest() == bare.Digest() {
			t.Errorf("%s is taken for the bare tenant", other)
		}
	}
	a := decoded(t, `{"id":"a","selfProvisioningDomains":["x","y"],"customAttributes":{"n":40.0}}`)
	b := decoded(t, `{"id":"a","selfProvisioningDomains":["y","x","y"],"customAttributes":{"n":4e1}}`)
	if a.Digest() != b.Digest() {
		t.Error("order or spelling counts")
	}
}

func TestListsThatAreRefused(t *testing.T) {
	for body, want := range map[string]string{
		``:                                      "unexpected end",
		`<html>`:                                "invalid character",
		`[]`:                                    "cannot unmarshal",
		`null`:                                  `"tenants" is missing`,
		`{}`:                                    `"tenants" is missing`,
		`{"Tenants":[]}`:                        `"tenants" is missing`,
		`{"tenants":null}`:                      "not a list",
		`{"tenants":{}}`:                        "not a list",
		`{"tenants":"x"}`:                       "not a list",
		`{"tenants":[`:                          "unexpected end",
		`{"tenants":[]} {}`:                     "after top-level value",
		`{"tenants":[1]}`:                       "tenants[0]: a tenant that is not a JSON object",
		`{"tenants":[null]}`:                    "tenants[0]: a tenant that is not a JSON object",
		`{"tenants":[{}]}`:                      "tenants[0]: a tenant without an id",
		`{"tenants":[{"id":""}]}`:               "tenants[0]: a tenant without an id",
		`{"tenants":[{"id":7}]}`:                "field id of tenant \"7\" has an unexpected type",
		`{"tenants":[{"ID":"a"}]}`:              "tenants[0]: a tenant without an id",
		`{"tenants":[],"total":1}`:              `the total is "1"`,
		`{"tenants":[],"total":"1"}`:            "the total is",
		`{"tenants":[],"total":null}`:           "", // as good as absent
		`{"tenants":[],"total":"many"}`:         "the total is",
		`{"tenants":[{"id":"a"}],"total":0}`:    "the total is",
		`{"tenants":[{"id":"a"},{"id":"a"}]}`:   `tenant "a" is in the list twice`,
		`{"tenants":[{"id":"a","parent":"b"}]}`: `"b", the parent of tenant "a", is not in it`,
		`{"tenants":[{"id":"a","successors":["b"]}]}`:                        `"b", a successor of tenant "a", is not in it`,
		`{"tenants":[{"id":"a","successors":"b"}]}`:                          "cannot unmarshal",
		`{"tenants":[{"id":"a","name":1}]}`:                                  `field name of tenant "a" has an unexpected type`,
		`{"tenants":[{"id":"a","disabled":"yes"}]}`:                          "field disabled",
		`{"tenants":[{"id":"a","selfProvisioningDomains":"x"}]}`:             "field selfProvisioningDomains",
		`{"tenants":[{"id":"a","selfProvisioningDomains":[1]}]}`:             "something else than strings",
		`{"tenants":[{"id":"a","customAttributes":[]}]}`:                     "field customAttributes",
		`{"tenants":[{"id":"\u001b[2J","parent":"\u202e"}]}`:                 `"\u202e", the parent of tenant "\x1b[2J"`,
		`{"tenants":[{"id":"a","parent":"b"},{"id":"b"}],"total":"2"}`:       "",
		`{"tenants":[{"id":"b","successors":["a"]},{"id":"a"}],"total":2}`:   "",
		`{"tenants":[{"id":"b","new":[1,{"x":null}],"successors":null}]}`:    "",
		`{"tenants":[],"somethingNew":{"nextPage":null}}`:                    "",
		`{"tenants":[{"id":"a","name":"` + strings.Repeat("x", 999) + `"}]}`: "",
	} {
		_, err := decodeTenants([]byte(body))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%.80s: %v; want %q", body, err, want)
		}
	}
}

func managed(paths ...string) func(*model.Transition) {
	return func(t *model.Transition) { t.Managed = paths }
}

// change encodes an update of the full tenant.
func change(t testing.TB, raw string, edit func(after map[string]any), paths ...string) ([]model.Step, error) {
	t.Helper()
	before := decoded(t, raw)
	after := model.CloneMap(before.Attrs)
	edit(after)
	tr := model.Transition{Key: before.Key, Before: &before, After: after}
	managed(paths...)(&tr)
	return Encode(tr)
}

// rawFields decodes a payload without touching the spelling of its values.
func rawFields(t testing.TB, body []byte) map[string]string {
	t.Helper()
	var m map[string]json.RawMessage
	if err := json.Unmarshal(body, &m); err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for k, v := range m {
		out[k] = string(v)
	}
	return out
}

func TestEncodeUpdateSendsEverythingBack(t *testing.T) {
	steps, err := change(t, full, func(after map[string]any) {
		after["name"] = "New"
		after["custom_attributes"].(map[string]any)["plan"] = "free"
		delete(after["custom_attributes"].(map[string]any), "tags")
	}, "name", "custom_attributes.plan", "custom_attributes.tags", "domains")
	if err != nil || len(steps) != 1 || steps[0].Op != model.TenantUpdate || steps[0].Key != tenantKey("acme") {
		t.Fatal(steps, err)
	}
	want := map[string]string{
		"id": `"acme"`, "name": `"New"`, "selfProvisioningDomains": `["b.com","a.com"]`,
		"customAttributes": `{"big":12345678901234567890,"gone":null,"plan":"free","seats":1.50}`,
		"authType":         `"saml"`, "disabled": "true", "enforceSSO": "true", "enforceSSOExclusions": `["U2","U1"]`,
		"federatedAppIds": `["app2","app1"]`, "roleInheritance": `"userOnly"`, "idJagSettings": `{"z":1,"a":{"n":40.0}}`,
		"idJagEnabled": "true", "futureNumber": "1e3", "futureObject": `{"b":1,"a":[null,"\ud800"]}`, "futureNull": "null", "futureEmpty": `""`,
	}
	if diff := cmp.Diff(want, rawFields(t, steps[0].Body)); diff != "" {
		t.Error(diff)
	}
	if !strings.HasPrefix(string(steps[0].Body), `{"authType":"saml","customAttributes":{"big"`) {
		t.Errorf("keys are not sorted: %s", steps[0].Body)
	}
}

func TestEncodeUpdate(t *testing.T) {
	type fields = map[string]any
	for name, c := range map[string]struct {
		edit  func(fields)
		paths []string
		want  []string // Op, then what its body must contain
		err   string
	}{
		"nothing differs":       {func(fields) {}, []string{"name", "domains", "default_roles", "custom_attributes", "parent", "disabled"}, nil, ""},
		"differs but unmanaged": {func(a fields) { a["name"] = "x" }, []string{"disabled"}, nil, ""},
		"default roles alone":   {func(a fields) { a["default_roles"] = []any{"X"} }, []string{"default_roles"}, []string{`tenant.default_roles {"defaultRoles":["X"],"id":"acme"}`}, ""},
		"roles cleared":         {func(a fields) { a["default_roles"] = []any{} }, []string{"default_roles"}, []string{`tenant.default_roles {"defaultRoles":[],"id":"acme"}`}, ""},
		"roles in other order":  {func(a fields) { a["default_roles"] = []any{"User", "Admin"} }, []string{"default_roles"}, nil, ""},
		"both": {
			func(a fields) { a["default_roles"], a["disabled"] = []any{}, false },
			[]string{"default_roles", "disabled"},
			[]string{`"disabled":false`, `tenant.default_roles {"defaultRoles":[],"id":"acme"}`},
			"",
		},
		"self-provisioning off": {func(a fields) { a["domains"], a["self_provisioning"] = []any{}, false }, []string{"domains", "self_provisioning"}, []string{`"selfProvisioningDomains":[]`}, ""},
		"off outweighs a list":  {func(a fields) { a["self_provisioning"] = false }, []string{"self_provisioning"}, []string{`"selfProvisioningDomains":[]`}, ""},
		"a domain":              {func(a fields) { a["domains"] = []any{"c.com"} }, []string{"domains"}, []string{`"selfProvisioningDomains":["c.com"]`}, ""},
		"role inheritance":      {func(a fields) { a["role_inheritance"] = "" }, []string{"role_inheritance"}, []string{`"roleInheritance":""`}, ""},
		"a null attribute": {
			func(a fields) { a["custom_attributes"].(fields)["plan"] = nil },
			[]string{"custom_attributes.plan"},
			[]string{`"customAttributes":{"big":12345678901234567890,"gone":null,"seats":1.50,"tags"`},
			"",
		},
		"the whole map": {
			func(a fields) { a["custom_attributes"] = fields{"new key": true} },
			[]string{"custom_attributes"},
			[]string{`"customAttributes":{"gone":null,"new key":true}`},
			"",
		},
		"a quoted key": {
			func(a fields) { a["custom_attributes"].(fields)["a.b"] = "x" },
			[]string{`custom_attributes."a.b"`},
			[]string{`"a.b":"x"`},
			"",
		},
		"parent":             {func(a fields) { a["parent"] = "other" }, []string{"parent"}, nil, `no call that changes "holding" to "other"`},
		"unknown attribute":  {func(fields) {}, []string{"colour"}, nil, `no attribute "colour"`},
		"no path":            {func(fields) {}, []string{"a..b"}, nil, "is not a path"},
		"parent not managed": {func(a fields) { a["parent"] = "other" }, nil, nil, ""},
	} {
		steps, err := change(t, full, c.edit, c.paths...)
		if (err == nil) != (c.err == "") || err != nil && (!strings.Contains(err.Error(), c.err) || !strings.Contains(err.Error(), "tenant/acme")) {
			t.Errorf("%s: %v; want %q", name, err, c.err)
			continue
		}
		if len(steps) != len(c.want) {
			t.Errorf("%s: %d steps: %v", name, len(steps), steps)
			continue
		}
		for i, s := range steps {
			if got := string(s.Op) + " " + string(s.Body); !strings.Contains(got, c.want[i]) {
				t.Errorf("%s: %s lacks %s", name, got, c.want[i])
			}
			if strings.Contains(string(s.Body), "createdTime") || strings.Contains(string(s.Body), "successors") || strings.Contains(string(s.Body), `"domains"`) {
				t.Errorf("%s: sends what the endpoint does not take: %s", name, s.Body)
			}
		}
	}
}

func TestEncodeCreateAndDelete(t *testing.T) {
	key := tenantKey("new")
	for name, c := range map[string]struct {
		t    model.Transition
		want []string
		err  string
	}{
		"bare": {model.Transition{After: map[string]any{"name": "N"}}, []string{`tenant.create {"id":"new","name":"N"}`}, ""},
		"all": {
			model.Transition{After: map[string]any{
				"name": "<N>", "domains": []any{"a.com"}, "self_provisioning": true, "custom_attributes": map[string]any{"a": json.Number("1"), "b": nil},
				"parent": "p", "disabled": false, "role_inheritance": "none", "default_roles": []any{"R"},
			}},
			[]string{
				`tenant.create {"customAttributes":{"a":1},"disabled":false,"id":"new","name":"<N>","parent":"p","roleInheritance":"none","selfProvisioningDomains":["a.com"]}`,
				`tenant.default_roles {"defaultRoles":["R"],"id":"new"}`,
			},
			"",
		},
		"empty": {
			model.Transition{After: map[string]any{"name": "N", "domains": []any{}, "self_provisioning": false, "parent": "", "default_roles": []any{}}},
			[]string{`tenant.create {"id":"new","name":"N","selfProvisioningDomains":[]}`},
			"",
		},
		"not self-provisioning": {
			model.Transition{After: map[string]any{"name": "N", "domains": []any{"a.com"}, "self_provisioning": false}},
			[]string{`tenant.create {"id":"new","name":"N","selfProvisioningDomains":[]}`},
			"",
		},
		"delete":            {model.Transition{Before: &model.Resource{Key: key}}, []string{`tenant.delete {"cascade":false,"id":"new"}`}, ""},
		"delete, cascading": {model.Transition{Before: &model.Resource{Key: key}, Cascade: true}, []string{`tenant.delete {"cascade":true,"id":"new"}`}, ""},
		"nothing":           {model.Transition{}, nil, ""},
		"unknown attribute": {model.Transition{After: map[string]any{"nme": "N"}}, nil, `tenant/new: a tenant has no attribute "nme"`},
		"not read":          {model.Transition{Before: &model.Resource{Key: key}, After: map[string]any{"name": "N"}, Managed: []string{"name"}}, nil, "was not read"},
		"another one read": {
			model.Transition{Before: &model.Resource{Key: key, Observed: &model.Observed{Raw: json.RawMessage(`{"id":"old"}`)}}, After: map[string]any{}},
			nil, `not "new" but "old"`,
		},
		"raw is broken": {
			model.Transition{Before: &model.Resource{Key: key, Observed: &model.Observed{Raw: json.RawMessage(`{`)}}, After: map[string]any{}},
			nil, "as it was read",
		},
	} {
		c.t.Key = key
		steps, err := Encode(c.t)
		if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %v; want %q", name, err, c.err)
		}
		var got []string
		for _, s := range steps {
			got = append(got, string(s.Op)+" "+string(s.Body))
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if _, err := Encode(model.Transition{Key: model.Key{Kind: "user", ID: "x"}}); err == nil {
		t.Error("an unknown kind passes")
	}
}

// TestUpdatesKeepWhatTheyDoNotManage draws tenants with unknown fields and
// changes a part of what is known.
func TestUpdatesKeepWhatTheyDoNotManage(t *testing.T) {
	value := rapid.SampledFrom([]string{`1.50`, `1e21`, `"<\u2028\u0000>"`, `{"b":1,"a":[1.0]}`, `[3,2,1,null]`, `null`, `true`, `""`, `"\ud83d"`})
	rapid.Check(t, func(t *rapid.T) {
		raw := map[string]json.RawMessage{"id": json.RawMessage(`"t"`), "name": json.RawMessage(`"N"`)}
		for _, k := range rapid.SliceOfN(rapid.StringMatching(`x[a-zA-Z.é]{0,8}`), 0, 6).Draw(t, "unknown") {
			raw[k] = json.RawMessage(value.Draw(t, k))
		}
		attrs := map[string]json.RawMessage{}
		for _, k := range rapid.SliceOfN(rapid.String(), 0, 5).Draw(t, "attributes") {
			attrs[strings.ToValidUTF8(k, "?")] = json.RawMessage(value.Draw(t, "value"))
		}
		encoded, err := encodeRaw(attrs)
		if err != nil {
			t.Fatal(err)
		}
		raw["customAttributes"] = encoded
		body, err := encodeRaw(raw)
		if err != nil {
			t.Fatal(err)
		}
		before, err := decodeTenant(body)
		if err != nil {
			t.Fatal(err)
		}
		after := model.CloneMap(before.Attrs)
		after["name"] = "New"
		key := rapid.String().Draw(t, "key")
		key = strings.ToValidUTF8(key, "?")
		after["custom_attributes"].(map[string]any)[key] = "changed"
		tr := model.Transition{Key: before.Key, Before: &before, After: after, Managed: []string{"name", model.JoinPath("custom_attributes", key)}}
		steps, err := Encode(tr)
		if err != nil || len(steps) != 1 {
			t.Fatal(steps, err)
		}
		again, err := Encode(tr)
		if err != nil || string(again[0].Body) != string(steps[0].Body) {
			t.Fatalf("not deterministic: %s, %s", steps[0].Body, again[0].Body)
		}
		want := map[string]json.RawMessage{}
		maps.Copy(want, raw)
		want["name"] = json.RawMessage(`"New"`)
		attrs[key] = json.RawMessage(`"changed"`)
		if want["customAttributes"], err = encodeRaw(attrs); err != nil {
			t.Fatal(err)
		}
		expected, err := encodeRaw(want)
		if err != nil {
			t.Fatal(err)
		}
		if string(expected) != string(steps[0].Body) {
			t.Fatalf("sent %s\nwant %s", steps[0].Body, expected)
		}
		// What was sent is recognised when it is read back.
		live, err := decodeTenant(steps[0].Body)
		if err != nil || !tenantIsAsSent(steps[0].Body, live, true) || tenantIsAsSent(steps[0].Body, before, true) {
			t.Fatalf("%s is not recognised (%v)", steps[0].Body, err)
		}
	})
}

func TestTenantIsAsSent(t *testing.T) {
	live := decoded(t, full)
	for body, want := range map[string]bool{
		`{"id":"acme","defaultRoles":["User","Admin"]}`: true,
		`{"id":"acme","defaultRoles":["Admin"]}`:        false,
		`{"id":"acme","futureNumber":1000}`:             true,
		`{"id":"acme","enforceSSO":false}`:              false,
		`{"id":"acme","other":1}`:                       false,
		`{"id":`:                                        false,
		`{"id":"acme","name":7}`:                        false,
	} {
		if got := tenantIsAsSent(json.RawMessage(body), live, true); got != want {
			t.Errorf("%s: %v", body, got)
		}
	}
	if tenantIsAsSent(json.RawMessage(`{}`), live, false) {
		t.Error("a tenant that does not exist is as sent")
	}
	if _, _, known := tenantAfter(json.RawMessage(`{`), live, true); known {
		t.Error("a broken payload has a known effect")
	}
}

func BenchmarkDecodeTenants(b *testing.B) {
	var list []string
	for i := range 1000 {
		list = append(list, fmt.Sprintf(`{"id":"t%d","name":"Tenant %d","selfProvisioningDomains":["t%d.example"],"customAttributes":{"plan":"pro"},"parent":"","successors":[]}`, i, i, i))
	}
	body := []byte(`{"tenants":[` + strings.Join(list, ",") + `]}`)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if _, err := decodeTenants(body); err != nil {
			b.Fatal(err)
		}
	}
}

// FuzzDecodeTenants: whatever a server sends, the list is refused or whole.
func FuzzDecodeTenants(f *testing.F) {
	for _, seed := range []string{
		`{"tenants":[` + full + `]}`, `{"tenants":[{"id":"a"},{"id":"b","parent":"a"}],"total":"2"}`,
		`{"tenants":[{"id":"a"},{"id":"a"}]}`, `{}`, `{"tenants":[null]}`, `{"tenants":[{"id":"a","successors":[1]}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		tenants, err := decodeTenants(body)
		if err != nil {
			return
		}
		state, err := model.NewState(tenants)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range state.Resources() {
			if r.Key.ID == "" || !json.Valid(r.Observed.Raw) {
				t.Fatalf("%q from %q", r.Observed.Raw, body)
			}
			if parent := r.Attrs["parent"].(string); parent != "" {
				if _, ok := state.Get(tenantKey(parent)); !ok {
					t.Fatalf("the parent of %s is missing", r.Key)
				}
			}
			before := r
			steps, err := Encode(model.Transition{Key: r.Key, Before: &before, After: r.Attrs, Managed: []string{"name", "domains", "custom_attributes", "default_roles", "parent"}})
			if err != nil || len(steps) > 0 {
				t.Fatalf("%s: %v, %v where nothing differs", r.Key, steps, err)
			}
		}
	})
}
