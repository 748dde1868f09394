package ui

import (
	"strings"
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

// TestTableNarrow: a table keeps to its terminal down to 40 columns: wide columns
// shrink, then empty and last ones go, which is said. The first one is what a
// person copies from.
func TestTableNarrow(t *testing.T) {
	table := NewTable("id", "name", "domains", "parent", "configured")
	table.Add("acme-corp", "Acme Corporation of Somewhere", "acme.com acme.net", "", "envs/tenants.cue:24")
	table.Add("pcconnect-main", "PortCo Connect Internal", "pcconnect.ai", "", "no")
	for width, want := range map[int]string{
		200: `ID              NAME                           DOMAINS            PARENT  CONFIGURED
acme-corp       Acme Corporation of Somewhere  acme.com acme.net          envs/tenants.cue:24
pcconnect-main  PortCo Connect Internal        pcconnect.ai               no
`,
		80: `ID              NAME                      DOMAINS            CONFIGURED
acme-corp       Acme Corporation of Som…  acme.com acme.net  envs/tenants.cue:24
pcconnect-main  PortCo Connect Internal   pcconnect.ai       no
`,
		60: `ID              NAME           DOMAINS        CONFIGURED
acme-corp       Acme Corpora…  acme.com acm…  envs/tenants.…
pcconnect-main  PortCo Conne…  pcconnect.ai   no
`,
		40: `ID              NAME         DOMAINS
acme-corp       Acme Corpo…  acme.com a…
pcconnect-main  PortCo Con…  pcconnect.…
(narrow: -v shows the column CONFIGURED)
`,
		10: `ID
acme-corp
pcconnect…
(narrow:
    -v
    shows
    the
    columns
    NAME,
    DOMAINS,
    CONFIGURED)
`,
	} {
		got := table.Text(Style{TTY: true, Width: width})
		if got != want {
			t.Errorf("width %d: got\n%s\nwant\n%s", width, got, want)
		}
	}
	table.Keep("configured")
	if got := table.Text(Style{TTY: true, Width: 30}); !strings.HasPrefix(got, "ID              CONFIGURED\nacme-corp       envs/tenants.…\n") {
		t.Errorf("what is to be kept: got\n%s", got)
	}
	for width := 38; width < 120; width++ {
		for line := range strings.Lines(table.Text(Style{TTY: true, Width: width})) {
			if n := cells(strings.TrimSuffix(line, "\n")); n > width {
				t.Errorf("%d columns of %d: %s", n, width, line)
			}
		}
	}
	if verbose := table.Text(Style{TTY: true, Width: 40, Verbose: true}); verbose != table.Text(Style{TTY: true, Width: 200}) {
		t.Errorf("verbose: %s", verbose)
	}
}
