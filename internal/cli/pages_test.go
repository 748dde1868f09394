package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"pcconnect.ai/descope-mgmt/internal/ui"
)

// pages is what a script has of the pages under docs/ that it holds to the truth:
// which one it is at, and how often each of its commands was shown.
type pages struct {
	name  string // relative to the repository
	text  string
	shown map[string]int // by page and command
}

// pagesKey is where a script keeps its pages.
type pagesKey struct{}

// cmdPage names the page that the next shows and writes are about:
// "page docs/tutorial.md".
func cmdPage(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: page FILE")
	}
	p := ts.Value(pagesKey{}).(*pages)
	text, err := os.ReadFile(filepath.Join(ts.Getenv("REPO"), filepath.FromSlash(args[0])))
	ts.Check(err)
	p.name, p.text = args[0], string(text)
}

// cmdShows is exits, and compares what the command prints with what the page shows
// below the same command: "shows 0 descope-mgmt plan --env dev". The page may show what
// a terminal would, or stdout alone. Where it shows a command with its output several
// times, each is the turn of one shows, in their order.
func cmdShows(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 || args[1] != "descope-mgmt" {
		ts.Fatalf("usage: shows CODE descope-mgmt ARGUMENT...")
	}
	p := ts.Value(pagesKey{}).(*pages)
	command := shownCommand(ts, args[1:])
	blocks := shownOutputs(p.text, command)
	n := p.shown[p.name+" "+command]
	p.shown[p.name+" "+command]++
	if n >= len(blocks) {
		ts.Fatalf("%s shows the output of %q %d times: there is no turn %d", p.name, command, len(blocks), n+1)
	}
	out, both := runShown(ts, args)
	if !samePage(blocks[n], out) && !samePage(blocks[n], both) {
		ts.Fatalf("%s shows below %q\n%s\nbut it prints\n%s", p.name, command, blocks[n], both)
	}
}

// runShown is exits, with what came to stdout, and what a terminal would show.
func runShown(ts *testscript.TestScript, args []string) (string, string) {
	var out, both bytes.Buffer
	a := &app{
		environ: func(name string) (string, bool) { v := ts.Getenv(name); return v, v != "" },
		workDir: ts.MkAbs("."), home: ts.Getenv("HOME"), now: time.Now,
		streams: &ui.Streams{
			In:     strings.NewReader(""),
			Out:    io.MultiWriter(ts.Stdout(), &out, &both),
			ErrOut: io.MultiWriter(ts.Stderr(), &both),
		},
	}
	if code := a.run(context.Background(), args[2:]); fmt.Sprint(code) != args[0] {
		ts.Fatalf("exit code %d, want %s\n%s", code, args[0], both.String())
	}
	return out.String(), both.String()
}

// cmdTold is exits, and looks in what is printed for the text of the page's next
// heading that is set as code: "told 5 descope-mgmt validate". So each error that the
// page explains is one that is printed.
func cmdTold(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 || args[1] != "descope-mgmt" {
		ts.Fatalf("usage: told CODE descope-mgmt ARGUMENT...")
	}
	p := ts.Value(pagesKey{}).(*pages)
	headings := regexp.MustCompile("(?m)^### `(.*)`$").FindAllStringSubmatch(p.text, -1)
	n := p.shown[p.name]
	p.shown[p.name]++
	_, both := runShown(ts, args)
	if n >= len(headings) {
		ts.Fatalf("%s has only %d headings; it prints\n%s", p.name, len(headings), both)
	}
	text := strings.ReplaceAll(regexp.QuoteMeta(plainPage(headings[n][1])), "…", ".*?")
	if !regexp.MustCompile(text).MatchString(plainPage(both)) {
		ts.Fatalf("the next heading of %s is\n%s\nbut it prints\n%s", p.name, headings[n][1], both)
	}
}

// cmdWrites writes a file that the page shows, so that the page is where it stands:
// "writes envs/dev/dev.cue". Its block begins with a comment that has the path, or has
// the path behind its language, where there are no comments. A second one writes what
// the page shows next under that path. With -append it goes to the end of what is there.
func cmdWrites(ts *testscript.TestScript, _ bool, args []string) {
	mode := os.O_TRUNC
	if len(args) == 2 && args[0] == "-append" {
		args, mode = args[1:], os.O_APPEND
	}
	if len(args) != 1 {
		ts.Fatalf("usage: writes [-append] PATH")
	}
	p := ts.Value(pagesKey{}).(*pages)
	blocks := shownFiles(p.text, args[0])
	n := p.shown[p.name+" "+args[0]]
	p.shown[p.name+" "+args[0]]++
	if n >= len(blocks) {
		ts.Fatalf("%s shows the file %s %d times: there is no turn %d", p.name, args[0], len(blocks), n+1)
	}
	path := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(filepath.Dir(path), 0o700))
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|mode, 0o600)
	ts.Check(err)
	_, err = f.WriteString(blocks[n])
	ts.Check(errors.Join(err, f.Close()))
}

// shownCommand is a command as a page spells it: words with anything but plain text
// in quotes, and variables of the script by their names.
func shownCommand(ts *testscript.TestScript, args []string) string {
	words := make([]string, len(args))
	for i, a := range args {
		words[i] = a
		for _, name := range []string{"RUN", "ROLLBACK", "BACKUP", "ID"} {
			if v := ts.Getenv(name); v != "" && a == v {
				words[i] = name
			}
		}
		if regexp.MustCompile(`[^\w./:=,@%+-]`).MatchString(words[i]) {
			words[i] = "'" + words[i] + "'"
		}
	}
	return strings.Join(words, " ")
}

// shownOutputs are what a page shows below a command in its console blocks; a
// command without output is left out.
func shownOutputs(page, command string) []string {
	var outputs []string
	for _, block := range fences(page) {
		if block.info != "console" {
			continue
		}
		for _, part := range strings.Split("\n"+block.text, "\n$ ")[1:] {
			line, output, _ := strings.Cut(part, "\n")
			if strings.TrimSpace(line) == command && strings.TrimSpace(output) != "" {
				outputs = append(outputs, output)
			}
		}
	}
	return outputs
}

// shownFiles are the blocks of a page that are the file at a path.
func shownFiles(page, path string) []string {
	var files []string
	for _, block := range fences(page) {
		first, _, _ := strings.Cut(block.text, "\n")
		first = strings.TrimLeft(first, "/# ")
		if rest, ok := strings.CutPrefix(first, path); ok && (rest == "" || rest[0] == ':' || rest[0] == ',') || strings.HasSuffix(block.info, " "+path) {
			files = append(files, block.text)
		}
	}
	return files
}

// fence is a fenced block of a page.
type fence struct{ info, text string }

func fences(page string) []fence {
	var all []fence
	open := false
	for line := range strings.Lines(page) {
		info, ok := strings.CutPrefix(line, "```")
		switch {
		case ok && !open:
			all = append(all, fence{info: strings.TrimSpace(info)})
			open = true
		case ok:
			open = false
		case open:
			all[len(all)-1].text += line
		}
	}
	return all
}

// samePage compares what a page shows with what was printed. Run ids, times and
// durations are not compared. "…" in the page stands for anything within a line, and
// in a line of its own for any lines.
func samePage(shown, printed string) bool {
	var want strings.Builder
	want.WriteString(`(?s)\A`)
	for line := range strings.Lines(strings.TrimRight(plainPage(shown), "\n") + "\n") {
		if line == "…\n" {
			want.WriteString(`(?:[^\n]*\n)*?`)
			continue
		}
		want.WriteString(strings.ReplaceAll(regexp.QuoteMeta(line), "…", `[^\n]*?`))
	}
	want.WriteString(`\z`)
	return regexp.MustCompile(want.String()).MatchString(strings.TrimRight(plainPage(printed), "\n") + "\n")
}

// plainPage is a text without what is another one each time, and without what cannot
// be seen.
func plainPage(text string) string {
	for _, r := range []struct{ from, to string }{
		{`\d{8}T\d{6}Z-[0-9a-f]{6}`, "RUN"},
		{`\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ`, "TIME"},
		{`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)`, "TIME"},
		{`\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?( [A-Z]+)?`, "TIME"},
		{`\b\d+(\.\d+)? (ms|s|min|h)\b`, "TOOK"},
		{`\b\d+(\.\d+)?(ms|s|m\d+s)\b`, "TOOK"},
		{`http://127\.0\.0\.1:\d+`, "ADDRESS"},
		{`[ \t]+\n`, "\n"},
		{`\t+| {2,}`, "  "},
	} {
		text = regexp.MustCompile(r.from).ReplaceAllString(text, r.to)
	}
	return text
}

// TestSamePage: what a page may leave out, and what it may not.
func TestSamePage(t *testing.T) {
	for _, c := range []struct {
		shown, printed string
		same           bool
	}{
		{"No changes.\n", "No changes.\n", true},
		{"No changes.\n", "No changes. 1 unchanged.\n", false},
		{"No changes. …\n", "No changes. 1 unchanged.\n", true},
		{"a\n…\nd\n", "a\nb\nc\nd\n", true},
		{"a\n…\nd\n", "a\nb\nc\n", false},
		{"…\n", "", true},
		{"a\n", "a\nb\n", false},
		{"Run 20251110T143015Z-eb7294 took 2 s.\n", "Run 20261129T132753Z-000000 took 3.4 s.\n", true},
		{"x  y\n", "x\ty\n", true},
		{"1 created\n", "2 created\n", false},
		{"(a|b)\n", "a\n", false},
	} {
		if got := samePage(c.shown, c.printed); got != c.same {
			t.Errorf("%q and %q: %v, want %v", c.shown, c.printed, got, c.same)
		}
	}
}

// TestShown: commands and files are found where a page has them.
func TestShown(t *testing.T) {
	page := "```console\n$ descope-mgmt plan\n$ descope-mgmt plan\nNo changes.\n```\n" +
		"```cue\n// envs/a.cue: shared\npackage envs\n```\n```json seed.json\n{}\n```\n"
	if got := shownOutputs(page, "descope-mgmt plan"); len(got) != 1 || got[0] != "No changes.\n" {
		t.Errorf("outputs: %q", got)
	}
	if got := shownFiles(page, "envs/a.cue"); len(got) != 1 || !strings.HasPrefix(got[0], "// envs/a.cue") {
		t.Errorf("files: %q", got)
	}
	if got := shownFiles(page, "seed.json"); len(got) != 1 || got[0] != "{}\n" {
		t.Errorf("files: %q", got)
	}
	if got := shownFiles(page, "envs/a"); len(got) != 0 {
		t.Errorf("files: %q", got)
	}
}
