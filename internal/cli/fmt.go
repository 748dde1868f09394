package cli

import (
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"pcconnect.ai/descope-mgmt/internal/compiler"
)

func newFmtCmd(a *app) *cobra.Command {
	var check bool
	cmd := &cobra.Command{
		Use:   "fmt [PATH...]",
		Short: "Format the CUE files of the configuration",
		Long: `Fmt rewrites CUE files in the standard layout and prints the names of those that
changed. With no path it formats envs/. A file that does not parse is left alone
and reported (exit 5). With --check nothing is written, and exit 1 says that
something would be.`,
		Example: `  descope-mgmt fmt
  descope-mgmt fmt --check envs/prod`,
		RunE: func(_ *cobra.Command, args []string) error { return a.format(args, check) },
	}
	cmd.Flags().BoolVar(&check, "check", false, "write nothing; exit 1 if a file is not formatted")
	return cmd
}

func (a *app) format(args []string, check bool) error {
	paths := make([]string, 0, len(args))
	for _, p := range args {
		paths = append(paths, a.path(p))
	}
	if len(paths) == 0 {
		m, err := a.module()
		if err != nil {
			return err
		}
		if err := a.inCUE(m, "fmt without a path"); err != nil {
			return err
		}
		paths = append(paths, filepath.Join(m.Root(), "envs"))
	}
	changed, diagnostics := compiler.Format(paths, check)
	for i, path := range changed {
		changed[i] = a.relative(path)
	}
	for i := range diagnostics {
		diagnostics[i].Origin.File = a.relative(diagnostics[i].Origin.File)
	}
	if a.flags.output != formatText {
		if err := a.encode(map[string]any{"changed": changed, "written": !check}); err != nil {
			return err
		}
	} else if len(changed) > 0 {
		a.print(strings.Join(changed, "\n") + "\n")
	}
	if err := a.report(diagnostics); err != nil {
		return err
	}
	if check && len(changed) > 0 {
		return exitWith(exitFailed)
	}
	return nil
}
