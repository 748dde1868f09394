package emulator

import (
	"cmp"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// snapshotVersion is the version of the layout of snapshots. See docs/descope-api.md.
const snapshotVersion = "5"

func snapshotRequest() []string { return []string{"files", "inputSecrets", "excludes"} }

// exportSnapshot answers POST /v1/mgmt/project/snapshot/export, and the older
// project/export. Assets are where they were imported, or inline, in every format.
func (c *call) exportSnapshot() (map[string]any, *apiError) {
	if e := c.paid(); e != nil {
		return nil, e
	}
	p := c.project
	files := maps.Clone(p.files)
	if files == nil {
		files = map[string]any{}
	}
	files["snapshot.json"] = map[string]any{"version": json.Number(snapshotVersion)}
	if files["project.json"] == nil {
		files["project.json"] = map[string]any{}
	}
	p.snapshotFlows(files)
	p.snapshotConnectors(files, c.quirks.SnapshotSecrets == "placeholder")
	if styles := objectIn(p.theme, "styles"); len(styles) > 0 {
		for id := range styles {
			files["styles/"+id+".json"] = styles[id]
		}
		files["styles/styles.json"] = map[string]any{"componentsVersion": p.theme["componentsVersion"], "styles": sortedNames(styles)}
	}
	if len(p.roles) > 0 {
		roles := []any{}
		for _, name := range slices.Sorted(maps.Keys(p.roles)) {
			roles = append(roles, map[string]any{"id": p.roles[name], "name": name, "description": "", "permissionNames": []any{}})
		}
		files["roles.json"] = map[string]any{"roles": roles}
	}
	return map[string]any{"files": files}, nil
}

// snapshotFlows writes the flows. Descope: a snapshot spells empty values out, and
// never has widget.
func (p *project) snapshotFlows(files map[string]any) {
	ids := map[string]any{}
	for _, f := range p.flows {
		content := model.CloneMap(p.exported(f))
		fillFlow(content)
		dir := "flows/" + f.id + "/"
		keys := []any{}
		for _, screen := range objectsIn(content["screens"]) {
			key := cmp.Or(strings.TrimPrefix(screenID(screen), "SC"), "screen")
			keys = append(keys, key)
			files[dir+"screen-"+key+".json"] = screen
		}
		meta := maps.Clone(objectIn(content, "metadata"))
		if meta == nil {
			meta = map[string]any{}
		}
		delete(meta, "widget")
		meta["screens"] = keys
		if references := objectIn(content, "references"); len(references) > 0 {
			meta["references"] = references
		}
		files[dir+"metadata.json"] = meta
		files[dir+"contents.json"] = objectIn(content, "contents")
		ids[f.id] = true
	}
	if len(ids) > 0 {
		files["flows/flows.json"] = map[string]any{"flows": sortedNames(ids)}
	}
}

func (p *project) snapshotConnectors(files map[string]any, placeholder bool) {
	slugs := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(p.connectors)) {
		slug := slugOf(name)
		for slugs[slug] != nil {
			slug += "-" + p.connectors[name][max(0, len(p.connectors[name])-4):]
		}
		slugs[slug] = true
		file := map[string]any{"description": "", "type": "http", "configuration": map[string]any{}}
		maps.Copy(file, p.connectorDetails[name])
		file["id"], file["name"] = p.connectors[name], name
		if configuration, ok := file["configuration"].(map[string]any); ok {
			configuration = maps.Clone(configuration)
			for key, v := range configuration {
				if isSecret(key) && v != "" {
					configuration[key] = ""
					if placeholder {
						configuration[key] = placeholderValue
					}
				}
			}
			file["configuration"] = configuration
		}
		files["connectors/"+slug+".json"] = file
	}
	if len(slugs) > 0 {
		files["connectors/connectors.json"] = map[string]any{"connectors": sortedNames(slugs)}
	}
}

// placeholderValue stands for a secret in some exports.
const placeholderValue = "PLACEHOLDER_VALUE"

// secretName are the names of the fields of a connector that hold a secret: the
// emulator does not know the types of connectors.
var secretName = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)secret|password|token|api_?key|private_?key|credential`)
})

func isSecret(name string) bool { return secretName().MatchString(name) }

// slugOf makes a file name of a name.
func slugOf(name string) string {
	slug := strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(name))
	for strings.Contains(slug, "--") {
		slug = strings.ReplaceAll(slug, "--", "-")
	}
	return cmp.Or(strings.Trim(slug, "-"), "connector")
}

func sortedNames[V any](m map[string]V) []any {
	out := []any{}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		out = append(out, name)
	}
	return out
}
