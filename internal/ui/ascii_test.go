package ui

import (
	"bytes"
	"testing"
)

func TestASCII(t *testing.T) {
	for in, want := range map[string]string{
		"":                            "",
		"plain\x1b[1m\n":              "plain\x1b[1m\n",
		"a → b…":                      "a > b~",
		"Zażółć日":                     "Za??????",
		"e\u0301":                     "e",
		"broken \xff":                 "broken ?",
		"▀ Reading":                   "# Reading",
		"─ rule — and – dash █ ▄ bar": "- rule - and - dash # - bar",
	} {
		var b bytes.Buffer
		n, err := asciiWriter{&b}.Write([]byte(in))
		if got := b.String(); got != want || n != len(in) || err != nil {
			t.Errorf("%q became %q, want %q (%d, %v)", in, got, want, n, err)
		}
	}
}

func TestLocale(t *testing.T) {
	for _, tt := range []struct {
		env  map[string]string
		want bool
	}{
		{nil, true},
		{map[string]string{"LANG": "en_US.UTF-8"}, true},
		{map[string]string{"LANG": "C.utf8"}, true},
		{map[string]string{"LANG": "C"}, false},
		{map[string]string{"LANG": "de_DE.ISO-8859-1"}, false},
		{map[string]string{"LANG": "en_US.UTF-8", "LC_ALL": "C"}, false},
		{map[string]string{"LANG": "POSIX", "LC_CTYPE": "C.UTF-8"}, true},
		{map[string]string{"LC_ALL": "", "LANG": "C.UTF-8"}, true},
	} {
		got := speaksUTF8(func(name string) (string, bool) { v, ok := tt.env[name]; return v, ok })
		if got != tt.want {
			t.Errorf("%v: %v", tt.env, got)
		}
	}
}
