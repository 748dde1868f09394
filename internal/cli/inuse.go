package cli

import (
	"context"
	"fmt"
	"slices"

	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/plan"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

// The reads about one tenant that is to be deleted: what it is used by, and what of it
// only the backup keeps.
const (
	inUseReads  = 3
	backupReads = 2
)

// deletedTenants are the tenants that a plan deletes.
func deletedTenants(p *plan.Plan) []model.Key {
	var keys []model.Key
	for _, ch := range p.Changes {
		if ch.Action == plan.Delete && ch.Key.Kind == model.Tenant {
			keys = append(keys, ch.Key)
		}
	}
	return keys
}

// inUse finds out what would be lost with tenants that are to be deleted: their users,
// access keys and SSO configuration.
//
// A plan is made again under the lock, and what was found out for the one that was shown
// serves for that, too, unless a question was asked in between (see [connection.prompter]).
// Nothing but a person at a terminal takes longer than these reads do, which are slow
// enough to meet the rate limit: asked once more without a pause, the first answer would
// be as old again by the time of its delete. Other runs, which may have ended only now,
// give a tenant no users, keys or SSO; what they did change is in live, which is read
// again. What a saved plan deletes is asked about under the lock alone.
func (c *connection) inUse(ctx context.Context, r request, tenants []model.Key) (map[model.Key][]string, error) {
	if c.used == nil {
		c.used = map[model.Key][]string{}
	}
	unasked := slices.DeleteFunc(slices.Clone(tenants), func(k model.Key) bool { _, known := c.used[k]; return known })
	err := c.eachTenant("Checked users, keys and SSO of", unasked, func(k model.Key) (err error) {
		if c.used[k], err = c.client.InUse(ctx, k.ID); err != nil {
			delete(c.used, k)
			err = fmt.Errorf("whether %s is in use cannot be told: %w", k, err)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	facts := map[model.Key][]string{}
	for _, k := range tenants {
		found := slices.Clone(c.used[k])
		if r.changedSince != nil {
			found = append(found, r.changedSince(k, c.live)...)
		}
		if len(found) > 0 {
			facts[k] = found
		}
	}
	return facts, nil
}

// readsFor is how many reads a run will make of tenants that it deletes. Whoever is
// asked a question first has what is known asked once more.
func (c *connection) readsFor(p *plan.Plan, agreed consent) int {
	reads := 0
	for _, k := range deletedTenants(p) {
		reads += backupReads
		if _, known := c.used[k]; !known || !agreed.yes {
			reads += inUseReads
		}
	}
	return reads
}

// notAsked says that a plan which is refused in any case does not show what is in use.
func notAsked(tenants int) model.Diagnostic {
	return model.Diagnostic{
		Severity: model.Warning, Code: "in-use-unknown",
		Summary: "whether what would be deleted is in use was not asked yet, since the plan is blocked: " + ui.Counted(tenants, "tenant"),
	}
}

// eachTenant does something that takes a while with tenants, one after another, and
// shows how far it is. The first error ends it.
func (c *connection) eachTenant(verb string, tenants []model.Key, f func(model.Key) error) error {
	if len(tenants) == 0 {
		return nil
	}
	progress := ui.NewProgress(c.app.streams, ui.ProgressOptions{Verb: verb, Noun: string(model.Tenant), Total: len(tenants), Now: c.app.now})
	c.waiting.set(progress.Limited)
	defer progress.Stop()
	defer c.waiting.set(nil)
	for _, k := range tenants {
		if err := f(k); err != nil {
			return err
		}
		progress.Done(1)
	}
	return nil
}
