package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/store"
)

// retentionDays is how long backups are kept unless DESCOPE_BACKUP_RETENTION_DAYS
// says otherwise, and runsDays how long the records of runs are.
const (
	retentionDays = 30
	runsDays      = 90
)

// backup writes down the project as it is before a run: every object of the kinds
// that were read, whole, and of tenants that the run deletes their settings and SSO
// settings. It returns the name of the file.
func (r *recorded) backup(ctx context.Context, live model.State) (string, error) {
	b := backupOf(live, r.kinds, r.info)
	err := r.eachTenant("Backed up the settings of", deletedTenants(r.plan), func(k model.Key) (err error) {
		if b.TenantSettings[k.ID], err = r.client.TenantSettings(ctx, k.ID); err != nil {
			return fmt.Errorf("the settings of %s, which is to be deleted: %w", k, err)
		}
		if b.SSOSettings[k.ID], err = r.client.SSOSettings(ctx, k.ID); err != nil {
			return fmt.Errorf("the SSO settings of %s, which is to be deleted: %w", k, err)
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	return r.backups.Save(b)
}

// backupOf is a live state, read for some kinds, as a backup keeps it. Of a kind that
// was not read it has no map: that is not a project without any.
func backupOf(live model.State, kinds []model.Kind, i store.RunInfo) store.Backup {
	b := store.Backup{
		Meta: store.BackupMeta{
			Timestamp: i.Started, Operation: i.Operation, User: i.User, Host: i.Host, GitCommit: i.GitCommit,
			Environment: i.Environment, ProjectID: i.Project, BaseURL: i.BaseURL, Run: i.ID, Tool: i.Tool,
		},
		TenantSettings: map[string]json.RawMessage{}, SSOSettings: map[string]json.RawMessage{},
	}
	for _, kind := range []struct {
		of   model.Kind
		into *map[string]json.RawMessage
	}{{model.Tenant, &b.Tenants}, {model.Flow, &b.Flows}, {model.Theme, &b.Themes}, {model.Project, &b.Projects}} {
		if !slices.Contains(kinds, kind.of) {
			continue
		}
		*kind.into = map[string]json.RawMessage{}
		for _, r := range live.Of(kind.of) {
			(*kind.into)[r.Key.ID] = r.Observed.Raw
		}
	}
	return b
}

// backupDir is where backups are: --backup-dir, DESCOPE_BACKUP_DIR, else "", a place
// in the state directory.
func (a *app) backupDir(v variables) string {
	if a.flags.backupDir != "" {
		return a.path(a.flags.backupDir)
	}
	if s := v.general(varBackupDir); s.value != "" {
		return a.path(s.value)
	}
	return ""
}

// retention is how long backups are kept; 0 is for ever.
func retention(v variables) (time.Duration, error) {
	s := v.general(varRetention)
	if s.value == "" {
		return retentionDays * 24 * time.Hour, nil
	}
	days, err := strconv.Atoi(s.value)
	if err != nil || days < 0 || days > 36500 {
		return 0, configError("", "%s is %q: write a number of days, or 0 to keep backups for ever", s.where(), s.value)
	}
	return time.Duration(days) * 24 * time.Hour, nil
}

// tidy removes backups and records of runs that are older than they are kept. What
// an unfinished run needs stays. It never fails a run: what cannot be removed is told.
func (c *connection) tidy() {
	now := c.app.now()
	if c.retention > 0 {
		if _, err := c.pruneBackups(now.Add(-c.retention), false); err != nil {
			c.app.note("warning: old backups could not be removed: " + messageOf(err) + "\n")
		}
	}
	if _, err := c.state.PruneRuns(now.Add(-runsDays * 24 * time.Hour)); err != nil {
		c.app.note("warning: old records of runs could not be removed: " + messageOf(err) + "\n")
	}
	if slices.Contains(c.kinds, model.Flow) {
		c.tidyFlows()
	}
}

// tidyFlows removes old versions of flows, and exports of flows that are gone.
func (c *connection) tidyFlows() {
	_, err := c.scope.PruneFlowHistory(c.app.now())
	var ids []string
	for _, s := range []model.State{c.live, c.compiled.State} { // what is there, and what may have come
		for _, r := range s.Of(model.Flow) {
			ids = append(ids, r.Key.ID)
		}
	}
	_, cacheErr := c.scope.PruneFlowCache(ids)
	if err := errors.Join(err, cacheErr); err != nil {
		c.app.note("warning: old versions of flows could not be removed: " + messageOf(err) + "\n")
	}
}

// pruneBackups removes backups from before a time, but none that the record of an
// unfinished run names.
func (c *connection) pruneBackups(before time.Time, dryRun bool) ([]store.BackupInfo, error) {
	open, err := c.scope.UnfinishedRuns()
	if err != nil {
		return nil, err
	}
	needed := map[string]bool{}
	for _, rec := range open {
		needed[rec.Info.Backup] = true
	}
	return c.backups.Prune(before, func(b store.BackupInfo) bool { return needed[b.Name] }, dryRun)
}
