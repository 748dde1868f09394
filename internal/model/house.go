package model

import "strings"

// The rules of the house for tenants: what a configuration demands of those that it
// makes itself. Descope allows more, so that tenants that were made elsewhere may
// break them.
const (
	// MaxTenantName is the length of a tenant's name, in characters.
	MaxTenantName = 100
	// MaxTenantLevels is how deep tenants may be nested.
	MaxTenantLevels = 3
)

// IsHouseID reports whether the id of a tenant keeps the rule of the house: 3 to 50
// lower-case letters, digits and hyphens.
func IsHouseID(id string) bool {
	return len(id) >= 3 && len(id) <= 50 && strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}
