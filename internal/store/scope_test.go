package store

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestScopeName(t *testing.T) {
	d := open(t)
	name := func(base, project string) string {
		t.Helper()
		s, err := d.Scope(base, project)
		if err != nil {
			t.Fatal(err)
		}
		return s.Name()
	}
	if got := name("https://api.descope.com", "P2abc"); !strings.HasPrefix(got, "api.descope.com_P2abc_") {
		t.Errorf("the name %q does not tell what it is for", got)
	}
	same := []string{"https://api.descope.com", "https://api.descope.com/", "HTTPS://API.descope.com:443", " https://api.descope.com"}
	for _, base := range same[1:] {
		if name(base, "P2abc") != name(same[0], "P2abc") {
			t.Errorf("%q is another scope than %q", base, same[0])
		}
	}
	other := [][2]string{
		{"https://api.descope.com", "P2ABC"},
		{"http://api.descope.com", "P2abc"},
		{"https://api.descope.com:8443", "P2abc"},
		{"https://api.descope.com/x", "P2abc"},
		{"emulator", "P2abc"},
		{"https://api.descope.comP", "2abc"},
	}
	seen := map[string]bool{strings.ToLower(name(same[0], "P2abc")): true}
	for _, o := range other {
		n := strings.ToLower(name(o[0], o[1]))
		if seen[n] {
			t.Errorf("%v shares its scope with another", o)
		}
		seen[n] = true
	}
	for _, empty := range [][2]string{{"", "P"}, {"https://x", ""}} {
		if _, err := d.Scope(empty[0], empty[1]); err == nil {
			t.Errorf("%q is accepted", empty)
		}
	}
}

func TestFileNameIsSafe(t *testing.T) {
	safe := regexp.MustCompile(`^[A-Za-z0-9_.-]{18,160}$`)
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"..", "/etc/passwd", "a/../../b", "\x00", "CON", strings.Repeat("x", 999)})).Draw(t, "a")
		b := rapid.String().Draw(t, "b")
		n := fileName(a, b)
		if !safe.MatchString(n) || strings.HasPrefix(n, ".") || filepath.Base(n) != n {
			t.Fatalf("%q is no safe name", n)
		}
		if a != b && fileName(b, a) == n {
			t.Fatalf("%q and %q share a name", a, b)
		}
	})
}
