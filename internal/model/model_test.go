package model

import (
	"encoding/json"
	"math/big"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestCanonicalNumber(t *testing.T) {
	for in, want := range map[string]string{
		"0": "0", "-0": "0", "0.000": "0", "0e99": "0", "40": "40", "40.0": "40", "4e1": "40", "4E+1": "40", "400e-1": "40",
		"1.50": "1.5", "-1.50": "-1.5", "0.05": "0.05", "5e-2": "0.05", "12345678901234567890": "12345678901234567890",
		"1e21": "1000000000000000000000", "1e1000": "1e1000", "10e999": "1e1000", "1e-1000": "1e-1000",
		"123.456e1": "1234.56", "007": "7",
	} {
		got, err := CanonicalNumber(in)
		if err != nil || string(got) != want {
			t.Errorf("CanonicalNumber(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
	for _, in := range []string{"", "-", ".", "1.", ".5", "1e", "1e1.5", "x", "1e99999999999", "NaN", "+1", "--1"} {
		if got, err := CanonicalNumber(in); err == nil {
			t.Errorf("CanonicalNumber(%q) = %q; want an error", in, got)
		}
	}
}

func TestCanonicalNumberKeepsTheValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.StringMatching(`-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?`).Draw(t, "number")
		got, err := CanonicalNumber(in)
		if err != nil {
			t.Fatal(err)
		}
		want, ok1 := new(big.Rat).SetString(in)
		have, ok2 := new(big.Rat).SetString(string(got))
		if !ok1 || !ok2 || want.Cmp(have) != 0 {
			t.Fatalf("%s became %s", in, got)
		}
		if again, err := CanonicalNumber(string(got)); err != nil || again != got {
			t.Fatalf("%s became %s, then %s (%v)", in, got, again, err)
		}
		if !json.Valid([]byte(got)) {
			t.Fatalf("%s is not JSON", got)
		}
	})
}

func TestPathsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		elements := rapid.SliceOfN(rapid.String(), 1, 4).Draw(t, "elements")
		for i, e := range elements {
			elements[i] = strings.ToValidUTF8(e, "?")
		}
		path := JoinPath(elements...)
		got, ok := SplitPath(path)
		if !ok || !cmp.Equal(got, elements) {
			t.Fatalf("%q became %q (%v) through %s", elements, got, ok, path)
		}
	})
	for _, bad := range []string{"", ".", "a.", "a..b", `"a`, `"a"b`, "a b"} {
		if got, ok := SplitPath(bad); ok {
			t.Errorf("SplitPath(%q) = %q; want a refusal", bad, got)
		}
	}
}

func TestNormalizeAndEqual(t *testing.T) {
	a, err := Normalize(map[string]any{"n": 40.0, "l": []string{"x"}, "i": 7, "z": nil, "b": true, "big": int64(1) << 62})
	if err != nil {
		t.Fatal(err)
	}
	b, err := DecodeJSON([]byte(`{"big":4611686018427387904,"b":true,"i":7.0,"l":["x"],"n":4e1,"z":null}`))
	if err != nil {
		t.Fatal(err)
	}
	if !Equal(a, b) {
		t.Errorf("%s and %s differ", CanonicalJSON(a), CanonicalJSON(b))
	}
	if !Equal(a, Clone(a)) {
		t.Error("a clone differs")
	}
	for _, pair := range [][2]any{{nil, []any{}}, {[]any{}, map[string]any{}}, {"1", json.Number("1")}, {map[string]any{"a": nil}, map[string]any{"b": nil}}, {[]any{"a"}, []any{"a", "b"}}, {true, []any{}}} {
		if Equal(pair[0], pair[1]) || Equal(pair[1], pair[0]) {
			t.Errorf("%#v equals %#v", pair[0], pair[1])
		}
	}
	for _, bad := range []any{struct{}{}, []any{1i}, map[string]any{"a b": make(chan int)}, json.Number("x")} {
		if _, err := Normalize(bad); err == nil {
			t.Errorf("Normalize(%#v) passes", bad)
		}
	}
	for _, bad := range []string{``, `{`, `{} {}`, `{} ]`, `{}}`, `1 x`} {
		if v, err := DecodeJSON([]byte(bad)); err == nil {
			t.Errorf("DecodeJSON(%q) = %v", bad, v)
		}
	}
}

func TestSortedSet(t *testing.T) {
	got := SortedSet([]any{"b", "a", "b", json.Number("2")})
	if want := []any{"a", "b", json.Number("2")}; !cmp.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestEffectiveTenant(t *testing.T) {
	list := func(s ...any) []any { return append([]any{}, s...) }
	for name, c := range map[string]struct {
		written, live map[string]any
		want          []any // nil: unmanaged
	}{
		"nothing written":                      {map[string]any{"name": "x"}, map[string]any{"domains": list("a")}, nil},
		"both, on":                             {map[string]any{"domains": list("b"), "self_provisioning": true}, map[string]any{"domains": list("a")}, list("b")},
		"both, off":                            {map[string]any{"domains": list("b"), "self_provisioning": false}, map[string]any{"domains": list("a")}, list()},
		"switch on alone":                      {map[string]any{"self_provisioning": true}, map[string]any{"domains": list("a")}, list("a")},
		"switch off alone":                     {map[string]any{"self_provisioning": false}, map[string]any{"domains": list("a")}, list()},
		"domains alone, live on":               {map[string]any{"domains": list("b")}, map[string]any{"domains": list("a")}, list("b")},
		"domains alone, live off":              {map[string]any{"domains": list("b")}, map[string]any{"domains": list()}, list()},
		"domains alone, new":                   {map[string]any{"domains": list("b")}, nil, list()},
		"empty domains alone empties":          {map[string]any{"domains": list()}, map[string]any{"domains": list("a")}, list()},
		"switch on alone, nothing live":        {map[string]any{"self_provisioning": true}, nil, list()},
		"switch on with an empty list empties": {map[string]any{"domains": list(), "self_provisioning": true}, map[string]any{"domains": list("a")}, list()},
	} {
		got := Spec(Tenant).Effective(c.written, c.live)
		have, managed := got["domains"].([]any)
		if (c.want != nil) != managed || (managed && !Equal(have, c.want)) {
			t.Errorf("%s: domains %v, want %v", name, got["domains"], c.want)
		}
		if managed && got["self_provisioning"] != (len(c.want) > 0) {
			t.Errorf("%s: self_provisioning %v with domains %v", name, got["self_provisioning"], have)
		}
		for k := range c.written {
			if _, ok := got[k]; !ok {
				t.Errorf("%s: %s is lost", name, k)
			}
		}
	}
}

func TestState(t *testing.T) {
	r := func(id string) Resource { return Resource{Key: Key{Tenant, id}, Attrs: map[string]any{"name": id}} }
	flow := Resource{Key: Key{Flow, "a"}, Attrs: map[string]any{}}
	s, err := NewState([]Resource{flow, r("b"), r("a")})
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, x := range s.Resources() {
		keys = append(keys, x.Key.String())
	}
	if want := []string{"tenant/a", "tenant/b", "flow/a"}; !cmp.Equal(keys, want) {
		t.Errorf("order %v, want %v", keys, want)
	}
	if len(s.Of(Tenant)) != 2 || len(s.Of(Flow)) != 1 || len((State{}).Of(Flow)) != 0 {
		t.Error("Of counts wrong")
	}
	if _, ok := s.Get(Key{Tenant, "c"}); ok {
		t.Error("found what is not there")
	}
	changed := r("b")
	changed.Attrs = map[string]any{"name": "other"}
	if with := s.With(changed); with.Len() != 3 || with.Digest() == s.Digest() || with.With(r("b")).Digest() != s.Digest() {
		t.Error("With does not replace")
	}
	if with := s.With(r("0")); with.Len() != 4 || with.Resources()[0].Key.ID != "0" {
		t.Error("With does not insert in order")
	}
	if kept := s.Filter(func(r Resource) bool { return r.Key.ID == "a" }); kept.Len() != 2 {
		t.Errorf("Filter kept %d", kept.Len())
	}
	if _, err := NewState([]Resource{r("a"), r("a")}); err == nil || !strings.Contains(err.Error(), "tenant/a") {
		t.Errorf("duplicate: %v", err)
	}
	moved := r("a")
	moved.Observed = &Observed{Fields: map[string]any{"enforceSSO": true}}
	if moved.Digest() == r("a").Digest() {
		t.Error("observed fields do not count in the digest")
	}
}

func TestKeys(t *testing.T) {
	k, err := ParseKey("tenant/T2 abc/x")
	if err != nil || k != (Key{Tenant, "T2 abc/x"}) {
		t.Errorf("got %v, %v", k, err)
	}
	for _, bad := range []string{"", "tenant", "tenant/", "user/x", "/x"} {
		if _, err := ParseKey(bad); err == nil {
			t.Errorf("ParseKey(%q) passes", bad)
		}
	}
	var back Key
	text, _ := k.MarshalText()
	if err := back.UnmarshalText(text); err != nil || back != k {
		t.Errorf("round trip gives %v, %v", back, err)
	}
	if back.UnmarshalText([]byte("x")) == nil {
		t.Error("bad text passes")
	}
}

func TestDiagnosticsSort(t *testing.T) {
	at := func(line int) Diagnostic {
		return Diagnostic{Severity: Error, Code: "c", Summary: "s", Origin: Origin{"f", line, 1}}
	}
	warn := Diagnostic{Severity: Warning, Code: "w"}
	d := Diagnostics{at(2), at(1), at(2), warn}.Sort()
	if len(d) != 3 || d[1].Origin.Line != 1 || len(d.Errors()) != 2 {
		t.Errorf("got %v", d)
	}
	if got := at(2).Origin.String(); got != "f:2:1" {
		t.Errorf("origin %q", got)
	}
	if got := (Origin{}).String(); got != "" {
		t.Errorf("no origin prints %q", got)
	}
}

func TestResourceLookups(t *testing.T) {
	top, plan := Origin{"f", 1, 1}, Origin{"f", 2, 1}
	r := Resource{Origin: top, Origins: map[string]Origin{"custom_attributes": plan}, Policy: Policy{Ignore: []string{"custom_attributes.plan", "name"}}}
	if r.FieldOrigin("custom_attributes.plan") != plan || r.FieldOrigin("name") != top {
		t.Error("FieldOrigin does not fall back")
	}
	if !r.Policy.Ignores("custom_attributes.plan") || !r.Policy.Ignores("name.x") || r.Policy.Ignores("custom_attributes") {
		t.Error("Ignores is wrong")
	}
	attrs := Sorted(Tenant, map[string]any{"domains": []any{"b", "a", "a"}})
	if !cmp.Equal(attrs["domains"], []any{"a", "b"}) {
		t.Errorf("got %v", attrs)
	}
}

func TestSuggest(t *testing.T) {
	fields := []string{"name", "domains", "self_provisioning", "protected"}
	for word, want := range map[string]string{"protcted": "protected", "self-provisioning": "self_provisioning", "domain": "domains", "Name": "name", "xyz": "", "": "", "domanis": "domains", "anme": "name", "amne": ""} {
		if got := Suggest(word, fields); got != want {
			t.Errorf("Suggest(%q) = %q, want %q", word, got, want)
		}
	}
	// In a short word, two letters in each other's place are still one mistake.
	for word, want := range map[string]string{"dve": "dev", "edv": "dev", "vde": "", "dex": "dev", "tets": "test", "prdo": "prod"} {
		if got := Suggest(word, []string{"dev", "devtest", "prod", "staging", "test"}); got != want {
			t.Errorf("Suggest(%q) = %q, want %q", word, got, want)
		}
	}
}

func TestKindTable(t *testing.T) {
	last := -1
	for _, s := range Kinds() {
		if s.Stage <= last {
			t.Errorf("%s: stages do not ascend", s.Kind)
		}
		last = s.Stage
		if Spec(s.Kind).Field != s.Field {
			t.Errorf("%s: Spec gives another row", s.Kind)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("Spec of an unknown kind does not panic")
		}
	}()
	Spec("nonsense")
}

// TestTable: kinds without a field are known everywhere but in the configuration.
func TestTable(t *testing.T) {
	stage := 0
	for _, s := range Table() {
		if s.Stage <= stage {
			t.Errorf("%s stands at stage %d, after %d", s.Kind, s.Stage, stage)
		}
		stage = s.Stage
		if k, err := ParseKind(string(s.Kind)); err != nil || k != Spec(k).Kind {
			t.Errorf("%s: %v", s.Kind, err)
		}
		configured := false
		for _, c := range Kinds() {
			configured = configured || c.Kind == s.Kind
		}
		if configured != s.Configured() {
			t.Errorf("%s: configured %v", s.Kind, s.Configured())
		}
	}
	theme := Spec(Theme).Effective
	written := map[string]any{"components_version": "1.0.0"}
	if got := theme(written, map[string]any{"components_version": "2.0.0"}); got["components_version"] != "2.0.0" || written["components_version"] != "1.0.0" {
		t.Error(got)
	}
	if got := theme(written, map[string]any{"components_version": ""}); got["components_version"] != "1.0.0" {
		t.Error(got)
	}
}

func TestDiagnosticsOfTwoObjects(t *testing.T) {
	about := func(id string) Diagnostic { return Diagnostic{Code: "x", Summary: "the same", Key: &Key{Tenant, id}} }
	all := Diagnostics{about("b"), {Code: "x", Summary: "the same"}, about("a"), about("b")}.Sort()
	if len(all) != 3 || all[0].Key != nil || all[1].Key.ID != "a" || all[2].Key.ID != "b" {
		t.Errorf("%+v", all)
	}
}
