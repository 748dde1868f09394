package ui

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"pcconnect.ai/descope-mgmt/internal/plan"
)

func TestSafe(t *testing.T) {
	for in, want := range map[string]string{
		"":                       "",
		"Acme Ünïcode 日本 🎉":      "Acme Ünïcode 日本 🎉",
		`back\slash`:             `back\slash`,
		"a\x1b[2Jb":              `a\x1b[2Jb`,
		"a\nb\tc\rd\x00\x7f":     `a\nb\tc\rd\x00\x7f`,
		"\u009b31m":              `\u009b31m`,
		"evil\u202egnp.exe":      `evil\u202egnp.exe`,
		"a\u2028b\u200bc\ufeffd": `a\u2028b\u200bc\ufeffd`,
		"bad \xff\xc3 end":       `bad \xff\xc3 end`,
		"real \ufffd":            "real \ufffd",
		"tag \U000e0041":         `tag \U000e0041`,
	} {
		if got := Safe(in); got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
	}
	if got, want := SafeLines("a\tb\x1b\r\nc\xff\n"), "a\tb\\x1b\nc\\xff\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := SafeLines("plain"); got != "plain" {
		t.Errorf("got %q", got)
	}
}

// hostile draws text that likes to break terminals.
func hostile() *rapid.Generator[string] {
	nasty := rapid.SampledFrom([]string{"\x1b[31m", "\u009b", "\u202e", "\n", "\r", "\x00", "\xff", "\"", "\\", "\u2066", "\U000e0001", "日", "e\u0301"})
	return rapid.Map(rapid.SliceOfN(rapid.OneOf(nasty, rapid.String()), 0, 6), func(s []string) string { return strings.Join(s, "") })
}

func harmful(s string) bool {
	return !utf8.ValidString(s) || strings.IndexFunc(s, func(r rune) bool {
		return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || unicode.In(r, unicode.Zl, unicode.Zp)
	}) >= 0
}

func TestNothingHarmfulGetsThrough(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := hostile().Draw(t, "s")
		if got := Safe(s); harmful(got) || Safe(got) != got {
			t.Fatalf("Safe: %q", got)
		}
		v := map[string]any{s: []any{s, nil, true, json.Number("4")}}
		if got := Value(v, 0); harmful(got) || strings.Contains(got, "\t") {
			t.Fatalf("Value: %q", got)
		}
		var back any
		if err := json.Unmarshal([]byte(Value(s, 0)), &back); err != nil || back != strings.ToValidUTF8(s, "") && !strings.Contains(s, "\xff") {
			t.Fatalf("Value(%q) = %s is not its JSON: %v", s, Value(s, 0), err)
		}
		width := rapid.IntRange(1, 30).Draw(t, "width")
		if got := Value(v, width); cells(got) > width || harmful(got) {
			t.Fatalf("%q is wider than %d", got, width)
		}
	})
}

func TestValue(t *testing.T) {
	for _, tc := range []struct {
		v     any
		width int
		want  string
	}{
		{"Widget Inc", 0, `"Widget Inc"`},
		{[]any{"acme.com", "acme.net"}, 0, `["acme.com", "acme.net"]`},
		{map[string]any{"b": json.Number("1e1000"), "a": nil}, 0, `{"a": null, "b": 1e1000}`},
		{plan.Absent{}, 0, "(none)"},
		{[]any{}, 0, "[]"},
		{map[string]any{}, 0, "{}"},
		{true, 0, "true"},
		{3, 0, "3"},
		{math.Inf(1), 0, "+Inf"},
		{"a\nb\u202e", 0, `"a\nb\u202e"`},
		{"0123456789", 7, `"01…89"`},
		{"日本語日本語", 7, `"日…語"`},
		{"x", 1, "…"},
	} {
		if got := Value(tc.v, tc.width); got != tc.want {
			t.Errorf("Value(%v, %d) = %s, want %s", tc.v, tc.width, got, tc.want)
		}
	}
}

func TestValuePair(t *testing.T) {
	const digits = "0123456789012345678901234567"
	long := strings.Repeat("x", 100)
	for _, tc := range []struct {
		before, after any
		width         int
		want          string
	}{
		{"a", "b", 24, `"a" → "b"`},
		{plan.Absent{}, digits, 30, `(none) → "01234567890…8901234567"`},
		{digits, false, 30, `"01234567890…78901234567" → false`},
		{long + "1", long + "2", 30, `…xxx1" → …xxx2"`},
		{long + "1", long + "2", 0, `"` + long + `1" → "` + long + `2"`},
	} {
		b, a := valuePair(tc.before, tc.after, tc.width)
		if got := b + " → " + a; got != tc.want {
			t.Errorf("got %s, want %s", got, tc.want)
		}
	}
}

// TestValuePairShowsTheDifference: however long two values are, the pair never
// looks the same on both sides.
func TestValuePairShowsTheDifference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		some := func(label string) string {
			unit := rapid.SampledFrom([]string{"p", "日", "e\u0301"}).Draw(t, label)
			return strings.Repeat(unit, rapid.IntRange(0, 200).Draw(t, label+" times"))
		}
		prefix, before, after := some("prefix"), some("before"), some("after")
		width := rapid.IntRange(2*minValue, 120).Draw(t, "width")
		b, a := valuePair(prefix+"1"+before, prefix+"2"+after, width)
		if b == a || cells(b)+cells(a) > width {
			t.Fatalf("%s → %s", b, a)
		}
	})
}
