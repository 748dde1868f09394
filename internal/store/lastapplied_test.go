package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"pcconnect.ai/descope-mgmt/internal/model"
)

func TestLastAppliedRoundTrip(t *testing.T) {
	s := scope(t, open(t))
	if got, err := s.LoadLastApplied(); err != nil || got.Len() != 0 {
		t.Fatalf("nothing applied yet: %d resources, %v", got.Len(), err)
	}
	full := model.Resource{
		Key: model.Key{Kind: model.Tenant, ID: "acme-corp"},
		Attrs: map[string]any{
			"name": "Ac<me> & \u2028 Ünï", "domains": []any{"acme.com"}, "self_provisioning": true,
			"custom_attributes": map[string]any{"seats": json.Number("12345678901234567890"), "gone": nil, "rate": json.Number("1e1000")},
		},
		Policy:  model.Policy{PreventDestroy: true, Ignore: []string{"name"}, Exclusive: []string{"custom_attributes"}, Imported: true},
		Origin:  model.Origin{File: "envs/x.cue", Line: 3, Column: 1},
		Origins: map[string]model.Origin{"name": {File: "envs/x.cue", Line: 4, Column: 1}},
		Observed: &model.Observed{
			Raw: json.RawMessage(`{"secret":1}`), Fields: map[string]any{"secret": json.Number("1")},
		},
	}
	if err := s.SaveLastApplied(state(t, full, tenant("bare", map[string]any{})), meta()); err != nil {
		t.Fatal(err)
	}
	got, err := s.LoadLastApplied()
	if err != nil {
		t.Fatal(err)
	}
	want := full
	want.Origin, want.Origins, want.Observed = model.Origin{}, nil, nil
	if diff := cmp.Diff([]model.Resource{want, tenant("bare", map[string]any{})}, got.Resources()); diff != "" {
		t.Error(diff)
	}
	text, _ := os.ReadFile(s.lastAppliedPath())
	if bytes.Contains(text, []byte("secret")) || bytes.Contains(text, []byte("x.cue")) {
		t.Errorf("more was saved than attributes and policy:\n%s", text)
	}
	other, _ := s.dir.Scope("https://api.descope.com", "P2other")
	if got, err := other.LoadLastApplied(); err != nil || got.Len() != 0 {
		t.Errorf("another project sees %d resources, %v", got.Len(), err)
	}
}

func TestLastAppliedRoundTripProperty(t *testing.T) {
	s := scope(t, open(t))
	value := rapid.OneOf(
		rapid.Map(rapid.String(), func(s string) any { return s }),
		rapid.Map(rapid.Int64(), func(n int64) any { return n }),
		rapid.Map(rapid.Float64(), func(n float64) any { return n }),
		rapid.Map(rapid.Bool(), func(b bool) any { return b }),
		rapid.Map(rapid.SliceOfN(rapid.String(), 0, 3), func(l []string) any { return l }),
		rapid.Just(any(nil)),
	)
	rapid.Check(t, func(rt *rapid.T) {
		ids := rapid.SliceOfNDistinct(rapid.StringMatching(`[^\x00-\x1f]{1,9}`), 0, 4, rapid.ID[string]).Draw(rt, "ids")
		var resources []model.Resource
		for _, id := range ids {
			attrs, err := model.Normalize(rapid.MapOfN(rapid.StringMatching(`[a-z "]{1,9}`), value, 0, 4).Draw(rt, "attrs"))
			if err != nil {
				rt.Fatal(err)
			}
			resources = append(resources, tenant(id, attrs.(map[string]any)))
		}
		want, err := model.NewState(resources)
		if err != nil {
			rt.Fatal(err)
		}
		if err := s.SaveLastApplied(want, meta()); err != nil {
			rt.Fatal(err)
		}
		before, _ := os.ReadFile(s.lastAppliedPath())
		got, err := s.LoadLastApplied()
		if err != nil || got.Digest() != want.Digest() {
			rt.Fatalf("%v\n%s", err, cmp.Diff(want.Resources(), got.Resources()))
		}
		if err := s.SaveLastApplied(got, meta()); err != nil {
			rt.Fatal(err)
		}
		if after, _ := os.ReadFile(s.lastAppliedPath()); !bytes.Equal(before, after) {
			rt.Fatal("the same state gives other bytes")
		}
	})
}

// TestLastAppliedEveryByte changes, drops and repeats each byte of the file in
// turn: none of it may pass.
func TestLastAppliedEveryByte(t *testing.T) {
	s := scope(t, open(t))
	r := tenant("acme", map[string]any{"name": "Acme", "n": json.Number("40")})
	r.Policy.PreventDestroy = true
	if err := s.SaveLastApplied(state(t, r), meta()); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(s.lastAppliedPath())
	if err != nil {
		t.Fatal(err)
	}
	check := func(what string, i int, damaged []byte) {
		t.Helper()
		if _, reason := s.parseLastApplied(damaged); reason == "" {
			t.Errorf("byte %d (%q) %s: not noticed", i, text[i], what)
		}
	}
	for i := range text {
		for _, bit := range []byte{0x01, 0x20, 0x80, 0xff} {
			flipped := bytes.Clone(text)
			flipped[i] ^= bit
			check("flipped", i, flipped)
		}
		check("dropped", i, append(bytes.Clone(text[:i]), text[i+1:]...))
		check("repeated", i, append(bytes.Clone(text[:i+1]), text[i:]...))
		check("and all after it cut off", i, text[:i])
	}
	if _, reason := s.parseLastApplied(text); reason != "" {
		t.Errorf("the undamaged file: %s", reason)
	}
}

func TestLastAppliedDamaged(t *testing.T) {
	d := open(t)
	s := scope(t, d)
	sealed := func(content any) []byte {
		b, err := seal(content)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	saved := func(resources ...savedResource) lastApplied {
		return lastApplied{BaseURL: s.baseURL, Project: s.project, Resources: resources}
	}
	twice := savedResource{Key: model.Key{Kind: model.Tenant, ID: "a"}, Attrs: map[string]any{}}
	newer := bytes.Replace(sealed(saved()), []byte(`"1.0"`), []byte(`"2.0"`), 1)
	for name, tc := range map[string]struct {
		text []byte
		want string
	}{
		"empty":           {nil, "unexpected end"},
		"other text":      {[]byte("<html>"), "invalid character"},
		"newer":           {newer, `its format version is "2.0"`},
		"other project":   {sealed(lastApplied{BaseURL: s.baseURL, Project: "P9"}), `it belongs to project "P9"`},
		"other server":    {sealed(lastApplied{BaseURL: "https://x", Project: s.project}), "at https://x"},
		"a key twice":     {sealed(saved(twice, twice)), "tenant/a is there twice"},
		"unknown kind":    {sealed(map[string]any{"resources": []any{map[string]any{"key": "ghost/x"}}}), "no kind"},
		"impossible size": {sealed(map[string]any{"base_url": s.baseURL, "project": s.project, "resources": []any{map[string]any{"key": "tenant/x", "attrs": map[string]any{"n": json.Number("1e99999999999")}}}}), "tenant/x"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := d.sub(lastAppliedDir); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(s.lastAppliedPath(), tc.text, 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := s.LoadLastApplied()
			var corrupt *CorruptError
			if !errors.As(err, &corrupt) || corrupt.Path != s.lastAppliedPath() || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want a CorruptError with %q", err, tc.want)
			}
			if got.Len() != 0 || err != nil && !strings.Contains(err.Error(), "move it away") {
				t.Errorf("no advice in %v", err)
			}
		})
	}
}

func TestLastAppliedUnreadable(t *testing.T) {
	d := open(t)
	s := scope(t, d)
	if err := os.MkdirAll(s.lastAppliedPath(), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := s.LoadLastApplied(); err == nil || !strings.Contains(err.Error(), "reading "+s.lastAppliedPath()) {
		t.Errorf("got %v", err)
	}
	if err := s.SaveLastApplied(state(t), meta()); err == nil {
		t.Error("saved over a directory")
	}
	d.disk = brokenDisk{write: syscall.ENOSPC}
	other, _ := d.Scope("https://api.descope.com", "P3")
	if err := other.SaveLastApplied(state(t), meta()); err == nil || !strings.Contains(err.Error(), "the disk is full") {
		t.Errorf("got %v", err)
	}
	if err := os.RemoveAll(d.Path()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(d.Path(), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.SaveLastApplied(state(t), meta()); err == nil || !strings.Contains(err.Error(), filepath.Join(d.Path(), lastAppliedDir)) {
		t.Errorf("got %v", err)
	}
}
