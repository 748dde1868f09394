// Package quickhelp answers "descope-mgmt --help" before the rest of the program
// is initialised. Linking CUE costs every start some 20 ms of other packages'
// initialisation, most of what a bare --help would take; see
// docs/adr/0007-quick-help.md.
//
// Go initialises packages in the order of their import paths, as soon as what
// they import is ready. This one imports next to nothing, so its turn comes early;
// whatever it imported besides would push it back.
package quickhelp

import (
	_ "embed"
	"os"
)

// text is what the command line itself prints for --help, byte for byte: a test
// of internal/cli compares the two, and writes this file with UPDATE=1.
//
//go:embed help.txt
var text string

// init answers a command line that is nothing but --help, and leaves all others
// alone. Where the text cannot be written, the usual way reports why.
func init() {
	if len(os.Args) != 2 || os.Args[1] != "--help" && os.Args[1] != "-h" {
		return
	}
	if _, err := os.Stdout.WriteString(text); err == nil {
		os.Exit(0)
	}
}
