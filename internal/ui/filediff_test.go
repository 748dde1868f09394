package ui

import "testing"

func TestFileDiff(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		before, after []byte
		want          string
	}{
		"equal":   {[]byte("a\n"), []byte("a\n"), ""},
		"changed": {[]byte("a\nb\n"), []byte("a\nc\n"), "--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n"},
		"new":     {nil, []byte("a\n"), "--- /dev/null\n+++ b/f\n@@ -0,0 +1,1 @@\n+a\n"},
		"gone":    {[]byte("a\n"), nil, "--- a/f\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-a\n"},
		"CRLF":    {[]byte("a\r\n"), []byte("b\r\n"), "--- a/f\n+++ b/f\n@@ -1,1 +1,1 @@\n-a\n+b\n"},
		"hostile": {nil, []byte("\x1b[2J\n"), "--- /dev/null\n+++ b/f\n@@ -0,0 +1,1 @@\n+\\x1b[2J\n"},
	} {
		if got := FileDiff("f", test.before, test.after, Style{}); got != test.want {
			t.Errorf("%s:\n%s", name, got)
		}
	}
	if got := FileDiff("f", []byte("a\n"), []byte("b\n"), Style{Color: true}); got != "\x1b[1m--- a/f\x1b[0m\n\x1b[1m+++ b/f\x1b[0m\n\x1b[36m@@ -1,1 +1,1 @@\x1b[0m\n\x1b[31m-a\x1b[0m\n\x1b[94m+b\x1b[0m\n" {
		t.Errorf("%q", got)
	}
}
