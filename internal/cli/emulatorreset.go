package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"pcconnect.ai/descope-mgmt/internal/store"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

type emulatorResetOptions struct {
	*app
	yes bool
}

func newEmulatorResetCmd(a *app) *cobra.Command {
	o := &emulatorResetOptions{app: a}
	cmd := &cobra.Command{
		Use:   "reset",
		Short: "Empty what --emulator keeps of an environment, and forget its past",
		Long: `Reset empties the project that an environment has in the embedded emulator, the one of
--emulator, and forgets what the state directory has of its past, so that the next plan
begins anew: what was last applied, the records of its runs, what rollbacks took back,
and the history of its flows. Its backups stay, and the audit log has a record of it.

Descope is not spoken to, and no key is needed. An emulator that listens somewhere is
emptied with POST /_emulator/reset.`,
		Example: `  descope-mgmt emulator reset --env dev
  descope-mgmt emulator reset --env dev --yes`,
		Args:        noArgs,
		Annotations: formats(formatText),
		RunE:        func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context()) },
	}
	cmd.Flags().BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	return cmd
}

func (o *emulatorResetOptions) run(ctx context.Context) error {
	if o.flags.baseURL != "" {
		return configError("", "reset is for the embedded emulator; the one at %s is emptied with POST /_emulator/reset", o.flags.baseURL)
	}
	o.flags.emulator = true
	return o.onDisk(ctx, func(c *connection) error {
		if !o.yes {
			question := fmt.Sprintf("Empty project %s (%s) in the emulator, and forget its runs?", c.project, ui.Safe(c.env))
			if err := o.prompter().Confirm(ctx, question); err != nil {
				return declined(err, "nothing was reset", "--yes")
			}
		}
		return c.resetEmulated(ctx)
	})
}

// resetEmulated makes the project of the embedded emulator one that never was. The past
// goes first: without it what is live asks to be adopted, which is no wrong answer.
func (c *connection) resetEmulated(ctx context.Context) (err error) {
	if err := c.lock(ctx, consent{retry: c.app.again(c.env)}); err != nil {
		return err
	}
	storage, err := c.app.emulatorStorage(ctx, c.state)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, storage.Close()) }()
	runs, err := c.scope.Forget()
	if err == nil {
		err = storage.Remove(c.project)
	}
	if err == nil {
		by := c.app.holder(ctx)
		_, err = c.state.Audit().Append(ctx, store.AuditRecord{
			Time: c.app.now(), Phase: store.PhaseOutcome, User: by.User, Host: by.Host, PID: by.PID, Operation: "emulator reset",
			Environment: c.env, Project: c.project, BaseURL: c.baseURL, Status: statusDone,
		})
	}
	if err != nil {
		return err
	}
	c.app.print(fmt.Sprintf("Emptied project %s (%s) in the emulator. Forgotten: %s, and what was last applied.\n", c.project, ui.Safe(c.env), ui.Counted(runs, "run")))
	return nil
}
