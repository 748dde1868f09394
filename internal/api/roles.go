package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
)

// Roles returns the ids of the roles of the project by name: those of no tenant. A key
// that may not list them is an error ([IsAuth]).
func (c *Client) Roles(ctx context.Context) (map[string][]string, error) {
	r := request{method: http.MethodGet, path: "/v1/mgmt/role/all", budget: BudgetOther}
	got, err := c.read(ctx, r)
	if err != nil {
		return nil, err
	}
	list, err := decodeList(got.body, "roles")
	if err != nil {
		return nil, c.badReply(r, "%w", err)
	}
	roles := map[string][]string{}
	for _, raw := range list {
		var role struct {
			ID     string `json:"id"`
			Name   string `json:"name"`
			Tenant string `json:"tenantId"`
		}
		err := json.Unmarshal(raw, &role)
		if err == nil && role.Name == "" {
			err = errors.New("a role has no name")
		}
		if err != nil {
			return nil, c.badReply(r, "%w", err)
		}
		if role.Tenant == "" {
			roles[role.Name] = append(roles[role.Name], role.ID)
		}
	}
	return roles, nil
}
