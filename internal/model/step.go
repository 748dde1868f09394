package model

import "encoding/json"

// Op names one call that writes to Descope. The client knows the endpoint of
// each; a plan file can therefore name no other.
type Op string

// The operations that write.
const (
	TenantCreate       Op = "tenant.create"
	TenantUpdate       Op = "tenant.update"
	TenantDefaultRoles Op = "tenant.default_roles"
	TenantDelete       Op = "tenant.delete"
	FlowImport         Op = "flow.import"
	FlowDelete         Op = "flow.delete"
	ThemeImport        Op = "theme.import"
	ProjectRename      Op = "project.rename"
	ProjectTags        Op = "project.tags"
)

// Step is one call of a change, with exactly the payload that will be sent.
type Step struct {
	Op   Op              `json:"op"`
	Key  Key             `json:"key"`
	Body json.RawMessage `json:"body"`
}

// Transition is what a change does to one resource, seen by the client that
// must express it in calls. Before is nil for a create, After for a delete.
// Managed are the paths (see [JoinPath]) that may differ between the two; an
// update must send every other field of Before back unchanged.
type Transition struct {
	Before  *Resource
	After   map[string]any
	Key     Key
	Managed []string
	// Cascade makes a delete take along what belongs to nothing else. Descope:
	// tenant/delete with cascade deletes the users and access keys that belong
	// to this tenant alone.
	Cascade bool
}
