package cli

import (
	"github.com/spf13/cobra"

	"pcconnect.ai/descope-mgmt/internal/ui"
)

// Commands is the command tree, to be read: for man pages, completions and the
// reference. Its commands are not meant to be run.
func Commands() *cobra.Command {
	streams, _ := ui.Test("")
	root := newRootCmd(&app{streams: streams, environ: func(string) (string, bool) { return "", false }})
	return root
}
