package api

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// Read returns all resources of the given kinds. Tenants take one call whatever
// their number. An answer that is short, doubled or not understood is an error,
// never a smaller state.
func (c *Client) Read(ctx context.Context, kinds ...model.Kind) (model.State, error) {
	var all []model.Resource
	for _, k := range kinds {
		r, err := rowOf(k)
		if err != nil {
			return model.State{}, err
		}
		resources, at, err := r.list(ctx, c)
		if err != nil {
			return model.State{}, fmt.Errorf("reading the %s of project %s: %w", cmp.Or(model.Spec(k).Field, string(k)), c.config.ProjectID, err)
		}
		if r.snapshot {
			c.preimages.keep(k, resources, at)
		}
		all = append(all, resources...)
	}
	return model.NewState(all)
}

// Get returns one resource, and whether it exists.
func (c *Client) Get(ctx context.Context, key model.Key) (model.Resource, bool, error) {
	r, err := rowOf(key.Kind)
	if err != nil {
		return model.Resource{}, false, err
	}
	return r.get(ctx, c, key.ID)
}

// TenantSettings returns the session settings of a tenant exactly as received.
func (c *Client) TenantSettings(ctx context.Context, tenant string) (json.RawMessage, error) {
	got, err := c.read(ctx, ofTenant(tenant, "/v1/mgmt/tenant/settings", "id"))
	return got.body, err
}

// ofTenant is a read of something that belongs to a tenant, which a parameter of
// the query names.
func ofTenant(tenant, path, parameter string) request {
	return request{
		method: http.MethodGet, path: path, query: url.Values{parameter: {tenant}},
		budget: BudgetOther, object: model.Key{Kind: model.Tenant, ID: tenant}.String(),
	}
}

// License is what Descope says of the plan of a project.
type License struct {
	// Tier is tier1 (free) to tier4 (enterprise), or empty where the server
	// does not say.
	Tier string
	// ServerTime is the server's clock, to the second; zero if it did not tell.
	ServerTime time.Time
}

// License returns the licence of the project.
func (c *Client) License(ctx context.Context) (License, error) {
	got, err := c.read(ctx, request{method: http.MethodGet, path: "/v1/mgmt/license", budget: BudgetOther})
	if err != nil {
		return License{}, err
	}
	var d struct{ RateLimitTier string }
	if err := json.Unmarshal(got.body, &d); err != nil {
		return License{}, c.badReply(request{method: http.MethodGet, path: "/v1/mgmt/license"}, "the licence is not understood: %w", err)
	}
	return License{Tier: clean(d.RateLimitTier), ServerTime: got.date}, nil
}

// badReply is a success that cannot be believed.
func (c *Client) badReply(r request, format string, args ...any) error {
	cause := fmt.Errorf(format, args...)
	return &Error{
		Kind: KindBadReply, Method: r.method, Path: r.path, Object: r.object, Status: http.StatusOK,
		Message: cause.Error(), Project: c.config.ProjectID, Key: c.config.Key.Hint(), cause: cause,
	}
}
