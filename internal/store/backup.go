package store

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// Backup is what a project was before a run: the objects as Descope sent them,
// by id, with the fields that nobody here knows. White space between tokens is
// not kept; all else is. A kind that was not read has no map, which is not an
// empty one: see [Backup.Kinds].
type Backup struct {
	Meta    BackupMeta                 `json:"metadata"`
	Tenants map[string]json.RawMessage `json:"tenants"`
	Flows   map[string]json.RawMessage `json:"flows"`
	// Themes and Projects are the one theme and the project itself, for what changes
	// them.
	Themes   map[string]json.RawMessage `json:"themes,omitempty"`
	Projects map[string]json.RawMessage `json:"projects,omitempty"`
	// TenantSettings and SSOSettings are by tenant, of those that were asked for.
	TenantSettings map[string]json.RawMessage `json:"tenant_settings"`
	SSOSettings    map[string]json.RawMessage `json:"sso_settings"`
	// Snapshot is Descope's own snapshot of the project, file by path as the API has
	// them, where one was made.
	Snapshot map[string]json.RawMessage `json:"snapshot,omitempty"`
}

// BackupMeta says of what a backup is, and why it was made.
type BackupMeta struct {
	Timestamp time.Time `json:"timestamp"`
	// Operation is what the backup precedes ("tenant sync"), Run the id of that
	// run.
	Operation   string `json:"operation"`
	User        string `json:"user"`
	Host        string `json:"host"`
	GitCommit   string `json:"git_commit"`
	Environment string `json:"environment"`
	ProjectID   string `json:"project_id"`
	BaseURL     string `json:"base_url"`
	Run         string `json:"run"`
	// Tool is the version of the program that wrote it.
	Tool string `json:"tool_version"`
}

// Kinds are the kinds of which the backup has all objects there were. Of others it
// says nothing.
func (b Backup) Kinds() []model.Kind {
	var kinds []model.Kind
	if b.Tenants != nil {
		kinds = append(kinds, model.Tenant)
	}
	if b.Flows != nil {
		kinds = append(kinds, model.Flow)
	}
	if b.Themes != nil {
		kinds = append(kinds, model.Theme)
	}
	if b.Projects != nil {
		kinds = append(kinds, model.Project)
	}
	return kinds
}

// parseBackup reads the text of a backup file. reason says why it is not what
// was written, or "".
func parseBackup(text []byte) (b Backup, reason string) {
	content, reason := unseal(text)
	if reason != "" {
		return Backup{}, reason
	}
	if err := json.Unmarshal(content, &b); err != nil {
		return Backup{}, err.Error()
	}
	return b, b.check()
}

// check says what a backup lacks to be one, or "".
func (b Backup) check() string {
	m := b.Meta
	if m.Timestamp.IsZero() || m.Operation == "" || m.ProjectID == "" || m.BaseURL == "" {
		return "its metadata lacks the time, the operation, the project or the base URL"
	}
	for _, part := range []struct {
		what    string
		objects map[string]json.RawMessage
	}{
		{"tenant", b.Tenants},
		{"flow", b.Flows},
		{"theme", b.Themes},
		{"project", b.Projects},
		{"the settings of tenant", b.TenantSettings},
		{"the SSO settings of tenant", b.SSOSettings},
	} {
		for _, id := range slices.Sorted(maps.Keys(part.objects)) {
			if id == "" {
				return part.what + " without an id"
			}
			// It was parsed, so that whatever begins as an object is one.
			if object := part.objects[id]; len(object) == 0 || object[0] != '{' {
				return fmt.Sprintf("%s %q: not a JSON object", part.what, id)
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(b.Tenants)) {
		var fields map[string]json.RawMessage // a struct would take "ID" for it too
		var own string
		err := json.Unmarshal(b.Tenants[id], &fields)
		if err == nil {
			err = json.Unmarshal(fields["id"], &own)
		}
		if err != nil || own != id {
			return fmt.Sprintf("tenant %q: it says that its id is %s", id, fields["id"])
		}
	}
	return ""
}
