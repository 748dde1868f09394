package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	cue "cuelang.org/go/cmd/cue/cmd"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"pcconnect.ai/descope-mgmt/internal/lsp"
)

// lspOptions are those of the language server.
type lspOptions struct {
	*app
	// behind makes this process the server that the proxy stands in front of.
	behind bool
	onSave bool
}

func newLspCmd(a *app) *cobra.Command {
	o := &lspOptions{app: a}
	cmd := &cobra.Command{
		Use:   "lsp [-- FLAGS-OF-CUE-LSP]",
		Short: "Run the language server for editors",
		Long: `Lsp is a language server for the configuration: an editor starts it and speaks to it
on its input and output. It is CUE's own, with completion, documentation, definition,
references, rename and format, and with what validate finds: on opening, saving and
typing, for all environments that a file belongs to. It also has quick fixes, a way to
plan an environment, and links between the shared definitions and the overlays.

docs/editors.md says how to set up VS Code, Neovim, Helix, Zed and JetBrains. Flags
for a connection (--emulator, --base-url, --state-dir, …) are those of the plans.`,
		Example: `  descope-mgmt lsp
  descope-mgmt lsp --on-save
  descope-mgmt lsp -- -rpc.trace -logfile=auto`,
		Annotations: formats(formatText),
		Args: func(cmd *cobra.Command, args []string) error {
			if at := cmd.ArgsLenAtDash(); at > 0 || at < 0 && len(args) > 0 {
				return configError(cmd.CommandPath()+" --help", "%s takes no argument %q; flags of CUE's server stand behind --", cmd.CommandPath(), args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.behind {
				return runCueServer(cmd.Context(), args)
			}
			return o.run(cmd, args)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&o.onSave, "on-save", false, "check files when they are opened and saved only, not while they are typed")
	f.BoolVar(&o.behind, "cue", false, "run CUE's own language server")
	f.Bool("stdio", true, "speak on the input and the output, as always")
	must(f.MarkHidden("cue"))
	must(f.MarkHidden("stdio")) // editors like to say so
	return cmd
}

// runCueServer makes this process CUE's language server. It speaks on the input and the
// output of the process, and may end it.
func runCueServer(ctx context.Context, args []string) error {
	c, err := cue.New(append([]string{"lsp"}, args...))
	if err != nil {
		return err
	}
	return c.Run(ctx)
}

func (o *lspOptions) run(cmd *cobra.Command, args []string) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program, which is started once more as CUE's language server: %w", err)
	}
	logger, err := o.logger()
	if err != nil {
		return err
	}
	if _, set := o.environ("GOGC"); !set {
		debug.SetGCPercent(400) // an evaluation is much garbage and little heap
	}
	connection := connectionFlags(cmd)
	options := lsp.Options{
		In: o.streams.In, Out: o.streams.Out,
		Checker: newLspChecker(),
		Start:   func() (*lsp.Server, error) { return startCueServer(self, args, o.streams.ErrOut) },
		Plan: func(ctx context.Context, root, env string) (string, error) {
			return planFor(ctx, self, root, env, connection)
		},
		Log:     func(format string, args ...any) { logger.Warn(fmt.Sprintf(format, args...)) },
		Windows: runtime.GOOS == "windows",
		Version: version(),
	}
	if o.onSave {
		options.Pause = -1
	}
	return lsp.Run(cmd.Context(), options)
}

// connectionFlags are the flags that also hold for the plans that an editor asks for.
func connectionFlags(cmd *cobra.Command) []string {
	var out []string
	inherited := cmd.InheritedFlags()
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if inherited.Lookup(f.Name) == nil || slices.Contains([]string{"env", "dir", "config", "output", "no-color", "quiet", "verbose"}, f.Name) {
			return
		}
		out = append(out, "--"+f.Name+"="+f.Value.String())
	})
	return out
}

// startCueServer starts this program once more, as CUE's language server: that one
// uses the input and output of its process, and ends the process on errors. No registry
// is asked for anything.
func startCueServer(self string, args []string, log io.Writer) (*lsp.Server, error) {
	cmd := exec.Command(self, append([]string{"lsp", "--cue", "--"}, args...)...) //nolint:gosec // this program
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool {               // which are none of its business
		name, _, _ := strings.Cut(v, "=")
		return strings.HasPrefix(name, "DESCOPE_")
	})
	cmd.Env = append(cmd.Env, "CUE_REGISTRY=none")
	cmd.Stderr = log
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &lsp.Server{
		In: in, Out: out,
		Wait: func() error {
			_, err := cmd.Process.Wait()
			return err
		},
		Kill: func() { _ = cmd.Process.Kill() },
	}, nil
}

// planFor is what "plan" prints of an environment: by a process of its own, which can
// be ended, and reads the settings as they are now.
func planFor(ctx context.Context, self, root, env string, flags []string) (string, error) {
	cmd := exec.CommandContext(ctx, self, append([]string{"plan", "--env=" + env, "--no-color"}, flags...)...) //nolint:gosec // this program
	cmd.Dir = root
	cmd.WaitDelay = time.Second
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return out.String(), errors.New(strings.TrimSpace(errs.String()))
	}
	return out.String(), err
}
