package bench

import (
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"
)

var (
	cueBinary = flag.String("cue", "", "measure whole processes, against this binary of cue (scripts/tools.sh cue)")
	full      = flag.Bool("full", false, "also the sizes that take minutes")
)

// figure is a line of the table. A figure without a budget is there to be read.
type figure struct{ name, measured, budget, verdict string }

var measured struct {
	sync.Mutex
	figures []figure
}

// record notes a figure for the table; within says whether it keeps its budget.
func record(t testing.TB, name, value, budget string, within bool) {
	t.Helper()
	verdict := ""
	switch {
	case budget == "":
	case within:
		verdict = "within"
	default:
		verdict = "OVER"
	}
	f := figure{name, value, budget, verdict}
	t.Logf("%s: %s (budget: %s) %s", f.name, f.measured, f.budget, f.verdict)
	measured.Lock()
	defer measured.Unlock()
	measured.figures = append(measured.figures, f)
}

// TestMain prints the table after the tests, where somebody will see it: go test
// swallows it unless it is run in this directory or with -v.
//
// With [launcher] set, the test binary measures a process instead.
func TestMain(m *testing.M) {
	if os.Getenv(launcher) != "" {
		if err := launch(os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	flag.Parse()
	m.Run()
	if len(measured.figures) > 0 {
		printTable(os.Stdout, measured.figures)
	}
}

func printTable(w io.Writer, figures []figure) {
	rows := [][]string{{"figure", "measured", "budget", ""}}
	for _, f := range figures {
		rows = append(rows, []string{f.name, f.measured, f.budget, f.verdict})
	}
	widths := make([]int, len(rows[0]))
	for _, r := range rows {
		for i, cell := range r {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	rule := make([]string, len(widths))
	for i, n := range widths {
		rule[i] = strings.Repeat("-", n)
	}
	for _, r := range slices.Insert(rows, 1, rule) {
		for i, cell := range r {
			fmt.Fprintf(w, "| %s%s ", cell, strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)))
		}
		fmt.Fprintln(w, "|")
	}
}
