package internal_test

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// shown is a command of ours in a console block of a page.
type shown struct {
	command string
	output  bool // something stands below it
}

// shownIn are the commands that a page shows, in their order.
func shownIn(page string) []shown {
	var out []shown
	console, ours := false, false
	for line := range strings.Lines(page) {
		line = strings.TrimRight(line, "\r\n")
		switch {
		case strings.HasPrefix(line, "```"):
			console, ours = line == "```console", false
		case !console:
		case strings.HasPrefix(line, "$ "):
			ours = strings.HasPrefix(line, "$ descope-mgmt ")
			if ours {
				out = append(out, shown{command: line[2:]})
			}
		case ours && strings.TrimSpace(line) != "":
			out[len(out)-1].output = true
		}
	}
	return out
}

func TestShownIn(t *testing.T) {
	page := "```console\n$ descope-mgmt plan\n$ descope-mgmt drift\nNo drift.\n\nmore\n$ cat x\nx\n```\n```sh\n$ descope-mgmt no\nx\n```\n"
	got := shownIn(page)
	if len(got) != 2 || got[0] != (shown{"descope-mgmt plan", false}) || got[1] != (shown{"descope-mgmt drift", true}) {
		t.Errorf("got %v", got)
	}
}

// scriptsByPage are the commands of the scripts behind each "page FILE", in their
// order, with whether the output is compared: the verb shows does that.
func scriptsByPage(t *testing.T) map[string][]shown {
	t.Helper()
	scripts, err := filepath.Glob(filepath.Join("cli", "testdata", "script", "*.txtar"))
	if err != nil || len(scripts) == 0 {
		t.Fatalf("there are no scripts (%v)", err)
	}
	verb := regexp.MustCompile(`^(page|shows \d+|exits \d+|process \d+|exec) (.*)$`)
	out := map[string][]shown{}
	for _, s := range scripts {
		b, err := os.ReadFile(s)
		if err != nil {
			t.Fatal(err)
		}
		script, _, _ := strings.Cut(string(b), "\n-- ")
		page := ""
		for line := range strings.Lines(script) {
			m := verb.FindStringSubmatch(strings.TrimSpace(line))
			switch {
			case m == nil:
			case m[1] == "page":
				page = m[2]
			case page == "":
			default:
				command := regexp.MustCompile(`\$([A-Z]+)`).ReplaceAllString(m[2], "$1")
				out[page] = append(out[page], shown{command, strings.HasPrefix(m[1], "shows")})
			}
		}
	}
	return out
}

// TestDocsOutputs demands that the output that a page shows below a command is
// compared with what the command prints, by "shows" in a script that names the page,
// as often as the page shows it.
func TestDocsOutputs(t *testing.T) {
	scripts := scriptsByPage(t)
	outputs := 0
	eachFile(t, func(name, text string) {
		if path.Ext(name) != ".md" {
			return
		}
		wanted, compared := map[string]int{}, map[string]int{}
		for _, s := range shownIn(text) {
			if s.output {
				wanted[s.command]++
				outputs++
			}
		}
		for _, s := range scripts[name] {
			if s.output {
				compared[s.command]++
			}
		}
		for command, n := range wanted {
			if compared[command] != n {
				t.Errorf("%s shows the output of this command %d times, and a script behind \"page %s\" compares it %d times (shows CODE %s)",
					name, n, name, compared[command], command)
			}
		}
	})
	if outputs < 20 {
		t.Errorf("found only %d outputs: the test does not see them", outputs)
	}
}

// TestDocsInOrder holds pages that are read from their first line to their last: their
// script runs exactly the commands that they show, in their order.
func TestDocsInOrder(t *testing.T) {
	scripts := scriptsByPage(t)
	for _, name := range []string{"docs/tutorial.md"} {
		run := scripts[name]
		for _, s := range shownIn(readFile(t, name)) {
			for len(run) > 0 && run[0].command != s.command {
				run = run[1:]
			}
			if len(run) == 0 {
				t.Errorf("%s: its script does not run this where the page has it:\n\t%s", name, s.command)
				break
			}
			run = run[1:]
		}
	}
}

// TestDocsErrors demands that every error that a page explains, a heading that is set
// as code, is provoked by a script: "told" takes them in their order.
func TestDocsErrors(t *testing.T) {
	const name = "docs/troubleshooting.md"
	headings := regexp.MustCompile("(?m)^### `.*`$").FindAllString(readFile(t, name), -1)
	script := readFile(t, "internal/cli/testdata/script/troubleshooting.txtar")
	told := regexp.MustCompile(`(?m)^told \d+ descope-mgmt `).FindAllString(script, -1)
	if len(headings) < 40 || len(headings) != len(told) {
		t.Errorf("%s explains %d errors, at least 40 are wanted, and its script provokes %d", name, len(headings), len(told))
	}
}

// TestDocsIndex demands that the index leads to every page.
func TestDocsIndex(t *testing.T) {
	index := readFile(t, "docs/README.md")
	pages, err := filepath.Glob(filepath.Join("..", "docs", "*.md"))
	if err != nil || len(pages) < 20 {
		t.Fatalf("found %d pages (%v)", len(pages), err)
	}
	for _, p := range pages {
		if name := filepath.Base(p); name != "README.md" && !strings.Contains(index, "("+name+")") {
			t.Errorf("docs/README.md does not lead to %s", name)
		}
	}
}
