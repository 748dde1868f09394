package api

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"log/slog"
	"net/url"
	"strings"
	"testing"
)

func TestSecretIsNeverShown(t *testing.T) {
	s := NewSecret(testKey)
	type inner struct {
		key Secret
		Key Secret
		P   *Secret
	}
	holder := inner{key: s, Key: s, P: &s}
	var out strings.Builder
	for _, verb := range strings.Split("%v %+v %#v %s %q %x %X %d %t %b %p %T %U %e %10s %-5v", " ") {
		for _, v := range []any{s, &s, holder, &holder, []Secret{s}, map[string]Secret{"k": s}, []any{holder}} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
	}
	for _, v := range []any{s, &s, holder, []Secret{s}, map[string]any{"k": s}} {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(b)
	}
	var logged bytes.Buffer
	for _, h := range []slog.Handler{slog.NewJSONHandler(&logged, nil), slog.NewTextHandler(&logged, nil)} {
		slog.New(h).Info("x", "key", s, "holder", holder, "any", slog.AnyValue(s))
	}
	text, err := s.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	out.WriteString(logged.String() + string(text) + s.String() + s.GoString())
	if strings.Contains(out.String(), testKey[5:12]) {
		t.Errorf("the key shows:\n%s", out.String())
	}
	if !strings.Contains(out.String(), masked) {
		t.Error("nothing was masked")
	}
	if s.Reveal() != testKey {
		t.Error("the key is lost")
	}
}

func TestSecretHint(t *testing.T) {
	for in, want := range map[string]string{testKey: "K3fK…", "short": masked, "": masked, strings.Repeat("é", 30): "éééé…"} {
		if got := NewSecret(in).Hint(); got != want {
			t.Errorf("Hint of %q is %q, want %q", in, got, want)
		}
	}
	var zero Secret
	if zero.Hint() != masked || !zero.Empty() || zero.Reveal() != "" || zero.Redact("x") != "x" {
		t.Error("the zero secret is not empty")
	}
}

func TestSecretMalformed(t *testing.T) {
	for in, fine := range map[string]bool{testKey: true, "K1": true, "": false, "K1\n": false, "K 1": false, "Kü": false, "K\x00": false, `"K2x"`: false, `'K2x'`: false, `K2x"`: false, `K"2'x`: true} {
		if got := NewSecret(in).malformed(); (got == "") != fine {
			t.Errorf("malformed(%q) = %q", in, got)
		}
	}
}

// TestRedact: what a server repeats has no key in it, however it spells it.
func TestRedact(t *testing.T) {
	for _, key := range []string{testKey, "Kx9q7w", "K2NhbmFyeSBjYW5hcnkgY2FuYXJ5+/Pz8/Pj4+Pg==", `K"<&>'\$(x)%41`} {
		s := NewSecret(key)
		quoted, err := json.Marshal(key)
		if err != nil {
			t.Fatal(err)
		}
		for _, spelt := range []string{
			key, string(quoted), fmt.Sprintf("%q", key), html.EscapeString(key), url.QueryEscape(key), url.PathEscape(key),
			base64.StdEncoding.EncodeToString([]byte(key)), "?key=" + url.QueryEscape(key) + "&again=" + key,
		} {
			got := s.Redact("you said " + spelt + " twice: " + spelt)
			if strings.Contains(got, key) || strings.Contains(got, spelt) || strings.Count(got, masked) < 2 || !strings.HasPrefix(got, "you said ") {
				t.Errorf("%q of %q became %q", spelt, key, got)
			}
		}
	}
}
