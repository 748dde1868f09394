package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"pcconnect.ai/descope-mgmt/internal/api"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
	"pcconnect.ai/descope-mgmt/internal/store"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

func newBackupCmd(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "backup",
		Short: "Backups of a project: create, list, show, diff, restore, verify, prune",
		Long: `Every run that writes makes a backup before its first call: all objects of the kinds
that it read, as Descope sent them, fields that this tool does not know too; "backup
create" reads all kinds. Backups are kept for 30 days (DESCOPE_BACKUP_RETENTION_DAYS).
NAME is a file name, a beginning of one, the id of the run, "latest", or the path of a
file.`,
		Example: `  descope-mgmt backup list --env prod
  descope-mgmt backup diff latest --env prod
  descope-mgmt backup restore latest --env dev --target tenant/acme-corp`,
	}
	cmd.AddCommand(newBackupCreateCmd(a), newBackupListCmd(a), newBackupShowCmd(a), newBackupDiffCmd(a),
		newBackupRestoreCmd(a), newBackupVerifyCmd(a), newBackupPruneCmd(a))
	return cmd
}

func newBackupCreateCmd(a *app) *cobra.Command {
	settings := false
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Back up the live project",
		Long: `Create reads the whole project and writes it down. It changes nothing in Descope.
With --settings it also reads the session settings and the SSO settings of every
tenant, two calls each.`,
		Example: `  descope-mgmt backup create --env prod
  descope-mgmt backup create --env prod --settings -o json | jq -r .path`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.onConnection(cmd.Context(), func(c *connection) error { return c.backupCreate(cmd.Context(), settings) })
		},
	}
	cmd.Flags().BoolVar(&settings, "settings", false, "also the settings and SSO settings of every tenant")
	return cmd
}

func (c *connection) backupCreate(ctx context.Context, settings bool) error {
	live, err := c.read(ctx, allKinds()...)
	if err != nil {
		return err
	}
	who := c.app.identify(ctx)
	b := backupOf(live, allKinds(), store.RunInfo{
		Started: c.app.now(), Operation: c.app.operation(), User: who.user, Host: who.host, GitCommit: who.commit,
		Environment: c.env, Project: c.project, BaseURL: c.baseURL, Tool: version(),
	})
	if settings {
		for id := range b.Tenants {
			if b.TenantSettings[id], err = c.client.TenantSettings(ctx, id); err != nil {
				return err
			}
			if b.SSOSettings[id], err = c.client.SSOSettings(ctx, id); err != nil {
				return err
			}
		}
	}
	name, err := c.backups.Save(b)
	if err != nil {
		return err
	}
	infos, err := c.backups.List()
	if err != nil {
		return err
	}
	for _, i := range infos {
		if i.Name != name {
			continue
		}
		if c.app.flags.output != formatText {
			return c.app.encode(backupEntryOf(i))
		}
		c.app.print(fmt.Sprintf("Backed up %d tenants and %d flows of project %s: %s\n", i.Tenants, i.Flows, c.project, ui.Safe(c.app.relative(i.Path))))
	}
	return nil
}

// backupEntry is one backup in backup list -o json.
type backupEntry struct {
	store.BackupMeta
	Name string `json:"name"`
	Path string `json:"path"`
	// Kinds are those that were read; of others the backup says nothing.
	Kinds   []model.Kind `json:"kinds"`
	Tenants int          `json:"tenants"`
	Flows   int          `json:"flows"`
	Size    int64        `json:"size"`
	Damaged string       `json:"damaged,omitempty"`
}

func backupEntryOf(i store.BackupInfo) backupEntry {
	e := backupEntry{
		BackupMeta: i.Meta, Name: i.Name, Path: i.Path, Kinds: append([]model.Kind{}, i.Kinds...),
		Tenants: i.Tenants, Flows: i.Flows, Size: i.Size,
	}
	if i.Err != nil {
		e.Damaged = i.Err.Error()
	}
	return e
}

func newBackupListCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the backups of an environment, the newest first",
		Example: `  descope-mgmt backup list --env prod
  descope-mgmt backup list --env prod -o json | jq -r '.[0].path'`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.onDisk(cmd.Context(), func(c *connection) error {
				infos, err := c.backups.List()
				if err != nil {
					return err
				}
				entries := make([]backupEntry, 0, len(infos))
				table := ui.NewTable("name", "made", "tenants", "flows", "before", "by")
				for _, i := range infos {
					e := backupEntryOf(i)
					entries = append(entries, e)
					before := i.Meta.Operation
					if e.Damaged != "" {
						before = "DAMAGED"
					}
					table.Add(i.Name, i.Meta.Timestamp.Format(timeForm), count(i, model.Tenant, i.Tenants), count(i, model.Flow, i.Flows), before, i.Meta.User)
				}
				if a.flags.output != formatText {
					return a.encode(entries)
				}
				a.print(table.Text(a.streams.OutStyle()))
				if len(infos) == 0 {
					a.note("There is no backup of project " + c.project + ".\n")
				}
				for _, e := range entries {
					if e.Damaged != "" {
						a.note("warning: " + ui.Safe(e.Damaged) + "\n")
					}
				}
				return nil
			})
		},
	}
}

// count is how many objects of a kind a backup has, or a hyphen.
func count(i store.BackupInfo, k model.Kind, n int) string {
	if !slices.Contains(i.Kinds, k) {
		return "-"
	}
	return fmt.Sprint(n)
}

// loadBackup finds a backup of this project. One of another project is refused: its
// tenants are somebody else's.
func (c *connection) loadBackup(name string) (store.Backup, error) {
	b, err := c.backups.Load(name)
	var unknown *store.NotFoundError
	var corrupt *store.CorruptError
	switch {
	case errors.As(err, &unknown):
		return b, configError("descope-mgmt backup list --env "+c.env, "%w", err)
	case errors.As(err, &corrupt):
		return b, refusedError("descope-mgmt backup list --env "+c.env, "%w", err)
	case err != nil:
		return b, err
	case b.Meta.ProjectID != c.project || b.Meta.BaseURL != c.baseURL:
		return b, refusedError("", "the backup is of project %s at %s (environment %s), not of project %s at %s",
			b.Meta.ProjectID, b.Meta.BaseURL, b.Meta.Environment, c.project, c.baseURL)
	}
	return b, nil
}

// stateOfBackup is a backup as a state, with the fields that the configuration
// cannot say if whole.
func stateOfBackup(b store.Backup, whole bool) (model.State, error) {
	var resources []model.Resource
	for kind, objects := range rawOf(b) {
		for id, raw := range objects {
			r, err := api.Decode(kind, raw)
			if err != nil {
				return model.State{}, fmt.Errorf("%s in the backup: %w", model.Key{Kind: kind, ID: id}, err)
			}
			if whole {
				r = api.WithUnmanaged(r)
			}
			resources = append(resources, r)
		}
	}
	return model.NewState(resources)
}

func newBackupShowCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "show NAME",
		Short: "Show what is in a backup",
		Long:  `Show prints what a backup is of and what is in it; with -o json, all of it.`,
		Example: `  descope-mgmt backup show latest --env prod
  descope-mgmt backup show latest --env prod -o json | jq '.tenants["acme-corp"]'`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeBackups,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.onDisk(cmd.Context(), func(c *connection) error {
				b, err := c.loadBackup(args[0])
				if err != nil {
					return err
				}
				if a.flags.output != formatText {
					return a.encode(b)
				}
				m := b.Meta
				for _, line := range [][2]string{
					{"made", m.Timestamp.Format(timeForm)},
					{"before", m.Operation},
					{"run", m.Run},
					{"environment", m.Environment},
					{"project", m.ProjectID + " at " + m.BaseURL},
					{"by", m.User + " on " + m.Host},
					{"commit", m.GitCommit},
				} {
					if line[1] != "" {
						a.print(fmt.Sprintf("%-12s %s\n", line[0], ui.Safe(line[1])))
					}
				}
				state, err := stateOfBackup(b, false)
				if err != nil {
					return err
				}
				table := ui.NewTable("object", "name")
				for _, r := range state.Resources() {
					table.Add(r.Key.String(), nameOf(r))
				}
				a.print("\n" + table.Text(a.streams.OutStyle()))
				return nil
			})
		},
	}
}

func newBackupDiffCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "diff NAME [NAME]",
		Short: "Show what changed between a backup and the live project, or another backup",
		Long: `Diff compares every field, also those that the configuration cannot say, of the kinds
that were read for the backup. Exit 2 if anything differs.`,
		Example: `  descope-mgmt backup diff latest --env prod
  descope-mgmt backup diff 2026-11-23 2026-11-24 --env prod -o json`,
		Args:              cobra.RangeArgs(1, 2),
		ValidArgsFunction: a.completeBackups,
		RunE: func(cmd *cobra.Command, args []string) error {
			where := a.onConnection
			if len(args) == 2 {
				where = a.onDisk
			}
			return where(cmd.Context(), func(c *connection) error { return c.backupDiff(cmd.Context(), args) })
		},
	}
}

func (c *connection) backupDiff(ctx context.Context, names []string) error {
	var states [2]model.State
	var kinds []model.Kind
	for _, spec := range model.Table() {
		kinds = append(kinds, spec.Kind)
	}
	for i, name := range names {
		b, err := c.loadBackup(name)
		if err != nil {
			return err
		}
		kinds = slices.DeleteFunc(kinds, func(k model.Kind) bool { return !slices.Contains(b.Kinds(), k) })
		if states[i], err = stateOfBackup(b, true); err != nil {
			return err
		}
	}
	if len(names) == 1 {
		var err error
		if states[1], err = c.readFor(ctx, request{whole: true}, kinds); err != nil {
			return err
		}
	}
	both := func(r model.Resource) bool { return slices.Contains(kinds, r.Key.Kind) }
	from, to := states[0].Filter(both), states[1].Filter(both)
	p, err := plan.Compute(to, from, from, plan.Options{Environment: c.env, Project: c.project, BaseURL: c.baseURL, Prune: kinds})
	if err != nil {
		return err
	}
	p.Guards, p.Warnings = nil, nil // nobody will run it
	if c.app.flags.output != formatText {
		err = c.app.encode(p)
	} else {
		c.app.print(ui.DiffText(p, c.app.streams.OutStyle()))
	}
	if err == nil && !p.Empty() {
		return exitWith(exitDifferences)
	}
	return err
}

func newBackupVerifyCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "verify [NAME...]",
		Short: "Check that backups are as they were written",
		Long:  `Verify reads backups, all or those that are named, and checks every byte. Exit 6 if one is damaged.`,
		Example: `  descope-mgmt backup verify --env prod
  descope-mgmt backup verify latest --env prod`,
		ValidArgsFunction: a.completeBackups,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.onDisk(cmd.Context(), func(c *connection) error { return c.backupVerify(args) })
		},
	}
}

func (c *connection) backupVerify(names []string) error {
	if len(names) == 0 {
		infos, err := c.backups.List()
		if err != nil {
			return err
		}
		for _, i := range infos {
			names = append(names, i.Path)
		}
	}
	var damaged []error
	for _, name := range names {
		b, err := c.loadBackup(name)
		if err == nil {
			_, err = stateOfBackup(b, true)
		}
		if err != nil {
			damaged = append(damaged, err)
		}
	}
	if len(damaged) > 0 {
		return refusedError("", "%d of %d backups cannot be relied on: %w", len(damaged), len(names), errors.Join(damaged...))
	}
	if c.app.flags.output != formatText {
		return c.app.encode(map[string]int{"verified": len(names)})
	}
	c.app.print(fmt.Sprintf("%d backups are as they were written.\n", len(names)))
	return nil
}

func newBackupPruneCmd(a *app) *cobra.Command {
	age, dryRun := "", false
	cmd := &cobra.Command{
		Use:   "prune",
		Short: "Remove old backups",
		Long: `Prune removes the backups of an environment that are older than they are kept (30
days, DESCOPE_BACKUP_RETENTION_DAYS, or --older-than), but none that an unfinished run
needs. Runs do the same by themselves.`,
		Example: `  descope-mgmt backup prune --env dev --dry-run
  descope-mgmt backup prune --env dev --older-than 7d`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.onDisk(cmd.Context(), func(c *connection) error { return c.backupPrune(cmd.Context(), age, dryRun) })
		},
	}
	cmd.Flags().StringVar(&age, "older-than", "", "age in days or hours: 7d, 36h")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "show what would be removed")
	return cmd
}

func (c *connection) backupPrune(ctx context.Context, age string, dryRun bool) error {
	kept := c.retention
	if age != "" {
		d, err := parseAge(age)
		if err != nil {
			return configError("", "--older-than %q: write an age such as 7d or 36h", age)
		}
		kept = d
	} else if kept == 0 {
		c.app.note("Backups are kept for ever; --older-than says otherwise.\n")
		kept = 100 * 365 * 24 * time.Hour
	}
	before := c.app.now().Add(-kept)
	if !dryRun { // a run that begins must find the backup that it has just made
		err := c.lock(ctx, consent{retry: c.app.again(c.env)})
		// Where there is no room to write down who has the lock, there is none for a run
		// either, and removing is what makes some.
		if err != nil && !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, syscall.EDQUOT) {
			return err
		}
	}
	removed, err := c.pruneBackups(before, dryRun)
	if err != nil {
		return err
	}
	entries := make([]backupEntry, 0, len(removed))
	for _, i := range removed {
		entries = append(entries, backupEntryOf(i))
	}
	if c.app.flags.output != formatText {
		return c.app.encode(entries)
	}
	verb := "Removed"
	if dryRun {
		verb = "Would remove"
	}
	for _, e := range entries {
		c.app.print(verb + " " + ui.Safe(e.Name) + "\n")
	}
	if len(entries) == 0 {
		c.app.print("No backup is that old.\n")
	}
	return nil
}

// completeBackups completes the names of backups, without the network.
func (a *app) completeBackups(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	names := []string{latest}
	c, err := a.connectTo(cmd.Context(), onDisk)
	if err == nil {
		infos, _ := c.backups.List()
		for _, i := range infos {
			names = append(names, i.Name+"\t"+i.Meta.Operation)
		}
		_ = c.close()
	}
	return names, cobra.ShellCompDirectiveDefault
}
