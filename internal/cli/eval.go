package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"pcconnect.ai/descope-mgmt/internal/compiler"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

type evalOptions struct {
	*app
	expr    string
	several severalFlags
}

func newEvalCmd(a *app) *cobra.Command {
	o := &evalOptions{app: a}
	cmd := &cobra.Command{
		Use:   "eval",
		Short: "Print the configuration of an environment, evaluated",
		Long: `Eval unifies the shared definitions with the overlay of an environment, checks
the result and prints it: {environment, tenants, flows}. It needs no network.`,
		Example: `  descope-mgmt eval --env prod
  descope-mgmt eval --env staging --expr 'tenants."acme-corp".custom_attributes' -o cue
  descope-mgmt eval --all | jq 'map_values(.tenants | length)'`,
		Args:        noArgs,
		Annotations: formats(formatJSON, formatCUE, formatYAML),
		RunE:        func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context()) },
	}
	cmd.Flags().StringVar(&o.expr, "expr", "", "print just this CUE expression, evaluated within the environment")
	o.several.add(cmd)
	must(cmd.RegisterFlagCompletionFunc("expr", cobra.NoFileCompletions))
	return cmd
}

func (o *evalOptions) run(ctx context.Context) error {
	names, err := o.several.names(o.app)
	if err != nil {
		return err
	}
	if names == nil {
		m, _, env, err := o.place()
		if err != nil {
			return err
		}
		text, err := o.eval(ctx, m, env.value, o.flags.output)
		if err != nil {
			return err
		}
		o.print(text)
		return nil
	}
	m, err := o.module()
	if err != nil {
		return err
	}
	return o.evalAll(ctx, m, names)
}

func (o *evalOptions) eval(ctx context.Context, m *compiler.Module, env, format string) (string, error) {
	text, diagnostics := compiler.Eval(ctx, m, env, compiler.EvalOptions{Expr: o.expr, Format: compiler.EvalFormat(format)})
	if err := o.report(diagnostics); err != nil {
		return "", err
	}
	return string(text), nil
}

// evalAll prints one object with a field for each environment.
func (o *evalOptions) evalAll(ctx context.Context, m *compiler.Module, names []string) error {
	if o.flags.output == formatCUE {
		var b bytes.Buffer
		for _, name := range names {
			text, err := o.eval(ctx, m, name, formatCUE)
			if err != nil {
				return err
			}
			b.WriteString(strconv.Quote(name) + ": {\n")
			for line := range strings.Lines(text) {
				b.WriteString("\t" + line)
			}
			b.WriteString("}\n")
		}
		o.print(b.String())
		return nil
	}
	all := make(map[string]json.RawMessage, len(names))
	for _, name := range names {
		text, err := o.eval(ctx, m, name, formatJSON)
		if err != nil {
			return err
		}
		all[name] = json.RawMessage(text)
	}
	if o.flags.output == formatYAML {
		return ui.WriteYAML(o.streams.Out, all)
	}
	return ui.WriteJSON(o.streams.Out, all)
}
