package snapshot

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/flow"
	"pcconnect.ai/descope-mgmt/internal/model"
)

// The manifests, which list what belongs to a snapshot. Descope: a member that the
// manifest leaves out is not imported.
const (
	flowsFile      = "flows/flows.json"
	connectorsFile = "connectors/connectors.json"
	stylesFile     = "styles/styles.json"
	rolesFile      = "roles.json"
	assetsDir      = "assets/"
)

// members are the names in a manifest, sorted; none where the area is not there.
func (t Tree) members(file, field string) ([]string, error) {
	if !t.Has(file) {
		return nil, nil
	}
	manifest, err := t.object(file)
	if err != nil {
		return nil, err
	}
	list, ok := manifest[field].([]any)
	if !ok && manifest[field] != nil {
		return nil, fmt.Errorf("%s: %s is no list", file, field)
	}
	names := make([]string, 0, len(list))
	for i, v := range list {
		name, ok := v.(string)
		if !ok || CheckPath(name) != nil || strings.Contains(name, "/") {
			return nil, fmt.Errorf("%s: %s.%d is no name", file, field, i)
		}
		if slices.Contains(names, name) {
			return nil, fmt.Errorf("%s: %s is listed twice", file, name)
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return names, nil
}

// Flows are the ids of the flows, sorted.
func (t Tree) Flows() ([]string, error) {
	ids, err := t.members(flowsFile, "flows")
	if err != nil {
		return nil, err
	}
	for _, name := range t.Paths() {
		id, isFlow := strings.CutSuffix(strings.TrimPrefix(name, "flows/"), "/metadata.json")
		if isFlow && strings.HasPrefix(name, "flows/") && !strings.Contains(id, "/") && !slices.Contains(ids, id) {
			return nil, fmt.Errorf("flow %s is not in %s, so an import would leave it out", id, flowsFile)
		}
	}
	return ids, nil
}

// Flow reads a flow, which gets the id of its directory.
func (t Tree) Flow(id string) (flow.Flow, error) {
	dir := "flows/" + id + "/"
	files := map[string][]byte{}
	for name, data := range t.files {
		if file, ok := strings.CutPrefix(name, dir); ok {
			files[file] = data
		}
	}
	f, err := flow.ParseSnapshot(files)
	if err != nil {
		return flow.Flow{}, fmt.Errorf("flow %s: %w", id, err)
	}
	return f.WithID(id), nil
}

// Connector is a connector, without its configuration.
type Connector struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Type string `json:"type"`
}

// Connectors are the connectors, by file name.
func (t Tree) Connectors() ([]Connector, error) {
	slugs, err := t.members(connectorsFile, "connectors")
	if err != nil {
		return nil, err
	}
	out := make([]Connector, 0, len(slugs))
	for _, slug := range slugs {
		file := "connectors/" + slug + ".json"
		o, err := t.object(file)
		if err != nil {
			return nil, err
		}
		c := Connector{ID: textOf(o["id"]), Name: textOf(o["name"]), Type: textOf(o["type"])}
		if c.Name == "" || c.ID == "" {
			return nil, fmt.Errorf("%s: it has no name or no id", file)
		}
		out = append(out, c)
	}
	return out, nil
}

// Roles are the names of the roles, sorted.
func (t Tree) Roles() ([]string, error) {
	if !t.Has(rolesFile) {
		return nil, nil
	}
	o, err := t.object(rolesFile)
	if err != nil {
		return nil, err
	}
	var names []string
	list, _ := o["roles"].([]any)
	for i, v := range list {
		role, _ := v.(map[string]any)
		name := textOf(role["name"])
		if name == "" {
			return nil, fmt.Errorf("%s: roles.%d has no name", rolesFile, i)
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return names, nil
}

// Assets are the files that were cut out of others, sorted.
func (t Tree) Assets() []string {
	return slices.DeleteFunc(t.Paths(), func(name string) bool {
		return !strings.HasPrefix(name, assetsDir) || name == assetsDir+"assets.json"
	})
}

// Theme are the styles of a project, as the API has them.
type Theme struct {
	// Styles are the styles by id, such as light and dark.
	Styles map[string]any
	// ComponentsVersion is the version of Descope's components that they are for.
	ComponentsVersion string
}

// Theme are the styles of the snapshot.
func (t Tree) Theme() (Theme, error) {
	ids, err := t.members(stylesFile, "styles")
	if err != nil || ids == nil {
		return Theme{}, err
	}
	manifest, err := t.object(stylesFile)
	if err != nil {
		return Theme{}, err
	}
	theme := Theme{Styles: map[string]any{}, ComponentsVersion: textOf(manifest["componentsVersion"])}
	for _, id := range ids {
		if theme.Styles[id], err = t.object("styles/" + id + ".json"); err != nil {
			return Theme{}, err
		}
	}
	return theme, nil
}

// New is a snapshot of some flows and, unless it is empty, a theme. It is an error if
// an id cannot be the name of a directory.
func New(flows []flow.Flow, theme Theme) (Tree, error) {
	files := map[string][]byte{VersionFile: JSON(map[string]any{"version": number(Version)})}
	ids := map[string]any{}
	for _, f := range flows {
		if err := CheckName(f.ID()); err != nil {
			return Tree{}, fmt.Errorf("flow %w", err)
		}
		parts, err := f.Snapshot()
		if err != nil {
			return Tree{}, fmt.Errorf("flow %s: %w", f.ID(), err)
		}
		for name, data := range parts {
			files["flows/"+f.ID()+"/"+name] = data
		}
		ids[f.ID()] = true
	}
	if flows != nil {
		files[flowsFile] = JSON(map[string]any{"flows": sorted(ids)})
	}
	for id, style := range theme.Styles {
		if err := CheckName(id); err != nil {
			return Tree{}, fmt.Errorf("style %w", err)
		}
		o, ok := style.(map[string]any)
		if !ok {
			return Tree{}, fmt.Errorf("style %q is no JSON object", id)
		}
		files["styles/"+id+".json"] = JSON(o)
	}
	if len(theme.Styles) > 0 {
		files[stylesFile] = JSON(map[string]any{"componentsVersion": theme.ComponentsVersion, "styles": sorted(theme.Styles)})
	}
	return Parse(files)
}

// CheckName refuses an id that cannot be the name of a file in a snapshot.
func CheckName(id string) error {
	if CheckPath(id) != nil || strings.Contains(id, "/") || Ignored(id) {
		return fmt.Errorf("%q cannot be the name of a file", id)
	}
	return nil
}

func sorted(m map[string]any) []any {
	out := []any{}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		out = append(out, name)
	}
	return out
}

func textOf(v any) string {
	s, _ := v.(string)
	return s
}

// TenantsFile holds the tenants of a project in the spelling of the API. It is a file of
// ours beside the snapshot, which Descope does not have.
const TenantsFile = "tenants.json"

// WithTenants adds the tenants, which must be in the order in which they are to stand.
func (t Tree) WithTenants(tenants []map[string]any) Tree {
	list := make([]any, len(tenants))
	for i, tenant := range tenants {
		list[i] = model.CloneMap(tenant)
	}
	return t.With(TenantsFile, JSON(map[string]any{"tenants": list}))
}

// Tenants are the tenants in tenants.json; ok is false where there is no such file.
func (t Tree) Tenants() (tenants []map[string]any, ok bool, err error) {
	if !t.Has(TenantsFile) {
		return nil, false, nil
	}
	o, err := t.object(TenantsFile)
	if err != nil {
		return nil, true, err
	}
	list, isList := o["tenants"].([]any)
	if !isList {
		return nil, true, fmt.Errorf("%s: tenants is no list", TenantsFile)
	}
	for i, v := range list {
		tenant, isObject := v.(map[string]any)
		if !isObject {
			return nil, true, fmt.Errorf("%s: tenants.%d is no JSON object", TenantsFile, i)
		}
		tenants = append(tenants, tenant)
	}
	return tenants, true, nil
}
