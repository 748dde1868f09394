package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pcconnect.ai/descope-mgmt/internal/api"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/store"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

type restoreOptions struct {
	*app
	consent consentFlags
	targets []string
	full    bool
	prune   bool
}

func newBackupRestoreCmd(a *app) *cobra.Command {
	o := &restoreOptions{app: a}
	cmd := &cobra.Command{
		Use:   "restore NAME",
		Short: "Make a project what it was in a backup (what is managed; --full for all)",
		Long: `Restore is a plan like any other, with the backup as what is wanted: it is shown,
asked about, backed up, applied and verified. It writes the fields that the
configuration can manage, and lists what else differs.

--full writes all fields, and has the project's id typed, or --confirm-project: a backup
must not silently switch off an enforceSSO that was switched on since. Objects that were
made since the backup stay, unless --prune deletes them; a tenant that was deleted since
is created again, without its users, access keys and SSO configuration.

To have the project exactly as it was takes --full and --prune. What --prune deletes meets
the guards of every delete (--allow-delete-in-use, --allow-mass-change), and the addresses
of what this tool never applied are typed at a terminal: no flag stands in for that.`,
		Example: `  descope-mgmt backup restore latest --env dev
  descope-mgmt backup restore latest --env prod --target tenant/acme-corp --dry-run
  descope-mgmt backup restore latest --env dev --full --prune --confirm-project P2abc…`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeBackups,
		RunE:              func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), args[0]) },
	}
	o.consent.add(cmd)
	addDeleteInUse(cmd, &o.consent)
	addList(cmd.Flags(), &o.targets, "target", "only these resources, for example tenant/acme-corp (repeat, or separate by commas)")
	cmd.Flags().BoolVar(&o.full, "full", false, "write all fields, also those that the configuration cannot say")
	cmd.Flags().BoolVar(&o.prune, "prune", false, "delete what was made since the backup")
	must(cmd.RegisterFlagCompletionFunc("target", a.completeAddresses))
	return cmd
}

func (o *restoreOptions) run(ctx context.Context, name string) (err error) {
	targets, err := parseKeys(o.targets)
	if err != nil {
		return err
	}
	c, agreed, err := o.begin(ctx, &o.consent)
	if err != nil {
		return err
	}
	defer closing(c, &err)
	if name, err = c.backupNow(name); err != nil {
		return err
	}
	o.args = []string{name}
	agreed.retry = o.again(c.env)
	b, err := c.loadBackup(name)
	if err != nil {
		return err
	}
	r, err := o.request(ctx, c, b, targets)
	if err != nil {
		return err
	}
	p, err := c.planToRun(ctx, &r, agreed, o.consent.dryRun)
	if err != nil {
		return err
	}
	if !o.full {
		c.noteDifferent(b, r)
	}
	if o.full && !o.consent.dryRun && !p.Empty() {
		if err := c.confirmFull(ctx, agreed); err != nil {
			return err
		}
	}
	return c.showAndRun(ctx, r, p, agreed, o.consent.dryRun)
}

// backupNow is the name of the backup that is the latest at this moment, if that is
// meant: once the restore has begun, its own is.
func (c *connection) backupNow(name string) (string, error) {
	if name != latest {
		return name, nil
	}
	infos, err := c.backups.List()
	if err == nil && len(infos) > 0 {
		name = infos[0].Name
	}
	return name, err
}

// request is the request for what is in a backup.
func (o *restoreOptions) request(ctx context.Context, c *connection, b store.Backup, targets []model.Key) (request, error) {
	desired, err := stateOfBackup(b, o.full)
	if err != nil {
		return request{}, refusedError("descope-mgmt backup verify --env "+c.env, "%w", err)
	}
	for _, k := range targets {
		if _, ok := desired.Get(k); !ok {
			return request{}, configError("descope-mgmt backup show --env "+c.env, "%s is not in the backup", k)
		}
	}
	r := c.request(operationRestore, desired)
	r.whole, r.exact = o.full, true
	saved := b.Kinds()
	if r.also = saved; len(saved) == 1 {
		r.only = saved[0]
	}
	for _, res := range desired.Resources() {
		if len(targets) == 0 || slices.Contains(targets, res.Key) {
			r.options.Targets = append(r.options.Targets, res.Key)
		}
	}
	// The backup decides what is wanted: a value that is another one by now is not
	// somebody's move that would have to be asked about.
	r.base = func(live, last model.State) model.State {
		base := map[model.Key]model.Resource{}
		for _, is := range live.Resources() {
			_, saved := desired.Get(is.Key)
			was, ours := last.Get(is.Key)
			written, _ := c.compiled.State.Get(is.Key)
			is.Policy.PreventDestroy = was.Policy.PreventDestroy || written.Policy.PreventDestroy
			if saved || ours || is.Policy.PreventDestroy {
				base[is.Key] = is
			}
		}
		s, err := stateOf(base)
		if err != nil { // the keys are those of a state
			return live
		}
		return s
	}
	if len(targets) > 0 {
		return r, nil
	}
	rec, err := c.record()
	if err != nil {
		return r, err
	}
	live, err := c.read(ctx, saved...) // of what was not saved, nothing was made since
	if err != nil {
		return r, err
	}
	var since []string
	for _, is := range live.Resources() {
		if _, saved := desired.Get(is.Key); saved {
			continue
		}
		since = append(since, is.Key.String())
		if !o.prune {
			continue
		}
		r.options.Targets = append(r.options.Targets, is.Key)
		_, ours := rec.last.Get(is.Key)
		if written, _ := c.compiled.State.Get(is.Key); ours || written.Policy.PreventDestroy {
			r.remove = append(r.remove, is.Key)
		} else {
			r.options.PruneUnmanaged = append(r.options.PruneUnmanaged, is.Key)
		}
	}
	if len(since) > 0 && !o.prune {
		o.note("Made since the backup, and left alone (--prune deletes them): " + ui.Safe(strings.Join(since, ", ")) + "\n")
	}
	return r, nil
}

// noteDifferent lists what differs between the backup and the project that restore
// does not write.
func (c *connection) noteDifferent(b store.Backup, r request) {
	saved, err := stateOfBackup(b, true)
	if err != nil {
		return // it was a state before
	}
	for _, k := range r.options.Targets {
		was, _ := saved.Get(k)
		is, exists := c.live.Get(k)
		if !exists || is.Observed == nil {
			continue
		}
		before, _ := was.Attrs["unmanaged"].(map[string]any)
		now, _ := api.WithUnmanaged(is).Attrs["unmanaged"].(map[string]any)
		a, z := model.Resource{Attrs: before}, model.Resource{Attrs: now}
		for _, name := range changed(a, z) {
			c.app.note(fmt.Sprintf("Also different, and left as it is (--full writes it): %s %s was %s, is %s\n",
				ui.Safe(k.String()), ui.Safe(name), ui.Value(valueAt(before, name), 60), ui.Value(valueAt(now, name), 60)))
		}
	}
}

// confirmFull has the project's id typed before fields are written that nobody
// sees in the configuration.
func (c *connection) confirmFull(ctx context.Context, agreed consent) error {
	if agreed.allowed.ConfirmProject == c.project {
		return nil
	}
	err := c.prompter().TypeToConfirm(ctx, "All fields are written as they were in the backup, those that this tool does not know too.", c.project)
	if errors.Is(err, ui.ErrNoTerminal) {
		return refusedError("", "nothing was applied: --full must be confirmed with %w", &answerable{nil, "--confirm-project " + c.project})
	}
	return declined(err, "nothing was applied", "--confirm-project "+c.project)
}

// rawOf are the objects of a backup by kind.
func rawOf(b store.Backup) map[model.Kind]map[string]json.RawMessage {
	return map[model.Kind]map[string]json.RawMessage{
		model.Tenant: b.Tenants, model.Flow: b.Flows, model.Theme: b.Themes, model.Project: b.Projects,
	}
}
