package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"pcconnect.ai/descope-mgmt/internal/api"
	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/store"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

// owner changes a project as a whole, which no plan can: see operation.
type owner interface {
	Clone(ctx context.Context, name, environment string, tags []string) (api.Project, error)
	DeleteProject(ctx context.Context) error
	ImportSnapshot(ctx context.Context, files map[string]any) error
}

// operation is a call that is no change of objects, so that nothing can resume it or
// take it back. It goes the way of a run all the same: shown, confirmed, under the lock,
// backed up, and in the audit log before and after.
type operation struct {
	// shown is what will be done, in sentences.
	shown string
	// question is asked; typed has the project's id typed instead.
	question string
	typed    bool
	// create, update and remove are for the audit log.
	create, update, remove int
	// settings and snapshot are in the backup too.
	settings, snapshot bool
	// do makes the call; backup is the name of what was saved before.
	do func(ctx context.Context, backup string) error
}

// operate shows, asks, saves, and does it. In JSON and YAML the one document is what do
// prints, or of a dry run nothing.
func (c *connection) operate(ctx context.Context, o operation, agreed consent, dryRun bool) error {
	show := c.app.print
	if c.app.flags.output != formatText {
		show = c.app.note
	}
	show(o.shown)
	if dryRun {
		return nil
	}
	if err := c.agree(ctx, o, agreed); err != nil {
		return err
	}
	if err := c.lock(ctx, agreed); err != nil {
		return err
	}
	id, err := store.NewRunID(c.app.now(), rand.Reader)
	if err != nil {
		return err
	}
	who := c.app.identify(ctx)
	info := store.RunInfo{
		ID: id, Started: c.app.now(), Operation: c.app.operation(), User: who.user, Host: who.host, PID: who.pid,
		Environment: c.env, Project: c.project, BaseURL: c.baseURL, GitCommit: who.commit, Tool: version(),
	}
	backup, err := c.backupWhole(ctx, info, o.settings, o.snapshot)
	if err != nil {
		return fmt.Errorf("nothing was done, since the project could not be backed up: %w", err)
	}
	c.app.note("Backed up: " + ui.Safe(backup) + "\n")
	entry := store.AuditRecord{
		Time: info.Started, Phase: store.PhaseIntent, Run: id, User: who.user, Host: who.host, PID: who.pid,
		Operation: info.Operation, Environment: c.env, Project: c.project, BaseURL: c.baseURL, GitCommit: who.commit,
		Resources: []string{model.Key{Kind: model.Project, ID: c.project}.String()},
		Create:    o.create, Update: o.update, Delete: o.remove, Guards: []string{}, Flags: agreed.flags,
	}
	if _, err := c.state.Audit().Append(ctx, entry); err != nil {
		return brokenAudit(fmt.Errorf("nothing was done, since the audit log could not be written: %w", err))
	}
	failure := o.do(ctx, backup)
	entry.Time, entry.Phase, entry.Status = c.app.now(), store.PhaseOutcome, "done"
	entry.DurationMS = c.app.now().Sub(info.Started).Milliseconds()
	if failure != nil {
		entry.Status, entry.Error = "failed", messageOf(failure)
		if e, ok := errors.AsType[*api.Error](failure); ok && e.Unanswered() {
			entry.Status = statusUnknown
		}
	}
	_, err = c.state.Audit().Append(context.WithoutCancel(ctx), entry)
	return errors.Join(failure, err)
}

// agree has an operation confirmed: by the id of the project where it is typed or the
// environment is protected, for which no --yes stands; else by a yes. Whoever has typed
// the id is not asked again; an id on the command line may be an old one, and is.
func (c *connection) agree(ctx context.Context, o operation, agreed consent) error {
	if o.typed || c.compiled.Environment.Protected {
		if agreed.allowed.ConfirmProject != c.project {
			err := c.prompter().TypeToConfirm(ctx, "This cannot be taken back by a rollback.", c.project)
			if errors.Is(err, ui.ErrNoTerminal) {
				return refusedError("", "nothing was done: this must be confirmed with %w", &answerable{nil, "--confirm-project " + c.project})
			}
			return declined(err, "nothing was done", "--confirm-project "+c.project)
		}
	}
	if agreed.yes {
		return nil
	}
	return declined(c.prompter().Confirm(ctx, o.question), "nothing was done", "--yes")
}

// backupWhole saves all there is of a project, as far as the key may read it.
func (c *connection) backupWhole(ctx context.Context, info store.RunInfo, settings, withSnapshot bool) (string, error) {
	kinds := []model.Kind{model.Tenant, model.Flow, model.Theme, model.Project}
	live, err := c.read(ctx, kinds...)
	if api.IsAuth(err) { // a key that is limited may not read the name and the tags
		kinds = kinds[:3]
		live, err = c.read(ctx, kinds...)
	}
	if err != nil {
		return "", err
	}
	b := backupOf(live, kinds, info)
	for id := range b.Tenants {
		if !settings {
			break
		}
		if b.TenantSettings[id], err = c.client.TenantSettings(ctx, id); err != nil {
			return "", err
		}
		if b.SSOSettings[id], err = c.client.SSOSettings(ctx, id); err != nil {
			return "", err
		}
	}
	if withSnapshot {
		b.Snapshot, err = c.client.ExportSnapshot(ctx)
		if err != nil && !api.IsLicence(err) {
			return "", err
		}
	}
	return c.backups.Save(b)
}
