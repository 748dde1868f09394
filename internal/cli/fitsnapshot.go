package cli

import (
	"context"
	"maps"
	"slices"

	"pcconnect.ai/descope-mgmt/internal/api"
	"pcconnect.ai/descope-mgmt/internal/flow"
	"pcconnect.ai/descope-mgmt/internal/model"
)

// unbound reports whether a flow refers to a connector whose id is not known.
func unbound(d model.Diagnostics) bool {
	return slices.ContainsFunc(d, func(d model.Diagnostic) bool { return d.Code == "unknown-connector" })
}

// filledIn are the names that are known, and those of a snapshot besides: what a flow of
// the project or the configuration says of a name goes before it.
func (c *connection) filledIn(known, snapshot map[string][]string) map[string][]string {
	out := maps.Clone(snapshot)
	if out == nil {
		out = map[string][]string{}
	}
	live := slices.Collect(maps.Values(flow.FlowsOf(c.live)))
	for name := range flow.ProjectOf(live).Connectors {
		delete(out, name)
	}
	maps.Copy(out, known)
	return out
}

// connectorNames are the ids of the project's connectors by name, from a snapshot, if the
// licence has it: Descope lists them nowhere else. It is asked for once; without it the
// names stay unknown, which is no error.
func (c *connection) connectorNames(ctx context.Context) (map[string][]string, error) {
	if c.connectors != nil {
		return c.connectors, nil
	}
	c.connectors = map[string][]string{}
	licence, err := c.client.License(ctx)
	if err != nil || licence.Tier == freeTier || licence.Tier == "" {
		return c.connectors, err
	}
	tree, err := c.ownSnapshot(ctx)
	if api.IsLicence(err) || api.IsAuth(err) {
		return c.connectors, nil
	}
	if err != nil {
		return nil, err
	}
	list, err := tree.Connectors()
	if err != nil {
		return nil, err
	}
	for _, connector := range list {
		c.connectors[connector.Name] = append(c.connectors[connector.Name], connector.ID)
	}
	return c.connectors, nil
}
