package api

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"pcconnect.ai/descope-mgmt/internal/model"
)

func TestDecode(t *testing.T) {
	tenant, err := Decode(model.Tenant, json.RawMessage(full))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(decoded(t, full), tenant); diff != "" {
		t.Error(diff)
	}
	raw := json.RawMessage(`{"flowId":"sign-in","metadata":{"name":"Sign in","componentsVersion":"1"},"contents":{"startTask":"0"}}`)
	flow, err := Decode(model.Flow, raw)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"flowId": "sign-in", "metadata": map[string]any{"name": "Sign in"}, "contents": map[string]any{"startTask": "0"}}
	if diff := cmp.Diff(want, flow.Observed.Fields); diff != "" || flow.Key.String() != "flow/sign-in" || string(flow.Observed.Raw) != string(raw) {
		t.Error(flow, diff)
	}
	for raw, c := range map[string]struct {
		kind model.Kind
		want string
	}{
		`{`:                      {model.Tenant, "a tenant is not understood: "},
		`[]`:                     {model.Tenant, "not a JSON object"},
		`{"name":"A"}`:           {model.Tenant, "without an id"},
		`{"id":"a","domains":1}`: {model.Tenant, "field domains of tenant \"a\""},
		`{"metadata":{}}`:        {model.Flow, "a flow is not understood: a flow without an id"},
		`{"flowId":7}`:           {model.Flow, "without an id"},
		`null`:                   {model.Flow, "not a JSON object"},
		`{}`:                     {"user", `no kind "user"`},
	} {
		if _, err := Decode(c.kind, json.RawMessage(raw)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", raw, err, c.want)
		}
	}
}

func TestWithUnmanaged(t *testing.T) {
	r := decoded(t, full)
	before := maps.Clone(r.Attrs)
	got := WithUnmanaged(r)
	want := map[string]any{
		"authType": "saml", "enforceSSO": true, "enforceSSOExclusions": []any{"U1", "U2"}, "federatedAppIds": []any{"app1", "app2"},
		"idJagSettings": map[string]any{"z": json.Number("1"), "a": map[string]any{"n": json.Number("40")}}, "idJagEnabled": true,
		"futureNumber": json.Number("1000"), "futureObject": map[string]any{"b": json.Number("1"), "a": []any{nil, "\ufffd"}}, "futureEmpty": "",
	}
	if diff := cmp.Diff(want, got.Attrs["unmanaged"]); diff != "" {
		t.Error(diff)
	}
	delete(got.Attrs, "unmanaged")
	if diff := cmp.Diff(before, r.Attrs); diff != "" {
		t.Error("the argument was modified:", diff)
	}
	if diff := cmp.Diff(before, got.Attrs); diff != "" {
		t.Error(diff)
	}
	if got := WithUnmanaged(decoded(t, `{"id":"a","name":"A","domains":["x"],"createdTime":1,"enforceSSO":false,"new":null}`)); !model.Equal(got.Attrs["unmanaged"], map[string]any{}) {
		t.Error(got.Attrs)
	}
	for _, same := range []model.Resource{
		{Key: tenantKey("a"), Attrs: map[string]any{"name": "A"}},
		{Key: model.Key{Kind: model.Flow, ID: "f"}, Observed: &model.Observed{Fields: map[string]any{"x": "y"}}},
	} {
		if diff := cmp.Diff(same, WithUnmanaged(same)); diff != "" {
			t.Error(diff)
		}
	}
}

func TestEncodeUnmanaged(t *testing.T) {
	type fields = map[string]any
	for name, c := range map[string]struct {
		after fields // what unmanaged is to hold, on top of what it does
		drop  []string
		paths []string
		want  map[string]string // the fields of the payload that differ; nil: no call
		err   string
	}{
		"nothing differs":      {paths: []string{"unmanaged", "unmanaged.enforceSSO", "unmanaged.futureNull", "unmanaged.nowhere"}},
		"not managed":          {after: fields{"enforceSSO": false}, paths: []string{"name"}},
		"one field":            {after: fields{"enforceSSO": false, "idJagEnabled": false}, paths: []string{"unmanaged.enforceSSO"}, want: map[string]string{"enforceSSO": "false"}},
		"a field goes":         {drop: []string{"enforceSSO"}, paths: []string{"unmanaged.enforceSSO"}, want: map[string]string{"enforceSSO": "false"}},
		"a null":               {after: fields{"authType": nil}, paths: []string{"unmanaged.authType"}, want: map[string]string{"authType": `""`}},
		"a list goes":          {drop: []string{"federatedAppIds"}, paths: []string{"unmanaged.federatedAppIds"}, want: map[string]string{"federatedAppIds": "[]"}},
		"an object goes":       {drop: []string{"idJagSettings"}, paths: []string{"unmanaged.idJagSettings"}, want: map[string]string{"idJagSettings": "{}"}},
		"an unknown one goes":  {drop: []string{"futureNumber"}, paths: []string{"unmanaged.futureNumber"}, want: map[string]string{"futureNumber": "null"}},
		"an unknown one comes": {after: fields{"a b": "x"}, paths: []string{`unmanaged."a b"`}, want: map[string]string{"a b": `"x"`}},
		"the order of a set":   {after: fields{"enforceSSOExclusions": []any{"U2", "U1"}}, paths: []string{"unmanaged"}},
		"all": {
			after: fields{"enforceSSO": nil, "futureEmpty": "y"}, drop: []string{"idJagEnabled"}, paths: []string{"unmanaged"},
			want: map[string]string{"enforceSSO": "false", "futureEmpty": `"y"`, "idJagEnabled": "false"},
		},
		"a covered field":       {after: fields{"name": "x"}, paths: []string{"unmanaged.enforceSSO"}, err: `field "name" cannot be written as unmanaged.name`},
		"the path of one":       {paths: []string{"unmanaged.parent"}, err: `field "parent" cannot be written`},
		"the server's":          {after: fields{"createdTime": json.Number("1")}, paths: []string{"unmanaged"}, err: `field "createdTime"`},
		"another endpoint's":    {after: fields{"domains": []any{"x"}}, paths: []string{"unmanaged"}, err: `field "domains"`},
		"the wrong type":        {after: fields{"enforceSSO": "yes"}, paths: []string{"unmanaged"}, err: "field enforceSSO has an unexpected type"},
		"not a map":             {drop: []string{"*"}, paths: []string{"unmanaged"}, err: "attribute unmanaged is not a map"},
		"a path inside a field": {paths: []string{"unmanaged.idJagSettings.z"}, err: "unmanaged.idJagSettings.z is inside a field"},
	} {
		before := decoded(t, full)
		after := WithUnmanaged(before).Attrs
		held := maps.Clone(after["unmanaged"].(fields))
		maps.Copy(held, c.after)
		for _, name := range c.drop {
			delete(held, name)
		}
		after["unmanaged"] = held
		if slices.Contains(c.drop, "*") {
			after["unmanaged"] = "all of it"
		}
		steps, err := Encode(model.Transition{Key: before.Key, Before: &before, After: after, Managed: c.paths})
		switch {
		case (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err):
			t.Errorf("%s: %v; want %q", name, err, c.err)
			continue
		case err != nil:
			continue
		case len(steps) == 0 || c.want == nil:
			if len(steps) > 0 || c.want != nil {
				t.Errorf("%s: %v", name, steps)
			}
			continue
		case len(steps) != 1 || steps[0].Op != model.TenantUpdate:
			t.Errorf("%s: %v", name, steps)
			continue
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, []byte(full)); err != nil {
			t.Fatal(err)
		}
		want := rawFields(t, compact.Bytes())
		for _, field := range notUpdated() {
			delete(want, field)
		}
		maps.Copy(want, c.want)
		if diff := cmp.Diff(want, rawFields(t, steps[0].Body)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestEncodeCreateUnmanaged(t *testing.T) {
	create := func(held any) string {
		attrs := map[string]any{"name": "N", "parent": "p", "default_roles": []any{"R"}, "disabled": true, "unmanaged": held}
		steps, err := Encode(model.Transition{Key: tenantKey("new"), After: attrs})
		if err != nil {
			return err.Error()
		}
		var all []string
		for _, s := range steps {
			all = append(all, string(s.Op)+" "+string(s.Body))
		}
		return strings.Join(all, "\n")
	}
	roles := "\n" + `tenant.default_roles {"defaultRoles":["R"],"id":"new"}`
	for name, c := range map[string]struct {
		held any
		want string
	}{
		"absent": {nil, `tenant.create {"disabled":true,"id":"new","name":"N","parent":"p"}` + roles},
		"empty":  {map[string]any{"idJagEnabled": false, "x": nil}, `tenant.create {"disabled":true,"id":"new","name":"N","parent":"p"}` + roles},
		"taken by create": {
			map[string]any{"enforceSSO": true, "authType": "saml", "federatedAppIds": []any{"b", "a"}},
			`tenant.create {"authType":"saml","disabled":true,"enforceSSO":true,"federatedAppIds":["a","b"],"id":"new","name":"N","parent":"p"}` + roles,
		},
		"taken by update": {
			map[string]any{"enforceSSO": true, "idJagEnabled": true, "future": "x"},
			`tenant.create {"disabled":true,"enforceSSO":true,"id":"new","name":"N","parent":"p"}` + "\n" +
				`tenant.update {"disabled":true,"enforceSSO":true,"future":"x","id":"new","idJagEnabled":true,"name":"N"}` + roles,
		},
		"another's": {map[string]any{"successors": []any{}}, `tenant/new: field "successors" cannot be written as unmanaged.successors`},
		"no map":    {"x", "tenant/new: attribute unmanaged is not a map"},
	} {
		if diff := cmp.Diff(c.want, create(c.held)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestUnmanagedChangesExactlyWhatIsAsked draws a tenant and another content for
// its unmanaged fields, manages some of them, and expects just these to change.
func TestUnmanagedChangesExactlyWhatIsAsked(t *testing.T) {
	values := map[string][]string{
		"authType": {`"saml"`, `"none"`, `""`, `null`}, "enforceSSO": {"true", "false", "null"},
		"enforceSSOExclusions": {`["b","a"]`, `["a"]`, `[]`}, "federatedAppIds": {`["x"]`, `null`},
		"idJagSettings": {`{"a":1.0}`, `{}`, `{"a":{"b":null}}`}, "idJagEnabled": {"true", "false"},
		"new": {`1e3`, `null`, `"\u2028"`, `[3,null]`}, "new two": {`true`, `""`}, "é.x": {`{"b":[1]}`, `0.10`},
		"createdTime": {"1"}, "domains": {`["sso"]`}, "parent": {`"p"`}, "customAttributes": {`{"k":1.50}`}, "roleInheritance": {`"none"`},
	}
	names := slices.Sorted(maps.Keys(values))
	draw := func(t *rapid.T, label string) map[string]json.RawMessage {
		raw := map[string]json.RawMessage{"id": json.RawMessage(`"t"`), "name": json.RawMessage(`"N"`)}
		for _, name := range rapid.SliceOfDistinct(rapid.SampledFrom(names), rapid.ID[string]).Draw(t, label) {
			raw[name] = json.RawMessage(rapid.SampledFrom(values[name]).Draw(t, label+" "+name))
		}
		return raw
	}
	decode := func(t *rapid.T, raw map[string]json.RawMessage) model.Resource {
		body, err := encodeRaw(raw)
		if err != nil {
			t.Fatal(err)
		}
		r, err := Decode(model.Tenant, body)
		if err != nil {
			t.Fatal(err)
		}
		return WithUnmanaged(r)
	}
	rapid.Check(t, func(t *rapid.T) {
		raw := draw(t, "before")
		before, other := decode(t, raw), decode(t, draw(t, "after"))
		have, want := before.Attrs["unmanaged"].(map[string]any), other.Attrs["unmanaged"].(map[string]any)
		after := maps.Clone(before.Attrs)
		after["unmanaged"] = want
		both := slices.Concat(slices.Collect(maps.Keys(have)), slices.Collect(maps.Keys(want)))
		slices.Sort(both)
		tr := model.Transition{Key: before.Key, Before: &before, After: after}
		changed := map[string]bool{}
		for _, name := range slices.Compact(both) {
			if rapid.Bool().Draw(t, "manage "+name) {
				tr.Managed = append(tr.Managed, model.JoinPath("unmanaged", name))
				changed[name] = !model.Equal(have[name], want[name])
			}
		}
		steps, err := Encode(tr)
		if err != nil {
			t.Fatal(err)
		}
		differs := slices.Contains(slices.Collect(maps.Values(changed)), true)
		if (len(steps) == 1) != differs || len(steps) > 1 {
			t.Fatalf("%v: %v", tr.Managed, steps)
		}
		if !differs {
			return
		}
		var sent map[string]json.RawMessage
		if err := json.Unmarshal(steps[0].Body, &sent); err != nil {
			t.Fatal(err)
		}
		for name, v := range raw {
			if slices.Contains(notUpdated(), name) {
				v = nil
			}
			if !changed[name] && string(sent[name]) != string(v) {
				t.Fatalf("field %s: sent %s, was %s", name, sent[name], v)
			}
		}
		for name := range sent {
			if raw[name] == nil && !changed[name] {
				t.Fatalf("field %s was not there", name)
			}
		}
		// What the tenant is afterwards: as wanted where it was managed.
		live := decode(t, sent)
		for name := range changed {
			if now := live.Attrs["unmanaged"].(map[string]any)[name]; !model.Equal(now, want[name]) {
				t.Fatalf("field %s is %v, not %v", name, now, want[name])
			}
		}
		if !tenantIsAsSent(steps[0].Body, live, true) || tenantIsAsSent(steps[0].Body, before, true) {
			t.Fatalf("%s is not recognised", steps[0].Body)
		}
		predicted, there, known := tenantAfter(steps[0].Body, before, true)
		if !there || !known || !tenantIsAsSent(steps[0].Body, predicted, true) {
			t.Fatalf("predicted %s", predicted.Observed.Raw)
		}
		// And nothing is left to do.
		again, err := Encode(model.Transition{Key: before.Key, Before: &live, After: after, Managed: tr.Managed})
		if err != nil || len(again) > 0 {
			t.Fatal(again, err)
		}
	})
}
