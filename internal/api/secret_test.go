package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
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
	if zero.Hint() != masked || !zero.Empty() || zero.Reveal() != "" || zero.redact("x") != "x" {
		t.Error("the zero secret is not empty")
	}
}

func TestSecretMalformed(t *testing.T) {
	for in, fine := range map[string]bool{testKey: true, "K1": true, "": false, "K1\n": false, "K 1": false, "Kü": false, "K\x00": false} {
		if got := NewSecret(in).malformed(); (got == "") != fine {
			t.Errorf("malformed(%q) = %q", in, got)
		}
	}
}
