package cli

import (
	"encoding/json"
	"time"

	"pcconnect.ai/descope-mgmt/internal/api"
	"pcconnect.ai/descope-mgmt/internal/store"
)

// flowCacheAge is how long an export counts while its stamp stays. That Descope moves
// the stamp with every edit is unproven.
const flowCacheAge = 24 * time.Hour

// flowCache keeps exports in the state directory. In a protected environment every read
// exports anew, and so does one that looks for drift.
type flowCache struct{ *connection }

// Cached implements [api.FlowCache].
func (c flowCache) Cached(id string, s api.FlowStamp) (json.RawMessage, bool) {
	if c.compiled.Environment.Protected || c.exportAnew {
		return nil, false
	}
	return c.scope.CachedFlow(id, store.FlowStamp(s), c.app.now(), flowCacheAge)
}

// Keep implements [api.FlowCache]. That it cannot be kept costs a call next time.
func (c flowCache) Keep(id string, s api.FlowStamp, raw json.RawMessage) {
	if err := c.scope.PutCachedFlow(id, store.FlowStamp(s), raw, c.app.now()); err != nil {
		c.log.Debug("an export was not kept", "flow", id, "error", err)
	}
}

// Drop implements [api.FlowCache].
func (c flowCache) Drop(id string) error { return c.scope.DropCachedFlow(id) }
