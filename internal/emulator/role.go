package emulator

import (
	"maps"
	"slices"
)

// allRoles answers GET /v1/mgmt/role/all with the roles that the project defines.
func (c *call) allRoles() (map[string]any, *apiError) {
	roles := []any{}
	for _, name := range slices.Sorted(maps.Keys(c.project.roles)) {
		roles = append(roles, map[string]any{
			"id": c.project.roles[name], "name": name, "description": "", "permissionNames": []any{}, "tenantId": "", "default": false, "private": false,
		})
	}
	return map[string]any{"roles": roles}, nil
}
