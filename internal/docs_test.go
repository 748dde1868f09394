package internal_test

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

// TestDocsLinks follows every relative link of every Markdown file, the
// heading after # included.
func TestDocsLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^()\s]+)\)`)
	pages := map[string]string{}
	eachFile(t, func(name, text string) {
		if path.Ext(name) == ".md" {
			pages[name] = text
		}
	})
	if len(pages) < 3 {
		t.Fatalf("found only %d Markdown files", len(pages))
	}
	followed := 0
	for name, text := range pages {
		for _, m := range link.FindAllStringSubmatch(withoutFences(text), -1) {
			target := m[1]
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			followed++
			file, anchor, _ := strings.Cut(target, "#")
			to := name
			if file != "" {
				to = path.Join(path.Dir(name), file)
				if _, err := os.Stat(filepath.Join("..", filepath.FromSlash(to))); err != nil {
					t.Errorf("%s: the link %s leads nowhere", name, target)
					continue
				}
			}
			if page, ok := pages[to]; ok && anchor != "" && !anchors(page)[anchor] {
				t.Errorf("%s: the link %s names no heading of %s", name, target, to)
			}
		}
	}
	if followed == 0 {
		t.Fatal("followed no link: the test does not see them")
	}
}

// anchors are the names that a forge gives to the headings of a page.
func anchors(page string) map[string]bool {
	out := map[string]bool{}
	for line := range strings.Lines(withoutFences(page)) {
		if !strings.HasPrefix(line, "#") {
			continue
		}
		heading := strings.ToLower(strings.TrimSpace(strings.TrimLeft(line, "#")))
		var b strings.Builder
		for _, r := range heading {
			switch {
			case r == ' ' || r == '-':
				b.WriteByte('-')
			case r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
				b.WriteRune(r)
			}
		}
		out[b.String()] = true
	}
	return out
}

// withoutFences drops the fenced blocks of a page.
func withoutFences(text string) string {
	var b strings.Builder
	fenced := false
	for line := range strings.Lines(text) {
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			fenced = !fenced
			continue
		}
		if !fenced {
			b.WriteString(line)
		}
	}
	return b.String()
}

// TestDocsCommands demands that a script test runs every command that a page
// shows, so that nothing is documented that does not work. The commands are the
// lines "$ descope-mgmt …" of blocks marked console and, in the pages for an
// emergency, all that is set as code. What a page writes in capitals is a variable
// of the script: RUN is $RUN.
func TestDocsCommands(t *testing.T) {
	scripts, err := filepath.Glob(filepath.Join("cli", "testdata", "script", "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	if len(scripts) == 0 {
		t.Skip("there are no script tests in internal/cli/testdata/script")
	}
	var run strings.Builder
	for _, s := range scripts {
		b, err := os.ReadFile(s)
		if err != nil {
			t.Fatal(err)
		}
		run.WriteString(scriptCommands(string(b)))
	}
	shown := 0
	eachFile(t, func(name, text string) {
		if path.Ext(name) != ".md" {
			return
		}
		commands := consoleCommands(text)
		if name == "docs/recovery.md" || name == "docs/safety.md" || name == "docs/troubleshooting.md" {
			commands = append(commands, inlineCommands(text)...)
		}
		shown += len(commands)
		for _, command := range commands {
			line := regexp.MustCompile(`(^|\n)` + regexp.QuoteMeta(command) + `(\s|$)`)
			if !line.MatchString(run.String()) {
				t.Errorf("%s shows a command that no script test runs:\n\t%s", name, command)
			}
		}
	})
	if shown < 40 {
		t.Errorf("found only %d commands: the test does not see them", shown)
	}
}

// scriptCommands are the commands of ours that a script runs, one a line, with
// $NAME as NAME.
func scriptCommands(script string) string {
	script, _, _ = strings.Cut(script, "\n-- ")
	var out strings.Builder
	for _, m := range regexp.MustCompile(`(?m)^(?:! )?(?:exec|exits \d+|shows \d+|told \d+|process \d+) (descope-mgmt .*)$`).FindAllStringSubmatch(script, -1) {
		out.WriteString(regexp.MustCompile(`\$([A-Z]+)`).ReplaceAllString(m[1], "$1") + "\n")
	}
	return out.String()
}

func TestScriptCommands(t *testing.T) {
	script := "# exec descope-mgmt no\nexec descope-mgmt rollback $RUN --yes\nexits 6 descope-mgmt sync\nstdout descope-mgmt\n-- f --\nexec descope-mgmt no\n"
	if got, want := scriptCommands(script), "descope-mgmt rollback RUN --yes\ndescope-mgmt sync\n"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// inlineCommands are the commands of ours, with arguments, that a page sets as
// code in its text. (In a heading it is an error.)
func inlineCommands(page string) []string {
	var out []string
	text := regexp.MustCompile(`(?m)^#.*$`).ReplaceAllString(withoutFences(page), "")
	for _, m := range regexp.MustCompile("`(descope-mgmt [^`]+)`").FindAllStringSubmatch(text, -1) {
		out = append(out, m[1])
	}
	return out
}

func TestConsoleCommands(t *testing.T) {
	page := "text\n```console\n$ descope-mgmt plan --env dev\nNo changes.\n" +
		"$ descope-mgmt plan -o json | jq .  # a comment\n$ make test\n```\n" +
		"```sh\n$ descope-mgmt ignored\n```\n"
	got := strings.Join(consoleCommands(page), "; ")
	if want := "descope-mgmt plan --env dev; descope-mgmt plan -o json"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// consoleCommands are the commands of ours in a page's console blocks, without
// what a shell would do with their output.
func consoleCommands(page string) []string {
	var out []string
	console := false
	for line := range strings.Lines(page) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "```") {
			console = line == "```console"
			continue
		}
		command, ok := strings.CutPrefix(line, "$ ")
		if !console || !ok || !strings.HasPrefix(command, "descope-mgmt") {
			continue
		}
		if end := strings.IndexAny(command, "|>#"); end >= 0 {
			command = command[:end]
		}
		out = append(out, strings.TrimSpace(command))
	}
	return out
}

// TestDocsDecisions holds the decision records to their form: one page, the
// alternatives named, and listed in the index.
func TestDocsDecisions(t *testing.T) {
	index := readFile(t, "docs/adr/README.md")
	records, err := filepath.Glob(filepath.Join("..", "docs", "adr", "[0-9][0-9][0-9][0-9]-*.md"))
	if err != nil || len(records) == 0 {
		t.Fatalf("found no decision records (%v)", err)
	}
	for _, r := range records {
		name := filepath.Base(r)
		text := readFile(t, "docs/adr/"+name)
		for _, heading := range []string{"## Context", "## Decision", "## Alternatives considered", "## Consequences"} {
			if !strings.Contains(text, "\n"+heading+"\n") {
				t.Errorf("docs/adr/%s lacks the section %q", name, heading)
			}
		}
		if n := strings.Count(text, "\n"); n > 80 {
			t.Errorf("docs/adr/%s has %d lines: a decision record is one page, 80 lines at most", name, n)
		}
		if !strings.Contains(index, "("+name+")") {
			t.Errorf("docs/adr/README.md does not list %s", name)
		}
	}
}

// TestDocsTests demands that every test and script that a page names is there.
func TestDocsTests(t *testing.T) {
	tests := map[string]bool{}
	pages := map[string]string{}
	eachFile(t, func(name, text string) {
		switch {
		case strings.HasSuffix(name, "_test.go"):
			for _, m := range regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`).FindAllStringSubmatch(text, -1) {
				tests[m[1]] = true
			}
		case path.Ext(name) == ".txtar":
			tests[path.Base(name)] = true
		case path.Ext(name) == ".md":
			pages[name] = text
		}
	})
	named := 0
	for name, text := range pages {
		for _, m := range regexp.MustCompile("`((?:Test|Fuzz)[A-Z]\\w+|\\w+\\.txtar)`").FindAllStringSubmatch(text, -1) {
			named++
			if !tests[m[1]] {
				t.Errorf("%s names the test %s, which does not exist", name, m[1])
			}
		}
	}
	if named == 0 {
		t.Fatal("no page names a test: the test does not see them")
	}
}

// TestReadmeIsShort: what is to be read from the clone to a change of one's own that is
// applied is less than 600 words.
func TestReadmeIsShort(t *testing.T) {
	road, _, found := strings.Cut(readFile(t, "README.md"), "$ descope-mgmt tenant list")
	if n := len(strings.Fields(road)); !found || n >= 600 {
		t.Errorf("%d words until the own tenant is listed (found: %v)", n, found)
	}
	last := -1
	for _, step := range []string{"minutes", "make demo", "make test", "PATH", "init identity", "below this one", `tenants: "my-tenant"`, "$ descope-mgmt sync"} {
		at := strings.Index(road[last+1:], step)
		if at < 0 {
			t.Errorf("%q is not where it belongs", step)
			continue
		}
		last += 1 + at
	}
}
