package cli

import (
	"context"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"pcconnect.ai/descope-mgmt/internal/compiler"
	"pcconnect.ai/descope-mgmt/internal/model"
)

// fixedCompletion completes from a fixed list.
func fixedCompletion(words ...string) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return words, cobra.ShellCompDirectiveNoFileComp
	}
}

// completeEnvironments completes names of environments: directory names, no
// compile and no network.
func (a *app) completeEnvironments(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	m, err := a.module()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	names, err := m.Environments()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// aliases gives flags of every command second names.
func aliases() func(*pflag.FlagSet, string) pflag.NormalizedName {
	names := map[string]string{"environment": "env", "format": "output"}
	return func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if target, ok := names[name]; ok {
			name = target
		}
		return pflag.NormalizedName(name)
	}
}

// configured are the resources of the chosen environment, for completion: no
// network, and nothing at all where the configuration has mistakes.
func (a *app) configured(ctx context.Context) []model.Resource {
	m, err := a.module()
	if err != nil {
		return nil
	}
	v, err := a.variables(m)
	if err != nil {
		return nil
	}
	env, err := a.environment(m, v)
	if err != nil {
		return nil
	}
	r, diagnostics := compiler.Compile(ctx, m, env.value)
	if len(diagnostics.Errors()) > 0 {
		return nil
	}
	return r.State.Resources()
}
