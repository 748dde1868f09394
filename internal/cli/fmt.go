package cli

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"pcconnect.ai/descope-mgmt/internal/compiler"
	"pcconnect.ai/descope-mgmt/internal/model"
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
		if _, err := os.Stat(diagnostics[i].Origin.File); errors.Is(err, fs.ErrNotExist) {
			diagnostics[i].Hint = a.otherFile(args, diagnostics[i].Origin.File)
		}
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

// otherFile is the command to type where a file is not there: with the one beside it that
// was meant, or what says which files are to be formatted.
func (a *app) otherFile(args []string, missing string) string {
	entries, _ := os.ReadDir(filepath.Dir(missing)) // which may be missing, too
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, e.Name())
	}
	meant := model.Suggest(filepath.Base(missing), names)
	for _, arg := range args {
		if meant != "" && a.path(arg) == missing {
			return a.retyped(arg, filepath.Join(filepath.Dir(arg), meant))
		}
	}
	if _, err := a.module(); err != nil {
		return "descope-mgmt fmt --help"
	}
	return "descope-mgmt fmt --check"
}
