package ui

import (
	"testing"
)

func TestTable(t *testing.T) {
	table := NewTable("id", "name", "domains")
	if got := table.Text(Style{TTY: true}); got != "" {
		t.Errorf("empty: %q", got)
	}
	table.Add("acme-corp", "Acme 日本", "acme.com, acme.net, acme.org, and more")
	table.Add("x", "tab\tand\x1b", "", "surplus")
	table.Add("y")
	if table.Len() != 3 {
		t.Errorf("%d rows", table.Len())
	}
	for name, tc := range map[string]struct {
		style Style
		want  string
	}{
		"pipe": {Style{}, "acme-corp\tAcme 日本\tacme.com, acme.net, acme.org, and more\nx\ttab\\tand\\x1b\t\ny\t\t\n"},
		"terminal": {Style{TTY: true, Width: 50}, `ID         NAME          DOMAINS
acme-corp  Acme 日本     acme.com, acme.net, acme…
x          tab\tand\x1b
y
`},
		"verbose": {Style{TTY: true, Width: 50, Verbose: true}, `ID         NAME          DOMAINS
acme-corp  Acme 日本     acme.com, acme.net, acme.org, and more
x          tab\tand\x1b
y
`},
	} {
		if got := table.Text(tc.style); got != tc.want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, tc.want)
		}
	}
}
