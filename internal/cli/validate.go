package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"pcconnect.ai/descope-mgmt/internal/compiler"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

func newValidateCmd(a *app) *cobra.Command {
	var several severalFlags
	cmd := &cobra.Command{
		Use:   "validate [ENVIRONMENT...]",
		Short: "Check the configuration of all environments, or of some",
		Long: `Validate evaluates environments and prints every mistake with its position. With
no argument and no --env it checks all of them, and that no two share a project.
Rules of the house that imported tenants break are one warning; --verbose lists them.
It needs no network and no key. Exit 5 if there is a mistake.`,
		Example: `  descope-mgmt validate
  descope-mgmt validate prod staging
  descope-mgmt validate --env prod,staging
  descope-mgmt validate -o sarif > descope-mgmt.sarif
  descope-mgmt validate -o json | jq '.diagnostics[].summary'`,
		ValidArgsFunction: a.completeEnvironments,
		Annotations:       formats(formatText, formatJSON, formatYAML, formatMarkdown, formatSARIF),
		RunE: func(cmd *cobra.Command, args []string) error {
			names, err := several.names(a)
			if err != nil {
				return err
			}
			switch {
			case several.all:
				if len(args) > 0 {
					return configError("", "--all and %s contradict each other", args[0])
				}
				names = nil // all is what no argument means
			case names == nil && a.flags.env != "":
				names = []string{a.flags.env}
			}
			return a.validate(cmd.Context(), append(args, names...))
		},
	}
	several.add(cmd)
	return cmd
}

func (a *app) validate(ctx context.Context, only []string) error {
	var results []*compiler.Result
	var diagnostics model.Diagnostics
	m, err := a.module()
	var mistakes *diagnosticsError // of a configuration in YAML that has no form yet
	switch {
	case errors.As(err, &mistakes):
		diagnostics = mistakes.diagnostics
	case err != nil:
		return err
	default:
		if results, diagnostics, err = a.compileSome(ctx, m, only); err != nil {
			return err
		}
	}
	for _, r := range results {
		_, found := acceptances(m, r.Environment.Name)
		diagnostics = append(diagnostics, found...)
	}
	diagnostics = diagnostics.Sort()
	failed := len(diagnostics.Errors()) > 0
	switch a.flags.output {
	default:
		if err := a.encode(ui.DiagnosticsJSON(diagnostics, a.flags.verbose)); err != nil {
			return err
		}
	case formatSARIF:
		if err := a.configurationFindings(m, diagnostics); err != nil {
			return err
		}
	case formatMarkdown:
		a.print(ui.MarkdownDocument(ui.MarkdownMarker(markerValidate, only), ui.DiagnosticsMarkdown(diagnostics, len(results))))
	case formatText:
		shown := diagnostics
		if !a.flags.verbose {
			shown = folded(diagnostics)
		}
		a.note(ui.DiagnosticsText(shown, a.streams.ErrStyle()))
		if !failed {
			table := ui.NewTable("environment", "tenants", "flows", "result")
			for _, r := range results {
				table.Add(r.Environment.Name, fmt.Sprint(len(r.State.Of(model.Tenant))), fmt.Sprint(len(r.State.Of(model.Flow))), "valid")
			}
			a.print(table.Text(a.streams.OutStyle()))
		}
	}
	if failed {
		return exitWith(exitConfig)
	}
	return nil
}

// compileSome compiles the named environments, or all.
func (a *app) compileSome(ctx context.Context, m *compiler.Module, only []string) ([]*compiler.Result, model.Diagnostics, error) {
	if len(only) == 0 {
		results, diagnostics := compiler.CompileAll(ctx, m)
		for i, r := range results {
			var found model.Diagnostics
			results[i], found = documents(r)
			diagnostics = append(diagnostics, found...)
		}
		return results, diagnostics.Sort(), ctx.Err()
	}
	names, err := m.Environments()
	if err != nil {
		return nil, nil, configError("", "%w", err)
	}
	var results []*compiler.Result
	var all model.Diagnostics
	for _, name := range only {
		if err := known(name, "", names); err != nil {
			return nil, nil, err
		}
		r, diagnostics := compile(ctx, m, name)
		if r != nil {
			results = append(results, r)
		}
		all = append(all, diagnostics...)
	}
	return results, all.Sort(), ctx.Err()
}
