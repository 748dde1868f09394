package emulator

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// incomingSnapshot is a snapshot in a request, read for a project.
type incomingSnapshot struct {
	files      map[string]any
	connectors []map[string]any // as they will be, secrets put in
	flows      []map[string]any // in the spelling of v2
	failures   []any
	missing    []any
}

// validateSnapshot answers POST /v1/mgmt/project/snapshot/validate. Descope: ok says
// that there are no failures; missing secrets are listed beside them.
func (c *call) validateSnapshot() (map[string]any, *apiError) {
	s, e := c.readSnapshot()
	if e != nil {
		return nil, e
	}
	return map[string]any{
		"ok": len(s.failures) == 0, "failures": s.failures,
		"missingSecrets": map[string]any{"connectors": s.missing, "oauthProviders": []any{}, "outboundApps": []any{}, "externalAuth": []any{}},
	}, nil
}

// importSnapshot answers POST /v1/mgmt/project/snapshot/import, and the older
// project/import. Descope: it overrides what the project has.
func (c *call) importSnapshot() (map[string]any, *apiError) {
	s, e := c.readSnapshot()
	switch {
	case e != nil:
		return nil, e
	case len(s.failures) > 0:
		return nil, invalid("The snapshot is invalid: %v", s.failures[0])
	case len(s.missing) > 0:
		first, _ := s.missing[0].(map[string]any)
		return nil, invalid("The snapshot lacks %d secrets, such as %v of connector %v", len(s.missing), first["type"], first["name"])
	}
	p, replace := c.project, c.quirks.SnapshotMembers == "replace"
	if _, ok := s.files["connectors/connectors.json"]; ok {
		next, details := named{}, map[string]map[string]any{}
		if !replace {
			maps.Copy(next, p.connectors)
			maps.Copy(details, p.connectorDetails)
		}
		for _, connector := range s.connectors {
			name, _ := connector["name"].(string)
			if next[name] = p.connectors[name]; next[name] == "" {
				next[name] = mintID("CI", p.id, name)
			}
			details[name] = connector
		}
		p.connectors, p.connectorDetails = next, details
	}
	if _, ok := s.files["flows/flows.json"]; ok {
		if replace {
			p.flows = slices.DeleteFunc(slices.Clone(p.flows), func(f *flow) bool {
				return !slices.ContainsFunc(s.flows, func(content map[string]any) bool { return content["flowId"] == f.id })
			})
		}
		for _, content := range s.flows {
			id, _ := content["flowId"].(string)
			if _, e := c.takeFlow(id, c.bound(content), false); e != nil {
				return nil, e
			}
		}
	}
	c.takeStyles(s.files, replace)
	others := maps.Clone(p.files)
	if others == nil {
		others = map[string]any{}
	}
	for path, file := range s.files {
		if dir, _, _ := strings.Cut(path, "/"); !slices.Contains([]string{"flows", "connectors", "styles", "snapshot.json", "roles.json"}, dir) {
			others[path] = file
		}
	}
	p.files = others
	return nil, nil
}

// bound is a flow with the ids of the project's own connectors and roles. Descope:
// an import of a snapshot finds them by name.
func (c *call) bound(content map[string]any) map[string]any {
	ids := map[string]string{}
	for kind, known := range map[string]named{"connectors": c.project.connectors, "roles": c.project.roles} {
		for name, id := range objectIn(content, "references", kind) {
			if old, _ := id.(string); old != "" && known[name] != "" {
				ids[old] = known[name]
			}
		}
	}
	out, _ := replaceTexts(content, ids).(map[string]any)
	return out
}

func (c *call) takeStyles(files map[string]any, replace bool) {
	manifest, ok := files["styles/styles.json"].(map[string]any)
	if !ok {
		return
	}
	theme := maps.Clone(c.project.theme)
	styles := map[string]any{}
	if !replace {
		maps.Copy(styles, objectIn(theme, "styles"))
	}
	for _, id := range model.Texts(manifest["styles"]) {
		styles[id] = files["styles/"+id+".json"]
	}
	theme["styles"], theme["componentsVersion"] = styles, c.componentsVersion()
	c.project.theme = theme
}

// readSnapshot reads the files of a request.
func (c *call) readSnapshot() (*incomingSnapshot, *apiError) {
	if e := c.paid(); e != nil {
		return nil, e
	}
	files, ok := c.body["files"].(map[string]any)
	if !ok {
		return nil, c.missing("files")
	}
	s := &incomingSnapshot{files: files, failures: []any{}, missing: []any{}}
	fail := func(format string, args ...any) { s.failures = append(s.failures, fmt.Sprintf(format, args...)) }
	if len(files) == 0 {
		fail("the snapshot is empty")
	}
	if v := objectIn(files, "snapshot.json")["version"]; v != nil && fmt.Sprint(v) != snapshotVersion {
		fail("snapshot.json: version %v is not supported", v)
	}
	for _, slug := range model.Texts(objectIn(files, "connectors/connectors.json")["connectors"]) {
		connector, ok := files["connectors/"+slug+".json"].(map[string]any)
		if name, _ := connector["name"].(string); !ok || name == "" {
			fail("connectors/%s.json is missing or has no name", slug)
			continue
		}
		s.connectors = append(s.connectors, c.withSecrets(connector, s))
	}
	for _, id := range model.Texts(objectIn(files, "flows/flows.json")["flows"]) {
		if content := flowOfSnapshot(id, files, fail); content != nil {
			s.flows = append(s.flows, content)
		}
	}
	for _, id := range model.Texts(objectIn(files, "styles/styles.json")["styles"]) {
		if _, ok := files["styles/"+id+".json"].(map[string]any); !ok {
			fail("styles/%s.json is missing", id)
		}
	}
	return s, nil
}

// withSecrets is a connector of a snapshot with its secrets: those of the request,
// else those that the project's connector of that name has. Descope: one that is new
// must get them all.
func (c *call) withSecrets(connector map[string]any, s *incomingSnapshot) map[string]any {
	connector = model.CloneMap(connector)
	configuration, _ := connector["configuration"].(map[string]any)
	name, _ := connector["name"].(string)
	for _, key := range slices.Sorted(maps.Keys(configuration)) {
		v, isText := configuration[key].(string)
		if !isText || v != placeholderValue && (v != "" || !isSecret(key)) {
			continue
		}
		var given any
		for _, secret := range objectsIn(objectIn(c.body, "inputSecrets")["connectors"]) {
			if secret["id"] == connector["id"] && secret["type"] == key && secret["value"] != "" {
				given = secret["value"]
			}
		}
		_, known := c.project.connectors[name]
		kept, _ := objectIn(c.project.connectorDetails[name], "configuration")[key].(string)
		switch {
		case given != nil:
			configuration[key] = given
		case known:
			configuration[key] = kept
		default:
			s.missing = append(s.missing, map[string]any{"id": connector["id"], "name": name, "type": key, "value": ""})
		}
	}
	return connector
}

// flowOfSnapshot is a flow of a snapshot in the spelling of v2, or nil.
func flowOfSnapshot(id string, files map[string]any, fail func(string, ...any)) map[string]any {
	dir := "flows/" + id + "/"
	meta, hasMeta := files[dir+"metadata.json"].(map[string]any)
	contents, hasContents := files[dir+"contents.json"].(map[string]any)
	if !hasMeta || !hasContents {
		fail("%s lacks metadata.json or contents.json", dir)
		return nil
	}
	screens := []any{}
	for _, key := range model.Texts(meta["screens"]) {
		screen, ok := files[dir+"screen-"+key+".json"].(map[string]any)
		if !ok {
			fail("%sscreen-%s.json is missing", dir, key)
			continue
		}
		screens = append(screens, model.CloneMap(screen))
	}
	content := map[string]any{"flowId": id, "contents": model.CloneMap(contents), "screens": screens}
	if references, ok := meta["references"].(map[string]any); ok {
		content["references"] = model.CloneMap(references)
	}
	meta = model.CloneMap(meta)
	delete(meta, "screens")
	delete(meta, "references")
	content["metadata"] = meta
	return content
}
