package cli

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"pcconnect.ai/descope-mgmt/internal/ui"
)

// TestExamples demands of every command two examples at least, that it understands: the
// commands and flags in them are there.
func TestExamples(t *testing.T) {
	root := Commands()
	examples := 0
	var check func(c *cobra.Command)
	check = func(c *cobra.Command) {
		n := 0
		for line := range strings.Lines(c.Example) {
			_, line, ours := strings.Cut(strings.TrimSpace(line), "descope-mgmt ")
			if !ours {
				continue
			}
			n++
			if end := strings.IndexAny(line, "|>)#"); end >= 0 {
				line = line[:end]
			}
			words := strings.Fields(line)
			target, rest, err := root.Find(words)
			if err != nil || target == root {
				t.Errorf("%s: no command in the example %q", c.CommandPath(), line)
				continue
			}
			for _, word := range rest {
				name, isFlag := strings.CutPrefix(word, "--")
				name, _, _ = strings.Cut(name, "=")
				if isFlag && name != "" && target.Flag(name) == nil && target.InheritedFlags().Lookup(name) == nil {
					t.Errorf("%s: %s has no flag --%s, which its example gives", c.CommandPath(), target.CommandPath(), name)
				}
			}
		}
		if n < 2 {
			t.Errorf("%s has %d examples", c.CommandPath(), n)
		}
		examples += n
		for _, sub := range c.Commands() {
			if sub.IsAvailableCommand() {
				check(sub)
			}
		}
	}
	check(root)
	t.Logf("counts: examples: %d", examples)
}

// TestDidYouMean for commands and flags.
func TestDidYouMean(t *testing.T) {
	for line, want := range map[string]string{
		"synk":                   "descope-mgmt sync",
		"tenant lsit":            "descope-mgmt tenant list",
		"sync --enw dev":         "did you mean --env?",
		"sync --dryrun":          "did you mean --dry-run?",
		"plan --yes":             "there is descope-mgmt",
		"sync --auto-aprove-all": "there is no flag --auto-aprove-all",
		"undo":                   "descope-mgmt rollback",
		"apply --env dev":        "descope-mgmt sync --env dev",
		"adopt --help":           "descope-mgmt import --help",
		"flow templates --help":  "descope-mgmt flow --help",
		"sync -Z":                "there is no flag -Z",
		"plan --environnement x": "did you mean --environment?",
	} {
		streams, captured := ui.Test("")
		a := &app{streams: streams, workDir: t.TempDir(), environ: func(string) (string, bool) { return "", false }}
		if code := a.run(t.Context(), strings.Fields(line)); code != exitConfig || !strings.Contains(captured.ErrOut(), want) {
			t.Errorf("%s: exit %d, %s", line, code, captured.ErrOut())
		}
	}
}
